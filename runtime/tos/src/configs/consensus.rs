// SPDX-License-Identifier: Apache-2.0

//! Consensus: authors and finality by BABE and GRANDPA, sessions, and the proof of misbehaviour.

use super::{BondingSlots, EpochSlots, SlotDurationMs};
use crate::{
    constants::consensus::MAX_VALIDATORS, parameters::Deposit, AccountId, Babe, Balances,
    Historical, Offences, Runtime, RuntimeEvent, Session, SessionKeys, Staking,
};
use polkadot_sdk::*;

use frame_support::traits::{ConstU32, ConstU64};
use sp_runtime::traits::{ConvertInto, OpaqueKeys};
use sp_session::MembershipProof;

/// Upper bound of the nominators whose stake one slash touches; only weights depend on it.
type MaxNominatorsPerOffender = ConstU32<1_000>;

impl pallet_babe::Config for Runtime {
    type EpochDuration = EpochSlots;
    type ExpectedBlockTime = SlotDurationMs;
    // The session pallet ends epochs, so that a validator set changes in one place.
    type EpochChangeTrigger = pallet_babe::ExternalTrigger;
    type DisabledValidators = Session;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = MaxNominatorsPerOffender;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_babe::EquivocationReportSystem<Self, Offences, Historical, BondingSlots>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
    type MaxNominators = MaxNominatorsPerOffender;
    // An offence older than the longest bonding time has nothing left to slash:
    // 56 eras of at most 6 sessions on a real network, with room for shorter test eras.
    type MaxSetIdSessionEntries = ConstU64<1_024>;
    type KeyOwnerProof = MembershipProof;
    type EquivocationReportSystem =
        pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, BondingSlots>;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ConvertInto;
    type ShouldEndSession = Babe;
    type NextSessionRotation = Babe;
    type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Staking>;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = Balances;
    /// On deposit while session keys are registered: they occupy the state of every node.
    type KeyDeposit = Deposit<1, { 5 * 32 }>;
}

impl pallet_session::historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    // Staking looks exposures up by itself; a proof only has to name the validator.
    type FullIdentification = ();
    type FullIdentificationOf = pallet_staking::UnitIdentificationOf<Self>;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
    type EventHandler = Staking;
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
    type OnOffenceHandler = Staking;
}

impl pallet_authority_discovery::Config for Runtime {
    type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
}
