// SPDX-License-Identifier: Apache-2.0

//! The state that the benchmarks begin with.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::*;
use alloc::{boxed::Box, vec, vec::Vec};
use core::convert::Infallible;
use frame_benchmarking::account;
use frame_support::{
    assert_ok,
    traits::{fungible::Mutate, Get},
};
use sp_core::{crypto::KeyTypeId, sr25519};
use tos_interfaces::Randomness;
use tos_storage_proofs::{
    aggregate,
    code::MAX_DATA,
    proof, replica_seed, response_digest, seal,
    tree::{self, TreeSource},
    Commitment, Hash, CHUNK, MAX_WORDS,
};
use tos_types::{
    storage::{
        group_payload, seal_payload, window_payload, ChallengeKind, DealTerms, Locator,
        ReplicaStatus, Retention, SealAnswer, SignedRoot, StorageConfig, StoredContent, Window,
        WindowAnswer, MAX_SEAL_SAMPLES, PROOF_KEY_TYPE, WINDOW_WORDS,
    },
    DealId, ReplicaId, TOS,
};

pub const KEY_TYPE: KeyTypeId = KeyTypeId(PROOF_KEY_TYPE);
/// A window late enough for everything to have been earned.
pub const LATE: Window = 1_000;

/// The longest sequence, all of it zeros: as deep as a tree can be, and described by one node per level.
pub struct Zeros {
    nodes: Vec<Hash>,
    pub commitment: Commitment,
}

impl Zeros {
    pub fn new() -> Self {
        let mut node = tree::chunk_root(&[0; CHUNK]).unwrap();
        let mut nodes = vec![node];
        for _ in tree::CHUNK_LEVEL..tree::depth(MAX_WORDS) {
            node = tree::node(&node, &node);
            nodes.push(node);
        }
        let commitment = Commitment {
            root: tree::root(MAX_WORDS, &node),
            words: MAX_WORDS,
        };
        Self { nodes, commitment }
    }
}

impl TreeSource for Zeros {
    type Error = Infallible;
    fn chunk(&self, _: u64) -> Result<[u8; CHUNK], Infallible> {
        Ok([0; CHUNK])
    }
    fn node(&self, level: u32, _: u64) -> Result<Hash, Infallible> {
        Ok(self.nodes[level as usize])
    }
}

pub fn rich<T: Config>(name: &'static str) -> T::AccountId {
    let who = account(name, 0, 0);
    T::Currency::set_balance(&who, 100_000_000 * TOS);
    who
}

pub fn client<T: Config>() -> T::AccountId {
    rich::<T>("client")
}

pub fn locator() -> Locator {
    vec![b'x'; tos_types::content::MAX_LOCATOR as usize]
        .try_into()
        .unwrap()
}

pub fn sign<T: Config>(who: &T::AccountId, payload: &[u8; 32]) -> [u8; 64] {
    let key = sr25519::Public::from_raw(Providers::<T>::get(who).unwrap().key);
    sp_io::crypto::sr25519_sign(KEY_TYPE, &key, payload)
        .unwrap()
        .0
}

/// A provider with a large bond, whose key is in the keystore. Sets production prices and parameters.
pub fn keeper<T: Config>() -> T::AccountId {
    Settings::<T>::put(StorageConfig {
        seal_samples: MAX_SEAL_SAMPLES,
        ..StorageConfig::PRODUCTION
    });
    T::Currency::set_balance(&T::Treasury::get(), 1_000_000 * TOS);
    let who = rich::<T>("provider");
    let key = sp_io::crypto::sr25519_generate(KEY_TYPE, None).0;
    assert_ok!(Pallet::<T>::do_register_provider(
        who.clone(),
        1_000_000 * TOS,
        key,
        locator()
    ));
    who
}

pub fn content() -> StoredContent {
    StoredContent {
        hash: [1; 32],
        length: MAX_DATA,
        locator: locator(),
    }
}

pub fn terms<T: Config>() -> DealTerms<T::AccountId> {
    DealTerms {
        price: TOS,
        retention: Retention::Days30,
        provider: Some(rich::<T>("provider")),
    }
}

pub fn offered<T: Config>() -> DealId {
    let client = client::<T>();
    let id = DealId::derive(&client, Nonces::<T>::get(&client));
    let coded = Zeros::new().commitment;
    assert_ok!(Pallet::<T>::do_offer(
        client,
        content(),
        coded,
        terms::<T>()
    ));
    id
}

pub fn accepted<T: Config>(who: &T::AccountId) -> ReplicaId {
    let deal = offered::<T>();
    assert_ok!(Pallet::<T>::do_accept(who.clone(), deal));
    Deals::<T>::get(deal).unwrap().replica.unwrap()
}

/// A replica whose first seal challenge is open.
pub fn checking<T: Config>(who: &T::AccountId) -> (ReplicaId, Hash) {
    let id = accepted::<T>(who);
    assert_ok!(Pallet::<T>::do_commit_seal(
        who,
        id,
        Zeros::new().commitment
    ));
    (id, opened::<T>(id))
}

/// Gives the seal challenge of a replica its seed.
pub fn opened<T: Config>(id: ReplicaId) -> Hash {
    let challenge = Challenges::<T>::get(id, ChallengeKind::Seal).unwrap();
    T::Randomness::benchmark_ready(&challenge.randomness);
    assert_ok!(Pallet::<T>::step_challenge(id, ChallengeKind::Seal));
    Challenges::<T>::get(id, ChallengeKind::Seal)
        .unwrap()
        .seed
        .unwrap()
}

/// An active replica.
pub fn active<T: Config>(who: &T::AccountId) -> ReplicaId {
    let (id, _) = checking::<T>(who);
    assert_ok!(Pallet::<T>::decide(id, ChallengeKind::Seal, true));
    assert_status::<T>(id, ReplicaStatus::Active);
    id
}

/// Fails unless a replica is in this status.
pub fn assert_status<T: Config>(id: ReplicaId, status: ReplicaStatus) {
    assert_eq!(Replicas::<T>::get(id).unwrap().status, status);
}

/// A provider and an active replica of its.
pub fn with_active<T: Config>() -> (T::AccountId, ReplicaId) {
    let who = keeper::<T>();
    let id = active::<T>(&who);
    (who, id)
}

/// An active replica that has earned, is challenged as often as may be, and is the first of two in the index.
pub fn burdened<T: Config>(who: &T::AccountId) -> ReplicaId {
    let id = active::<T>(who);
    active::<T>(who);
    Folded::<T>::put(LATE);
    let watcher = rich::<T>("watcher");
    for window in 1..u64::from(MAX_CHALLENGES) {
        let (window, _) = handed_in::<T>(who, id, LATE - window);
        assert_ok!(Pallet::<T>::do_challenge_window(
            watcher.clone(),
            id,
            window
        ));
    }
    assert_ok!(Pallet::<T>::do_challenge_seal(watcher, id));
    id
}

/// Opens window number `window`, and hands in the root over the replica's leaf. Returns the answer that a challenge of it asks for.
pub fn handed_in<T: Config>(
    who: &T::AccountId,
    id: ReplicaId,
    window: Window,
) -> (Window, WindowAnswer) {
    let zeros = Zeros::new();
    let window_seed = [3; 32];
    let seed = replica_seed(&window_seed, &id.0, &zeros.commitment.root);
    let proof = proof::prove_words(&zeros, &zeros.commitment, &seed, WINDOW_WORDS).unwrap();
    let digest = response_digest(&proof);
    let previous = [4; 32];
    let leaf = aggregate::leaf(&id.0, window, &zeros.commitment.root, &digest, &previous);
    let (group, place) = Replicas::<T>::get(id).unwrap().position.unwrap();
    let leaves = [(place, leaf)];
    let root = aggregate::group_root(&leaves).unwrap();
    WindowRecords::<T>::insert(
        window,
        WindowRecord {
            seed: window_seed,
            global: None,
            groups: 1,
            handed_in: 1,
        },
    );
    GroupWindows::<T>::insert(
        window,
        group,
        GroupWindow {
            root: Some(root),
            equivocated: false,
        },
    );
    let payload = window_payload(&T::ChainId::get(), &id, window, &previous, &proof);
    let answer = WindowAnswer {
        replica: id,
        window,
        previous,
        path: aggregate::group_path(&leaves, place)
            .unwrap()
            .try_into()
            .unwrap(),
        proof: proof.try_into().unwrap(),
        signature: sign::<T>(who, &payload),
    };
    (window, answer)
}

/// An open window in which the replica's group is due.
pub fn open_window<T: Config>(pool: Vec<T::AccountId>) {
    Folded::<T>::put(LATE);
    let seed = [3; 32];
    CommitteePool::<T>::put(frame_support::BoundedVec::truncate_from(pool));
    CurrentStage::<T>::put(Stage::Open {
        seed,
        ends: Pallet::<T>::now() + 100,
    });
    WindowRecords::<T>::insert(
        LATE,
        WindowRecord {
            seed,
            global: None,
            groups: 0,
            handed_in: 0,
        },
    );
}

pub fn validators<T: Config>() -> Vec<T::AccountId> {
    (0..MAX_VALIDATORS)
        .map(|index| account("validator", index, 0))
        .collect()
}

pub fn signed_root<T: Config>(who: &T::AccountId, root: Hash) -> SignedRoot {
    let payload = group_payload(&T::ChainId::get(), LATE, 0, &root);
    SignedRoot {
        root,
        signature: sign::<T>(who, &payload),
    }
}

pub fn seal_answer<T: Config>(who: &T::AccountId, id: ReplicaId, seed: &Hash) -> Box<SealAnswer> {
    let zeros = Zeros::new();
    let words = Challenges::<T>::get(id, ChallengeKind::Seal).unwrap().words;
    let indices = proof::asked_words(&zeros.commitment, seed, words).unwrap();
    let opening = seal::prove_seal(&zeros, &zeros, MAX_WORDS, &indices)
        .unwrap()
        .to_bytes();
    let payload = seal_payload(&T::ChainId::get(), &id, seed, &opening);
    Box::new(SealAnswer {
        replica: id,
        opening: opening.try_into().unwrap(),
        signature: sign::<T>(who, &payload),
    })
}

/// Opens an audit of a replica.
pub fn audited<T: Config>(id: ReplicaId) -> Hash {
    let seed = [9; 32];
    let due = Pallet::<T>::now() + 10;
    Audits::<T>::insert(id, 1, Audit { seed, due });
    let provider = Replicas::<T>::get(id).unwrap().provider;
    AuditsOf::<T>::insert(provider, (id, 1), ());
    Pallet::<T>::enqueue(Pallet::<T>::after(due), Item::Audit(id, 1));
    seed
}
