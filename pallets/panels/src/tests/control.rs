// SPDX-License-Identifier: Apache-2.0

//! Control answers: who may write them, when they are told, and that they only measure.

use super::settle::{as_it_stands, settle};
use crate::mock::*;
use crate::{Checks, ControlAuthors, Controls, Error, Event};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{RevealedAnswer, Rounds};
use tos_types::{commitment, params::MAX_CONTROL_AUTHORS, rounds::Cursor, TaskId};

const AUTHOR: u64 = PARTIES[2];
const CONTENT: [u8; 32] = [5; 32];
const SECRET: [u8; 32] = [6; 32];

fn approve(who: u64) {
    assert_ok!(Panels::set_control_author(RuntimeOrigin::root(), who, true));
}

/// The answer of `who` in place `index` can be told from now on.
fn judged(who: u64, index: u32, quality: u8, round: u32) {
    let salt = commitment::control_answer(&CASE, &who, &CONTENT, quality, &SECRET);
    let answer = RevealedAnswer {
        index,
        content: CONTENT,
        salt,
        round,
    };
    world(|w| w.judged.insert((CASE, who), answer));
}

fn tell(who: u64, quality: u8) -> DispatchResult {
    Panels::reveal_control(origin(who), CASE, quality, SECRET)
}

#[test]
fn only_governance_approves_control_authors_and_only_so_many() {
    test(|| {
        assert_noop!(
            Panels::set_control_author(origin(1), 1, true),
            DispatchError::BadOrigin
        );
        approve(AUTHOR);
        let event = Event::ControlAuthorSet {
            who: AUTHOR,
            approved: true,
        };
        System::assert_last_event(event.into());
        let set = |who, approved| Panels::set_control_author(RuntimeOrigin::root(), who, approved);
        assert_noop!(set(AUTHOR, true), Error::<Test>::AlreadyControlAuthor);
        assert_noop!(set(1, false), Error::<Test>::NotControlAuthor);
        for who in 2_000..2_000 + u64::from(MAX_CONTROL_AUTHORS) - 1 {
            approve(who);
        }
        assert_noop!(set(1, true), Error::<Test>::TooManyControlAuthors);
        assert_ok!(set(AUTHOR, false));
        assert!(!ControlAuthors::<Test>::contains_key(AUTHOR));
        assert_ok!(set(1, true));
    });
}

#[test]
fn a_control_answer_is_told_by_its_author_once_in_time_and_as_it_was_bound() {
    test(|| {
        open();
        play_all(&vec![full(50); 5]);
        assert_noop!(tell(AUTHOR, 80), Error::<Test>::NotControlAuthor);
        approve(AUTHOR);
        assert_noop!(tell(AUTHOR, 80), Error::<Test>::NoControlNow);
        judged(AUTHOR, 1, 80, 0);
        assert_noop!(tell(AUTHOR, 101), Error::<Test>::ScoreOutOfRange);
        assert_noop!(tell(AUTHOR, 81), Error::<Test>::WrongKey);
        assert_noop!(
            Panels::reveal_control(origin(AUTHOR), CASE, 80, [0; 32]),
            Error::<Test>::WrongKey
        );
        // Another control author cannot tell it, though it may see quality and secret in the pool.
        approve(PARTIES[1]);
        let stolen = world(|w| w.judged[&(CASE, AUTHOR)]);
        world(|w| w.judged.insert((CASE, PARTIES[1]), stolen));
        assert_noop!(tell(PARTIES[1], 80), Error::<Test>::WrongKey);
        assert_ok!(tell(AUTHOR, 80));
        let event = Event::ControlRevealed {
            case: CASE,
            author: AUTHOR,
            index: 1,
            quality: 80,
        };
        System::assert_last_event(event.into());
        assert_noop!(tell(AUTHOR, 80), Error::<Test>::AlreadyKnown);
    });
}

/// The earnings, bonds and records of a panel whose votes are off a check of 80, which is told or not.
fn conduct(known: bool) -> Vec<(u128, u128, i16)> {
    chain().execute_with(|| {
        open();
        let crowd = Act::Full(ballot(&[score(50), score(20), score(80)]));
        let knows = Act::Full(ballot(&[score(50), score(80), score(80)]));
        play_all(&[crowd.clone(), crowd.clone(), crowd.clone(), crowd, knows]);
        if known {
            approve(AUTHOR);
            judged(AUTHOR, 1, 80, 0);
            assert_ok!(tell(AUTHOR, 80));
        }
        settle(&as_it_stands(PAY));
        let accuracy = |who: u64| world(|w| w.records[who as usize - 1].2.accuracy);
        (1..=5)
            .map(|who| (judge(who).earned, judge(who).bond, accuracy(who)))
            .collect()
    })
}

#[test]
fn a_control_answer_moves_no_money_and_no_reputation() {
    assert_eq!(conduct(true), conduct(false));
}

#[test]
fn votes_are_measured_by_what_was_known_and_the_checks_are_counted() {
    chain().execute_with(|| {
        approve(AUTHOR);
        open();
        play_all(&[
            Act::Full(ballot(&[score(50), score(80), score(50)])),
            full(50),
            full(65),
            Act::Full(UNJUDGEABLE),
            Act::Hidden,
        ]);
        judged(AUTHOR, 1, 80, 0);
        assert_ok!(tell(AUTHOR, 80));
        settle(&as_it_stands(0));
        let checked: Vec<(u64, u16)> = System::read_events_for_pallet::<Event<Test>>()
            .into_iter()
            .filter_map(|event| match event {
                Event::Checked { who, accuracy, .. } => Some((who, accuracy)),
                _ => None,
            })
            .collect();
        assert_eq!(checked, [(1, 10_000), (2, 0), (3, 5_000)]);
        let stats = Checks::<Test>::get();
        assert_eq!((stats.answers, stats.checks), (3, 1));
        // They are forgotten with their case.
        Panels::close(&CASE);
        assert_eq!(
            Panels::forget(&CASE, Cursor::default(), Weight::MAX).next,
            None
        );
        assert!(!Controls::<Test>::contains_key(CASE));
    });
}

#[test]
fn a_salt_that_hides_a_check_opens_for_no_other_case_or_vote() {
    let made =
        |case: u8| commitment::control_answer(&TaskId([case; 16]), &1u64, &CONTENT, 5, &SECRET);
    assert_ne!(made(1), made(2));
    assert_ne!(
        made(1),
        commitment::ballot(&CASE, 5, &1u64, &UNJUDGEABLE, None, &SECRET)
    );
}
