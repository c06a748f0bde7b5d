// SPDX-License-Identifier: Apache-2.0

//! Answers from the node itself, where it stores replicas and holds their keys.
//!
//! Only off-chain workers reach the prover; without one there is nothing to do here.

use crate::*;
use alloc::{
    boxed::Box,
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use codec::Encode;
use frame_support::traits::Get;
use frame_system::offchain::{CreateAuthorizedTransaction, SubmitTransaction};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_io::hashing::blake2_256;
use sp_runtime::{offchain::storage::StorageValueRef, traits::UniqueSaturatedInto};
use tos_host::prover;
use tos_primitives::{
    storage::{
        group_payload, seal_payload, window_payload, ChallengeKind, SealAnswer, SignedRoot,
        WindowAnswer, PROOF_KEY_TYPE,
    },
    ReplicaId,
};
use tos_storage_proofs::signing_payload;

const KEY_TYPE: KeyTypeId = KeyTypeId(PROOF_KEY_TYPE);
/// Blocks after which an answer that is still asked for is sent again. Few: nodes that import the block which asks a
/// moment later than this one refuse what it sends at once.
const SEND_AGAIN: u32 = 2;
/// Where the node remembers what it has sent.
const SENT: &[u8] = b"tos/storage/sent";

/// The hash of a question, and the block in which it was answered last.
type Sent = ([u8; 32], u32);

impl<T: Config> Pallet<T> {
    /// Answers what is asked of the providers whose replicas and keys are at this node.
    pub(crate) fn answer() {
        for (who, provider) in Self::served_here() {
            let key = sr25519::Public::from_raw(provider.key);
            for (id, moment) in AuditsOf::<T>::iter_key_prefix(&who) {
                let Some(audit) = Audits::<T>::get(id, moment) else {
                    continue;
                };
                Self::once(("audit", id, moment, audit.seed), || {
                    Self::audit_call(&key, id, moment, &audit)
                });
            }
            for (id, kind) in ChallengesOf::<T>::iter_key_prefix(&who) {
                let challenge = Challenges::<T>::get(id, kind);
                let Some((challenge, replica)) = challenge.zip(Replicas::<T>::get(id)) else {
                    continue;
                };
                Self::once(("challenge", id, kind, challenge.seed), || {
                    Self::challenge_call(&key, id, &replica, kind, &challenge)
                });
            }
            let window = Folded::<T>::get();
            for (group, _) in provider.groups {
                Self::once(("group", window, group), || {
                    Self::group_call(&key, window, group)
                });
            }
        }
    }

    /// The providers with a replica and the key at this node. The node lists so many replicas and no
    /// more; where that is not all of them, every provider with a key here is one.
    fn served_here() -> BTreeMap<T::AccountId, Provider> {
        let Some(local) = prover::replicas() else {
            return BTreeMap::new();
        };
        let keys = sp_io::crypto::sr25519_public_keys(KEY_TYPE);
        let has_key = |provider: &Provider| keys.contains(&sr25519::Public::from_raw(provider.key));
        if local.len() >= prover::MAX_REPLICAS {
            return Providers::<T>::iter()
                .filter(|(_, provider)| has_key(provider))
                .collect();
        }
        let owners: BTreeSet<_> = local
            .into_iter()
            .filter_map(|id| Some(Replicas::<T>::get(ReplicaId(id))?.provider))
            .collect();
        owners
            .into_iter()
            .filter_map(|who| Some((who.clone(), Providers::<T>::get(&who)?)))
            .filter(|(_, provider)| has_key(provider))
            .collect()
    }

    fn sign(key: &sr25519::Public, payload: &[u8; 32]) -> Option<[u8; 64]> {
        sp_io::crypto::sr25519_sign(KEY_TYPE, key, payload).map(|signature| signature.0)
    }

    fn audit_call(
        key: &sr25519::Public,
        id: ReplicaId,
        moment: u32,
        audit: &Audit,
    ) -> Option<Call<T>> {
        let mut proof = prover::compact_proof(&id.0, &audit.seed, moment.into())?;
        proof.extend([0; 64]);
        let (payload, _) = signing_payload(&proof)?;
        let signature = Self::sign(key, &payload)?;
        proof.truncate(proof.len().checked_sub(64)?);
        proof.extend(signature);
        let proof = proof.try_into().ok()?;
        Some(Call::respond_audit { proof })
    }

    fn challenge_call(
        key: &sr25519::Public,
        id: ReplicaId,
        replica: &Replica<T::AccountId>,
        kind: ChallengeKind,
        challenge: &Challenge<T::AccountId>,
    ) -> Option<Call<T>> {
        let seed = challenge.seed?;
        match kind {
            ChallengeKind::Seal => {
                let opening = prover::seal_opening(&id.0, &seed, challenge.words)?;
                let payload = seal_payload(&T::ChainId::get(), &id, &seed, &opening);
                let answer = Box::new(SealAnswer {
                    replica: id,
                    opening: opening.try_into().ok()?,
                    signature: Self::sign(key, &payload)?,
                });
                Some(Call::respond_seal { answer })
            }
            ChallengeKind::Window(window) => {
                let (group, _) = replica.position?;
                let found = prover::window_answer(window, group, &id.0)?;
                let previous = found.previous_leaf;
                let chain = T::ChainId::get();
                let payload = window_payload(&chain, &id, window, &previous, &found.proof);
                let answer = Box::new(WindowAnswer {
                    replica: id,
                    window,
                    previous,
                    path: found.path.try_into().ok()?,
                    proof: found.proof.try_into().ok()?,
                    signature: Self::sign(key, &payload)?,
                });
                Some(Call::respond_window { answer })
            }
        }
    }

    fn group_call(key: &sr25519::Public, window: u64, group: u32) -> Option<Call<T>> {
        let Stage::Open { seed, .. } = CurrentStage::<T>::get() else {
            return None;
        };
        let owner = Groups::<T>::get(group)?;
        if owner.due(window) == 0 || GroupWindows::<T>::get(window, group).root.is_some() {
            return None;
        }
        let members: Vec<_> = Self::members_of(group)
            .into_iter()
            .filter(|(_, _, replica)| replica.takes_part(window))
            .map(|(place, id, _)| (place, id.0))
            .collect();
        let root = prover::group_root(window, group, &seed, &members)?;
        let payload = group_payload(&T::ChainId::get(), window, group, &root);
        let signature = Self::sign(key, &payload)?;
        Some(Call::submit_group {
            window,
            group,
            signed: SignedRoot { root, signature },
        })
    }

    /// Submits the answer to one question, unless that was done a few blocks ago.
    fn once(question: impl Encode, answer: impl FnOnce() -> Option<Call<T>>) {
        let question = question.using_encoded(blake2_256);
        let now: u32 = frame_system::Pallet::<T>::block_number().unique_saturated_into();
        let recent = |at: &u32| now >= *at && now < at.saturating_add(SEND_AGAIN);
        // Nodes have no storage for workers that follows forks; this one is for all of them.
        let sent = StorageValueRef::persistent(SENT);
        let known = sent.get::<Vec<Sent>>().ok().flatten().unwrap_or_default();
        if known.iter().any(|(of, at)| *of == question && recent(at)) {
            return;
        }
        let Some(call) = answer() else {
            return;
        };
        let transaction =
            <T as CreateAuthorizedTransaction<Call<T>>>::create_authorized_transaction(call.into());
        if SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_err() {
            log::debug!(target: LOG_TARGET, "an answer was not taken by the pool");
            return;
        }
        // Old ones go, so that it stays short.
        let noted = sent.mutate::<Vec<Sent>, (), _>(|known| {
            let mut known = known.ok().flatten().unwrap_or_default();
            known.retain(|(of, at)| *of != question && recent(at));
            known.push((question, now));
            Ok(known)
        });
        if noted.is_err() {
            log::debug!(target: LOG_TARGET, "an answer may be sent twice");
        }
    }
}
