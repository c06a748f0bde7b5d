// SPDX-License-Identifier: Apache-2.0

//! Periods, read from the genesis time configuration.

use crate::{time_config, BlockNumber, Runtime};
use polkadot_sdk::*;

use frame_support::{parameter_types, traits::Get};

fn config() -> time_config::TimeConfig {
    time_config::Pallet::<Runtime>::time_config()
}

impl time_config::Config for Runtime {}

parameter_types! {
    /// Milliseconds between two slots.
    pub SlotDurationMs: u64 = config().slot_duration_ms;
    /// Slots in an epoch.
    pub EpochSlots: u64 = config().epoch_slots.into();
    /// Sessions in a staking era.
    pub SessionsPerEra: u32 = config().sessions_per_era;
    /// Eras for which a withdrawn stake remains slashable.
    pub BondingEras: u32 = config().bonding_eras;
    /// Eras between the report of an offence and the slash.
    pub SlashDeferEras: u32 = config().slash_defer_eras;
    /// Slots for which an equivocation can be reported.
    pub BondingSlots: u64 = config().bonding_slots();
    /// The longest time that an era's payout may cover.
    pub MaxPayoutMs: u64 = config().era_ms().saturating_mul(2);
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
