// SPDX-License-Identifier: Apache-2.0

//! Numbers for draws, from a seed.

use codec::Encode;
use polkadot_sdk::sp_crypto_hashing::blake2_128;

/// Source of numbers for draws.
pub trait Points {
    /// A number below `bound`, each with the same chance; 0 when the bound is 0.
    fn point(&mut self, bound: u64) -> u64;
}

/// Numbers from a seed: the `i`-th is BLAKE2b-128 of the SCALE encoding of (tag, seed, `i` as
/// `u64`), read as little-endian.
pub struct Stream<const N: usize> {
    tag: [u8; N],
    seed: [u8; 32],
    next: u64,
}

impl<const N: usize> Stream<N> {
    /// Numbers of this seed for one purpose, which the tag names.
    pub const fn new(tag: [u8; N], seed: [u8; 32]) -> Self {
        Self { tag, seed, next: 0 }
    }

    pub(crate) fn number(&mut self) -> u128 {
        let block = (self.tag, self.seed, self.next).using_encoded(blake2_128);
        self.next = self.next.wrapping_add(1);
        u128::from_le_bytes(block)
    }

    /// A number below `bound`, each with the same chance; 0 when the bound is 0.
    pub fn below(&mut self, bound: u128) -> u128 {
        // For the bounds used here, below 2^96, a number is thrown away less than once in 2^32 times.
        loop {
            if let Some(residue) = residue(self.number(), u128::MAX, bound) {
                return residue;
            }
        }
    }
}

impl<const N: usize> Points for Stream<N> {
    fn point(&mut self, bound: u64) -> u64 {
        // The number lies below a bound that fits.
        u64::try_from(self.below(u128::from(bound))).unwrap_or(0)
    }
}

/// A number from 0 to `greatest`, reduced below `bound`. None past the last whole multiple of the
/// bound: those would favour the small results. Every number gives 0 when the bound is 0.
fn residue(number: u128, greatest: u128, bound: u128) -> Option<u128> {
    let surplus = greatest.checked_rem(bound).unwrap_or(0).saturating_add(1);
    let surplus = surplus.checked_rem(bound).unwrap_or(0);
    let limit = greatest.saturating_sub(surplus);
    (number <= limit).then(|| number.checked_rem(bound).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn every_residue_comes_from_as_many_numbers() {
        for greatest in [0, 1, 6, 63, 255] {
            for bound in 1..=greatest + 1 {
                let mut seen = vec![0u128; bound as usize];
                for number in 0..=greatest {
                    if let Some(residue) = residue(number, greatest, bound) {
                        seen[residue as usize] += 1;
                    }
                }
                // As many as there can be: none is thrown away without need.
                let each = (greatest + 1) / bound;
                assert!(seen.iter().all(|count| *count == each), "{bound}: {seen:?}");
            }
        }
    }

    #[test]
    fn points_are_numbers_of_the_stream_below_any_bound() {
        let stream = || Stream::new(*b"tos/test/v1", [7; 32]);
        for bound in [1, 2, 1_000, u64::MAX] {
            let (mut points, mut numbers) = (stream(), stream());
            for _ in 0..20 {
                let point = points.point(bound);
                assert!(point < bound);
                assert_eq!(u128::from(point), numbers.below(u128::from(bound)));
            }
        }
        assert_eq!(stream().point(0), 0);
    }
}
