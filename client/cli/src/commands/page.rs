// SPDX-License-Identifier: Apache-2.0

//! Everything about a task, on one page.

use super::{
    names::Names,
    progress::{self, Shares},
    show::{content, phase},
};
use crate::output::table;
use tos_sdk::amount;
use tos_sdk::task_type::type_name;

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use tos_types::{json::to_hex, Phase};
use tos_views::{MemberView, RoundView, TaskView};
use tos_workers::tasks::why_unpaid;

/// Everything about a task. `next` says what it waits for, or how long its record is kept.
pub(super) fn task(
    task: &TaskView<AccountId32>,
    round: Option<&RoundView<AccountId32>>,
    next: &str,
    shares: Option<Shares>,
    names: &Names,
) -> String {
    let summary = &task.summary;
    let mut lines = vec![
        format!("task        {}", summary.id),
        format!("phase       {}: {next}", phase(summary.phase)),
        format!("type        {}", type_name(summary.task_type)),
        format!(
            "difficulty  {}",
            format!("{:?}", summary.difficulty).to_lowercase()
        ),
        format!("reward      {}", amount::format(summary.reward)),
        format!("publisher   {}", summary.publisher.to_ss58check()),
        format!(
            "places      {} of {}",
            summary.joined, summary.max_participants
        ),
        format!("winners     from quality {}", summary.min_quality),
        format!("asks        {}", content(&task.spec)),
    ];
    if let Ok(text) = std::str::from_utf8(&task.spec.inline) {
        lines.extend(
            text.lines()
                .take(20)
                .map(|line| format!("            {line}")),
        );
    }
    if let Some(challenge) = &task.challenge {
        let outcome = match challenge.upheld {
            None => "undecided",
            Some(true) => "upheld",
            Some(false) => "rejected",
        };
        lines.push(format!(
            "challenge   by {}, {outcome}",
            challenge.challenger.to_ss58check()
        ));
    }
    if let Some(sums) = progress::ending(task, shares, names).last() {
        lines.push(format!("end         {sums}"));
    }
    if !task.submissions.is_empty() {
        let closed = matches!(summary.phase, Phase::Closed(_));
        let row = |submission: &tos_views::SubmissionView<AccountId32>| {
            let state = match (&submission.commitment, &submission.content) {
                (_, Some(content)) => {
                    let hash = to_hex(&content.hash);
                    format!("answer {}…", hash.get(..14).unwrap_or(&hash))
                }
                (Some(commitment), None) => format!("committed in tick {}", commitment.tick),
                (None, None) => "joined".into(),
            };
            let result = match (submission.result, closed) {
                (None, true) => why_unpaid(task, submission),
                (None, false) if submission.duplicate => "duplicate".into(),
                (None, false) => String::new(),
                (Some(result), _) => {
                    let verdict = format!("{:?}", result.verdict).to_lowercase();
                    format!(
                        "quality {}, innovation {}, {verdict}",
                        result.quality, result.innovation
                    )
                }
            };
            let gain = match (submission.earned, submission.lost) {
                (0, 0) if !closed => String::new(),
                (0, 0) => "nothing".into(),
                (0, lost) => format!("lost {}", amount::format(lost)),
                (earned, _) => format!("earned {}", amount::format(earned)),
            };
            vec![names.of(&submission.miner), state, result, gain]
        };
        lines.push(String::new());
        let rows: Vec<_> = task.submissions.iter().map(row).collect();
        lines.push(table(&["MINER", "STATE", "RESULT", "GAIN"], &rows));
    }
    if let Some(round) = round.filter(|round| !round.members.is_empty()) {
        lines.push(String::new());
        lines.push(panel(round, names));
    }
    lines.join("\n")
}

/// Members of the current round's panel.
fn panel(round: &RoundView<AccountId32>, names: &Names) -> String {
    let row = |member: &MemberView<AccountId32>| {
        let vote = match (&member.vote, member.committed) {
            (Some(scores), _) => {
                let qualities = scores.iter().map(|score| score.quality.to_string());
                format!("quality {}", qualities.collect::<Vec<_>>().join(", "))
            }
            (None, true) => "committed".into(),
            (None, false) => "no vote yet".into(),
        };
        let seat = match member.automatic {
            true => "tool",
            false => "",
        };
        vec![
            names.of(&member.who),
            seat.into(),
            member.weight.to_string(),
            vote,
        ]
    };
    let rows: Vec<_> = round.members.iter().map(row).collect();
    table(&["JUDGE", "SEAT", "WEIGHT", "VOTE"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::clean;
    use tos_types::ContentRef;

    #[test]
    fn a_task_whose_publisher_writes_terminal_codes_is_shown_without_them() {
        use tos_sdk::testing::{assert_clean, HOSTILE};
        let mut task = tos_sdk::testing::views::task_view(1);
        task.spec = ContentRef::inline(HOSTILE.as_bytes()).unwrap();
        let inline =
            clean::text(&super::task(&task, None, "", None, &Names::default())).into_owned();
        assert_clean(&inline);
        task.spec = ContentRef::located(b"long content", HOSTILE.as_bytes()).unwrap();
        let located = super::task(&task, None, "", None, &Names::default());
        assert_clean(&located);
        for text in [inline, located] {
            // What looks like news of this program does not begin a line.
            assert!(!text.lines().any(|l| l.starts_with("settled")), "{text}");
        }
    }
}
