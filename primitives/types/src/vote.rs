// SPDX-License-Identifier: Apache-2.0

//! Votes: what one judge says of one answer.

use crate::MAX_PARTICIPANTS;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The highest score.
pub const MAX_SCORE: u8 = 100;

/// The verdict of a judge: the answer may be scored, or the reason it may not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// An answer to the task, good or bad: the scores say which.
    #[default]
    #[codec(index = 0)]
    Valid,
    /// The content could not be fetched under its hash.
    #[codec(index = 1)]
    Unavailable,
    /// The content is not an answer to this task.
    #[codec(index = 2)]
    Malformed,
    /// The content is another's work.
    #[codec(index = 3)]
    Plagiarised,
}

/// The finding of a member with an automatic seat, from running the tool that the task's type pins.
/// Two who ran the same tool over the same answers report the same, to the byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// BLAKE3 of everything the tool printed.
    #[serde(with = "crate::json::hash")]
    pub output: [u8; 32],
    /// Bit `i` is set when answer `i`, in the order of commitment, does not pass.
    pub failed: u32,
}

impl Report {
    /// `true` if it speaks of no more than `answers` answers.
    pub fn in_range(&self, answers: u32) -> bool {
        self.failed.checked_shr(answers).unwrap_or(0) == 0
    }

    /// `true` if answer `index` does not pass.
    pub fn fails(&self, index: u32) -> bool {
        self.failed.checked_shr(index).unwrap_or(0) & 1 == 1
    }
}

const _: () = assert!(
    MAX_PARTICIPANTS <= u32::BITS,
    "a report has a bit for every answer"
);

/// One judge's judgement of one answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct AnswerScore {
    /// The quality of the answer, 0 to 100.
    pub quality: u8,
    /// The novelty of its approach, 0 to 100.
    pub innovation: u8,
    /// The verdict; anything but `Valid` counts as quality 0.
    pub verdict: Verdict,
}

impl AnswerScore {
    /// `true` if both scores are within 0 to 100.
    pub fn in_range(&self) -> bool {
        self.quality <= MAX_SCORE && self.innovation <= MAX_SCORE
    }

    /// The scores that count: a disqualified answer has none.
    pub fn effective(&self) -> (u8, u8) {
        match self.verdict {
            Verdict::Valid => (self.quality, self.innovation),
            _ => (0, 0),
        }
    }
}

/// Result of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Tally {
    /// Quorum, and enough weight agrees on every answer.
    #[codec(index = 0)]
    Consensus,
    /// Quorum, but opinions are apart.
    #[codec(index = 1)]
    Split,
    /// Too little weight revealed.
    #[codec(index = 2)]
    NoQuorum,
}

/// The result for one answer: weighted medians and the verdict of a 2/3 majority of weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct AnswerResult {
    /// Weighted median quality, 0 to 100.
    pub quality: u8,
    /// Weighted median innovation, 0 to 100.
    pub innovation: u8,
    /// A verdict other than `Valid` needs 2/3 of the revealed weight.
    pub verdict: Verdict,
}

/// Scores of a round, one for each answer in the order of commitment.
pub type Scores = BoundedVec<AnswerScore, ConstU32<MAX_PARTICIPANTS>>;
/// Results of a round, one for each answer in the order of commitment.
pub type AnswerOutcomes = BoundedVec<AnswerOutcome, ConstU32<MAX_PARTICIPANTS>>;

/// Vote of one account in one round; it counts for each of its seats.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Ballot {
    /// A judgement of every answer.
    #[codec(index = 0)]
    Scores(Scores),
    /// The task cannot be judged, no matter how good the answers are.
    #[codec(index = 1)]
    Unjudgeable(Unjudgeable),
}

impl Ballot {
    /// `true` if it judges just so many answers with scores within 0 to 100, or none because it cannot.
    pub fn in_range(&self, answers: u32) -> bool {
        match self {
            Self::Scores(scores) => {
                u32::try_from(scores.len()) == Ok(answers)
                    && scores.iter().all(AnswerScore::in_range)
            }
            Self::Unjudgeable(_) => true,
        }
    }
}

/// The reason why a task cannot be judged; for statistics, all have the same effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Unjudgeable {
    /// The specification could not be fetched under its hash.
    #[codec(index = 0)]
    SpecUnavailable,
    /// The specification does not say what a good answer is.
    #[codec(index = 1)]
    SpecUnclear,
    /// The task takes more work than a panel can do.
    #[codec(index = 2)]
    TooLarge,
}

/// Outcome of a round, by its seats.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The answers have results.
    #[codec(index = 0)]
    Scored,
    /// The task cannot be judged.
    #[codec(index = 1)]
    Faulty,
    /// Neither: too few seats revealed, or they are divided on whether it can be judged.
    #[codec(index = 2)]
    None,
}

/// The result of one answer: medians of the scoring seats, and the verdict of two thirds of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct AnswerOutcome {
    /// Median quality, 0 to 100; verdicts other than `Valid` count as 0.
    pub quality: u8,
    /// Median innovation, 0 to 100; verdicts other than `Valid` count as 0.
    pub innovation: u8,
    /// A verdict other than `Valid` needs two thirds of the scoring seats.
    pub verdict: Verdict,
    /// `true` if a third of the scoring seats is far from the quality; without effect.
    pub contested: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_speaks_of_the_answers_there_are_and_no_others() {
        let report = |failed| Report {
            output: [1; 32],
            failed,
        };
        assert!(report(0).in_range(0) && !report(1).in_range(0));
        assert!(report(0b111).in_range(3) && !report(0b1000).in_range(3));
        assert!(report(u32::MAX).in_range(32));
        assert!(!report(1 << 31).in_range(31) && report(1 << 31).in_range(32));
        assert!(report(0b100).fails(2) && !report(0b100).fails(1));
        assert!(!report(u32::MAX).fails(32));
    }

    #[test]
    fn a_ballot_judges_every_answer_or_says_that_it_cannot() {
        let score = |quality| AnswerScore {
            quality,
            ..AnswerScore::default()
        };
        let ballot = |qualities: &[u8]| {
            let scores = qualities.iter().copied().map(score).collect();
            Ballot::Scores(Scores::truncate_from(scores))
        };
        assert!(ballot(&[0, 100]).in_range(2) && ballot(&[]).in_range(0));
        assert!(!ballot(&[0, 100]).in_range(1) && !ballot(&[0, 100]).in_range(3));
        assert!(!ballot(&[101]).in_range(1));
        let unjudgeable = Ballot::Unjudgeable(Unjudgeable::SpecUnclear);
        assert!(unjudgeable.in_range(0) && unjudgeable.in_range(32));
        assert!(Ballot::max_encoded_len() <= 100);
    }

    #[test]
    fn ballots_read_as_json() {
        let unjudgeable = Ballot::Unjudgeable(Unjudgeable::SpecUnclear);
        let text = serde_json::to_string(&unjudgeable).expect("it is plain data");
        assert_eq!(text, r#"{"unjudgeable":"specUnclear"}"#);
        assert_eq!(
            serde_json::from_str::<Ballot>(&text).ok(),
            Some(unjudgeable)
        );
        let scores = Ballot::Scores(Scores::truncate_from(alloc::vec![AnswerScore::default()]));
        let text = serde_json::to_string(&scores).expect("it is plain data");
        assert_eq!(serde_json::from_str::<Ballot>(&text).ok(), Some(scores));
    }
}
