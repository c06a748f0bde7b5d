// SPDX-License-Identifier: Apache-2.0

//! Work of the dispatchables.

use crate::{pallet::*, types::*};
use frame_support::{
    ensure,
    traits::{Get, UnixTime},
};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_types::beacon::{
    check_spots, epoch_seed, next_start, starts, Epoch, Hash, Head, Slot, SlotClaim, SpotClaim,
    RECORDS,
};
use tos_vdf::{SlotProof, VdfParams};

impl<T: Config> Pallet<T> {
    /// Includes the slots after the head.
    pub(crate) fn do_advance(slots: &[SlotClaim], spots: &[SpotClaim]) -> DispatchResult {
        let now_ms = u64::try_from(T::Time::now().as_millis()).unwrap_or(u64::MAX);
        Self::advance_at(now_ms, slots, spots)
    }

    /// Includes the slots after the head, at a time.
    pub(crate) fn advance_at(
        now_ms: u64,
        slots: &[SlotClaim],
        spots: &[SpotClaim],
    ) -> DispatchResult {
        let block = Self::now();
        ensure!(
            LastProgress::<T>::get().is_none_or(|last| last.block != block),
            Error::<T>::AlreadyAdvanced
        );
        ensure!(!slots.is_empty(), Error::<T>::NoSlots);
        let (config, head) = (Settings::<T>::get(), Self::head());

        let genesis_ms =
            GenesisMs::<T>::get().unwrap_or(now_ms.saturating_sub(config.slot_ms.into()));
        let reached = head.slot.saturating_add(slots.len() as u64);
        ensure!(
            reached <= config.cap(genesis_ms, now_ms),
            Error::<T>::AheadOfTime
        );

        let starts =
            starts(&config, &OnRecord::<T>::load(), &head, slots).map_err(Error::<T>::from)?;
        let parent = frame_system::Pallet::<T>::parent_hash();
        let walks =
            check_spots(parent.as_ref(), slots, &starts, spots).map_err(Error::<T>::from)?;
        for (epoch, segments) in walks {
            ensure!(
                tos_host_functions::verify_segments(&epoch.params, &epoch.seed, &segments),
                Error::<T>::FalseSegment
            );
        }

        let stalled = Self::note_progress(block, head.slot);
        // After an outage the clock would be ahead for days, and every randomness request with it.
        // By how much it is set back depends on nothing that the author chooses.
        let genesis_ms = config.forgive(genesis_ms, head.slot, T::SlotEnd::get());
        let entropy = Accumulator::<T>::get();
        let mut head = head;
        for (start, claim) in starts.iter().zip(slots) {
            let slot = start.slot;
            let record = SlotRecord {
                slot,
                end: claim.end,
                fine_root: claim.fine_root,
                first_iteration: start.first_iteration,
                block,
                stalled,
            };
            Records::<T>::insert(ring(slot, RECORDS), record);
            if config.begins_window(slot) {
                let window = config.window_of(slot);
                WindowEntropy::<T>::insert(ring(window, ENTROPY_RING), (window, entropy));
            }
            head = start.head(&claim.end).ok_or(Error::<T>::Exhausted)?;
        }
        CurrentHead::<T>::put(head);
        GenesisMs::<T>::put(genesis_ms);
        Self::deposit_event(Event::Advanced {
            head: head.slot,
            slots: slots.len() as u32,
        });
        if stalled == block {
            Self::deposit_event(Event::Resumed { head: head.slot });
        }
        if let Some(number) = config.fixes_epoch(head.slot) {
            Self::fix_epoch(number, &entropy)?;
        }
        Ok(())
    }

    /// Notes that this block includes slots. Returns the last degraded block, which this one is if
    /// it ends a stall; 0 if there was none.
    fn note_progress(block: u32, from: Slot) -> u32 {
        if Self::stands_still() {
            LastStall::<T>::put(block);
        }
        LastProgress::<T>::put(Progress { block, from });
        LastStall::<T>::get().unwrap_or(0)
    }

    /// Fixes the seed and the parameters of an epoch, unless they are fixed.
    fn fix_epoch(number: u64, entropy: &Hash) -> Result<(), DispatchError> {
        let mut epochs = Epochs::<T>::get();
        let last = *epochs.last().ok_or(Error::<T>::UnknownEpoch)?;
        // After a dispute the walk comes by here a second time.
        if number <= last.number {
            return Ok(());
        }
        let params = NextParams::<T>::take().unwrap_or(last.params);
        let seed = epoch_seed(number, entropy);
        if epochs.is_full() {
            epochs.remove(0);
        }
        epochs
            .try_push(Epoch {
                number,
                seed,
                params,
            })
            .map_err(|_| Error::<T>::Exhausted)?;
        Epochs::<T>::put(epochs);
        Self::deposit_event(Event::EpochFixed {
            number,
            seed,
            params,
        });
        Ok(())
    }

    /// Voids a slot if the proof shows that it is false.
    pub(crate) fn do_dispute(who: T::AccountId, slot: Slot, proof: &SlotProof) -> DispatchResult {
        let head = Self::head().slot;
        let before = slot.checked_sub(1).ok_or(Error::<T>::UnknownSlot)?;
        let record = Self::record(head, slot).ok_or(Error::<T>::UnknownSlot)?;
        let before = Self::record(head, before).ok_or(Error::<T>::UnknownSlot)?;
        // Before the costly part.
        ensure!(
            (&record.end, &record.fine_root) != (proof.end(), &proof.fine_root),
            Error::<T>::SameResult
        );
        let before = Head {
            slot: before.slot,
            end: before.end,
            next_iteration: record.first_iteration,
        };
        let start = next_start(&Settings::<T>::get(), &OnRecord::<T>::load(), &before)
            .map_err(Error::<T>::from)?;
        ensure!(
            tos_host_functions::verify_slot(
                &start.epoch.params,
                &start.epoch.seed,
                &start.start,
                start.first_iteration,
                proof,
            ),
            Error::<T>::WrongProof
        );
        CurrentHead::<T>::put(before);
        Self::deposit_event(Event::SlotVoided { slot, head, who });
        Ok(())
    }

    /// Sets the parameters of the next epoch that is not fixed yet.
    pub(crate) fn do_set_params(params: VdfParams) -> DispatchResult {
        params.check().map_err(|_| Error::<T>::BadParams)?;
        NextParams::<T>::put(params);
        Self::deposit_event(Event::ParamsSet { params });
        Ok(())
    }
}
