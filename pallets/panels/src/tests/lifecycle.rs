// SPDX-License-Identifier: Apache-2.0

//! Whole lives of cases.

use crate::mock::*;
use crate::{Cases, Error, Event, Order, Parties, Progress, Results, Seats, Stage, Votes};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds};
use tos_pallet_support::testing::now;
use tos_types::{
    roster::{SeatKind, SeatStake},
    rounds::Cursor,
    vote::Outcome,
    Phase, TOS,
};

#[test]
fn a_case_goes_from_the_line_to_a_result_when_all_act_at_once() {
    test(|| {
        assert_ok!(Panels::open(case()));
        System::assert_last_event(
            Event::Opened {
                case: CASE,
                seats: 5,
            }
            .into(),
        );
        let (request, class) = Line::get(CASE).unwrap();
        assert_eq!((request.seats, request.round, class), (5, 0, 0));
        assert_eq!(request.kind, SeatKind::Panel);
        let stake = SeatStake::PartOf {
            all: REWARD,
            least: TOS / 2,
        };
        assert_eq!(request.stake, stake);
        assert_eq!(request.parties.to_vec(), PARTIES);

        draw(&[(1, 1), (2, 2), (3, 1), (4, 1)]);
        assert_eq!((round(0).lock, round(0).seats), (LOCK, 5));
        assert_eq!(judge(2).locked, 2 * LOCK);
        for who in 1..=4 {
            commit(who, &flat(60));
        }
        run(1);
        for who in 1..=4 {
            reveal(who, &flat(60));
        }
        run(1);
        assert_eq!(now(), 2);
        assert_eq!(
            told(),
            [
                Told::Entered(Phase::VoteCommit, 0, 60),
                Told::Entered(Phase::VoteReveal, 0, 31),
                Told::Stands(Outcome::Scored),
            ]
        );
        let standing = standing();
        assert_eq!((standing.round, standing.revealed), (0, 5));
        assert_eq!(standing.answers.len(), 3);
        assert!(standing.answers.iter().all(|a| a.quality == 60));
        assert_eq!(docket().stage, Stage::Stands);
    });
}

#[test]
fn phases_that_run_out_take_their_full_time() {
    test(|| {
        open();
        for who in 1..=3 {
            commit(who, &flat(60));
        }
        run(29);
        assert_eq!(round(0).vacant, 0);
        run(1);
        // Half of 60 ticks: two seats are vacated, and drawn for until the deadline.
        assert_eq!((round(0).vacant, round(0).waits), (2, true));
        run(30);
        assert_eq!(docket().stage, Stage::Commit);
        run(1);
        assert_eq!((docket().stage, docket().deadline), (Stage::Reveal, 91));
        assert!(!Line::contains_key(CASE));
        for who in 1..=2 {
            reveal(who, &flat(60));
        }
        run(30);
        assert_eq!((now(), docket().stage), (91, Stage::Reveal));
        run(1);
        // Two of five revealed: no more than half, so there is no result.
        assert_eq!((docket().stage, docket().round), (Stage::Waiting, 1));
    });
}

#[test]
fn a_case_is_opened_once_and_within_bounds() {
    test(|| {
        assert_ok!(Panels::open(case()));
        assert_noop!(Panels::open(case()), Error::<Test>::AlreadyOpen);
        let other = Case {
            id: OTHER_CASE,
            ..case()
        };
        type Change = fn(&mut Case<u64>);
        let changes: [Change; 4] = [
            |case| case.answers = 33,
            |case| case.seats = 0,
            |case| case.seats = 16,
            |case| case.parties = (0..34).collect(),
        ];
        for change in changes {
            let mut wrong = other.clone();
            change(&mut wrong);
            assert_noop!(Panels::open(wrong), Error::<Test>::OutOfBounds);
        }
        let most = Case {
            answers: 32,
            seats: 15,
            parties: (100..133).collect(),
            ..other.clone()
        };
        assert_ok!(Panels::open(most));
        // What the roster refuses is not open.
        let third = Case {
            id: tos_types::TaskId([3; 16]),
            ..other
        };
        world(|w| w.refuses = true);
        let refused = frame_support::storage::with_storage_layer(|| Panels::open(third.clone()));
        assert!(refused.is_err());
        assert!(!Cases::<Test>::contains_key(third.id));
    });
}

#[test]
fn a_premium_moves_a_case_only_while_it_waits_and_for_its_later_panels_too() {
    test(|| {
        assert_noop!(Panels::raise(&CASE, 3), Error::<Test>::UnknownCase);
        assert_ok!(Panels::open(case()));
        assert_ok!(Panels::raise(&CASE, 3));
        assert_eq!(Line::get(CASE).unwrap().1, 3);
        draw(&[(1, 5)]);
        assert_noop!(Panels::raise(&CASE, 4), Error::<Test>::NotWaiting);
        play(&[]);
        assert_eq!((docket().stage, docket().round), (Stage::Waiting, 1));
        assert_eq!(Line::get(CASE).unwrap().1, 3);
    });
}

/// No record of [`CASE`] is left.
fn is_gone() -> bool {
    !Cases::<Test>::contains_key(CASE)
        && !Parties::<Test>::contains_key(CASE)
        && !Results::<Test>::contains_key(CASE)
        && Progress::<Test>::iter_prefix(CASE).count() == 0
        && Order::<Test>::iter_prefix(CASE).count() == 0
        && Seats::<Test>::iter_prefix((CASE,)).count() == 0
        && Votes::<Test>::iter_prefix((CASE,)).count() == 0
}

#[test]
fn seats_are_free_a_cool_down_after_the_close_and_the_case_is_forgotten_piece_by_piece() {
    test(|| {
        open();
        play_all(&[full(60), full(60), full(60), full(60), full(60)]);
        Panels::close(&CASE);
        // Closing again changes nothing.
        Panels::close(&CASE);
        run(11);
        assert_eq!(judge(1).locked, LOCK);
        run(1);
        assert!((1..=5).all(|who| judge(who).locked == 0));
        System::assert_last_event(
            Event::SeatsFreed {
                case: CASE,
                round: 0,
            }
            .into(),
        );
        Panels::do_try_state().unwrap();

        // A budget of nothing still removes a vote a call.
        let mut from = Cursor::default();
        let mut calls = 0;
        while let Some(next) = Panels::forget(&CASE, from, Weight::zero()).next {
            assert_eq!(next.0, from.0 + 1);
            Panels::do_try_state().unwrap();
            (from, calls) = (next, calls + 1);
        }
        assert_eq!(calls, 5);
        assert!(is_gone());
    });
}

#[test]
fn a_case_that_is_forgotten_before_its_seats_are_free_leaves_no_lock() {
    test(|| {
        open();
        play_all(&[full(60), full(60), full(60), full(60), full(60)]);
        Panels::close(&CASE);
        assert_eq!(
            Panels::forget(&CASE, Cursor::default(), Weight::MAX).next,
            None
        );
        Panels::do_try_state().unwrap();
        assert!(!Cases::<Test>::contains_key(CASE));
        assert_eq!(judge(1).locked, LOCK);
        run(12);
        assert!((1..=5).all(|who| judge(who).locked == 0));
        assert!(is_gone());
    });
}

#[test]
fn what_is_not_closed_is_not_forgotten() {
    test(|| {
        open();
        assert_eq!(
            Panels::forget(&CASE, Cursor::default(), Weight::MAX).next,
            None
        );
        assert!(Cases::<Test>::contains_key(CASE));
        assert_eq!(
            Panels::forget(&OTHER_CASE, Cursor::default(), Weight::MAX).next,
            None
        );
    });
}

#[test]
fn a_case_can_be_closed_in_every_stage_and_leaves_nothing() {
    type Stages = [(&'static str, fn()); 6];
    let stages: Stages = [
        ("waiting", || {
            assert_ok!(Panels::open(case()));
        }),
        ("commit", open),
        ("vacancy", || {
            open();
            run(30);
        }),
        ("reveal", || {
            open();
            (1..=5).for_each(|who| commit(who, &flat(50)));
            run(1);
            reveal(1, &flat(50));
        }),
        ("stands", || {
            open();
            play_all(&[full(60), full(60), full(60)]);
        }),
        ("failed", || {
            open();
            play(&[]);
        }),
    ];
    for (name, begin) in stages {
        test(|| {
            begin();
            Panels::close(&CASE);
            Panels::do_try_state().unwrap();
            assert!(!Line::contains_key(CASE), "{name}");
            assert_noop!(
                Panels::commit_vote(origin(1), CASE, [1; 32]),
                Error::<Test>::NoVoteNow
            );
            run(13);
            assert!((1..=60).all(|who| judge(who).locked == 0), "{name}");
            assert_eq!(
                Panels::forget(&CASE, Cursor::default(), Weight::MAX).next,
                None
            );
            assert!(is_gone(), "{name}");
        });
    }
}

#[test]
fn a_case_without_a_panel_for_the_longest_time_is_abandoned() {
    test(|| {
        assert_ok!(Panels::open(case()));
        Line::remove(CASE);
        expire(0);
        assert_eq!(docket().stage, Stage::Abandoned);
        assert_eq!(told(), [Told::Abandoned]);
        Panels::close(&CASE);
        assert_eq!(
            Panels::forget(&CASE, Cursor::default(), Weight::MAX).next,
            None
        );
        assert!(is_gone());
    });
}

/// The roster tells that it found no judges.
fn expire(round: u32) {
    <Panels as tos_interfaces::Seating<u64>>::expired(&CASE, round);
}
