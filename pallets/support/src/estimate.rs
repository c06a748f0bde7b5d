// SPDX-License-Identifier: Apache-2.0

//! Estimated weights, for tests and until benchmarks have measured.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weight of `micros` microseconds of computation, `proof` bytes of proof, and accesses to the
/// database at the SDK's costs.
pub fn weight(micros: u64, proof: u64, reads: u64, writes: u64) -> Weight {
    Weight::from_parts(micros.saturating_mul(1_000_000), proof)
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}
