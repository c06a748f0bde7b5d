// SPDX-License-Identifier: Apache-2.0

//! Weights of the hooks.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weights of `pallet_clock`.
pub trait WeightInfo {
    /// Advancing the tick.
    fn on_poll() -> Weight;
    /// Noting whether the block was crammed.
    fn on_finalize() -> Weight;
}

impl WeightInfo for () {
    fn on_poll() -> Weight {
        Weight::from_parts(3_000_000, 1_489).saturating_add(RocksDbWeight::get().reads_writes(2, 1))
    }

    fn on_finalize() -> Weight {
        Weight::from_parts(4_000_000, 1_486).saturating_add(RocksDbWeight::get().reads_writes(1, 1))
    }
}
