// SPDX-License-Identifier: Apache-2.0

//! A runtime of this pallet, with a settable world around it.

use crate as pallet_panels;
use crate::{Docket, Pallet, Round, Seat};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{
    assert_ok, storage_alias, traits::fungible::Mutate, traits::tokens::Preservation, traits::Get,
    weights::Weight, Twox64Concat,
};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use sp_io::hashing::blake2_256;
use sp_runtime::{DispatchError, DispatchResult};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tos_formulas::{reputation::Performance, roster::lock_of};
use tos_interfaces::{
    Case, Cases as CasesOf, MinerRegistry, NoRoom, Reputation, RevealedAnswer, Roster, Rounds,
    Seating,
};
use tos_pallet_support::{
    agenda,
    testing::{checked, endowed, first_block, now},
};
use tos_types::{
    commitment::{self, Salt},
    join_error::JoinError,
    offence::Severity,
    roster::{RosterTimes, SeatKind, SeatRequest, Seated},
    rounds::Standing,
    rules::SeatRules,
    task::Certification,
    vote::{Ballot, Outcome, Scores, Unjudgeable},
    AnswerScore, Balance, Bp, CaseId, Difficulty, Phase, PhaseLengths, Report, TaskId, TaskType,
    Tick, Verdict, TOS,
};

pub use tos_pallet_support::testing::TestClock;

tos_pallet_support::test_runtime! {
    Panels: pallet_panels, existential_deposit: ED;
    type Currency = Balances;
    type Clock = TestClock;
    type Times = Times;
    type Roster = TestRoster;
    type Cases = TestCases;
    type Miners = World;
    type Reputation = World;
    type GovernanceOrigin = frame_system::EnsureRoot<u64>;
    type Treasury = frame_support::traits::ConstU64<TREASURY>;
    type MaxWork = MaxWork;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = World;
}

pub const ED: Balance = TOS / 1_000;
pub const TREASURY: u64 = 999;
/// The account that pay of judges lies in.
pub const POT: u64 = 998;
/// Bond of every judge.
pub const BOND: Balance = 100 * TOS;
pub const CASE: CaseId = TaskId([1; 16]);
pub const OTHER_CASE: CaseId = TaskId([2; 16]);
pub const PARTIES: [u64; 4] = [900, 901, 902, 903];
pub const TYPE: TaskType = TaskType::General;
/// The reward of [`CASE`], of which five seats lock a TOS each.
pub const REWARD: Balance = 5 * TOS;
/// The pay of its seats: 15 %.
pub const PAY: Balance = TOS * 3 / 4;
/// The pay of one of five seats.
pub const FEE: Balance = PAY / 5;
/// The lock of one of five seats.
pub const LOCK: Balance = TOS;

pub struct Times;
impl Get<RosterTimes> for Times {
    fn get() -> RosterTimes {
        RosterTimes::development()
    }
}

pub struct MaxWork;
impl Get<Weight> for MaxWork {
    fn get() -> Weight {
        Weight::from_parts(1_000_000_000_000, 10_000_000)
    }
}

/// A judge of the test's roster. Its bond is free balance of its account.
#[derive(Clone, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct TestJudge {
    pub bond: Balance,
    pub locked: Balance,
    pub earned: Balance,
    pub silent: bool,
}

#[storage_alias]
pub type Judges = StorageMap<
    TestRosterPrefix,
    Twox64Concat,
    u64,
    TestJudge,
    frame_support::pallet_prelude::ValueQuery,
>;
#[storage_alias]
pub type Line = StorageMap<TestRosterPrefix, Twox64Concat, CaseId, (SeatRequest<u64>, u8)>;

/// The roster: a line without room or tickets, and stakes. Tests draw by [`draw`].
pub struct TestRoster;

impl Roster<u64> for TestRoster {
    fn admits(_: TaskType, _: Balance, _: Difficulty) -> Result<(), NoRoom> {
        Ok(())
    }
    fn seats_now(_: TaskType, wanted: u32) -> Option<u32> {
        Some(wanted)
    }
    fn enqueue(request: SeatRequest<u64>, class: u8) -> DispatchResult {
        if world(|w| w.refuses) || Line::contains_key(request.case) {
            return Err(DispatchError::Other("no place in the line"));
        }
        Line::insert(request.case, (request, class));
        Ok(())
    }
    fn raise(case: &CaseId, class: u8) -> DispatchResult {
        Line::try_mutate(case, |slot| {
            let (_, old) = slot
                .as_mut()
                .ok_or(DispatchError::Other("not in the line"))?;
            *old = class;
            Ok(())
        })
    }
    fn withdraw(case: &CaseId) {
        Line::remove(case);
    }
    fn fine(who: &u64, task_type: TaskType, amount: Balance, to: &u64) -> Balance {
        assert_eq!(task_type, TYPE);
        if Balances::transfer(who, to, amount, Preservation::Preserve).is_err() {
            return 0;
        }
        Judges::mutate(who, |judge| {
            judge.bond -= amount;
            judge.locked -= amount;
        });
        amount
    }
    fn silent(who: &u64, _: TaskType) {
        Judges::mutate(who, |judge| judge.silent = true);
    }
    fn free(who: &u64, _: TaskType, locked: Balance) {
        Judges::mutate(who, |judge| judge.locked -= locked);
    }
    fn credit(who: &u64, _: TaskType, amount: Balance) {
        Judges::mutate(who, |judge| judge.earned += amount);
    }
    fn pot() -> u64 {
        POT
    }
    fn stake(_: TaskType) -> Balance {
        Judges::iter_values().map(|judge| judge.bond).sum()
    }
    fn bootstraps(_: TaskType) -> bool {
        false
    }
}

/// Calls of [`TestCases`], as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    Entered(Phase, u32, Tick),
    Stands(Outcome),
    Abandoned,
}

/// The cases, which only note what they are told.
pub struct TestCases;

impl CasesOf<u64> for TestCases {
    fn entered(case: &CaseId, phase: Phase, round: u32, deadline: Tick) {
        tell(case, Told::Entered(phase, round, deadline));
    }
    fn stands(case: &CaseId, outcome: Outcome) {
        tell(case, Told::Stands(outcome));
    }
    fn abandoned(case: &CaseId) {
        tell(case, Told::Abandoned);
    }
    fn seat_rules(_: u32) -> SeatRules {
        SeatRules::STANDARD
    }
    fn judged_answer(case: &CaseId, who: &u64) -> Option<RevealedAnswer> {
        world(|w| w.judged.get(&(*case, *who)).copied())
    }
}

fn tell(case: &CaseId, told: Told) {
    world(|w| w.told.push((*case, told)));
}

/// All that is told of [`CASE`].
pub fn told() -> Vec<Told> {
    world(|w| {
        let of_case = w.told.iter().filter(|(case, _)| *case == CASE);
        of_case.map(|(_, told)| told.clone()).collect()
    })
}

/// Everything else outside the pallet.
#[derive(Default)]
pub struct World {
    /// The roster takes no request.
    pub refuses: bool,
    pub told: Vec<(CaseId, Told)>,
    pub judged: BTreeMap<(CaseId, u64), RevealedAnswer>,
    pub suspended: BTreeSet<u64>,
    pub records: Vec<(u64, TaskType, Performance)>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| change(&mut world.borrow_mut()))
}

impl MinerRegistry<u64> for World {
    fn may_work(_: &u64, _: TaskType) -> Result<(), JoinError> {
        Ok(())
    }
    fn is_suspended(who: &u64) -> bool {
        world(|w| w.suspended.contains(who))
    }
    fn suspended_until(who: &u64) -> Option<Tick> {
        Self::is_suspended(who).then_some(1_000)
    }
    fn certification(_: &u64) -> Certification {
        Certification::Unverified
    }
    fn stake_percent(_: &u64) -> u128 {
        100
    }
    fn vote_tenths(_: &u64) -> u64 {
        10
    }
    fn recuses(_: &u64, _: &[u64], _: Tick) -> bool {
        false
    }
    fn start_task(_: &u64, _: TaskType) -> DispatchResult {
        Err(DispatchError::Other("not a miner's test"))
    }
    fn finish_task(_: &u64, _: bool) {}
    fn suspend(who: &u64, _: Tick) {
        world(|w| w.suspended.insert(*who));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(_: &u64, _: TaskType) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(_: &u64, _: Certification) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(_: &u64) {}
}

impl Reputation<u64> for World {
    fn global(_: &u64) -> Bp {
        tos_formulas::reputation::START
    }
    fn domain(_: &u64, _: TaskType) -> Bp {
        tos_formulas::reputation::START
    }
    fn settled(_: &u64) -> u32 {
        0
    }
    fn record(who: &u64, task_type: TaskType, performance: &Performance) {
        world(|w| w.records.push((*who, task_type, *performance)));
    }
    fn penalise(_: &u64, _: TaskType, _: Severity) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(_: &u64, _: TaskType, _: Bp, _: u32) {}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<u64> for World {
    fn judge(who: &u64, _: TaskType, bond: Balance, locked: Balance) {
        assert_ok!(Balances::mint_into(who, bond + ED));
        let judge = TestJudge {
            bond,
            locked,
            ..TestJudge::default()
        };
        Judges::insert(who, judge);
    }
    fn answer(case: &CaseId, who: &u64, answer: RevealedAnswer) {
        world(|w| w.judged.insert((*case, *who), answer));
    }
}

/// A chain whose accounts 1 to 60 judge [`TYPE`], with the treasury and the pot.
pub fn chain() -> sp_io::TestExternalities {
    TestClock::start(0, PhaseLengths::development());
    world(|w| *w = World::default());
    let judges = (1..=60).map(|who| (who, BOND + ED));
    let balances = judges.chain([(TREASURY, ED), (POT, ED)]).collect();
    let mut chain = first_block::<Test>(&RuntimeGenesisConfig {
        balances: endowed::<Test>(balances),
        ..Default::default()
    });
    chain.execute_with(|| {
        for who in 1..=60 {
            Judges::mutate(who, |judge| judge.bond = BOND);
        }
    });
    chain
}

/// Runs a test on a new chain, and then all checks.
pub fn test(test: impl FnOnce()) {
    checked(
        chain(),
        || {
            let issued = Balances::total_issuance();
            test();
            check(issued);
        },
        Pallet::<Test>::do_try_state,
    );
}

/// Checks the pallet, the roster's locks against its seats, and that every wei is where it belongs.
pub fn check(issued: Balance) {
    Pallet::<Test>::do_try_state().expect("every invariant holds");
    let locked: BTreeMap<_, _> = Judges::iter()
        .filter(|(_, judge)| judge.locked > 0)
        .map(|(who, judge)| ((who, TYPE), judge.locked))
        .collect();
    assert_eq!(Pallet::<Test>::locks(), locked, "locks are seats");
    for (who, judge) in Judges::iter() {
        assert!(
            judge.locked <= judge.bond,
            "{who} lost what it had not locked"
        );
        assert_eq!(free(who), judge.bond + ED, "{who}: its bond is its balance");
    }
    let earned: Balance = Judges::iter_values().map(|judge| judge.earned).sum();
    assert!(free(POT) >= ED + earned, "the pot covers what was earned");
    let all = (1..=60).chain([POT, TREASURY]).map(free).sum::<Balance>();
    assert_eq!((Balances::total_issuance(), all), (issued, issued));
}

pub fn origin(who: u64) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn free(who: u64) -> Balance {
    Balances::free_balance(who)
}

pub fn judge(who: u64) -> TestJudge {
    Judges::get(who)
}

pub fn docket() -> Docket {
    crate::Cases::<Test>::get(CASE).expect("the case is open")
}

pub fn round(number: u32) -> Round {
    crate::Progress::<Test>::get(CASE, number).expect("the round was seated")
}

pub fn seat(number: u32, who: u64) -> Seat {
    crate::Seats::<Test>::get((CASE, number, who)).expect("it sits")
}

pub fn standing() -> Standing {
    Panels::result(&CASE).expect("a result stands")
}

/// A case with three answers, published at 0.
pub fn case() -> Case<u64> {
    Case {
        id: CASE,
        task_type: TYPE,
        seats: 5,
        reward: REWARD,
        pay: PAY,
        class: 0,
        answers: 3,
        inline: 0,
        rules: 0,
        tool: None,
        since: 0,
        parties: PARTIES.to_vec(),
    }
}

/// Seats these judges on what [`CASE`] waits for, as the roster's hook does.
pub fn draw(seats: &[(u64, u32)]) {
    draw_certified(seats, &[]);
}

/// The same, with certified seats for some of them.
pub fn draw_certified(seats: &[(u64, u32)], certified: &[u64]) {
    draw_for(&CASE, seats, certified);
}

pub fn draw_for(case: &CaseId, seats: &[(u64, u32)], certified: &[u64]) {
    let (request, _) = Line::take(case).expect("the case waits");
    let n = match request.kind {
        SeatKind::Panel => seats.iter().map(|(_, seats)| seats).sum(),
        SeatKind::Vacancy { .. } | SeatKind::Court => request.seats,
    };
    let lock = lock_of(&request.stake, n);
    let drawn = seats.iter().map(|(who, seats)| {
        Judges::mutate(who, |judge| judge.locked += lock * Balance::from(*seats));
        Seated {
            who: *who,
            seats: *seats,
            certified: certified.contains(who),
        }
    });
    let drawn = drawn.collect();
    Panels::seated(case, request.round, lock, drawn);
}

/// Opens [`CASE`] and seats judges 1 to 5 on it, a seat each.
pub fn open() {
    open_with(case());
}

pub fn open_with(case: Case<u64>) {
    let seats: Vec<(u64, u32)> = (1..=u64::from(case.seats)).map(|who| (who, 1)).collect();
    assert_ok!(Panels::open(case));
    draw(&seats);
}

/// Lets ticks pass, each with the pallet's hook.
pub fn run(ticks: Tick) {
    for _ in 0..ticks {
        TestClock::advance(1);
        agenda::run::<Pallet<Test>>(&mut frame_support::weights::WeightMeter::new());
    }
}

/// Lets ticks pass up to this one.
pub fn run_to(tick: Tick) {
    run(tick.saturating_sub(now()));
}

pub fn score(quality: u8) -> AnswerScore {
    AnswerScore {
        quality,
        innovation: 50,
        verdict: Verdict::Valid,
    }
}

pub fn verdict(verdict: Verdict) -> AnswerScore {
    AnswerScore {
        verdict,
        ..score(80)
    }
}

pub fn ballot(scores: &[AnswerScore]) -> Ballot {
    Ballot::Scores(Scores::truncate_from(scores.to_vec()))
}

/// A ballot that gives every answer of [`CASE`] the same quality.
pub fn flat(quality: u8) -> Ballot {
    ballot(&[score(quality); 3])
}

pub const UNJUDGEABLE: Ballot = Ballot::Unjudgeable(Unjudgeable::SpecUnclear);

pub fn salt(who: u64) -> Salt {
    (who, b"salt").using_encoded(blake2_256)
}

pub fn commit(who: u64, ballot: &Ballot) {
    commit_with(who, ballot, None);
}

pub fn commit_with(who: u64, ballot: &Ballot, report: Option<Report>) {
    let number = docket().round;
    let made = commitment::ballot(&CASE, number, &who, ballot, report.as_ref(), &salt(who));
    assert_ok!(Panels::commit_vote(origin(who), CASE, made));
}

pub fn try_reveal(who: u64, ballot: &Ballot, report: Option<Report>) -> DispatchResult {
    Panels::reveal_vote(origin(who), CASE, ballot.clone(), report, salt(who))
}

pub fn reveal(who: u64, ballot: &Ballot) {
    assert_ok!(try_reveal(who, ballot, None));
}

/// Conduct of a judge in a whole round.
#[derive(Clone, Debug)]
pub enum Act {
    /// It commits and reveals.
    Full(Ballot),
    /// It commits and reveals, with what a tool found.
    Reported(Ballot, Report),
    /// It commits and hides.
    Hidden,
    /// It does nothing.
    Absent,
}

pub fn full(quality: u8) -> Act {
    Act::Full(flat(quality))
}

/// Plays the round that is open for commitments until it is counted; each judge acts in turn.
pub fn play(acts: &[(u64, Act)]) {
    let number = docket().round;
    for (who, act) in acts {
        match act {
            Act::Full(ballot) => commit(*who, ballot),
            Act::Reported(ballot, report) => commit_with(*who, ballot, Some(*report)),
            Act::Hidden => commit(*who, &flat(1)),
            Act::Absent => {}
        }
    }
    let waits = |stage| {
        crate::Cases::<Test>::get(CASE).is_some_and(|d| d.stage == stage && d.round == number)
    };
    while waits(crate::Stage::Commit) {
        // No other judges are found for vacant seats.
        if Line::contains_key(CASE) {
            draw(&[]);
        }
        run(1);
    }
    for (who, act) in acts {
        match act {
            Act::Full(ballot) => reveal(*who, ballot),
            Act::Reported(ballot, report) => {
                assert_ok!(try_reveal(*who, ballot, Some(*report)));
            }
            Act::Hidden | Act::Absent => {}
        }
    }
    while waits(crate::Stage::Reveal) {
        run(1);
    }
}

/// Plays the acts of judges 1, 2 and so on.
pub fn play_all(acts: &[Act]) {
    let acts: Vec<_> = (1..).zip(acts.iter().cloned()).collect();
    play(&acts);
}
