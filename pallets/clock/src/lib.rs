// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use polkadot_sdk::*;

pub use pallet::*;
pub use weights::WeightInfo;

mod checks;
mod interface;
mod steps;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use tos_types::{PhaseLengths, Tick};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Protocol time: the current tick and the lengths of the phases.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of the clock.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the hooks.
        type WeightInfo: WeightInfo;
    }

    /// The current tick. Does not change after `on_poll` of a block.
    #[pallet::storage]
    pub type Ticks<T: Config> = StorageValue<_, Tick, ValueQuery>;

    /// The lengths of the protocol's phases, fixed at genesis.
    #[pallet::storage]
    pub type Settings<T: Config> = StorageValue<_, PhaseLengths, ValueQuery>;

    /// `true` if the last block was so full that users could not get a transaction in.
    #[pallet::storage]
    pub type Crammed<T: Config> = StorageValue<_, bool, ValueQuery>;

    /// The phase lengths a network is born with.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The lengths of all phases, in ticks.
        pub phase_lengths: PhaseLengths,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.phase_lengths.is_sound(),
                "genesis phase lengths: none may be zero and min_open may not exceed max_open"
            );
            Settings::<T>::put(self.phase_lengths);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // `on_finalize` cannot refuse to run, so its weight is reserved before anything else.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::WeightInfo::on_finalize()
        }

        // A tick is never skipped for want of weight: it is charged, not asked for.
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            Self::advance();
            meter.consume(T::WeightInfo::on_poll().min(meter.remaining()));
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::note_fullness();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
