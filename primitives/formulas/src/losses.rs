// SPDX-License-Identifier: Apache-2.0

//! Losses of seats: silence, bad points and appeals, in this order, out of what the seats lock.

use crate::fraction::fraction;
use tos_types::{params::share_of, Balance, Bp};

/// Distance of the side that loses a claim for another end of the task, as if its scores were so far off.
pub const CLOSURE_DISTANCE: u8 = 45;

/// Stake that the seats of one account lock in one round, with what it lost of it.
///
/// Losses are taken in the order silence, points, appeal; together they are never more than the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SeatLock {
    lock: Balance,
    lost: Balance,
}

impl SeatLock {
    /// The lock of an account's seats, in wei, of which nothing is lost.
    pub const fn new(lock: Balance) -> Self {
        Self { lock, lost: 0 }
    }

    /// The sum of all losses so far, in wei.
    pub const fn lost(&self) -> Balance {
        self.lost
    }

    /// Takes a share of the lock, in basis points, because a vote was not committed, or was hidden; the loss in
    /// wei.
    pub fn silence(&mut self, share: Bp) -> Balance {
        self.take(share_of(self.lock, share))
    }

    /// Takes what bad points cost ([`crate::points::Pay::debits`]); the loss in wei.
    pub fn points(&mut self, debit: Balance) -> Balance {
        self.take(debit)
    }

    /// Takes what an appeal costs by the distance from its result: see [`share`]. Of that a seat bears `part` in
    /// basis points, all of it in a panel. The loss in wei, rounded down twice.
    pub fn appeal(&mut self, distance: u8, from: u8, full: u8, part: Bp) -> Balance {
        let (share, whole) = share(distance, from, full);
        let loss = fraction(self.lock, share.into(), whole.into());
        self.take(share_of(loss, part))
    }

    fn take(&mut self, amount: Balance) -> Balance {
        let taken = amount.min(self.lock.saturating_sub(self.lost));
        self.lost = self.lost.saturating_add(taken);
        taken
    }
}

/// The share of its lock that a seat loses at this distance from the result of an appeal, as a fraction: nothing up
/// to `from` points, then linearly to all of it at `full`.
pub fn share(distance: u8, from: u8, full: u8) -> (u32, u32) {
    let whole = full.saturating_sub(from).max(1);
    let part = distance.saturating_sub(from).min(whole);
    (part.into(), whole.into())
}

/// The distance that counts: the greatest of a seat's `(score, final result)` pairs for answers that an appeal
/// changed; 0 without any. Answers that it called unavailable are none of them.
pub fn distance(pairs: impl IntoIterator<Item = (u8, u8)>) -> u8 {
    let distances = pairs
        .into_iter()
        .map(|(score, result)| score.abs_diff(result));
    distances.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tos_types::{rules::SeatRules, BP, TOS};

    const RULES: SeatRules = SeatRules::STANDARD;

    fn appealed(lock: Balance, distance: u8, part: Bp) -> Balance {
        SeatLock::new(lock).appeal(distance, RULES.loss_from, RULES.loss_full, part)
    }

    #[test]
    fn a_loss_rises_linearly_from_15_to_45_points() {
        let third = |distance| appealed(3 * TOS, distance, BP);
        assert_eq!([third(0), third(15), third(16)], [0, 0, TOS / 10]);
        assert_eq!([third(25), third(45), third(100)], [TOS, 3 * TOS, 3 * TOS]);
        assert_eq!(appealed(3 * TOS, CLOSURE_DISTANCE, BP), 3 * TOS);
        // A court bears 40 % of it.
        assert_eq!(appealed(3 * TOS, 45, RULES.court_loss), 3 * TOS / 10 * 4);
        assert_eq!(appealed(u128::MAX, 45, BP), u128::MAX);
        assert_eq!(appealed(100, 16, BP), 3);
        // Rules that make no sense take all from the first point on.
        assert_eq!([share(20, 20, 20), share(21, 20, 20)], [(0, 1), (1, 1)]);
    }

    #[test]
    fn the_worst_answer_counts_and_not_the_sum() {
        assert_eq!(distance([]), 0);
        assert_eq!(distance([(50, 70), (90, 50), (10, 10)]), 40);
    }

    #[test]
    fn losses_are_taken_in_order_until_nothing_is_left() {
        let mut seat = SeatLock::new(1_000);
        assert_eq!(seat.silence(RULES.silence), 100);
        assert_eq!(seat.points(600), 600);
        assert_eq!(seat.appeal(45, 15, 45, BP), 300);
        assert_eq!((seat.lost(), seat.points(1)), (1_000, 0));
        let mut hidden = SeatLock::new(1_000);
        assert_eq!(hidden.silence(RULES.hiding), 500);
        assert_eq!(hidden.appeal(30, 15, 45, BP), 500);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(3_000))]

        #[test]
        fn no_seat_loses_more_than_its_lock(
            lock in any::<u128>(),
            silence in 0..=BP,
            debit in any::<u128>(),
            distance in any::<u8>(),
            from in 10..=20u8,
            full in 30..=60u8,
            part in 0..=BP,
        ) {
            let mut seat = SeatLock::new(lock);
            let losses = [
                seat.silence(silence),
                seat.points(debit),
                seat.appeal(distance, from, full, part),
            ];
            let lost = losses.iter().try_fold(0u128, |sum, loss| sum.checked_add(*loss));
            prop_assert_eq!(lost, Some(seat.lost()));
            prop_assert!(seat.lost() <= lock);
        }

        #[test]
        fn more_distance_never_costs_less(lock in 0..1_000 * TOS, distance in 0..100u8) {
            prop_assert!(appealed(lock, distance, BP) <= appealed(lock, distance + 1, BP));
            prop_assert!(appealed(lock, distance, RULES.court_loss) <= appealed(lock, distance, BP));
        }
    }
}
