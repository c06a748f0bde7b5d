// SPDX-License-Identifier: Apache-2.0

//! The configuration of each pallet of the runtime, by area.

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
pub use time::{
    BondingEras, BondingSlots, EpochSlots, Hours, MaxPayoutMs, Minutes, SessionsPerEra,
    SlashDeferEras, SlotDurationMs,
};
pub use tos_runtime_common::limits::{
    RuntimeBlockLength, RuntimeBlockWeights, MAXIMUM_BLOCK_WEIGHT, NORMAL_DISPATCH_RATIO,
};
