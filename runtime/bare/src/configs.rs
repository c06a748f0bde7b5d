// SPDX-License-Identifier: Apache-2.0

//! Configuration of each pallet, as in TOS but for consensus and for where fees go.

use crate::{
    AccountId, Babe, Balance, Balances, Block, Nonce, PalletInfo, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask, System,
    VERSION,
};
use polkadot_sdk::*;

use frame_support::{
    derive_impl, parameter_types,
    traits::{ConstU32, ConstU64},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier};
use sp_runtime::{FixedPointNumber, Perquintill};
use tos_runtime_common::{
    constants::{
        consensus::{EPOCH_SLOTS, MAX_VALIDATORS, SLOT_DURATION_MS},
        fees::{ADJUSTMENT, LEAST_MULTIPLIER, TARGET_FULLNESS},
    },
    FeeMultiplierUpdate,
};

parameter_types! {
    /// Milliseconds between two slots. Part of genesis, as in TOS.
    pub storage SlotDurationMs: u64 = SLOT_DURATION_MS;
    /// Slots in an epoch.
    pub const EpochSlots: u64 = EPOCH_SLOTS as u64;

    /// Fullness of blocks at which fees stay as they are.
    pub TargetFullness: Perquintill =
        Perquintill::from_rational(u64::from(TARGET_FULLNESS), 10_000);
    /// Speed at which fees follow fullness.
    pub AdjustmentVariable: Multiplier =
        Multiplier::saturating_from_rational(ADJUSTMENT, 1_000_000);
    /// Least multiplier of fees.
    pub MinimumMultiplier: Multiplier =
        Multiplier::saturating_from_rational(LEAST_MULTIPLIER, 1_000);
}

tos_runtime_common::impl_system_configs! {}

tos_runtime_common::impl_account_configs! {
    // There is no treasury, and no record of who made the block: fees are burnt.
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
    type FeeMultiplierUpdate =
        FeeMultiplierUpdate<Runtime, TargetFullness, AdjustmentVariable, MinimumMultiplier>;
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochSlots;
    type ExpectedBlockTime = SlotDurationMs;
    type EpochChangeTrigger = pallet_babe::SameAuthoritiesForever;
    type DisabledValidators = ();
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    // Authorities have no stake to lose, so that none needs to prove who they are.
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}
