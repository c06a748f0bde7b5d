// SPDX-License-Identifier: Apache-2.0

//! The host functions as they cross the boundary. Runtime code uses [`crate::verify`] and
//! [`crate::prover`] instead.
//!
//! Variable data crosses as plain bytes and is decoded on this side only after its length was checked.
//! Results are written into memory that the runtime brings.

#[cfg(not(substrate_runtime))]
use crate::{
    native,
    prover::{deliver, members, ProverExt, MAX_REPLICAS},
};
#[cfg(not(substrate_runtime))]
use codec::Encode;
#[cfg(not(substrate_runtime))]
use polkadot_sdk::sp_externalities::ExternalitiesExt;
use sp_runtime_interface::{
    pass_by::{
        PassFatPointerAndDecode, PassFatPointerAndRead, PassFatPointerAndWrite, PassPointerAndRead,
        PassPointerAndReadCopy, PassPointerAndWrite,
    },
    runtime_interface,
};
use tos_storage_proofs::{ReplicaId, SealParams, Word};
use tos_vdf::{Hash, State, VdfParams};

/// Verification. Pure and total; see the crate's documentation.
#[runtime_interface]
pub trait TosVerify {
    /// Whether `proof`, an encoded `SlotProof`, is exactly right for the slot.
    fn verify_slot(
        params: PassFatPointerAndDecode<VdfParams>,
        epoch_seed: PassPointerAndReadCopy<Hash, 32>,
        start: PassPointerAndRead<&State, 64>,
        first_iteration: u64,
        proof: PassFatPointerAndRead<&[u8]>,
    ) -> bool {
        native::verify_slot(&params, &epoch_seed, start, first_iteration, proof)
    }

    /// Whether all `segments`, an encoded `Vec<Segment>`, are right.
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

    /// Whether a word was sealed as it should.
    fn verify_seal_word(
        params: PassFatPointerAndDecode<SealParams>,
        key: PassPointerAndReadCopy<Hash, 32>,
        offset: u32,
        data: PassPointerAndRead<&Word, 64>,
        sealed: PassPointerAndRead<&Word, 64>,
    ) -> bool {
        native::verify_seal_word(&params, &key, offset, data, sealed)
    }

    /// Whether a leaf stands under a global root; `path` is a multiple of 32 bytes.
    fn verify_inclusion(
        global: PassPointerAndReadCopy<Hash, 32>,
        leaf: PassPointerAndReadCopy<Hash, 32>,
        position: u32,
        path: PassFatPointerAndRead<&[u8]>,
    ) -> bool {
        native::verify_inclusion(&global, &leaf, position, path)
    }
}

/// Proving, for off-chain workers. Every function writes its answer into `out` and says how many bytes it
/// has, or answers [`crate::prover::UNAVAILABLE`] where the extension is absent, there is no answer, or it
/// does not fit.
#[runtime_interface]
pub trait TosProver {
    /// Evaluates a slot: an encoded `SlotProof`. About a second.
    fn evaluate_slot(
        &mut self,
        params: PassFatPointerAndDecode<VdfParams>,
        epoch_seed: PassPointerAndReadCopy<Hash, 32>,
        start: PassPointerAndRead<&State, 64>,
        first_iteration: u64,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.evaluate_slot(&params, &epoch_seed, start, first_iteration));
        deliver(out, answer.map(|proof| proof.encode()))
    }

    /// The replicas that are stored here: 16 bytes each.
    fn replicas(&mut self, out: PassFatPointerAndWrite<&mut [u8]>) -> u32 {
        let answer = self.extension::<ProverExt>().map(|prover| {
            let replicas = prover.replicas();
            replicas
                .iter()
                .take(MAX_REPLICAS)
                .flatten()
                .copied()
                .collect()
        });
        deliver(out, answer)
    }

    /// How far a replica is: an encoded `SealStatus`.
    fn seal_status(
        &mut self,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.seal_status(&replica));
        deliver(out, answer.map(|status| status.encode()))
    }

    /// A compact proof without its signature.
    fn compact_proof(
        &mut self,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        seed: PassPointerAndReadCopy<Hash, 32>,
        moment: u64,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.compact_proof(&replica, &seed, moment));
        deliver(out, answer)
    }

    /// A committee proof.
    fn committee_proof(
        &mut self,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        seed: PassPointerAndReadCopy<Hash, 32>,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.committee_proof(&replica, &seed));
        deliver(out, answer)
    }

    /// A `SealOpening` of `count` words.
    fn seal_opening(
        &mut self,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        seed: PassPointerAndReadCopy<Hash, 32>,
        count: u32,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.seal_opening(&replica, &seed, count));
        deliver(out, answer)
    }

    /// A `FullProof` of `count` chunks.
    fn chunk_proof(
        &mut self,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        seed: PassPointerAndReadCopy<Hash, 32>,
        count: u32,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.chunk_proof(&replica, &seed, count));
        deliver(out, answer)
    }

    /// The root of a group in a window; `places` is an encoded `Vec<(u32, ReplicaId)>`.
    fn group_root(
        &mut self,
        window: u64,
        group: u32,
        window_seed: PassPointerAndReadCopy<Hash, 32>,
        places: PassFatPointerAndRead<&[u8]>,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.group_root(window, group, &window_seed, &members(places)?));
        deliver(out, answer.map(|root| root.to_vec()))
    }

    /// What answers a challenge of a replica in a window: an encoded `WindowAnswer`.
    fn window_answer(
        &mut self,
        window: u64,
        group: u32,
        replica: PassPointerAndReadCopy<ReplicaId, 16>,
        out: PassFatPointerAndWrite<&mut [u8]>,
    ) -> u32 {
        let answer = self
            .extension::<ProverExt>()
            .and_then(|prover| prover.window_answer(window, group, &replica));
        deliver(out, answer.map(|answer| answer.encode()))
    }
}
