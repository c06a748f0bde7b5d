// SPDX-License-Identifier: Apache-2.0

//! Randomness of the beacon.

use tos_types::randomness::RandomnessRequest;

/// State of a randomness request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// The seed is known.
    Ready {
        /// The seed.
        seed: [u8; 32],
        /// `true` if it comes from authors of blocks alone, because the beacon stood still after
        /// the request was made. Never changes with the time of asking, as the seed does not.
        degraded: bool,
    },
    /// Not yet; ask again in a later block.
    Pending,
    /// The records no longer reach back so far: make a new randomness request.
    Expired,
}

/// Randomness that was unknown to everyone when its request was made (`docs/beacon.md`).
pub trait Randomness {
    /// Makes a randomness request. The same for all requests within a block.
    fn request() -> RandomnessRequest;
    /// The seed of `subject` for a randomness request. Once ready it stays the same until it
    /// expires.
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed;
    /// Returns `true` if time cannot be trusted now, because the beacon stands still. No account may be punished
    /// for being late meanwhile.
    fn degraded() -> bool;
    /// Makes every randomness request's seed ready. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(_randomness: &RandomnessRequest) {}
}
