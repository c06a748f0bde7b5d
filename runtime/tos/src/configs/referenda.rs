// SPDX-License-Identifier: Apache-2.0

//! Decisions: referenda by all who hold TOS, a technical committee that can speed one up or pause
//! calls, and nothing else.

use super::Hours;
use crate::{
    origins::{self, EnsureEmergency, EnsureWhitelistedCaller},
    parameters::{MotionDeposit, SubmissionDeposit},
    tracks::Tracks,
    AccountId, Balances, Preimage, Referenda, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeHoldReason, RuntimeOrigin, Scheduler, System, Treasury,
};
use polkadot_sdk::*;

use frame_support::{
    parameter_types,
    traits::{
        fungible::HoldConsideration, AsEnsureOriginWithArg, ConstU32, Contains, EitherOf,
        EitherOfDiverse,
    },
    weights::Weight,
};
use frame_system::{EnsureRoot, EnsureSigned};
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::Perbill;
use tos_runtime_common::limits::part_of_block;

/// The instance of the collective that is the technical committee.
pub type TechnicalCollective = pallet_collective::Instance1;
/// Two thirds of the technical committee.
type TwoThirds = pallet_collective::EnsureProportionAtLeast<AccountId, TechnicalCollective, 2, 3>;
/// Half of the technical committee.
type Half = pallet_collective::EnsureProportionAtLeast<AccountId, TechnicalCollective, 1, 2>;

/// Hours for which the tokens of a vote without conviction stay locked; the unit of longer locks.
const LOCK_HOURS: u32 = 7 * 24;

parameter_types! {
    /// The reason to hold a motion's deposit.
    pub const MotionHoldReason: RuntimeHoldReason = RuntimeHoldReason::TechnicalCommittee(
        pallet_collective::HoldReason::ProposalSubmission,
    );
    /// Most that a motion may weigh.
    pub MaxMotionWeight: Weight = part_of_block(Perbill::from_percent(25));
}

impl origins::Config for Runtime {}

impl pallet_conviction_voting::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type Currency = Balances;
    type Polls = Referenda;
    type MaxTurnout =
        frame_support::traits::tokens::currency::ActiveIssuanceOf<Balances, AccountId>;
    type MaxVotes = ConstU32<128>;
    type VoteLockingPeriod = Hours<LOCK_HOURS>;
    type BlockNumberProvider = System;
    type VotingHooks = ();
    type WeightInfo = crate::weights::pallet_conviction_voting::WeightInfo<Runtime>;
}

impl pallet_referenda::Config for Runtime {
    type RuntimeCall = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type Scheduler = Scheduler;
    type Currency = Balances;
    type SubmitOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
    type CancelOrigin = EitherOf<EnsureRoot<AccountId>, EnsureEmergency>;
    type KillOrigin = EitherOf<EnsureRoot<AccountId>, EnsureEmergency>;
    type Slash = Treasury;
    type Votes = pallet_conviction_voting::VotesOf<Runtime>;
    type Tally = pallet_conviction_voting::TallyOf<Runtime>;
    type SubmissionDeposit = SubmissionDeposit;
    type MaxQueued = ConstU32<100>;
    type UndecidingTimeout = Hours<{ 14 * 24 }>;
    type AlarmInterval = ConstU32<1>;
    type Tracks = Tracks;
    type Preimages = Preimage;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_referenda::WeightInfo<Runtime>;
}

impl pallet_collective::Config<TechnicalCollective> for Runtime {
    type RuntimeOrigin = RuntimeOrigin;
    type Proposal = RuntimeCall;
    type RuntimeEvent = RuntimeEvent;
    type MotionDuration = Hours<{ 3 * 24 }>;
    type MaxProposals = ConstU32<20>;
    type MaxMembers = ConstU32<15>;
    type DefaultVote = pallet_collective::MoreThanMajorityThenPrimeDefaultVote;
    // Only a referendum names the members.
    type SetMembersOrigin = EnsureRoot<AccountId>;
    type MaxProposalWeight = MaxMotionWeight;
    type DisapproveOrigin = EnsureRoot<AccountId>;
    type KillOrigin = EnsureRoot<AccountId>;
    type Consideration = HoldConsideration<
        AccountId,
        Balances,
        MotionHoldReason,
        pallet_collective::deposit::Constant<MotionDeposit>,
        u32,
    >;
    type WeightInfo = crate::weights::pallet_collective::WeightInfo<Runtime>;
}

impl pallet_whitelist::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type WhitelistOrigin = EitherOfDiverse<EnsureRoot<AccountId>, TwoThirds>;
    type DispatchWhitelistedOrigin = EitherOf<EnsureRoot<AccountId>, EnsureWhitelistedCaller>;
    type Preimages = Preimage;
    type DeferredDispatchExpiration = Hours<{ 28 * 24 }>;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_whitelist::WeightInfo<Runtime>;
}

/// The calls that begin something new, and plain transfers: what may be paused.
///
/// Whatever ends something, pays out, or has a deadline that costs its owner money (commitments,
/// reveals, votes, answers of providers, claims, withdrawals), and governance itself, can never be:
/// a pause must not make anyone lose a coin.
const PAUSABLE: [(&str, &[&str]); 6] = [
    (
        "Balances",
        &[
            "transfer_allow_death",
            "transfer_keep_alive",
            "transfer_all",
        ],
    ),
    ("Miners", &["register", "rejoin", "set_specialisations"]),
    ("Staking", &["bond", "bond_extra", "nominate", "validate"]),
    ("Storage", &["register_provider", "offer", "accept"]),
    ("Tasks", &["publish", "join"]),
    ("Judges", &["register", "rejoin", "set_types"]),
];

/// The number of calls that can be paused.
pub fn pausable_calls() -> usize {
    PAUSABLE.iter().map(|(_, calls)| calls.len()).sum()
}

/// The calls that cannot be paused.
pub struct NeverPaused;
impl Contains<RuntimeCallNameOf<Runtime>> for NeverPaused {
    fn contains((pallet, call): &RuntimeCallNameOf<Runtime>) -> bool {
        !PAUSABLE.iter().any(|(name, calls)| {
            name.as_bytes() == pallet.as_slice()
                && calls.iter().any(|c| c.as_bytes() == call.as_slice())
        })
    }
}

impl pallet_tx_pause::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PauseOrigin = EitherOfDiverse<EnsureRoot<AccountId>, TwoThirds>;
    type UnpauseOrigin = EitherOfDiverse<EitherOf<EnsureRoot<AccountId>, EnsureEmergency>, Half>;
    type WhitelistedCalls = NeverPaused;
    type MaxNameLen = ConstU32<256>;
    // Those of the SDK: its benchmarks pause a call of their own making, which no origin may pause
    // here.
    type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}
