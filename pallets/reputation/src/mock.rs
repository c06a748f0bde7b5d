// SPDX-License-Identifier: Apache-2.0

//! A chain with this pallet, a clock that tests set and a register that remembers suspensions.

use crate::{self as pallet_reputation, Record};
use frame_support::parameter_types;
use frame_system::EnsureRoot;
use polkadot_sdk::*;
use sp_io::TestExternalities;
use sp_runtime::DispatchResult;
use tos_formulas::reputation::Performance;
use tos_interfaces::MinerRegistry;
use tos_pallet_support::testing::{checked, first_block};
use tos_types::{
    join_error::JoinError,
    rules::LevelTable,
    task::{Certification, Level},
    Bp, PhaseLengths, TaskType, Tick,
};

pub use tos_pallet_support::testing::{now, TestClock};

tos_pallet_support::test_runtime! {
    Reputation: pallet_reputation;
    type Clock = TestClock;
    type Miners = TestMiners;
    type GovernanceOrigin = EnsureRoot<u64>;
}

pub const ALICE: u64 = 1;
pub const BOB: u64 = 2;
pub const TYPE: TaskType = TaskType::SecurityAudit;
pub const OTHER: TaskType = TaskType::General;
pub const DAY: Tick = 10;

/// The best work there is: more than 100 points before the limit.
pub const BEST: Performance = Performance {
    completion: 10_000,
    quality: 10_000,
    accuracy: 10_000,
    peer: 10_000,
    innovation: 10_000,
};
/// The worst: −100 points.
pub const WORST: Performance = Performance {
    completion: -10_000,
    quality: -10_000,
    accuracy: -10_000,
    peer: -10_000,
    innovation: -10_000,
};
/// Work that changes nothing.
pub const NEUTRAL: Performance = Performance {
    completion: 0,
    quality: 0,
    accuracy: 0,
    peer: 0,
    innovation: 0,
};

parameter_types! {
    pub storage LastSuspension: Option<(u64, Tick)> = None;
}

/// Remembers the last suspension; refuses all work.
pub struct TestMiners;

impl MinerRegistry<u64> for TestMiners {
    fn may_work(_: &u64, _: TaskType) -> Result<(), JoinError> {
        Err(JoinError::NotRegistered)
    }
    fn is_suspended(who: &u64) -> bool {
        Self::suspended_until(who).is_some()
    }
    fn suspended_until(who: &u64) -> Option<Tick> {
        LastSuspension::get()
            .filter(|(last, _)| last == who)
            .map(|(_, until)| until)
    }
    fn certification(_: &u64) -> Certification {
        Certification::Unverified
    }
    fn stake_percent(who: &u64) -> u128 {
        LevelTable::STANDARD.stake_percent(Level::Standard, Self::certification(who))
    }
    fn vote_tenths(_: &u64) -> u64 {
        10
    }
    fn recuses(who: &u64, parties: &[u64], _: Tick) -> bool {
        parties.contains(who)
    }
    fn start_task(_: &u64, _: TaskType) -> DispatchResult {
        Err("not registered".into())
    }
    fn finish_task(_: &u64, _: bool) {}
    fn suspend(who: &u64, duration: Tick) {
        LastSuspension::set(&Some((*who, now() + duration)));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(_: &u64, _: TaskType) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(_: &u64, _: Certification) {}
}

#[derive(Default)]
pub struct ExtBuilder {
    reputations: Vec<(u64, Bp, u32)>,
}

impl ExtBuilder {
    /// A chain on which Alice has this reputation.
    pub fn alice(score: Bp, settled: u32) -> Self {
        Self::default().reputation(ALICE, score, settled)
    }

    pub fn reputation(mut self, who: u64, score: Bp, settled: u32) -> Self {
        self.reputations.push((who, score, settled));
        self
    }

    pub fn build(self) -> TestExternalities {
        TestClock::start(
            0,
            PhaseLengths {
                day: DAY,
                ..PhaseLengths::development()
            },
        );
        first_block::<Test>(&RuntimeGenesisConfig {
            reputation: pallet_reputation::GenesisConfig {
                reputations: self.reputations,
            },
            ..Default::default()
        })
    }

    /// Runs the test and checks the state at its end.
    pub fn execute(self, test: impl FnOnce()) {
        checked(self.build(), test, Reputation::do_try_state);
    }
}

pub fn advance_days(days: u32) {
    TestClock::advance(days * DAY);
}

pub fn global_record(who: u64) -> Record {
    crate::Global::<Test>::get(who).unwrap()
}

/// The events of this pallet, which are then forgotten.
pub fn events() -> Vec<crate::Event<Test>> {
    let events = System::read_events_for_pallet();
    System::reset_events();
    events
}
