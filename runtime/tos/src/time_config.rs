// SPDX-License-Identifier: Apache-2.0

//! The network's clock: how long a slot, an epoch, an era and a protocol minute last.
//!
//! These numbers are part of genesis and never change afterwards, because BABE derives the epoch of
//! a block from its slot and from nothing else. Keeping them in the state instead of in the code
//! lets one WASM binary serve real networks (two-second slots) and tests (a few hundred
//! milliseconds), so that tests exercise exactly what is deployed.
//!
//! Windows of the domain pallets are counted in *protocol minutes*. On a real network a protocol
//! minute is a minute; on a test network it shrinks to a few blocks.

use crate::constants::consensus::{
    EPOCH_SLOTS, MAX_SLOT_DURATION_MS, MIN_SLOT_DURATION_MS, SLOT_DURATION_MS,
};
use polkadot_sdk::*;

pub use pallet::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The length of every period of the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeConfig {
    /// Milliseconds between two slots. Even, because BABE reads it as twice the minimum period.
    pub slot_duration_ms: u64,
    /// Slots in an epoch, which is also a session.
    pub epoch_slots: u32,
    /// Sessions in a staking era.
    pub sessions_per_era: u32,
    /// Eras for which a stake stays bonded, and slashable, after its owner withdrew it.
    pub bonding_eras: u32,
    /// Eras between an offence's report and its slash; governance can cancel it meanwhile.
    pub slash_defer_eras: u32,
    /// Blocks in a protocol minute.
    pub minute_blocks: u32,
    /// Blocks in an hour of governance, the unit of every period of a referendum. Apart from the
    /// protocol minute, because tests must be able to hold a vote within a minute.
    pub governance_hour_blocks: u32,
}

impl TimeConfig {
    /// A real network: two-second slots, one-hour epochs, six-hour eras, a week of bonding.
    pub const PRODUCTION: Self = Self {
        slot_duration_ms: SLOT_DURATION_MS,
        epoch_slots: EPOCH_SLOTS,
        sessions_per_era: 6,
        bonding_eras: 28,
        slash_defer_eras: 27,
        minute_blocks: 30,
        governance_hour_blocks: 1_800,
    };

    /// Development: real slots, but epochs of five minutes and short windows.
    pub const DEVELOPMENT: Self = Self {
        slot_duration_ms: SLOT_DURATION_MS,
        epoch_slots: 150,
        sessions_per_era: 3,
        bonding_eras: 3,
        slash_defer_eras: 1,
        minute_blocks: 5,
        governance_hour_blocks: 5,
    };

    /// Automated tests: half-second slots and epochs of half a minute.
    pub const FAST: Self = Self {
        slot_duration_ms: 500,
        epoch_slots: 60,
        sessions_per_era: 2,
        bonding_eras: 3,
        slash_defer_eras: 1,
        minute_blocks: 2,
        governance_hour_blocks: 1,
    };

    /// Checks the configuration; the error says why it cannot work.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(MIN_SLOT_DURATION_MS..=MAX_SLOT_DURATION_MS).contains(&self.slot_duration_ms) {
            return Err("slot duration out of bounds");
        }
        if !self.slot_duration_ms.is_multiple_of(2) {
            return Err("slot duration must be even");
        }
        // GRANDPA needs time to finalise the handover before the next one begins.
        if self.epoch_slots < 10 {
            return Err("an epoch needs at least ten slots");
        }
        if self.sessions_per_era == 0
            || self.bonding_eras == 0
            || self.minute_blocks == 0
            || self.governance_hour_blocks == 0
        {
            return Err("eras, bonding, protocol minutes and hours cannot be empty");
        }
        if self.slash_defer_eras >= self.bonding_eras {
            return Err("slashes must be applied before the stake is released");
        }
        if self.bonding_eras > MAX_BONDING_ERAS {
            return Err("bonding outlives the history that staking keeps");
        }
        Ok(())
    }

    /// Milliseconds that an era should last.
    pub fn era_ms(&self) -> u64 {
        self.slot_duration_ms
            .saturating_mul(self.epoch_slots.into())
            .saturating_mul(self.sessions_per_era.into())
    }

    /// Slots during which a stake is slashable: the time for which an equivocation can be reported.
    pub fn bonding_slots(&self) -> u64 {
        u64::from(self.epoch_slots)
            .saturating_mul(self.sessions_per_era.into())
            .saturating_mul(self.bonding_eras.into())
    }
}

/// Upper bound of [`TimeConfig::bonding_eras`]; staking's history is longer than this.
pub const MAX_BONDING_ERAS: u32 = 56;

impl Default for TimeConfig {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

/// The pallet that holds the [`TimeConfig`].
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;

    /// Nothing to configure: the configuration is genesis data.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {}

    /// The network's clock.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// The configuration that this network was born with. No call can change it.
    #[pallet::storage]
    pub type Settings<T: Config> = StorageValue<_, TimeConfig, ValueQuery>;

    /// The configuration to be born with.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The length of every period.
        pub config: TimeConfig,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Err(reason) = self.config.check() {
                panic!("genesis time config: {reason}");
            }
            Settings::<T>::put(self.config);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Settings::<T>::get().check().map_err(Into::into)
        }
    }

    impl<T: Config> Pallet<T> {
        /// The length of every period on this network.
        pub fn time_config() -> TimeConfig {
            Settings::<T>::get()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_sound() {
        for config in [
            TimeConfig::PRODUCTION,
            TimeConfig::DEVELOPMENT,
            TimeConfig::FAST,
        ] {
            assert_eq!(config.check(), Ok(()));
        }
    }

    #[test]
    fn a_config_that_would_break_consensus_is_refused() {
        let changes: [fn(&mut TimeConfig); 9] = [
            |config| config.slot_duration_ms = 0,
            |config| config.slot_duration_ms = 251,
            |config| config.slot_duration_ms = 100_000,
            |config| config.epoch_slots = 1,
            |config| config.sessions_per_era = 0,
            |config| (config.bonding_eras, config.slash_defer_eras) = (0, 0),
            |config| config.slash_defer_eras = 3,
            |config| config.bonding_eras = MAX_BONDING_ERAS + 1,
            |config| config.minute_blocks = 0,
        ];
        for change in changes {
            let mut broken = TimeConfig::FAST;
            change(&mut broken);
            assert!(broken.check().is_err(), "{broken:?} must be refused");
        }
    }

    #[test]
    fn an_era_of_a_real_network_is_six_hours_and_bonding_a_week() {
        let config = TimeConfig::PRODUCTION;
        assert_eq!(config.era_ms(), 6 * 60 * 60 * 1_000);
        assert_eq!(
            config.bonding_slots() * config.slot_duration_ms,
            7 * 24 * 60 * 60 * 1_000
        );
    }
}
