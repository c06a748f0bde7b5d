// SPDX-License-Identifier: Apache-2.0

//! Rounds of voting: the result that stands after one, and steps of work that takes several blocks.

use crate::{
    vote::{AnswerOutcomes, Outcome, Report},
    Balance,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Rounds of a case whose votes are kept: a panel and two courts. Those without a result are pruned at
/// once, while their numbers run on.
pub const MAX_KEPT_ROUNDS: u32 = 3;

/// Result that stands until an appeal replaces it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// The round that gave it.
    pub round: u32,
    /// The outcome for the task; never [`Outcome::None`].
    pub outcome: Outcome,
    /// The result of each answer, in order of commitment; empty for [`Outcome::Faulty`].
    pub answers: AnswerOutcomes,
    /// The report of the pinned tool on which more than half of the revealed seats agree, if there is one.
    pub report: Option<Report>,
    /// The seats that revealed.
    pub revealed: u32,
}

/// Result by which a case is settled: what stands when the last window is over.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct FinalResult {
    /// The end of the task; never [`Outcome::None`].
    pub outcome: Outcome,
    /// The result of each answer, in order of commitment; empty for [`Outcome::Faulty`].
    pub answers: AnswerOutcomes,
    /// Bit `i` is set where an appeal changed the result of answer `i`: only there seats lose stake by it.
    pub moved: u32,
    /// The pay that the seats of the first standing result share by their points, in wei, premium included.
    pub pay: Balance,
}

/// Seats by what they revealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Say {
    /// Those with scores.
    Scores,
    /// Those that called the task unjudgeable.
    Unjudgeable,
}

/// Position in work that is done in several steps; the default is its begin.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Cursor(pub u32);

impl Cursor {
    /// The position after this one; `None` after the last.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vote::AnswerOutcome;

    #[test]
    fn a_standing_result_of_the_most_answers_is_small_and_reads_as_json() {
        let answer = AnswerOutcome {
            quality: 71,
            innovation: 4,
            ..AnswerOutcome::default()
        };
        let standing = Standing {
            round: 2,
            outcome: Outcome::Scored,
            answers: AnswerOutcomes::truncate_from(alloc::vec![answer; 40]),
            report: None,
            revealed: 5,
        };
        assert_eq!(standing.answers.len(), 32);
        assert!(Standing::max_encoded_len() <= 180);
        let text = serde_json::to_string(&standing).expect("it is plain data");
        assert!(text.starts_with(r#"{"round":2,"outcome":"scored","answers":[{"quality":71,"#));
        assert_eq!(serde_json::from_str::<Standing>(&text).ok(), Some(standing));
    }

    #[test]
    fn a_cursor_ends_with_the_last_number() {
        assert_eq!(Cursor::default().next(), Some(Cursor(1)));
        assert_eq!(Cursor(u32::MAX).next(), None);
    }
}
