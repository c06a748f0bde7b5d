// SPDX-License-Identifier: Apache-2.0

//! Balances, fees, and accounts that act together. Accounts that act for others: [`super::proxy`].

use super::governance::TreasuryAccount;
use crate::{
    parameters::{AdjustmentVariable, Deposit, MinimumMultiplier, TargetFullness},
    AccountId, Authorship, Balance, Balances, Fees, OriginCaller, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, System,
};
use polkadot_sdk::*;

use frame_support::{parameter_types, traits::ConstU32};
use pallet_transaction_payment::FungibleAdapter;
use sp_runtime::Perbill;
use tos_runtime_common::FeeMultiplierUpdate;

parameter_types! {
    /// The treasury's part of fees. The rest, and all tips, are the author's.
    pub const TreasuryShare: Perbill = Perbill::from_percent(80);
    /// The author of the block.
    pub BlockAuthor: Option<AccountId> = Authorship::author();
}

tos_runtime_common::impl_account_configs! {
    type OnChargeTransaction = FungibleAdapter<Balances, Fees>;
    type FeeMultiplierUpdate =
        FeeMultiplierUpdate<Runtime, TargetFullness, AdjustmentVariable, MinimumMultiplier>;
}

impl pallet_fees::Config for Runtime {
    type WeightInfo = crate::weights::pallet_fees::WeightInfo<Runtime>;
    type Currency = Balances;
    type Author = BlockAuthor;
    type Treasury = TreasuryAccount;
    type TreasuryShare = TreasuryShare;
}

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = crate::weights::pallet_utility::WeightInfo<Runtime>;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    /// Before the approvals.
    type DepositBase = Deposit<1, 88>;
    /// For each approval.
    type DepositFactor = Deposit<0, 32>;
    type MaxSignatories = ConstU32<100>;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_multisig::WeightInfo<Runtime>;
}
