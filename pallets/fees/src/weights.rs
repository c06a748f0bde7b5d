// SPDX-License-Identifier: Apache-2.0

//! Weights of the hooks.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weights of `pallet_fees`.
pub trait WeightInfo {
    /// Noting the author, and paying the treasury and the author.
    fn on_finalize() -> Weight;
}

impl WeightInfo for () {
    fn on_finalize() -> Weight {
        Weight::from_parts(40_000_000, 6_196)
            .saturating_add(RocksDbWeight::get().reads_writes(3, 2))
    }
}
