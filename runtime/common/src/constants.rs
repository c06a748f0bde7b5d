// SPDX-License-Identifier: Apache-2.0

//! Numbers that every part of the runtime, the node and the clients may rely on.

use crate::Balance;

/// Amounts of the native token, counted in its smallest unit (wei).
pub mod currency {
    use super::Balance;

    /// Digits after the decimal point of one TOS.
    pub const TOKEN_DECIMALS: u8 = 18;
    /// One TOS.
    pub const TOS: Balance = 1_000_000_000_000_000_000;
    /// A thousandth of a TOS.
    pub const MILLI_TOS: Balance = TOS / 1_000;
    /// A millionth of a TOS.
    pub const MICRO_TOS: Balance = MILLI_TOS / 1_000;
    /// An account below this balance is removed from the state.
    pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_TOS;
    /// No more than this can ever exist. `emission` mints up to it and never past it.
    pub const MAX_SUPPLY: Balance = 184_000_000 * TOS;
}

/// Numbers that consensus is built with and that cannot change after genesis.
pub mod consensus {
    use polkadot_sdk::sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};

    /// Chance that a slot has a primary author. Slots without one fall to a secondary author,
    /// who also proves a VRF output: every block feeds the epoch's randomness.
    pub const PRIMARY_PROBABILITY: (u64, u64) = (1, 4);

    /// BABE's configuration at genesis.
    pub const BABE_GENESIS_EPOCH_CONFIG: BabeEpochConfiguration = BabeEpochConfiguration {
        c: PRIMARY_PROBABILITY,
        allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots,
    };

    /// Largest set of active validators.
    pub const MAX_VALIDATORS: u32 = 100;

    /// Milliseconds between two slots of a real network.
    pub const SLOT_DURATION_MS: u64 = 2_000;
    /// Slots in an epoch of a real network.
    pub const EPOCH_SLOTS: u32 = 1_800;
    /// Shortest slot that a network may choose: below it, propagation no longer fits into a slot.
    pub const MIN_SLOT_DURATION_MS: u64 = 200;
    /// Longest slot that a network may choose.
    pub const MAX_SLOT_DURATION_MS: u64 = 60_000;
}

/// Fees of transactions.
pub mod fees {
    use super::{currency::MICRO_TOS, Balance};

    /// Fee for a unit of weight, in wei. The fixed weight of a transaction, some 100 microseconds,
    /// comes to about a thousandth of a TOS.
    pub const WEIGHT_FEE: Balance = 10_000_000;
    /// Fee for a byte of a transaction.
    pub const BYTE_FEE: Balance = MICRO_TOS;
    /// Fullness of blocks at which fees stay as they are, in basis points.
    pub const TARGET_FULLNESS: u16 = 2_500;
    /// Speed at which fees follow fullness, in millionths per block.
    pub const ADJUSTMENT: u32 = 75;
    /// Least multiplier of fees, in thousandths.
    pub const LEAST_MULTIPLIER: u32 = 100;
}

/// Numbers of networks that are started from well-known keys.
pub mod genesis {
    use super::{currency::TOS, Balance};

    /// Balance of each well-known account at genesis.
    pub const ENDOWMENT: Balance = 1_000_000 * TOS;
}

/// Address prefix: the generic one of Substrate chains, until one is registered for TOS.
pub const SS58_PREFIX: u16 = 42;
