// SPDX-License-Identifier: Apache-2.0

//! Taking and finishing tasks, suspension and dormancy.

use crate::mock::*;
use crate::{types::MAX_SUSPENSION_DAYS, Error, Event};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::MinerRegistry;
use tos_types::{join_error::JoinError, params::MAX_CONCURRENT_TASKS, TaskType};
use tos_views::Activity;

const TYPE: TaskType = TaskType::CodeAnalysis;

fn start(who: u64) -> DispatchResult {
    Miners::start_task(&who, TYPE)
}

fn activity(who: u64) -> Activity {
    Miners::miner(who).unwrap().activity
}

#[test]
fn every_refusal_has_its_own_error() {
    ExtBuilder::default().execute(|| {
        let refused = |refusal, error: Error<Test>| {
            assert_eq!(Miners::may_work(&ALICE, TYPE), Err(refusal));
            assert_noop!(start(ALICE), error);
        };
        refused(JoinError::NotRegistered, Error::NotRegistered);
        assert_ok!(Miners::register(signed(ALICE), types(&[TaskType::General])));
        refused(JoinError::NotSpecialised, Error::NotSpecialised);
        assert_ok!(Miners::set_specialisations(signed(ALICE), types(&[TYPE])));
        assert_ok!(Miners::may_work(&ALICE, TYPE));
        assert_ok!(Miners::leave(signed(ALICE)));
        refused(JoinError::Leaving, Error::Leaving);
        assert_ok!(Miners::rejoin(signed(ALICE)));
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), ALICE, 1));
        refused(JoinError::Suspended, Error::Suspended);
        TestClock::advance(91 * DAY);
        refused(JoinError::Dormant, Error::Dormant);
        assert_ok!(Miners::reactivate(signed(ALICE)));
        for _ in 0..MAX_CONCURRENT_TASKS {
            assert_ok!(start(ALICE));
        }
        refused(JoinError::TooManyTasks, Error::TooManyTasks);
        Miners::finish_task(&ALICE, true);
        assert_ok!(start(ALICE));
    });
}

#[test]
fn finished_tasks_are_counted_by_outcome() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        for completed in [true, true, false] {
            assert_ok!(start(ALICE));
            Miners::finish_task(&ALICE, completed);
        }
        assert_ok!(start(ALICE));
        let view = Miners::miner(ALICE).unwrap();
        assert_eq!((view.open_tasks, view.completed, view.failed), (1, 2, 1));
    });
}

#[test]
fn a_suspension_during_a_task_leaves_the_task_alone() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_ok!(start(ALICE));
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), ALICE, 100));
        Miners::finish_task(&ALICE, true);
        let view = Miners::miner(ALICE).unwrap();
        assert_eq!((view.open_tasks, view.completed), (0, 1));
    });
}

#[test]
fn activity_falls_off_in_stages_and_days_are_whole() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        for (days, stage) in [
            (7, Activity::Active),
            (8, Activity::Idle),
            (30, Activity::Idle),
            (31, Activity::Inactive),
            (90, Activity::Inactive),
            (91, Activity::Dormant),
        ] {
            // The last tick of that day.
            TestClock::set(days * DAY + DAY - 1);
            assert_eq!(Miners::miner(ALICE).unwrap().idle_days, days);
            assert_eq!(activity(ALICE), stage, "after {days} days");
        }
    });
}

#[test]
fn joining_and_delivering_are_activity_but_failing_is_not() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        TestClock::advance(20 * DAY);
        assert_ok!(start(ALICE));
        assert_eq!(activity(ALICE), Activity::Active);
        TestClock::advance(20 * DAY);
        Miners::finish_task(&ALICE, false);
        assert_eq!(activity(ALICE), Activity::Idle);
        assert_ok!(start(ALICE));
        TestClock::advance(20 * DAY);
        Miners::finish_task(&ALICE, true);
        assert_eq!(activity(ALICE), Activity::Active);
    });
}

#[test]
fn only_a_dormant_miner_that_stays_reactivates() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            Miners::reactivate(signed(ALICE)),
            Error::<Test>::NotRegistered
        );
        register(ALICE);
        TestClock::advance(90 * DAY);
        assert_noop!(Miners::reactivate(signed(ALICE)), Error::<Test>::NotDormant);
        TestClock::advance(DAY);
        assert_ok!(Miners::leave(signed(ALICE)));
        assert_noop!(Miners::reactivate(signed(ALICE)), Error::<Test>::Leaving);
        assert_ok!(Miners::rejoin(signed(ALICE)));
        assert_ok!(Miners::reactivate(signed(ALICE)));
        assert_eq!(last_event(), Event::Reactivated { who: ALICE });
        assert_ok!(start(ALICE));
    });
}

#[test]
fn suspensions_hold_for_every_account_and_end_by_themselves() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), CAROL, 5));
        let until = now() + 5;
        assert_eq!(last_event(), Event::Suspended { who: CAROL, until });
        TestClock::advance(4);
        assert!(Miners::is_suspended(&CAROL));
        assert_eq!(Miners::suspended_until(&CAROL), Some(until));
        TestClock::advance(1);
        assert!(!Miners::is_suspended(&CAROL));
        assert_eq!(Miners::suspended_until(&CAROL), None);
        assert_noop!(
            Miners::lift_suspension(RuntimeOrigin::root(), CAROL),
            Error::<Test>::NotSuspended
        );
    });
}

/// Otherwise a minor offence would be a way to shorten a long suspension.
#[test]
fn a_shorter_suspension_does_not_cut_a_longer_one() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), CAROL, 50));
        let until = now() + 50;
        <Miners as MinerRegistry<u64>>::suspend(&CAROL, 5);
        assert_eq!(Miners::suspended_until(&CAROL), Some(until));
    });
}

/// Otherwise a suspension could strand a stake for ever.
#[test]
fn suspensions_are_bounded() {
    ExtBuilder::default().execute(|| {
        let longest = MAX_SUSPENSION_DAYS * DAY;
        for duration in [0, longest + 1] {
            assert_noop!(
                Miners::suspend(RuntimeOrigin::root(), CAROL, duration),
                Error::<Test>::InvalidDuration
            );
        }
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), CAROL, longest));
        <Miners as MinerRegistry<u64>>::suspend(&BOB, u32::MAX);
        assert_eq!(Miners::suspended_until(&BOB), Some(now() + longest));
        <Miners as MinerRegistry<u64>>::suspend(&ALICE, 0);
        assert!(!Miners::is_suspended(&ALICE));
    });
}

#[test]
fn only_governance_suspends_and_lifts() {
    ExtBuilder::default().execute(|| {
        for origin in [signed(BOB), signed(CERTIFIER), RuntimeOrigin::none()] {
            assert_noop!(
                Miners::suspend(origin.clone(), ALICE, 5),
                DispatchError::BadOrigin
            );
            assert_noop!(
                Miners::lift_suspension(origin, ALICE),
                DispatchError::BadOrigin
            );
        }
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), ALICE, 5));
        assert_ok!(Miners::lift_suspension(RuntimeOrigin::root(), ALICE));
        assert_eq!(last_event(), Event::SuspensionLifted { who: ALICE });
        assert!(!Miners::is_suspended(&ALICE));
    });
}
