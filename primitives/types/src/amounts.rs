// SPDX-License-Identifier: Apache-2.0

//! Amounts: `u128` wei.

/// An amount in wei.
pub type Balance = u128;
/// One TOS in wei.
pub const TOS: Balance = 1_000_000_000_000_000_000;
/// The most that may ever exist, in wei: 184,000,000 TOS.
pub const SUPPLY_CAP: Balance = 184_000_000 * TOS;
