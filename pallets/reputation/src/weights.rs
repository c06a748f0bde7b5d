// SPDX-License-Identifier: Apache-2.0

//! Weights of the call and of recording. `()` estimates from database accesses, for tests; a
//! runtime measures.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weights of this pallet's call and of its step in a settlement.
pub trait WeightInfo {
    /// Penalising an account whose records have decayed, with a suspension.
    fn penalise() -> Weight;
    /// Recording one performance of an account whose records have decayed.
    fn record() -> Weight;
}

/// A step's own work, and its accesses to the database.
fn estimate(reads: u64, writes: u64) -> Weight {
    Weight::from_parts(20_000_000, 6_000)
        .saturating_add(RocksDbWeight::get().reads_writes(reads, writes))
}

impl WeightInfo for () {
    // Global, Domain, tick, phase lengths, the suspension.
    fn penalise() -> Weight {
        estimate(5, 3)
    }
    // Global, Domain, tick, phase lengths.
    fn record() -> Weight {
        estimate(4, 2)
    }
}
