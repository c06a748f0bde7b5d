// SPDX-License-Identifier: Apache-2.0

//! Traits by which the pallets meet. Each is implemented by one pallet and used by others through their
//! `Config`; no pallet depends on another pallet's crate. Those from [`Roster`] to [`Ruling`] are of judging by roster
//! (`docs/decisions/026-judging-by-roster.md`); the pallets come to them step by step, and [`Panels`] and [`TaskPhases`]
//! go with the last.
//!
//! | trait | implemented by | used by |
//! |---|---|---|
//! | [`Clock`] | clock | all |
//! | [`MinerRegistry`] | miners | tasks, judges |
//! | [`Reputation`] | reputation | tasks, judges, miners |
//! | [`Panels`] | judges | tasks |
//! | [`TaskPhases`] | tasks | judges |
//! | [`Roster`] | roster | panels, tasks, disputes |
//! | [`Seating`] | panels | roster |
//! | [`Rounds`] | panels | tasks |
//! | [`Cases`] | tasks | panels |
//! | [`Appeals`] | disputes | tasks |
//! | [`Ruling`] | tasks | disputes |
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
mod roster;
mod rounds;
mod vault;

pub use clock::Clock;
pub use panels::{Draw, PanelRequest, Panels, RevealedAnswer, TaskPhases, VotingStage};
pub use randomness::{Randomness, Seed};
pub use registry::MinerRegistry;
pub use reputation::Reputation;
pub use roster::{NoRoom, Roster, Seating};
pub use rounds::{Appeals, Case, Cases, Done, Rounds, Ruling};
pub use vault::{Settlement, Vault};
