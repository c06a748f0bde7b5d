// SPDX-License-Identifier: Apache-2.0

//! Periods, read from the genesis time scale.

use crate::{time_scale, BlockNumber, Runtime};
use polkadot_sdk::*;

use frame_support::traits::Get;

fn scale() -> time_scale::TimeScale {
    time_scale::Pallet::<Runtime>::time_scale()
}

impl time_scale::Config for Runtime {}

/// Milliseconds between two slots.
pub struct SlotDurationMs;
impl Get<u64> for SlotDurationMs {
    fn get() -> u64 {
        scale().slot_duration_ms
    }
}

/// Slots in an epoch.
pub struct EpochSlots;
impl Get<u64> for EpochSlots {
    fn get() -> u64 {
        scale().epoch_slots.into()
    }
}

/// Sessions in a staking era.
pub struct SessionsPerEra;
impl Get<u32> for SessionsPerEra {
    fn get() -> u32 {
        scale().sessions_per_era
    }
}

/// Eras for which a withdrawn stake remains slashable.
pub struct BondingEras;
impl Get<u32> for BondingEras {
    fn get() -> u32 {
        scale().bonding_eras
    }
}

/// Eras between the report of an offence and the slash.
pub struct SlashDeferEras;
impl Get<u32> for SlashDeferEras {
    fn get() -> u32 {
        scale().slash_defer_eras
    }
}

/// Slots for which an equivocation can be reported.
pub struct BondingSlots;
impl Get<u64> for BondingSlots {
    fn get() -> u64 {
        scale().bonding_slots()
    }
}

/// The longest time that an era's payout may cover.
pub struct MaxPayoutMs;
impl Get<u64> for MaxPayoutMs {
    fn get() -> u64 {
        scale().era_ms().saturating_mul(2)
    }
}

/// `N` protocol minutes, in blocks: the unit for windows of pallets.
pub struct Minutes<const N: u32>;
impl<const N: u32> Get<BlockNumber> for Minutes<N> {
    fn get() -> BlockNumber {
        scale().minute_blocks.saturating_mul(N)
    }
}

/// `N` hours of governance, in blocks: the unit of referenda, motions and their locks.
pub struct Hours<const N: u32>;
impl<const N: u32> Get<BlockNumber> for Hours<N> {
    fn get() -> BlockNumber {
        scale().governance_hour_blocks.saturating_mul(N)
    }
}
