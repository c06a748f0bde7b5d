// SPDX-License-Identifier: Apache-2.0

//! Chance, from the seed of a run and nothing else.

use codec::Encode;
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use rand_chacha::{
    rand_core::{RngCore, SeedableRng},
    ChaCha12Rng,
};

/// A source of chance. One label of one seed gives one stream, whatever other streams are used for.
#[derive(Clone, Debug)]
pub struct Dice(ChaCha12Rng);

impl Dice {
    /// The stream with this label of this seed.
    pub fn new(seed: u64, label: impl Encode) -> Self {
        let key = (b"tos/economy", seed, label).using_encoded(blake2_256);
        Self(ChaCha12Rng::from_seed(key))
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A number, uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // 53 bits, as many as the fraction of an f64 has.
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number of the normal distribution with mean 0 and standard deviation 1 (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_label_give_one_stream() {
        let stream = |seed, label: u32| Dice::new(seed, label).bytes();
        assert_eq!(stream(1, 2), stream(1, 2));
        assert_ne!(stream(1, 2), stream(1, 3));
        assert_ne!(stream(1, 2), stream(2, 2));
    }

    #[test]
    fn the_normal_distribution_has_its_mean_and_its_deviation() {
        let mut dice = Dice::new(7, 0u8);
        let numbers: Vec<f64> = (0..20_000).map(|_| dice.normal()).collect();
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }
}
