// SPDX-License-Identifier: Apache-2.0

//! Chains of tests, from their genesis.

use frame_support::traits::fungible::Inspect;
use polkadot_sdk::*;
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, TryRuntimeError};
use tos_types::Balance;

/// The genesis of balances in which accounts have these, all of it free.
pub fn endowed<T>(balances: Vec<(T::AccountId, Balance)>) -> pallet_balances::GenesisConfig<T>
where
    T: pallet_balances::Config<Balance = Balance>,
{
    pallet_balances::GenesisConfig {
        balances,
        ..Default::default()
    }
}

/// A chain in its first block after this genesis.
///
/// # Panics
/// The genesis is refused.
pub fn first_block<T: frame_system::Config>(genesis: &impl BuildStorage) -> TestExternalities {
    let storage = genesis.build_storage().expect("the genesis is sound");
    let mut chain = TestExternalities::new(storage);
    chain.execute_with(|| frame_system::Pallet::<T>::set_block_number(1u32.into()));
    chain
}

/// Runs a test on a chain, and then the checks of a pallet's state.
///
/// # Panics
/// The test fails, or an invariant does not hold after it.
pub fn checked(
    mut chain: TestExternalities,
    test: impl FnOnce(),
    check: impl FnOnce() -> Result<(), TryRuntimeError>,
) {
    chain.execute_with(|| {
        test();
        check().expect("every invariant holds");
    });
}

/// Runs a test in which no money may come or go.
///
/// # Panics
/// The test fails, or the issuance is another one after it.
pub fn keeps_money<C: Inspect<u64>>(test: impl FnOnce()) {
    let issued = C::total_issuance();
    test();
    assert_eq!(C::total_issuance(), issued, "money came or went");
}
