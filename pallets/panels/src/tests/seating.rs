// SPDX-License-Identifier: Apache-2.0

//! Panels as they are seated, vacated and filled again.

use crate::mock::*;
use crate::{Event, Stage, Step, VoteState};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds, Seating};
use tos_pallet_support::testing::now;
use tos_types::{
    roster::{SeatKind, SeatStake, Seated},
    TaskId,
};

#[test]
fn a_panel_that_bootstrap_lowered_locks_more_a_seat() {
    test(|| {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 1), (2, 1), (3, 1)]);
        let round = round(0);
        assert_eq!((round.seats, round.lock), (3, REWARD / 3));
        assert_eq!(judge(1).locked, REWARD / 3);
    });
}

#[test]
fn seats_add_their_steps_for_later_ticks_only() {
    test(|| {
        let mut lengths = tos_types::PhaseLengths::development();
        lengths.vote_commit = 1;
        TestClock::start(7, lengths);
        open();
        let due = docket().due.unwrap();
        assert_eq!((due.at, due.step), (8, Step::Half));
        (1..=5).for_each(|who| commit(who, &flat(50)));
        assert!(docket().due.unwrap().at > now());
    });
}

#[test]
fn seats_without_a_commitment_at_half_are_vacated_and_drawn_for_once_more() {
    test(|| {
        assert_ok!(Panels::open(case()));
        draw_certified(&[(1, 1), (2, 1), (3, 2), (4, 1)], &[1, 2, 3]);
        commit(1, &flat(60));
        commit(4, &flat(60));
        run(30);
        let event = |who, seats| Event::SeatsVacated {
            case: CASE,
            round: 0,
            who,
            seats,
            excused: false,
        };
        System::assert_has_event(event(2, 1).into());
        System::assert_has_event(event(3, 2).into());
        // Before all lines, in the same round, with the panel's stake, and as many certified seats.
        let (request, _) = Line::get(CASE).unwrap();
        assert_eq!((request.round, request.seats), (0, 3));
        assert_eq!(request.stake, SeatStake::Each(LOCK));
        let SeatKind::Vacancy { certified, holders } = request.kind else {
            panic!("no vacancy");
        };
        assert_eq!((certified, holders.to_vec()), (2, vec![1]));
        assert!(judge(2).silent && judge(3).silent && !judge(1).silent);

        draw(&[(6, 1), (7, 2)]);
        let seats = vec![(6, 1), (7, 2)].try_into().unwrap();
        System::assert_last_event(
            Event::VacanciesDrawn {
                case: CASE,
                round: 0,
                seats,
            }
            .into(),
        );
        assert_eq!(round(0).vacant, 0);
        // Not drawn for again.
        run_to(61);
        assert!(!Line::contains_key(CASE));
        assert_eq!((docket().stage, round(0).vacant), (Stage::Reveal, 3));
        // The stakes of vacated seats stay locked, for the fine comes out of them.
        assert_eq!((judge(3).locked, judge(7).locked), (2 * LOCK, 2 * LOCK));
    });
}

#[test]
fn a_vacated_seat_takes_no_commitment_any_more() {
    test(|| {
        open();
        run(30);
        assert_noop!(
            Panels::commit_vote(origin(1), CASE, [1; 32]),
            crate::Error::<Test>::SeatVacated
        );
    });
}

#[test]
fn a_vote_counts_for_vacant_seats_that_its_judge_is_drawn_for() {
    test(|| {
        open();
        (1..=3).for_each(|who| commit(who, &flat(60)));
        run(30);
        draw(&[(1, 2)]);
        assert_eq!((seat(0, 1).seats, round(0).committed), (3, 5));
        // All have committed with it, so the reveals begin.
        run(1);
        assert_eq!(docket().stage, Stage::Reveal);
        (1..=3).for_each(|who| reveal(who, &flat(60)));
        run(1);
        assert_eq!(standing().revealed, 5);
    });
}

#[test]
fn a_judge_that_reported_back_and_is_drawn_again_commits_for_its_new_seat_alone() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        run(30);
        draw(&[(5, 1)]);
        let before = seat(0, 5);
        assert_eq!((before.seats, before.vacated), (1, 1));
        assert_eq!(judge(5).locked, 2 * LOCK);
        commit(5, &flat(60));
        run(1);
        (1..=5).for_each(|who| reveal(who, &flat(60)));
        run(1);
        assert_eq!(standing().revealed, 5);
    });
}

#[test]
fn commitments_do_not_end_early_while_vacant_seats_are_drawn_for() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        run(40);
        assert_eq!(docket().stage, Stage::Commit);
        // None was found: nothing more is to come.
        draw(&[]);
        run(1);
        assert_eq!((docket().stage, round(0).vacant), (Stage::Reveal, 1));
    });
}

#[test]
fn a_line_of_vacancies_that_expires_lets_the_round_go_on() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        run(30);
        crate::mock::Line::remove(CASE);
        Panels::expired(&CASE, 0);
        run(1);
        assert_eq!(docket().stage, Stage::Reveal);
    });
}

#[test]
fn a_roster_that_refuses_vacancies_does_not_hold_up_the_round() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        world(|w| w.refuses = true);
        run(31);
        assert_eq!(docket().stage, Stage::Reveal);
        assert_eq!((round(0).vacant, round(0).waits), (1, false));
    });
}

#[test]
fn where_the_queue_is_behind_no_judge_is_drawn_that_has_no_time_to_commit() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        TestClock::set(59);
        run(1);
        assert_eq!((round(0).vacant, round(0).waits), (1, false));
        assert!(!Line::contains_key(CASE));
        run(1);
        assert_eq!(docket().stage, Stage::Reveal);
    });
}

#[test]
fn a_judge_suspended_before_it_commits_loses_its_seat_without_a_fine() {
    test(|| {
        open();
        (1..=3).for_each(|who| commit(who, &flat(60)));
        world(|w| w.suspended.extend([4, 1]));
        assert_noop!(
            Panels::commit_vote(origin(4), CASE, [1; 32]),
            crate::Error::<Test>::Suspended
        );
        run(30);
        assert_eq!((seat(0, 4).excused, seat(0, 4).vacated), (1, 0));
        assert_eq!((seat(0, 5).excused, seat(0, 5).vacated), (0, 1));
        assert!(!judge(4).silent && judge(5).silent);
        // The one that had committed goes on, suspended or not, and its stake stays locked.
        draw(&[]);
        run(1);
        (1..=3).for_each(|who| reveal(who, &flat(60)));
        run(1);
        assert_eq!((standing().revealed, judge(1).locked), (3, LOCK));
        assert_eq!(judge(4).locked, LOCK);
    });
}

#[test]
fn a_judge_suspended_in_the_second_half_is_excused_too() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        run(30);
        draw(&[(6, 1)]);
        world(|w| w.suspended.insert(6));
        run_to(61);
        assert_eq!(
            (seat(0, 6).excused, seat(0, 6).vote),
            (1, VoteState::Awaited)
        );
        assert!(!judge(6).silent);
    });
}

#[test]
fn seats_that_no_case_waits_for_give_their_stakes_back() {
    test(|| {
        open();
        let late = |round, who| {
            Judges::mutate(who, |judge| judge.locked += LOCK);
            let seated = Seated {
                who,
                seats: 1,
                certified: false,
            };
            Panels::seated(&CASE, round, LOCK, vec![seated]);
            assert_eq!(judge(who).locked, 0);
        };
        // Nothing is vacant, and there is no such round.
        late(0, 9);
        late(1, 9);
        assert_eq!((round(0).seats, round(0).vacant), (5, 0));
        Panels::seated(&TaskId([9; 16]), 0, LOCK, Vec::new());
    });
}

#[test]
fn more_seats_than_are_vacant_give_their_stakes_back() {
    test(|| {
        open();
        (1..=4).for_each(|who| commit(who, &flat(60)));
        run(30);
        draw(&[(6, 2), (7, 1)]);
        assert_eq!((judge(6).locked, judge(7).locked), (LOCK, 0));
        assert_eq!((seat(0, 6).seats, round(0).vacant), (1, 0));
    });
}

#[test]
fn two_cases_have_panels_of_their_own() {
    test(|| {
        open();
        let other = Case {
            id: OTHER_CASE,
            ..case()
        };
        assert_ok!(Panels::open(other));
        draw_for(&OTHER_CASE, &[(1, 5)], &[]);
        assert_eq!(judge(1).locked, 6 * LOCK);
        assert_eq!(round(0).seats, 5);
        play_all(&[full(60), full(60), full(60), full(60), full(60)]);
        assert_eq!(Panels::result(&OTHER_CASE), None);
        Panels::close(&CASE);
        run(12);
        assert_eq!(judge(1).locked, 5 * LOCK);
    });
}
