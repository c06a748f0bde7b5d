// SPDX-License-Identifier: Apache-2.0

//! Proof of intelligent work: tasks, who works on them, who judges them, what they earn.

use super::{governance::TreasuryAccount, system::MAXIMUM_BLOCK_WEIGHT};
use crate::{
    AccountId, Balances, Clock, Miners, Reputation, Rewards, Runtime, RuntimeHoldReason, Tasks,
    Validation,
};
use polkadot_sdk::*;

use frame_support::{parameter_types, traits::ConstU32, traits::Randomness, weights::Weight};
use frame_system::EnsureRoot;
use sp_runtime::Perbill;

parameter_types! {
    /// Part of a block that due steps of tasks may take before the transactions. What does not fit
    /// runs after them if there is room, or in the next block. The share of the proof is larger,
    /// since drawing a panel reads the standing of many candidates and computes little.
    pub TaskWork: Weight = Weight::from_parts(
        Perbill::from_percent(25).mul_floor(MAXIMUM_BLOCK_WEIGHT.ref_time()),
        Perbill::from_percent(60).mul_floor(MAXIMUM_BLOCK_WEIGHT.proof_size()),
    );
}

/// Randomness from the VRF of the previous block's author. Nobody knows it before that block; its
/// author can only choose not to publish it, at the price of the block.
pub struct ParentBlockVrf;

impl tos_primitives::traits::Randomness for ParentBlockVrf {
    fn seed(subject: &[u8]) -> Option<[u8; 32]> {
        pallet_babe::ParentBlockRandomness::<Runtime>::random(subject)
            .0
            .map(Into::into)
    }
}

impl pallet_clock::Config for Runtime {
    type WeightInfo = ();
}

impl pallet_miners::Config for Runtime {
    type WeightInfo = ();
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type GovernanceOrigin = EnsureRoot<AccountId>;
    type CertifyOrigin = EnsureRoot<AccountId>;
    type MaxRelations = ConstU32<16>;
}

impl pallet_reputation::Config for Runtime {
    type WeightInfo = ();
    type Clock = Clock;
    type Miners = Miners;
    type GovernanceOrigin = EnsureRoot<AccountId>;
}

impl pallet_tasks::Config for Runtime {
    type WeightInfo = ();
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Miners = Miners;
    type Reputation = Reputation;
    type Panels = Validation;
    type Vault = Rewards;
    type Treasury = TreasuryAccount;
    type GovernanceOrigin = EnsureRoot<AccountId>;
    type MaxWork = TaskWork;
}

impl pallet_validation::Config for Runtime {
    type WeightInfo = ();
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Agenda = Tasks;
    type Miners = Miners;
    type Reputation = Reputation;
    type Randomness = ParentBlockVrf;
    type Treasury = TreasuryAccount;
}

impl pallet_rewards::Config for Runtime {
    type WeightInfo = ();
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Clock = Clock;
    type Treasury = TreasuryAccount;
    type GovernanceOrigin = EnsureRoot<AccountId>;
}
