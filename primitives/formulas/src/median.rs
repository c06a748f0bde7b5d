// SPDX-License-Identifier: Apache-2.0

//! Panels: weights, weighted medians, quorum and agreement, and fair draws.
//!
//! Weights are `u64`; sums are formed in `u128`, so no panel can overflow them.
//!
//! The strength of the median: let `P` be the weight of the panel, `R` the weight that revealed and
//! `A` the adversary's part of it. If `3·A < P` and the quorum [`has_quorum`] holds, then
//! `2·A < R`, and so the median lies between the lowest and the highest honest vote; nor can the
//! adversary alone carry a verdict, which needs `2/3` of `R`. If all revealed, `2·A < R` alone
//! suffices. At `3·A = P` with a third of the weight absent the bound is gone: `A` is then half of
//! `R`.

use crate::stream::Stream;
use alloc::{collections::BTreeSet, vec::Vec};
use tos_types::{Bp, Verdict};

/// The distance from the median, in points, at which a vote has no accuracy left.
pub const ACCURACY_RANGE: u8 = 30;

/// The lower weighted median: the smallest value such that it and all smaller ones together have at
/// least half of the weight. Votes without weight count for nothing; `None` when none has any.
pub fn weighted_median(votes: &[(u8, u64)]) -> Option<u8> {
    let mut votes: Vec<(u8, u64)> = votes.iter().copied().filter(|(_, w)| *w > 0).collect();
    votes.sort_unstable();
    let total = sum(votes.iter().map(|(_, weight)| *weight));
    let mut below = 0u128;
    for (value, weight) in votes {
        below = below.saturating_add(u128::from(weight));
        if below.saturating_mul(2) >= total {
            return Some(value);
        }
    }
    None
}

/// The weight of the votes at most `points` away from `median`.
pub fn agreeing_weight(votes: &[(u8, u64)], median: u8, points: u8) -> u64 {
    votes
        .iter()
        .filter(|(value, _)| value.abs_diff(median) <= points)
        .fold(0, |sum, (_, weight)| sum.saturating_add(*weight))
}

/// The largest share of a panel's weight one of its `n` members may have.
pub const fn max_share(n: usize) -> Bp {
    match n {
        0..=3 => 3_400,
        4..=5 => 2_800,
        6..=7 => 2_400,
        _ => 2_000,
    }
}

/// Lowers the greatest weights to one common level, the highest at which no member has more than
/// [`max_share`] of the lowered sum. Members are those with any weight. Where they are too few for
/// such a level to exist (one or two), all get the smallest weight.
pub fn cap_weights(weights: &mut [u64]) {
    let members = weights.iter().filter(|w| **w > 0).count();
    let share = u128::from(max_share(members));
    let Some(smallest) = weights.iter().copied().filter(|w| *w > 0).min() else {
        return;
    };
    let greatest = weights.iter().copied().max().unwrap_or(smallest);
    // Σ min(w, c)·share − c·10,000 is concave in `c` and 0 at 0, so the levels that keep the rule
    // are an interval from 0 on, and its end can be found by bisection.
    let fair = |level: u64| {
        let lowered = sum(weights.iter().map(|w| *w.min(&level)));
        u128::from(level).saturating_mul(10_000) <= lowered.saturating_mul(share)
    };
    let mut level = smallest;
    if fair(smallest) {
        let mut beyond = greatest;
        if fair(greatest) {
            level = greatest;
        }
        while level.saturating_add(1) < beyond {
            let middle = level.midpoint(beyond);
            if fair(middle) {
                level = middle;
            } else {
                beyond = middle;
            }
        }
    }
    for weight in weights.iter_mut() {
        *weight = level.min(*weight);
    }
}

/// `true` if at least two thirds of the assigned weight revealed; never without any weight.
pub fn has_quorum(revealed: u64, assigned: u64) -> bool {
    revealed > 0 && two_thirds(u128::from(revealed), u128::from(assigned))
}

/// The verdict other than valid that at least two thirds of the weight gave, else valid.
pub fn majority_verdict(votes: &[(Verdict, u64)]) -> Verdict {
    let total = sum(votes.iter().map(|(_, weight)| *weight));
    [
        Verdict::Unavailable,
        Verdict::Malformed,
        Verdict::Plagiarised,
    ]
    .into_iter()
    .find(|verdict| {
        let weight = sum(votes.iter().filter(|(v, _)| v == verdict).map(|(_, w)| *w));
        weight > 0 && two_thirds(weight, total)
    })
    .unwrap_or_default()
}

/// The accuracy of a member's votes: the mean over its `(own quality, median)` pairs of
/// `max(0, 1 − |own − median| / 30)` in basis points, rounded down; 0 without any.
pub fn accuracy(scores: &[(u8, u8)]) -> Bp {
    let range = u32::from(ACCURACY_RANGE);
    let near = scores.iter().fold(0u32, |sum, (own, median)| {
        sum.saturating_add(range.saturating_sub(u32::from(own.abs_diff(*median))))
    });
    let full = u64::try_from(scores.len())
        .unwrap_or(u64::MAX)
        .saturating_mul(u64::from(range));
    let mean = u64::from(near)
        .saturating_mul(10_000)
        .checked_div(full)
        .unwrap_or(0);
    Bp::try_from(mean).unwrap_or(tos_types::BP)
}

/// Draws up to `k` of the indices of `weights`, in order of drawing: each draw takes one of those
/// left with a chance in proportion to its weight. Those without weight are never drawn. The same
/// seed draws the same.
pub fn weighted_sample(weights: &[u64], k: usize, seed: [u8; 32]) -> Vec<usize> {
    let mut left: Vec<(usize, u64)> = weights
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, w)| *w > 0)
        .collect();
    let mut total = sum(left.iter().map(|(_, weight)| *weight));
    let mut stream = Stream::new(*b"tos/sample/v1", seed);
    let mut drawn = Vec::new();
    while drawn.len() < k && !left.is_empty() {
        let mut point = stream.below(total);
        let hit = left.iter().position(|(_, weight)| {
            let inside = point < u128::from(*weight);
            point = point.saturating_sub(u128::from(*weight));
            inside
        });
        // The point lies below the sum, so there always is a hit.
        let Some(hit) = hit else { break };
        let (index, weight) = left.remove(hit);
        total = total.saturating_sub(u128::from(weight));
        drawn.push(index);
    }
    drawn
}

/// Draws `k` distinct numbers below `pool`, every set of them with the same chance, in ascending
/// order; all of them when the pool is no larger than that. The work grows with `k` only.
pub fn distinct_indices(pool: u32, k: u32, seed: [u8; 32]) -> Vec<u32> {
    if pool <= k {
        return (0..pool).collect();
    }
    // Floyd's algorithm: one draw for each number taken, however large the pool.
    let mut stream = Stream::new(*b"tos/indices/v1", seed);
    let mut taken = BTreeSet::new();
    for last in pool.saturating_sub(k)..pool {
        let drawn = stream.below(u128::from(last).saturating_add(1));
        let drawn = u32::try_from(drawn).unwrap_or(last);
        if !taken.insert(drawn) {
            taken.insert(last);
        }
    }
    taken.into_iter().collect()
}

/// `true` if `part` is at least two thirds of `whole`.
fn two_thirds(part: u128, whole: u128) -> bool {
    part.saturating_mul(3) >= whole.saturating_mul(2)
}

fn sum(weights: impl Iterator<Item = u64>) -> u128 {
    weights.fold(0, |sum, weight| sum.saturating_add(u128::from(weight)))
}

#[cfg(test)]
mod tests;
