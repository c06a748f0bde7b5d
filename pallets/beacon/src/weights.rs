// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls and of the hook.

use frame_support::weights::{constants::RocksDbWeight, Weight};
use polkadot_sdk::*;

/// Weights of `pallet_beacon`.
pub trait WeightInfo {
    /// Noting the VRF output of the parent's author.
    fn on_initialize() -> Weight;
    /// Including `s` slots; the canary takes most of it.
    fn advance(s: u32) -> Weight;
    /// Re-executing a slot whose dataset is there, and voiding it.
    fn dispute_slot() -> Weight;
    /// Setting the parameters of the next epoch.
    fn set_params() -> Weight;
}

impl WeightInfo for () {
    // The accumulator; the ring's entry is written unread.
    fn on_initialize() -> Weight {
        Weight::from_parts(12_000_000, 3_520)
            .saturating_add(RocksDbWeight::get().reads_writes(2, 2))
    }

    // Reads: time, last progress and stall, configuration, head, genesis time, epochs, accumulator,
    // entropy, parent hash, next parameters. Four cold fine segments take 3.4 ms, their paths 0.5
    // ms.
    fn advance(s: u32) -> Weight {
        let slots = u64::from(s);
        Weight::from_parts(4_200_000_000, 6_068)
            .saturating_add(Weight::from_parts(40_000_000, 0).saturating_mul(slots))
            .saturating_add(RocksDbWeight::get().reads_writes(11, 7))
            .saturating_add(RocksDbWeight::get().writes(slots))
    }

    fn dispute_slot() -> Weight {
        Weight::from_parts(85_000_000_000, 6_176)
            .saturating_add(RocksDbWeight::get().reads_writes(6, 1))
    }

    fn set_params() -> Weight {
        Weight::from_parts(8_000_000, 0).saturating_add(RocksDbWeight::get().writes(1))
    }
}
