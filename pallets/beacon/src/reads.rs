// SPDX-License-Identifier: Apache-2.0

//! Reads: the walk on record, and the views of the runtime API.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::traits::IsSubType;
use polkadot_sdk::*;
use sp_runtime::traits::UniqueSaturatedInto;
use tos_types::beacon::{next_start, Head, Slot, SlotClaims, Surroundings, RECORDS};
use tos_views::{BeaconView, EpochView, InjectionView, SlotRecordView, MAX_BEACON_RECORDS};

impl<T: Config> Pallet<T> {
    /// The beacon after this block.
    pub fn beacon_view() -> BeaconView {
        let (config, head) = (Settings::<T>::get(), Self::head());
        let on_record = OnRecord::<T>::load();
        let window = config.window_of(head.slot);
        // Entropy is recorded up to the head's window, and goes in two windows later.
        let injections = (window..=window.saturating_add(2))
            .filter_map(|window| {
                let slot = window
                    .checked_mul(config.window_slots.into())?
                    .checked_add(1)?;
                let entropy = on_record.entropy(config.injects_at(slot)?)?;
                (slot > head.slot).then_some(InjectionView { slot, entropy })
            })
            .collect();
        let epochs = Epochs::<T>::get();
        BeaconView {
            config,
            head: head.slot,
            end: head.end,
            next_iteration: head.next_iteration,
            next_start: next_start(&config, &on_record, &head)
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
        let oldest = head.saturating_sub(u64::from(RECORDS));
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

    /// The current block.
    pub(crate) fn now() -> u32 {
        frame_system::Pallet::<T>::block_number().unique_saturated_into()
    }

    /// The end of the last slot included.
    pub(crate) fn head() -> Head {
        CurrentHead::<T>::get().unwrap_or(Head {
            slot: 0,
            end: [0; 64],
            next_iteration: 0,
        })
    }

    /// An included slot, if it is still on record.
    pub(crate) fn record(head: Slot, slot: Slot) -> Option<SlotRecord> {
        if slot > head {
            return None;
        }
        Records::<T>::get(ring(slot, RECORDS)).filter(|record| record.slot == slot)
    }

    /// The head of the parent.
    pub(crate) fn parent_head() -> Slot {
        match LastProgress::<T>::get() {
            Some(last) if last.block == Self::now() => last.from,
            _ => Self::head().slot,
        }
    }

    /// Returns `true` if the beacon is degraded in this block. The same from the block's beginning
    /// to its end: the block that ends a stall still counts.
    pub(crate) fn stands_still() -> bool {
        let now = Self::now();
        LastStall::<T>::get() == Some(now)
            || LastProgress::<T>::get().is_none_or(|last| {
                now.saturating_sub(last.block) > Settings::<T>::get().stall_blocks
            })
    }
}
