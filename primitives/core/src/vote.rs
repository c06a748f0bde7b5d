//! Votes: what one validator says of one answer.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The highest score.
pub const MAX_SCORE: u8 = 100;

/// Whether an answer may be scored at all.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
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

/// One validator's judgement of one answer.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "camelCase")]
pub struct AnswerScore {
    /// How good the answer is, 0 to 100.
    pub quality: u8,
    /// How new its approach is, 0 to 100.
    pub innovation: u8,
    /// Whether it may be scored at all; anything but `Valid` counts as quality 0.
    pub verdict: Verdict,
}

impl AnswerScore {
    /// Whether both scores are within 0 to 100.
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
