// SPDX-License-Identifier: Apache-2.0

//! Steps of a block: the tick advances at its beginning, its fullness is noted at its end.

use crate::*;
use frame_support::{dispatch::DispatchClass, traits::Get, weights::Weight};
use sp_runtime::Perbill;

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

    /// Returns `true` if users' transactions used nearly all of the weight, in either dimension, or
    /// of the bytes that they may use.
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
}
