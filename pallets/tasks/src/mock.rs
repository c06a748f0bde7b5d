// SPDX-License-Identifier: Apache-2.0

//! A runtime of tasks with real balances, and scripted stand-ins for everything behind a trait.

use crate as pallet_tasks;
use crate::*;
use frame_support::{
    parameter_types,
    traits::{fungible::Mutate, tokens::Preservation, ConstU64, Hooks},
    weights::{Weight, WeightMeter},
};
use sp_runtime::{DispatchError, DispatchResult};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, VecDeque},
};
use tos_formulas::{reputation::Performance, split::Allocation};
use tos_interfaces::{Draw, MinerRegistry, PanelRequest, Panels, Reputation, Settlement, Vault};
use tos_pallet_support::testing::{endowed, first_block, keeps_money};
use tos_types::{
    join_error::JoinError,
    offence::Severity,
    rules::{CurrentRules, DifficultyTable, DifficultyTerms, LevelTable, TaskRules},
    task::{Certification, Level},
    vote::{AnswerResult, Tally},
    Balance, Bp, Difficulty, PhaseLengths, TaskId, TaskType, Tick, TOS,
};

pub use tos_pallet_support::testing::{now, TestClock};

type AccountId = u64;

tos_pallet_support::test_runtime! {
    Work: pallet_tasks, existential_deposit: ED, holds;
    type Miners = TestMiners;
    type Reputation = TestReputation;
    type Panels = TestPanels;
    type Vault = TestVault;
    type Treasury = ConstU64<TREASURY>;
    type Rules = Rules;
    type MaxWork = MaxWork;
}

pub const PUBLISHER: AccountId = 1;
pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CAROL: AccountId = 13;
pub const STRANGER: AccountId = 21;
pub const JUDGE: AccountId = 31;
pub const TREASURY: AccountId = 99;
/// Where the stand-in of the vault keeps its escrow.
pub const STRONGBOX: AccountId = 98;
pub const ED: Balance = 1_000;
pub const ENDOWMENT: Balance = 10_000 * TOS;

parameter_types! {
    pub static MaxWork: Weight = Weight::from_parts(u64::MAX, u64::MAX);
}

thread_local! {
    /// The rules of what is published now.
    pub static RULES: Cell<TaskRules> = const { Cell::new(TaskRules::STANDARD) };
    /// The terms of what is published now.
    pub static TERMS: Cell<DifficultyTable> = const { Cell::new(DifficultyTable::STANDARD) };
}

/// Rules that a test can change.
pub struct Rules;
impl CurrentRules for Rules {
    fn rules() -> TaskRules {
        RULES.get()
    }
    fn terms(difficulty: Difficulty) -> DifficultyTerms {
        TERMS.get().terms(difficulty)
    }
}

/// Everything a test may script and afterwards look at.
#[derive(Clone, Default)]
pub struct Script {
    /// Accounts that are suspended, and until when.
    pub suspended: BTreeMap<AccountId, Tick>,
    /// Why an account may not work.
    pub refusals: BTreeMap<AccountId, JoinError>,
    /// Certifications; `Basic` for everybody else.
    pub certified: BTreeMap<AccountId, Certification>,
    /// Who must keep away from whom, and in which tick it said so.
    pub recused: BTreeMap<(AccountId, AccountId), Tick>,
    /// Global reputations; 10,000 for everybody else.
    pub reputation: BTreeMap<AccountId, Bp>,
    /// Tasks each miner has started and not finished.
    pub working: BTreeMap<AccountId, u32>,
    /// Who finished, and whether the answer was valid.
    pub finished: Vec<(AccountId, bool)>,
    /// What was recorded of whom.
    pub recorded: Vec<(AccountId, Performance)>,
    /// What the next draws give; then a panel of three.
    pub draws: VecDeque<Draw>,
    /// The number of candidates that draws look at.
    pub candidates: u32,
    /// What was asked of the draws.
    pub requests: Vec<PanelRequest<AccountId>>,
    /// What the next rounds give, with their results, or with none for the usual ones: quality 60
    /// for everybody. Then consensus.
    pub rounds: VecDeque<(Tally, Vec<AnswerResult>)>,
    /// The results of each task's latest round with a quorum.
    pub results: BTreeMap<TaskId, Vec<AnswerResult>>,
    /// Whether nobody commits votes.
    pub silent: bool,
    /// Concluded tasks, and whether members were judged.
    pub concluded: Vec<(TaskId, bool)>,
    /// Forgotten tasks.
    pub forgotten: Vec<TaskId>,
    /// Escrow and publisher of each task.
    pub escrow: BTreeMap<TaskId, (AccountId, Balance)>,
    /// What was settled.
    pub settled: Vec<Settlement<AccountId>>,
    /// Tasks whose settlement fails.
    pub broken: BTreeSet<TaskId>,
    /// Accounts that could not receive what the stand-in of the vault had for them.
    pub unpaid: BTreeSet<AccountId>,
}

thread_local! {
    static SCRIPT: RefCell<Script> = RefCell::default();
}

/// Reads or changes the script.
pub fn script<R>(f: impl FnOnce(&mut Script) -> R) -> R {
    SCRIPT.with(|script| f(&mut script.borrow_mut()))
}

/// Lets time pass without any hook, as when blocks are too full for the queue.
pub fn jump(to: Tick) {
    assert!(to >= now());
    TestClock::set(to);
}

/// Short windows; those of answers and votes are unlike each other.
const PHASE_LENGTHS: PhaseLengths = PhaseLengths {
    answer_reveal: 20,
    panel_draw: 10,
    vote_commit: 30,
    vote_reveal: 20,
    retention: 40,
    ..PhaseLengths::development()
};

pub struct TestMiners;
impl MinerRegistry<AccountId> for TestMiners {
    fn may_work(who: &AccountId, _: TaskType) -> Result<(), JoinError> {
        script(|s| s.refusals.get(who).map_or(Ok(()), |reason| Err(*reason)))
    }
    fn is_suspended(who: &AccountId) -> bool {
        script(|s| s.suspended.contains_key(who))
    }
    fn suspended_until(who: &AccountId) -> Option<Tick> {
        script(|s| s.suspended.get(who).copied())
    }
    fn certification(who: &AccountId) -> Certification {
        script(|s| {
            s.certified
                .get(who)
                .copied()
                .unwrap_or(Certification::Basic)
        })
    }
    fn stake_percent(who: &AccountId) -> u128 {
        LevelTable::STANDARD.stake_percent(Level::Standard, Self::certification(who))
    }
    fn vote_tenths(_: &AccountId) -> u64 {
        10
    }
    fn recuses(who: &AccountId, parties: &[AccountId], since: Tick) -> bool {
        script(|s| {
            let declared = |party: &AccountId| s.recused.get(&(*who, *party));
            parties
                .iter()
                .any(|party| who == party || declared(party).is_some_and(|at| *at < since))
        })
    }
    fn start_task(who: &AccountId, task_type: TaskType) -> DispatchResult {
        Self::may_work(who, task_type).map_err(|_| DispatchError::Other("may not work"))?;
        script(|s| *s.working.entry(*who).or_default() += 1);
        Ok(())
    }
    fn finish_task(who: &AccountId, completed: bool) {
        script(|s| {
            *s.working.get_mut(who).unwrap() -= 1;
            s.finished.push((*who, completed));
        })
    }
    fn suspend(_: &AccountId, _: Tick) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(_: &AccountId, _: TaskType) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(_: &AccountId, _: Certification) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(_: &AccountId) {}
}

pub struct TestReputation;
impl Reputation<AccountId> for TestReputation {
    fn global(who: &AccountId) -> Bp {
        script(|s| s.reputation.get(who).copied().unwrap_or(10_000))
    }
    fn domain(who: &AccountId, _: TaskType) -> Bp {
        Self::global(who)
    }
    fn settled(_: &AccountId) -> u32 {
        0
    }
    fn record(who: &AccountId, _: TaskType, performance: &Performance) {
        script(|s| s.recorded.push((*who, *performance)))
    }
    fn penalise(_: &AccountId, _: TaskType, _: Severity) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(_: &AccountId, _: TaskType, _: Bp, _: u32) {}
}

pub struct TestPanels;
impl Panels<AccountId> for TestPanels {
    fn draw(request: &PanelRequest<AccountId>) -> (Draw, u32) {
        script(|s| {
            s.requests.push(request.clone());
            let draw = s.draws.pop_front().unwrap_or(Draw::Seated(3));
            (draw, s.candidates)
        })
    }
    fn all_committed(_: &TaskId) -> bool {
        false
    }
    fn none_committed(_: &TaskId) -> bool {
        script(|s| s.silent)
    }
    fn all_revealed(_: &TaskId) -> bool {
        false
    }
    fn tally(task: &TaskId) -> Tally {
        script(|s| {
            let asked = s
                .requests
                .iter()
                .rfind(|request| request.task == *task)
                .unwrap();
            let (tally, mut results) = s.rounds.pop_front().unwrap_or((Tally::Consensus, vec![]));
            if results.is_empty() {
                let usual = AnswerResult {
                    quality: 60,
                    ..Default::default()
                };
                results = vec![usual; asked.answers as usize];
            }
            if tally != Tally::NoQuorum {
                s.results.insert(*task, results);
            }
            tally
        })
    }
    fn results(task: &TaskId) -> Vec<AnswerResult> {
        script(|s| s.results.get(task).cloned().unwrap_or_default())
    }
    fn conclude(task: &TaskId, _: TaskType, judge: bool) -> Vec<(AccountId, Bp)> {
        script(|s| s.concluded.push((*task, judge)));
        vec![(JUDGE, 9_000)]
    }
    fn forget(task: &TaskId) {
        script(|s| s.forgotten.push(*task))
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_rounds(request: &PanelRequest<AccountId>, _: u32, _: u32, _: bool) {
        let result = AnswerResult {
            quality: 95,
            innovation: 50,
            ..Default::default()
        };
        let results = vec![result; request.answers as usize];
        script(|s| s.rounds.push_back((Tally::Consensus, results)));
        script(|s| s.requests.push(request.clone()));
    }
}

pub struct TestVault;
impl TestVault {
    /// Pays, or keeps what cannot be received: no account stops a vault.
    fn pay(to: AccountId, amount: Balance) {
        if Balances::transfer(&STRONGBOX, &to, amount, Preservation::Expendable).is_err() {
            script(|s| s.unpaid.insert(to));
        }
    }
}
impl Vault<AccountId> for TestVault {
    fn deposit(task: &TaskId, publisher: &AccountId, reward: Balance) -> DispatchResult {
        Balances::transfer(publisher, &STRONGBOX, reward, Preservation::Preserve)?;
        script(|s| s.escrow.insert(*task, (*publisher, reward)));
        Ok(())
    }
    fn refund(task: &TaskId, fee: Balance) -> DispatchResult {
        let (publisher, reward) = script(|s| s.escrow.remove(task)).unwrap();
        if fee > 0 {
            Self::pay(TREASURY, fee);
        }
        Self::pay(publisher, reward - fee);
        Ok(())
    }
    fn settle(settlement: &Settlement<AccountId>) -> Result<Allocation, DispatchError> {
        if script(|s| s.broken.contains(&settlement.task)) {
            return Err(DispatchError::Other("scripted to fail"));
        }
        let (_, reward) = script(|s| s.escrow.remove(&settlement.task)).unwrap();
        script(|s| s.settled.push(settlement.clone()));
        // The split is another pallet's business: all of it goes to the first author.
        Self::pay(settlement.answers[0].0, reward);
        Ok(Allocation::default())
    }
    fn escrowed(task: &TaskId) -> Balance {
        script(|s| s.escrow.get(task).map_or(0, |(_, amount)| *amount))
    }
}

/// A chain that begins at this tick, with nothing of what another test of this thread has scripted.
pub fn chain(now: Tick) -> sp_io::TestExternalities {
    TestClock::start(now, PHASE_LENGTHS);
    SCRIPT.set(Script::default());
    RULES.set(TaskRules::STANDARD);
    TERMS.set(DifficultyTable::STANDARD);
    MaxWork::set(Weight::MAX);
    let rich = (1..=60).map(|who| (who, ENDOWMENT));
    let balances = rich.chain([(TREASURY, TOS), (STRONGBOX, TOS)]).collect();
    first_block::<Test>(&RuntimeGenesisConfig {
        balances: endowed::<Test>(balances),
        ..Default::default()
    })
}

pub fn new_test_ext() -> sp_io::TestExternalities {
    chain(0)
}

/// Builds the chain of a test.
pub struct ExtBuilder;

impl ExtBuilder {
    /// Runs a test and then checks that every invariant holds and that no money came or went.
    pub fn execute(test: impl FnOnce()) {
        chain(100).execute_with(|| {
            keeps_money::<Balances>(|| {
                test();
                Work::do_try_state().unwrap();
            });
        });
    }
}

/// One block with one tick.
pub fn tick() {
    TestClock::advance(1);
    let number = System::block_number() + 1;
    System::set_block_number(number);
    Work::on_poll(number, &mut WeightMeter::new());
}

/// Lets `ticks` blocks pass.
pub fn pass(ticks: Tick) {
    (0..ticks).for_each(|_| tick());
}

/// Lets blocks pass until the tick is `to`.
pub fn pass_to(to: Tick) {
    pass(to - now());
}
