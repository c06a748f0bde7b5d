// SPDX-License-Identifier: Apache-2.0

//! Host functions as they cross the boundary. Runtime code uses [`crate::verify`] instead.
//!
//! Variable data crosses as plain bytes and is decoded on this side only after its length was checked.
//! Results are written into memory that the runtime brings.

#[cfg(not(substrate_runtime))]
use crate::{native, sealing};
use sp_runtime_interface::{
    pass_by::{
        PassFatPointerAndDecode, PassFatPointerAndRead, PassPointerAndRead, PassPointerAndReadCopy,
        PassPointerAndWrite,
    },
    runtime_interface,
};
use tos_storage_proofs::{SealParams, Word};
use tos_vdf::{Hash, State, VdfParams};

/// Verification. Pure and total; see the crate's documentation.
#[runtime_interface]
pub trait TosVerify {
    /// Returns `true` if `proof`, an encoded `SlotProof`, is exactly right for the slot.
    fn verify_slot(
        params: PassFatPointerAndDecode<VdfParams>,
        epoch_seed: PassPointerAndReadCopy<Hash, 32>,
        start: PassPointerAndRead<&State, 64>,
        first_iteration: u64,
        proof: PassFatPointerAndRead<&[u8]>,
    ) -> bool {
        native::verify_slot(&params, &epoch_seed, start, first_iteration, proof)
    }

    /// Returns `true` if all `segments`, an encoded `Vec<Segment>`, are right.
    fn verify_segments(
        params: PassFatPointerAndDecode<VdfParams>,
        epoch_seed: PassPointerAndReadCopy<Hash, 32>,
        segments: PassFatPointerAndRead<&[u8]>,
    ) -> bool {
        native::verify_segments(&params, &epoch_seed, segments)
    }

    /// Writes the root of a dataset; `false`, and zeros, where there is none.
    fn dataset_root(
        params: PassFatPointerAndDecode<VdfParams>,
        epoch_seed: PassPointerAndReadCopy<Hash, 32>,
        root: PassPointerAndWrite<&mut Hash, 32>,
    ) -> bool {
        let found = native::dataset_root(&params, &epoch_seed);
        *root = found.unwrap_or_default();
        found.is_some()
    }

    /// Checks a compact proof: 0, or one more than the index of the `ProofError`.
    fn verify_compact(
        root: PassPointerAndReadCopy<Hash, 32>,
        words: u64,
        seed: PassPointerAndReadCopy<Hash, 32>,
        proof: PassFatPointerAndRead<&[u8]>,
    ) -> u8 {
        native::verify_compact(&root, words, &seed, proof)
    }

    /// Checks a proof of `count` words: 0, or one more than the index of the `ProofError`.
    fn verify_words(
        root: PassPointerAndReadCopy<Hash, 32>,
        words: u64,
        seed: PassPointerAndReadCopy<Hash, 32>,
        count: u32,
        proof: PassFatPointerAndRead<&[u8]>,
    ) -> u8 {
        native::verify_words(&root, words, &seed, count, proof)
    }

    /// Returns `true` if a word was sealed as it should.
    fn verify_seal_word(
        params: PassFatPointerAndDecode<SealParams>,
        key: PassPointerAndReadCopy<Hash, 32>,
        offset: u32,
        data: PassPointerAndRead<&Word, 64>,
        sealed: PassPointerAndRead<&Word, 64>,
    ) -> bool {
        native::verify_seal_word(&sealing::SealedWord {
            params: &params,
            key: &key,
            offset,
            data,
            sealed,
        })
    }
}
