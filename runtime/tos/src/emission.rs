// SPDX-License-Identifier: Apache-2.0

//! The only source of new tokens: one pool, filled at genesis, that drains by halves.
//!
//! The pool holds what genesis left below the supply cap. Half of it leaves in the first halving
//! period, a quarter in the second, and so on; within a period the rate is constant. Staking asks
//! for the payout of each era and takes it from the pool *when it is promised*, not when a
//! validator claims it. Rewards that are not claimed yet are therefore already accounted for, and
//! `total issuance + pool <= MAX_SUPPLY` holds at every block. Burnt tokens do not come back.

use polkadot_sdk::*;

pub use pallet::*;

use crate::Balance;
use sp_runtime::Perbill;

/// Milliseconds in a halving period: four years of 365.25 days.
pub const HALVING_PERIOD_MS: u64 = 1_461 * 24 * 60 * 60 * 1_000;

/// The amount in wei that leaves a pool of `pool` with `remaining` left in it during `duration_ms`.
pub fn scheduled(pool: Balance, remaining: Balance, duration_ms: u64) -> Balance {
    // The current halving period emits `tranche`, and it ends when `tranche` is what remains.
    let mut tranche = pool / 2;
    while tranche > 0 && remaining <= tranche {
        tranche /= 2;
    }
    let period = Balance::from(HALVING_PERIOD_MS);
    let whole = tranche.checked_div(period).unwrap_or_default();
    let part = tranche.checked_rem(period).unwrap_or_default();
    let duration = Balance::from(duration_ms);
    // Split so that no product can overflow, whatever the pool and the duration.
    let due = whole.saturating_mul(duration).saturating_add(
        part.saturating_mul(duration)
            .checked_div(period)
            .unwrap_or_default(),
    );
    due.min(remaining)
}

pub mod migrations {
    //! Steps from earlier versions of the pool's state to this one.
    //!
    //! | from | to | change |
    //! |---|---|---|
    //! | 0 | 1 | the version itself is stated, as that of every other pallet is |

    use super::*;
    use frame_support::{
        migrations::VersionedMigration, traits::UncheckedOnRuntimeUpgrade, weights::Weight,
    };

    /// No value of the pool changes.
    pub struct NoValue<T>(core::marker::PhantomData<T>);

    impl<T: Config> UncheckedOnRuntimeUpgrade for NoValue<T> {
        fn on_runtime_upgrade() -> Weight {
            Weight::zero()
        }
    }

    /// Version 1: the state says which version it is of.
    pub type StatesItsVersion<T> = VersionedMigration<
        0,
        1,
        NoValue<T>,
        Pallet<T>,
        <T as polkadot_sdk::frame_system::Config>::DbWeight,
    >;
}

/// The pallet that holds the pool.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::{pallet_prelude::*, traits::fungible::Inspect};
    use frame_system::pallet_prelude::*;

    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// The token whose supply is capped.
        type Currency: Inspect<Self::AccountId, Balance = Balance>;

        /// No more than this can ever exist.
        #[pallet::constant]
        type MaxSupply: Get<Balance>;

        /// The longest time that one payout may cover, so that a halted chain does not come back
        /// to a windfall.
        type MaxPayoutMs: Get<u64>;

        /// The part of an era's payout that goes to validators and their nominators; the rest goes
        /// to the treasury, which funds the bootstrap rewards of the other roles.
        type StakersShare: Get<Perbill>;
    }

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The emission pool.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The amount that the pool held at genesis, in wei.
    #[pallet::storage]
    pub type Pool<T> = StorageValue<_, Balance, ValueQuery>;

    /// The amount that is left in the pool, in wei.
    #[pallet::storage]
    pub type Remaining<T> = StorageValue<_, Balance, ValueQuery>;

    /// The pool is what the genesis balances left below the cap.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            let issued = T::Currency::total_issuance();
            let Some(pool) = T::MaxSupply::get().checked_sub(issued) else {
                panic!("genesis balances exceed the supply cap: {issued}");
            };
            Pool::<T>::put(pool);
            Remaining::<T>::put(pool);
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            let promised = T::Currency::total_issuance().saturating_add(Remaining::<T>::get());
            ensure!(promised <= T::MaxSupply::get(), "supply cap exceeded");
            ensure!(Remaining::<T>::get() <= Pool::<T>::get(), "pool grew");
            Ok(())
        }
    }

    impl<T: Config> Pallet<T> {
        /// The amount that can still be emitted, in wei.
        pub fn remaining() -> Balance {
            Remaining::<T>::get()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Take what is due for `duration_ms` out of the pool. The caller must mint no more.
        fn take(duration_ms: u64) -> Balance {
            let duration_ms = duration_ms.min(T::MaxPayoutMs::get());
            Remaining::<T>::mutate(|remaining| {
                let due = scheduled(Pool::<T>::get(), *remaining, duration_ms);
                *remaining = remaining.saturating_sub(due);
                due
            })
        }
    }

    impl<T: Config> sp_staking::EraPayout<Balance> for Pallet<T> {
        fn era_payout(_: Balance, _: Balance, era_duration_ms: u64) -> (Balance, Balance) {
            let due = Self::take(era_duration_ms);
            let stakers = T::StakersShare::get().mul_floor(due);
            (stakers, due.saturating_sub(stakers))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::constants::currency::{MAX_SUPPLY, TOS};

    const POOL: Balance = 84_000_000 * TOS;
    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

    fn run(days: u64, mut remaining: Balance) -> Balance {
        for _ in 0..days {
            remaining -= scheduled(POOL, remaining, DAY_MS);
        }
        remaining
    }

    #[test]
    fn each_period_emits_half_of_what_the_previous_one_did() {
        let mut remaining = POOL;
        let mut expected = POOL / 2;
        for _ in 0..5 {
            let next = run(1_461, remaining);
            let emitted = remaining - next;
            // A day may straddle the halving: the difference is at most a day at the faster rate.
            let day = 2 * expected / 1_461;
            assert!(emitted.abs_diff(expected) <= day, "{emitted} != {expected}");
            remaining = next;
            expected /= 2;
        }
    }

    #[test]
    fn the_pool_never_pays_more_than_it_holds() {
        let mut remaining = POOL;
        for _ in 0..2_000 {
            let due = scheduled(POOL, remaining, HALVING_PERIOD_MS);
            assert!(due <= remaining);
            remaining -= due;
        }
        assert!(remaining <= POOL);
    }

    #[test]
    fn extremes_do_not_overflow() {
        assert_eq!(scheduled(0, 0, u64::MAX), 0);
        assert_eq!(scheduled(POOL, 0, u64::MAX), 0);
        assert_eq!(scheduled(MAX_SUPPLY, MAX_SUPPLY, 0), 0);
        assert_eq!(scheduled(MAX_SUPPLY, MAX_SUPPLY, u64::MAX), MAX_SUPPLY);
        assert_eq!(
            scheduled(Balance::MAX, Balance::MAX, u64::MAX),
            Balance::MAX
        );
    }
}
