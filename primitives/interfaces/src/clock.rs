// SPDX-License-Identifier: Apache-2.0

//! Protocol time.

use tos_types::{PhaseLengths, Tick};

/// Protocol time.
pub trait Clock {
    /// The current tick. Constant within a block.
    fn now() -> Tick;
    /// The lengths of the protocol's phases; fixed at genesis.
    fn phase_lengths() -> PhaseLengths;
    /// The current day, the unit of reputation decay.
    fn today() -> u32 {
        Self::now()
            .checked_div(Self::phase_lengths().day)
            .unwrap_or(0)
    }
    /// Makes `now` the current tick. For benchmarks only; a clock that cannot be set ignores it.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(_now: Tick) {}
}
