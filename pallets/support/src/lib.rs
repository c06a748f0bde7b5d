// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub mod agenda;
pub mod estimate;
pub mod holds;
pub mod sum_tree;
#[cfg(feature = "std")]
pub mod testing;

#[cfg(test)]
mod tests;
