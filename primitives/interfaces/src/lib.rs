// SPDX-License-Identifier: Apache-2.0

//! Traits by which the pallets meet. Each is implemented by one pallet and used by others through their
//! `Config`; no pallet depends on another pallet's crate.
//!
//! | trait | implemented by | used by |
//! |---|---|---|
//! | [`Clock`] | clock | all |
//! | [`MinerRegistry`] | miners | tasks, judges |
//! | [`Reputation`] | reputation | tasks, judges, miners |
//! | [`Panels`] | judges | tasks |
//! | [`TaskPhases`] | tasks | judges |
//! | [`Vault`] | rewards | tasks |
//! | [`Randomness`] | beacon | judges, storage |
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

mod clock;
mod panels;
mod randomness;
mod registry;
mod reputation;
mod vault;

pub use clock::Clock;
pub use panels::{Draw, PanelRequest, Panels, RevealedAnswer, TaskPhases, VotingStage};
pub use randomness::{Randomness, Seed};
pub use registry::MinerRegistry;
pub use reputation::Reputation;
pub use vault::{Settlement, Vault};
