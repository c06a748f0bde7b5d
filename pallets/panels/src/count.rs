// SPDX-License-Identifier: Apache-2.0

//! Counting of votes: the report that most seats agree on, and the results of the answers.

use crate::{Vote, FAILED_QUALITY};
use alloc::vec::Vec;
use tos_formulas::rounds::{contested, majority, median};
use tos_types::{
    vote::{AnswerOutcome, AnswerOutcomes, Ballot},
    AnswerScore, Report,
};

/// The report that is alike for more than half of the revealed seats, if there is one. Votes come with
/// the numbers of their seats.
pub(crate) fn agreed(votes: &[(u32, Vote)]) -> Option<Report> {
    let sum = |of: &dyn Fn(&Vote) -> bool| {
        votes
            .iter()
            .filter(|(_, vote)| of(vote))
            .fold(0u64, |sum, (seats, _)| sum.saturating_add((*seats).into()))
    };
    let revealed = sum(&|_| true);
    votes
        .iter()
        .filter_map(|(_, vote)| vote.report)
        .find(|report| {
            let alike = sum(&|vote: &Vote| vote.report.as_ref() == Some(report));
            alike.saturating_mul(2) > revealed
        })
}

/// The results of so many answers: for each the medians of the scoring seats, and the verdict of two
/// thirds of them. What the agreed report fails has at most [`FAILED_QUALITY`].
pub(crate) fn results(
    votes: &[(u32, Vote)],
    answers: u32,
    report: Option<&Report>,
) -> AnswerOutcomes {
    let mut all = AnswerOutcomes::new();
    for index in 0..answers {
        let scores: Vec<AnswerScore> = votes
            .iter()
            .filter_map(|(seats, vote)| Some((*seats, score(vote, index)?)))
            .flat_map(|(seats, score)| core::iter::repeat_n(score, seats as usize))
            .collect();
        let qualities: Vec<u8> = scores.iter().map(|score| score.effective().0).collect();
        let innovations: Vec<u8> = scores.iter().map(|score| score.effective().1).collect();
        let verdicts: Vec<_> = scores.iter().map(|score| score.verdict).collect();
        let quality = median(&qualities).unwrap_or(0);
        let failed = report.is_some_and(|report| report.fails(index));
        let result = AnswerOutcome {
            quality: if failed {
                quality.min(FAILED_QUALITY)
            } else {
                quality
            },
            innovation: median(&innovations).unwrap_or(0),
            verdict: majority(&verdicts),
            contested: contested(&qualities, quality),
        };
        // Cannot fail: a case has at most as many answers as there is room for.
        let _ = all.try_push(result);
    }
    all
}

/// The score of an answer in a vote.
fn score(vote: &Vote, index: u32) -> Option<AnswerScore> {
    match &vote.ballot {
        Ballot::Scores(scores) => scores.get(usize::try_from(index).ok()?).copied(),
        Ballot::Unjudgeable(_) => None,
    }
}
