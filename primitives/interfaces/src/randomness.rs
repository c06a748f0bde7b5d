// SPDX-License-Identifier: Apache-2.0

//! Randomness of the beacon.

use tos_types::randomness::RandomnessRequest;

/// What a randomness request is worth now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// The seed.
    Ready([u8; 32]),
    /// Not yet; ask again in a later block.
    Pending,
    /// The records no longer reach back so far: make a new randomness request.
    Expired,
}

/// Randomness that nobody could know when its randomness request was made (`docs/beacon.md`).
pub trait Randomness {
    /// Makes a randomness request. The same for everybody within a block.
    fn request() -> RandomnessRequest;
    /// The seed of `subject` for a randomness request. Once ready it stays the same until it
    /// expires.
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed;
    /// Whether time cannot be trusted now, because the beacon stands still. Nobody may be punished
    /// for being late meanwhile.
    fn degraded() -> bool;
    /// Makes every randomness request's seed ready. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(_randomness: &RandomnessRequest) {}
}
