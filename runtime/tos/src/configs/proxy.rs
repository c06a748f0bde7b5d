// SPDX-License-Identifier: Apache-2.0

//! Accounts that act for others, and what each kind of them may do: `docs/keys.md`.

use crate::{parameters::Deposit, Balances, Runtime, RuntimeCall, RuntimeEvent, System};
use polkadot_sdk::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::InstanceFilter;
use scale_info::TypeInfo;
use sp_runtime::traits::{BlakeTwo256, ConstU32};

/// Kind of a proxy: what it may do for the account that appointed it.
///
/// Every kind but [`ProxyType::Any`] lists what it allows. A call that is added to the runtime is
/// closed to proxies until a release lists it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum ProxyType {
    /// Everything.
    #[default]
    #[codec(index = 0)]
    Any,
    /// Everything that neither moves funds to others nor hands control to others.
    #[codec(index = 1)]
    NonTransfer,
    /// Voting and delegating votes, referenda, the technical committee, preimages and treasury
    /// claims.
    #[codec(index = 2)]
    Governance,
    /// Bonding, nominating, validating and session keys.
    #[codec(index = 3)]
    Staking,
    /// Rejecting announcements of other proxies.
    #[codec(index = 4)]
    CancelProxy,
    /// Working as a miner, a judge or a storage provider, and claiming what was earned for its
    /// owner. Registering, leaving, adding to a stake and getting it back are the owner's.
    #[codec(index = 5)]
    Worker,
}

impl ProxyType {
    fn allows_staking(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::Staking(..) | RuntimeCall::Session(..) | RuntimeCall::VoterList(..)
        )
    }

    fn allows_governance(call: &RuntimeCall) -> bool {
        use pallet_collective::Call as Committee;
        use pallet_conviction_voting::Call as Voting;
        use pallet_referenda::Call as Referendum;
        matches!(
            call,
            RuntimeCall::Preimage(..)
                | RuntimeCall::Treasury(..)
                | RuntimeCall::ConvictionVoting(
                    Voting::vote { .. }
                        | Voting::delegate { .. }
                        | Voting::undelegate { .. }
                        | Voting::unlock { .. }
                        | Voting::remove_vote { .. }
                        | Voting::remove_other_vote { .. }
                )
                | RuntimeCall::Referenda(
                    Referendum::submit { .. }
                        | Referendum::place_decision_deposit { .. }
                        | Referendum::refund_decision_deposit { .. }
                        | Referendum::refund_submission_deposit { .. }
                        | Referendum::set_metadata { .. }
                )
                | RuntimeCall::TechnicalCommittee(
                    Committee::propose { .. } | Committee::vote { .. } | Committee::close { .. }
                )
        )
    }

    /// Work and claims. A stake that a task, a vote or a replica holds of the owner is at risk by
    /// the rules of that task, vote or replica. Bonds of challenges are not among these: a lost one
    /// is paid to the other side, which a thief can be.
    fn allows_work(call: &RuntimeCall) -> bool {
        use pallet_judges::Call as Judges;
        use pallet_rewards::Call as Rewards;
        use pallet_storage::Call as Storage;
        use pallet_tasks::Call as Tasks;
        matches!(
            call,
            RuntimeCall::Tasks(
                Tasks::join { .. }
                    | Tasks::commit { .. }
                    | Tasks::reveal { .. }
                    | Tasks::crank { .. }
            ) | RuntimeCall::Judges(
                Judges::commit_vote { .. }
                    | Judges::reveal_vote { .. }
                    | Judges::reveal_control { .. }
            ) | RuntimeCall::Rewards(
                Rewards::claim { .. }
                    | Rewards::claim_all { .. }
                    | Rewards::claim_for { .. }
                    | Rewards::claim_all_for { .. }
            ) | RuntimeCall::Storage(
                Storage::accept { .. }
                    | Storage::commit_seal { .. }
                    | Storage::pause { .. }
                    | Storage::resume { .. }
                    | Storage::settle { .. }
                    | Storage::attest { .. }
                    | Storage::crank { .. }
                    | Storage::crank_deal { .. }
            )
        )
    }

    /// Batches of calls, each of which has to pass the filter by itself.
    fn allows_batch(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::Utility(
                pallet_utility::Call::batch { .. }
                    | pallet_utility::Call::batch_all { .. }
                    | pallet_utility::Call::force_batch { .. }
            )
        )
    }

    fn allows_cancelling(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
        )
    }
}

impl InstanceFilter<RuntimeCall> for ProxyType {
    fn filter(&self, call: &RuntimeCall) -> bool {
        match self {
            Self::Any => true,
            Self::NonTransfer => {
                Self::allows_staking(call)
                    || Self::allows_governance(call)
                    || Self::allows_work(call)
                    || Self::allows_batch(call)
                    || Self::allows_cancelling(call)
                    || matches!(
                        call,
                        RuntimeCall::System(
                            frame_system::Call::remark { .. }
                                | frame_system::Call::remark_with_event { .. }
                        )
                    )
            }
            Self::Governance => Self::allows_governance(call) || Self::allows_batch(call),
            Self::Staking => Self::allows_staking(call) || Self::allows_batch(call),
            Self::CancelProxy => Self::allows_cancelling(call),
            Self::Worker => Self::allows_work(call) || Self::allows_batch(call),
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        self == other
            || match self {
                Self::Any => true,
                Self::NonTransfer => *other != Self::Any,
                Self::Governance | Self::Staking | Self::CancelProxy | Self::Worker => false,
            }
    }
}

impl pallet_proxy::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    type ProxyType = ProxyType;
    /// For having proxies at all.
    type ProxyDepositBase = Deposit<1, 8>;
    /// For each proxy.
    type ProxyDepositFactor = Deposit<0, 37>;
    type MaxProxies = ConstU32<32>;
    type MaxPending = ConstU32<32>;
    type CallHasher = BlakeTwo256;
    /// For having announcements at all.
    type AnnouncementDepositBase = Deposit<1, 8>;
    /// For each announcement.
    type AnnouncementDepositFactor = Deposit<0, 68>;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_proxy::WeightInfo<Runtime>;
}
