// SPDX-License-Identifier: Apache-2.0

//! Invariants of constants and of the state.

use crate::{pallet::*, types::*, weights::WeightInfo};
use frame_support::{dispatch::DispatchClass, ensure, traits::Get};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_types::beacon::{Surroundings, MAX_SLOTS_PER_BLOCK, RECORDS};

impl<T: Config> Pallet<T> {
    /// Checks relations among constants that the pallet relies on.
    pub(crate) fn check_constants() {
        let windows = RECORDS.checked_div(MAX_SLOTS_PER_BLOCK).unwrap_or(u32::MAX);
        assert!(
            ENTROPY_RING >= windows.saturating_add(3),
            "a dispute could need entropy that is no longer kept"
        );
        let limits = <T as frame_system::Config>::BlockWeights::get();
        let advance = T::WeightInfo::advance(MAX_SLOTS_PER_BLOCK);
        assert!(
            advance.all_lte(limits.max_block),
            "advance weighs {advance}, more than a block"
        );
        let most = limits
            .get(DispatchClass::Operational)
            .max_extrinsic
            .unwrap_or(limits.max_block);
        let dispute = T::WeightInfo::dispute_slot().saturating_add(DATASET_BUILD);
        assert!(
            dispute.all_lte(most),
            "dispute_slot weighs {dispute}, a call may {most}"
        );
    }

    /// Checks every invariant of this pallet's storage.
    ///
    /// # Errors
    /// Names the first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_config()?;
        Self::check_head()?;
        Self::check_records()?;
        Self::check_entropy()?;
        Self::check_epochs()?;
        Self::check_vrfs()?;
        Self::check_progress()
    }

    /// The configuration can work.
    fn check_config() -> Result<(), TryRuntimeError> {
        Settings::<T>::get().check().map_err(Into::into)
    }

    /// The head is the end of a recorded slot.
    fn check_head() -> Result<(), TryRuntimeError> {
        let head = CurrentHead::<T>::get().ok_or("there is no head")?;
        let record = Self::record(head.slot, head.slot).ok_or("the head is not on record")?;
        ensure!(record.end == head.end, "the head is another state");
        Ok(())
    }

    /// Records lie where they belong, and each slot's iterations begin where those of the one
    /// before end.
    fn check_records() -> Result<(), TryRuntimeError> {
        let (config, head) = (Settings::<T>::get(), Self::head());
        let on_record = OnRecord::<T>::load();
        for (place, record) in Records::<T>::iter() {
            ensure!(
                ring(record.slot, RECORDS) == place,
                "a record lies in another's place"
            );
            let slot = record.slot;
            if slot == 0 || slot > head.slot {
                continue;
            }
            let next = match Self::record(head.slot, slot.saturating_add(1)) {
                Some(next) => next.first_iteration,
                None => head.next_iteration,
            };
            let Some(epoch) = on_record.epoch(config.epoch_of(slot)) else {
                continue;
            };
            let iterations = u64::from(epoch.params.iterations_per_slot);
            ensure!(
                record.first_iteration.checked_add(iterations) == Some(next),
                "a slot does not link to the next"
            );
        }
        Ok(())
    }

    /// The entropy that goes in next is on record.
    fn check_entropy() -> Result<(), TryRuntimeError> {
        for (place, (window, _)) in WindowEntropy::<T>::iter() {
            ensure!(
                ring(window, ENTROPY_RING) == place,
                "entropy lies in another's place"
            );
        }
        let head = Self::head().slot;
        if head == 0 {
            return Ok(());
        }
        let (window, on_record) = (Settings::<T>::get().window_of(head), OnRecord::<T>::load());
        for window in window.saturating_sub(1)..=window {
            ensure!(
                on_record.entropy(window).is_some(),
                "the entropy of a window is missing"
            );
        }
        Ok(())
    }

    /// Epochs follow one another, and the head's is fixed, as is the next from where it must be.
    fn check_epochs() -> Result<(), TryRuntimeError> {
        let epochs = Epochs::<T>::get();
        let numbers = epochs.iter().map(|epoch| epoch.number);
        ensure!(
            numbers
                .clone()
                .zip(numbers.skip(1))
                .all(|(one, next)| one.checked_add(1) == Some(next)),
            "epochs do not follow one another"
        );
        ensure!(
            epochs.iter().all(|epoch| epoch.params.check().is_ok()),
            "an epoch's parameters are out of bounds"
        );
        let (config, head) = (Settings::<T>::get(), Self::head().slot);
        let last = epochs.last().ok_or("no epoch is fixed")?.number;
        ensure!(
            last >= config.fixes_epoch(head).unwrap_or(config.epoch_of(head)),
            "an epoch is not fixed in time"
        );
        ensure!(
            NextParams::<T>::get().is_none_or(|params| params.check().is_ok()),
            "the next parameters are out of bounds"
        );
        Ok(())
    }

    /// VRF outputs lie where they belong and come from the past.
    fn check_vrfs() -> Result<(), TryRuntimeError> {
        let now = Self::now();
        for (place, record) in BlockVrf::<T>::iter() {
            ensure!(
                ring(record.block.into(), RECORDS) == place,
                "a VRF output lies in another's place"
            );
            ensure!(record.block < now, "a VRF output comes from the future");
        }
        Ok(())
    }

    /// Progress was made in the past, and the wall clock runs since it was first made.
    fn check_progress() -> Result<(), TryRuntimeError> {
        let (now, progress) = (Self::now(), LastProgress::<T>::get());
        ensure!(
            progress.is_none_or(|last| last.block <= now),
            "progress was made in the future"
        );
        ensure!(
            LastStall::<T>::get() <= progress.map(|last| last.block),
            "a stall ended without progress"
        );
        ensure!(
            progress.is_some() == GenesisMs::<T>::exists(),
            "the wall clock does not run since the first slot"
        );
        Ok(())
    }
}
