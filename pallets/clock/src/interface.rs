// SPDX-License-Identifier: Apache-2.0

//! Protocol time, as other pallets and the runtime read it.

use crate::*;
use tos_interfaces::Clock;
use tos_types::{PhaseLengths, Tick};

impl<T: Config> Clock for Pallet<T> {
    fn now() -> Tick {
        Ticks::<T>::get()
    }

    fn phase_lengths() -> PhaseLengths {
        Settings::<T>::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(now: Tick) {
        Ticks::<T>::put(now);
    }
}
