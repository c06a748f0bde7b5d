// SPDX-License-Identifier: Apache-2.0

//! What the chain does by itself: sends expired rewards to the treasury.

use crate::{pallet::*, weights::WeightInfo, LOG_TARGET};
use frame_support::{storage::with_storage_layer, weights::WeightMeter};
use polkadot_sdk::*;
use tos_primitives::traits::Clock;

impl<T: Config> Pallet<T> {
    /// Sweeps what has expired, in order of expiry, as far as the meter allows; the next block
    /// goes on where this one stopped.
    pub fn sweep_expired(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::on_idle_base()).is_err() {
            return;
        }
        let now = T::Clock::now();
        let start = SweepCursor::<T>::get();
        let mut cursor = start;
        while cursor < now && meter.try_consume(T::WeightInfo::skip_tick()).is_ok() {
            if !Self::sweep_tick(cursor, meter) {
                break;
            }
            cursor = cursor.saturating_add(1);
        }
        if cursor != start {
            SweepCursor::<T>::put(cursor);
        }
    }

    /// Sweeps the claims that expired at `tick`. False when the meter ran out before the last.
    pub(crate) fn sweep_tick(tick: tos_primitives::Tick, meter: &mut WeightMeter) -> bool {
        // One iterator for all of them: it does not look at the keys removed behind it again.
        for (who, task) in Expiries::<T>::iter_key_prefix(tick) {
            if meter.try_consume(T::WeightInfo::sweep_expired()).is_err() {
                return false;
            }
            if let Err(error) = with_storage_layer(|| Self::do_sweep(&who, &task)) {
                // Neither the treasury nor the owner can receive it: it stays claimable.
                log::error!(target: LOG_TARGET, "cannot sweep task {task:?}: {error:?}");
            }
        }
        true
    }
}
