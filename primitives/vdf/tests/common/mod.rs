// SPDX-License-Identifier: Apache-2.0

//! Code that the tests share.

use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same on every run.
pub fn cases(cases: u32) -> Config {
    Config {
        cases,
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..Config::default()
    }
}
