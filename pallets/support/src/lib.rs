// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)
)]

pub mod agenda;
pub mod holds;
#[cfg(feature = "std")]
pub mod testing;

#[cfg(test)]
mod tests;
