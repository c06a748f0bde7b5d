// SPDX-License-Identifier: Apache-2.0

//! What every account's work has been worth: one record over all task types, and one per type.
//!
//! A settlement changes both by the formula of [`tos_formulas::reputation`]; a proven offence
//! takes a fixed loss from both. Gains are capped per record and day. Idle records decay, but
//! only in the eye of the reader: reading never writes, so nothing depends on who looks when.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod impls;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::{Record, MAX_DAILY_GAIN};
pub use weights::WeightInfo;

use polkadot_sdk::*;

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, traits::EnsureOrigin};
    use frame_system::pallet_prelude::*;
    use sp_runtime::TryRuntimeError;
    use tos_formulas::reputation::{MAX, MAX_CHANGE, START};
    use tos_interfaces::{Clock, MinerRegistry};
    use tos_types::{offence::Severity, Bp, TaskType};
    use tos_views::ReputationView;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config<RuntimeEvent: From<Event<Self>>> {
        /// Weights of the steps.
        type WeightInfo: WeightInfo;
        /// Protocol time.
        type Clock: Clock;
        /// Who is suspended for grave offences.
        type Miners: MinerRegistry<Self::AccountId>;
        /// Who punishes proven offences.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
    }

    /// Reputation over all task types. An account without a record has the starting reputation.
    #[pallet::storage]
    pub type Global<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Record>;

    /// Reputation in one task type. An account without a record has the starting reputation.
    #[pallet::storage]
    pub type Domain<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, TaskType, Record>;

    /// Who starts with what, on test networks.
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

    /// What happened.
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
            /// By how much the first changed.
            change_global: i16,
            /// By how much the second changed.
            change_domain: i16,
        },
        /// An account was punished for a proven offence; its reputation changed just before.
        #[codec(index = 1)]
        Penalised {
            /// The account.
            who: T::AccountId,
            /// The task type in which it offended.
            task_type: TaskType,
            /// How bad the offence was.
            severity: Severity,
        },
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            const { assert!(START <= MAX, "accounts must start within bounds") };
            assert!(
                i16::try_from(MAX_DAILY_GAIN).is_ok_and(|daily| daily >= MAX_CHANGE),
                "a day must have room for the largest gain, and a gain must fit its type"
            );
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), TryRuntimeError> {
            Self::do_try_state()
        }
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

    #[pallet::view_functions]
    impl<T: Config> Pallet<T> {
        /// The account's reputation over all types, and in every type it has a record of.
        pub fn reputation(who: T::AccountId) -> ReputationView {
            Self::view(&who)
        }

        /// The account's reputation in one type now.
        pub fn reputation_in(who: T::AccountId, task_type: TaskType) -> Bp {
            Self::domain_value(&who, task_type)
        }
    }

    impl<T: Config> Pallet<T> {
        /// Checks every invariant of this pallet's storage.
        pub fn do_try_state() -> Result<(), TryRuntimeError> {
            Self::check_records()?;
            Self::check_settled()
        }
    }
}
