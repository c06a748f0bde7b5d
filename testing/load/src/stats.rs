// SPDX-License-Identifier: Apache-2.0

//! Percentiles of latencies and rates over windows of blocks. Pure.

use serde::Serialize;

/// Percentiles, in the unit of what went in. The nearest-rank method: each is one of the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// The number of values.
    pub count: usize,
    /// Half are no larger.
    pub p50: u32,
    /// Nine in ten are no larger.
    pub p90: u32,
    /// Ninety-nine in a hundred are no larger.
    pub p99: u32,
    /// The largest.
    pub max: u32,
}

impl Percentiles {
    /// Of these values; sorts them.
    pub fn of(values: &mut [u32]) -> Self {
        values.sort_unstable();
        let rank = |per_cent: usize| {
            let place = (values.len() * per_cent).div_ceil(100).max(1);
            values.get(place - 1).copied().unwrap_or_default()
        };
        Self {
            count: values.len(),
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            max: rank(100),
        }
    }
}

/// A final block, as far as rates need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Time at which it was made, in milliseconds; of the chain's clock where it has one.
    pub made_ms: u64,
    /// Transactions of this run in it.
    pub ours: u32,
}

/// Transactions a second over the blocks made from `from_ms` to `to_ms`. The blocks after the first
/// count, and the time from the first to the last: what a block holds was gathered since the one
/// before, so that neither end of the window adds a part of a block.
pub fn sustained(marks: &[Mark], from_ms: u64, to_ms: u64) -> Option<Rate> {
    let inside: Vec<_> = marks
        .iter()
        .filter(|m| (from_ms..=to_ms).contains(&m.made_ms))
        .collect();
    let (first, last) = (inside.first()?, inside.last()?);
    let transactions: u64 = inside.iter().skip(1).map(|m| u64::from(m.ours)).sum();
    Rate::new(transactions, last.made_ms.checked_sub(first.made_ms)?)
}

/// The most transactions a second in one block, over the time since the block before it.
pub fn peak_block(marks: &[Mark]) -> Option<Rate> {
    let pairs = marks.iter().zip(marks.iter().skip(1));
    pairs
        .filter_map(|(before, block)| {
            let span = block.made_ms.checked_sub(before.made_ms)?;
            Rate::new(u64::from(block.ours), span)
        })
        .max_by(|a, b| a.per_second.total_cmp(&b.per_second))
}

/// The most transactions a second over any run of blocks that spans at least `span_ms`.
pub fn peak_window(marks: &[Mark], span_ms: u64) -> Option<Rate> {
    let mut best: Option<Rate> = None;
    let (mut first, mut sum) = (0, 0u64);
    for (at, block) in marks.iter().enumerate().skip(1) {
        sum += u64::from(block.ours);
        // The shortest run that ends here and is long enough.
        while let Some(next) = marks.get(first + 1).filter(|_| first + 1 < at) {
            if block.made_ms.saturating_sub(next.made_ms) < span_ms {
                break;
            }
            sum -= u64::from(next.ours);
            first += 1;
        }
        let Some(start) = marks.get(first) else { break };
        let span = block.made_ms.saturating_sub(start.made_ms);
        if span < span_ms {
            continue;
        }
        if let Some(rate) = Rate::new(sum, span) {
            if best.is_none_or(|b| rate.per_second > b.per_second) {
                best = Some(rate);
            }
        }
    }
    best
}

/// Transactions over time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// Transactions a second.
    pub per_second: f64,
    /// The number of transactions.
    pub transactions: u64,
    /// Over how many milliseconds.
    pub milliseconds: u64,
}

impl Rate {
    /// None where no time passed.
    pub fn new(transactions: u64, milliseconds: u64) -> Option<Self> {
        (milliseconds > 0).then(|| Self {
            per_second: (transactions as f64 * 1e6 / milliseconds as f64).round() / 1e3,
            transactions,
            milliseconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(blocks: &[(u64, u32)]) -> Vec<Mark> {
        let mark = |&(made_ms, ours)| Mark { made_ms, ours };
        blocks.iter().map(mark).collect()
    }

    fn per_second(rate: Option<Rate>) -> f64 {
        rate.map_or(-1.0, |rate| rate.per_second)
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        assert_eq!(Percentiles::of(&mut []), Percentiles::default());
        let one = Percentiles::of(&mut [7]);
        assert_eq!((one.p50, one.p99, one.max), (7, 7, 7));
        let mut values: Vec<u32> = (1..=1_000).rev().collect();
        let all = Percentiles::of(&mut values);
        assert_eq!((all.p50, all.p90, all.p99, all.max), (500, 900, 990, 1_000));
        assert_eq!(Percentiles::of(&mut [1, 2]).p50, 1);
    }

    #[test]
    fn sustained_counts_whole_blocks_over_the_time_between_them() {
        let blocks = marks(&[(0, 9), (2_000, 100), (4_000, 100), (6_000, 100), (8_000, 9)]);
        assert_eq!(per_second(sustained(&blocks, 1_000, 7_000)), 50.0);
        // A skipped slot is time too.
        let gap = marks(&[(0, 0), (2_000, 100), (6_000, 100)]);
        assert_eq!(per_second(sustained(&gap, 0, 10_000)), 33.333);
        // One block alone spans no time.
        assert_eq!(sustained(&blocks, 1_900, 2_100), None);
        assert_eq!(sustained(&[], 0, 1), None);
    }

    #[test]
    fn the_peak_of_a_block_is_over_its_own_slot() {
        let blocks = marks(&[(0, 0), (2_000, 300), (8_000, 600)]);
        assert_eq!(per_second(peak_block(&blocks)), 150.0);
        assert_eq!(peak_block(&blocks[..1]), None);
    }

    #[test]
    fn the_peak_of_ten_seconds_is_over_at_least_ten_seconds() {
        let flat: Vec<_> = (0..20).map(|i| (i * 2_000, 200)).collect();
        assert_eq!(per_second(peak_window(&marks(&flat), 10_000)), 100.0);
        // A burst in the middle, and blocks of uneven distance.
        let blocks = marks(&[(0, 0), (6_000, 0), (8_000, 500), (10_000, 500), (20_000, 0)]);
        let peak = peak_window(&blocks, 10_000);
        assert_eq!(
            peak.map(|p| (p.transactions, p.milliseconds)),
            Some((1_000, 10_000))
        );
        assert_eq!(peak_window(&blocks[..2], 10_000), None);
    }
}
