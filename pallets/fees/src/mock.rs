// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and fees.

use crate as pallet_fees;
use crate::*;
use frame_support::{parameter_types, traits::ConstU64};
use sp_runtime::Perbill;
use tos_pallet_support::testing::{endowed, first_block};
use tos_types::Balance;

tos_pallet_support::test_runtime! {
    Fees: pallet_fees, existential_deposit: ED;
    type Currency = Balances;
    type Author = BlockAuthor;
    type Treasury = ConstU64<TREASURY>;
    type TreasuryShare = TreasuryShare;
}

pub const PAYER: u64 = 1;
pub const AUTHOR: u64 = 2;
pub const TREASURY: u64 = 99;
pub const ED: Balance = 10;

parameter_types! {
    pub static BlockAuthor: Option<u64> = Some(AUTHOR);
    pub const TreasuryShare: Perbill = Perbill::from_percent(80);
}

/// A chain on which the payer is rich and the treasury exists.
pub fn new_test_ext() -> sp_io::TestExternalities {
    BlockAuthor::set(Some(AUTHOR));
    first_block::<Test>(&RuntimeGenesisConfig {
        balances: endowed::<Test>(vec![(PAYER, Balance::MAX / 4), (TREASURY, ED)]),
        ..Default::default()
    })
}
