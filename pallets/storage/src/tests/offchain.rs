// SPDX-License-Identifier: Apache-2.0

//! The node answers by itself where it stores replicas and holds their keys.

use super::mock::*;
use crate::*;
use codec::Decode;
use frame_support::{assert_ok, traits::Hooks};
use sp_core::{
    crypto::KeyTypeId,
    offchain::{testing, OffchainDbExt, OffchainWorkerExt, TransactionPoolExt},
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use std::{collections::BTreeMap, sync::Mutex};
use tos_host::{Prover, ProverExt, SealStatus};
use tos_primitives::{
    storage::{ReplicaStatus, Retention, PROOF_KEY_TYPE},
    TOS,
};
use tos_storage_proofs::{
    aggregate, compact, proof, replica_seed, response_digest, seal, Hash, MemoryTree, ReplicaId,
};

/// What is known of a window: previous leaf, proof and path of each replica.
type Answers = BTreeMap<(u64, ReplicaId), tos_host::WindowAnswer>;

/// A node that stores the copies of a test.
struct Node {
    /// Replicas that are listed first, and of which the chain knows nothing any more.
    strangers: Vec<ReplicaId>,
    copies: BTreeMap<ReplicaId, (MemoryTree, MemoryTree)>,
    answers: Mutex<Answers>,
}

impl Prover for Node {
    fn replicas(&self) -> Vec<ReplicaId> {
        let strangers = self.strangers.iter().copied();
        strangers.chain(self.copies.keys().copied()).collect()
    }
    fn seal_status(&self, replica: &ReplicaId) -> Option<SealStatus> {
        let (_, sealed) = self.copies.get(replica)?;
        Some(SealStatus::Sealed(*sealed.commitment()))
    }
    fn compact_proof(&self, replica: &ReplicaId, seed: &Hash, moment: u64) -> Option<Vec<u8>> {
        let (_, sealed) = self.copies.get(replica)?;
        let unsigned = |_: &Hash| [0; 64];
        let c = sealed.commitment();
        let mut proof = compact::prove_compact(sealed, c, seed, *replica, moment, unsigned).ok()?;
        proof.truncate(proof.len() - 64);
        Some(proof)
    }
    fn committee_proof(&self, replica: &ReplicaId, seed: &Hash) -> Option<Vec<u8>> {
        let (_, sealed) = self.copies.get(replica)?;
        proof::prove_words(sealed, sealed.commitment(), seed, 16).ok()
    }
    fn seal_opening(&self, replica: &ReplicaId, seed: &Hash, count: u32) -> Option<Vec<u8>> {
        let (coded, sealed) = self.copies.get(replica)?;
        let c = sealed.commitment();
        let indices = proof::asked_words(c, seed, count).ok()?;
        let opening = seal::prove_seal(coded, sealed, c.words, &indices).ok()?;
        Some(opening.to_bytes())
    }
    fn chunk_proof(&self, _: &ReplicaId, _: &Hash, _: u32) -> Option<Vec<u8>> {
        None
    }
    fn group_root(
        &self,
        window: u64,
        _: u32,
        window_seed: &Hash,
        members: &[(u32, ReplicaId)],
    ) -> Option<Hash> {
        let mut leaves = vec![];
        let mut answers = self.answers.lock().unwrap();
        for (place, id) in members {
            let (_, sealed) = self.copies.get(id)?;
            let root = sealed.commitment().root;
            let proof = self.committee_proof(id, &replica_seed(window_seed, id, &root))?;
            let previous = [0; 32];
            let digest = response_digest(&proof);
            leaves.push((
                *place,
                aggregate::leaf(id, window, &root, &digest, &previous),
            ));
            answers.insert(
                (window, *id),
                tos_host::WindowAnswer {
                    previous_leaf: previous,
                    proof,
                    path: vec![],
                },
            );
        }
        for (place, id) in members {
            let path = aggregate::group_path(&leaves, *place).ok()?;
            answers.get_mut(&(window, *id))?.path = path;
        }
        aggregate::group_root(&leaves).ok()
    }
    fn window_answer(&self, window: u64, _: u32, id: &ReplicaId) -> Option<tos_host::WindowAnswer> {
        self.answers.lock().unwrap().get(&(window, *id)).cloned()
    }
}

fn node_of(world: &World, strangers: u128) -> Node {
    let copies = world
        .copies
        .iter()
        .map(|(id, copy)| (id.0, (copy.coded.clone(), copy.sealed.clone())))
        .collect();
    Node {
        strangers: (0..strangers).map(u128::to_be_bytes).collect(),
        copies,
        answers: Mutex::default(),
    }
}

/// A chain, run by a node that stores one sealed copy of Alice's. `test` gets what a block does: it runs the
/// off-chain worker and then, if asked to, includes what that submitted; the answer is how many calls that were.
fn with_node(
    with_key: bool,
    with_prover: bool,
    test: impl FnOnce(tos_primitives::ReplicaId, &dyn Fn(bool) -> usize),
) {
    with_crowded_node(with_key, with_prover, 0, test);
}

/// The same, of a node that lists so many other replicas before it.
fn with_crowded_node(
    with_key: bool,
    with_prover: bool,
    strangers: u128,
    test: impl FnOnce(tos_primitives::ReplicaId, &dyn Fn(bool) -> usize),
) {
    let mut ext = new_test_ext(scale());
    let (offchain, _) = testing::TestOffchainExt::new();
    let (pool, submitted) = testing::TestTransactionPoolExt::new();
    let keystore = MemoryKeystore::new();
    let seed = format!("0x{}", seed_of(ALICE));
    if with_key {
        let key_type = KeyTypeId(PROOF_KEY_TYPE);
        let key = keystore
            .sr25519_generate_new(key_type, Some(&seed))
            .unwrap();
        assert_eq!(key, sp_core::Pair::public(&pair(ALICE)));
    }
    ext.register_extension(OffchainDbExt::new(offchain.clone()));
    ext.register_extension(OffchainWorkerExt::new(offchain));
    ext.register_extension(TransactionPoolExt::new(pool));
    ext.register_extension(KeystoreExt::new(keystore));

    let mut world = World::default();
    let id = ext.execute_with(|| {
        reset();
        System::set_block_number(1);
        tick();
        world.provider(ALICE, 5_000 * TOS);
        let bytes = data(1, 5_000);
        let deal = offer(CLIENT, &bytes, Retention::Days30);
        world.seal(ALICE, deal, &bytes)
    });
    if with_prover {
        ext.register_extension(ProverExt(Box::new(node_of(&world, strangers))));
    }
    ext.execute_with(|| {
        let block = |included: bool| {
            tick();
            Store::offchain_worker(System::block_number());
            let calls = std::mem::take(&mut submitted.write().transactions);
            for bytes in calls.iter().filter(|_| included) {
                let extrinsic = Extrinsic::decode(&mut &bytes[..]).unwrap();
                let RuntimeCall::Store(call) = extrinsic.function else {
                    panic!("a call of another pallet");
                };
                assert_ok!(send(call));
            }
            calls.len()
        };
        test(id, &block);
        Store::do_try_state().unwrap();
    });
}

#[test]
fn a_node_answers_seal_challenges_audits_windows_and_their_challenges() {
    with_node(true, true, |id, block| {
        let mut sent = 0;
        while status(id) != ReplicaStatus::Active {
            sent += block(true);
        }
        assert_eq!(sent, 1, "the seal challenge, once");
        for _ in 0..60 {
            block(true);
        }
        assert!(replica(id).run(Folded::<Test>::get()) >= 8);
        assert_eq!(provider(ALICE).missed, 0);
        assert!(provider(ALICE).answered > 50);
        let window = Folded::<Test>::get() - 1;
        let watcher = wealth(WATCHER);
        assert_ok!(Store::challenge_window(by(WATCHER), id, window));
        block(true);
        assert_eq!(wealth(WATCHER), watcher - 10 * TOS);
    });
}

#[test]
fn a_node_without_the_key_or_without_the_data_stays_silent() {
    for (with_key, with_prover) in [(false, true), (true, false), (false, false)] {
        with_node(with_key, with_prover, |id, block| {
            for _ in 0..10 {
                assert_eq!(block(true), 0);
            }
            assert_eq!(status(id), ReplicaStatus::Checking);
        });
    }
}

#[test]
fn an_answer_that_was_lost_is_sent_again_after_a_while() {
    with_node(true, true, |id, block| {
        let mut sent = vec![];
        while Store::challenges_of(&ALICE)
            .iter()
            .all(|challenge| challenge.seed.is_none())
        {
            sent.push(block(false));
        }
        for _ in 0..6 {
            sent.push(block(false));
        }
        // Once when it was asked, and again in every second block.
        assert_eq!(sent.iter().sum::<usize>(), 4, "{sent:?}");
        for _ in 0..6 {
            block(true);
        }
        assert_eq!(status(id), ReplicaStatus::Active);
    });
}

#[test]
fn a_node_that_stores_more_than_it_can_list_answers_for_all_of_it() {
    with_crowded_node(true, true, 5_000, |id, block| {
        for _ in 0..60 {
            block(true);
        }
        assert_eq!(status(id), ReplicaStatus::Active);
        assert!(replica(id).run(Folded::<Test>::get()) >= 8);
        assert_eq!(provider(ALICE).missed, 0);
    });
}
