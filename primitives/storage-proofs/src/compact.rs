// SPDX-License-Identifier: Apache-2.0

//! The proof that goes on chain: two words in less than 2,048 bytes, everything included.
//!
//! | bytes | field |
//! |---|---|
//! | 1 | version, 1 |
//! | 16 | replica |
//! | 8 | moment: the number of the window or block that drew the challenge, little-endian |
//! | 16 | the first half of the seed |
//! | n | the multiproof of the two words ([`crate::proof`]); 64 bytes less per shared word |
//! | 64 | signature over [`signing_payload`] |
//!
//! The seed binds window, replica and sealed root, so the signature cannot be moved to another of
//! them even where the opened words happen to be the same. At 32 GiB: 41 + 128 + 56 · 32 + 64 =
//! 2,025 bytes at most. Checking the curve is left to the caller, who knows the key.

use crate::{
    hash,
    proof::{asked_words, open_words, WordsProof},
    tree::{Commitment, TreeSource},
    Hash, ProofError, ProveError, ReplicaId,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// The words a compact proof opens.
pub const COMPACT_WORDS: u32 = 2;
/// The bytes before the multiproof.
pub const HEADER: usize = 41;
/// The most bytes of a compact proof.
pub const MAX_COMPACT: usize = 2_048;
/// The version this code reads and writes.
pub const VERSION: u8 = 1;

/// An sr25519 signature.
pub type Signature = [u8; 64];

/// The header of a compact proof: what it says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct CompactHeader {
    /// The replica.
    pub replica: ReplicaId,
    /// The number of the window or block that drew the challenge.
    pub moment: u64,
    /// The first half of the seed it answers.
    pub seed: [u8; 16],
}

impl CompactHeader {
    /// The header of an answer to `seed`.
    pub fn new(replica: ReplicaId, moment: u64, seed: &Hash) -> Self {
        let ([half, _], _) = seed.as_chunks() else {
            return Self {
                replica,
                moment,
                seed: [0; 16],
            };
        };
        Self {
            replica,
            moment,
            seed: *half,
        }
    }

    /// Version and fields.
    fn to_bytes(self) -> Vec<u8> {
        let moment = self.moment.to_le_bytes();
        [&[VERSION][..], &self.replica, &moment, &self.seed].concat()
    }

    /// Reads the header of a proof without checking anything else: it names the replica whose
    /// commitment and seed are needed to check the rest.
    ///
    /// # Errors
    /// Too few bytes, or an unknown version.
    pub fn peek(bytes: &[u8]) -> Result<Self, ProofError> {
        let (version, rest) = bytes.split_first().ok_or(ProofError::Length)?;
        let (replica, rest) = rest.split_first_chunk().ok_or(ProofError::Length)?;
        let (moment, rest) = rest.split_first_chunk().ok_or(ProofError::Length)?;
        let (seed, _) = rest.split_first_chunk().ok_or(ProofError::Length)?;
        if *version != VERSION {
            return Err(ProofError::Version);
        }
        Ok(Self {
            replica: *replica,
            moment: u64::from_le_bytes(*moment),
            seed: *seed,
        })
    }
}

/// A compact proof.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompactProof {
    /// The header: the challenge it answers.
    pub header: CompactHeader,
    /// The opened words.
    pub words: WordsProof,
    /// The provider's signature over [`signing_payload`].
    pub signature: Signature,
}

impl CompactProof {
    /// The signed bytes, followed by the signature.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.unsigned()[..], &self.signature].concat()
    }

    fn unsigned(&self) -> Vec<u8> {
        [self.header.to_bytes(), self.words.to_bytes()].concat()
    }

    /// Reads an answer to `seed` about a sequence of `c.words` words. The root is not checked.
    ///
    /// # Errors
    /// The version is unknown, the seed is another, or the length is wrong.
    pub fn from_bytes(c: &Commitment, seed: &Hash, bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() > MAX_COMPACT {
            return Err(ProofError::Length);
        }
        let header = CompactHeader::peek(bytes)?;
        if header != CompactHeader::new(header.replica, header.moment, seed) {
            return Err(ProofError::Seed);
        }
        let (rest, signature) = bytes.split_last_chunk().ok_or(ProofError::Length)?;
        let (_, proof) = rest.split_at_checked(HEADER).ok_or(ProofError::Length)?;
        let indices = asked_words(c, seed, COMPACT_WORDS)?;
        Ok(Self {
            header,
            words: WordsProof::from_bytes(&indices, c.words, proof)?,
            signature: *signature,
        })
    }
}

/// The hash that the provider signs: `H(SIGN, the proof without its last 64 bytes)`; and the
/// signature. `None` if there is no room for a header and a signature.
pub fn signing_payload(proof: &[u8]) -> Option<(Hash, Signature)> {
    let (rest, signature) = proof.split_last_chunk()?;
    (rest.len() >= HEADER).then(|| (hash::keyed(&hash::SIGN, rest), *signature))
}

/// Checks everything but the signature, and that `header.replica` and `header.moment` are the ones the
/// caller asked: the seed already binds the replica, and a caller that draws once per moment the moment.
///
/// # Errors
/// As [`CompactProof::from_bytes`], or the words lead to another root.
pub fn verify_compact(
    c: &Commitment,
    seed: &Hash,
    bytes: &[u8],
) -> Result<CompactHeader, ProofError> {
    let proof = CompactProof::from_bytes(c, seed, bytes)?;
    let indices = asked_words(c, seed, COMPACT_WORDS)?;
    match proof.words.root(&indices, c.words)? == c.root {
        true => Ok(proof.header),
        false => Err(ProofError::Root),
    }
}

/// Answers `seed`; `sign` signs the payload.
///
/// # Errors
/// As [`crate::prove_words`].
pub fn prove_compact<S: TreeSource + ?Sized>(
    source: &S,
    c: &Commitment,
    seed: &Hash,
    replica: ReplicaId,
    moment: u64,
    sign: impl FnOnce(&Hash) -> Signature,
) -> Result<Vec<u8>, ProveError<S::Error>> {
    let indices = asked_words(c, seed, COMPACT_WORDS)?;
    let mut proof = CompactProof {
        header: CompactHeader::new(replica, moment, seed),
        words: open_words(source, c.words, &indices)?,
        signature: [0; 64],
    };
    proof.signature = sign(&hash::keyed(&hash::SIGN, &proof.unsigned()));
    Ok(proof.to_bytes())
}
