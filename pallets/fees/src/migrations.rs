// SPDX-License-Identifier: Apache-2.0

//! Steps from earlier versions of the state to this one.
//!
//! | from | to | change |
//! |---|---|---|
//! | 0 | 1 | the version itself is stated, as that of every other pallet is |

use crate::Pallet;
use frame_support::{
    migrations::VersionedMigration, traits::UncheckedOnRuntimeUpgrade, weights::Weight,
};
use polkadot_sdk::*;

/// Nothing between blocks is of this pallet ([`crate::Due`] and [`crate::Author`] are empty then),
/// so that no value changes.
pub struct NoValue<T>(core::marker::PhantomData<T>);

impl<T: crate::Config> UncheckedOnRuntimeUpgrade for NoValue<T> {
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
