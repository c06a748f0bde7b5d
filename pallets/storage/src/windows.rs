// SPDX-License-Identifier: Apache-2.0

//! Windows: begun, opened, handed in, folded.

use crate::*;
use frame_support::{ensure, storage::with_storage_layer, traits::Get, weights::WeightMeter};
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Randomness, Seed};
use tos_storage_proofs::aggregate;
use tos_types::storage::{group_payload, GroupId, SignedRoot, Window};

/// The subject that the seed of a window is asked for.
const SUBJECT: &[u8] = b"tos/storage/window/v1";
/// The most stages that a window goes through in one go.
pub(crate) const STAGES: u64 = 4;

impl<T: Config> Pallet<T> {
    /// Takes the current window as far as it goes now and the meter pays for.
    pub(crate) fn run_window(meter: &mut WeightMeter) {
        // One round of all stages at most, so that a window of no length cannot hang a block.
        for _ in 0..STAGES {
            if meter.try_consume(T::WeightInfo::window_stage()).is_err() {
                return;
            }
            let went_on = match CurrentStage::<T>::get() {
                Stage::Waiting => Self::begin_window(),
                Stage::Drawing { randomness, began } => {
                    if T::Randomness::degraded() {
                        return;
                    }
                    Self::open_window(randomness, began)
                }
                Stage::Open { seed, ends } => {
                    let over = Self::now() > ends;
                    if over {
                        Folding::<T>::kill();
                        CurrentStage::<T>::put(Stage::Folding { seed });
                    }
                    over
                }
                Stage::Folding { .. } => Self::fold(meter),
            };
            if !went_on {
                return;
            }
        }
    }

    fn begin_window() -> bool {
        if T::Randomness::degraded() {
            return false;
        }
        let window = Folded::<T>::get();
        if let Some(old) = window.checked_sub(Settings::<T>::get().ring.into()) {
            WindowRecords::<T>::remove(old);
        }
        CurrentStage::<T>::put(Stage::Drawing {
            randomness: T::Randomness::request(),
            began: Self::now(),
        });
        Self::deposit_event(Event::WindowBegan { window });
        true
    }

    pub(crate) fn open_window(
        randomness: tos_types::randomness::RandomnessRequest,
        began: tos_types::Tick,
    ) -> bool {
        let seed = match T::Randomness::seed(&randomness, SUBJECT) {
            Seed::Ready { seed, .. } => seed,
            Seed::Pending => return false,
            Seed::Expired => {
                CurrentStage::<T>::put(Stage::Drawing {
                    randomness: T::Randomness::request(),
                    began,
                });
                return false;
            }
        };
        let window = Folded::<T>::get();
        let length = Settings::<T>::get().window;
        // A late seed costs providers no more than half of their time.
        let ends = began
            .saturating_add(length.saturating_sub(1))
            .max(Self::now().saturating_add(length >> 1));
        Self::refresh_pool();
        WindowRecords::<T>::insert(
            window,
            WindowRecord {
                seed,
                global: None,
                groups: 0,
                handed_in: 0,
            },
        );
        CurrentStage::<T>::put(Stage::Open { seed, ends });
        Self::deposit_event(Event::WindowOpened { window, seed, ends });
        true
    }

    /// Checks a group root; the answer to a window.
    pub(crate) fn check_group(
        window: Window,
        group: GroupId,
        signed: &SignedRoot,
    ) -> Result<tos_types::Tick, DispatchError> {
        let Stage::Open { ends, .. } = CurrentStage::<T>::get() else {
            return Err(Error::<T>::WrongWindow.into());
        };
        ensure!(window == Folded::<T>::get(), Error::<T>::WrongWindow);
        ensure!(Self::now() <= ends, Error::<T>::TooLate);
        let owner = Groups::<T>::get(group).ok_or(Error::<T>::UnknownGroup)?;
        ensure!(owner.due(window) > 0, Error::<T>::NotDueInWindow);
        ensure!(
            GroupWindows::<T>::get(window, group).root.is_none(),
            Error::<T>::AlreadySubmitted
        );
        let payload = group_payload(&T::ChainId::get(), window, group, &signed.root);
        Self::check_signature(&owner.provider, &payload, &signed.signature)?;
        Ok(ends)
    }

    pub(crate) fn do_submit_group(
        window: Window,
        group: GroupId,
        signed: &SignedRoot,
    ) -> DispatchResult {
        Self::check_group(window, group, signed)?;
        let root = signed.root;
        GroupWindows::<T>::mutate(window, group, |entry| entry.root = Some(root));
        Self::deposit_event(Event::GroupSubmitted {
            window,
            group,
            root,
        });
        Ok(())
    }

    pub(crate) fn do_report_equivocation(
        reporter: T::AccountId,
        evidence: &Equivocation,
    ) -> DispatchResult {
        let Equivocation {
            window,
            group,
            first,
            second,
        } = evidence;
        let config = Settings::<T>::get();
        let now = Folded::<T>::get();
        let in_ring = *window <= now && now < window.saturating_add(config.ring.into());
        ensure!(in_ring, Error::<T>::WrongWindow);
        ensure!(first.root != second.root, Error::<T>::NoEquivocation);
        ensure!(
            !GroupWindows::<T>::get(window, group).equivocated,
            Error::<T>::NoEquivocation
        );
        let who = Groups::<T>::get(group)
            .ok_or(Error::<T>::UnknownGroup)?
            .provider;
        let mut provider = Self::provider_of(&who)?;
        let signed_by = |key: &[u8; 32]| {
            [first, second].into_iter().all(|signed| {
                let payload = group_payload(&T::ChainId::get(), *window, *group, &signed.root);
                Self::is_signed_by(key, &payload, &signed.signature)
            })
        };
        // The key before counts for what it may have signed: not for later windows, when others may have
        // got hold of it.
        let before = provider.old_key.filter(|_| *window <= provider.key_since);
        let guilty = signed_by(&provider.key) || before.is_some_and(|key| signed_by(&key));
        ensure!(guilty, Error::<T>::BadSignature);
        GroupWindows::<T>::mutate(window, group, |entry| entry.equivocated = true);
        Self::slash(
            &who,
            &mut provider,
            config.equivocation,
            Some(&reporter),
            None,
            Fault::Equivocation,
        );
        Providers::<T>::insert(who, provider);
        Ok(())
    }

    /// Folds group after group. Returns whether the window is finished.
    pub(crate) fn fold(meter: &mut WeightMeter) -> bool {
        let window = Folded::<T>::get();
        let groups = NextGroup::<T>::get();
        let mut fold = Folding::<T>::get();
        while fold.group < groups {
            if meter.try_consume(T::WeightInfo::fold_group()).is_err()
                || !Self::fold_group(window, &mut fold, meter)
            {
                Folding::<T>::put(fold);
                return false;
            }
            let last = fold.group.saturating_add(1) == groups;
            if last || fold.roots.is_full() {
                // Never more than a region holds, and never more regions than there may be.
                let root = aggregate::region_root(&fold.roots).unwrap_or_default();
                let _ = fold.regions.try_push(root);
                fold.roots = Default::default();
            }
            fold.group = fold.group.saturating_add(1);
        }
        if meter.try_consume(T::WeightInfo::fold_end()).is_err() {
            Folding::<T>::put(fold);
            return false;
        }
        let global = aggregate::global_root(&fold.regions).unwrap_or_default();
        WindowRecords::<T>::mutate_extant(window, |record| {
            record.global = Some(global);
            record.groups = groups;
            record.handed_in = fold.handed_in;
        });
        History::<T>::mutate(|history| history.append(&global));
        Folding::<T>::kill();
        Folded::<T>::put(window.saturating_add(1));
        CurrentStage::<T>::put(Stage::Waiting);
        Self::deposit_event(Event::WindowFolded { window, global });
        true
    }

    /// Takes the root of the next group; where there should be one and is none, every replica that took
    /// part misses. Returns whether the group is done.
    pub(crate) fn fold_group(window: Window, fold: &mut Fold, meter: &mut WeightMeter) -> bool {
        let id = fold.group;
        let root = GroupWindows::<T>::get(window, id).root;
        if let Some(group) = Groups::<T>::get(id) {
            if root.is_none() && (group.due(window) > 0 || fold.missed > 0) {
                if !Self::miss_group(window, &group, fold, meter) {
                    return false;
                }
                if fold.missed > 0 {
                    Self::deposit_event(Event::GroupMissed {
                        window,
                        group: id,
                        replicas: fold.missed,
                    });
                }
            }
            Self::score(window, id, &group.provider, root.is_some());
        } else {
            Attested::<T>::remove(id);
        }
        if root.is_some() {
            fold.handed_in = fold.handed_in.saturating_add(1);
        }
        // There is room: a full region was taken away.
        let _ = fold
            .roots
            .try_push(root.unwrap_or_else(aggregate::missing_group));
        fold.place = 0;
        fold.missed = 0;
        if let Some(old) = window.checked_sub(Settings::<T>::get().ring.into()) {
            GroupWindows::<T>::remove(old, id);
        }
        true
    }

    /// Every replica of a group that took part misses. Returns whether that was all of them.
    fn miss_group(
        window: Window,
        group: &Group<T::AccountId>,
        fold: &mut Fold,
        meter: &mut WeightMeter,
    ) -> bool {
        while let Some(place) = group.places.next(fold.place) {
            if meter.try_consume(T::WeightInfo::step_miss()).is_err() {
                fold.place = place;
                return false;
            }
            let missed = with_storage_layer(|| Self::miss_member(window, fold.group, place));
            match missed {
                Ok(true) => fold.missed = fold.missed.saturating_add(1),
                Ok(false) => {}
                Err(error) => {
                    log::error!(target: LOG_TARGET, "a miss in group {} failed: {error:?}", fold.group);
                }
            }
            fold.place = place.saturating_add(1);
        }
        true
    }

    pub(crate) fn miss_member(
        window: Window,
        group: GroupId,
        place: u32,
    ) -> Result<bool, DispatchError> {
        let Some(id) = Members::<T>::get(group, place) else {
            return Ok(false);
        };
        let replica = Self::replica_of(&id)?;
        if !replica.takes_part(window) {
            return Ok(false);
        }
        Self::miss(id, replica, None, Fault::Window)?;
        Ok(true)
    }
}
