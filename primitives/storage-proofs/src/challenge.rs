// SPDX-License-Identifier: Apache-2.0

//! The words that a seed asks for. Nothing the prover chooses enters.

use crate::{hash, Hash, ReplicaId};
use alloc::vec::Vec;

/// The most words or chunks one proof opens.
pub const MAX_CHALLENGES: u32 = 64;

/// The seed of one replica in one window: `H(SEED, window seed ‖ replica ‖ sealed root)`. Replicas of
/// equal length are asked for unrelated words, and a proof made for one seed answers no other.
pub fn replica_seed(window_seed: &Hash, replica: &ReplicaId, sealed_root: &Hash) -> Hash {
    hash::keyed_parts(&hash::SEED, &[window_seed, replica, sealed_root])
}

/// The indices a seed asks for, in the order drawn: ⌊x_j · n / 2^128⌋, where x_j is the j-th
/// little-endian 16 bytes of the extendable output of `H(CHALLENGE, seed)`.
///
/// With replacement and without retries, so no index is favoured by more than n / 2^128 and nothing
/// can be ground. At most [`MAX_CHALLENGES`] are drawn; for an empty sequence, none.
pub fn challenges(seed: &Hash, count: u32, n: u64) -> Vec<u64> {
    if n == 0 {
        return Vec::new();
    }
    let mut stream = blake3::Hasher::new_keyed(&hash::CHALLENGE)
        .update(seed)
        .finalize_xof();
    (0..count.min(MAX_CHALLENGES))
        .map(|_| {
            let mut drawn = [0; 16];
            stream.fill(&mut drawn);
            scale(u128::from_le_bytes(drawn), n)
        })
        .collect()
}

/// ⌊x · n / 2^128⌋, below n.
fn scale(x: u128, n: u64) -> u64 {
    let n = u128::from(n);
    // Each product is at most (2^64−1)², and (2^64−1)² + 2^64−1 < 2^128: nothing wraps.
    let low = (x & u128::from(u64::MAX)).wrapping_mul(n) >> 64;
    ((x >> 64).wrapping_mul(n).wrapping_add(low) >> 64) as u64
}

/// The indices in ascending order, each once: the order in which a proof opens them.
pub fn distinct(mut indices: Vec<u64>) -> Vec<u64> {
    indices.sort_unstable();
    indices.dedup();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_range_is_reached_and_never_left() {
        for n in [1, 2, 3, 64, 1 << 29, u64::MAX] {
            assert_eq!(scale(0, n), 0);
            assert_eq!(scale(u128::MAX, n), n - 1);
        }
        assert_eq!(scale(1 << 127, 64), 32);
        assert_eq!(scale((1 << 127) - 1, 64), 31);
    }

    #[test]
    fn the_count_is_bounded() {
        assert_eq!(challenges(&[0; 32], u32::MAX, 64).len(), 64);
        assert!(challenges(&[0; 32], 16, 0).is_empty());
    }

    /// 64,000 draws into 64 bins: with 63 degrees of freedom, chi-square exceeds 103.4 once in a thousand.
    #[test]
    fn challenges_are_uniform() {
        let mut bins = [0u64; 64];
        for seed in 0..1_000u32 {
            let mut bytes = [0; 32];
            bytes[..4].copy_from_slice(&seed.to_le_bytes());
            for index in challenges(&bytes, 64, 64 * 1_009) {
                bins[(index / 1_009) as usize] += 1;
            }
        }
        let expected = 1_000i64;
        let chi: i64 = bins
            .iter()
            .map(|seen| (*seen as i64 - expected).pow(2))
            .sum();
        assert!(chi < 103_400, "chi-square {}", chi / expected);
        assert!(chi > 31_700, "too even: {}", chi / expected);
    }

    #[test]
    fn seeds_of_two_replicas_windows_or_roots_ask_for_unrelated_words() {
        let seed = replica_seed(&[1; 32], &[2; 16], &[3; 32]);
        for other in [
            replica_seed(&[0; 32], &[2; 16], &[3; 32]),
            replica_seed(&[1; 32], &[0; 16], &[3; 32]),
            replica_seed(&[1; 32], &[2; 16], &[0; 32]),
        ] {
            let (a, b) = (
                challenges(&seed, 16, 1 << 29),
                challenges(&other, 16, 1 << 29),
            );
            assert!(a.iter().all(|index| !b.contains(index)));
        }
    }
}
