// SPDX-License-Identifier: Apache-2.0

//! Proving from off-chain workers: the functions they call, and what the node implements for them.

use crate::{
    tos_prover,
    verify::{MAX_CHALLENGES, MAX_COMPACT},
};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use tos_storage_proofs::{
    aggregate::GROUP_DEPTH, proof::max_proof_len, Commitment, ReplicaId, CHUNK, COMMITTEE_WORDS,
    WORD,
};
use tos_vdf::{Hash, SlotProof, State, VdfParams};

/// What the host answers when it has nothing to say.
pub const UNAVAILABLE: u32 = u32::MAX;
/// The most replicas that are listed. A node may store more: nothing may rely on finding one here.
pub const MAX_REPLICAS: usize = 4_096;
/// The most chunks that one full proof opens.
pub const MAX_CHUNKS: u32 = 16;

const REPLICA_BYTES: usize = 16;
const SIGNATURE_BYTES: usize = 64;
const SLOT_PROOF_BYTES: usize = 32 * 64 + 32;

/// How far a replica is at its provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen)]
pub enum SealStatus {
    /// Content is fetched, encoded or sealed.
    #[codec(index = 0)]
    Sealing {
        /// Units that are done.
        done: u64,
        /// All units.
        total: u64,
    },
    /// Sealed and committed to.
    #[codec(index = 1)]
    Sealed(Commitment),
    /// Something is lost that has to be repaired first.
    #[codec(index = 2)]
    Damaged,
}

/// What answers a challenge of one replica in one window, besides what the chain knows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct WindowAnswer {
    /// The replica's leaf in the window before.
    pub previous_leaf: Hash,
    /// The committee proof, whose digest is in the leaf.
    pub proof: Vec<u8>,
    /// The path from the leaf to the root of its group.
    pub path: Vec<Hash>,
}

impl WindowAnswer {
    /// The most bytes of an encoded answer.
    fn max_bytes() -> usize {
        let path = (GROUP_DEPTH as usize).saturating_mul(32);
        // Two counts of four bytes at most.
        max_proof_len(COMMITTEE_WORDS)
            .saturating_add(path)
            .saturating_add(32 + 8)
    }
}

/// What a node that stores data implements. Methods may block for as long as the disk takes; they
/// answer `None` rather than panic.
#[cfg(not(substrate_runtime))]
pub trait Prover: Send + Sync {
    /// Evaluates a slot from `start`: about a second with real parameters.
    fn evaluate_slot(
        &self,
        params: &VdfParams,
        epoch_seed: &Hash,
        start: &State,
        first_iteration: u64,
    ) -> Option<SlotProof> {
        let dataset = crate::cache::dataset(params, epoch_seed)?;
        tos_vdf::evaluate_slot(&dataset, start, first_iteration, &|| false).map(|slot| slot.proof)
    }

    /// The replicas that are stored here, at most [`MAX_REPLICAS`].
    fn replicas(&self) -> Vec<ReplicaId>;

    /// How far a replica is; `None` if it is not here.
    fn seal_status(&self, replica: &ReplicaId) -> Option<SealStatus>;

    /// The compact proof of a replica for a seed (`tos_storage_proofs::replica_seed`), without its last 64
    /// bytes: the caller signs the payload and appends the signature.
    fn compact_proof(&self, replica: &ReplicaId, seed: &Hash, moment: u64) -> Option<Vec<u8>>;

    /// The committee proof of a replica for a seed.
    fn committee_proof(&self, replica: &ReplicaId, seed: &Hash) -> Option<Vec<u8>>;

    /// The openings (`tos_storage_proofs::SealOpening`) of the `count` words a seed asks for.
    fn seal_opening(&self, replica: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>>;

    /// The full proof of the `count` chunks a seed asks for.
    fn chunk_proof(&self, replica: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>>;

    /// The root of a group in a window, over `members` (place and replica, ascending by place). It is stored
    /// before it is given out; asked again for the same window and group, the same root comes back,
    /// whatever the members are then.
    fn group_root(
        &self,
        window: u64,
        group: u32,
        window_seed: &Hash,
        members: &[(u32, ReplicaId)],
    ) -> Option<Hash>;

    /// What answers a challenge of a replica in a window whose root was given out.
    fn window_answer(&self, window: u64, group: u32, replica: &ReplicaId) -> Option<WindowAnswer>;
}

#[cfg(not(substrate_runtime))]
polkadot_sdk::sp_externalities::decl_extension! {
    /// The prover of this node. Registered for off-chain workers alone, never for block execution.
    pub struct ProverExt(Box<dyn Prover>);
}

/// Writes an answer where it fits.
#[cfg(not(substrate_runtime))]
pub(crate) fn deliver(out: &mut [u8], answer: Option<Vec<u8>>) -> u32 {
    answer
        .and_then(|answer| {
            out.get_mut(..answer.len())?.copy_from_slice(&answer);
            u32::try_from(answer.len()).ok()
        })
        .unwrap_or(UNAVAILABLE)
}

/// Reads the members of a group.
#[cfg(not(substrate_runtime))]
pub(crate) fn members(bytes: &[u8]) -> Option<Vec<(u32, ReplicaId)>> {
    let most = tos_storage_proofs::aggregate::GROUP_SIZE as usize;
    // Each is a number and a replica; the count takes two bytes at most.
    let room = most.saturating_mul(4 + REPLICA_BYTES).saturating_add(2);
    if bytes.len() > room {
        return None;
    }
    let members = Vec::<(u32, ReplicaId)>::decode_all(&mut &bytes[..]).ok()?;
    (members.len() <= most).then_some(members)
}

/// Asks the host with `room` bytes for the answer.
fn ask(room: usize, host: impl FnOnce(&mut [u8]) -> u32) -> Option<Vec<u8>> {
    let mut out = vec![0; room];
    let length = usize::try_from(host(&mut out)).ok()?;
    if length > room {
        return None;
    }
    out.truncate(length);
    Some(out)
}

/// Evaluates a slot. `None` where there is no prover: in block execution always.
pub fn evaluate_slot(
    params: &VdfParams,
    epoch_seed: &Hash,
    start: &State,
    first_iteration: u64,
) -> Option<SlotProof> {
    let bytes = ask(SLOT_PROOF_BYTES, |out| {
        tos_prover::evaluate_slot(*params, *epoch_seed, start, first_iteration, out)
    })?;
    SlotProof::decode_all(&mut &bytes[..]).ok()
}

/// The replicas that are stored at this node. `None` where there is no prover.
pub fn replicas() -> Option<Vec<ReplicaId>> {
    let bytes = ask(MAX_REPLICAS.saturating_mul(REPLICA_BYTES), |out| {
        tos_prover::replicas(out)
    })?;
    let (replicas, rest) = bytes.as_chunks::<REPLICA_BYTES>();
    rest.is_empty().then(|| replicas.to_vec())
}

/// How far a replica is at this node. `None` where there is no prover or no such replica.
pub fn seal_status(replica: &ReplicaId) -> Option<SealStatus> {
    let bytes = ask(SealStatus::max_encoded_len(), |out| {
        tos_prover::seal_status(*replica, out)
    })?;
    SealStatus::decode_all(&mut &bytes[..]).ok()
}

/// A compact proof without its signature: sign
/// [`tos_storage_proofs::compact::signing_payload`] of it with 64 bytes appended, and put the signature
/// there.
pub fn compact_proof(replica: &ReplicaId, seed: &Hash, moment: u64) -> Option<Vec<u8>> {
    ask(MAX_COMPACT.saturating_sub(SIGNATURE_BYTES), |out| {
        tos_prover::compact_proof(*replica, *seed, moment, out)
    })
}

/// A committee proof.
pub fn committee_proof(replica: &ReplicaId, seed: &Hash) -> Option<Vec<u8>> {
    ask(max_proof_len(COMMITTEE_WORDS), |out| {
        tos_prover::committee_proof(*replica, *seed, out)
    })
}

/// Openings of the `count` words a seed asks for, at most [`MAX_CHALLENGES`], before and after sealing.
pub fn seal_opening(replica: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>> {
    let count = count.min(MAX_CHALLENGES);
    ask(max_proof_len(count).saturating_mul(2), |out| {
        tos_prover::seal_opening(*replica, *seed, count, out)
    })
}

/// A full proof of the `count` chunks a seed asks for, at most [`MAX_CHUNKS`].
pub fn chunk_proof(replica: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>> {
    let count = count.min(MAX_CHUNKS);
    let chunks = (count as usize).saturating_mul(CHUNK.saturating_sub(WORD));
    // A path to a chunk is no longer than one to a word.
    ask(max_proof_len(count).saturating_add(chunks), |out| {
        tos_prover::chunk_proof(*replica, *seed, count, out)
    })
}

/// The root of a group in a window, over `members`: place and replica, ascending by place. The same root
/// for the same window and group, whenever it is asked.
pub fn group_root(
    window: u64,
    group: u32,
    window_seed: &Hash,
    members: &[(u32, ReplicaId)],
) -> Option<Hash> {
    let bytes = ask(32, |out| {
        tos_prover::group_root(window, group, *window_seed, &members.encode(), out)
    })?;
    bytes.try_into().ok()
}

/// What answers a challenge of a replica in a window.
pub fn window_answer(window: u64, group: u32, replica: &ReplicaId) -> Option<WindowAnswer> {
    let bytes = ask(WindowAnswer::max_bytes(), |out| {
        tos_prover::window_answer(window, group, *replica, out)
    })?;
    WindowAnswer::decode_all(&mut &bytes[..]).ok()
}
