// SPDX-License-Identifier: Apache-2.0

//! Periods, read from the genesis time configuration.

use crate::{time_config, BlockNumber, Runtime};
use polkadot_sdk::*;

use frame_support::traits::Get;

fn config() -> time_config::TimeConfig {
    time_config::Pallet::<Runtime>::time_config()
}

impl time_config::Config for Runtime {}

/// Milliseconds between two slots.
pub struct SlotDurationMs;
impl Get<u64> for SlotDurationMs {
    fn get() -> u64 {
        config().slot_duration_ms
    }
}

/// Slots in an epoch.
pub struct EpochSlots;
impl Get<u64> for EpochSlots {
    fn get() -> u64 {
        config().epoch_slots.into()
    }
}

/// Sessions in a staking era.
pub struct SessionsPerEra;
impl Get<u32> for SessionsPerEra {
    fn get() -> u32 {
        config().sessions_per_era
    }
}

/// Eras for which a withdrawn stake remains slashable.
pub struct BondingEras;
impl Get<u32> for BondingEras {
    fn get() -> u32 {
        config().bonding_eras
    }
}

/// Eras between the report of an offence and the slash.
pub struct SlashDeferEras;
impl Get<u32> for SlashDeferEras {
    fn get() -> u32 {
        config().slash_defer_eras
    }
}

/// Slots for which an equivocation can be reported.
pub struct BondingSlots;
impl Get<u64> for BondingSlots {
    fn get() -> u64 {
        config().bonding_slots()
    }
}

/// The longest time that an era's payout may cover.
pub struct MaxPayoutMs;
impl Get<u64> for MaxPayoutMs {
    fn get() -> u64 {
        config().era_ms().saturating_mul(2)
    }
}

/// `N` protocol minutes, in blocks: the unit for windows of pallets.
pub struct Minutes<const N: u32>;
impl<const N: u32> Get<BlockNumber> for Minutes<N> {
    fn get() -> BlockNumber {
        config().minute_blocks.saturating_mul(N)
    }
}

/// `N` hours of governance, in blocks: the unit of referenda, motions and their locks.
pub struct Hours<const N: u32>;
impl<const N: u32> Get<BlockNumber> for Hours<N> {
    fn get() -> BlockNumber {
        config().governance_hour_blocks.saturating_mul(N)
    }
}
