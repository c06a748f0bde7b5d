// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use polkadot_sdk::*;

pub use pallet::*;
pub use types::{Record, MAX_DAILY_GAIN};
pub use weights::WeightInfo;

mod calls;
mod checks;
mod genesis;
mod interface;
mod reads;
pub mod types;

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
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use tos_formulas::reputation::MAX;
    use tos_interfaces::{Clock, MinerRegistry};
    use tos_types::{offence::Severity, Bp, TaskType};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Reputations of accounts.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of reputations.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the steps.
        type WeightInfo: WeightInfo;
        /// Protocol time.
        type Clock: Clock;
        /// The register that suspends accounts for grave offences.
        type Miners: MinerRegistry<Self::AccountId>;
        /// The origin that punishes proven offences.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
    }

    /// Reputation over all task types. An account without a record has the starting reputation.
    #[pallet::storage]
    pub type Global<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Record>;

    /// Reputation in one task type. An account without a record has the starting reputation.
    #[pallet::storage]
    pub type Domain<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, TaskType, Record>;

    /// Reputations that a test network is born with.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Account, reputation over all and in each built-in type, settled tasks.
        pub reputations: Vec<(T::AccountId, Bp, u32)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, score, settled) in &self.reputations {
                assert!(*score <= MAX, "a genesis reputation is above 10,000");
                Pallet::<T>::seed(who, &TaskType::BUILT_IN, *score, *settled);
            }
        }
    }

    /// Events of reputations.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A settled task or a penalty was applied to an account's reputation.
        #[codec(index = 0)]
        ReputationChanged {
            /// The account.
            who: T::AccountId,
            /// The task type of the second record.
            task_type: TaskType,
            /// Reputation over all types now.
            global: Bp,
            /// Reputation in the type now.
            domain: Bp,
            /// Change of the first, in points.
            change_global: i16,
            /// Change of the second, in points.
            change_domain: i16,
        },
        /// An account was punished for a proven offence; its reputation changed just before.
        #[codec(index = 1)]
        Penalised {
            /// The account.
            who: T::AccountId,
            /// The task type in which it offended.
            task_type: TaskType,
            /// The severity of the offence.
            severity: Severity,
        },
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Punish an account for a proven offence in a task of this type: 200, 1,000 or 3,000
        /// points, the latter two with a suspension of 7 or 30 days.
        #[pallet::call_index(0)]
        pub fn penalise(
            origin: OriginFor<T>,
            who: T::AccountId,
            task_type: TaskType,
            severity: Severity,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_penalise(&who, task_type, severity);
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
