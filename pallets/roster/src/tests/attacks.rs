// SPDX-License-Identifier: Apache-2.0

//! Attacks on the roster that fail, however much an account stakes and whatever it knows of a seed.

use crate::mock::*;
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::{
    roster::{SeatRequest, SeatStake, Seated},
    TOS,
};

/// The panel of a case, after these moves between its ticket and its draw. Judge 1 has most of the stake, and an
/// open seat that locks nearly all of it.
fn panel_after(moves: impl Fn()) -> Vec<Seated<u64>> {
    let mut panel = Vec::new();
    let others = (2..=60).map(|who| (who, 100));
    let bonds = [(1, 8_000)].into_iter().chain(others);
    ExtBuilder::bonded(bonds).execute(|| {
        lock(1, 7_996 * TOS);
        world(|w| {
            w.prompt = false;
            // Large enough for the lock of judge 1 besides.
            w.seats.panel_locks = 9_000;
        });
        let wish = SeatRequest {
            seats: 13,
            stake: SeatStake::Each(TOS),
            ..request(1)
        };
        enqueue(wish);
        block();
        moves();
        // The author of the block knows the seed now.
        for _ in 0..5 {
            TestClock::advance(1);
            block();
        }
        assert_eq!(seats(1), None);
        world(|w| w.ready = 1);
        block();
        panel = seats(1).unwrap();
    });
    panel
}

#[test]
fn no_move_between_ticket_and_draw_changes_a_panel() {
    let usual = panel_after(|| ());
    assert_eq!(usual.iter().map(|one| one.seats).sum::<u32>(), 13);
    // Judge 1 is drawn more often than its free stake has room for: its lock decides who sits.
    let first = usual.iter().find(|one| one.who == 1).unwrap();
    assert_eq!(first.seats, 4);
    let seated: Vec<u64> = usual.iter().map(|one| one.who).collect();
    let roster = |moves: fn(&u64)| {
        let seated = seated.clone();
        panel_after(move || seated.iter().for_each(moves))
    };
    let unchanged = [
        (
            "leaving",
            roster(|who| {
                assert_ok!(Judges::leave(origin(*who), TYPE));
            }),
        ),
        (
            "topping up",
            roster(|who| {
                assert_ok!(Judges::add_bond(origin(*who), TYPE, 900 * TOS));
            }),
        ),
        (
            "silence",
            roster(|who| <Judges as Roster<u64>>::silent(who, TYPE)),
        ),
        (
            "silence and return",
            roster(|who| {
                <Judges as Roster<u64>>::silent(who, TYPE);
                assert_ok!(Judges::report_back(origin(*who), TYPE));
            }),
        ),
        (
            "declaring the publisher",
            roster(|who| {
                world(|w| w.recused.insert((*who, PUBLISHER), now()));
            }),
        ),
        (
            "leaving and rejoining",
            roster(|who| {
                assert_ok!(Judges::leave(origin(*who), TYPE));
                assert_ok!(Judges::rejoin(origin(*who), TYPE));
            }),
        ),
        (
            "joining",
            panel_after(|| {
                for who in 61..=80 {
                    assert_ok!(Judges::register(origin(who), TYPE, 9_000 * TOS));
                }
            }),
        ),
        (
            "closing an own task",
            panel_after(|| unlock(1, 1_900 * TOS)),
        ),
        (
            "being fined",
            panel_after(|| {
                fine(1, 1_500 * TOS);
            }),
        ),
        (
            "being fined, and restoring the bond",
            panel_after(|| {
                fine(1, 1_500 * TOS);
                assert_ok!(Judges::add_bond(origin(1), TYPE, 1_500 * TOS));
            }),
        ),
        (
            "another case, and its end",
            panel_after(|| {
                enqueue_in(request(2), 7);
                block();
                <Judges as Roster<u64>>::withdraw(&case(2));
                enqueue(request(3));
            }),
        ),
    ];
    for (name, panel) in unchanged {
        assert_eq!(panel, usual, "{name}");
    }
}

#[test]
fn what_is_bonded_after_a_publication_gets_no_seat_while_the_task_is_open_and_none_later() {
    let honest = (1..=20).map(|who| (who, 100));
    ExtBuilder::bonded(honest).execute(|| {
        let since = now();
        // Ten times the stake of all, as soon as the task is known.
        for who in 21..=40 {
            assert_ok!(Judges::register(origin(who), TYPE, 1_000 * TOS));
        }
        let wish = |number| SeatRequest {
            since,
            stake: SeatStake::Each(TOS / 10),
            ..request(number)
        };
        // The longest open window is over.
        skip_to(since + MAX_OPEN);
        for number in 1..=20 {
            draw(wish(number));
            assert!(seats_of(number).keys().all(|who| *who <= 20));
        }
        // What waits on meets them in the tree, and their weight of then: none.
        skip_to(701);
        assert_eq!(total(), 22_000);
        for number in 21..=40 {
            draw(wish(number));
            let seats = seats(number).unwrap_or_default();
            assert!(seats.iter().all(|one| one.who <= 20));
        }
        // A task that is published later takes them.
        pass(1);
        draw(SeatRequest {
            since: now(),
            ..wish(41)
        });
        assert!(seats_of(41).keys().any(|who| *who > 20));
    });
}

#[test]
fn stake_that_left_and_comes_back_for_a_task_gets_no_seat_in_it() {
    ExtBuilder::bonded((1..=20).map(|who| (who, 100)).chain([(21, 2_000)])).execute(|| {
        assert_ok!(Judges::leave(origin(21), TYPE));
        next_period();
        let since = now();
        // Back in an hour, and again and again, so that the rise is forgotten.
        for _ in 0..4 {
            assert_ok!(Judges::rejoin(origin(21), TYPE));
            next_period();
            assert_ok!(Judges::leave(origin(21), TYPE));
            next_period();
        }
        assert_ok!(Judges::rejoin(origin(21), TYPE));
        next_period();
        assert_eq!(total(), 4_000);
        for number in 1..=20 {
            draw(SeatRequest {
                since,
                stake: SeatStake::Each(TOS / 10),
                ..request(number)
            });
            let seats = seats(number).unwrap_or_default();
            assert!(seats.iter().all(|one| one.who != 21));
        }
    });
}

#[test]
fn one_stake_has_as_many_seats_in_one_account_as_in_many() {
    // One account with 500 TOS, ten with 50, and others.
    let many = (2..=11).map(|who| (who, 50));
    let others = (12..=21).map(|who| (who, 100));
    let bonds = [(1, 500)].into_iter().chain(many).chain(others);
    ExtBuilder::bonded(bonds).execute(|| {
        let (mut one, mut ten) = (0u32, 0u32);
        for number in 0..240 {
            draw(SeatRequest {
                stake: SeatStake::Each(TOS / 10),
                ..request(number)
            });
            for (who, seats) in seats_of(number) {
                match who {
                    1 => one += seats,
                    2..=11 => ten += seats,
                    _ => {}
                }
                unlock(who, u128::from(seats) * TOS / 10);
            }
        }
        // Of 1,200 seats a quarter each: 300, within four standard deviations of 15.
        assert!(
            (240..=360).contains(&one) && (240..=360).contains(&ten),
            "{one} {ten}"
        );
        // Their points on the line of weights are as many, exactly.
        let points = |who: std::ops::RangeInclusive<u64>| who.map(weight).sum::<u32>();
        assert_eq!(points(1..=1), points(2..=11));
    });
}

#[test]
fn neither_nine_tenths_of_the_stake_nor_one_corrupt_certified_judge_nor_both_capture_a_panel() {
    // Judges 1 to 6 are certified, of whom 6 is corrupt; 7 to 30 are hostile and have 90 % of the stake.
    let certified = (1..=6).map(|who| (who, 200));
    let hostile = (7..=30).map(|who| (who, 500));
    let bonds = certified.chain(hostile);
    ExtBuilder::bonded(bonds).bootstrap(6).execute(|| {
        let mut worst = 0;
        for number in 0..200 {
            let seats = match number % 4 {
                0 => 13,
                1 => 9,
                2 => 7,
                _ => 5,
            };
            draw(SeatRequest {
                seats,
                stake: SeatStake::Each(TOS / 10),
                ..request(number)
            });
            let drawn = seats_of(number);
            let all: u32 = drawn.values().sum();
            let theirs: u32 = drawn.range(6..).map(|(_, seats)| seats).sum();
            assert!(theirs * 2 < all, "{drawn:?}");
            worst = worst.max(theirs);
            for (who, seats) in drawn {
                unlock(who, u128::from(seats) * TOS / 10);
            }
        }
        assert!(worst >= 3, "they had their open seats");
    });
}

#[test]
fn judges_that_may_not_sit_cost_a_draw_and_give_no_other_account_their_seats() {
    // A third of the stake floods the locks with recused judges: the others keep their share.
    let bonds = (1..=30).map(|who| (who, 100));
    ExtBuilder::bonded(bonds).execute(|| {
        TestClock::set(2);
        world(|w| {
            for who in 1..=10 {
                w.recused.insert((who, PUBLISHER), 1);
            }
        });
        let (mut low, mut high) = (0u32, 0u32);
        for number in 0..100 {
            draw(request(number));
            for (who, seats) in seats_of(number) {
                assert!(who > 10);
                match who {
                    11..=20 => low += seats,
                    _ => high += seats,
                }
                unlock(who, u128::from(seats) * TOS);
            }
        }
        assert_eq!(low + high, 500);
        assert!((205..=295).contains(&low), "{low}");
    });
}
