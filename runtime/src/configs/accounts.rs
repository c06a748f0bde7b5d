// SPDX-License-Identifier: Apache-2.0

//! Balances, fees, and accounts that act together or for one another.

use super::governance::TreasuryAccount;
use crate::{
    constants::currency::{deposit, EXISTENTIAL_DEPOSIT, MICRO_TOS},
    AccountId, Authorship, Balance, Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeFreezeReason, RuntimeHoldReason, System,
};
use polkadot_sdk::*;

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    parameter_types,
    traits::{
        fungible::{Balanced, Credit},
        Imbalance, InstanceFilter, OnUnbalanced, VariantCountOf,
    },
    weights::ConstantMultiplier,
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{BlakeTwo256, Bounded, ConstU32, ConstU8},
    FixedPointNumber, Perquintill,
};

parameter_types! {
    /// An account below this balance is removed from the state.
    pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;

    /// Fee for a unit of weight, in wei. The fixed weight of a transaction, some 100 microseconds,
    /// comes to about a thousandth of a TOS.
    pub const WeightFee: Balance = 10_000_000;
    /// Fee for a byte of a transaction.
    pub const ByteFee: Balance = MICRO_TOS;
    /// Fullness of blocks at which fees stay as they are.
    pub const TargetFullness: Perquintill = Perquintill::from_percent(25);
    /// How fast fees follow fullness: full blocks for a day raise them about tenfold.
    pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
    /// Fees never fall below a tenth of their base, or growing again would take days.
    pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
    /// Fees have no upper bound.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();

    /// Deposit for a pending multisig operation, before its approvals.
    pub const MultisigDepositBase: Balance = deposit(1, 88);
    /// Deposit for each approval of a pending multisig operation.
    pub const MultisigDepositFactor: Balance = deposit(0, 32);
    /// Deposit for having proxies at all.
    pub const ProxyDepositBase: Balance = deposit(1, 8);
    /// Deposit for each proxy.
    pub const ProxyDepositFactor: Balance = deposit(0, 37);
    /// Deposit for having announcements at all.
    pub const AnnouncementDepositBase: Balance = deposit(1, 8);
    /// Deposit for each announcement.
    pub const AnnouncementDepositFactor: Balance = deposit(0, 68);
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

/// Splits fees: four fifths to the treasury, one fifth and all tips to the block's author.
pub struct DealWithFees;

impl DealWithFees {
    fn pay(to: &AccountId, credit: Credit<AccountId, Balances>) {
        // A credit too small to open an account is burnt; there is nobody to give it to.
        drop(Balances::resolve(to, credit));
    }
}

impl OnUnbalanced<Credit<AccountId, Balances>> for DealWithFees {
    fn on_unbalanceds(mut fees_then_tips: impl Iterator<Item = Credit<AccountId, Balances>>) {
        let Some(fees) = fees_then_tips.next() else {
            return;
        };
        let (treasury, mut author) = fees.ration(80, 20);
        for tip in fees_then_tips {
            author.subsume(tip);
        }
        let treasury_account = TreasuryAccount::get();
        Self::pay(&treasury_account, treasury);
        Self::pay(&Authorship::author().unwrap_or(treasury_account), author);
    }
}

impl pallet_transaction_payment::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type OnChargeTransaction = FungibleAdapter<Balances, DealWithFees>;
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
    type WeightInfo = crate::weights::pallet_transaction_payment::WeightInfo<Runtime>;
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
    type DepositBase = MultisigDepositBase;
    type DepositFactor = MultisigDepositFactor;
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
    type ProxyDepositBase = ProxyDepositBase;
    type ProxyDepositFactor = ProxyDepositFactor;
    type MaxProxies = ConstU32<32>;
    type MaxPending = ConstU32<32>;
    type CallHasher = BlakeTwo256;
    type AnnouncementDepositBase = AnnouncementDepositBase;
    type AnnouncementDepositFactor = AnnouncementDepositFactor;
    type BlockNumberProvider = System;
    type WeightInfo = crate::weights::pallet_proxy::WeightInfo<Runtime>;
}
