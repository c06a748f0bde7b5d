// SPDX-License-Identifier: Apache-2.0

//! Configuration of the pallets that both runtimes have.
//!
//! A pallet is configured in the crate of its runtime, so that the text in common is a macro; what the
//! runtimes set apart, each hands in as items of its own.

use crate::{constants::fees, Balance};
use core::marker::PhantomData;
use polkadot_sdk::*;

use frame_support::{
    parameter_types,
    traits::{ConstU128, Get},
    weights::ConstantMultiplier,
};
use pallet_transaction_payment::{Multiplier, TargetedFeeAdjustment};
use sp_runtime::traits::Bounded;

/// Least time between two blocks, half of a slot: BABE takes twice this for the slot duration.
pub struct MinimumPeriod<SlotDuration>(PhantomData<SlotDuration>);

impl<SlotDuration: Get<u64>> Get<u64> for MinimumPeriod<SlotDuration> {
    fn get() -> u64 {
        SlotDuration::get() / 2
    }
}

/// Fee of computation.
pub type WeightToFee = ConstantMultiplier<Balance, ConstU128<{ fees::WEIGHT_FEE }>>;
/// Fee of a transaction's bytes.
pub type LengthToFee = ConstantMultiplier<Balance, ConstU128<{ fees::BYTE_FEE }>>;

parameter_types! {
    /// Upper bound of the multiplier of fees: none.
    pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

/// Adjustment of fees from block to block, by the fullness of blocks.
pub type FeeMultiplierUpdate<Runtime, Target, Variability, Minimum> =
    TargetedFeeAdjustment<Runtime, Target, Variability, Minimum, MaximumMultiplier>;

/// Implements the configuration of `frame_system` and `pallet_timestamp`, with the runtime's own items
/// of the former.
///
/// The caller's module imports `polkadot_sdk::*`, `frame_support::derive_impl`, the runtime's aggregated types and `Runtime`,
/// `Block`, `AccountId`, `Balance`, `Nonce`, `Babe`, `VERSION` and `SlotDurationMs`.
#[macro_export]
macro_rules! impl_system_configs {
    ($($own:tt)*) => {
        frame_support::parameter_types! {
            /// Name and version of this runtime.
            pub const Version: sp_version::RuntimeVersion = VERSION;
        }

        #[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
        impl frame_system::Config for Runtime {
            type Block = Block;
            type BlockWeights = $crate::limits::RuntimeBlockWeights;
            type BlockLength = $crate::limits::RuntimeBlockLength;
            type BlockHashCount = $crate::limits::BlockHashCount;
            type AccountId = AccountId;
            type Nonce = Nonce;
            type AccountData = pallet_balances::AccountData<Balance>;
            type DbWeight = $crate::limits::DatabaseWeight;
            type Version = Version;
            type SS58Prefix = frame_support::traits::ConstU16<{ $crate::constants::SS58_PREFIX }>;
            type MaxConsumers = frame_support::traits::ConstU32<128>;
            type SystemWeightInfo = $crate::weights::frame_system::WeightInfo<Runtime>;
            type ExtensionsWeightInfo =
                $crate::weights::frame_system_extensions::WeightInfo<Runtime>;
            $($own)*
        }

        impl pallet_timestamp::Config for Runtime {
            /// Milliseconds since the Unix epoch.
            type Moment = u64;
            type OnTimestampSet = Babe;
            type MinimumPeriod = $crate::MinimumPeriod<SlotDurationMs>;
            type WeightInfo = $crate::weights::pallet_timestamp::WeightInfo<Runtime>;
        }
    };
}

/// Implements the configuration of `pallet_balances` and `pallet_transaction_payment`, with the
/// runtime's own items of the latter.
///
/// The caller's module imports `polkadot_sdk::*`, `frame_support::derive_impl`, the runtime's aggregated types and `Runtime`,
/// `Balance` and `System`.
#[macro_export]
macro_rules! impl_account_configs {
    ($($own:tt)*) => {
        impl pallet_balances::Config for Runtime {
            type RuntimeEvent = RuntimeEvent;
            type RuntimeHoldReason = RuntimeHoldReason;
            type RuntimeFreezeReason = RuntimeFreezeReason;
            type Balance = Balance;
            type DustRemoval = ();
            type ExistentialDeposit = frame_support::traits::ConstU128<
                { $crate::constants::currency::EXISTENTIAL_DEPOSIT },
            >;
            type AccountStore = System;
            type ReserveIdentifier = [u8; 8];
            type FreezeIdentifier = RuntimeFreezeReason;
            type MaxLocks = frame_support::traits::ConstU32<50>;
            type MaxReserves = frame_support::traits::ConstU32<50>;
            type MaxFreezes = frame_support::traits::VariantCountOf<RuntimeFreezeReason>;
            type DoneSlashHandler = ();
            type WeightInfo = $crate::weights::pallet_balances::WeightInfo<Runtime>;
        }

        impl pallet_transaction_payment::Config for Runtime {
            type RuntimeEvent = RuntimeEvent;
            type WeightToFee = $crate::WeightToFee;
            type LengthToFee = $crate::LengthToFee;
            type OperationalFeeMultiplier = frame_support::traits::ConstU8<5>;
            type WeightInfo = $crate::transactions::ChargeWeight<Runtime>;
            $($own)*
        }
    };
}
