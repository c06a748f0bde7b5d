// SPDX-License-Identifier: Apache-2.0

//! Rosters of judges: periods, stake and number of seats, room for them, and weights that rose.
//!
//! The weight of a judge is its bond in whole TOS; a roster's total is the sum of its weights.

use crate::stream::Points;
use tos_types::{params::share_of, roster::SeatStake, Balance, Bp, Tick, BP, TOS};

/// Classes of waiting tasks, by what they add to the pay of their judges.
pub const PREMIUM_CLASSES: u8 = 8;

/// Least premium of each class but the lowest, in basis points of the reward.
const PREMIUMS: [u128; 7] = [25, 50, 100, 200, 400, 800, 1_600];

/// Seats of a panel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seats {
    /// All of them.
    pub all: u32,
    /// Those among them that certified judges take, no judge two of them.
    pub certified: u32,
}

/// Number of the period that a tick lies in, from 0.
pub fn period(tick: Tick, length: Tick) -> u32 {
    tick.checked_div(length).unwrap_or(tick)
}

/// `true` if a draw may be asked for in a tick: never in the last `quiet` ones of a period, so that
/// its seed is there before the roster changes.
pub fn takes_tickets(tick: Tick, length: Tick, quiet: Tick) -> bool {
    let passed = tick.checked_rem(length).unwrap_or(0);
    passed < length.saturating_sub(quiet)
}

/// Stake that each of a panel's seats locks, in wei: its part of `share` of the reward, rounded
/// down, and at least `least`.
pub fn seat_stake(reward: Balance, seats: u32, share: Bp, least: Balance) -> Balance {
    let part = share_of(reward, share).checked_div(seats.into());
    part.unwrap_or(0).max(least)
}

/// Stake that each of a request's seats locks, in wei, when it gets `seats` of them.
pub fn lock_of(stake: &SeatStake, seats: u32) -> Balance {
    match stake {
        SeatStake::Each(lock) => *lock,
        SeatStake::PartOf { all, least } => seat_stake(*all, seats, BP, *least),
    }
}

/// `true` if `wanted` can be locked besides what is, so that no more than `share` of a roster's
/// stake is locked then. Amounts are in wei.
pub fn has_room(total: u64, locked: Balance, wanted: Balance, share: Bp) -> bool {
    let limit = share_of(Balance::from(total).saturating_mul(TOS), share);
    locked
        .checked_add(wanted)
        .is_some_and(|locked| locked <= limit)
}

/// Seats of a panel of `wanted` while a type is in bootstrap and has so many certified judges: two
/// thirds of them, rounded up, are for certified ones, and the panel is as large an odd one as there
/// are enough for. The smallest has three seats, all of them for certified judges.
pub fn seats_in_bootstrap(wanted: u32, certified: u32) -> Option<Seats> {
    let odd = |all: &u32| !all.is_multiple_of(2);
    let larger = (5..=wanted).rev().filter(odd).map(|all| Seats {
        all,
        certified: all.saturating_mul(2).div_ceil(3),
    });
    let smallest = (wanted >= 3).then_some(Seats {
        all: 3,
        certified: 3,
    });
    larger
        .chain(smallest)
        .find(|seats| seats.certified <= certified)
}

/// `true` if a judge that was drawn by the weight `now` takes its seat, where only the weight
/// `before` counts: always if it has not risen, and else with the chance before / now. So it sits as
/// often as if it had been drawn by the old weight.
pub fn counts_as_before(points: &mut impl Points, before: u64, now: u64) -> bool {
    now <= before || points.point(now) < before
}

/// Class of a waiting task, the highest of which is served first: 0 without a premium.
pub fn premium_class(premium: Balance, reward: Balance) -> u8 {
    let paid = premium.saturating_mul(BP.into());
    let reached = |least: &&u128| paid >= reward.saturating_mul(**least) && premium > 0;
    let classes = PREMIUMS.iter().take_while(reached).count();
    u8::try_from(classes).unwrap_or(PREMIUM_CLASSES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Stream;

    /// The one point of a draw.
    struct Only(u64);

    impl Points for Only {
        fn point(&mut self, bound: u64) -> u64 {
            assert!(self.0 < bound);
            self.0
        }
    }

    #[test]
    fn nothing_is_drawn_for_at_the_end_of_a_period() {
        let (length, quiet) = (1_800, 120);
        let open = |tick| takes_tickets(tick, length, quiet);
        assert!(open(0) && open(1_679) && open(1_800) && open(3_479));
        assert!(!open(1_680) && !open(1_799) && !open(3_599));
        for tick in 0..length {
            assert_eq!(period(tick, length), 0);
            assert_eq!(period(length + tick, length), 1);
            // A seed that is there within the quiet ticks is of the ticket's period.
            assert!(!open(tick) || period(tick + quiet, length) == 0);
        }
        assert!(!takes_tickets(5, 0, 0) && !takes_tickets(5, 10, 10));
        assert_eq!(period(7, 0), 7);
    }

    #[test]
    fn a_seat_locks_its_part_of_the_reward_and_at_least_a_little() {
        assert_eq!(seat_stake(5 * TOS, 5, BP, TOS / 2), TOS);
        assert_eq!(seat_stake(500 * TOS, 13, BP, TOS / 2), 500 * TOS / 13);
        assert_eq!(seat_stake(5 * TOS, 55, BP, TOS / 2), TOS / 2);
        assert_eq!(seat_stake(5 * TOS, 5, 5_000, TOS / 2), TOS / 2);
        assert_eq!(seat_stake(5 * TOS, 0, BP, 7), 7);
        // The stakes of a panel never exceed the reward, but for the least ones.
        for seats in [5u32, 7, 9, 13] {
            let each = seat_stake(100 * TOS + 1, seats, BP, 0);
            assert!(each * u128::from(seats) <= 100 * TOS + 1);
        }
    }

    #[test]
    fn a_panel_that_bootstrap_lowers_has_dearer_seats_and_a_court_those_of_its_panel() {
        let panel = SeatStake::PartOf {
            all: 20 * TOS,
            least: TOS / 2,
        };
        assert_eq!(lock_of(&panel, 5), 4 * TOS);
        assert_eq!(lock_of(&panel, 3), 20 * TOS / 3);
        assert_eq!(lock_of(&panel, 63), TOS / 2);
        let court = SeatStake::Each(4 * TOS);
        assert_eq!([lock_of(&court, 11), lock_of(&court, 1)], [4 * TOS; 2]);
    }

    #[test]
    fn seats_have_room_up_to_a_share_of_the_stake_to_the_wei() {
        let room = |locked, wanted| has_room(2_500, locked, wanted, 3_333);
        let third = 2_500 * TOS / 10_000 * 3_333;
        assert!(room(0, third) && !room(0, third + 1));
        assert!(room(third - 5, 5) && !room(third - 5, 6));
        assert!(!room(u128::MAX, 1) && !has_room(0, 0, 1, BP));
        assert!(has_room(u64::MAX, 0, TOS, 1));
    }

    #[test]
    fn neither_a_corrupt_certified_judge_nor_all_open_seats_nor_both_carry_a_panel() {
        for wanted in 0..=15 {
            for certified in 0..=20 {
                let Some(seats) = seats_in_bootstrap(wanted, certified) else {
                    assert!(wanted < 3 || certified < 3, "{wanted} {certified}");
                    continue;
                };
                assert!(seats.all % 2 == 1 && (3..=wanted).contains(&seats.all));
                assert!(seats.certified <= certified && seats.certified * 3 >= seats.all * 2);
                let hostile = seats.all - seats.certified + 1;
                assert!(hostile * 2 < seats.all, "{wanted} {certified}: {seats:?}");
            }
        }
        let of = |wanted, certified| {
            seats_in_bootstrap(wanted, certified).map(|seats| (seats.all, seats.certified))
        };
        assert_eq!(
            [of(5, 4), of(7, 5), of(9, 6), of(13, 9)].map(Option::unwrap),
            [(5, 4), (7, 5), (9, 6), (13, 9)]
        );
        // Lowered to what there is: five judges of a new network.
        assert_eq!(
            [of(13, 5), of(9, 5), of(5, 5)].map(Option::unwrap),
            [(7, 5), (7, 5), (5, 4)]
        );
        assert_eq!([of(5, 3), of(5, 2), of(1, 9)], [Some((3, 3)), None, None]);
    }

    #[test]
    fn a_weight_that_rose_after_publication_is_drawn_as_often_as_the_old_one() {
        for now in 1..40 {
            for before in 0..60 {
                let taken = (0..now).filter(|n| counts_as_before(&mut Only(*n), before, now));
                assert_eq!(taken.count() as u64, before.min(now));
            }
        }
    }

    #[test]
    fn a_weight_that_did_not_rise_takes_no_number_of_the_stream() {
        let stream = || Stream::new(*b"tos/test/v1", [1; 32]);
        let (mut used, mut fresh) = (stream(), stream());
        assert!(counts_as_before(&mut used, 50, 50) && counts_as_before(&mut used, 50, 49));
        assert_eq!(used.number(), fresh.number());
    }

    #[test]
    fn premiums_of_the_same_class_wait_in_one_line() {
        let class = |premium| premium_class(premium, 5 * TOS);
        let percent = 5 * TOS / 100;
        assert_eq!([class(0), class(1), class(percent / 4 - 1)], [0; 3]);
        assert_eq!(
            [class(percent / 4), class(percent), class(2 * percent)],
            [1, 3, 4]
        );
        assert_eq!(
            [
                class(16 * percent - 1),
                class(16 * percent),
                class(u128::MAX)
            ],
            [6, 7, 7]
        );
        assert!((0..200).all(|n| class(n * percent / 8) <= class((n + 1) * percent / 8)));
        assert!(class(u128::MAX) < PREMIUM_CLASSES);
        assert_eq!(premium_class(0, 0), 0);
    }
}
