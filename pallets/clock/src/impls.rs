// SPDX-License-Identifier: Apache-2.0

//! When the tick advances.

use crate::*;
use frame_support::{dispatch::DispatchClass, ensure, traits::Get, weights::Weight};
use sp_runtime::{Perbill, TryRuntimeError};
use tos_interfaces::Clock;
use tos_types::{Tick, Windows};

/// A block that used more than this share of what users may fill is crammed.
const CRAMMED: Perbill = Perbill::from_percent(90);

impl<T: Config> Pallet<T> {
    /// Begins the next tick, unless the previous block was crammed.
    pub(crate) fn advance() {
        if !Crammed::<T>::get() {
            Ticks::<T>::mutate(|tick| *tick = tick.saturating_add(1));
        }
    }

    /// Notes whether this block left users room. Run when all its transactions are in.
    pub(crate) fn note_fullness() {
        let crammed = Self::is_crammed();
        // Most blocks are like the one before: no write then.
        if Crammed::<T>::get() != crammed {
            Crammed::<T>::put(crammed);
        }
    }

    /// Whether users' transactions used nearly all of the weight, in either dimension, or of the
    /// bytes that they may use.
    fn is_crammed() -> bool {
        let class = DispatchClass::Normal;
        let limits = T::BlockWeights::get();
        let limit = limits.get(class).max_total.unwrap_or(limits.max_block);
        let used = *frame_system::Pallet::<T>::block_weight().get(class);
        let bytes = frame_system::Pallet::<T>::block_size();
        let full = Weight::from_parts(
            CRAMMED.mul_floor(limit.ref_time()),
            CRAMMED.mul_floor(limit.proof_size()),
        );
        used.any_gt(full) || bytes > CRAMMED.mul_floor(*T::BlockLength::get().max.get(class))
    }

    /// Checks what must hold between blocks.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(Scale::<T>::get().is_sound(), "the windows are unusable");
        Ok(())
    }
}

impl<T: Config> Clock for Pallet<T> {
    fn now() -> Tick {
        Ticks::<T>::get()
    }

    fn windows() -> Windows {
        Scale::<T>::get()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(now: Tick) {
        Ticks::<T>::put(now);
    }
}
