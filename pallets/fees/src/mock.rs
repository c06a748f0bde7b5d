// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and fees.

use crate as pallet_fees;
use crate::*;
use frame_support::{derive_impl, parameter_types};
use sp_runtime::{BuildStorage, Perbill};
use tos_types::Balance;

type Block = frame_system::mocking::MockBlock<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system,
        Balances: pallet_balances,
        Fees: pallet_fees,
    }
);

pub const PAYER: u64 = 1;
pub const AUTHOR: u64 = 2;
pub const TREASURY: u64 = 99;
pub const ED: Balance = 10;

parameter_types! {
    pub static BlockAuthor: Option<u64> = Some(AUTHOR);
    pub const Treasury: u64 = TREASURY;
    pub const TreasuryShare: Perbill = Perbill::from_percent(80);
    pub const ExistentialDeposit: Balance = ED;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
}

impl pallet_fees::Config for Test {
    type WeightInfo = ();
    type Currency = Balances;
    type Author = BlockAuthor;
    type Treasury = Treasury;
    type TreasuryShare = TreasuryShare;
}

/// A chain on which the payer is rich and the treasury exists.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let mut storage = frame_system::GenesisConfig::<Test>::default()
        .build_storage()
        .unwrap();
    pallet_balances::GenesisConfig::<Test> {
        balances: vec![(PAYER, Balance::MAX / 4), (TREASURY, ED)],
        ..Default::default()
    }
    .assimilate_storage(&mut storage)
    .unwrap();
    let mut ext: sp_io::TestExternalities = storage.into();
    ext.execute_with(|| {
        BlockAuthor::set(Some(AUTHOR));
        System::set_block_number(1);
    });
    ext
}
