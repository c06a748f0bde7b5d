// SPDX-License-Identifier: Apache-2.0

//! Types in bootstrap: most seats are for certified judges.

use crate::mock::*;
use crate::{Counts, Error, Event, Place};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_interfaces::{NoRoom, Roster};
use tos_types::{
    roster::{SeatKind, SeatRequest, SeatStake},
    Difficulty, TOS,
};

/// The number of certified seats of a case; each is of another judge.
fn certified_seats(number: u8) -> usize {
    let seats = seats(number).unwrap();
    seats.iter().filter(|one| one.certified).count()
}

fn vacancy(number: u8, certified: u32, holders: &[u64]) -> SeatRequest<u64> {
    SeatRequest {
        seats: certified,
        kind: SeatKind::Vacancy {
            certified,
            holders: holders.to_vec().try_into().unwrap(),
        },
        stake: SeatStake::Each(TOS),
        ..request(number)
    }
}

#[test]
fn two_thirds_of_the_seats_go_to_as_many_certified_judges() {
    ExtBuilder::judges(30).bootstrap(6).execute(|| {
        assert_eq!(Counts::<Test>::get(TYPE).certified, 6);
        for number in 1..=20 {
            draw(request(number));
            let seats = seats(number).unwrap();
            assert_eq!(certified_seats(number), 4);
            assert!(seats.iter().all(|one| !one.certified || one.who <= 6));
            let all: u32 = seats.iter().map(|one| one.seats).sum();
            assert_eq!(all, 5);
            for one in seats {
                unlock(one.who, u128::from(one.seats) * TOS);
            }
        }
    });
}

#[test]
fn a_panel_is_as_large_as_there_are_certified_judges_for() {
    let seats = |certified, wanted| {
        let mut fixed = None;
        ExtBuilder::judges(30).bootstrap(certified).execute(|| {
            let now = <Judges as Roster<u64>>::seats_now(TYPE, wanted);
            enqueue(SeatRequest {
                seats: wanted,
                ..request(1)
            });
            block();
            let terms = waiting(1).unwrap().terms;
            assert_eq!(terms.map(|terms| terms.seats), now);
            fixed = terms.map(|terms| (terms.seats, terms.certified, terms.lock));
        });
        fixed
    };
    assert_eq!(seats(9, 13), Some((13, 9, TOS / 2)));
    assert_eq!(seats(5, 13), Some((7, 5, 5 * TOS / 7)));
    assert_eq!(seats(3, 5), Some((3, 3, 5 * TOS / 3)));
    assert_eq!(seats(2, 5), None);
}

#[test]
fn a_reward_is_admitted_whose_lowered_panel_fits_into_a_third_of_the_stake() {
    ExtBuilder::judges(5).bootstrap(4).execute(|| {
        let admits = |reward| <Judges as Roster<u64>>::admits(TYPE, reward, Difficulty::Beginner);
        // Five judges are fewer than twice the seats, which counts outside bootstrap only.
        assert_eq!(admits(166 * TOS), Ok(()));
        assert_eq!(admits(167 * TOS), Err(NoRoom::RewardTooLarge));
        assert_ok!(Judges::end_bootstrap(RuntimeOrigin::root(), TYPE));
        assert_eq!(admits(TOS), Err(NoRoom::TooFewJudges));
    });
    ExtBuilder::judges(50).bootstrap(2).execute(|| {
        let admits = <Judges as Roster<u64>>::admits(TYPE, TOS, Difficulty::Expert);
        assert_eq!(admits, Err(NoRoom::TooFewCertified));
    });
}

#[test]
fn governance_alone_ends_bootstrap_and_all_seats_are_open_then() {
    ExtBuilder::judges(30).bootstrap(4).execute(|| {
        assert!(<Judges as Roster<u64>>::bootstraps(TYPE));
        let end = |origin| Judges::end_bootstrap(origin, TYPE);
        assert_noop!(end(origin(1)), DispatchError::BadOrigin);
        assert_ok!(end(RuntimeOrigin::root()));
        System::assert_last_event(Event::BootstrapEnded { task_type: TYPE }.into());
        assert_noop!(end(RuntimeOrigin::root()), Error::<Test>::NotInBootstrap);
        draw(request(1));
        assert_eq!(
            (certified_seats(1), seats_of(1).values().sum::<u32>()),
            (0, 5)
        );
    });
}

#[test]
fn seats_of_a_ticket_stay_as_they_were_fixed_when_bootstrap_ends() {
    ExtBuilder::judges(30).bootstrap(4).execute(|| {
        enqueue(request(1));
        block();
        assert_ok!(Judges::end_bootstrap(RuntimeOrigin::root(), TYPE));
        block();
        assert_eq!(certified_seats(1), 4);
    });
}

#[test]
fn a_judge_whose_certificate_lapsed_takes_no_certified_seat_and_leaves_their_tree() {
    ExtBuilder::judges(30).bootstrap(6).execute(|| {
        world(|w| w.certified.remove(&1));
        for number in 1..=10 {
            draw(request(number));
            let seats = seats(number).unwrap();
            assert!(seats.iter().all(|one| one.who > 1 || !one.certified));
        }
        assert_eq!(Counts::<Test>::get(TYPE).certified, 6);
        next_period();
        assert_eq!(Counts::<Test>::get(TYPE).certified, 5);
        assert_eq!((judge(1).certified_leaf, weight(1)), (None, 100));
        // With another certificate it comes back when anyone says so.
        world(|w| w.certified.insert(1));
        assert_ok!(Judges::sync_certificate(origin(50), 1, TYPE));
        next_period();
        assert_eq!(Counts::<Test>::get(TYPE).certified, 6);
    });
}

#[test]
fn without_enough_certified_judges_a_case_waits_and_keeps_its_room() {
    ExtBuilder::judges(30).bootstrap(4).execute(|| {
        world(|w| w.suspended.insert(2));
        draw(request(1));
        assert_eq!(waiting(1).unwrap().place, Place::Pause);
        // The roster knows it from the next period: the seats are fixed anew, in the line.
        skip_to(100);
        assert_eq!(Counts::<Test>::get(TYPE).certified, 3);
        pass(70);
        assert_eq!(
            (seats_of(1).values().sum::<u32>(), certified_seats(1)),
            (3, 3)
        );
        assert_eq!(crate::Locked::<Test>::get(TYPE).reserved, 0);
    });
}

#[test]
fn a_certified_vacancy_goes_to_a_certified_judge_that_has_no_such_seat_or_stays_empty() {
    ExtBuilder::judges(30).bootstrap(5).execute(|| {
        for number in 1..=10 {
            draw(vacancy(number, 1, &[1, 2, 3]));
            let seats = seats(number).unwrap();
            assert_eq!(seats.len(), 1);
            assert!([4, 5].contains(&seats[0].who) && seats[0].certified);
            unlock(seats[0].who, TOS);
        }
        draw(vacancy(11, 2, &[1, 2, 3, 4]));
        assert_eq!(seats_of(11), [(5, 1)].into());
        unlock(5, TOS);
        // It is drawn for once, and told of even so.
        draw(vacancy(12, 1, &[1, 2, 3, 4, 5]));
        assert_eq!(seats(12), Some(Vec::new()));
        assert_eq!(waiting(12), None);
    });
}

#[test]
fn the_judge_whose_seat_is_vacant_does_not_get_it_back() {
    ExtBuilder::judges(30).bootstrap(4).execute(|| {
        // It was silent, and reports back at once.
        <Judges as Roster<u64>>::silent(&4, TYPE);
        assert_ok!(Judges::report_back(origin(4), TYPE));
        draw(vacancy(1, 1, &[1, 2, 3]));
        assert_eq!(seats(1), Some(Vec::new()));
    });
}
