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

/// What consensus is built with and cannot change after genesis.
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
}

/// Address prefix: the generic one of Substrate chains, until one is registered for TOS.
pub const SS58_PREFIX: u16 = 42;
