// SPDX-License-Identifier: Apache-2.0

//! A storage chain in memory that verifies what it is told as the real one does, and can "kill"
//! the worker at any point where it touches the chain.

use super::model::{StorageChain, StorageSnapshot};
use crate::tasks::Submit;
use polkadot_sdk::sp_core::{crypto::AccountId32, sr25519, Pair};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};
use tos_sdk::{
    chain::{Block, Call, Heads},
    error::{Error, Result},
    testing::views::provider_view,
};
use tos_storage_proofs::{
    aggregate, replica_seed, response_digest,
    seal::{open_seals, Binding, SealParams},
    verify_compact, verify_words, Commitment, Hash, COMMITTEE_WORDS,
};
use tos_types::{
    storage::{
        group_payload, seal_payload, window_payload, ChallengeKind, DealStatus, GroupId,
        ReplicaStatus, StoredContent, Window,
    },
    Balance, DealId, ReplicaId, Tick, TOS,
};
use tos_views::{
    AuditView, CommitteeDutyView, DealView, GroupMemberView, GroupView, PositionView, ProviderView,
    ReplicaChallengeView, ReplicaView, SeedView, WindowStage, WindowView,
};

/// The account that tests work for.
pub const ME: AccountId32 = AccountId32::new([42; 32]);
/// The chain.
pub const GENESIS: Hash = [9; 32];
/// Ticks of a window; the seed is there after the first.
pub const WINDOW: Tick = 5;
/// Ticks to answer an audit.
const AUDIT: Tick = 4;
/// Words of a seal challenge.
const SAMPLES: u32 = 2;
/// Blocks by which finality lags.
const LAG: usize = 3;
const GROUP: GroupId = 7;
const BOND: Balance = 1_000 * TOS;

/// The key that signs proofs.
pub fn proof_key() -> sr25519::Pair {
    sr25519::Pair::from_seed(&[5; 32])
}

/// The state after one block.
#[derive(Clone)]
pub struct State {
    /// The number of the block.
    number: u64,
    tick: Tick,
    pub deals: Vec<DealView<AccountId32>>,
    pub replicas: Vec<ReplicaView<AccountId32>>,
    audits: Vec<AuditView>,
    challenges: Vec<ReplicaChallengeView<AccountId32>>,
    /// Roots handed in, by window.
    roots: BTreeMap<Window, Hash>,
    provider: ProviderView,
    /// Audits and windows that were missed.
    pub missed: u64,
    duty: bool,
}

/// See the [module](self).
pub struct FakeChain {
    states: RefCell<Vec<State>>,
    /// Tag that tells chains with the same genesis apart.
    pub tag: u64,
    pub accepted: RefCell<Vec<Call>>,
    pub refused: RefCell<Vec<String>>,
    touched: Cell<usize>,
    kill_at: Cell<Option<usize>>,
}

fn seed_of(what: &str, number: u64) -> Hash {
    *blake3::hash(format!("{what} {number}").as_bytes()).as_bytes()
}

/// An open deal about some content.
pub fn deal(number: u8, content: StoredContent, coded: Commitment) -> DealView<AccountId32> {
    DealView {
        id: DealId([number; 16]),
        client: AccountId32::new([1; 32]),
        content,
        coded,
        price: TOS,
        windows: 1_000,
        provider: None,
        escrow: TOS,
        paid: 0,
        collateral: 11 * TOS,
        status: DealStatus::Open,
        replica: None,
    }
}

impl FakeChain {
    /// A chain with these deals and a provider that serves at `locator`.
    pub fn new(deals: Vec<DealView<AccountId32>>, locator: &str) -> Self {
        let provider = ProviderView {
            bond: BOND,
            proof_key: proof_key().public().0,
            locator: locator.as_bytes().to_vec().try_into().unwrap(),
            ..provider_view()
        };
        let genesis = State {
            number: 0,
            tick: 0,
            deals,
            replicas: Vec::new(),
            audits: Vec::new(),
            challenges: Vec::new(),
            roots: BTreeMap::new(),
            provider,
            missed: 0,
            duty: false,
        };
        Self {
            states: RefCell::new(vec![genesis]),
            tag: 0,
            accepted: RefCell::default(),
            refused: RefCell::default(),
            touched: Cell::default(),
            kill_at: Cell::default(),
        }
    }

    /// Kills the worker when it touches the chain for the `count`-th time.
    pub fn kill_at(self, count: usize) -> Self {
        self.kill_at.set(Some(count));
        self
    }

    /// `true` once the worker has been killed.
    pub fn has_killed(&self) -> bool {
        self.kill_at.get().is_none()
    }

    fn touch(&self) -> Result<()> {
        self.touched.set(self.touched.get() + 1);
        if self.kill_at.get() == Some(self.touched.get()) {
            self.kill_at.set(None);
            return Err(Error::Failed("killed".into()));
        }
        Ok(())
    }

    /// The newest state.
    pub fn state(&self) -> State {
        self.states.borrow().last().cloned().unwrap()
    }

    /// Changes the state without any rules.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        change(&mut state);
        self.push(state);
    }

    fn push(&self, mut state: State) {
        state.number += 1;
        self.states.borrow_mut().push(state);
    }

    /// The same chain as a node knows it that is behind: as if no block after `number` had been
    /// made.
    pub fn behind(&self, number: u64) -> Self {
        let all = self.states.borrow();
        let states = all.iter().filter(|state| state.number <= number).cloned();
        let behind = Self::new(Vec::new(), "");
        *behind.states.borrow_mut() = states.collect();
        Self {
            tag: self.tag,
            ..behind
        }
    }

    fn finalised_state(&self) -> State {
        let states = self.states.borrow();
        states[states.len().saturating_sub(1 + LAG)].clone()
    }

    /// Makes a block without calls. Every active replica is audited in it.
    pub fn advance(&self) {
        self.change(|state| state.advance());
    }

    /// Names the account to the committee of the group.
    pub fn appoint(&self) {
        self.change(|state| state.duty = true);
    }

    /// Number of times that a call took effect.
    pub fn count(&self, name: &str) -> usize {
        let accepted = self.accepted.borrow();
        accepted.iter().filter(|call| call.name().1 == name).count()
    }
}

impl State {
    pub fn window_number(&self) -> Window {
        u64::from(self.tick / WINDOW)
    }

    fn advance(&mut self) {
        let ended = self.window_number();
        self.tick += 1;
        let late = self
            .audits
            .iter()
            .filter(|audit| audit.due < self.tick)
            .count();
        self.missed += late as u64;
        self.audits.retain(|audit| audit.due >= self.tick);
        if self.window_number() > ended {
            let due = self
                .replicas
                .iter()
                .any(|replica| takes_part(replica, ended));
            let proven = self.roots.contains_key(&ended);
            for replica in self.replicas.iter_mut().filter(|r| takes_part(r, ended)) {
                replica.streak = if proven { replica.streak + 1 } else { 0 };
                replica.earned += u32::from(proven);
            }
            self.missed += u64::from(due && !proven);
        }
        for replica in &self.replicas {
            if let (true, Some(sealed)) = (replica.status.is_proving(), replica.sealed) {
                let moment = u64::from(self.tick);
                let seed = seed_of("audit", moment);
                self.audits.push(AuditView {
                    replica: replica.id,
                    moment,
                    seed: replica_seed(&seed, &replica.id.0, &sealed.root),
                    due: self.tick + AUDIT,
                });
            }
        }
    }

    fn replica(&mut self, id: ReplicaId) -> Option<&mut ReplicaView<AccountId32>> {
        self.replicas.iter_mut().find(|replica| replica.id == id)
    }

    fn signed(&self, signature: &[u8; 64], payload: &[u8; 32]) -> Option<()> {
        let signature = sr25519::Signature::from_raw(*signature);
        let key = sr25519::Public::from_raw(self.provider.proof_key);
        sr25519::Pair::verify(&signature, payload, &key).then_some(())
    }

    /// `None` when the chain refuses.
    fn apply(&mut self, call: &Call) -> Option<()> {
        let next = self.window_number() + 1;
        match call.clone() {
            Call::AcceptDeal { deal } => {
                let found = self.deals.iter_mut().find(|found| found.id == deal)?;
                (found.status == DealStatus::Open).then_some(())?;
                let id = ReplicaId([100 + deal.0[0]; 16]);
                (found.status, found.replica) = (DealStatus::Taken, Some(id));
                self.provider.tied += found.collateral;
                let (coded, collateral) = (found.coded, found.collateral);
                self.replicas.push(ReplicaView {
                    id,
                    deal,
                    provider: ME,
                    status: ReplicaStatus::Sealing,
                    coded,
                    sealed: None,
                    position: None,
                    collateral,
                    streak: 0,
                    earned: 0,
                    misses: 0,
                    first_window: None,
                    ends_at: None,
                    due: None,
                });
            }
            Call::CommitSeal {
                replica: id,
                sealed,
            } => {
                let replica = self.replica(id)?;
                let fits =
                    replica.status == ReplicaStatus::Sealing && sealed.words == replica.coded.words;
                fits.then_some(())?;
                (replica.status, replica.sealed) = (ReplicaStatus::Checking, Some(sealed));
                let seed = replica_seed(&seed_of("seal", 1), &id.0, &sealed.root);
                self.challenges.push(ReplicaChallengeView {
                    replica: id,
                    kind: ChallengeKind::Seal,
                    challenger: None,
                    seed: Some(SeedView(seed)),
                    words: SAMPLES,
                    due: Tick::MAX,
                });
            }
            Call::RespondSeal { answer } => {
                let asked = self.challenge(answer.replica, ChallengeKind::Seal)?;
                let seed = self.challenges.get(asked)?.seed?.0;
                let payload = seal_payload(&GENESIS, &answer.replica, &seed, &answer.opening);
                self.signed(&answer.signature, &payload)?;
                let place = u32::try_from(self.replicas.len()).ok()?;
                let replica = self.replica(answer.replica)?;
                let binding = Binding {
                    prover: ME.into(),
                    chain: GENESIS,
                    replica: answer.replica.0,
                };
                let (coded, sealed) = (replica.coded, replica.sealed?);
                let params = SealParams::TEST;
                let opening = &answer.opening;
                let claims =
                    open_seals(&params, &binding, &coded, &sealed, &seed, SAMPLES, opening).ok()?;
                claims
                    .iter()
                    .all(|claim| claim.holds(&params))
                    .then_some(())?;
                replica.status = ReplicaStatus::Active;
                replica.position = Some(PositionView {
                    group: GROUP,
                    place,
                });
                replica.first_window = Some(next);
                self.provider.groups = vec![GROUP];
                self.challenges.remove(asked);
            }
            Call::RespondWindow { answer } => {
                let kind = ChallengeKind::Window(answer.window);
                let asked = self.challenge(answer.replica, kind)?;
                let root = *self.roots.get(&answer.window)?;
                let (id, window) = (answer.replica, answer.window);
                let payload =
                    window_payload(&GENESIS, &id, window, &answer.previous, &answer.proof);
                self.signed(&answer.signature, &payload)?;
                let replica = self.replica(id)?;
                let (sealed, place) = (replica.sealed?, replica.position?.place);
                let seed = replica_seed(&seed_of("window", window), &id.0, &sealed.root);
                verify_words(&sealed, &seed, COMMITTEE_WORDS, &answer.proof).ok()?;
                let digest = response_digest(&answer.proof);
                let leaf = aggregate::leaf(&id.0, window, &sealed.root, &digest, &answer.previous);
                aggregate::verify_group_inclusion(&root, &leaf, place, &answer.path)
                    .then_some(())?;
                self.challenges.remove(asked);
            }
            Call::RespondAudit { proof } => {
                let header = tos_storage_proofs::CompactHeader::peek(&proof).ok()?;
                let wanted = |audit: &AuditView| {
                    audit.replica.0 == header.replica && audit.moment == header.moment
                };
                let at = self.audits.iter().position(wanted)?;
                let seed = self.audits.get(at)?.seed;
                let sealed = self.replica(ReplicaId(header.replica))?.sealed?;
                verify_compact(&sealed, &seed, &proof).ok()?;
                let (payload, signature) = tos_storage_proofs::signing_payload(&proof)?;
                self.signed(&signature, &payload)?;
                self.audits.remove(at);
            }
            Call::SubmitGroup {
                window,
                group,
                signed,
            } => {
                let payload = group_payload(&GENESIS, window, group, &signed.root);
                self.signed(&signed.signature, &payload)?;
                // A provider may never sign two: seen even when the second comes too late.
                if let Some(known) = self.roots.get(&window) {
                    assert_eq!(*known, signed.root, "two roots for window {window}");
                }
                let open = window == self.window_number() && self.stage() == WindowStage::Open;
                (open && group == GROUP && !self.roots.contains_key(&window)).then_some(())?;
                self.roots.insert(window, signed.root);
            }
            Call::SettleReplica { replica: id } => {
                let replica = self.replica(id)?;
                let (deal, earned) = (replica.deal, replica.earned);
                let deal = self.deals.iter_mut().find(|found| found.id == deal)?;
                deal.paid = deal.escrow * Balance::from(earned) / Balance::from(deal.windows);
            }
            Call::Attest { .. } | Call::ChallengeWindow { .. } => {}
            _ => return None,
        }
        Some(())
    }

    fn challenge(&self, id: ReplicaId, kind: ChallengeKind) -> Option<usize> {
        let wanted = |c: &ReplicaChallengeView<AccountId32>| c.replica == id && c.kind == kind;
        self.challenges.iter().position(wanted)
    }

    /// Opens a window challenge.
    pub fn challenge_window(&mut self, id: ReplicaId, window: Window) {
        self.challenges.push(ReplicaChallengeView {
            replica: id,
            kind: ChallengeKind::Window(window),
            challenger: Some(AccountId32::new([3; 32])),
            seed: None,
            words: COMMITTEE_WORDS,
            due: Tick::MAX,
        });
    }

    fn stage(&self) -> WindowStage {
        match self.tick % WINDOW {
            0 => WindowStage::Drawing,
            _ => WindowStage::Open,
        }
    }
}

/// Returns `true` if a replica has to be proven in a window.
fn takes_part(replica: &ReplicaView<AccountId32>, window: Window) -> bool {
    replica.status.is_proving() && replica.first_window.is_some_and(|first| first <= window)
}

impl Submit for FakeChain {
    async fn submit(&self, calls: &[Call]) -> Result<Vec<Result<()>>> {
        // Killed before anything is sent, or before the worker learns what came of it.
        self.touch()?;
        let mut results = Vec::new();
        for call in calls {
            let mut state = self.state();
            let done = state.apply(call);
            self.push(state);
            results.push(match done {
                Some(()) => {
                    self.accepted.borrow_mut().push(call.clone());
                    Ok(())
                }
                None => {
                    self.refused.borrow_mut().push(format!("{call:?}"));
                    Err(Error::refused(call.name().1))
                }
            });
        }
        self.touch()?;
        Ok(results)
    }
}

impl StorageChain for FakeChain {
    type Snapshot = State;

    async fn best(&self) -> Result<State> {
        self.touch()?;
        Ok(self.state())
    }

    async fn finalised(&self) -> Result<State> {
        Ok(self.finalised_state())
    }
}

impl Heads for FakeChain {
    fn genesis(&self) -> Hash {
        GENESIS
    }

    async fn finalised_block(&self) -> Result<Block> {
        let number = self.finalised_state().number;
        let hash = block_hash(self.tag, number);
        Ok(Block { number, hash })
    }

    async fn best_number(&self) -> Result<u64> {
        Ok(self.state().number)
    }

    async fn hash_at(&self, number: u64) -> Result<Option<Hash>> {
        let known = number <= self.state().number;
        Ok(known.then(|| block_hash(self.tag, number)))
    }
}

/// The hash of a block; that of block 0 is the same on all chains.
fn block_hash(tag: u64, number: u64) -> Hash {
    match number {
        0 => GENESIS,
        _ => seed_of(&format!("block of chain {tag}"), number),
    }
}

impl StorageSnapshot for State {
    fn number(&self) -> u64 {
        self.number
    }

    async fn provider(&self) -> Result<Option<ProviderView>> {
        Ok(Some(self.provider.clone()))
    }

    async fn replicas(&self) -> Result<Vec<ReplicaView<AccountId32>>> {
        Ok(self.replicas.clone())
    }

    async fn replica(&self, id: ReplicaId) -> Result<Option<ReplicaView<AccountId32>>> {
        Ok(self
            .replicas
            .iter()
            .find(|replica| replica.id == id)
            .cloned())
    }

    async fn deal(&self, id: DealId) -> Result<Option<DealView<AccountId32>>> {
        Ok(self.deals.iter().find(|deal| deal.id == id).cloned())
    }

    async fn audits(&self) -> Result<Vec<AuditView>> {
        Ok(self.audits.clone())
    }

    async fn challenges(&self) -> Result<Vec<ReplicaChallengeView<AccountId32>>> {
        Ok(self.challenges.clone())
    }

    async fn window(&self) -> Result<WindowView> {
        let (number, stage) = (self.window_number(), self.stage());
        let open = stage == WindowStage::Open;
        Ok(WindowView {
            number,
            stage,
            seed: open.then(|| SeedView(seed_of("window", number))),
            ends: None,
            now: self.tick,
            due: Vec::new(),
            folded: number.checked_sub(1),
            degraded: false,
        })
    }

    async fn group(&self, group: GroupId) -> Result<Option<GroupView<AccountId32>>> {
        let window = self.window_number();
        let members = self.replicas.iter().filter_map(|replica| {
            let (sealed, position) = (replica.sealed?, replica.position?);
            Some(GroupMemberView {
                place: position.place,
                replica: replica.id,
                sealed_root: sealed.root,
                words: sealed.words,
                from: replica.first_window?,
                due: takes_part(replica, window),
            })
        });
        Ok((group == GROUP).then(|| GroupView {
            group,
            provider: ME,
            members: members.collect(),
            root: self.roots.get(&window).copied().map(SeedView),
        }))
    }

    async fn offers(&self) -> Result<Vec<DealView<AccountId32>>> {
        let open = self
            .deals
            .iter()
            .filter(|deal| deal.status == DealStatus::Open);
        Ok(open.cloned().collect())
    }

    async fn duties(&self) -> Result<Vec<CommitteeDutyView<AccountId32>>> {
        let duty = CommitteeDutyView {
            window: self.window_number(),
            group: GROUP,
            provider: ME,
            locator: self.provider.locator.clone(),
            done: false,
        };
        Ok(self.duty.then_some(duty).into_iter().collect())
    }
}
