// SPDX-License-Identifier: Apache-2.0

//! A chain with this pallet, balances and a clock that tests set.

use crate::{self as pallet_miners, HoldReason, Specialisations};
use frame_support::{
    parameter_types,
    traits::{
        fungible::{hold::Inspect as _, Inspect as _},
        ConstU32, EitherOfDiverse,
    },
};
use frame_system::{EnsureRoot, EnsureSignedBy};
use polkadot_sdk::*;
use sp_io::TestExternalities;
use tos_formulas::reputation::Performance;
use tos_interfaces::Reputation;
use tos_pallet_support::testing::{checked, endowed, first_block};
use tos_types::{
    offence::Severity,
    rules::{JudgeStakes, LevelTable, MemberRules, MinerStakes},
    task::Certification,
    Balance, Bp, PhaseLengths, TaskType, Tick, TOS,
};

pub use tos_pallet_support::testing::{now, TestClock};

pub const ALICE: u64 = 1;
pub const BOB: u64 = 2;
pub const CAROL: u64 = 3;
/// Has 60 TOS: enough for the cheapest registration only.
pub const POOR: u64 = 4;
/// Certifies besides root.
pub const CERTIFIER: u64 = 9;
pub const ACCOUNTS: [u64; 3] = [ALICE, BOB, CAROL];

pub const DAY: Tick = 10;
pub const UNBONDING: Tick = 25;
pub const START_BALANCE: Balance = 1_000 * TOS;
pub const EXISTENTIAL_DEPOSIT: Balance = TOS / 100;
pub const MAX_RELATIONS: u32 = 3;
/// Ticks in which what was taken back goes on to count.
pub const AFTER_EFFECT: Tick = 60 * DAY;
/// Ticks for which it is kept in all.
pub const ON_RECORD: Tick = 2 * AFTER_EFFECT;

tos_pallet_support::test_runtime! {
    Miners: pallet_miners, existential_deposit: EXISTENTIAL_DEPOSIT, holds;
    type Reputation = TestReputation;
    type Rules = Rules;
    type CertifyOrigin = EitherOfDiverse<EnsureRoot<u64>, EnsureSignedBy<Certifier, u64>>;
    type MaxRelations = ConstU32<MAX_RELATIONS>;
}

const PHASE_LENGTHS: PhaseLengths = PhaseLengths {
    day: DAY,
    unbonding: UNBONDING,
    ..PhaseLengths::development()
};

frame_support::ord_parameter_types! {
    pub const Certifier: u64 = CERTIFIER;
}

parameter_types! {
    pub storage Reputations: Vec<(u64, Bp)> = Vec::new();
}

/// Reputation that tests set.
pub struct TestReputation;

impl TestReputation {
    pub fn set(who: u64, score: Bp) {
        let mut all = Reputations::get();
        all.retain(|(other, _)| *other != who);
        all.push((who, score));
        Reputations::set(&all);
    }
}

impl Reputation<u64> for TestReputation {
    fn global(who: &u64) -> Bp {
        let all = Reputations::get();
        let found = all.iter().find(|(other, _)| other == who);
        found.map_or(tos_formulas::reputation::START, |(_, score)| *score)
    }
    fn domain(who: &u64, _: TaskType) -> Bp {
        Self::global(who)
    }
    fn settled(_: &u64) -> u32 {
        0
    }
    fn record(_: &u64, _: TaskType, _: &Performance) {}
    fn penalise(who: &u64, _: TaskType, _: Severity) {
        Self::set(*who, 0);
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &u64, _: TaskType, score: Bp, _: u32) {
        Self::set(*who, score);
    }
}

parameter_types! {
    pub storage Stakes: MinerStakes = MinerStakes::STANDARD;
    pub storage Levels: LevelTable = LevelTable::STANDARD;
}

/// Rules that tests set.
pub struct Rules;

impl MemberRules for Rules {
    fn miner_stakes() -> MinerStakes {
        Stakes::get()
    }
    fn judge_stakes() -> JudgeStakes {
        JudgeStakes::STANDARD
    }
    fn levels() -> LevelTable {
        Levels::get()
    }
}

#[derive(Default)]
pub struct ExtBuilder {
    certificates: Vec<(u64, Certification, Tick)>,
    miners: Vec<(u64, Vec<TaskType>)>,
}

impl ExtBuilder {
    pub fn certificate(mut self, who: u64, level: Certification, expires: Tick) -> Self {
        self.certificates.push((who, level, expires));
        self
    }

    pub fn miner(mut self, who: u64, specialisations: &[TaskType]) -> Self {
        self.miners.push((who, specialisations.to_vec()));
        self
    }

    pub fn build(self) -> TestExternalities {
        TestClock::start(1, PHASE_LENGTHS);
        let mut balances: Vec<_> = ACCOUNTS.iter().map(|who| (*who, START_BALANCE)).collect();
        balances.push((POOR, 60 * TOS));
        first_block::<Test>(&RuntimeGenesisConfig {
            balances: endowed::<Test>(balances),
            miners: pallet_miners::GenesisConfig {
                certificates: self.certificates,
                miners: self.miners,
            },
            ..Default::default()
        })
    }

    /// Runs the test and checks the state at its end.
    pub fn execute(self, test: impl FnOnce()) {
        checked(self.build(), test, Miners::do_try_state);
    }
}

/// Returns `true` if `who` keeps away from `party` by all that was declared until now.
pub fn keeps_away(who: u64, party: u64) -> bool {
    Miners::keeps_away_now(&who, &party)
}

pub fn types(types: &[TaskType]) -> Specialisations {
    types.to_vec().try_into().unwrap()
}

pub fn signed(who: u64) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

/// Registers `who` for code analysis, the cheapest type.
pub fn register(who: u64) {
    Miners::register(signed(who), types(&[TaskType::CodeAnalysis])).unwrap();
}

pub fn held(who: u64) -> Balance {
    Balances::balance_on_hold(&HoldReason::Registration.into(), &who)
}

/// Free and held balance.
pub fn total(who: u64) -> Balance {
    Balances::total_balance(&who)
}

pub fn last_event() -> crate::Event<Test> {
    match System::events().pop().unwrap().event {
        RuntimeEvent::Miners(event) => event,
        other => panic!("not an event of this pallet: {other:?}"),
    }
}
