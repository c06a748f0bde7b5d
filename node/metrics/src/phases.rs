// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Phases of tasks as labels, and the time that they took.

use tos_types::Phase;
use tos_views::TimelineEntry;

/// Label of a phase.
pub fn label(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::AnswerReveal => "answer_reveal",
        Phase::PanelDraw => "panel_draw",
        Phase::VoteCommit => "vote_commit",
        Phase::VoteReveal => "vote_reveal",
        Phase::Challenge => "challenge",
        Phase::Closed(_) => "closed",
    }
}

/// Labels of all phases, so that each has a series before it first occurs.
pub const PHASES: [&str; 7] = [
    "open",
    "answer_reveal",
    "panel_draw",
    "vote_commit",
    "vote_reveal",
    "challenge",
    "closed",
];

/// Time that a task took, in blocks.
pub struct Spans {
    /// Blocks of each phase, with its label.
    pub phases: Vec<(&'static str, u32)>,
    /// Blocks from publication to the end.
    pub life: Option<u32>,
    /// Blocks from the draw of the first panel to the end.
    pub judging: Option<u32>,
}

impl Spans {
    /// Measures a timeline.
    pub fn of(timeline: &[TimelineEntry]) -> Self {
        let phases = timeline
            .windows(2)
            .filter_map(|pair| match pair {
                [one, next] => Some((label(one.phase), next.block.saturating_sub(one.block))),
                _ => None,
            })
            .collect();
        let end = timeline
            .last()
            .filter(|entry| matches!(entry.phase, Phase::Closed(_)))
            .map(|entry| entry.block);
        let since = |start: Option<&TimelineEntry>| Some(end?.saturating_sub(start?.block));
        Self {
            phases,
            life: since(timeline.first()),
            judging: since(
                timeline
                    .iter()
                    .find(|entry| matches!(entry.phase, Phase::PanelDraw)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::Closure;

    fn entry(phase: Phase, block: u32) -> TimelineEntry {
        TimelineEntry {
            phase,
            round: 0,
            tick: block,
            block,
        }
    }

    #[test]
    fn a_timeline_tells_how_long_phases_judging_and_life_took() {
        let spans = Spans::of(&[
            entry(Phase::Open, 10),
            entry(Phase::AnswerReveal, 30),
            entry(Phase::PanelDraw, 35),
            entry(Phase::VoteCommit, 36),
            entry(Phase::Closed(Closure::Settled), 60),
        ]);
        assert_eq!(
            spans.phases,
            [
                ("open", 20),
                ("answer_reveal", 5),
                ("panel_draw", 1),
                ("vote_commit", 24)
            ]
        );
        assert_eq!((spans.life, spans.judging), (Some(50), Some(25)));
    }

    #[test]
    fn a_task_without_a_panel_or_an_end_has_no_judging() {
        let cancelled = Spans::of(&[
            entry(Phase::Open, 10),
            entry(Phase::Closed(Closure::Cancelled), 12),
        ]);
        assert_eq!((cancelled.life, cancelled.judging), (Some(2), None));
        let open = Spans::of(&[entry(Phase::Open, 10), entry(Phase::PanelDraw, 11)]);
        assert_eq!((open.life, open.judging), (None, None));
        let pruned = Spans::of(&[]);
        assert_eq!((pruned.life, pruned.phases.len()), (None, 0));
    }

    #[test]
    fn every_phase_has_a_label_that_is_registered() {
        for phase in [
            Phase::Open,
            Phase::AnswerReveal,
            Phase::PanelDraw,
            Phase::VoteCommit,
            Phase::VoteReveal,
            Phase::Challenge,
            Phase::Closed(Closure::Expired),
        ] {
            assert!(PHASES.contains(&label(phase)), "{phase:?}");
        }
    }
}
