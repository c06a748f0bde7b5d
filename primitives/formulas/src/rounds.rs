// SPDX-License-Identifier: Apache-2.0

//! Rounds of equal seats: medians, verdicts, and the outcome.
//!
//! A seat counts once, and an account's vote as often as it has seats. The strength of the median: where an
//! adversary has less than half of the seats that scored, it lies between the lowest and the highest honest
//! score. The quorum is more than half of all seats, so a veto takes as many of them as a decision.

use alloc::vec::Vec;
use tos_types::vote::{Outcome, Verdict};

/// Distance from the median, in points, beyond which a score makes an answer contested.
pub const CONTESTED_POINTS: u8 = 30;

/// The median of the scores, one a seat: the middle one, of an even number the mean of the middle two, rounded
/// down. `None` without any.
pub fn median(scores: &[u8]) -> Option<u8> {
    let mut scores: Vec<u8> = scores.to_vec();
    scores.sort_unstable();
    let middle = scores.len() / 2;
    let upper = scores.get(middle).copied()?;
    if scores.len().is_multiple_of(2) {
        let lower = scores.get(middle.saturating_sub(1)).copied()?;
        return Some(lower.midpoint(upper));
    }
    Some(upper)
}

/// The verdict other than valid that at least two thirds of the scoring seats gave, else valid.
pub fn majority(verdicts: &[Verdict]) -> Verdict {
    [Verdict::Unavailable, Verdict::Malformed]
        .into_iter()
        .find(|verdict| {
            let seats = verdicts.iter().filter(|given| *given == verdict).count();
            seats > 0 && at_least(seats, verdicts.len(), 2, 3)
        })
        .unwrap_or_default()
}

/// The outcome of a round of `seats`, of which these many revealed scores and these many that the task cannot
/// be judged.
///
/// Two thirds of the revealed seats make it faulty, half of them give results, both only if more than half of
/// all seats revealed. Between a half and two thirds that cannot judge it there is no outcome.
pub fn outcome(seats: u32, scoring: u32, unjudgeable: u32) -> Outcome {
    let [seats, scoring, unjudgeable] = [seats, scoring, unjudgeable].map(u64::from);
    let revealed = scoring.saturating_add(unjudgeable);
    if revealed.saturating_mul(2) <= seats {
        Outcome::None
    } else if unjudgeable.saturating_mul(3) >= revealed.saturating_mul(2) {
        Outcome::Faulty
    } else if scoring.saturating_mul(2) >= revealed {
        Outcome::Scored
    } else {
        Outcome::None
    }
}

/// `true` if a third or more of the scores lie more than [`CONTESTED_POINTS`] off the median.
pub fn contested(scores: &[u8], median: u8) -> bool {
    let far = scores
        .iter()
        .filter(|score| score.abs_diff(median) > CONTESTED_POINTS)
        .count();
    far > 0 && at_least(far, scores.len(), 1, 3)
}

/// The baseline of a type after a settled task: it moves by at most `step` towards the median of the
/// results of the valid answers, and stays where there are none.
pub fn baseline(before: u8, results: &[u8], step: u8) -> u8 {
    let Some(towards) = median(results) else {
        return before;
    };
    let moved = before.abs_diff(towards).min(step);
    if towards < before {
        before.saturating_sub(moved)
    } else {
        before.saturating_add(moved)
    }
}

/// `true` if `part` is at least `share / of` of `whole`.
fn at_least(part: usize, whole: usize, share: usize, of: usize) -> bool {
    part.saturating_mul(of) >= whole.saturating_mul(share)
}

#[cfg(test)]
mod tests;
