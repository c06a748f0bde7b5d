// SPDX-License-Identifier: Apache-2.0

//! Public money and privileged calls.

use super::Minutes;
use crate::{
    origins::EnsureTreasurer,
    parameters::{Deposit, MaxSpend},
    AccountId, Balance, Balances, OriginCaller, Preimage, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeHoldReason, RuntimeOrigin, System, Treasury,
};
use polkadot_sdk::*;

use frame_support::{
    parameter_types,
    traits::{
        fungible::HoldConsideration,
        tokens::{PayFromAccount, UnityAssetBalanceConversion},
        ConstU32, EitherOf, EqualPrivilegeOnly, LinearStoragePrice,
    },
    weights::Weight,
    PalletId,
};
use frame_system::{EnsureRoot, EnsureWithSuccess};
use sp_runtime::{traits::IdentityLookup, Perbill, Permill};
use tos_runtime_common::limits::part_of_block;

parameter_types! {
    /// From which the treasury's account is derived.
    pub const TreasuryPalletId: PalletId = PalletId(*b"tos/trsy");
    /// The treasury burns nothing: the supply shrinks by decision, not by habit.
    pub const TreasuryBurn: Permill = Permill::zero();
    /// The treasury's account.
    pub TreasuryAccount: AccountId = Treasury::account_id();

    /// The reason to hold a preimage's deposit.
    pub const PreimageHoldReason: RuntimeHoldReason =
        RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);

    /// Part of a block that scheduled calls may take.
    pub SchedulerWeight: Weight = part_of_block(Perbill::from_percent(50));
}

/// The origin that spends from the treasury.
type TreasurerOrigin = EitherOf<EnsureRoot<AccountId>, EnsureTreasurer>;

/// A day, in protocol minutes.
const DAY: u32 = 24 * 60;

impl pallet_treasury::Config for Runtime {
    type PalletId = TreasuryPalletId;
    type Currency = Balances;
    type RuntimeEvent = RuntimeEvent;
    type RejectOrigin = TreasurerOrigin;
    type SpendOrigin = EnsureWithSuccess<TreasurerOrigin, AccountId, MaxSpend>;
    type SpendPeriod = Minutes<DAY>;
    type Burn = TreasuryBurn;
    type BurnDestination = ();
    type SpendFunds = ();
    type MaxApprovals = ConstU32<100>;
    // The treasury holds the native token only, and pays accounts only.
    type AssetKind = ();
    type Beneficiary = AccountId;
    type BeneficiaryLookup = IdentityLookup<AccountId>;
    type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
    type BalanceConverter = UnityAssetBalanceConversion;
    type PayoutPeriod = Minutes<{ 30 * DAY }>;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_treasury::WeightInfo<Runtime>;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = crate::benchmarks::TreasuryArguments;
}

impl pallet_preimage::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type ManagerOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        PreimageHoldReason,
        LinearStoragePrice<Deposit<2, 64>, Deposit<0, 1>, Balance>,
    >;
    type WeightInfo = crate::weights::pallet_preimage::WeightInfo<Runtime>;
}

impl pallet_scheduler::Config for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type RuntimeEvent = RuntimeEvent;
    type PalletsOrigin = OriginCaller;
    type RuntimeCall = RuntimeCall;
    type MaximumWeight = SchedulerWeight;
    type ScheduleOrigin = EnsureRoot<AccountId>;
    type OriginPrivilegeCmp = EqualPrivilegeOnly;
    type MaxScheduledPerBlock = ConstU32<50>;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_scheduler::WeightInfo<Runtime>;
}

// Root for development networks. Presets of real networks leave its key empty.
impl pallet_sudo::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WeightInfo = crate::weights::pallet_sudo::WeightInfo<Runtime>;
}
