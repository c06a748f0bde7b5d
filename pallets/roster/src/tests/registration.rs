// SPDX-License-Identifier: Apache-2.0

//! Becoming a judge, bonding more, and ceasing to be one.

use crate::mock::*;
use crate::{Addition, Counts, Error, Event, HoldReason, Rise};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::TOS;
use tos_views::BondStatus;

fn held(who: u64) -> u128 {
    Balances::balance_on_hold(&HoldReason::JudgeStake.into(), &who)
}

#[test]
fn a_bond_is_held_at_once_and_counts_from_the_first_period_after_its_warm_up() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Judges::register(origin(1), TYPE, 60 * TOS));
        assert_eq!((held(1), free(1)), (60 * TOS, FUNDS - 60 * TOS));
        System::assert_last_event(
            Event::Registered {
                who: 1,
                task_type: TYPE,
                bond: 60 * TOS,
                at: 601,
            }
            .into(),
        );
        skip_to(699);
        assert_eq!((judge(1).bond, weight(1), total()), (0, 0, 0));
        skip_to(700);
        let judge = judge(1);
        assert_eq!((judge.bond, judge.warm), (60 * TOS, 60 * TOS));
        assert_eq!((judge.weight, judge.pending, total()), (60, None, 60));
        assert_eq!(judge.rises.to_vec(), [Rise { at: 700, before: 0 }]);
    });
}

#[test]
fn genesis_judges_are_warm_and_one_bond_counts_in_one_type() {
    let other = [(1, OTHER_TYPE, 70 * TOS)];
    ExtBuilder::judges(2).also(other).execute(|| {
        assert_eq!((weight(1), weight(2), total()), (100, 100, 200));
        assert!(judge(1).rises.is_empty());
        assert_eq!(Judges::total(OTHER_TYPE), 70);
        assert_eq!(held(1), 170 * TOS);
        assert_ok!(Judges::leave(origin(1), OTHER_TYPE));
        next_period();
        assert_eq!((Judges::total(OTHER_TYPE), total()), (0, 200));
    });
}

#[test]
fn bad_registrations_are_refused_each_with_its_own_error() {
    ExtBuilder::judges(1).execute(|| {
        let register = |who, bond| Judges::register(origin(who), TYPE, bond);
        assert_noop!(register(1, 60 * TOS), Error::<Test>::AlreadyRegistered);
        assert_noop!(register(2, 50 * TOS - 1), Error::<Test>::BelowEntry);
        assert_noop!(register(500, 50 * TOS), Error::<Test>::InsufficientStake);
        assert_noop!(register(2, FUNDS), Error::<Test>::InsufficientStake);
        world(|w| w.suspended.insert(2));
        assert_noop!(register(2, 50 * TOS), Error::<Test>::Suspended);
        assert_ok!(register(3, 50 * TOS));
        assert_eq!(Counts::<Test>::get(TYPE).bonds, 2);
    });
}

#[test]
fn a_part_of_a_tos_has_no_weight() {
    ExtBuilder::bonded([(1, 50)]).execute(|| {
        assert_ok!(Judges::add_bond(origin(1), TYPE, TOS - 1));
        skip_to(700);
        assert_eq!((judge(1).bond, weight(1)), (51 * TOS - 1, 50));
        assert_ok!(Judges::add_bond(origin(1), TYPE, 1));
        skip_to(1_400);
        assert_eq!(weight(1), 51);
    });
}

#[test]
fn what_is_added_later_begins_the_warm_up_of_all_that_warms_up_anew() {
    ExtBuilder::judges(1).execute(|| {
        assert_ok!(Judges::add_bond(origin(1), TYPE, 10 * TOS));
        skip_to(500);
        assert_ok!(Judges::add_bond(origin(1), TYPE, 5 * TOS));
        let addition = Addition {
            amount: 15 * TOS,
            at: 1_100,
        };
        assert_eq!(judge(1).pending, Some(addition));
        Judges::do_try_state().unwrap();
        skip_to(1_000);
        assert_eq!(weight(1), 100);
        skip_to(1_100);
        assert_eq!((weight(1), held(1)), (115, 115 * TOS));
    });
}

#[test]
fn a_former_bond_is_restored_in_the_next_period_and_only_what_goes_beyond_it_warms_up() {
    ExtBuilder::judges(4).execute(|| {
        lock(1, 30 * TOS);
        assert_eq!(fine(1, 30 * TOS), 30 * TOS);
        next_period();
        assert_eq!(weight(1), 70);
        assert_ok!(Judges::add_bond(origin(1), TYPE, 10 * TOS));
        assert_ok!(Judges::add_bond(origin(1), TYPE, 25 * TOS));
        // Nothing that a draw reads has moved yet.
        assert_eq!((judge(1).bond, weight(1)), (70 * TOS, 70));
        assert_eq!(judge(1).restoring, 30 * TOS);
        assert_eq!(judge(1).pending.unwrap().amount, 5 * TOS);
        next_period();
        assert_eq!((judge(1).bond, weight(1)), (100 * TOS, 100));
        // It rose all the same: what was drawn for before counts it as it was.
        let rise = Rise {
            at: 200,
            before: 70,
        };
        assert_eq!(judge(1).rises.to_vec(), [rise]);
        skip_to(800);
        assert_eq!(weight(1), 105);
    });
}

#[test]
fn below_the_bond_to_stay_a_judge_is_not_drawn_until_it_adds() {
    ExtBuilder::bonded([(1, 50), (2, 100)]).execute(|| {
        lock(1, 50 * TOS);
        fine(1, 25 * TOS);
        next_period();
        assert_eq!(weight(1), 25);
        fine(1, 1);
        next_period();
        assert_eq!((weight(1), total()), (0, 100));
        unlock(1, 25 * TOS - 1);
        assert_ok!(Judges::add_bond(origin(1), TYPE, 1));
        next_period();
        assert_eq!((weight(1), total()), (25, 125));
    });
}

#[test]
fn a_leaving_judge_is_drawn_until_the_period_ends_and_gets_its_bond_after_the_unbonding() {
    ExtBuilder::judges(2).execute(|| {
        assert_ok!(Judges::leave(origin(1), TYPE));
        let leaving = BondStatus::Leaving { release_at: 1_201 };
        assert_eq!(judge(1).status(), leaving);
        assert_noop!(Judges::leave(origin(1), TYPE), Error::<Test>::Leaving);
        let add = Judges::add_bond(origin(1), TYPE, TOS);
        assert_noop!(add, Error::<Test>::Leaving);
        assert_eq!(weight(1), 100);
        next_period();
        assert_eq!((weight(1), total()), (0, 100));
        skip_to(1_200);
        let withdraw = |who| Judges::withdraw(origin(who), TYPE);
        assert_noop!(withdraw(1), Error::<Test>::StillUnbonding);
        skip_to(1_201);
        assert_noop!(withdraw(2), Error::<Test>::NotLeaving);
        assert_noop!(withdraw(3), Error::<Test>::NotJudge);
        assert_ok!(withdraw(1));
        assert_eq!((held(1), free(1)), (0, FUNDS));
        assert_eq!(Judges::bond(TYPE, 1), None);
        assert_eq!(Counts::<Test>::get(TYPE).bonds, 1);
    });
}

#[test]
fn a_judge_that_is_still_drawn_cannot_withdraw_however_short_the_unbonding() {
    ExtBuilder::judges(2).execute(|| {
        crate::Settings::<Test>::mutate(|times| times.unbonding = 5);
        assert_ok!(Judges::leave(origin(1), TYPE));
        skip_to(20);
        let withdraw = || Judges::withdraw(origin(1), TYPE);
        assert_noop!(withdraw(), Error::<Test>::StillUnbonding);
        next_period();
        assert_ok!(withdraw());
    });
}

#[test]
fn a_judge_with_an_open_seat_leaves_the_tree_and_withdraws_when_its_stake_is_free() {
    ExtBuilder::judges(20).execute(|| {
        draw(request(1));
        let who = seats(1).unwrap()[0].who;
        let locked = judge(who).locked;
        assert!(locked > 0);
        assert_ok!(Judges::leave(origin(who), TYPE));
        skip_to(2_000);
        assert_eq!(weight(who), 0);
        let withdraw = || Judges::withdraw(origin(who), TYPE);
        assert_noop!(withdraw(), Error::<Test>::StillSeated);
        // Fined duties are done as well.
        fine(who, locked / 2);
        unlock(who, locked - locked / 2);
        assert_ok!(withdraw());
        assert_eq!(free(who), FUNDS - locked / 2);
    });
}

#[test]
fn a_judge_that_rejoins_is_back_in_the_next_period_without_a_warm_up() {
    ExtBuilder::judges(2).execute(|| {
        let rejoin = || Judges::rejoin(origin(1), TYPE);
        assert_noop!(rejoin(), Error::<Test>::NotLeaving);
        assert_ok!(Judges::leave(origin(1), TYPE));
        next_period();
        assert_ok!(rejoin());
        assert_eq!((judge(1).status(), weight(1)), (BondStatus::Active, 0));
        next_period();
        assert_eq!(weight(1), 100);
        // Leaving and rejoining within a period changes nothing.
        assert_ok!(Judges::leave(origin(1), TYPE));
        assert_ok!(rejoin());
        next_period();
        assert_eq!((weight(1), judge(1).rises.len()), (100, 1));
    });
}

#[test]
fn a_silent_judge_is_off_the_roster_until_it_reports_back() {
    ExtBuilder::judges(3).execute(|| {
        let report = || Judges::report_back(origin(1), TYPE);
        assert_noop!(report(), Error::<Test>::NotSilent);
        <Judges as Roster<u64>>::silent(&1, TYPE);
        assert_eq!(judge(1).status(), BondStatus::Silent { since: 1 });
        assert_eq!(weight(1), 100);
        next_period();
        assert_eq!((weight(1), total()), (0, 200));
        next_period();
        assert_eq!(weight(1), 0);
        assert_ok!(report());
        assert_noop!(report(), Error::<Test>::NotSilent);
        assert_eq!(judge(1).status(), BondStatus::Returning);
        next_period();
        assert_eq!((weight(1), judge(1).status()), (100, BondStatus::Active));
    });
}

#[test]
fn a_judge_that_is_silent_again_before_its_return_has_to_report_again() {
    ExtBuilder::judges(3).execute(|| {
        <Judges as Roster<u64>>::silent(&1, TYPE);
        assert_ok!(Judges::report_back(origin(1), TYPE));
        <Judges as Roster<u64>>::silent(&1, TYPE);
        next_period();
        assert_eq!(weight(1), 0);
        // Neither does leaving end a silence.
        assert_ok!(Judges::leave(origin(1), TYPE));
        assert_ok!(Judges::rejoin(origin(1), TYPE));
        next_period();
        assert_eq!(weight(1), 0);
    });
}

#[test]
fn a_suspended_judge_leaves_and_enters_the_tree_when_anyone_says_so() {
    ExtBuilder::judges(2).execute(|| {
        let sync = || Judges::sync_certificate(origin(50), 1, TYPE);
        assert_noop!(sync(), Error::<Test>::InStep);
        world(|w| w.suspended.insert(1));
        assert_ok!(sync());
        assert_eq!(weight(1), 100);
        next_period();
        assert_eq!(weight(1), 0);
        assert_noop!(sync(), Error::<Test>::InStep);
        world(|w| w.suspended.clear());
        assert_ok!(sync());
        next_period();
        assert_eq!(weight(1), 100);
        let unknown = Judges::sync_certificate(origin(50), 9, TYPE);
        assert_noop!(unknown, Error::<Test>::NotJudge);
    });
}
