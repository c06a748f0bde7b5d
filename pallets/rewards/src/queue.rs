// SPDX-License-Identifier: Apache-2.0

//! The queue: rewards whose claim window is over are paid to their owners.

use crate::{pallet::*, weights::WeightInfo, LOG_TARGET};
use frame_support::weights::{Weight, WeightMeter};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_interfaces::Clock;
use tos_pallet_support::agenda::{self, Agenda};
use tos_types::{TaskId, Tick};

impl<T: Config> Pallet<T> {
    /// Pays expired rewards as far as `limit` goes. Returns the weight used.
    pub(crate) fn pay_expired(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        agenda::run::<Self>(&mut meter);
        meter.consumed()
    }
}

impl<T: Config> Agenda for Pallet<T> {
    const TARGET: &'static str = LOG_TARGET;
    type Item = (T::AccountId, TaskId);

    fn end() -> Tick {
        T::Clock::now()
    }

    fn cursor() -> Tick {
        ExpiryCursor::<T>::get()
    }

    fn set_cursor(tick: Tick) {
        ExpiryCursor::<T>::put(tick);
    }

    fn due(tick: Tick) -> impl Iterator<Item = Self::Item> {
        Expiries::<T>::iter_key_prefix(tick)
    }

    fn remove(tick: Tick, (who, task): &Self::Item) {
        Expiries::<T>::remove(tick, (who, task));
    }

    fn start_weight() -> Weight {
        T::WeightInfo::on_idle_base()
    }

    fn look_weight() -> Weight {
        T::WeightInfo::skip_tick()
    }

    fn step_weight(_: &Self::Item) -> Option<Weight> {
        Some(T::WeightInfo::pay_expired())
    }

    fn step((who, task): &Self::Item) -> Result<Weight, DispatchError> {
        Self::do_claim(who, task)?;
        Ok(T::WeightInfo::pay_expired())
    }

    /// Takes out a reward that its owner cannot receive yet. It stays to be claimed, out of the
    /// chain's way.
    fn postpone(tick: Tick, item: &Self::Item, error: DispatchError) {
        log::debug!(target: LOG_TARGET, "cannot pay {item:?}: {error:?}");
        Self::remove(tick, item);
    }
}
