// SPDX-License-Identifier: Apache-2.0

//! The automatic step: rewards whose claim window is over are paid to their owners.

use crate::{pallet::*, weights::WeightInfo, LOG_TARGET};
use frame_support::{storage::with_storage_layer, weights::WeightMeter};
use polkadot_sdk::*;
use tos_primitives::traits::Clock;

impl<T: Config> Pallet<T> {
    /// Pays what has expired to its owners, in order of expiry, as far as the meter allows; the next
    /// block goes on where this one stopped.
    pub fn pay_expired(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::on_idle_base()).is_err() {
            return;
        }
        let now = T::Clock::now();
        let start = ExpiryCursor::<T>::get();
        let mut cursor = start;
        while cursor < now && meter.try_consume(T::WeightInfo::skip_tick()).is_ok() {
            if !Self::pay_tick(cursor, meter) {
                break;
            }
            cursor = cursor.saturating_add(1);
        }
        if cursor != start {
            ExpiryCursor::<T>::put(cursor);
        }
    }

    /// Pays the claims that expired at `tick`. False when the meter ran out before the last.
    pub(crate) fn pay_tick(tick: tos_primitives::Tick, meter: &mut WeightMeter) -> bool {
        // One iterator for all of them: it does not look at the keys removed behind it again.
        for (who, task) in Expiries::<T>::iter_key_prefix(tick) {
            if meter.try_consume(T::WeightInfo::pay_expired()).is_err() {
                return false;
            }
            if let Err(error) = with_storage_layer(|| Self::do_claim(&who, &task)) {
                // The owner cannot receive it yet. It stays to be claimed, out of the chain's way.
                log::debug!(target: LOG_TARGET, "cannot pay task {task:?}: {error:?}");
                Expiries::<T>::remove(tick, (&who, &task));
            }
        }
        true
    }
}
