// SPDX-License-Identifier: Apache-2.0

//! Rounds without result: what becomes of their votes, fines and seats, and of the case.

use crate::mock::*;
use crate::{Event, Order, Progress, Seats, Stage, Votes};
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_interfaces::Rounds;
use tos_pallet_support::testing::now;
use tos_types::{vote::Outcome, Balance, Phase};

/// Judges 1 and 2 reveal, 3 hides, 4 and 5 are silent.
fn fail() {
    open();
    play_all(&[full(60), full(60), Act::Hidden]);
}

#[test]
fn votes_are_dropped_and_a_new_panel_is_waited_for_at_once() {
    test(|| {
        fail();
        assert_eq!(Votes::<Test>::iter().count(), 0);
        assert_eq!((docket().stage, docket().round), (Stage::Waiting, 1));
        assert_eq!(docket().failed_since, Some(now()));
        let (request, _) = Line::get(CASE).unwrap();
        assert_eq!((request.round, request.seats), (1, 5));
        assert_eq!(
            told().last(),
            Some(&Told::Entered(Phase::PanelDraw, 1, now() + 7_200))
        );
        assert_eq!(Panels::result(&CASE), None);
        draw(&[(6, 1), (7, 1), (8, 1), (9, 1), (10, 1)]);
        play(&[(6, full(70)), (7, full(70)), (8, full(70))]);
        assert_eq!((standing().round, standing().answers[0].quality), (1, 70));
    });
}

#[test]
fn its_fines_go_to_the_seats_that_revealed_at_most_the_fee_each_and_the_rest_to_the_treasury() {
    test(|| {
        fail();
        // A tenth of two seats and half of one are lost; two seats get a fee of 0.15 each.
        let lost = [3, 4, 5].map(|who| BOND - judge(who).bond);
        assert_eq!(lost, [LOCK / 2, LOCK / 10, LOCK / 10]);
        assert_eq!([1, 2, 3].map(|who| judge(who).earned), [FEE, FEE, 0]);
        assert_eq!(free(POT), ED + 2 * FEE);
        assert_eq!(free(TREASURY), ED + LOCK * 7 / 10 - 2 * FEE);
        let paid = Event::SeatPaid {
            case: CASE,
            round: 0,
            who: 1,
            points: 0,
            amount: FEE,
        };
        System::assert_has_event(paid.into());
        let fined = Event::SeatFined {
            case: CASE,
            round: 0,
            who: 3,
            amount: LOCK / 2,
        };
        System::assert_has_event(fined.into());
    });
}

#[test]
fn fines_below_the_fees_are_shared_by_seats_to_the_last_wei() {
    test(|| {
        assert_ok!(Panels::open(case()));
        // Four of ten seats reveal, five hide and one is silent.
        draw(&[(1, 4), (2, 5), (3, 1)]);
        play(&[(1, Act::Full(UNJUDGEABLE)), (2, Act::Hidden)]);
        // Half of five tenths of the reward, and a tenth of one: more than four fees.
        let lock = LOCK / 2;
        assert_eq!(BOND - judge(2).bond, 5 * lock / 2);
        assert_eq!(judge(1).earned, 4 * (PAY / 10));
        assert_eq!(
            free(TREASURY) - ED,
            5 * lock / 2 + lock / 10 - judge(1).earned
        );
    });
    test(|| {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 3), (2, 2), (3, 4), (4, 1)]);
        play(&[
            (1, Act::Full(UNJUDGEABLE)),
            (2, Act::Full(UNJUDGEABLE)),
            (3, full(60)),
        ]);
        // Nine of ten seats revealed, five of which cannot judge: no outcome.
        let fine = LOCK / 2 / 10;
        let earned: Balance = (1..=3).map(|who| judge(who).earned).sum();
        assert_eq!((earned, free(POT)), (fine, ED + fine));
        let third = fine / 3;
        assert_eq!(judge(1).earned, third + 1);
        assert_eq!(free(TREASURY), ED);
    });
}

#[test]
fn without_any_reveal_all_fines_go_to_the_treasury() {
    test(|| {
        open();
        play(&[]);
        assert_eq!(free(TREASURY), ED + 5 * LOCK / 10);
        assert_eq!(free(POT), ED);
    });
}

#[test]
fn its_seats_are_free_a_cool_down_later_and_its_records_are_gone() {
    test(|| {
        fail();
        run(11);
        assert_eq!(judge(3).locked, LOCK / 2);
        run(1);
        assert!((1..=5).all(|who| judge(who).locked == 0));
        assert_eq!(Progress::<Test>::iter().count(), 0);
        assert_eq!(Order::<Test>::iter().count(), 0);
        assert_eq!(Seats::<Test>::iter().count(), 0);
        assert_eq!(docket().stage, Stage::Waiting);
    });
}

#[test]
fn a_fine_leaves_what_a_draw_can_lock_as_it_was() {
    test(|| {
        open();
        let before = [3, 4].map(|who| judge(who).bond - judge(who).locked);
        play_all(&[full(60), full(60), Act::Hidden]);
        let after = [3, 4].map(|who| judge(who).bond - judge(who).locked);
        assert_eq!(before, after);
    });
}

#[test]
fn a_judge_may_sit_in_the_next_round_while_the_last_ones_stakes_are_still_locked() {
    test(|| {
        fail();
        draw(&[(1, 1), (2, 1), (6, 1), (7, 1), (8, 1)]);
        assert_eq!(judge(1).locked, 2 * LOCK);
        run(12);
        assert_eq!(judge(1).locked, LOCK);
        play(&[(1, full(50)), (2, full(50)), (6, full(50))]);
        assert_eq!(standing().round, 1);
    });
}

#[test]
fn a_case_without_a_result_for_the_longest_time_is_abandoned() {
    test(|| {
        fail();
        let first = now();
        // The roster finds the next panel only when the time is over.
        TestClock::set(first + 7_200 - 40);
        draw(&[(6, 5)]);
        let seated = now();
        play(&[]);
        assert!(now() < first + 7_200 && now() > seated);
        assert_eq!((docket().stage, docket().round), (Stage::Waiting, 2));
        TestClock::set(first + 7_200);
        draw(&[(7, 5)]);
        play(&[]);
        assert_eq!(docket().stage, Stage::Abandoned);
        assert_eq!(told().last(), Some(&Told::Abandoned));
        System::assert_has_event(Event::Abandoned { case: CASE }.into());
        assert!(!Line::contains_key(CASE));
        // Its seats are freed all the same, once.
        Panels::close(&CASE);
        run(12);
        assert_eq!(judge(7).locked, 0);
    });
}

#[test]
fn no_result_is_told_before_the_round_that_gives_one() {
    test(|| {
        fail();
        let results = told().into_iter().filter(|t| matches!(t, Told::Stands(_)));
        assert_eq!(results.count(), 0);
        let event = Event::RoundCounted {
            case: CASE,
            round: 0,
            outcome: Outcome::None,
            answers: Default::default(),
        };
        System::assert_has_event(event.into());
    });
}
