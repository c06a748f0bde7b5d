// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

use polkadot_sdk::*;

pub use pallet::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
const LOG_TARGET: &str = "runtime::fees";

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
    use codec::{Decode, Encode};
    use frame_support::{pallet_prelude::*, traits::fungible::Balanced};
    use frame_system::pallet_prelude::*;
    use scale_info::TypeInfo;
    use sp_runtime::Perbill;
    use tos_types::Balance;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Fees of the block, on their way.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of the fees: currency and recipients.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the hooks.
        type WeightInfo: WeightInfo;
        /// The currency of fees.
        type Currency: Balanced<Self::AccountId, Balance = Balance>;
        /// The author of the block, asked at its beginning.
        type Author: Get<Option<Self::AccountId>>;
        /// The account that gets the rest, and the author's part of a block without one.
        type Treasury: Get<Self::AccountId>;
        /// The treasury's part of fees. Tips are the author's alone.
        #[pallet::constant]
        type TreasuryShare: Get<Perbill>;
    }

    /// Amounts to be paid at the end of the block.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    #[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
    pub struct Parts {
        /// To the treasury, in wei.
        pub treasury: Balance,
        /// To the author, in wei.
        pub author: Balance,
    }

    /// Fees of the block's transactions so far. Empty between blocks: it never reaches the
    /// database.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Due<T: Config> = StorageValue<_, Parts, ValueQuery>;

    /// The author of the block, as long as it is being executed.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Author<T: Config> = StorageValue<_, T::AccountId>;

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        // The weight is that of `on_finalize`, which cannot refuse to run.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::note_author();
            T::WeightInfo::on_finalize()
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            Self::pay_out();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
