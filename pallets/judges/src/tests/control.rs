// SPDX-License-Identifier: Apache-2.0

//! Control answers: who may write them, when they are told, and what they measure.

use crate::mock::*;
use crate::{Checks, ControlAuthors, Controls, Error, Event, Results};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_interfaces::{Panels, RevealedAnswer};
use tos_types::{
    commitment,
    params::{EXPERT_ACCURACY, MAX_CONTROL_AUTHORS, START_ACCURACY},
    AnswerScore, Bp, TaskId,
};

const CONTROL_AUTHOR: u64 = SUBMITTERS[1];
const CONTENT: [u8; 32] = [5; 32];
const SECRET: [u8; 32] = [6; 32];

fn approve(who: u64) {
    assert_ok!(Judges::set_control_author(RuntimeOrigin::root(), who, true));
}

/// The answer of `who` in place `index` can be told from now on.
fn judged(who: u64, index: u32, quality: u8, round: u32) {
    let salt = commitment::control_answer(&TASK, &who, &CONTENT, quality, &SECRET);
    let answer = RevealedAnswer {
        index,
        content: CONTENT,
        salt,
        round,
    };
    world(|w| w.judged.insert((TASK, who), answer));
}

fn tell(who: u64, quality: u8) -> Result<(), DispatchError> {
    Judges::reveal_control(origin(who), TASK, quality, SECRET)
}

/// A vote on three answers.
fn vote(qualities: [u8; 3]) -> Vote {
    Vote::Full(qualities.map(score).to_vec().try_into().unwrap())
}

#[test]
fn only_governance_approves_control_authors_and_only_so_many() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            Judges::set_control_author(origin(1), 1, true),
            DispatchError::BadOrigin
        );
        approve(CONTROL_AUTHOR);
        let event = Event::ControlAuthorSet {
            who: CONTROL_AUTHOR,
            approved: true,
        };
        System::assert_last_event(event.into());
        let set = |who, approved| Judges::set_control_author(RuntimeOrigin::root(), who, approved);
        assert_noop!(
            set(CONTROL_AUTHOR, true),
            Error::<Test>::AlreadyControlAuthor
        );
        assert_noop!(set(1, false), Error::<Test>::NotControlAuthor);
        for who in 2_000..2_000 + u64::from(MAX_CONTROL_AUTHORS) - 1 {
            approve(who);
        }
        assert_noop!(set(1, true), Error::<Test>::TooManyControlAuthors);
        assert_ok!(set(CONTROL_AUTHOR, false));
        assert!(!ControlAuthors::<Test>::contains_key(CONTROL_AUTHOR));
        assert_ok!(set(1, true));
    });
}

#[test]
fn a_control_answer_is_told_by_its_author_once_in_time_and_as_it_was_bound() {
    ExtBuilder::judges(9).execute(|| {
        play_round(0, &[vote([50; 3]), vote([50; 3]), vote([50; 3])]);
        assert_noop!(tell(CONTROL_AUTHOR, 80), Error::<Test>::NotControlAuthor);
        approve(CONTROL_AUTHOR);
        assert_noop!(tell(CONTROL_AUTHOR, 80), Error::<Test>::NoControlNow);
        judged(CONTROL_AUTHOR, 1, 80, 0);
        assert_noop!(tell(CONTROL_AUTHOR, 101), Error::<Test>::ScoreOutOfRange);
        assert_noop!(tell(CONTROL_AUTHOR, 81), Error::<Test>::WrongKey);
        assert_noop!(
            Judges::reveal_control(origin(CONTROL_AUTHOR), TASK, 80, [0; 32]),
            Error::<Test>::WrongKey
        );
        // Another control author cannot tell it, though it may see quality and secret in the pool.
        approve(SUBMITTERS[0]);
        let stolen = world(|w| w.judged[&(TASK, CONTROL_AUTHOR)]);
        world(|w| w.judged.insert((TASK, SUBMITTERS[0]), stolen));
        assert_noop!(tell(SUBMITTERS[0], 80), Error::<Test>::WrongKey);
        assert_ok!(tell(CONTROL_AUTHOR, 80));
        let event = Event::ControlRevealed {
            task: TASK,
            author: CONTROL_AUTHOR,
            index: 1,
            quality: 80,
        };
        System::assert_last_event(event.into());
        assert_noop!(tell(CONTROL_AUTHOR, 80), Error::<Test>::AlreadyKnown);
    });
}

#[test]
fn votes_are_measured_by_what_was_known_and_not_by_the_crowd() {
    ExtBuilder::judges(9).execute(|| {
        approve(CONTROL_AUTHOR);
        // Two of three agree on a wrong quality of the middle answer; the third knows better.
        let crowd = vote([50, 20, 50]);
        let (m, _) = play_round(0, &[crowd.clone(), crowd, vote([50, 80, 50])]);
        judged(CONTROL_AUTHOR, 1, 80, 0);
        assert_ok!(tell(CONTROL_AUTHOR, 80));
        let points = Judges::conclude(&TASK, TYPE, true);
        let (wrong, right) = (judge(m[0]), judge(m[2]));
        assert_eq!((wrong.checks, right.checks), (1, 1));
        assert_eq!(right.known, 7_300);
        assert!(wrong.known < START_ACCURACY, "{}", wrong.known);
        // The crowd still calls itself accurate.
        assert!(wrong.accuracy > right.accuracy);
        let of = |place: usize| points[place].1;
        assert_eq!(
            of(0),
            ((7 * 10_000 + 3 * u32::from(wrong.known)) / 10) as Bp
        );
        let event = Event::Checked {
            who: m[2],
            task: TASK,
            accuracy: 10_000,
            running: right.known,
        };
        System::assert_has_event(event.into());
    });
}

#[test]
fn whoever_keeps_failing_checks_earns_nothing_though_the_crowd_agrees_with_it() {
    ExtBuilder::judges(3).execute(|| {
        approve(CONTROL_AUTHOR);
        for number in 1..=5u8 {
            let m = open_round(0, 3);
            let votes = vec![vote([50, 0, 50]); 3];
            play_votes(0, &votes);
            judged(CONTROL_AUTHOR, 1, 100, 0);
            assert_ok!(tell(CONTROL_AUTHOR, 100));
            let points = Judges::conclude(&TASK, TYPE, true);
            Judges::forget(&TASK);
            let known = judge(m[0]).known;
            assert_eq!(judge(m[0]).checks, u32::from(number));
            let earns = known >= 5_000;
            assert!(points.iter().all(|(_, points)| (*points > 0) == earns));
        }
        assert!(judge(1).known < 5_000);
        assert_eq!(judge(1).accuracy, {
            let mut accuracy = u32::from(START_ACCURACY);
            for _ in 0..5 {
                accuracy = (accuracy * 9 + 10_000) / 10;
            }
            accuracy as u16
        });
    });
}

#[test]
fn votes_of_a_round_after_the_telling_are_not_measured_by_it() {
    ExtBuilder::judges(9).execute(|| {
        approve(CONTROL_AUTHOR);
        let (first, _) = play_round(0, &[vote([50, 10, 50]), vote([50, 10, 50]), vote([50; 3])]);
        judged(CONTROL_AUTHOR, 1, 80, 0);
        assert_ok!(tell(CONTROL_AUTHOR, 80));
        // A challenge: everybody can read now what the answer is worth.
        let (second, _) = play_round(1, &vec![vote([50, 80, 50]); 3]);
        Judges::conclude(&TASK, TYPE, true);
        assert!(first.iter().all(|who| judge(*who).checks == 1));
        assert!(second.iter().all(|who| judge(*who).checks == 0));
    });
}

#[test]
fn an_unanswered_check_leaves_the_running_accuracy_as_it_is() {
    ExtBuilder::judges(9).execute(|| {
        approve(CONTROL_AUTHOR);
        let mut votes = vec![vote([50; 3]); 5];
        votes.extend([Vote::Absent, Vote::Hidden]);
        let (m, _) = play_round(0, &votes);
        judged(CONTROL_AUTHOR, 1, 50, 0);
        assert_ok!(tell(CONTROL_AUTHOR, 50));
        Judges::conclude(&TASK, TYPE, true);
        assert_eq!(judge(m[0]).checks, 1);
        for absent in [m[5], m[6]] {
            assert_eq!(judge(absent).checks, 0);
            assert_eq!(judge(absent).known, START_ACCURACY);
        }
    });
}

#[test]
fn experts_are_accurate_by_control_answers_too_once_they_have_met_some() {
    ExtBuilder::judges(1).execute(|| {
        crate::Judges::<Test>::mutate_extant(1, |v| v.accuracy = EXPERT_ACCURACY);
        assert!(judge(1).is_accurate(EXPERT_ACCURACY));
        crate::Judges::<Test>::mutate_extant(1, |v| v.checks = 1);
        assert!(!judge(1).is_accurate(EXPERT_ACCURACY));
        crate::Judges::<Test>::mutate_extant(1, |v| v.known = EXPERT_ACCURACY);
        assert!(judge(1).is_accurate(EXPERT_ACCURACY));
        crate::Judges::<Test>::mutate_extant(1, |v| v.accuracy = EXPERT_ACCURACY - 1);
        assert!(!judge(1).is_accurate(EXPERT_ACCURACY));
    });
}

#[test]
fn everybody_can_read_how_many_answers_were_checks_and_pruning_removes_the_keys() {
    ExtBuilder::judges(9).execute(|| {
        approve(CONTROL_AUTHOR);
        play_round(0, &[vote([50; 3]), vote([50; 3]), vote([50; 3])]);
        judged(CONTROL_AUTHOR, 1, 50, 0);
        assert_ok!(tell(CONTROL_AUTHOR, 50));
        assert_eq!(Checks::<Test>::get().answers, 0);
        Judges::conclude(&TASK, TYPE, true);
        Judges::conclude(&TASK, TYPE, true);
        let stats = Checks::<Test>::get();
        assert_eq!((stats.answers, stats.checks), (3, 1));
        Judges::forget(&TASK);
        assert!(!Controls::<Test>::contains_key(TASK));
        assert!(!Results::<Test>::contains_key(TASK));
    });
}

#[test]
fn a_salt_that_hides_a_check_opens_for_no_other_task_or_vote() {
    let made =
        |task: u8| commitment::control_answer(&TaskId([task; 16]), &1u64, &CONTENT, 5, &SECRET);
    assert_ne!(made(1), made(2));
    let scores: [AnswerScore; 0] = [];
    assert_ne!(
        made(1),
        commitment::vote(&TaskId([1; 16]), 5, &1u64, &scores, None, &SECRET)
    );
}
