// SPDX-License-Identifier: Apache-2.0

//! The frame itself: blocks, the clock, migrations. Limits of a block: [`tos_runtime_common::limits`].

use super::SlotDurationMs;
#[cfg(not(feature = "runtime-benchmarks"))]
use crate::migrations::MultiBlock;
use crate::{
    migrations::SingleBlock, AccountId, Babe, Balance, Block, MultiBlockMigrations, Nonce,
    PalletInfo, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, RuntimeTask, TxPause, VERSION,
};
use polkadot_sdk::*;

use frame_support::{
    derive_impl,
    migrations::FreezeChainOnFailedMigration,
    parameter_types,
    traits::{ConstU32, Everything, InsideBoth},
    weights::Weight,
};
use sp_runtime::Perbill;
use tos_runtime_common::limits::part_of_block;

parameter_types! {
    /// Part of a block that a running migration may take.
    pub MigrationWeight: Weight = part_of_block(Perbill::from_percent(80));
}

tos_runtime_common::impl_system_configs! {
    // What the technical committee has paused is refused, also inside other calls.
    type BaseCallFilter = InsideBoth<Everything, TxPause>;
    type SingleBlockMigrations = SingleBlock;
    type MultiBlockMigrator = crate::automatic::Automatic<MultiBlockMigrations>;
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
