// SPDX-License-Identifier: Apache-2.0

//! The queue: order, cost, failures, and steps that anyone takes.

use crate::mock::*;
use crate::{Agenda, AgendaCursor, Error, Event, Job, Stage, Step, WeightInfo};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::Pays,
    traits::Hooks,
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds};
use tos_pallet_support::testing::now;

#[test]
fn a_case_is_in_the_queue_only_while_votes_are_taken() {
    test(|| {
        let entries = || Agenda::<Test>::iter_keys().collect::<Vec<_>>();
        assert_ok!(Panels::open(case()));
        assert!(entries().is_empty());
        draw(&[(1, 5)]);
        assert_eq!(entries(), [(30, Job::Case(CASE))]);
        commit(1, &flat(60));
        assert_eq!(entries(), [(1, Job::Case(CASE))]);
        run(1);
        assert_eq!(entries(), [(32, Job::Case(CASE))]);
        reveal(1, &flat(60));
        run(1);
        assert!(entries().is_empty());
        Panels::close(&CASE);
        assert_eq!(entries(), [(14, Job::Free(CASE, 0))]);
    });
}

#[test]
fn steps_that_a_block_has_no_room_for_come_first_in_the_next() {
    test(|| {
        open();
        let start = <()>::agenda_start().saturating_add(<()>::agenda_look());
        let worst = <()>::step_half(5).saturating_add(<()>::step_failed());
        TestClock::set(30);
        let mut meter =
            WeightMeter::with_limit(start.saturating_add(<()>::agenda_look().saturating_mul(29)));
        Panels::on_poll(1, &mut meter);
        assert_eq!(round(0).vacant, 0);
        assert!(AgendaCursor::<Test>::get() <= 30);
        let room = start
            .saturating_add(<()>::agenda_look().saturating_mul(40))
            .saturating_add(worst);
        Panels::on_poll(2, &mut WeightMeter::with_limit(room));
        assert_eq!(round(0).vacant, 5);
    });
}

#[test]
fn idle_blocks_take_steps_too() {
    test(|| {
        open();
        TestClock::set(30);
        let used = Panels::on_idle(1, Weight::MAX);
        assert_eq!(round(0).vacant, 5);
        assert!(used.all_gt(Weight::zero()));
    });
}

#[test]
fn any_account_may_take_a_step_that_is_due_for_free_and_none_before() {
    test(|| {
        assert_noop!(Panels::crank(origin(9), CASE), Error::<Test>::UnknownCase);
        assert_ok!(Panels::open(case()));
        // No call causes a draw.
        assert_noop!(Panels::crank(origin(9), CASE), Error::<Test>::NotDue);
        draw(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
        TestClock::set(29);
        assert_noop!(Panels::crank(origin(9), CASE), Error::<Test>::NotDue);
        TestClock::set(30);
        let done = Panels::crank(origin(9), CASE).unwrap();
        assert_eq!(done.pays_fee, Pays::No);
        let used = <()>::step_half(5).saturating_add(<()>::agenda_look());
        assert_eq!(done.actual_weight, Some(used));
        assert_eq!(round(0).vacant, 5);
    });
}

#[test]
fn a_step_that_fails_changes_nothing_and_is_tried_again_later_and_later() {
    test(|| {
        open();
        (1..=5).for_each(|who| commit(who, &UNJUDGEABLE));
        run(1);
        reveal(1, &UNJUDGEABLE);
        run_to(31);
        // Without a place in the line, the round cannot be dropped.
        world(|w| w.refuses = true);
        let mut attempts = Vec::new();
        for _ in 0..20 {
            run(1);
            let failed = docket().failures;
            if failed as usize > attempts.len() {
                attempts.push(now());
            }
        }
        assert_eq!(attempts, [32, 33, 35, 39, 47]);
        assert_eq!((docket().stage, round(0).revealed()), (Stage::Reveal, 1));
        assert!((1..=5).all(|who| judge(who).bond == BOND));
        let event = Event::StepFailed {
            case: CASE,
            step: Step::Count,
            retry_at: 33,
        };
        System::assert_has_event(event.into());
        // Who cranks a step that fails pays for it.
        TestClock::set(63);
        let done = Panels::crank(origin(9), CASE).unwrap();
        assert_eq!(done.pays_fee, Pays::Yes);
        world(|w| w.refuses = false);
        run(64);
        assert_eq!((docket().stage, docket().failures), (Stage::Waiting, 0));
    });
}

#[test]
fn a_case_that_fails_holds_up_no_other() {
    test(|| {
        assert_ok!(Panels::open(case()));
        assert_ok!(Panels::open(Case {
            id: OTHER_CASE,
            ..case()
        }));
        draw(&[(1, 3), (2, 2)]);
        draw_for(&OTHER_CASE, &[(6, 5)], &[]);
        // Three of five seats cannot judge: no outcome, and no place in the line for another panel.
        commit(1, &UNJUDGEABLE);
        commit(2, &flat(60));
        run(1);
        reveal(1, &UNJUDGEABLE);
        reveal(2, &flat(60));
        world(|w| w.refuses = true);
        run_to(31);
        assert_eq!((docket().stage, docket().failures), (Stage::Reveal, 5));
        let other = crate::Cases::<Test>::get(OTHER_CASE).unwrap();
        assert_eq!((other.stage, other.failures), (Stage::Reveal, 0));
    });
}

#[test]
fn entries_of_no_record_are_taken_out() {
    test(|| {
        Agenda::<Test>::insert(3, Job::Case(CASE), ());
        Agenda::<Test>::insert(3, Job::Free(CASE, 7), ());
        run(4);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
    });
}
