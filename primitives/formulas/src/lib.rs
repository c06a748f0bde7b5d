// SPDX-License-Identifier: Apache-2.0

//! Pure arithmetic of the TOS protocol: splits, medians, reputation, levels, SimHash, rosters of judges, draws by
//! weight, and of judging by roster the rounds, points, losses, copies and ends. Each function has vectors by an independent reference (`scripts/vectors`).
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

pub mod copies;
pub mod ends;
mod fraction;
pub mod level;
pub mod losses;
pub mod median;
pub mod points;
pub mod reputation;
pub mod roster;
pub mod rounds;
pub mod simhash;
pub mod split;
pub mod stream;
pub mod sum_tree;

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
