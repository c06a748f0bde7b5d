// SPDX-License-Identifier: Apache-2.0

//! Replicas: from sealing to the end.

use crate::*;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::Randomness;
use tos_storage_proofs::Commitment;
use tos_types::{
    storage::{ChallengeKind, DealStatus, ReplicaStatus},
    Balance, ReplicaId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn replica_of(id: &ReplicaId) -> Result<Replica<T::AccountId>, DispatchError> {
        Ok(Replicas::<T>::get(id).ok_or(Error::<T>::UnknownReplica)?)
    }

    fn own_replica(
        who: &T::AccountId,
        id: &ReplicaId,
    ) -> Result<Replica<T::AccountId>, DispatchError> {
        let replica = Self::replica_of(id)?;
        ensure!(replica.provider == *who, Error::<T>::NotYours);
        Ok(replica)
    }

    pub(crate) fn do_commit_seal(
        who: &T::AccountId,
        id: ReplicaId,
        sealed: Commitment,
    ) -> DispatchResult {
        let mut replica = Self::own_replica(who, &id)?;
        ensure!(
            replica.status == ReplicaStatus::Sealing,
            Error::<T>::NotSealing
        );
        ensure!(Folded::<T>::get() < replica.until, Error::<T>::TooLate);
        ensure!(sealed.words == replica.coded.words, Error::<T>::SealedSize);
        replica.status = ReplicaStatus::Checking;
        replica.sealed = Some(sealed);
        Self::unschedule_replica(id, &mut replica);
        // The randomness request is made after the commitment is fixed: no provider can commit to
        // what it will ask for.
        let randomness = T::Randomness::request();
        Self::deposit_event(Event::SealCommitted {
            replica: id,
            sealed,
        });
        Self::take_up(
            id,
            &mut replica,
            ChallengeKind::Seal,
            None,
            randomness,
            None,
        );
        Replicas::<T>::insert(id, replica);
        Ok(())
    }

    /// Makes a checked replica active from the next window on.
    pub(crate) fn activate(
        id: ReplicaId,
        replica: &mut Replica<T::AccountId>,
        provider: &mut Provider,
    ) -> DispatchResult {
        let from = Self::window_in(1);
        let deal = Self::deal_of(&replica.deal)?;
        let (group, place) = Self::seat(&replica.provider, provider, id, from)?;
        replica.status = ReplicaStatus::Active;
        replica.position = Some((group, place));
        replica.first = from;
        replica.from = from;
        replica.since = from;
        replica.end = from.saturating_add(deal.windows.into());
        replica.until = replica.end;
        Self::enlist(id, replica);
        Self::schedule_replica(id, replica);
        Self::deposit_event(Event::Activated {
            replica: id,
            group,
            place,
            from,
        });
        Ok(())
    }

    pub(crate) fn do_pause(who: &T::AccountId, id: ReplicaId) -> DispatchResult {
        let config = Settings::<T>::get();
        let mut replica = Self::own_replica(who, &id)?;
        ensure!(
            replica.status == ReplicaStatus::Active,
            Error::<T>::NotActive
        );
        let now = Folded::<T>::get();
        let period = config.billing_period_of(now);
        if replica.pause.0 != period {
            replica.pause = (period, 0);
        }
        let left = config.pause_windows.saturating_sub(replica.pause.1);
        ensure!(left > 0, Error::<T>::PauseUsedUp);
        Self::book_run(&mut replica);
        Self::withdraw_from_proving(id, &mut replica)?;
        replica.status = ReplicaStatus::Paused;
        replica.paused_at = now;
        replica.until = now.saturating_add(left.into()).min(replica.end);
        Self::schedule_replica(id, &mut replica);
        Self::deposit_event(Event::Paused {
            replica: id,
            until: replica.until,
        });
        Replicas::<T>::insert(id, replica);
        Ok(())
    }

    pub(crate) fn do_resume(who: &T::AccountId, id: ReplicaId) -> DispatchResult {
        let replica = Self::own_replica(who, &id)?;
        ensure!(
            replica.status == ReplicaStatus::Paused,
            Error::<T>::NotPaused
        );
        Self::resume_replica(id, replica)
    }

    fn resume_replica(id: ReplicaId, mut replica: Replica<T::AccountId>) -> DispatchResult {
        let spent = Folded::<T>::get().saturating_sub(replica.paused_at).max(1);
        let spent = u32::try_from(spent).unwrap_or(u32::MAX);
        replica.pause.1 = replica.pause.1.saturating_add(spent);
        let from = Self::window_in(1);
        replica.status = ReplicaStatus::Active;
        replica.before = (replica.from, replica.paused_at);
        replica.from = from;
        replica.since = from;
        replica.until = replica.end;
        let (group_id, _) = replica.position.ok_or(Error::<T>::Inconsistent)?;
        let mut group = Groups::<T>::get(group_id).ok_or(Error::<T>::Inconsistent)?;
        Self::enter(&mut group, from);
        Groups::<T>::insert(group_id, group);
        Self::enlist(id, &mut replica);
        Self::schedule_replica(id, &mut replica);
        Replicas::<T>::insert(id, replica);
        Self::deposit_event(Event::Resumed { replica: id, from });
        Ok(())
    }

    pub(crate) fn do_request_removal(who: &T::AccountId, id: ReplicaId) -> DispatchResult {
        let mut replica = Self::own_replica(who, &id)?;
        ensure!(
            replica.status != ReplicaStatus::Leaving,
            Error::<T>::AlreadyLeaving
        );
        ensure!(
            replica.status == ReplicaStatus::Active,
            Error::<T>::NotActive
        );
        let notice = Self::window_in(Settings::<T>::get().notice_windows);
        replica.status = ReplicaStatus::Leaving;
        replica.end = replica.end.min(notice);
        replica.until = replica.end;
        Self::schedule_replica(id, &mut replica);
        Self::deposit_event(Event::RemovalRequested {
            replica: id,
            until: replica.until,
        });
        Replicas::<T>::insert(id, replica);
        Ok(())
    }

    pub(crate) fn do_settle(id: ReplicaId) -> DispatchResult {
        let replica = Self::replica_of(&id)?;
        ensure!(!replica.status.is_over(), Error::<T>::Over);
        let mut deal = Self::deal_of(&replica.deal)?;
        let paid = Self::settle_into(id, &replica, &mut deal)?;
        ensure!(paid > 0, Error::<T>::NotDue);
        Deals::<T>::insert(replica.deal, deal);
        Ok(())
    }

    /// Books the run; the next one begins with the next window.
    fn book_run(replica: &mut Replica<T::AccountId>) {
        let folded = Folded::<T>::get();
        let proof_window = Settings::<T>::get().proof_window;
        replica.earned = replica.paid_windows(folded, proof_window, u32::MAX);
        replica.since = folded.saturating_add(1);
    }

    /// One miss: ends the streak, costs collateral, and fails the replica when that is used up or
    /// the misses in a row are too many. Stores the replica and its provider.
    pub(crate) fn miss(
        id: ReplicaId,
        mut replica: Replica<T::AccountId>,
        reporter: Option<&T::AccountId>,
        fault: Fault,
    ) -> DispatchResult {
        let who = replica.provider.clone();
        let mut provider = Self::provider_of(&who)?;
        let config = Settings::<T>::get();
        if replica.run(Folded::<T>::get()) > 0 {
            replica.misses = 0;
        }
        Self::book_run(&mut replica);
        let price = config.penalty(replica.misses).min(replica.collateral);
        Self::lose(id, &mut replica, &mut provider, price, reporter, fault);
        replica.misses = replica.misses.saturating_add(1);
        if replica.collateral == 0 || replica.misses >= config.max_misses {
            Self::finish(id, &mut replica, &mut provider, ReplicaStatus::Failed)?;
        }
        Replicas::<T>::insert(id, replica);
        Providers::<T>::insert(who, provider);
        Ok(())
    }

    /// Takes `amount` of a replica's collateral.
    pub(crate) fn lose(
        id: ReplicaId,
        replica: &mut Replica<T::AccountId>,
        provider: &mut Provider,
        amount: Balance,
        reporter: Option<&T::AccountId>,
        fault: Fault,
    ) {
        Self::slash(
            &replica.provider,
            provider,
            amount,
            reporter,
            Some(id),
            fault,
        );
        replica.collateral = replica.collateral.saturating_sub(amount);
        provider.tied = provider.tied.saturating_sub(amount);
        provider.missed = provider.missed.saturating_add(1);
        Counters::<T>::mutate(|totals| totals.missed = totals.missed.saturating_add(1));
    }

    /// Ends a replica: pays what it earned, gives the client the rest, frees collateral and
    /// position, and returns the bonds of open challenges. Stores the replica, not the provider.
    pub(crate) fn finish(
        id: ReplicaId,
        replica: &mut Replica<T::AccountId>,
        provider: &mut Provider,
        status: ReplicaStatus,
    ) -> DispatchResult {
        let mut deal = Self::deal_of(&replica.deal)?;
        Self::settle_into(id, replica, &mut deal)?;
        Self::book_run(replica);
        Self::withdraw_from_proving(id, replica)?;
        if let Some(position) = replica.position.take() {
            Self::unseat(provider, position)?;
        }
        Self::void_challenges(id, replica)?;
        let refund = match replica.status {
            // What was never sealed can still be kept by another.
            ReplicaStatus::Sealing => {
                Self::open_deal(replica.deal, &mut deal);
                0
            }
            _ => {
                let refund = deal.escrow.saturating_sub(deal.paid);
                Self::give_back(HoldReason::DealEscrow, &deal.client, refund);
                deal.status = DealStatus::Closed;
                refund
            }
        };
        Deals::<T>::insert(replica.deal, deal);
        provider.tied = provider.tied.saturating_sub(replica.collateral);
        provider.replicas = provider.replicas.saturating_sub(1);
        provider.idle_since = Folded::<T>::get();
        replica.collateral = 0;
        replica.status = status;
        replica.until = Self::window_in(Settings::<T>::get().retention_windows);
        Self::schedule_replica(id, replica);
        Replicas::<T>::insert(id, &*replica);
        if status == ReplicaStatus::Failed {
            Counters::<T>::mutate(|totals| totals.failed = totals.failed.saturating_add(1));
        }
        Self::deposit_event(Event::ReplicaClosed {
            replica: id,
            status,
            refund,
        });
        Ok(())
    }

    /// Takes the step of a replica that is due. Returns whether there was one.
    pub(crate) fn step_replica(id: ReplicaId) -> Result<bool, DispatchError> {
        let mut replica = Self::replica_of(&id)?;
        if Folded::<T>::get() < replica.until {
            Self::schedule_replica(id, &mut replica);
            Replicas::<T>::insert(id, replica);
            return Ok(false);
        }
        let over = Folded::<T>::get() >= replica.end;
        match replica.status {
            ReplicaStatus::Sealing => {
                let mut provider = Self::provider_of(&replica.provider)?;
                let price = Settings::<T>::get().penalty(0).min(replica.collateral);
                let fault = Fault::Sealing;
                Self::lose(id, &mut replica, &mut provider, price, None, fault);
                Self::finish(id, &mut replica, &mut provider, ReplicaStatus::Failed)?;
                Providers::<T>::insert(&replica.provider, provider);
            }
            ReplicaStatus::Paused if !over => Self::resume_replica(id, replica)?,
            // No provider escapes a challenge by running out of time.
            _ if !replica.status.is_over() && replica.challenges > 0 => {
                Self::schedule_replica(id, &mut replica);
                Replicas::<T>::insert(id, replica);
                return Ok(false);
            }
            ReplicaStatus::Active | ReplicaStatus::Paused | ReplicaStatus::Leaving => {
                let mut provider = Self::provider_of(&replica.provider)?;
                let full = u64::from(Self::deal_of(&replica.deal)?.windows);
                let kept = replica.end >= replica.first.saturating_add(full);
                let status = match kept {
                    true => ReplicaStatus::Ended,
                    false => ReplicaStatus::Removed,
                };
                Self::finish(id, &mut replica, &mut provider, status)?;
                Providers::<T>::insert(&replica.provider, provider);
            }
            // The record tells whose its audits are; the queue closes them.
            _ if Audits::<T>::iter_key_prefix(id).next().is_some() => {
                Self::schedule_replica(id, &mut replica);
                Replicas::<T>::insert(id, replica);
                return Ok(false);
            }
            ReplicaStatus::Ended | ReplicaStatus::Removed | ReplicaStatus::Failed => {
                Self::unschedule_replica(id, &mut replica);
                ReplicasOf::<T>::remove(&replica.provider, id);
                Replicas::<T>::remove(id);
                let deal = Deals::<T>::get(replica.deal);
                if deal.is_some_and(|deal| deal.replica == Some(id)) {
                    Self::prune_deal(replica.deal);
                }
            }
            ReplicaStatus::Checking => return Err(Error::<T>::Inconsistent.into()),
        }
        Ok(true)
    }

    /// Adds a replica to those that are audited.
    fn enlist(id: ReplicaId, replica: &mut Replica<T::AccountId>) {
        let index = ActiveCount::<T>::get();
        ActiveByIndex::<T>::insert(index, id);
        ActiveCount::<T>::put(index.saturating_add(1));
        replica.index = Some(index);
        let bytes = u128::from(replica.sealed_bytes());
        Counters::<T>::mutate(|totals| {
            totals.sealed_bytes = totals.sealed_bytes.saturating_add(bytes);
        });
    }

    /// Takes a replica out of the audits and of its group's members, if it is among them; it keeps its place.
    fn withdraw_from_proving(id: ReplicaId, replica: &mut Replica<T::AccountId>) -> DispatchResult {
        let Some(index) = replica.index.take() else {
            return Ok(());
        };
        let (group_id, _) = replica.position.ok_or(Error::<T>::Inconsistent)?;
        let mut group = Groups::<T>::get(group_id).ok_or(Error::<T>::Inconsistent)?;
        Self::step_out(&mut group, replica.from);
        Groups::<T>::insert(group_id, group);

        let last = ActiveCount::<T>::get()
            .checked_sub(1)
            .ok_or(Error::<T>::Inconsistent)?;
        let moved = ActiveByIndex::<T>::take(last).ok_or(Error::<T>::Inconsistent)?;
        ActiveCount::<T>::put(last);
        if moved != id {
            ActiveByIndex::<T>::insert(index, moved);
            let known = Replicas::<T>::mutate(moved, |moved| {
                moved.as_mut().map(|moved| moved.index = Some(index))
            });
            ensure!(known.is_some(), Error::<T>::Inconsistent);
        }
        let bytes = u128::from(replica.sealed_bytes());
        Counters::<T>::mutate(|totals| {
            totals.sealed_bytes = totals.sealed_bytes.saturating_sub(bytes);
        });
        Ok(())
    }
}
