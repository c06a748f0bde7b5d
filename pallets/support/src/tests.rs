// SPDX-License-Identifier: Apache-2.0

//! Queues and holds on a runtime of balances.

use crate::{
    agenda::{keeping, retry_delay, run, Agenda},
    testing::held_money_conforms,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    traits::VariantCount,
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use sp_io::TestExternalities;
use sp_runtime::DispatchError;
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tos_types::Tick;

/// Why funds are on hold.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Reason {
    Stake,
}

impl VariantCount for Reason {
    const VARIANT_COUNT: u32 = 1;
}

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances;
}

crate::test_runtime!(@balances 10 {
    type RuntimeHoldReason = Reason;
});

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    TestExternalities::default().execute_with(|| {
        <Balances as frame_support::traits::fungible::Mutate<u64>>::mint_into(&2, 10).unwrap();
        held_money_conforms::<Balances>(Reason::Stake, 2);
    });
}

#[derive(Default)]
struct Queue {
    entries: BTreeSet<(Tick, u32)>,
    cursor: Tick,
    now: Tick,
    /// Failures left of a step.
    failing: BTreeMap<u32, u8>,
    failures: BTreeMap<u32, u8>,
    unknown: BTreeSet<u32>,
    /// What steps say to have used; the worst for all others.
    used: BTreeMap<u32, u64>,
    taken: Vec<(Tick, u32)>,
}

thread_local! {
    static QUEUE: RefCell<Queue> = RefCell::default();
}

fn queue<R>(change: impl FnOnce(&mut Queue) -> R) -> R {
    QUEUE.with_borrow_mut(change)
}

/// The most that a step may weigh.
const WORST: u64 = 100;

struct Steps;

impl Agenda for Steps {
    const TARGET: &'static str = "test";
    type Item = u32;

    fn end() -> Tick {
        queue(|q| q.now + 1)
    }
    fn cursor() -> Tick {
        queue(|q| q.cursor)
    }
    fn set_cursor(tick: Tick) {
        queue(|q| q.cursor = tick);
    }
    fn due(tick: Tick) -> impl Iterator<Item = u32> {
        let mut after = None;
        std::iter::from_fn(move || {
            let next = queue(|q| {
                let mut of_tick = q.entries.range((tick, 0)..(tick + 1, 0));
                of_tick
                    .find(|(_, item)| after.is_none_or(|after| *item > after))
                    .copied()
            });
            after = next.map(|(_, item)| item).or(after);
            next.map(|(_, item)| item)
        })
    }
    fn remove(tick: Tick, item: &u32) {
        queue(|q| q.entries.remove(&(tick, *item)));
    }
    fn start_weight() -> Weight {
        Weight::from_parts(1, 0)
    }
    fn look_weight() -> Weight {
        Weight::from_parts(10, 0)
    }
    fn step_weight(item: &u32) -> Option<Weight> {
        queue(|q| (!q.unknown.contains(item)).then(|| Weight::from_parts(WORST, 0)))
    }
    fn step(item: &u32) -> Result<Weight, DispatchError> {
        queue(|q| {
            if let Some(left) = q.failing.get_mut(item).filter(|left| **left > 0) {
                *left -= 1;
                return Err(DispatchError::Other("not now"));
            }
            q.taken.push((q.now, *item));
            q.entries.retain(|(_, other)| other != item);
            let used = q.used.get(item).copied().unwrap_or(WORST);
            Ok(Weight::from_parts(used, 0))
        })
    }
    fn postpone(tick: Tick, item: &u32, _: DispatchError) {
        queue(|q| {
            q.entries.remove(&(tick, *item));
            let failures = q.failures.entry(*item).or_default();
            let due = q.now + retry_delay(*failures);
            *failures += 1;
            q.entries.insert((due, *item));
        });
    }
}

/// Runs the queue in a block of this tick, and returns the weight that was used.
fn block(now: Tick, limit: u64) -> u64 {
    TestExternalities::default().execute_with(|| {
        queue(|q| q.now = now);
        let mut meter = WeightMeter::with_limit(Weight::from_parts(limit, u64::MAX));
        run::<Steps>(&mut meter);
        meter.consumed().ref_time()
    })
}

#[test]
fn steps_are_taken_in_the_order_of_their_ticks_and_what_is_not_paid_for_comes_first_next_time() {
    queue(|q| q.entries = BTreeSet::from([(2, 7), (1, 9), (2, 3), (5, 1)]));
    // One for the start, a look for each entry and each end of a tick, and the steps.
    assert_eq!(block(2, 1 + 6 * 10 + 3 * 100), 1 + 6 * 10 + 3 * 100);
    assert_eq!(queue(|q| q.taken.clone()), [(2, 9), (2, 3), (2, 7)]);
    assert_eq!(queue(|q| q.cursor), 3);
    queue(|q| q.entries.extend([(3, 4), (3, 6)]));
    // Enough for one of two.
    block(5, 1 + 10 + 100 + 10 + 99);
    assert_eq!(queue(|q| (q.taken.len(), q.cursor)), (4, 3));
    block(5, u64::MAX);
    let taken = queue(|q| q.taken.clone());
    assert_eq!(taken[3..], [(5, 4), (5, 6), (5, 1)]);
    assert_eq!(queue(|q| (q.entries.len(), q.cursor)), (0, 6));
    assert_eq!(block(6, 0), 0);
}

#[test]
fn steps_that_use_less_than_their_worst_leave_room_for_more_of_them() {
    queue(|q| {
        q.cursor = 1;
        q.entries = (0..20).map(|item| (1, item)).collect();
        q.used = (0..20).map(|item| (item, 5)).collect();
    });
    // Room for two at their worst: eleven are taken before less than one worst is left.
    let limit = 1 + 2 * (10 + WORST) + 50;
    let used = block(1, limit);
    assert_eq!(queue(|q| q.taken.len()), 11);
    // What is charged is what they used, and the look that found no room.
    assert_eq!(used, 1 + 12 * 10 + 11 * 5);
    block(2, u64::MAX);
    assert_eq!(queue(|q| q.taken.len()), 20);
}

#[test]
fn no_step_begins_whose_worst_does_not_fit_however_little_it_would_use() {
    queue(|q| {
        q.cursor = 1;
        q.entries = BTreeSet::from([(1, 1), (1, 2)]);
        q.used = BTreeMap::from([(1, 0), (2, 0)]);
    });
    // Nothing is used by the first, and the second still needs room for its worst.
    for (limit, taken) in [
        (1 + 10 + WORST - 1, 0),
        (1 + 10 + WORST, 1),
        (1 + 10 + WORST - 1, 1),
        (1 + 10 + WORST, 2),
    ] {
        assert!(block(1, limit) <= limit);
        assert_eq!(queue(|q| q.taken.len()), taken, "{limit}");
    }
}

#[test]
fn a_step_that_fails_is_charged_its_worst() {
    queue(|q| {
        q.cursor = 1;
        q.entries = BTreeSet::from([(1, 1)]);
        q.used = BTreeMap::from([(1, 0)]);
        q.failing = BTreeMap::from([(1, 1)]);
    });
    // One look finds it, one finds nothing more.
    assert_eq!(block(1, u64::MAX), 1 + 2 * 10 + WORST);
    // It is due again in the next tick, and uses nothing then.
    assert_eq!(block(2, u64::MAX), 1 + 2 * 10);
    assert_eq!(queue(|q| q.taken.clone()), [(2, 1)]);
}

#[test]
fn no_step_is_charged_more_than_the_worst_that_was_asked_for() {
    queue(|q| {
        q.cursor = 1;
        q.entries = BTreeSet::from([(1, 1)]);
        q.used = BTreeMap::from([(1, 7 * WORST)]);
    });
    let limit = 1 + 2 * 10 + WORST;
    assert_eq!(block(1, limit), limit);
    assert_eq!(queue(|q| q.taken.len()), 1);
}

#[test]
fn a_step_that_fails_is_tried_again_later_and_holds_up_nothing() {
    queue(|q| {
        q.entries = BTreeSet::from([(1, 1), (1, 2), (1, 8)]);
        q.failing = BTreeMap::from([(1, 9)]);
        q.unknown = BTreeSet::from([8]);
    });
    for now in 1..400 {
        block(now, u64::MAX);
    }
    let taken = queue(|q| q.taken.clone());
    // After 1, 2, 4, 8, 16, 32, 64, 64 and 64 ticks.
    assert_eq!(taken, [(1, 2), (1 + 63 + 3 * 64, 1)]);
    assert!(queue(|q| q.entries.is_empty()));
}

#[test]
fn steps_that_always_fail_back_off_and_leave_the_queue_to_the_others() {
    // Ten that fail for good are due before all others, of which one is due in every tick.
    queue(|q| {
        q.entries = (0..10).map(|item| (1, item)).collect();
        q.entries.extend((1..=200).map(|tick| (tick, 100 + tick)));
        q.failing = (0..10).map(|item| (item, u8::MAX)).collect();
    });
    for now in 1..280 {
        // Enough for two steps.
        block(now, 1 + 4 * 10 + 2 * 100);
    }
    queue(|q| {
        assert_eq!(q.taken.len(), 200);
        for (taken, item) in &q.taken {
            let late = taken - (item - 100);
            assert!(late <= 10, "{item} is {late} ticks late");
        }
        // After 1, 2, 4, 8, 16, 32 and then every 64 ticks.
        assert_eq!(q.failures.len(), 10);
        assert!(q
            .failures
            .values()
            .all(|attempts| (9..=10).contains(attempts)));
        assert_eq!(q.entries.len(), 10);
    });
}

#[test]
fn work_before_others_leaves_them_their_share_and_is_charged_for_what_it_took() {
    let weight = |parts| Weight::from_parts(parts, parts);
    let mut meter = WeightMeter::with_limit(weight(100));
    keeping(&mut meter, weight(30), |share| {
        assert_eq!(share.limit(), weight(70));
        share.consume(weight(60));
    });
    assert_eq!(meter.remaining(), weight(40));
    keeping(&mut meter, weight(50), |share| {
        assert_eq!(share.limit(), Weight::zero());
    });
    assert_eq!(meter.remaining(), weight(40));
}
