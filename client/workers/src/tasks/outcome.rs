// SPDX-License-Identifier: Apache-2.0

//! Outcome of a closed task for one of its miners.

use super::report::Report;
use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_types::{Closure, Phase, Verdict};
use tos_views::{SubmissionView, TaskView};

/// A miner's gain or loss in a closed task, and whether it counts as a loss of the solver's.
pub(super) fn of(view: &TaskView<AccountId32>, miner: &AccountId32) -> Option<(Report, bool)> {
    let Phase::Closed(closure) = view.summary.phase else {
        return None;
    };
    let mine = view.submissions.iter().find(|s| s.miner == *miner)?;
    let (task, lost) = (view.summary.id, mine.lost);
    if mine.earned > 0 {
        let earned = mine.earned;
        return Some((Report::Won { task, earned }, false));
    }
    let why = why(view, mine);
    let blameless = closure == Closure::Unresolved && lost == 0;
    Some((Report::Lost { task, why, lost }, !blameless))
}

/// Reason for which an answer to a closed task earned nothing, in words.
pub fn why(view: &TaskView<AccountId32>, answer: &SubmissionView<AccountId32>) -> String {
    let asked = view.summary.min_quality;
    let unresolved = view.summary.phase == Phase::Closed(Closure::Unresolved);
    match (answer.commitment, &answer.content, answer.result) {
        (None, ..) => "no answer was committed in time".into(),
        (_, None, _) => "the answer was not revealed in time".into(),
        _ if unresolved => "no panel came to a result".into(),
        _ if answer.duplicate => "the answer is too close to an earlier one".into(),
        (_, _, Some(result)) => match result.verdict {
            Verdict::Unavailable => "the panel could not fetch the answer".into(),
            Verdict::Malformed => "the panel found that it is no answer to the task".into(),
            Verdict::Plagiarised => "the panel found that it is another's work".into(),
            Verdict::Valid if result.quality < asked => {
                format!("quality {}, and {asked} was asked for", result.quality)
            }
            Verdict::Valid => format!("quality {}; others were paid", result.quality),
        },
        _ => "the panel gave no result for the answer".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake::{self, ME};
    use tos_types::{vote::AnswerResult, ContentRef, TOS};
    use tos_views::CommitmentView;

    fn closed(
        closure: Closure,
        change: impl FnOnce(&mut SubmissionView<AccountId32>),
    ) -> (Report, bool) {
        let mut view = fake::task_view(1);
        let answer = ContentRef::inline(b"an answer of mine").unwrap();
        fake::reveal(&mut view, 42, answer);
        view.summary.phase = Phase::Closed(closure);
        let mine = &mut view.submissions[0];
        mine.commitment = Some(CommitmentView {
            hash: [1; 32],
            tick: 1,
            number: 0,
        });
        change(mine);
        of(&view, &ME).unwrap()
    }

    fn judged(quality: u8, verdict: Verdict) -> Option<AnswerResult> {
        Some(AnswerResult {
            quality,
            innovation: 0,
            verdict,
        })
    }

    #[test]
    fn a_miner_is_told_why_a_task_was_lost_and_what_that_cost() {
        let why = |report: Report| match report {
            Report::Lost { why, lost, .. } => (why, lost),
            other => panic!("{other:?}"),
        };
        let (report, counts) = closed(Closure::Settled, |mine| {
            (mine.commitment, mine.content, mine.lost) = (None, None, TOS);
        });
        let (text, lost) = why(report);
        assert!(text.contains("committed") && lost == TOS && counts);
        let cases = [
            (judged(0, Verdict::Unavailable), "fetch"),
            (judged(0, Verdict::Malformed), "no answer"),
            (judged(0, Verdict::Plagiarised), "another's work"),
            (judged(49, Verdict::Valid), "quality 49, and 50"),
        ];
        for (result, word) in cases {
            let (report, counts) = closed(Closure::Settled, |mine| mine.result = result);
            assert!(why(report).0.contains(word) && counts, "{word}");
        }
        let (report, counts) = closed(Closure::Unresolved, |_| {});
        assert!(why(report).0.contains("no panel") && !counts);
    }

    #[test]
    fn a_gain_is_told_and_an_open_task_is_not() {
        let (report, counts) = closed(Closure::Settled, |mine| mine.earned = TOS);
        assert!(matches!(report, Report::Won { earned: TOS, .. }) && !counts);
        assert_eq!(of(&fake::task_view(1), &ME), None);
    }
}
