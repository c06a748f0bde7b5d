// SPDX-License-Identifier: Apache-2.0

//! The frame itself: blocks and their limits, the clock, migrations.

use super::MinimumPeriodMs;
#[cfg(not(feature = "runtime-benchmarks"))]
use crate::migrations::MultiBlock;
use crate::{
    constants::SS58_PREFIX, migrations::SingleBlock, weights::base, AccountId, Babe, Balance,
    Block, BlockNumber, MultiBlockMigrations, Nonce, PalletInfo, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeOrigin, RuntimeTask, TxPause, VERSION,
};
use polkadot_sdk::*;

use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    migrations::FreezeChainOnFailedMigration,
    parameter_types,
    traits::{ConstU32, Everything, InsideBoth},
    weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, RuntimeDbWeight, Weight},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::Perbill;
use sp_version::RuntimeVersion;

/// Part of a block that ordinary transactions may fill. The rest is for operations and for what
/// the protocol itself must do.
pub const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

/// Part of a block that hooks are expected to need before the first transaction.
const AVERAGE_ON_INITIALIZE_RATIO: Perbill = Perbill::from_percent(10);

/// Half of a two-second slot for computation: a block is executed by its author, travels, and is
/// executed by everyone else before the next one is due. Weights are worst cases, and authors stop by
/// the clock as well: see `docs/decisions/014-half-a-slot-of-work.md`.
pub const MAXIMUM_BLOCK_WEIGHT: Weight = Weight::from_parts(
    WEIGHT_REF_TIME_PER_MILLIS.saturating_mul(1_000),
    MAX_PROOF_BYTES,
);

/// This part of a whole block, rounded down.
pub fn part_of_block(part: Perbill) -> Weight {
    Weight::from_parts(
        part.mul_floor(MAXIMUM_BLOCK_WEIGHT.ref_time()),
        part.mul_floor(MAXIMUM_BLOCK_WEIGHT.proof_size()),
    )
}

/// Longest block, in bytes.
const MAX_BLOCK_BYTES: u32 = 5 * 1024 * 1024;

/// Largest storage proof. No node of this chain sends or checks one: the limit only keeps what a
/// witness of a block would take within reason. It must not be what fills blocks first: sizes are
/// charged for the worst case, 16 KB for a transfer whose account data are 80 bytes.
const MAX_PROOF_BYTES: u64 = 40 * 1024 * 1024;

/// Longest header. Digests carry consensus messages; a validator set of the largest size fits.
const MAX_HEADER_BYTES: u32 = 128 * 1024;

parameter_types! {
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
            // Operations find room even in a block that is full of ordinary transactions.
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

    /// Part of a block that a running migration may take.
    pub MigrationWeight: Weight = part_of_block(Perbill::from_percent(80));
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    // What the technical committee has paused is refused, also inside other calls.
    type BaseCallFilter = InsideBoth<Everything, TxPause>;
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
    type SingleBlockMigrations = SingleBlock;
    type MultiBlockMigrator = crate::automatic::Automatic<MultiBlockMigrations>;
}

impl pallet_timestamp::Config for Runtime {
    /// Milliseconds since the Unix epoch.
    type Moment = u64;
    type OnTimestampSet = Babe;
    type MinimumPeriod = MinimumPeriodMs;
    type WeightInfo = crate::weights::pallet_timestamp::WeightInfo<Runtime>;
}

impl pallet_migrations::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    #[cfg(not(feature = "runtime-benchmarks"))]
    type Migrations = MultiBlock;
    #[cfg(feature = "runtime-benchmarks")]
    type Migrations = pallet_migrations::mock_helpers::MockedMigrations;
    type CursorMaxLen = ConstU32<65_536>;
    type IdentifierMaxLen = ConstU32<256>;
    type MigrationStatusHandler = ();
    // A half-migrated state must not take transactions; the next upgrade mends it.
    type FailedMigrationHandler = FreezeChainOnFailedMigration;
    type MaxServiceWeight = MigrationWeight;
    type WeightInfo = crate::weights::pallet_migrations::WeightInfo<Runtime>;
}
