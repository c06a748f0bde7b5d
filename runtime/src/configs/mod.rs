// SPDX-License-Identifier: Apache-2.0

//! How each pallet of the runtime is configured, by area.

mod accounts;
mod consensus;
mod domain;
mod governance;
mod proxy;
mod referenda;
mod staking;
mod system;
mod time;

pub use proxy::ProxyType;
pub use referenda::{pausable_calls, NeverPaused, TechnicalCollective};
pub use staking::MAX_VALIDATORS;
pub use system::{
    RuntimeBlockLength, RuntimeBlockWeights, MAXIMUM_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO,
};
pub use time::{
    BondingEras, BondingSlots, EpochSlots, Hours, MaxPayoutMs, MinimumPeriodMs, Minutes,
    SessionsPerEra, SlashDeferEras, SlotDurationMs,
};
