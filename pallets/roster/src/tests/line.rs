// SPDX-License-Identifier: Apache-2.0

//! Lines, room and tickets.

use crate::mock::*;
use crate::{Error, Event, InLine, LineEnds, Locked, Place, MAX_HOLES, MAX_TICKETS};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::{
    roster::{SeatKind, SeatRequest, SeatStake},
    TOS,
};

/// A request for a panel whose seats lock so many TOS together.
fn dear(number: u8, stake: u128) -> SeatRequest<u64> {
    SeatRequest {
        stake: SeatStake::PartOf {
            all: stake * TOS,
            least: 0,
        },
        ..request(number)
    }
}

fn vacancy(number: u8, seats: u32) -> SeatRequest<u64> {
    SeatRequest {
        seats,
        kind: SeatKind::Vacancy {
            certified: 0,
            holders: Default::default(),
        },
        stake: SeatStake::Each(TOS),
        ..request(number)
    }
}

/// The number of the ticket of a case.
fn ticket(number: u8) -> Option<u64> {
    match waiting(number)?.place {
        Place::Ticket(number) => Some(number),
        Place::Line(_) | Place::Pause => None,
    }
}

fn in_line(number: u8) -> bool {
    waiting(number).is_some_and(|waiting| matches!(waiting.place, Place::Line(_)))
}

fn reserved() -> u128 {
    Locked::<Test>::get(TYPE).reserved
}

#[test]
fn a_case_with_room_takes_a_ticket_that_fixes_its_seats_and_reserves_their_stake() {
    ExtBuilder::judges(20).execute(|| {
        enqueue(request(1));
        assert_eq!(reserved(), 0);
        block();
        assert_eq!((ticket(1), reserved()), (Some(0), 5 * TOS));
        let fixed = terms(1);
        assert_eq!((fixed.seats, fixed.certified, fixed.lock), (5, 0, TOS));
        System::assert_has_event(
            Event::TicketTaken {
                case: case(1),
                number: 0,
                terms: fixed,
            }
            .into(),
        );
        block();
        let taken = Locked::<Test>::get(TYPE);
        assert_eq!((taken.seats, taken.reserved), (5 * TOS, 0));
        assert_eq!((waiting(1), seats_of(1).values().sum::<u32>()), (None, 5));
    });
}

#[test]
fn at_most_a_third_of_the_stake_is_locked_with_a_panel_and_two_thirds_with_a_court() {
    ExtBuilder::judges(30).execute(|| {
        // A third, rounded down to basis points.
        let third = 3_000 * TOS / 10_000 * 3_333;
        lock(1, 50 * TOS);
        let panel = |number, stake| SeatRequest {
            seats: 1,
            stake: SeatStake::Each(stake),
            ..request(number)
        };
        enqueue(panel(1, third - 50 * TOS + 1));
        pass(3);
        assert!(in_line(1));
        <Judges as Roster<u64>>::withdraw(&case(1));
        enqueue(panel(1, third - 50 * TOS));
        block();
        // Room is reserved before it is locked.
        assert_eq!((ticket(1), reserved()), (Some(0), third - 50 * TOS));
        let court = |number, stake| SeatRequest {
            kind: SeatKind::Court,
            ..panel(number, stake)
        };
        enqueue(panel(2, 1));
        enqueue(court(3, third + 1));
        block();
        assert!(in_line(2) && in_line(3));
        <Judges as Roster<u64>>::withdraw(&case(2));
        <Judges as Roster<u64>>::withdraw(&case(3));
        enqueue(court(3, third));
        block();
        assert!(ticket(3).is_some());
        <Judges as Roster<u64>>::withdraw(&case(1));
        <Judges as Roster<u64>>::withdraw(&case(3));
    });
}

#[test]
fn the_highest_class_is_served_first_and_within_a_class_the_first_to_come() {
    ExtBuilder::judges(60).execute(|| {
        for (number, class) in [(1, 0), (2, 3), (3, 7), (4, 3), (5, 200)] {
            enqueue_in(request(number), class);
        }
        world(|w| w.prompt = false);
        block();
        // Beyond the highest there is none.
        let order: Vec<_> = [3, 5, 2, 4, 1].map(ticket).into();
        assert_eq!(order, [0, 1, 2, 3, 4].map(Some));
        assert!(InLine::<Test>::get().is_empty());
        world(|w| w.prompt = true);
        block();
        let drawn: Vec<_> = world(|w| w.seated.iter().map(|one| one.0).collect());
        assert_eq!(drawn, [3, 5, 2, 4, 1].map(case));
    });
}

#[test]
fn a_lower_class_passes_a_case_without_room_until_that_has_waited_long_enough_at_its_head() {
    ExtBuilder::judges(20).execute(|| {
        enqueue_in(dear(1, 700), 4);
        block();
        enqueue(request(2));
        // Never within a class.
        enqueue_in(request(3), 4);
        block();
        assert!(in_line(1) && ticket(2).is_some() && in_line(3));
        pass(TIMES.reserve - 1);
        enqueue(request(4));
        block();
        assert!(ticket(4).is_some());
        pass(1);
        enqueue(request(5));
        pass(5);
        assert!(in_line(1) && in_line(3) && in_line(5));
        // With room for the first, all go.
        <Judges as Roster<u64>>::withdraw(&case(1));
        pass(2);
        assert!(seats(3).is_some() && seats(5).is_some());
    });
}

#[test]
fn a_vacancy_stands_before_all_and_needs_no_room() {
    ExtBuilder::judges(20).execute(|| {
        for who in 1..=7 {
            lock(who, 95 * TOS);
        }
        enqueue_in(request(1), 7);
        enqueue(vacancy(2, 2));
        block();
        assert!(in_line(1) && ticket(2) == Some(0));
        assert_eq!(reserved(), 0);
        block();
        assert_eq!(seats_of(2).values().sum::<u32>(), 2);
        let taken = Locked::<Test>::get(TYPE);
        assert_eq!((taken.seats, taken.reserved), (667 * TOS, 0));
    });
}

#[test]
fn a_raised_case_goes_to_the_end_of_the_higher_class_and_its_old_place_is_passed() {
    ExtBuilder::judges(60).execute(|| {
        enqueue(request(1));
        enqueue(request(2));
        enqueue_in(request(3), 2);
        let raise = |number, class| <Judges as Roster<u64>>::raise(&case(number), class);
        assert_ok!(raise(1, 2));
        assert_ok!(raise(2, 0));
        assert_noop!(raise(9, 2), Error::<Test>::NotWaiting);
        assert_eq!(
            (waiting(1).unwrap().class, waiting(2).unwrap().class),
            (2, 0)
        );
        world(|w| w.prompt = false);
        block();
        assert_eq!([3, 1, 2].map(ticket), [0, 1, 2].map(Some));
        // One with a ticket keeps it.
        assert_ok!(raise(2, 5));
        assert_eq!((ticket(2), waiting(2).unwrap().class), (Some(2), 5));
    });
}

#[test]
fn many_places_that_cases_left_are_passed_a_few_at_a_time() {
    ExtBuilder::judges(60).execute(|| {
        for number in 1..=20 {
            enqueue(request(number));
        }
        for number in 1..=19 {
            <Judges as Roster<u64>>::withdraw(&case(number));
        }
        Judges::do_try_state().unwrap();
        block();
        let head = || LineEnds::<Test>::get(TYPE)[0].head;
        assert_eq!((head(), ticket(20)), (u64::from(MAX_HOLES), None));
        block();
        block();
        assert_eq!(ticket(20), Some(0));
    });
}

#[test]
fn a_case_that_is_not_wanted_any_more_leaves_line_ticket_and_room() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.prompt = false);
        let withdraw = |number| <Judges as Roster<u64>>::withdraw(&case(number));
        enqueue(request(1));
        enqueue(request(2));
        enqueue(request(3));
        withdraw(1);
        block();
        assert_eq!([2, 3].map(ticket), [Some(0), Some(1)]);
        withdraw(2);
        assert_eq!((waiting(2), reserved()), (None, 5 * TOS));
        withdraw(2);
        Judges::do_try_state().unwrap();
        world(|w| w.prompt = true);
        block();
        assert!(seats(2).is_none() && seats(3).is_some());
        // It may come again.
        draw(request(2));
        assert!(seats(2).is_some());
    });
}

#[test]
fn requests_that_no_draw_could_fill_are_refused() {
    ExtBuilder::judges(3).execute(|| {
        let wish = |seats| {
            let request = SeatRequest {
                seats,
                ..request(1)
            };
            <Judges as Roster<u64>>::enqueue(request, 0)
        };
        assert_noop!(wish(0), Error::<Test>::WrongSeats);
        assert_noop!(wish(64), Error::<Test>::WrongSeats);
        assert_ok!(wish(63));
        assert_noop!(wish(5), Error::<Test>::AlreadyWaiting);
    });
}

#[test]
fn no_ticket_is_taken_at_the_end_of_a_period() {
    ExtBuilder::judges(20).execute(|| {
        skip_to(TIMES.period - TIMES.quiet);
        enqueue(request(1));
        pass(TIMES.quiet - 1);
        assert!(in_line(1));
        pass(1);
        assert!(ticket(1).is_some());
        pass(1);
        assert!(seats(1).is_some());
    });
}

#[test]
fn types_in_line_take_turns() {
    let others = (1..=20).map(|who| (who, OTHER_TYPE, 100 * TOS));
    ExtBuilder::judges(20).also(others).execute(|| {
        world(|w| w.prompt = false);
        for number in 1..=12 {
            enqueue(request(number));
        }
        for number in 21..=32 {
            enqueue(SeatRequest {
                task_type: OTHER_TYPE,
                ..request(number)
            });
        }
        block();
        let with = |numbers: std::ops::RangeInclusive<u8>| {
            numbers.filter(|number| ticket(*number).is_some()).count()
        };
        assert_eq!((with(1..=12), with(21..=32)), (8, 8));
        block();
        assert_eq!((with(1..=12), with(21..=32)), (12, 12));
    });
}

#[test]
fn a_type_without_room_holds_up_no_other() {
    let others = (1..=20).map(|who| (who, OTHER_TYPE, 100 * TOS));
    ExtBuilder::judges(20).also(others).execute(|| {
        enqueue(dear(1, 1_000));
        enqueue(SeatRequest {
            task_type: OTHER_TYPE,
            ..request(2)
        });
        block();
        assert!(in_line(1) && ticket(2).is_some());
    });
}

#[test]
fn no_more_tickets_are_outstanding_than_there_may_be() {
    ExtBuilder::bonded([(1, 50_000)]).execute(|| {
        world(|w| w.prompt = false);
        crate::TicketEnds::<Test>::put(crate::Ends {
            head: 10,
            tail: 10 + MAX_TICKETS - 1,
        });
        enqueue(request(1));
        enqueue(request(2));
        // The numbers before are of cases that went. They are passed after the tickets of the block.
        block();
        assert!(ticket(1).is_some() && in_line(2));
        block();
        assert!(ticket(2).is_some());
    });
}

#[test]
fn a_case_that_finds_no_panel_in_the_longest_time_is_given_up() {
    ExtBuilder::judges(20).execute(|| {
        enqueue(dear(1, 1_000));
        skip_to(TIMES.wait);
        assert!(in_line(1));
        skip_to(TIMES.wait + 1);
        assert_eq!(waiting(1), None);
        assert_eq!(world(|w| w.expired_cases.clone()), [(case(1), 0)]);
        block();
        assert!(InLine::<Test>::get().is_empty());
    });
}

#[test]
fn a_case_with_a_ticket_is_given_up_as_well_when_the_beacon_stands_still() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.prompt = false);
        enqueue(request(1));
        enqueue(vacancy(2, 3));
        block();
        assert!(ticket(1).is_some() && ticket(2).is_some());
        skip_to(TIMES.wait + 1);
        assert_eq!((waiting(1), waiting(2), reserved()), (None, None, 0));
        // The panel with the vacancy goes on without it.
        assert_eq!(world(|w| w.expired_cases.clone()), [(case(1), 0)]);
        assert_eq!(seats(2), Some(Vec::new()));
        block();
        assert!(crate::TicketEnds::<Test>::get().is_empty());
    });
}
