// SPDX-License-Identifier: Apache-2.0

//! Balances, fees, and accounts that act together. Accounts that act for others: [`super::proxy`].

use super::governance::TreasuryAccount;
use crate::{
    constants::currency::{EXISTENTIAL_DEPOSIT, MICRO_TOS},
    parameters::{AdjustmentVariable, Deposit, MinimumMultiplier, TargetFullness},
    AccountId, Authorship, Balance, Balances, Fees, OriginCaller, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, System,
};
use polkadot_sdk::*;

use frame_support::{
    parameter_types,
    traits::{Get, VariantCountOf},
    weights::ConstantMultiplier,
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
    traits::{Bounded, ConstU32, ConstU8},
    Perbill,
};

parameter_types! {
    /// An account below this balance is removed from the state.
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;

    /// Fee for a unit of weight, in wei. The fixed weight of a transaction, some 100 microseconds,
    /// comes to about a thousandth of a TOS.
    pub const WeightFee: Balance = 10_000_000;
    /// Fee for a byte of a transaction.
    pub const ByteFee: Balance = MICRO_TOS;
    /// The treasury's part of fees. The rest, and all tips, are the author's.
    pub const TreasuryShare: Perbill = Perbill::from_percent(80);
    /// Fees have no upper bound.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_balances::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeHoldReason = RuntimeHoldReason;
    type RuntimeFreezeReason = RuntimeFreezeReason;
    type Balance = Balance;
    type DustRemoval = ();
    type ExistentialDeposit = ExistentialDeposit;
    type AccountStore = System;
    type ReserveIdentifier = [u8; 8];
    type FreezeIdentifier = RuntimeFreezeReason;
    type MaxLocks = ConstU32<50>;
    type MaxReserves = ConstU32<50>;
    type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
    type DoneSlashHandler = ();
    type WeightInfo = crate::weights::pallet_balances::WeightInfo<Runtime>;
}

/// The author of the block.
pub struct BlockAuthor;
impl Get<Option<AccountId>> for BlockAuthor {
    fn get() -> Option<AccountId> {
        Authorship::author()
    }
}

impl pallet_fees::Config for Runtime {
    type WeightInfo = crate::weights::pallet_fees::WeightInfo<Runtime>;
    type Currency = Balances;
    type Author = BlockAuthor;
    type Treasury = TreasuryAccount;
    type TreasuryShare = TreasuryShare;
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, Fees>;
    type WeightToFee = ConstantMultiplier<Balance, WeightFee>;
    type LengthToFee = ConstantMultiplier<Balance, ByteFee>;
    type FeeMultiplierUpdate = TargetedFeeAdjustment<
        Runtime,
        TargetFullness,
        AdjustmentVariable,
        MinimumMultiplier,
        MaximumMultiplier,
    >;
    type OperationalFeeMultiplier = ConstU8<5>;
    type WeightInfo = crate::transactions::ChargeWeight;
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
