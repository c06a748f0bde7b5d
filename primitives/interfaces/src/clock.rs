// SPDX-License-Identifier: Apache-2.0

//! Protocol time.

use tos_types::{Tick, Windows};

/// Protocol time.
pub trait Clock {
    /// The current tick. Constant within a block.
    fn now() -> Tick;
    /// The lengths of the protocol's windows; fixed at genesis.
    fn windows() -> Windows;
    /// The current day, the unit of reputation decay.
    fn today() -> u32 {
        Self::now().checked_div(Self::windows().day).unwrap_or(0)
    }
    /// Makes `now` the current tick. For benchmarks only; a clock that cannot be set ignores it.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(_now: Tick) {}
}
