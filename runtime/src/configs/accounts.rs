// SPDX-License-Identifier: Apache-2.0

//! Balances, fees, and accounts that act together or for one another.

use super::governance::TreasuryAccount;
use crate::{
    constants::currency::{EXISTENTIAL_DEPOSIT, MICRO_TOS},
    parameters::{AdjustmentVariable, Deposit, MinimumMultiplier, TargetFullness},
    AccountId, Authorship, Balance, Balances, Fees, OriginCaller, Runtime, RuntimeCall,
    RuntimeEvent, RuntimeFreezeReason, RuntimeHoldReason, System,
};
use polkadot_sdk::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{Get, InstanceFilter, VariantCountOf},
    weights::ConstantMultiplier,
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{BlakeTwo256, Bounded, ConstU32, ConstU8},
    Perbill,
};

parameter_types! {
    /// An account below this balance is removed from the state.
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;

    /// Fee for a unit of weight, in wei. The fixed weight of a transaction, some 100 microseconds,
    /// comes to about a thousandth of a TOS.
    pub const WeightFee: Balance = 10_000_000;
    /// Fee for a byte of a transaction.
    pub const ByteFee: Balance = MICRO_TOS;
    /// The treasury's part of fees. The rest, and all tips, are the author's.
    pub const TreasuryShare: Perbill = Perbill::from_percent(80);
    /// Fees have no upper bound.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
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

/// The author of the block.
pub struct BlockAuthor;
impl Get<Option<AccountId>> for BlockAuthor {
    fn get() -> Option<AccountId> {
        Authorship::author()
    }
}

impl pallet_fees::Config for Runtime {
    type WeightInfo = crate::weights::pallet_fees::WeightInfo<Runtime>;
    type Currency = Balances;
    type Author = BlockAuthor;
    type Treasury = TreasuryAccount;
    type TreasuryShare = TreasuryShare;
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, Fees>;
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

impl pallet_utility::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type PalletsOrigin = OriginCaller;
    type WeightInfo = crate::weights::pallet_utility::WeightInfo<Runtime>;
}

impl pallet_multisig::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type RuntimeCall = RuntimeCall;
    type Currency = Balances;
    /// Before the approvals.
    type DepositBase = Deposit<1, 88>;
    /// For each approval.
    type DepositFactor = Deposit<0, 32>;
    type MaxSignatories = ConstU32<100>;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_multisig::WeightInfo<Runtime>;
}

/// What a proxy may do for the account that appointed it.
///
/// Every kind but [`ProxyType::Any`] lists what it allows. A call that is added to the runtime is
/// closed to proxies until somebody decides otherwise.
#[derive(
    Clone,
    Copy,
    Debug,
    Decode,
    DecodeWithMemTracking,
    Default,
    Encode,
    Eq,
    MaxEncodedLen,
    Ord,
    PartialEq,
    PartialOrd,
    TypeInfo,
)]
pub enum ProxyType {
    /// Everything.
    #[default]
    #[codec(index = 0)]
    Any,
    /// Everything that neither moves funds to others nor hands control to others.
    #[codec(index = 1)]
    NonTransfer,
    /// Preimages and treasury claims.
    #[codec(index = 2)]
    Governance,
    /// Bonding, nominating, validating and session keys.
    #[codec(index = 3)]
    Staking,
    /// Rejecting announcements of other proxies.
    #[codec(index = 4)]
    CancelProxy,
}

impl ProxyType {
    fn allows_staking(call: &RuntimeCall) -> bool {
        matches!(
            call,
            RuntimeCall::Staking(..) | RuntimeCall::Session(..) | RuntimeCall::VoterList(..)
        )
    }

    fn allows_governance(call: &RuntimeCall) -> bool {
        matches!(call, RuntimeCall::Preimage(..) | RuntimeCall::Treasury(..))
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
        }
    }

    fn is_superset(&self, other: &Self) -> bool {
        self == other
            || match self {
                Self::Any => true,
                Self::NonTransfer => *other != Self::Any,
                Self::Governance | Self::Staking | Self::CancelProxy => false,
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
