// SPDX-License-Identifier: Apache-2.0

//! Points of seats, and the pay that they share.
//!
//! A seat's points for an answer are `|c − q| − |s − q|`, `c` being the type's baseline, `q` the final result and
//! `s` the seat's score: so much better, or worse, than the type's usual result it foretold the final one. A seat
//! that always says the baseline has none, whatever the results.

use crate::{fraction::fraction, split::largest_remainder};
use alloc::vec::Vec;
use tos_types::Balance;

/// Pay of a panel's accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pay {
    /// Pay of each account, in wei.
    pub credits: Vec<Balance>,
    /// Loss of each account out of what its seats lock, in wei, to the treasury. No account has both.
    pub debits: Vec<Balance>,
    /// The rest of the pay, which no seat earned, in wei: to the treasury.
    pub rest: Balance,
}

/// Points of a seat for one answer, at most `clip` either way.
pub fn points(baseline: u8, score: u8, result: u8, clip: u8) -> i32 {
    let clip = i32::from(clip);
    let gained = i32::from(baseline.abs_diff(result));
    let missed = i32::from(score.abs_diff(result));
    gained
        .saturating_sub(missed)
        .clamp(clip.saturating_neg(), clip)
}

/// Divides the pay of a panel of `seats` (in wei, premium included) among its accounts, which have so many points a
/// seat, and so many seats, in the order of drawing.
///
/// Seats with positive points share all of it in proportion to these, by largest remainder, before each is cut
/// to twice the fee; those with negative points lose by the same rate, rounded down, at most the fee. The fee is
/// the pay of one of all `seats`, those that did not reveal included. Without positive points no account is
/// paid and none loses.
pub fn pay(total: Balance, seats: u32, accounts: &[(i32, u32)]) -> Pay {
    let weight = |points: i32, seats: u32| {
        u128::from(points.unsigned_abs()).saturating_mul(u128::from(seats))
    };
    let gains: Vec<u128> = accounts
        .iter()
        .map(|(points, seats)| {
            if *points > 0 {
                weight(*points, *seats)
            } else {
                0
            }
        })
        .collect();
    let sum = gains
        .iter()
        .fold(0u128, |sum, gain| sum.saturating_add(*gain));
    let shares = largest_remainder(total, &gains);
    let mut pay = Pay {
        rest: total,
        ..Pay::default()
    };
    for ((points, held), share) in accounts.iter().zip(shares) {
        let fees =
            |times: u128| fraction(total, times.saturating_mul((*held).into()), seats.into());
        let credit = share.min(fees(2));
        let debit = if *points < 0 {
            fraction(total, weight(*points, *held), sum).min(fees(1))
        } else {
            0
        };
        pay.rest = pay.rest.saturating_sub(credit);
        pay.credits.push(credit);
        pay.debits.push(debit);
    }
    pay
}

/// Divides the fines (in wei) of a round without result among the accounts that revealed in it, by their seats, in
/// the order of drawing: at most `fee` a seat, the rest to the treasury.
pub fn fines(total: Balance, fee: Balance, seats: &[u32]) -> Pay {
    let held: Vec<u128> = seats.iter().map(|seats| u128::from(*seats)).collect();
    let mut pay = Pay {
        rest: total,
        debits: alloc::vec![0; seats.len()],
        ..Pay::default()
    };
    for (share, held) in largest_remainder(total, &held).into_iter().zip(held) {
        let credit = share.min(fee.saturating_mul(held));
        pay.rest = pay.rest.saturating_sub(credit);
        pay.credits.push(credit);
    }
    pay
}

#[cfg(test)]
mod tests;
