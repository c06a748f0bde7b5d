// SPDX-License-Identifier: Apache-2.0

//! Time of tests.

use std::cell::Cell;
use tos_interfaces::Clock;
use tos_types::{PhaseLengths, Tick};

thread_local! {
    static NOW: Cell<Tick> = const { Cell::new(0) };
    static PHASE_LENGTHS: Cell<PhaseLengths> = const { Cell::new(PhaseLengths::development()) };
}

/// A clock that tests set, one for each thread. It is no part of the chain's state: it stays as it
/// is when storage is rolled back, and a new chain starts it anew.
pub struct TestClock;

impl TestClock {
    /// Starts the clock of a chain, at a tick, with these phase lengths.
    pub fn start(now: Tick, phase_lengths: PhaseLengths) {
        NOW.set(now);
        PHASE_LENGTHS.set(phase_lengths);
    }

    /// Makes `now` the current tick.
    pub fn set(now: Tick) {
        NOW.set(now);
    }

    /// Lets ticks pass, without any hook.
    ///
    /// # Panics
    /// There are no ticks so late.
    pub fn advance(ticks: Tick) {
        let later = NOW.get().checked_add(ticks);
        NOW.set(later.expect("the test ends before time does"));
    }
}

impl Clock for TestClock {
    fn now() -> Tick {
        NOW.get()
    }
    fn phase_lengths() -> PhaseLengths {
        PHASE_LENGTHS.get()
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(now: Tick) {
        NOW.set(now);
    }
}

/// The current tick of [`TestClock`].
pub fn now() -> Tick {
    NOW.get()
}
