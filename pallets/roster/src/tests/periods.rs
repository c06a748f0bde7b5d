// SPDX-License-Identifier: Apache-2.0

//! Changes of the trees, at the begin of periods alone.

use crate::mock::*;
use crate::{Applied, Changes, Event, Leaves, RosterNodes, WeightInfo};
use frame_support::{assert_ok, weights::Weight};
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::{roster::RosterId, TOS};

/// The trees and the judges on their leaves.
fn trees() -> Vec<(RosterId, u32, u64)> {
    let mut leaves: Vec<_> = Leaves::<Test>::iter().collect();
    leaves.sort();
    leaves
}

/// The work of a block in which only so many changes can be made.
fn changes(number: u64) -> Weight {
    let change = <() as WeightInfo>::change().saturating_mul(number);
    <() as WeightInfo>::hook_base().saturating_add(change)
}

#[test]
fn no_call_changes_a_tree_before_the_period_ends() {
    ExtBuilder::judges(4).execute(|| {
        lock(4, 50 * TOS);
        let before = (trees(), total());
        assert_ok!(Judges::leave(origin(1), TYPE));
        <Judges as Roster<u64>>::silent(&2, TYPE);
        world(|w| {
            w.certified.insert(3);
            w.suspended.insert(3);
        });
        assert_ok!(Judges::sync_certificate(origin(9), 3, TYPE));
        fine(4, 10 * TOS);
        assert_ok!(Judges::register(origin(5), TYPE, 90 * TOS));
        pass(98);
        assert_eq!((trees(), total()), before);
        pass(1);
        assert_eq!(now(), 100);
        assert_eq!((trees().len(), total()), (1, 90));
    });
}

#[test]
fn with_changes_left_there_are_neither_tickets_nor_draws() {
    ExtBuilder::judges(20).execute(|| {
        // One case with a ticket, one in line.
        world(|w| w.prompt = false);
        enqueue(request(1));
        block();
        enqueue(request(2));
        for who in 1..=6 {
            assert_ok!(Judges::leave(origin(who), TYPE));
        }
        TestClock::set(100);
        world(|w| w.prompt = true);
        for left in [4, 2] {
            block_with(changes(2));
            assert_eq!(Changes::<Test>::iter().count(), left);
            assert_eq!((Applied::<Test>::get(), seats(1)), (0, None));
            assert!(waiting(2).unwrap().terms.is_none());
        }
        // The rest of them, and then all else.
        block();
        assert_eq!((Applied::<Test>::get(), total()), (1, 1_400));
        block();
        assert!(seats(1).is_some() && seats(2).is_some());
    });
}

#[test]
fn changes_of_periods_that_passed_without_a_block_are_all_made() {
    ExtBuilder::judges(3).execute(|| {
        assert_ok!(Judges::leave(origin(1), TYPE));
        assert_ok!(Judges::register(origin(4), TYPE, 50 * TOS));
        skip_to(2_345);
        assert_eq!((Applied::<Test>::get(), total()), (23, 250));
        assert_eq!(Changes::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_leaf_that_one_judge_leaves_is_taken_by_another_in_the_same_period() {
    ExtBuilder::judges(3).execute(|| {
        let leaf = judge(1).leaf;
        assert_ok!(Judges::register(origin(4), TYPE, 50 * TOS));
        skip_to(650);
        assert_ok!(Judges::leave(origin(1), TYPE));
        // Whatever the order of the two changes is, no leaf has two judges.
        next_period();
        assert_eq!((judge(1).leaf, total()), (None, 250));
        assert!(judge(4).leaf == leaf || judge(4).leaf == Some(3));
        assert_ok!(Judges::rejoin(origin(1), TYPE));
        next_period();
        let mut leaves: Vec<_> = (1..=4).map(|who| judge(who).leaf).collect();
        leaves.sort();
        assert_eq!(leaves, [0, 1, 2, 3].map(Some));
    });
}

#[test]
fn a_change_that_fails_is_put_off_and_holds_up_no_other() {
    ExtBuilder::judges(3).build().execute_with(|| {
        assert_ok!(Judges::register(origin(1), OTHER_TYPE, 50 * TOS));
        assert_ok!(Judges::leave(origin(2), TYPE));
        // The tree of one type is gone.
        let nodes: Vec<_> = RosterNodes::<Test>::iter().collect();
        for (id, at, _) in &nodes {
            RosterNodes::<Test>::remove(id, at);
        }
        skip_to(700);
        let failed = |event: &Event<Test>| matches!(event, Event::ChangeFailed { who: 2, .. });
        assert!(events().iter().any(failed));
        assert_eq!((Judges::total(OTHER_TYPE), judge(2).weight), (50, 100));
        assert_eq!(Applied::<Test>::get(), 7);
        // With the tree back, the change is made.
        for (id, at, node) in nodes {
            RosterNodes::<Test>::insert(id, at, node);
        }
        next_period();
        assert_eq!((total(), weight(2)), (200, 0));
        Judges::do_try_state().unwrap();
    });
}

#[test]
fn what_a_change_costs_is_what_is_charged_for_it() {
    ExtBuilder::judges(5).execute(|| {
        for who in 1..=3 {
            assert_ok!(Judges::leave(origin(who), TYPE));
        }
        pass(98);
        TestClock::set(100);
        let used = block();
        TestClock::set(101);
        let idle = block();
        let look = <() as WeightInfo>::agenda_tick();
        let made = <() as WeightInfo>::change().saturating_mul(3);
        assert_eq!(used, idle.saturating_add(made).saturating_add(look));
    });
}
