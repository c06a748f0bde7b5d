// SPDX-License-Identifier: Apache-2.0

//! How each pallet is configured: as in TOS, which the tests compare.

use crate::{
    constants::{
        currency::{EXISTENTIAL_DEPOSIT, MICRO_TOS},
        SS58_PREFIX,
    },
    weights::base,
    AccountId, Babe, Balance, Balances, Block, BlockNumber, Nonce, PalletInfo, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, RuntimeOrigin, RuntimeTask,
    System, VERSION,
};
use polkadot_sdk::*;

use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{Get, VariantCountOf},
    weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, ConstantMultiplier, RuntimeDbWeight, Weight},
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
    traits::{Bounded, ConstU32, ConstU64, ConstU8},
    FixedPointNumber, Perbill, Perquintill,
};
use sp_version::RuntimeVersion;

/// Most authorities, as many as TOS has validators.
pub const MAX_AUTHORITIES: u32 = 100;

/// Part of a block that ordinary transactions may fill.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// Part of a block that hooks are expected to need before the first transaction.
const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);
/// Longest block, in bytes.
const MAX_BLOCK_BYTES: u32 = 5 * 1024 * 1024;
/// Largest storage proof.
const MAX_PROOF_BYTES: u64 = 40 * 1024 * 1024;
/// Longest header.
const MAX_HEADER_BYTES: u32 = 128 * 1024;
/// The work of a whole block.
const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
    WEIGHT_REF_TIME_PER_MILLIS.saturating_mul(1_000),
    MAX_PROOF_BYTES,
);

fn part_of_block(part: Perbill) -> Weight {
    Weight::from_parts(
        part.mul_floor(MAXIMUM_BLOCK_WEIGHT.ref_time()),
        part.mul_floor(MAXIMUM_BLOCK_WEIGHT.proof_size()),
    )
}

parameter_types! {
    /// Milliseconds between two slots. Part of genesis, as in TOS.
    pub storage SlotDurationMs: u64 = 2_000;
    /// Slots in an epoch.
    pub const EpochSlots: u64 = 1_800;

    /// Blocks for which hashes are kept; also the longest life of a mortal transaction.
    pub const BlockHashCount: BlockNumber = 4096;
    /// Which runtime this is.
    pub const Version: RuntimeVersion = VERSION;
    /// Address prefix.
    pub const Ss58Prefix: u16 = SS58_PREFIX;

    /// How much work fits into a block.
    pub RuntimeBlockWeights: BlockWeights = BlockWeights::builder()
        .base_block(base::BLOCK)
        .for_class(DispatchClass::all(), |weights| {
            weights.base_extrinsic = base::EXTRINSIC;
        })
        .for_class(DispatchClass::Normal, |weights| {
            weights.max_total = Some(part_of_block(NORMAL_DISPATCH_RATIO));
        })
        .for_class(DispatchClass::Operational, |weights| {
            weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
            weights.reserved = Some(
                MAXIMUM_BLOCK_WEIGHT.saturating_sub(part_of_block(NORMAL_DISPATCH_RATIO)),
            );
        })
        .avg_block_initialization(AVERAGE_ON_INITIALIZE_RATIO)
        .build_or_panic();

    /// How many bytes fit into a block.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(MAX_BLOCK_BYTES)
        .modify_max_length_for_class(DispatchClass::Normal, |max| {
            *max = NORMAL_DISPATCH_RATIO.mul_floor(MAX_BLOCK_BYTES);
        })
        .max_header_size(MAX_HEADER_BYTES)
        .build();

    /// What an access of the database costs.
    pub const DatabaseWeight: RuntimeDbWeight = base::DATABASE;

    /// An account below this balance is removed from the state.
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;

    /// Fee for a unit of weight, in wei.
    pub const WeightFee: Balance = 10_000_000;
    /// Fee for a byte of a transaction.
    pub const ByteFee: Balance = MICRO_TOS;
    /// Fullness of blocks at which fees stay as they are.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast fees follow fullness.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
    /// Fees never fall below this part of their base.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    /// Fees have no upper bound.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

/// Least time between two blocks. BABE takes twice this for the slot duration.
pub struct MinimumPeriodMs;
impl Get<u64> for MinimumPeriodMs {
    fn get() -> u64 {
        SlotDurationMs::get() / 2
    }
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockWeights = RuntimeBlockWeights;
    type BlockLength = RuntimeBlockLength;
    type BlockHashCount = BlockHashCount;
    type AccountId = AccountId;
    type Nonce = Nonce;
    type AccountData = pallet_balances::AccountData<Balance>;
    type DbWeight = DatabaseWeight;
    type Version = Version;
    type SS58Prefix = Ss58Prefix;
    type MaxConsumers = ConstU32<128>;
    type SystemWeightInfo = crate::weights::frame_system::WeightInfo<Runtime>;
    type ExtensionsWeightInfo = crate::weights::frame_system_extensions::WeightInfo<Runtime>;
}

impl pallet_timestamp::Config for Runtime {
    /// Milliseconds since the Unix epoch.
    type Moment = u64;
    type OnTimestampSet = Babe;
    type MinimumPeriod = MinimumPeriodMs;
    type WeightInfo = crate::weights::pallet_timestamp::WeightInfo<Runtime>;
}

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochSlots;
    type ExpectedBlockTime = SlotDurationMs;
    type EpochChangeTrigger = pallet_babe::SameAuthoritiesForever;
    type DisabledValidators = ();
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    // Authorities have no stake to lose, so that nobody needs to prove who they are.
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_AUTHORITIES>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
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

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    // There is no treasury, and no record of who made the block: fees are burnt.
    type OnChargeTransaction = FungibleAdapter<Balances, ()>;
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
