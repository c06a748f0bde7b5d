// SPDX-License-Identifier: Apache-2.0

//! The verifying functions, typed. In WASM they call the host, natively the same code directly.

use crate::{code::result, tos_verify};
use codec::Encode;
use tos_storage_proofs::{Commitment, ProofError, SealParams, Word};
use tos_vdf::{Hash, Segment, SlotProof, State, VdfParams};

pub use tos_storage_proofs::{compact::MAX_COMPACT, MAX_CHALLENGES};
pub use tos_vdf::MAX_SEGMENTS;

/// `true` if a slot is exactly right: every coarse state and the fine root. Some 70 ms with real
/// parameters, 0.4 s more where the epoch's dataset is not there.
pub fn verify_slot(
    params: &VdfParams,
    epoch_seed: &Hash,
    start: &State,
    first_iteration: u64,
    proof: &SlotProof,
) -> bool {
    tos_verify::verify_slot(
        *params,
        *epoch_seed,
        start,
        first_iteration,
        &proof.encode(),
    )
}

/// `true` if all pieces of the walk are right. `false` for none, for more than [`MAX_SEGMENTS`],
/// and for pieces longer than a coarse segment.
pub fn verify_segments(params: &VdfParams, epoch_seed: &Hash, segments: &[Segment]) -> bool {
    tos_verify::verify_segments(*params, *epoch_seed, &segments.encode())
}

/// The BLAKE3 hash of an epoch's dataset; `None` for impossible parameters.
pub fn dataset_root(params: &VdfParams, epoch_seed: &Hash) -> Option<Hash> {
    let mut root = [0; 32];
    tos_verify::dataset_root(*params, *epoch_seed, &mut root).then_some(root)
}

/// Checks a compact proof but for its signature. Its header is read with
/// [`tos_storage_proofs::CompactHeader::peek`].
///
/// # Errors
/// The reason to refuse the proof.
pub fn verify_compact(c: &Commitment, seed: &Hash, proof: &[u8]) -> Result<(), ProofError> {
    result(tos_verify::verify_compact(c.root, c.words, *seed, proof))
}

/// Checks a proof of `count` words, at most [`MAX_CHALLENGES`].
///
/// # Errors
/// The reason to refuse the proof.
pub fn verify_words(
    c: &Commitment,
    seed: &Hash,
    count: u32,
    proof: &[u8],
) -> Result<(), ProofError> {
    result(tos_verify::verify_words(
        c.root, c.words, *seed, count, proof,
    ))
}

/// `true` if `sealed` is `data` under the mask with this key, at word `offset` of the unit. Costs a
/// whole fill: 0.11 s with real parameters.
pub fn verify_seal_word(
    params: &SealParams,
    key: &Hash,
    offset: u32,
    data: &Word,
    sealed: &Word,
) -> bool {
    tos_verify::verify_seal_word(*params, *key, offset, data, sealed)
}
