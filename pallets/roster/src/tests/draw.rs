// SPDX-License-Identifier: Apache-2.0

//! Draws: who may sit, in which order, by which seed.

use crate::mock::*;
use crate::{Event, Locked, Place, WeightInfo, MAX_RISES};
use frame_support::{assert_ok, weights::Weight};
use polkadot_sdk::*;
use tos_formulas::stream::Points;
use tos_interfaces::Roster;
use tos_types::{
    roster::{SeatKind, SeatRequest, SeatStake, DRAWS_PER_SEAT},
    Tick, TOS,
};

/// Numbers of a draw, as a test wants them; the number of those taken.
struct Script(Vec<u64>, usize);

impl Points for Script {
    fn point(&mut self, bound: u64) -> u64 {
        let point = self.0[self.1 % self.0.len()];
        self.1 += 1;
        assert!(point < bound, "{point} of {bound}");
        point
    }
}

/// The seats of a request and the draws made, by these numbers.
fn by(request: &SeatRequest<u64>, points: &[u64]) -> (u32, u32, usize) {
    let terms = Judges::terms_of(request).unwrap();
    let mut script = Script(points.to_vec(), 0);
    let drawn = Judges::draw_seats(request, &terms, 0, &mut script).ok();
    let drawn = drawn.expect("the trees are sound");
    (drawn.seats, drawn.draws, script.1)
}

/// A point on the weight of a judge, all of whom have 100.
fn on(who: u64) -> u64 {
    u64::from(judge(who).leaf.unwrap()) * 100
}

#[test]
fn each_seat_is_one_draw_by_weight_and_a_judge_may_have_several() {
    ExtBuilder::judges(10).execute(|| {
        let points = [on(3), on(7), on(3) + 99, on(1), on(7)];
        assert_eq!(by(&request(1), &points), (5, 5, 5));
        draw(request(1));
        let seats = seats_of(1);
        assert_eq!(seats.values().sum::<u32>(), 5);
        for (who, number) in seats {
            assert_eq!(judge(who).locked, u128::from(number) * TOS);
        }
        assert_eq!(Locked::<Test>::get(TYPE).seats, 5 * TOS);
    });
}

#[test]
fn seats_are_drawn_as_often_as_the_weights_say() {
    ExtBuilder::bonded([(1, 1_000), (2, 3_000), (3, 6_000)]).execute(|| {
        let mut sums = [0u32; 3];
        for number in 0..200 {
            let wish = SeatRequest {
                stake: SeatStake::Each(TOS),
                ..request(number)
            };
            draw(wish);
            for (who, seats) in seats_of(number) {
                sums[who as usize - 1] += seats;
                unlock(who, u128::from(seats) * TOS);
            }
        }
        // A thousand seats: 100, 300 and 600 of them, within four standard deviations.
        let within = |sum: u32, of: i64, most: i64| (i64::from(sum) - of).abs() <= most;
        assert_eq!(sums.iter().sum::<u32>(), 1_000);
        assert!(within(sums[0], 100, 38) && within(sums[1], 300, 58) && within(sums[2], 600, 62));
    });
}

#[test]
fn parties_those_who_declared_them_and_suspended_judges_are_void() {
    ExtBuilder::judges(4).execute(|| {
        TestClock::set(20);
        world(|w| {
            w.recused.insert((2, PUBLISHER), 19);
            w.suspended.insert(3);
        });
        let wish = SeatRequest {
            parties: vec![1, PUBLISHER].try_into().unwrap(),
            ..request(1)
        };
        let points = [on(1), on(2), on(3), on(4)];
        // Each round of four draws falls on one that may sit.
        assert_eq!(by(&wish, &points), (5, 20, 20));
        assert_eq!(by(&wish, &[on(1), on(2), on(3)]), (0, 20, 20));
        // Declared too late.
        world(|w| w.recused.insert((2, PUBLISHER), 20));
        assert_eq!(by(&wish, &points), (5, 10, 10));
    });
}

#[test]
fn each_further_seat_needs_its_whole_stake_unlocked() {
    ExtBuilder::bonded([(1, 100), (2, 100)]).execute(|| {
        lock(1, 97 * TOS - 1);
        let wish = SeatRequest {
            stake: SeatStake::Each(TOS),
            ..request(1)
        };
        // Three seats of it have room, and the others are drawn on.
        assert_eq!(by(&wish, &[on(1)]), (3, 20, 20));
        let points = [on(1), on(1), on(1), on(1), on(2), on(2)];
        assert_eq!(by(&wish, &points), (5, 6, 6));
    });
}

#[test]
fn a_draw_that_comes_to_nothing_keeps_its_room_and_nothing_else_and_is_tried_again() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.suspended = (1..=20).collect());
        draw(request(1));
        let case = waiting(1).unwrap();
        assert_eq!((case.place, case.tries, case.due), (Place::Pause, 1, 2));
        assert!((1..=20).all(|who| judge(who).locked == 0));
        let taken = Locked::<Test>::get(TYPE);
        assert_eq!((taken.seats, taken.reserved), (0, 5 * TOS));
        Judges::do_try_state().unwrap();
        // Later each time: after 1, 2, 4 and 8 ticks, each with a block for the seed.
        let mut tries = Vec::new();
        for _ in 0..25 {
            pass(1);
            if waiting(1).unwrap().tries > case.tries + tries.len() as u8 {
                tries.push(now());
            }
        }
        assert_eq!(tries, [3, 6, 11, 20]);
        assert_eq!(terms(1), case.terms.unwrap());
        world(|w| w.suspended.clear());
        pass(40);
        assert_eq!(seats_of(1).values().sum::<u32>(), 5);
        assert_eq!(Locked::<Test>::get(TYPE).reserved, 0);
    });
}

#[test]
fn a_case_whose_draws_fail_holds_up_no_other() {
    ExtBuilder::judges(20).execute(|| {
        let wish = SeatRequest {
            // All judges have a stake in it.
            parties: (1..=20).collect::<Vec<_>>().try_into().unwrap(),
            ..request(1)
        };
        enqueue(wish);
        enqueue(request(2));
        block();
        enqueue(request(3));
        block();
        assert!(seats(1).is_none() && seats(2).is_some());
        block();
        assert!(seats(3).is_some());
        pass(50);
        draw(request(4));
        assert!(seats(4).is_some() && waiting(1).is_some());
    });
}

#[test]
fn a_suspended_judge_that_a_draw_falls_on_leaves_the_tree_with_the_period() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.suspended = (1..=19).collect());
        draw(request(1));
        assert_eq!(total(), 2_000);
        next_period();
        assert!(total() <= 1_500);
        assert_eq!(weight(20), 100);
        Judges::do_try_state().unwrap();
    });
}

#[test]
fn a_weight_that_rose_after_the_publication_counts_as_it_was() {
    ExtBuilder::bonded([(1, 100), (2, 100)]).execute(|| {
        assert_ok!(Judges::add_bond(origin(1), TYPE, 300 * TOS));
        skip_to(700);
        assert_eq!((weight(1), total()), (400, 500));
        let old = SeatRequest {
            since: 700,
            ..request(1)
        };
        // A number below the old weight seats it, another one does not, and none else is taken.
        assert_eq!(by(&old, &[0, 99]), (5, 5, 10));
        assert_eq!(by(&old, &[0, 100, 399, 399, 0, 7]), (5, 15, 30));
        assert_eq!(by(&old, &[0, 100]), (0, 20, 40));
        // A void candidate takes no such number.
        let wish = SeatRequest {
            parties: vec![1].try_into().unwrap(),
            ..old
        };
        assert_eq!(by(&wish, &[0, 400]), (5, 10, 10));
        let new = SeatRequest {
            since: 701,
            ..request(1)
        };
        assert_eq!(by(&new, &[0]), (5, 5, 5));
    });
}

#[test]
fn of_many_rises_never_more_counts_than_was_there() {
    let mut judge = crate::Judge::default();
    let rises: [(Tick, u32); 4] = [(10, 0), (20, 900), (30, 40), (40, 950)];
    for (at, before) in rises {
        judge.rose(at, before);
    }
    assert_eq!(judge.rises.len(), MAX_RISES as usize);
    // The weight before the first rise that is as late as the publication, or less.
    for since in 0..45 {
        let first = rises.iter().find(|(at, _)| *at >= since);
        let exact = first.map_or(1_000, |(_, before)| u64::from(*before));
        let counted = judge.weight_at(since, 1_000);
        assert!(counted <= exact, "{since}");
        assert!(since <= 30 || counted == exact, "{since}");
    }
    assert_eq!(
        [5, 25, 35, 41].map(|since| judge.weight_at(since, 1_000)),
        [0, 0, 950, 1_000]
    );
}

#[test]
fn a_ticket_whose_seed_is_not_there_holds_the_order() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.prompt = false);
        enqueue(request(1));
        block();
        enqueue(request(2));
        block();
        // The seed of the second expires or not: the first is still the first.
        world(|w| w.ready = 0);
        block();
        assert!(seats(1).is_none() && seats(2).is_none());
        world(|w| {
            w.expired.insert(1);
            w.ready = 2;
        });
        block();
        assert!(seats(2).is_none());
        assert!(matches!(waiting(1).unwrap().place, Place::Ticket(0)));
        world(|w| w.ready = 3);
        block();
        let drawn: Vec<_> = world(|w| w.seated.iter().map(|one| one.0).collect());
        assert_eq!(drawn, [case(1), case(2)]);
    });
}

#[test]
fn a_seed_that_expired_is_degraded_or_late_is_asked_for_again_under_the_same_number() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| {
            w.expired.insert(1);
            w.degraded.insert(2);
        });
        enqueue(request(1));
        block();
        let replaced = |events: Vec<Event<Test>>| {
            let of_case = Event::SeedReplaced {
                case: case(1),
                number: 0,
            };
            events.into_iter().filter(|event| *event == of_case).count()
        };
        events();
        pass(1);
        assert_eq!((replaced(events()), seats(1)), (1, None));
        pass(1);
        assert_eq!((replaced(events()), seats(1)), (1, None));
        // Request 3 is sound, and its seed comes in a later period.
        world(|w| w.prompt = false);
        pass(96);
        assert_eq!((now(), replaced(events())), (99, 0));
        world(|w| w.prompt = true);
        pass(1);
        assert_eq!((replaced(events()), seats(1)), (1, None));
        pass(1);
        assert!(seats(1).is_some());
        assert_eq!(world(|w| w.requests), 4);
    });
}

#[test]
fn no_seed_is_asked_for_again_at_the_end_of_a_period() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| {
            w.expired.insert(1);
            w.prompt = false;
        });
        skip_to(TIMES.period - TIMES.quiet - 1);
        enqueue(request(1));
        block();
        world(|w| w.ready = 1);
        pass(TIMES.quiet);
        assert_eq!(world(|w| w.requests), 1);
        pass(1);
        assert_eq!(world(|w| w.requests), 2);
        world(|w| w.prompt = true);
        block();
        assert!(seats(1).is_some());
    });
}

#[test]
fn a_silence_before_the_ticket_makes_void_and_one_after_it_does_not() {
    ExtBuilder::judges(4).execute(|| {
        // One ticket was taken, and is done.
        crate::TicketEnds::<Test>::put(crate::Ends { head: 1, tail: 1 });
        <Judges as Roster<u64>>::silent(&1, TYPE);
        let wish = request(1);
        let terms = Judges::terms_of(&wish).unwrap();
        let drawn = |ticket: u64| {
            let mut points = Script(vec![on(1), on(2)], 0);
            let drawn = Judges::draw_seats(&wish, &terms, ticket, &mut points);
            drawn.ok().map(|drawn| drawn.draws)
        };
        assert_eq!((drawn(1), drawn(0)), (Some(10), Some(5)));
        // Nor does it help to report back.
        assert_ok!(Judges::report_back(origin(1), TYPE));
        assert_eq!((drawn(1), drawn(0)), (Some(10), Some(5)));
    });
}

#[test]
fn a_court_of_many_seats_is_drawn_in_one_block() {
    ExtBuilder::judges(60).execute(|| {
        let court = SeatRequest {
            seats: 55,
            kind: SeatKind::Court,
            stake: SeatStake::Each(TOS),
            ..request(1)
        };
        draw(court);
        assert_eq!(seats_of(1).values().sum::<u32>(), 55);
    });
}

#[test]
fn a_draw_begins_where_its_worst_fits_and_is_charged_what_it_did() {
    ExtBuilder::judges(20).execute(|| {
        block();
        let idle = block();
        enqueue(request(1));
        block();
        let head = <() as WeightInfo>::ticket_head();
        let worst = <() as WeightInfo>::draw(5, 5 * (DRAWS_PER_SEAT - 1));
        let least = <() as WeightInfo>::hook_base()
            .saturating_add(head)
            .saturating_add(worst);
        block_with(least.saturating_sub(Weight::from_parts(1, 0)));
        assert_eq!(seats(1), None);
        let used = block();
        assert_eq!(seats_of(1).values().sum::<u32>(), 5);
        // Five draws for five seats, a second look at the tickets, and one at what the first frees.
        let done = <() as WeightInfo>::draw(5, 0)
            .saturating_add(head.saturating_mul(2))
            .saturating_add(<() as WeightInfo>::agenda_tick());
        assert_eq!(used, idle.saturating_add(done));
        assert!(done.all_lt(worst));
    });
}
