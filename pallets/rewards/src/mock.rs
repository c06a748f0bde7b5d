// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and rewards.

use crate::{self as pallet_rewards, Custody, Event, HoldReason};
use frame_support::{
    assert_ok,
    traits::{
        fungible::{Inspect, InspectHold},
        ConstU64, Hooks,
    },
    weights::Weight,
};
use polkadot_sdk::*;
use std::collections::BTreeMap;
use tos_formulas::split::{JudgedAnswer, QualityBars};
use tos_interfaces::{Settlement, Vault};
use tos_pallet_support::testing::{endowed, first_block, keeps_money};
use tos_types::{
    params::MIN_PARTICIPATION_QUALITY, Balance, Bp, Difficulty, PhaseLengths, TaskId, TaskType,
    Tick,
};

pub use tos_pallet_support::testing::TestClock;

tos_pallet_support::test_runtime! {
    Rewards: pallet_rewards, existential_deposit: ED, holds;
    type Treasury = ConstU64<TREASURY>;
}

/// The existential deposit.
pub const ED: Balance = 10;
/// The claim window.
pub const CLAIM_WINDOW: Tick = 100;
/// The treasury.
pub const TREASURY: u64 = 99;
/// Publishers with much money.
pub const ALICE: u64 = 1;
pub const BOB: u64 = 2;
/// Miners with a little money.
pub const M1: u64 = 11;
pub const M2: u64 = 12;
pub const M3: u64 = 13;
/// Judges with a little money.
pub const V1: u64 = 21;
pub const V2: u64 = 22;
/// An account without money.
pub const GHOST: u64 = 66;
/// Balances that the rich and the others start with.
pub const RICH: Balance = 1_000_000;
pub const POOR: Balance = 100;

/// Builds the externalities and checks the invariants after every test.
pub struct ExtBuilder {
    treasury: Balance,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self { treasury: ED }
    }
}

impl ExtBuilder {
    /// With a treasury that does not exist and so cannot receive less than `ED`.
    pub fn without_treasury() -> Self {
        Self { treasury: 0 }
    }

    pub fn build(self) -> sp_io::TestExternalities {
        let mut balances = vec![(ALICE, RICH), (BOB, RICH)];
        balances.extend([M1, M2, M3, V1, V2].map(|who| (who, POOR)));
        if self.treasury > 0 {
            balances.push((TREASURY, self.treasury));
        }
        TestClock::start(
            1,
            PhaseLengths {
                claim: CLAIM_WINDOW,
                ..PhaseLengths::development()
            },
        );
        first_block::<Test>(&RuntimeGenesisConfig {
            balances: endowed::<Test>(balances),
            ..Default::default()
        })
    }

    /// Runs a test: no wei is created or lost, and every invariant holds in the end.
    pub fn execute(self, test: impl FnOnce()) {
        self.build().execute_with(|| {
            keeps_money::<Balances>(test);
            check_state();
        });
    }
}

/// The pallet's own checks and the one that it cannot make: no hold is without a record.
pub fn check_state() {
    assert_ok!(Rewards::do_try_state());
    let name = |reason: HoldReason| format!("{:?}", RuntimeHoldReason::from(reason));
    let mut records = BTreeMap::<(u64, String), Balance>::new();
    for escrow in pallet_rewards::Escrows::<Test>::iter_values() {
        *records
            .entry((escrow.publisher, name(HoldReason::Escrow)))
            .or_default() += escrow.amount;
    }
    for (who, _, claim) in pallet_rewards::Claims::<Test>::iter() {
        let holder = match claim.custody {
            Custody::Owner => who,
            Custody::Treasury => TREASURY,
        };
        *records
            .entry((holder, name(HoldReason::Claimable)))
            .or_default() += claim.amount;
    }
    let holds: BTreeMap<_, _> = pallet_balances::Holds::<Test>::iter()
        .flat_map(|(who, holds)| {
            holds
                .into_iter()
                .map(move |hold| ((who, format!("{:?}", hold.id)), hold.amount))
        })
        .collect();
    assert_eq!(holds, records);
}

pub fn task(nonce: u64) -> TaskId {
    TaskId::derive(&ALICE, nonce)
}

pub fn free(who: u64) -> Balance {
    Balances::balance(&who)
}

pub fn held(reason: HoldReason, who: u64) -> Balance {
    Balances::balance_on_hold(&reason.into(), &who)
}

pub fn claimable(who: u64) -> Balance {
    held(HoldReason::Claimable, who)
}

pub fn deposit(nonce: u64, publisher: u64, amount: Balance) {
    assert_ok!(<Rewards as Vault<u64>>::deposit(
        &task(nonce),
        &publisher,
        amount
    ));
}

/// A settlement of a General task, published and settled under the rules of now, whose answers differ
/// by quality alone.
pub fn settlement(nonce: u64, answers: &[(u64, u8)], judges: &[(u64, Bp)]) -> Settlement<u64> {
    let judged = |quality: u8| JudgedAnswer {
        quality,
        innovation: 50,
        timeliness: 10_000,
        eligible: true,
    };
    let (split, winners) = Rewards::division(TaskType::General, Difficulty::Beginner);
    Settlement {
        task: task(nonce),
        split,
        winners,
        bars: QualityBars {
            win: 50,
            take_part: MIN_PARTICIPATION_QUALITY,
        },
        answers: answers
            .iter()
            .map(|(who, quality)| (*who, judged(*quality)))
            .collect(),
        judges: judges.to_vec(),
    }
}

/// Settles and returns the event that tells how.
pub fn settle(settlement: &Settlement<u64>) -> Event<Test> {
    assert_ok!(<Rewards as Vault<u64>>::settle(settlement));
    events().pop().unwrap()
}

/// Deposits 1,000 and settles: one answer, one judge. `miner` earns 800, `judge` 150.
pub fn reward(nonce: u64, miner: u64, judge: u64) {
    deposit(nonce, ALICE, 1_000);
    settle(&settlement(nonce, &[(miner, 90)], &[(judge, 10_000)]));
}

/// Deposits for the first task and settles it: one answer, these judges. What that told.
pub fn first_settled(reward: Balance, miner: u64, judges: &[(u64, Bp)]) -> Vec<Event<Test>> {
    deposit(0, ALICE, reward);
    events();
    assert_ok!(Rewards::settle(&settlement(0, &[(miner, 90)], judges)));
    events()
}

/// The event of a refund for the first task.
pub fn refunded(publisher: u64, amount: Balance, fee: Balance) -> Event<Test> {
    Event::Refunded {
        task: task(0),
        publisher,
        amount,
        fee,
    }
}

/// This pallet's events since the last call of this function.
pub fn events() -> Vec<Event<Test>> {
    let events = System::read_events_for_pallet::<Event<Test>>();
    System::reset_events();
    events
}

pub fn idle(weight: Weight) -> Weight {
    Rewards::on_idle(1, weight)
}
