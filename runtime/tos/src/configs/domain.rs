// SPDX-License-Identifier: Apache-2.0

//! Proof of intelligent work: tasks, who works on them, who judges them, what they earn.

use super::{governance::TreasuryAccount, SlotDurationMs};
use crate::{
    origins::EnsureParameters, AccountId, Balances, Beacon, Clock, Judges, Miners, Reputation,
    Rewards, Runtime, RuntimeHoldReason, Session, System, Tasks, Timestamp,
};
use polkadot_sdk::*;

use alloc::vec::Vec;
use frame_support::{
    parameter_types,
    traits::{ConstU32, EitherOf, Randomness},
    weights::Weight,
};
use frame_system::EnsureRoot;
use sp_runtime::Perbill;
use tos_runtime_common::limits::parts_of_block;

parameter_types! {
    /// Part of a block that due steps of tasks may take before the transactions. What does not fit
    /// runs after them if there is room, or in the next block. The share of the proof is larger,
    /// since drawing a panel reads the standing of many candidates and computes little.
    pub TaskWork: Weight = parts_of_block(Perbill::from_percent(25), Perbill::from_percent(60));
    /// Part of a block that due steps of storage may take before the transactions.
    pub StorageWork: Weight = parts_of_block(Perbill::from_percent(10), Perbill::from_percent(15));

    /// The VRF output of the previous block's author. No one else knows it before that block; its author
    /// knows it from the beginning of the epoch, and can only choose not to publish it, at the price of
    /// the block.
    pub ParentVrf: Option<[u8; 32]> =
        pallet_babe::ParentBlockRandomness::<Runtime>::random(b"tos/beacon/vrf")
            .0
            .map(Into::into);
    /// The time at which the block's BABE slot ends. The block's time lies within it.
    pub SlotEnd: u64 = u64::from(pallet_babe::CurrentSlot::<Runtime>::get())
        .saturating_add(1)
        .saturating_mul(SlotDurationMs::get());
    /// The hash of the first block: what makes this chain this chain.
    pub GenesisHash: [u8; 32] = System::block_hash(0).into();
    /// The members of committees that watch storage: the validators of the session.
    pub SessionValidators: Vec<AccountId> = Session::validators();
}

/// The origin that sets what the protocol works with.
type ParametersOrigin = EitherOf<EnsureRoot<AccountId>, EnsureParameters>;

impl pallet_beacon::Config for Runtime {
    type WeightInfo = crate::weights::pallet_beacon::WeightInfo<Runtime>;
    type Vrf = ParentVrf;
    type Time = Timestamp;
    type SlotEnd = SlotEnd;
    type GovernanceOrigin = EnsureRoot<AccountId>;
}

impl pallet_clock::Config for Runtime {
    type WeightInfo = crate::weights::pallet_clock::WeightInfo<Runtime>;
}

impl pallet_miners::Config for Runtime {
    type WeightInfo = crate::weights::pallet_miners::WeightInfo<Runtime>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Reputation = Reputation;
    type Rules = crate::parameters::Rules;
    type GovernanceOrigin = EnsureRoot<AccountId>;
    type CertifyOrigin = ParametersOrigin;
    type MaxRelations = ConstU32<16>;
}

impl pallet_reputation::Config for Runtime {
    type WeightInfo = crate::weights::pallet_reputation::WeightInfo<Runtime>;
    type Clock = Clock;
    type Miners = Miners;
    type GovernanceOrigin = EnsureRoot<AccountId>;
}

impl pallet_tasks::Config for Runtime {
    type WeightInfo = crate::weights::pallet_tasks::WeightInfo<Runtime>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Miners = Miners;
    type Reputation = Reputation;
    type Panels = Judges;
    type Vault = Rewards;
    type Treasury = TreasuryAccount;
    type Rules = crate::parameters::Rules;
    type GovernanceOrigin = ParametersOrigin;
    type MaxWork = TaskWork;
}

impl pallet_judges::Config for Runtime {
    type WeightInfo = crate::weights::pallet_judges::WeightInfo<Runtime>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Phases = Tasks;
    type GovernanceOrigin = ParametersOrigin;
    type Miners = Miners;
    type Reputation = Reputation;
    type Randomness = Beacon;
    type Rules = crate::parameters::Rules;
    type Treasury = TreasuryAccount;
}

impl pallet_rewards::Config for Runtime {
    type WeightInfo = crate::weights::pallet_rewards::WeightInfo<Runtime>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Treasury = TreasuryAccount;
    type GovernanceOrigin = ParametersOrigin;
}

impl pallet_storage::Config for Runtime {
    type WeightInfo = crate::weights::pallet_storage::WeightInfo<Runtime>;
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Randomness = Beacon;
    type Validators = SessionValidators;
    type Treasury = TreasuryAccount;
    type GovernanceOrigin = ParametersOrigin;
    type ChainId = GenesisHash;
    type MaxWork = StorageWork;
}
