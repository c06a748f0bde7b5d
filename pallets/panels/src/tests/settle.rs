// SPDX-License-Identifier: Apache-2.0

//! Settlement of seats: points and pay, fines, losses by appeal, the baseline, and its steps.

use crate::mock::*;
use crate::{Baselines, Event, Settling, Stage};
use frame_support::{assert_ok, traits::fungible::Mutate, weights::Weight};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds};
use tos_types::{
    rounds::{Cursor, FinalResult},
    vote::{AnswerOutcome, AnswerOutcomes, Outcome},
    Balance, Verdict,
};

/// The standing result as the final one, with this pay.
pub fn as_it_stands(pay: Balance) -> FinalResult {
    let standing = standing();
    FinalResult {
        outcome: standing.outcome,
        answers: standing.answers,
        moved: 0,
        pay,
    }
}

/// Results with these qualities.
pub fn qualities(all: [u8; 3]) -> AnswerOutcomes {
    let of = |quality| AnswerOutcome {
        quality,
        innovation: 50,
        ..AnswerOutcome::default()
    };
    AnswerOutcomes::truncate_from(all.map(of).to_vec())
}

/// Brings the pay to the pot, and settles all seats in one call.
pub fn settle(result: &FinalResult) {
    assert_ok!(Balances::mint_into(&POT, result.pay));
    let done = Panels::settle(&CASE, result, Cursor::default(), Weight::MAX);
    assert_eq!(done.next, None);
}

/// Runs a test in which [`settle`] brings this much pay, which comes from outside.
fn test_paying(pay: Balance, run: impl FnOnce()) {
    chain().execute_with(|| {
        let issued = Balances::total_issuance();
        run();
        check(issued + pay);
    });
}

#[test]
fn seats_share_the_pay_by_their_points_against_the_baseline() {
    test_paying(PAY, || {
        open();
        // The baseline is 50 and the result 80: 30, 30, 20, 30 and no points an answer.
        play_all(&[full(80), full(80), full(90), full(80), full(50)]);
        settle(&as_it_stands(PAY));
        let earned = (1..=5).map(|who| judge(who).earned).collect::<Vec<_>>();
        // 30 : 30 : 20 : 30 : 0 of the pay, none of it above two fees.
        let part = |points: Balance| PAY * points / 110;
        assert!((part(20)..=part(20) + 1).contains(&earned[2]));
        assert!((part(30)..=part(30) + 1).contains(&earned[0]));
        assert_eq!((earned[4], judge(5).bond), (0, BOND));
        assert_eq!(earned.iter().sum::<Balance>(), PAY);
        let paid = Event::SeatPaid {
            case: CASE,
            round: 0,
            who: 3,
            points: 60,
            amount: earned[2],
        };
        System::assert_has_event(paid.into());
        System::assert_last_event(
            Event::Settled {
                case: CASE,
                baseline: 51,
            }
            .into(),
        );
    });
}

#[test]
fn bad_points_cost_at_the_same_rate_and_the_treasury_gets_them_with_what_no_seat_may_keep() {
    test_paying(PAY, || {
        open();
        // One seat is right; three say the baseline, and one is further off than it.
        play_all(&[full(80), full(50), full(50), full(50), full(40)]);
        let result = FinalResult {
            answers: qualities([80; 3]),
            ..as_it_stands(PAY)
        };
        settle(&result);
        assert_eq!(judge(1).earned, 2 * FEE);
        assert_eq!((2..=5).map(|who| judge(who).earned).sum::<Balance>(), 0);
        // Ten points below where the right seat has thirty: a third of all pay, cut to a fee.
        assert_eq!(BOND - judge(5).bond, FEE);
        assert_eq!(free(TREASURY), ED + (PAY - 2 * FEE) + FEE);
        assert_eq!(judge(5).locked, LOCK - FEE);
    });
}

#[test]
fn without_good_points_no_seat_is_paid_and_none_loses() {
    test_paying(PAY, || {
        open();
        play_all(&[full(50), full(50), full(50), full(20), full(90)]);
        settle(&as_it_stands(PAY));
        assert!((1..=5).all(|who| judge(who).earned == 0 && judge(who).bond == BOND));
        assert_eq!(free(TREASURY), ED + PAY);
    });
}

#[test]
fn an_account_with_several_seats_is_paid_for_each_of_them() {
    test_paying(PAY, || {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 3), (2, 1), (3, 1)]);
        play_all(&[full(80), full(80), full(80)]);
        settle(&as_it_stands(PAY));
        assert_eq!(judge(1).earned, 3 * FEE);
        assert_eq!([2, 3].map(|who| judge(who).earned), [FEE, FEE]);
    });
}

#[test]
fn silence_and_hiding_cost_their_parts_of_the_lock_and_only_silence_the_place() {
    test_paying(PAY, || {
        open();
        play_all(&[full(80), full(80), full(80), Act::Hidden, Act::Absent]);
        settle(&as_it_stands(PAY));
        assert_eq!(BOND - judge(4).bond, LOCK / 2);
        assert_eq!(BOND - judge(5).bond, LOCK / 10);
        assert!(!judge(4).silent && judge(5).silent);
        assert_eq!(free(TREASURY), ED + LOCK * 6 / 10);
        // What no vote came for is shared by the others, within their caps.
        assert_eq!((1..=3).map(|who| judge(who).earned).sum::<Balance>(), PAY);
        Panels::close(&CASE);
        run(12);
        assert!((1..=5).all(|who| judge(who).locked == 0));
    });
}

#[test]
fn votes_and_silence_are_recorded_once_an_account() {
    test_paying(PAY, || {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 2), (2, 1), (3, 1), (4, 1)]);
        world(|w| w.suspended.insert(4));
        play(&[(1, full(80)), (2, full(65))]);
        settle(&as_it_stands(PAY));
        let records = world(|w| {
            let all = w.records.iter();
            all.map(|(who, _, p)| (*who, p.completion, p.accuracy))
                .collect::<Vec<_>>()
        });
        // Fifteen points off is half of an accuracy, which is neutral; the suspended one has no record.
        assert_eq!(
            records,
            [(1, 10_000, 10_000), (2, 10_000, 0), (3, -10_000, 0)]
        );
    });
}

/// A settled result that an appeal has replaced.
fn ruled(answers: [u8; 3], moved: u32) -> FinalResult {
    FinalResult {
        answers: qualities(answers),
        moved,
        ..as_it_stands(0)
    }
}

#[test]
fn an_appeal_costs_by_the_worst_answer_that_it_moved_linearly_up_to_the_lock() {
    test(|| {
        open();
        play_all(&[
            Act::Full(ballot(&[score(80), score(10), score(50)])),
            Act::Full(ballot(&[score(65), score(10), score(50)])),
            Act::Full(ballot(&[score(50), score(10), score(50)])),
            Act::Full(ballot(&[score(30), score(10), score(50)])),
            Act::Full(ballot(&[score(80), score(10), score(50)])),
        ]);
        // The first answer is moved to 80; the second is as far off, and was not moved.
        settle(&ruled([80, 50, 50], 0b001));
        let lost = [1, 2, 3, 4, 5].map(|who| BOND - judge(who).bond);
        assert_eq!(lost, [0, 0, LOCK / 2, LOCK, 0]);
        assert_eq!(judge(4).locked, 0);
        assert_eq!(free(TREASURY), ED + LOCK * 3 / 2);
    });
}

#[test]
fn an_answer_called_unavailable_brings_and_costs_nothing() {
    test_paying(PAY, || {
        open();
        let missing = verdict(Verdict::Unavailable);
        play_all(&[
            full(80),
            full(80),
            full(80),
            Act::Full(ballot(&[missing; 3])),
            Act::Full(ballot(&[verdict(Verdict::Malformed); 3])),
        ]);
        let result = FinalResult {
            moved: 0b111,
            ..as_it_stands(PAY)
        };
        settle(&result);
        assert_eq!((judge(4).earned, judge(4).bond), (0, BOND));
        // Another verdict counts as quality 0, far off.
        assert_eq!(BOND - judge(5).bond, LOCK);
        // It has no accuracy to be recorded either.
        let record = world(|w| w.records.iter().find(|(who, ..)| *who == 4).cloned());
        assert_eq!(record.unwrap().2.accuracy, 0);
    });
}

#[test]
fn the_side_that_loses_a_claim_about_the_end_of_the_task_loses_its_lock() {
    test(|| {
        open();
        play_all(&[
            Act::Full(UNJUDGEABLE),
            Act::Full(UNJUDGEABLE),
            Act::Full(UNJUDGEABLE),
            Act::Full(UNJUDGEABLE),
            full(60),
        ]);
        assert_eq!(standing().outcome, Outcome::Faulty);
        let result = FinalResult {
            outcome: Outcome::Scored,
            answers: qualities([10; 3]),
            moved: 0b111,
            pay: 0,
        };
        settle(&result);
        assert!((1..=4).all(|who| judge(who).bond == BOND - LOCK));
        // The scores of the other side are no result that was moved.
        assert_eq!(judge(5).bond, BOND);
    });
    test(|| {
        open();
        play_all(&[
            full(60),
            full(60),
            full(60),
            full(60),
            Act::Full(UNJUDGEABLE),
        ]);
        let result = FinalResult {
            outcome: Outcome::Faulty,
            answers: AnswerOutcomes::new(),
            moved: 0,
            pay: 0,
        };
        settle(&result);
        assert!((1..=4).all(|who| judge(who).bond == BOND - LOCK));
        assert_eq!(judge(5).bond, BOND);
    });
}

#[test]
fn a_faulty_task_pays_no_points_and_moves_no_baseline() {
    test_paying(PAY, || {
        open();
        play_all(&vec![Act::Full(UNJUDGEABLE); 5]);
        settle(&as_it_stands(PAY));
        assert!((1..=5).all(|who| judge(who).earned == 0 && judge(who).bond == BOND));
        assert_eq!(free(TREASURY), ED + PAY);
        assert_eq!(Baselines::<Test>::get(TYPE), None);
    });
}

#[test]
fn the_baseline_moves_a_step_a_task_towards_the_median_of_valid_answers() {
    test(|| {
        open();
        let invalid = verdict(Verdict::Malformed);
        let act = Act::Full(ballot(&[score(90), score(20), invalid]));
        play_all(&vec![act; 5]);
        // The mean of 90 and 20 is above 50.
        settle(&as_it_stands(0));
        assert_eq!(Baselines::<Test>::get(TYPE), Some(51));
    });
}

#[test]
fn points_are_measured_by_the_baseline_of_the_first_seating() {
    test_paying(PAY, || {
        open();
        play(&[]);
        Baselines::<Test>::insert(TYPE, 80);
        draw(&[(6, 1), (7, 1), (8, 1), (9, 1), (10, 1)]);
        assert_eq!(docket().baseline, Some(50));
        let acts: Vec<_> = (6..=10).map(|who| (who, full(80))).collect();
        play(&acts);
        settle(&as_it_stands(PAY));
        assert!((6..=10).all(|who| judge(who).earned == FEE));
    });
}

#[test]
fn a_settlement_goes_on_from_where_its_budget_ended_and_pays_each_seat_once() {
    test_paying(PAY, || {
        open();
        play_all(&[full(80), full(80), full(80), Act::Hidden, Act::Absent]);
        let result = as_it_stands(PAY);
        assert_ok!(Balances::mint_into(&POT, PAY));
        let mut from = Cursor::default();
        for settled in 1..=5 {
            let done = Panels::settle(&CASE, &result, from, Weight::zero());
            from = done.next.unwrap();
            assert_eq!(from, Cursor(settled));
            assert!(Settling::<Test>::contains_key(CASE));
            Panels::do_try_state().unwrap();
        }
        assert_eq!(
            Panels::settle(&CASE, &result, from, Weight::zero()).next,
            None
        );
        assert!(docket().settled && !Settling::<Test>::contains_key(CASE));
        let earned: Balance = (1..=5).map(|who| judge(who).earned).sum();
        assert_eq!(earned, PAY);

        // Once more from the begin: nothing is paid or fined again.
        let bonds: Balance = (1..=5).map(|who| judge(who).bond).sum();
        let again = Panels::settle(&CASE, &result, Cursor::default(), Weight::MAX);
        assert_eq!(again.next, None);
        assert_eq!((1..=5).map(|who| judge(who).earned).sum::<Balance>(), PAY);
        assert_eq!((1..=5).map(|who| judge(who).bond).sum::<Balance>(), bonds);
        assert_eq!(docket().stage, Stage::Stands);
    });
}

#[test]
fn a_wrong_position_settles_no_seat_twice() {
    test_paying(PAY, || {
        open();
        play_all(&vec![full(80); 5]);
        let result = as_it_stands(PAY);
        assert_ok!(Balances::mint_into(&POT, PAY));
        for _ in 0..5 {
            Panels::settle(&CASE, &result, Cursor::default(), Weight::zero());
        }
        assert!((1..=5).all(|who| judge(who).earned == FEE));
        assert_eq!(
            Panels::settle(&CASE, &result, Cursor(3), Weight::zero()).next,
            None
        );
    });
}

#[test]
fn a_settlement_stays_within_its_budget_after_the_first_seat() {
    use crate::WeightInfo;
    test_paying(PAY, || {
        open();
        play_all(&vec![full(80); 5]);
        let result = as_it_stands(PAY);
        assert_ok!(Balances::mint_into(&POT, PAY));
        let budget = <()>::settle_begin(5, 3)
            .saturating_add(<()>::settle_seat(3).saturating_mul(2))
            .saturating_add(<()>::settle_seat_fined(3));
        let done = Panels::settle(&CASE, &result, Cursor::default(), budget);
        assert!(done.used.all_lte(budget));
        assert_eq!(done.next, Some(Cursor(3)));
    });
}

#[test]
fn what_the_treasury_cannot_take_stays_in_the_pot_and_is_told() {
    chain().execute_with(|| {
        let dust = ED - 1;
        open();
        play_all(&vec![full(50); 5]);
        assert_ok!(Balances::mint_into(&POT, dust));
        assert_ok!(Balances::burn_from(
            &TREASURY,
            ED,
            frame_support::traits::tokens::Preservation::Expendable,
            frame_support::traits::tokens::Precision::Exact,
            frame_support::traits::tokens::Fortitude::Force,
        ));
        Panels::settle(&CASE, &as_it_stands(dust), Cursor::default(), Weight::MAX);
        let event = Event::Undeliverable {
            case: CASE,
            amount: dust,
        };
        System::assert_has_event(event.into());
        assert_eq!(free(POT), ED + dust);
    });
}

#[test]
fn what_does_not_stand_is_not_settled() {
    test(|| {
        let nothing = FinalResult {
            outcome: Outcome::Scored,
            answers: qualities([60; 3]),
            moved: 0,
            pay: 0,
        };
        let settle = || Panels::settle(&CASE, &nothing, Cursor::default(), Weight::MAX).next;
        assert_eq!(settle(), None);
        open_with(Case { seats: 5, ..case() });
        assert_eq!(settle(), None);
        assert!(!docket().settled);
    });
}
