// SPDX-License-Identifier: Apache-2.0

//! The stake of seats: locked, fined, freed, and paid for.

use crate::mock::*;
use crate::{Error, Event, Locked, Releases};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::{Difficulty, TOS};

#[test]
fn a_fine_lowers_bond_and_lock_alike_and_the_weight_from_the_next_period() {
    ExtBuilder::judges(4).execute(|| {
        lock(1, 20 * TOS);
        let (spare, before) = (judge(1).spare(), total());
        let fined = <Judges as Roster<u64>>::fine(&1, TYPE, 3 * TOS / 2, &2);
        assert_eq!(fined, 3 * TOS / 2);
        assert_eq!(free(2), FUNDS - 100 * TOS + fined);
        let after = judge(1);
        assert_eq!(
            (after.bond, after.locked),
            (100 * TOS - fined, 20 * TOS - fined)
        );
        assert_eq!((after.spare(), total()), (spare, before));
        assert_eq!(Locked::<Test>::get(TYPE).seats, 20 * TOS - fined);
        next_period();
        assert_eq!((weight(1), total()), (98, 398));
    });
}

#[test]
fn no_more_is_fined_than_is_locked() {
    ExtBuilder::judges(4).execute(|| {
        assert_eq!((fine(1, TOS), fine(9, TOS)), (0, 0));
        lock(1, 2 * TOS);
        assert_eq!(fine(1, 5 * TOS), 2 * TOS);
        assert_eq!((judge(1).locked, judge(1).bond), (0, 98 * TOS));
        assert_eq!(free(TREASURY), ED + 2 * TOS);
        assert_eq!(fine(1, TOS), 0);
    });
}

#[test]
fn a_fine_that_its_receiver_cannot_take_goes_to_the_treasury_and_else_nowhere() {
    ExtBuilder::judges(4).execute(|| {
        lock(1, TOS);
        let dust = ED - 1;
        let fine = |to| <Judges as Roster<u64>>::fine(&1, TYPE, dust, &to);
        assert_eq!(fine(777), dust);
        assert_eq!(free(TREASURY), ED + dust);
        System::assert_last_event(
            Event::FineDiverted {
                to: 777,
                beneficiary: TREASURY,
                amount: dust,
            }
            .into(),
        );
    });
    ExtBuilder::judges(4).without_treasury().execute(|| {
        lock(1, TOS);
        assert_eq!(<Judges as Roster<u64>>::fine(&1, TYPE, ED - 1, &777), 0);
        assert_eq!((judge(1).bond, judge(1).locked), (100 * TOS, TOS));
    });
}

#[test]
fn stake_is_free_at_once_where_no_draw_is_outstanding() {
    ExtBuilder::judges(4).execute(|| {
        lock(1, 5 * TOS);
        unlock(1, 2 * TOS);
        assert_eq!(judge(1).locked, 3 * TOS);
        unlock(1, 9 * TOS);
        assert_eq!((judge(1).locked, Locked::<Test>::get(TYPE).seats), (0, 0));
        unlock(9, TOS);
    });
}

#[test]
fn stake_that_becomes_free_after_a_ticket_is_free_when_that_is_done() {
    ExtBuilder::judges(20).execute(|| {
        lock(1, 10 * TOS);
        world(|w| w.prompt = false);
        enqueue(request(1));
        block();
        unlock(1, 4 * TOS);
        unlock(1, 6 * TOS);
        assert_eq!(judge(1).locked, 10 * TOS);
        // A ticket that is taken later does not hold it up.
        enqueue(request(2));
        block();
        Judges::do_try_state().unwrap();
        world(|w| w.ready = 1);
        block();
        assert!(seats(1).is_some() && seats(2).is_none());
        let of_seats = seats_of(1).get(&1).copied().unwrap_or(0);
        assert_eq!(judge(1).locked, u128::from(of_seats) * TOS);
        assert_eq!(Releases::<Test>::iter().count(), 0);
        world(|w| w.prompt = true);
        block();
    });
}

#[test]
fn a_withdrawn_ticket_frees_what_waits_for_it() {
    ExtBuilder::judges(20).execute(|| {
        lock(1, 10 * TOS);
        world(|w| w.prompt = false);
        enqueue(request(1));
        block();
        unlock(1, 10 * TOS);
        <Judges as Roster<u64>>::withdraw(&case(1));
        assert_eq!(judge(1).locked, 10 * TOS);
        block();
        assert_eq!(judge(1).locked, 0);
    });
}

#[test]
fn tickets_of_other_types_hold_up_nothing() {
    let others = (1..=20).map(|who| (who, OTHER_TYPE, 100 * TOS));
    ExtBuilder::judges(20).also(others).execute(|| {
        world(|w| w.prompt = false);
        enqueue(tos_types::roster::SeatRequest {
            task_type: OTHER_TYPE,
            ..request(1)
        });
        block();
        lock(1, 10 * TOS);
        unlock(1, 10 * TOS);
        assert_eq!(judge(1).locked, 0);
    });
}

#[test]
fn pay_is_booked_and_claimed_by_anyone_for_its_owner() {
    ExtBuilder::judges(4).execute(|| {
        let claim = |who| Judges::claim_pay(origin(who), TYPE);
        assert_noop!(claim(1), Error::<Test>::NothingToClaim);
        pay(1, 3 * TOS);
        pay(1, 2 * TOS);
        pay(2, TOS);
        assert_eq!((judge(1).earned, free(POT)), (5 * TOS, ED + 6 * TOS));
        let before = free(1);
        assert_ok!(claim(1));
        assert_eq!((free(1), judge(1).earned), (before + 5 * TOS, 0));
        assert_noop!(claim(1), Error::<Test>::NothingToClaim);
        let before = free(2);
        assert_ok!(Judges::claim_pay_for(origin(1), 2, TYPE));
        assert_eq!((free(2), free(POT)), (before + TOS, ED));
        assert_noop!(claim(50), Error::<Test>::NotJudge);
    });
}

#[test]
fn a_judge_that_withdraws_gets_its_pay_too_and_one_that_is_gone_is_paid_at_once() {
    ExtBuilder::judges(4).execute(|| {
        pay(1, 3 * TOS);
        assert_ok!(Judges::leave(origin(1), TYPE));
        skip_to(1_300);
        assert_ok!(Judges::withdraw(origin(1), TYPE));
        assert_eq!((free(1), free(POT)), (FUNDS + 3 * TOS, ED));
        pay(1, TOS);
        assert_eq!((free(1), free(POT)), (FUNDS + 4 * TOS, ED));
        // An account that cannot exist: the treasury has it.
        pay(777, ED - 1);
        assert_eq!((free(TREASURY), free(POT)), (2 * ED - 1, ED));
        pay(777, 0);
    });
}

#[test]
fn a_reward_is_admitted_that_leaves_room_for_panels_and_a_court() {
    ExtBuilder::judges(20).execute(|| {
        let admits = |reward, difficulty| {
            <Judges as Roster<u64>>::admits(TYPE, reward, difficulty)
                .map_err(|no| format!("{no:?}"))
        };
        let most = 2_000 * TOS / 10_000 * 1_428;
        assert_eq!(admits(most, Difficulty::Advanced), Ok(()));
        let large = Err("RewardTooLarge".to_string());
        assert_eq!(admits(most + 1, Difficulty::Advanced), large);
        // Thirteen seats twice are more than twenty judges.
        let few = Err("TooFewJudges".to_string());
        assert_eq!(admits(TOS, Difficulty::Expert), few);
        assert_eq!(<Judges as Roster<u64>>::stake(TYPE), 2_000 * TOS);
        assert_eq!(<Judges as Roster<u64>>::seats_now(TYPE, 13), Some(13));
        assert_eq!(<Judges as Roster<u64>>::pot(), POT);
        // What is locked changes nothing: tasks wait for room.
        lock(1, 100 * TOS);
        assert_eq!(admits(most, Difficulty::Advanced), Ok(()));
        // Judges that leave do not count from the next period.
        for who in 1..=3 {
            assert_ok!(Judges::leave(origin(who), TYPE));
        }
        assert_eq!(admits(TOS, Difficulty::Advanced), Ok(()));
        next_period();
        assert_eq!(admits(TOS, Difficulty::Advanced), few);
        // With dearer seats the panel itself has to fit.
        world(|w| {
            w.seats.seat_stake = 20_000;
            w.seats.panel_locks = 2_000;
        });
        let tenth = 1_700 * TOS / 10;
        assert_eq!(admits(tenth, Difficulty::Beginner), Ok(()));
        assert_eq!(admits(tenth + 5 * TOS, Difficulty::Beginner), large);
    });
}
