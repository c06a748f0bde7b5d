// SPDX-License-Identifier: Apache-2.0

//! The reasons for which a proof is refused, or cannot be made.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The reasons to refuse a proof.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum ProofError {
    /// The commitment is of no sequence: its length is zero, not whole chunks, or too long.
    #[codec(index = 0)]
    Commitment,
    /// No words were asked for, or more than [`crate::MAX_CHALLENGES`].
    #[codec(index = 1)]
    Count,
    /// The proof is shorter or longer than its challenge requires.
    #[codec(index = 2)]
    Length,
    /// The words and siblings lead to another root.
    #[codec(index = 3)]
    Root,
    /// The version byte is not one this code knows.
    #[codec(index = 4)]
    Version,
    /// The proof answers another seed: another window, replica or sealed root.
    #[codec(index = 5)]
    Seed,
    /// An index lies beyond the sequence, or a list of indices is not strictly ascending.
    #[codec(index = 6)]
    Index,
    /// Coded and sealed sequence differ in length, so they cannot belong together.
    #[codec(index = 7)]
    Mismatch,
    /// The sealed word is not the coded word under the unit's mask.
    #[codec(index = 8)]
    Seal,
    /// The sealing parameters are out of bounds.
    #[codec(index = 9)]
    Params,
}

impl fmt::Display for ProofError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Commitment => "the commitment has an impossible length",
            Self::Count => "the number of challenges is out of bounds",
            Self::Length => "the proof has the wrong length",
            Self::Root => "the proof does not lead to the committed root",
            Self::Version => "the version of the proof is unknown",
            Self::Seed => "the proof answers another seed",
            Self::Index => "an index is out of range or out of order",
            Self::Mismatch => "coded and sealed sequence differ in length",
            Self::Seal => "the sealed word is not the coded word under its mask",
            Self::Params => "the sealing parameters are out of bounds",
        })
    }
}

impl core::error::Error for ProofError {}

/// The reasons for which a proof cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProveError<E> {
    /// The request itself is impossible.
    Refused(ProofError),
    /// The source could not be read.
    Source(E),
}

impl<E> From<ProofError> for ProveError<E> {
    fn from(error: ProofError) -> Self {
        Self::Refused(error)
    }
}

impl<E: fmt::Display> fmt::Display for ProveError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(error) => error.fmt(f),
            Self::Source(error) => write!(f, "the stored data cannot be read: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ProveError<E> {}
