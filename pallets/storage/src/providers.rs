// SPDX-License-Identifier: Apache-2.0

//! Providers: bond, key, groups, and how they leave.

use crate::*;
use frame_support::ensure;
use sp_runtime::{DispatchError, DispatchResult};
use tos_pallet_support::holds;
use tos_storage_proofs::aggregate;
use tos_types::{
    storage::{GroupId, Locator, Window},
    Balance, ReplicaId,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn provider_of(who: &T::AccountId) -> Result<Provider, DispatchError> {
        Ok(Providers::<T>::get(who).ok_or(Error::<T>::NotProvider)?)
    }

    pub(crate) fn do_register_provider(
        who: T::AccountId,
        bond: Balance,
        key: [u8; 32],
        locator: Locator,
    ) -> DispatchResult {
        ensure!(
            !Providers::<T>::contains_key(&who),
            Error::<T>::AlreadyProvider
        );
        ensure!(
            bond >= Settings::<T>::get().min_bond,
            Error::<T>::BondTooSmall
        );
        ensure!(!locator.is_empty(), Error::<T>::NoLocator);
        Self::hold(HoldReason::ProviderBond, &who, bond)?;
        let now = Folded::<T>::get();
        Providers::<T>::insert(
            &who,
            Provider {
                bond,
                tied: 0,
                key,
                old_key: None,
                key_since: now,
                locator,
                replicas: 0,
                groups: Default::default(),
                answered: 0,
                missed: 0,
                latency_ms: None,
                exiting: false,
                idle_since: now,
            },
        );
        Self::deposit_event(Event::ProviderRegistered { who, bond });
        Ok(())
    }

    pub(crate) fn do_set_provider(
        who: T::AccountId,
        key: [u8; 32],
        locator: Locator,
    ) -> DispatchResult {
        let mut provider = Self::provider_of(&who)?;
        ensure!(!locator.is_empty(), Error::<T>::NoLocator);
        if key != provider.key {
            let now = Folded::<T>::get();
            // A provider that could change its key twice at once would get rid of evidence against
            // the first key.
            let fresh = provider.old_key.is_some()
                && now
                    < provider
                        .key_since
                        .saturating_add(Settings::<T>::get().ring.into());
            ensure!(!fresh, Error::<T>::KeyTooFresh);
            provider.old_key = Some(provider.key);
            provider.key = key;
            provider.key_since = now;
        }
        provider.locator = locator;
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::ProviderChanged {
            who,
            proof_key: key,
        });
        Ok(())
    }

    pub(crate) fn do_top_up(who: T::AccountId, amount: Balance) -> DispatchResult {
        let mut provider = Self::provider_of(&who)?;
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        Self::hold(HoldReason::ProviderBond, &who, amount)?;
        // Cannot saturate: no balance does.
        provider.bond = provider.bond.saturating_add(amount);
        Self::put_bond(who, provider);
        Ok(())
    }

    pub(crate) fn do_withdraw(who: T::AccountId, amount: Balance) -> DispatchResult {
        let mut provider = Self::provider_of(&who)?;
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        ensure!(amount <= provider.free(), Error::<T>::InsufficientBond);
        let rest = provider.bond.saturating_sub(amount);
        ensure!(
            rest >= Settings::<T>::get().min_bond,
            Error::<T>::BondTooSmall
        );
        holds::withdraw::<T::Currency, _>(HoldReason::ProviderBond, &who, &who, amount)?;
        provider.bond = rest;
        Self::put_bond(who, provider);
        Ok(())
    }

    fn put_bond(who: T::AccountId, provider: Provider) {
        let bond = provider.bond;
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::BondChanged { who, bond });
    }

    pub(crate) fn do_exit(who: T::AccountId) -> DispatchResult {
        let mut provider = Self::provider_of(&who)?;
        ensure!(!provider.exiting, Error::<T>::Exiting);
        provider.exiting = true;
        Providers::<T>::insert(&who, provider);
        Self::deposit_event(Event::ProviderExiting { who });
        Ok(())
    }

    /// The first window in which the provider can leave, if it is on its way.
    pub(crate) fn leave_at(provider: &Provider) -> Option<Window> {
        let unbonding = Settings::<T>::get().unbonding_windows.into();
        (provider.exiting && provider.replicas == 0)
            .then(|| provider.idle_since.saturating_add(unbonding))
    }

    pub(crate) fn do_leave(who: T::AccountId) -> DispatchResult {
        let provider = Self::provider_of(&who)?;
        ensure!(provider.exiting, Error::<T>::NotExiting);
        ensure!(provider.replicas == 0, Error::<T>::HasReplicas);
        let free = Self::leave_at(&provider).is_some_and(|at| Folded::<T>::get() >= at);
        ensure!(free, Error::<T>::Unbonding);
        // The current window's roots may still be folded with its groups in them.
        for (group, _) in &provider.groups {
            Groups::<T>::remove(group);
            let count = FreeGroupCount::<T>::get();
            FreeGroups::<T>::insert(count, group);
            FreeGroupCount::<T>::put(count.saturating_add(1));
        }
        Providers::<T>::remove(&who);
        let (reason, bond) = (HoldReason::ProviderBond, provider.bond);
        holds::withdraw::<T::Currency, _>(reason, &who, &who, bond)?;
        Self::deposit_event(Event::ProviderLeft {
            who,
            bond: provider.bond,
        });
        Ok(())
    }

    /// `true` if there is a place for one more replica of the provider, were all of its replicas
    /// active.
    pub(crate) fn has_room(provider: &Provider) -> bool {
        let size = Settings::<T>::get().group_places;
        let places = size.saturating_mul(MAX_PROVIDER_GROUPS);
        let own: u32 = provider
            .groups
            .iter()
            .fold(0, |sum, (_, free)| sum.saturating_add(*free));
        let groups_left =
            NextGroup::<T>::get() < aggregate::MAX_GROUPS || FreeGroupCount::<T>::get() > 0;
        provider.replicas < places && (own > 0 || groups_left)
    }

    /// Puts a replica into the provider's lowest free position; it takes part from `from` on.
    pub(crate) fn seat(
        who: &T::AccountId,
        provider: &mut Provider,
        replica: ReplicaId,
        from: Window,
    ) -> Result<(GroupId, u32), DispatchError> {
        let size = Settings::<T>::get().group_places;
        if !provider.groups.iter().any(|(_, free)| *free > 0) {
            let id = Self::new_group()?;
            provider
                .groups
                .try_push((id, size))
                .map_err(|_| Error::<T>::TooManyReplicas)?;
            Groups::<T>::insert(id, Group::empty(who.clone()));
        }
        let (id, free) = provider
            .groups
            .iter_mut()
            .find(|(_, free)| *free > 0)
            .ok_or(Error::<T>::Inconsistent)?;
        *free = free.saturating_sub(1);
        let mut group = Groups::<T>::get(*id).ok_or(Error::<T>::Inconsistent)?;
        let place = group
            .places
            .lowest_free(size)
            .ok_or(Error::<T>::Inconsistent)?;
        group.places.set(place, true);
        Self::enter(&mut group, from);
        Groups::<T>::insert(*id, group);
        Members::<T>::insert(*id, place, replica);
        Ok((*id, place))
    }

    fn new_group() -> Result<GroupId, DispatchError> {
        let free = FreeGroupCount::<T>::get();
        if let Some(last) = free.checked_sub(1) {
            FreeGroupCount::<T>::put(last);
            return Ok(FreeGroups::<T>::take(last).ok_or(Error::<T>::Inconsistent)?);
        }
        let id = NextGroup::<T>::get();
        ensure!(id < aggregate::MAX_GROUPS, Error::<T>::TooManyReplicas);
        NextGroup::<T>::put(id.saturating_add(1));
        Ok(id)
    }

    /// Frees a position. Its replica must have been taken out of the group's members.
    pub(crate) fn unseat(
        provider: &mut Provider,
        position: (GroupId, u32),
    ) -> Result<(), DispatchError> {
        let (id, place) = position;
        let mut group = Groups::<T>::get(id).ok_or(Error::<T>::Inconsistent)?;
        group.places.set(place, false);
        Groups::<T>::insert(id, group);
        Members::<T>::remove(id, place);
        let entry = provider.groups.iter_mut().find(|(own, _)| *own == id);
        let (_, free) = entry.ok_or(Error::<T>::Inconsistent)?;
        *free = free.saturating_add(1);
        Ok(())
    }

    /// Counts one more member, who takes part from `from` on, the window after the current one.
    pub(crate) fn enter(group: &mut Group<T::AccountId>, from: Window) {
        if group.fresh_from != from {
            group.fresh_from = from;
            group.fresh = 0;
        }
        group.fresh = group.fresh.saturating_add(1);
        group.members = group.members.saturating_add(1);
    }

    /// Counts one member less, who took part from `from` on.
    pub(crate) fn step_out(group: &mut Group<T::AccountId>, from: Window) {
        if group.fresh_from == from {
            group.fresh = group.fresh.saturating_sub(1);
        }
        group.members = group.members.saturating_sub(1);
    }
}
