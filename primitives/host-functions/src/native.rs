// SPDX-License-Identifier: Apache-2.0

//! The checks themselves, on bytes as they come from the runtime.

use crate::{cache, code::code, sealing::SealedWord};
use codec::DecodeAll;
use tos_storage_proofs::{compact::MAX_COMPACT, Commitment, ProofError, MAX_CHALLENGES};
use tos_vdf::{Dataset, Hash, Segment, SlotProof, State, VdfParams, MAX_SEGMENTS};

/// The encoded length of a [`SlotProof`].
const SLOT_PROOF_BYTES: usize = 32 * 64 + 32;
/// The encoded length of a [`Segment`].
const SEGMENT_BYTES: usize = 64 + 64 + 8 + 4;

pub(crate) fn verify_slot(
    params: &VdfParams,
    epoch_seed: &Hash,
    start: &State,
    first_iteration: u64,
    proof: &[u8],
) -> bool {
    if proof.len() != SLOT_PROOF_BYTES {
        return false;
    }
    let Ok(proof) = SlotProof::decode_all(&mut &proof[..]) else {
        return false;
    };
    cache::with_dataset(params, epoch_seed, |dataset| {
        tos_vdf::verify_slot(dataset, start, first_iteration, &proof).is_some()
    })
    .unwrap_or(false)
}

pub(crate) fn verify_segments(params: &VdfParams, epoch_seed: &Hash, segments: &[u8]) -> bool {
    // The count takes one byte up to 63 of them.
    if segments.len() > MAX_SEGMENTS.saturating_mul(SEGMENT_BYTES).saturating_add(1) {
        return false;
    }
    let Ok(segments) = Vec::<Segment>::decode_all(&mut &segments[..]) else {
        return false;
    };
    let longest = params.iterations_per_coarse();
    if segments.is_empty()
        || segments.len() > MAX_SEGMENTS
        || segments.iter().any(|it| it.iterations > longest)
    {
        return false;
    }
    cache::with_dataset(params, epoch_seed, |dataset| {
        tos_vdf::verify_segments(dataset, &segments)
    })
    .unwrap_or(false)
}

pub(crate) fn dataset_root(params: &VdfParams, epoch_seed: &Hash) -> Option<Hash> {
    cache::with_dataset(params, epoch_seed, Dataset::root)
}

pub(crate) fn verify_compact(root: &Hash, words: u64, seed: &Hash, proof: &[u8]) -> u8 {
    if proof.len() > MAX_COMPACT {
        return code(Err(ProofError::Length));
    }
    let c = Commitment { root: *root, words };
    code(tos_storage_proofs::verify_compact(&c, seed, proof).map(drop))
}

pub(crate) fn verify_words(root: &Hash, words: u64, seed: &Hash, count: u32, proof: &[u8]) -> u8 {
    if count == 0 || count > MAX_CHALLENGES {
        return code(Err(ProofError::Count));
    }
    if proof.len() > tos_storage_proofs::proof::max_proof_len(count) {
        return code(Err(ProofError::Length));
    }
    let c = Commitment { root: *root, words };
    code(tos_storage_proofs::verify_words(&c, seed, count, proof))
}

pub(crate) fn verify_seal_word(word: &SealedWord<'_>) -> bool {
    // Checked before the fill is paid for.
    word.params.check().is_ok()
        && u64::from(word.offset) < word.params.unit_words()
        && word.is_right()
}
