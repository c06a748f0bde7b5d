// SPDX-License-Identifier: Apache-2.0

//! Providers that really encode, seal and prove.

use crate::mock::*;
use crate::*;
use codec::Encode;
use frame_support::dispatch::{DispatchResult, DispatchResultWithPostInfo};
use sp_core::{sr25519, Pair};
use sp_io::hashing::blake2_256;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tos_storage_proofs::{
    aggregate, code::MemoryShards, compact, proof, replica_seed, response_digest, seal, Commitment,
    Hash, MemoryTree, TreeSource,
};
use tos_types::{
    storage::{
        group_payload, seal_payload, window_payload, ChallengeKind, ReplicaStatus, Retention,
        SealAnswer, SignedRoot, Window, WindowAnswer,
    },
    Balance, DealId, ReplicaId, Tick,
};
use tos_views::{AuditView, SeedView, WindowStage};

thread_local! {
    static CODED: RefCell<BTreeMap<Vec<u8>, MemoryTree>> = const { RefCell::new(BTreeMap::new()) };
}

pub fn pair(who: AccountId) -> sr25519::Pair {
    sr25519::Pair::from_seed(&blake2_256(&who.encode()))
}

pub fn sign(who: AccountId, payload: &[u8; 32]) -> [u8; 64] {
    pair(who).sign(payload).0
}

pub fn data(seed: u64, length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|i| (i.wrapping_mul(31).wrapping_add(seed * 7) >> (i % 5)) as u8)
        .collect()
}

/// The coded sequence of some data; kept, because coding is the slowest part of the tests.
pub fn coded(bytes: &[u8]) -> MemoryTree {
    CODED.with(|kept| {
        let mut kept = kept.borrow_mut();
        let tree = kept.entry(bytes.to_vec()).or_insert_with(|| {
            MemoryTree::new(MemoryShards::encode(bytes).unwrap().into_bytes()).unwrap()
        });
        tree.clone()
    })
}

/// Really seals a coded sequence for a provider and a replica.
pub fn sealed(who: AccountId, id: ReplicaId, coded: &MemoryTree) -> MemoryTree {
    let params = config().seal;
    let binding = Store::binding(&id, &who);
    let mut bytes = coded.bytes().to_vec();
    let mut sealer = seal::Sealer::new(&params).unwrap();
    for (unit, part) in bytes.chunks_mut(params.unit_bytes() as usize).enumerate() {
        let key = binding.unit_key(&coded.commitment().root, unit as u64);
        sealer.apply(&key, part).unwrap();
    }
    MemoryTree::new(bytes).unwrap()
}

/// One sealed copy at its provider.
#[derive(Clone)]
pub struct Copy {
    pub coded: MemoryTree,
    pub sealed: MemoryTree,
    pub leaves: BTreeMap<Window, Leaf>,
}

/// What went into the leaf of a window.
#[derive(Clone)]
pub struct Leaf {
    pub previous: Hash,
    pub proof: Vec<u8>,
    pub path: Vec<Hash>,
    pub hash: Hash,
}

/// What providers do not do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Idle {
    Audits,
    Windows,
    Challenges,
}

/// The providers' side of a test.
#[derive(Default)]
pub struct World {
    pub copies: BTreeMap<ReplicaId, Copy>,
    pub idle: BTreeSet<(AccountId, Idle)>,
}

impl World {
    /// Registers a provider with a bond.
    pub fn provider(&mut self, who: AccountId, bond: Balance) {
        let key = pair(who).public().0;
        let locator = b"http://provider".to_vec().try_into().unwrap();
        Store::register_provider(by(who), bond, key, locator).unwrap();
    }

    /// Stops a provider from doing something.
    pub fn stop(&mut self, who: AccountId, what: Idle) {
        self.idle.insert((who, what));
    }

    pub fn go_on(&mut self, who: AccountId, what: Idle) {
        self.idle.remove(&(who, what));
    }

    fn does(&self, who: AccountId, what: Idle) -> bool {
        !self.idle.contains(&(who, what))
    }

    /// Accepts a deal and commits to really sealed bytes.
    pub fn seal(&mut self, who: AccountId, deal: DealId, bytes: &[u8]) -> ReplicaId {
        let id = accepted(who, deal);
        let coded = coded(bytes);
        let sealed = sealed(who, id, &coded);
        Store::commit_seal(by(who), id, *sealed.commitment()).unwrap();
        let leaves = BTreeMap::new();
        self.copies.insert(
            id,
            Copy {
                coded,
                sealed,
                leaves,
            },
        );
        id
    }

    /// A replica that is active.
    pub fn active(&mut self, who: AccountId, seed: u64) -> ReplicaId {
        let bytes = data(seed, 5_000);
        let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(10));
        let id = self.seal(who, deal, &bytes);
        self.pass(DELAY + 2);
        assert_eq!(status(id), ReplicaStatus::Active);
        id
    }

    /// So many replicas that are active, each of another content.
    pub fn several(&mut self, who: AccountId, count: u64) {
        for seed in 0..count {
            self.active(who, seed);
        }
    }

    /// One tick in which providers answer all they do not refuse to.
    pub fn tick(&mut self) {
        tick();
        self.answer();
    }

    pub fn pass(&mut self, ticks: Tick) {
        (0..ticks).for_each(|_| self.tick());
    }

    /// Goes on until so many windows more are folded.
    pub fn windows(&mut self, windows: u64) {
        let until = Folded::<Test>::get() + windows;
        while Folded::<Test>::get() < until {
            self.tick();
        }
    }

    /// Goes on to the next window, until it is open; its roots are not handed in yet.
    pub fn until_open(&mut self) -> Window {
        let before = Folded::<Test>::get();
        while Folded::<Test>::get() == before || Store::window_view().stage != WindowStage::Open {
            self.answer();
            tick();
        }
        Folded::<Test>::get()
    }

    pub fn answer(&mut self) {
        for who in [ALICE, BOB] {
            let now = Store::now();
            if self.does(who, Idle::Audits) {
                for audit in Store::open_audits_of(&who) {
                    if audit.due < now {
                        continue;
                    }
                    if let Some(proof) = self.audit_proof(who, &audit) {
                        send_proof(&proof).unwrap();
                    }
                }
            }
            if self.does(who, Idle::Challenges) {
                for challenge in Store::challenges_of(&who) {
                    let Some(SeedView(seed)) = challenge.seed else {
                        continue;
                    };
                    let id = challenge.replica;
                    if challenge.due < now || !self.copies.contains_key(&id) {
                        continue;
                    }
                    let call = match challenge.kind {
                        ChallengeKind::Seal => crate::Call::respond_seal {
                            answer: Box::new(self.seal_answer(who, id, &seed, challenge.words)),
                        },
                        ChallengeKind::Window(window) => crate::Call::respond_window {
                            answer: Box::new(self.window_answer(who, id, window)),
                        },
                    };
                    send(call).unwrap();
                }
            }
            if self.does(who, Idle::Windows) {
                self.submit(who);
            }
        }
    }

    pub fn audit_proof(&self, who: AccountId, audit: &AuditView) -> Option<Vec<u8>> {
        let copy = self.copies.get(&audit.replica)?;
        let sealed = &copy.sealed;
        prove_audit(who, sealed, sealed.commitment(), audit)
    }

    pub fn seal_answer(
        &self,
        who: AccountId,
        id: ReplicaId,
        seed: &Hash,
        words: u32,
    ) -> SealAnswer {
        let copy = &self.copies[&id];
        seal_answer(who, id, &copy.coded, &copy.sealed, seed, words)
    }

    pub fn window_answer(&self, who: AccountId, id: ReplicaId, window: Window) -> WindowAnswer {
        let leaf = &self.copies[&id].leaves[&window];
        let payload = window_payload(&CHAIN, &id, window, &leaf.previous, &leaf.proof);
        WindowAnswer {
            replica: id,
            window,
            previous: leaf.previous,
            path: leaf.path.clone().try_into().unwrap(),
            proof: leaf.proof.clone().try_into().unwrap(),
            signature: sign(who, &payload),
        }
    }

    /// The root of a group in the open window, over the leaves of all who take part.
    pub fn group_root(&mut self, group: u32) -> Hash {
        let view = Store::window_view();
        let window = view.number;
        let SeedView(seed) = view.seed.unwrap();
        let members = Store::group_view(group).unwrap().members;
        let due: Vec<_> = members.into_iter().filter(|member| member.due).collect();
        let mut leaves = Vec::new();
        for member in &due {
            let copy = self.copies.get_mut(&member.replica).unwrap();
            let commitment = *copy.sealed.commitment();
            let seed = replica_seed(&seed, &member.replica.0, &commitment.root);
            let proof = proof::prove_words(&copy.sealed, &commitment, &seed, 16).unwrap();
            let before = window.checked_sub(1).and_then(|w| copy.leaves.get(&w));
            let previous = before.map_or([0; 32], |leaf| leaf.hash);
            let digest = response_digest(&proof);
            let id = &member.replica.0;
            let hash = aggregate::leaf(id, window, &commitment.root, &digest, &previous);
            let path = Vec::new();
            copy.leaves.insert(
                window,
                Leaf {
                    previous,
                    proof,
                    path,
                    hash,
                },
            );
            leaves.push((member.place, hash));
        }
        for member in &due {
            let path = aggregate::group_path(&leaves, member.place).unwrap();
            let copy = self.copies.get_mut(&member.replica).unwrap();
            copy.leaves.get_mut(&window).unwrap().path = path;
        }
        aggregate::group_root(&leaves).unwrap()
    }

    /// The next window once it is open, and group and root to hand in for a replica.
    pub fn open_window(&mut self, id: ReplicaId) -> (Window, u32, Hash) {
        let (group, _) = replica(id).position.unwrap();
        let window = self.until_open();
        (window, group, self.group_root(group))
    }

    /// Hands in the roots of a provider's groups that are due.
    pub fn submit(&mut self, who: AccountId) {
        let view = Store::window_view();
        if view.ends.is_some_and(|ends| ends < view.now) {
            return;
        }
        for group in view.due {
            if Groups::<Test>::get(group).unwrap().provider != who {
                continue;
            }
            let root = self.group_root(group);
            send(submission(who, view.number, group, root)).unwrap();
        }
    }
}

/// Accepts a deal; the replica of it.
pub fn accepted(who: AccountId, deal: DealId) -> ReplicaId {
    Store::accept(by(who), deal).unwrap();
    Deals::<Test>::get(deal).unwrap().replica.unwrap()
}

/// The replica of a deal about these bytes for 30 days, which Alice accepts.
pub fn dealt(bytes: &[u8]) -> ReplicaId {
    accepted(ALICE, offer(CLIENT, bytes, Retention::Days30))
}

/// The open seal challenge of a replica.
pub fn seal_challenge(id: ReplicaId) -> Challenge<AccountId> {
    Challenges::<Test>::get(id, ChallengeKind::Seal).unwrap()
}

/// The answer of a provider to an audit, out of the bytes that it has of a commitment.
pub fn prove_audit<S: TreeSource>(
    who: AccountId,
    bytes: &S,
    commitment: &Commitment,
    audit: &AuditView,
) -> Option<Vec<u8>> {
    let AuditView {
        replica,
        moment,
        seed,
        ..
    } = audit;
    let sign = |payload: &Hash| sign(who, payload);
    compact::prove_compact(bytes, commitment, seed, replica.0, *moment, sign).ok()
}

/// Sends the answer to an audit, as a provider's node does.
pub fn send_proof(proof: &[u8]) -> DispatchResult {
    let proof = proof.to_vec().try_into().unwrap();
    send(crate::Call::respond_audit { proof })
}

/// Answers an audit by a signed transaction.
pub fn pay_for_proof(who: AccountId, proof: Vec<u8>) -> DispatchResultWithPostInfo {
    Store::respond_audit(by(who), proof.try_into().unwrap())
}

pub fn seal_answer<C, S>(
    who: AccountId,
    id: ReplicaId,
    coded: &C,
    sealed: &S,
    seed: &Hash,
    words: u32,
) -> SealAnswer
where
    C: TreeSource,
    S: TreeSource<Error = C::Error>,
    C::Error: std::fmt::Debug,
{
    let commitment = Replicas::<Test>::get(id).unwrap().sealed.unwrap();
    let indices = proof::asked_words(&commitment, seed, words).unwrap();
    let opening = seal::prove_seal(coded, sealed, commitment.words, &indices)
        .unwrap()
        .to_bytes();
    let payload = seal_payload(&CHAIN, &id, seed, &opening);
    SealAnswer {
        replica: id,
        opening: opening.try_into().unwrap(),
        signature: sign(who, &payload),
    }
}

pub fn signed_root(who: AccountId, window: Window, group: u32, root: Hash) -> SignedRoot {
    SignedRoot {
        root,
        signature: sign(who, &group_payload(&CHAIN, window, group, &root)),
    }
}

pub fn submission(who: AccountId, window: Window, group: u32, root: Hash) -> crate::Call<Test> {
    crate::Call::submit_group {
        window,
        group,
        signed: signed_root(who, window, group, root),
    }
}
