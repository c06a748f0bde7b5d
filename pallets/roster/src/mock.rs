// SPDX-License-Identifier: Apache-2.0

//! A runtime of this pallet, with a settable world around it.

use crate as pallet_roster;
use crate::{Judge, Pallet, Terms, WaitingCase};
use codec::Encode;
use frame_support::{
    assert_ok, parameter_types,
    traits::{ConstU64, Hooks},
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use sp_io::hashing::blake2_256;
use sp_runtime::{DispatchError, DispatchResult};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tos_interfaces::{MinerRegistry, Randomness, Roster, Seating, Seed};
use tos_pallet_support::testing::{checked, endowed, first_block};
use tos_types::{
    join_error::JoinError,
    randomness::RandomnessRequest,
    roster::{RosterTimes, SeatKind, SeatRequest, SeatStake, Seated},
    rules::{JudgeRules, LevelTable, RosterRules, SeatRules},
    task::{Certification, Level},
    Balance, CaseId, PhaseLengths, TaskId, TaskType, Tick, TOS,
};

pub use tos_pallet_support::testing::{now, TestClock};

tos_pallet_support::test_runtime! {
    Judges: pallet_roster, existential_deposit: ED, holds;
    type Miners = World;
    type Randomness = World;
    type Seating = World;
    type Rules = World;
    type Treasury = ConstU64<TREASURY>;
    type Pot = ConstU64<POT>;
    type MaxWork = MaxWork;
}

parameter_types! {
    /// More than all the work of a block.
    pub const MaxWork: Weight = Weight::from_parts(u64::MAX / 2, u64::MAX / 2);
}

pub const ED: Balance = TOS / 1_000;
pub const TREASURY: u64 = 999;
pub const POT: u64 = 998;
/// Publishes every case, and judges nothing.
pub const PUBLISHER: u64 = 900;
/// Funds of accounts 1 to 100 at genesis.
pub const FUNDS: Balance = 100_000 * TOS;
pub const TYPE: TaskType = TaskType::General;
pub const OTHER_TYPE: TaskType = TaskType::DataAnalysis;
/// The longest time that a task may stay open.
pub const MAX_OPEN: Tick = 600;
/// Times of all tests: short periods, so that not many blocks have to pass.
pub const TIMES: RosterTimes = RosterTimes {
    period: 100,
    quiet: 10,
    warm_up: MAX_OPEN,
    unbonding: 1_200,
    cool_down: 10,
    wait: 3_000,
    reserve: 50,
};

/// Everything outside the pallet.
#[derive(Default)]
pub struct World {
    /// Randomness requests made; each is known by its number.
    pub requests: u32,
    /// Number of the last request whose seed is ready.
    pub ready: u32,
    /// Requests whose seeds come by themselves, in the block after.
    pub prompt: bool,
    /// Numbers of requests that have expired when their seeds would be ready.
    pub expired: BTreeSet<u32>,
    /// Numbers of requests whose seeds are degraded ones.
    pub degraded: BTreeSet<u32>,
    /// Part of every seed.
    pub salt: u64,
    pub certified: BTreeSet<u64>,
    pub suspended: BTreeSet<u64>,
    /// The tick in which the first said that it keeps away from the second.
    pub recused: BTreeMap<(u64, u64), Tick>,
    /// Draws: case, round, lock, seats.
    pub seated: Vec<(CaseId, u32, Balance, Vec<Seated<u64>>)>,
    pub expired_cases: Vec<(CaseId, u32)>,
    pub roster: RosterRules,
    pub seats: SeatRules,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| change(&mut world.borrow_mut()))
}

impl JudgeRules for World {
    fn roster() -> RosterRules {
        world(|w| w.roster)
    }
    fn seats() -> SeatRules {
        world(|w| w.seats)
    }
}

impl Randomness for World {
    fn request() -> RandomnessRequest {
        world(|w| {
            w.requests += 1;
            RandomnessRequest {
                slot: 0,
                block: w.requests,
            }
        })
    }
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed {
        world(|w| {
            if randomness.block > w.ready {
                return Seed::Pending;
            }
            if w.expired.contains(&randomness.block) {
                return Seed::Expired;
            }
            Seed::Ready {
                seed: (w.salt, randomness.block, subject).using_encoded(blake2_256),
                degraded: w.degraded.contains(&randomness.block),
            }
        })
    }
    fn degraded() -> bool {
        false
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(randomness: &RandomnessRequest) {
        world(|w| w.ready = w.ready.max(randomness.block));
    }
}

impl Seating<u64> for World {
    fn seated(case: &CaseId, round: u32, lock: Balance, seats: Vec<Seated<u64>>) {
        world(|w| w.seated.push((*case, round, lock, seats)));
    }
    fn expired(case: &CaseId, round: u32) {
        world(|w| w.expired_cases.push((*case, round)));
    }
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
    fn certification(who: &u64) -> Certification {
        match world(|w| w.certified.contains(who)) {
            true => Certification::Professional,
            false => Certification::Basic,
        }
    }
    fn stake_percent(who: &u64) -> u128 {
        LevelTable::STANDARD.stake_percent(Level::Standard, Self::certification(who))
    }
    fn vote_tenths(_: &u64) -> u64 {
        10
    }
    fn recuses(who: &u64, parties: &[u64], since: Tick) -> bool {
        world(|w| {
            let declared = |party: &u64| w.recused.get(&(*who, *party));
            parties
                .iter()
                .any(|party| who == party || declared(party).is_some_and(|at| *at < since))
        })
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
    fn benchmark_certify(who: &u64, level: Certification) {
        world(|w| match level >= Certification::Professional {
            true => w.certified.insert(*who),
            false => w.certified.remove(who),
        });
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(_: &u64) {}
}

/// Genesis: accounts 1 to 100 with [`FUNDS`], the pot, the treasury, and some of the accounts as judges of
/// [`TYPE`].
pub struct ExtBuilder {
    judges: Vec<(u64, TaskType, Balance)>,
    certified: Vec<u64>,
    bootstrap: Vec<TaskType>,
    treasury: bool,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self::bonded([])
    }
}

impl ExtBuilder {
    /// Accounts 1 to `count` judge [`TYPE`] with 100 TOS each.
    pub fn judges(count: u64) -> Self {
        Self::bonded((1..=count).map(|who| (who, 100)))
    }

    /// These accounts judge [`TYPE`] with these bonds in TOS.
    pub fn bonded(bonds: impl IntoIterator<Item = (u64, u128)>) -> Self {
        let judges = bonds.into_iter();
        Self {
            judges: judges.map(|(who, bond)| (who, TYPE, bond * TOS)).collect(),
            certified: Vec::new(),
            bootstrap: Vec::new(),
            treasury: true,
        }
    }

    /// Further judges, of other types.
    pub fn also(mut self, judges: impl IntoIterator<Item = (u64, TaskType, Balance)>) -> Self {
        self.judges.extend(judges);
        self
    }

    /// Accounts 1 to `count` are certified, and [`TYPE`] is in bootstrap.
    pub fn bootstrap(self, certified: u64) -> Self {
        Self {
            certified: (1..=certified).collect(),
            bootstrap: vec![TYPE],
            ..self
        }
    }

    pub fn without_treasury(self) -> Self {
        Self {
            treasury: false,
            ..self
        }
    }

    pub fn build(self) -> sp_io::TestExternalities {
        let lengths = PhaseLengths {
            max_open: MAX_OPEN,
            ..PhaseLengths::development()
        };
        TestClock::start(0, lengths);
        world(|w| {
            *w = World {
                prompt: true,
                certified: self.certified.into_iter().collect(),
                ..World::default()
            };
        });
        let mut balances: Vec<(u64, Balance)> = (1..=100).map(|who| (who, FUNDS)).collect();
        balances.push((POT, ED));
        balances.extend(self.treasury.then_some((TREASURY, ED)));
        let mut chain = first_block::<Test>(&RuntimeGenesisConfig {
            balances: endowed::<Test>(balances),
            judges: pallet_roster::GenesisConfig {
                judges: self.judges,
                times: TIMES,
                bootstrap: self.bootstrap,
            },
            ..Default::default()
        });
        chain.execute_with(|| TestClock::set(1));
        chain
    }

    pub fn execute(self, test: impl FnOnce()) {
        checked(self.build(), test, Pallet::<Test>::do_try_state);
    }
}

/// The hook, in the current tick. Seeds that come by themselves are there for requests of earlier blocks.
pub fn block() -> Weight {
    block_with(Weight::MAX)
}

/// The hook, with so much weight; the weight that it used.
pub fn block_with(limit: Weight) -> Weight {
    world(|w| {
        if w.prompt {
            w.ready = w.requests;
        }
    });
    let mut meter = WeightMeter::with_limit(limit);
    Judges::on_poll(System::block_number(), &mut meter);
    meter.consumed()
}

/// Lets ticks pass, with a block in each.
pub fn pass(ticks: Tick) {
    for _ in 0..ticks {
        TestClock::advance(1);
        block();
    }
}

/// Goes to a tick, with a block in it alone.
pub fn skip_to(tick: Tick) {
    TestClock::set(tick);
    block();
}

/// Goes to the begin of the next period, and lets its first block pass.
pub fn next_period() {
    skip_to((now() / TIMES.period + 1) * TIMES.period);
}

pub fn origin(who: u64) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn judge(who: u64) -> Judge {
    crate::Judges::<Test>::get(TYPE, who).unwrap()
}

pub fn weight(who: u64) -> u32 {
    judge(who).weight
}

pub fn free(who: u64) -> Balance {
    Balances::free_balance(who)
}

/// Whole TOS of all judges of [`TYPE`].
pub fn total() -> u64 {
    Judges::total(TYPE)
}

pub fn case(number: u8) -> CaseId {
    TaskId([number; 16])
}

/// A request for a panel of five, with 1 TOS a seat.
pub fn request(number: u8) -> SeatRequest<u64> {
    SeatRequest {
        case: case(number),
        round: 0,
        task_type: TYPE,
        seats: 5,
        kind: SeatKind::Panel,
        stake: SeatStake::PartOf {
            all: 5 * TOS,
            least: TOS / 2,
        },
        since: now(),
        parties: vec![PUBLISHER].try_into().unwrap(),
    }
}

pub fn enqueue(request: SeatRequest<u64>) {
    enqueue_in(request, 0);
}

pub fn enqueue_in(request: SeatRequest<u64>, class: u8) {
    assert_ok!(<Judges as Roster<u64>>::enqueue(request, class));
}

pub fn waiting(number: u8) -> Option<WaitingCase<u64>> {
    crate::Waiting::<Test>::get(case(number))
}

pub fn terms(number: u8) -> Terms {
    waiting(number).unwrap().terms.unwrap()
}

/// The seats of a case, if they were drawn, in the order of drawing.
pub fn seats(number: u8) -> Option<Vec<Seated<u64>>> {
    let case = case(number);
    world(|w| {
        let mut drawn = w.seated.iter().rev();
        let found = drawn.find(|(other, ..)| *other == case);
        found.map(|(.., seats)| seats.clone())
    })
}

/// The number of seats of each judge of a case that was drawn.
pub fn seats_of(number: u8) -> BTreeMap<u64, u32> {
    let seats = seats(number).expect("it was drawn");
    seats.into_iter().map(|one| (one.who, one.seats)).collect()
}

/// Lets a panel be drawn now: its ticket in this block, its seats in the next.
pub fn draw(request: SeatRequest<u64>) {
    enqueue(request);
    block();
    block();
}

/// Locks stake of a judge, as open seats do.
pub fn lock(who: u64, amount: Balance) {
    crate::Judges::<Test>::mutate(TYPE, who, |judge| judge.as_mut().unwrap().locked += amount);
    crate::Locked::<Test>::mutate(TYPE, |taken| taken.seats += amount);
}

/// Fines a judge, for the treasury; the amount taken.
pub fn fine(who: u64, amount: Balance) -> Balance {
    <Judges as Roster<u64>>::fine(&who, TYPE, amount, &TREASURY)
}

/// Frees stake of a judge's seats.
pub fn unlock(who: u64, amount: Balance) {
    <Judges as Roster<u64>>::free(&who, TYPE, amount);
}

/// Books pay, which comes to the pot from account 100.
pub fn pay(who: u64, amount: Balance) {
    assert_ok!(Balances::transfer_allow_death(origin(100), POT, amount));
    <Judges as Roster<u64>>::credit(&who, TYPE, amount);
}

pub fn events() -> Vec<crate::Event<Test>> {
    let events = System::read_events_for_pallet::<crate::Event<Test>>();
    System::reset_events();
    events
}
