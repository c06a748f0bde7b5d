// SPDX-License-Identifier: Apache-2.0

//! What the runtime API answers.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::traits::IsSubType;
use polkadot_sdk::*;
use tos_types::beacon::{next_start, Slot, SlotClaims, Surroundings};
use tos_views::{BeaconView, EpochView, InjectionView, SlotRecordView, MAX_BEACON_RECORDS};

impl<T: Config> Pallet<T> {
    /// The beacon after this block.
    pub fn beacon_view() -> BeaconView {
        let (scale, head) = (Scale::<T>::get(), Self::head());
        let on_record = OnRecord::<T>::load();
        let window = scale.window_of(head.slot);
        // Entropy is recorded up to the head's window, and goes in two windows later.
        let injections = (window..=window.saturating_add(2))
            .filter_map(|window| {
                let slot = window
                    .checked_mul(scale.window_slots.into())?
                    .checked_add(1)?;
                let entropy = on_record.entropy(scale.injects_at(slot)?)?;
                (slot > head.slot).then_some(InjectionView { slot, entropy })
            })
            .collect();
        let epochs = Epochs::<T>::get();
        BeaconView {
            scale,
            head: head.slot,
            end: head.end,
            next_iteration: head.next_iteration,
            next_start: next_start(&scale, &on_record, &head)
                .ok()
                .map(|next| next.start),
            window,
            epochs: epochs
                .iter()
                .map(|epoch| EpochView {
                    number: epoch.number,
                    seed: epoch.seed,
                    params: epoch.params,
                })
                .collect(),
            injections,
            genesis_ms: GenesisMs::<T>::get(),
            degraded: Self::stands_still(),
            last_progress: LastProgress::<T>::get().map(|last| last.block),
            next_params: NextParams::<T>::get(),
        }
    }

    /// Included slots from `from` upwards, at most `limit`. Those no longer on record are left out.
    pub fn records_view(from: Slot, limit: u32) -> Vec<SlotRecordView> {
        let head = Self::head().slot;
        let oldest = head.saturating_sub(u64::from(tos_types::beacon::RECORDS));
        let from = from.max(oldest).max(1);
        (from..=head)
            .filter_map(|slot| Self::record(head, slot))
            .take(limit.min(MAX_BEACON_RECORDS) as usize)
            .map(|record| SlotRecordView {
                slot: record.slot,
                end: record.end,
                fine_root: record.fine_root,
                first_iteration: record.first_iteration,
                block: record.block,
                output: tos_vdf::output(record.slot, &record.end),
            })
            .collect()
    }

    /// The claims of the inherent, if `call` is one.
    pub fn claims_of(call: &impl IsSubType<Call<T>>) -> Option<&SlotClaims> {
        match call.is_sub_type() {
            Some(Call::advance { slots, .. }) => Some(slots),
            _ => None,
        }
    }
}
