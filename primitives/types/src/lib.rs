// SPDX-License-Identifier: Apache-2.0

//! Vocabulary of the TOS protocol: identifiers, amounts, time, tasks, rosters, votes, content, storage, the beacon, and
//! the rules that travel with tasks.
//!
//! Everything here is `no_std`, free of FRAME and free of floats. Formulas over these types are in `tos-formulas`, the traits by
//! which pallets meet in `tos-interfaces`, what readers get in `tos-views`.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub mod amounts;
pub mod beacon;
pub mod commitment;
pub mod content;
pub mod ids;
pub mod join_error;
pub mod json;
pub mod offence;
pub mod params;
pub mod randomness;
pub mod roster;
pub mod rounds;
pub mod rules;
pub mod storage;
pub mod task;
pub mod time;
pub mod vote;

pub use amounts::{Balance, SUPPLY_CAP, TOS};
pub use content::{ContentHash, ContentRef};
pub use ids::{CaseId, DealId, ReplicaId, TaskId};
pub use task::{Closure, Difficulty, Phase, TaskParams, TaskType};
pub use time::{PhaseLengths, Tick};
pub use vote::{AnswerScore, Report, Verdict};

/// A share, score or reputation in basis points: 0 to 10,000.
pub type Bp = u16;
/// 10,000 basis points: the whole.
pub const BP: Bp = 10_000;

/// The most accounts that may join one task; every per-task loop is bounded by it.
pub const MAX_PARTICIPANTS: u32 = 32;
/// The most judges in one panel, reached by escalating an Expert task three times.
pub const MAX_PANEL: u32 = 15;
/// Rounds of voting a task may see: the first, two escalations and one challenge.
pub const MAX_ROUNDS: u32 = 4;

#[cfg(test)]
mod testing {
    use proptest::test_runner::{Config, RngSeed};

    /// So many cases, the same on every run.
    pub fn cases(cases: u32) -> Config {
        Config {
            cases,
            max_global_rejects: cases * 10,
            rng_seed: RngSeed::Fixed(0x705),
            failure_persistence: None,
            ..Config::default()
        }
    }
}
