// SPDX-License-Identifier: Apache-2.0

//! Commitments, challenges, proofs, sealing and aggregation of stored data.
//!
//! Everything here is pure: no files, no clock, no keys. The runtime and the committee verify with
//! it, the provider proves with it, and both therefore agree by construction.
//!
//! # Conventions, for other implementations
//!
//! * `H(tag, m)` is BLAKE3 in keyed mode, the key being the ASCII tag padded with zero bytes to 32;
//!   every tag is listed in [`hash`]. Integers are little-endian. `a ‖ b` is concatenation.
//! * A *word* is 64 bytes, a *chunk* 4,096 bytes or 64 words. A committed sequence is a whole
//!   number of chunks, never none and never more than [`MAX_WORDS`].
//! * Decoders accept exactly one encoding of each value and bound it before they loop over it.
//!
//! # What a proof shows
//!
//! A possession proof opens words drawn by a seed that no one chose. With a share δ of the words
//! missing, k independent words escape with probability (1−δ)^k. One 16-word proof of data coded at
//! rate 1/2 ([`code`]), lost only beyond δ = 1/2, escapes with 2^−16, three in a row with 2^−48. A
//! compact proof opens two words and is a spot check: one of them catches a half-empty replica
//! three times out of four.
//!
//! Sealing ([`seal`]) makes a second replica cost either its space or the Argon2d work of a whole
//! unit per challenge. That is an economic bound, not an absolute one, and no proof here excludes that
//! the words come from somewhere else in time.
//!
//! Benchmark: `cargo bench -p tos-storage-proofs --bench proofs` (`-- --quick`, `-- --json`).
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub mod aggregate;
pub mod challenge;
pub mod code;
pub mod compact;
pub mod error;
pub mod hash;
pub mod json;
pub mod mmr;
pub mod proof;
pub mod seal;
pub mod tree;
pub mod ultra;

pub use aggregate::{
    fold, inclusion_path, response_digest, verify_inclusion, InclusionPath, Roots,
};
pub use challenge::{challenges, replica_seed, MAX_CHALLENGES};
pub use code::Layout;
pub use compact::{
    prove_compact, signing_payload, verify_compact, CompactHeader, CompactProof, COMPACT_WORDS,
};
pub use error::{ProofError, ProveError};
pub use mmr::{Mmr, MmrProof};
pub use proof::{
    proof_len, prove_chunks, prove_words, verify_chunks, verify_words, FullProof, WordsProof,
};
pub use seal::{
    open_seal, open_seals, prove_seal, unit_key, unit_mask, verify_seal_opening, verify_seal_word,
    Binding, SealClaim, SealError, SealOpening, SealParams, Sealer,
};
pub use tree::{
    chunk_root, commit, Commitment, MemoryTree, NodeSink, TreeBuilder, TreeError, TreeSource,
};
pub use ultra::UltraRecord;

/// A BLAKE3 hash.
pub type Hash = [u8; 32];
/// The unit a challenge opens.
pub type Word = [u8; 64];
/// The name of one replica of one file.
pub type ReplicaId = [u8; 16];
/// The bytes of a word.
pub const WORD: usize = 64;
/// The bytes of a chunk.
pub const CHUNK: usize = 4096;
/// The words of a chunk.
pub const WORDS_PER_CHUNK: u64 = 64;
/// The most words of one committed sequence: 32 GiB. Above it, regenerating sealed data for a fixed
/// number of challenges would be cheaper than keeping it.
pub const MAX_WORDS: u64 = 1 << 29;
/// The words the committee checks in every window.
pub const COMMITTEE_WORDS: u32 = 16;
