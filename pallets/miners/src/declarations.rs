// SPDX-License-Identifier: Apache-2.0

//! Declarations: what accounts say about their owners and relations, and whom they keep away from by
//! that.
//!
//! A declaration counts for tasks that are published after it. Taken back, it goes on to count for
//! those that are published in the 60 days after that. So nothing that an account declares or takes
//! back changes anything about a task that is out: a judge could otherwise wait until it knows the
//! seed of a draw, and choose then whether it may sit.
//!
//! An account has one owner at a time for any task: the declarations of a new owner begin to count
//! when those of the one before do no more. So whom an account keeps away from is known by two reads.

use crate::{
    types::{Claim, Declared, AFTER_EFFECT_DAYS, KEPT_DAYS},
    Config, Declarations, Error, Event, Pallet,
};
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_interfaces::Clock;
use tos_types::Tick;

/// The moment of a change, and how long what is taken back goes on to count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Moment {
    /// The tick of the change.
    pub now: Tick,
    /// The after-effect in ticks.
    pub after_effect: Tick,
}

impl<AccountId> Claim<AccountId> {
    /// A claim that counts for tasks published after `since`.
    fn new(other: AccountId, since: Tick) -> Self {
        Self {
            other,
            since,
            until: None,
        }
    }

    /// Returns `true` if it counts for tasks published in this tick.
    pub(crate) fn counts(&self, published: Tick) -> bool {
        self.since < published && self.until.is_none_or(|until| published < until)
    }

    /// Returns `true` if it was not taken back.
    pub(crate) fn stands(&self) -> bool {
        self.until.is_none()
    }

    /// Takes it back: it counts until the after-effect is over, and for longer only if it was
    /// taken back before. Returns the first tick whose tasks it does not count for.
    fn take_back(&mut self, at: Moment) -> Tick {
        *self
            .until
            .get_or_insert(at.now.saturating_add(at.after_effect))
    }
}

impl<T: Config> Declared<T> {
    /// The owner that is named now.
    pub(crate) fn owner(&self) -> Option<&T::AccountId> {
        let last = self.owners.last().filter(|claim| claim.stands());
        last.map(|claim| &claim.other)
    }

    /// The owner whose declarations count for tasks published in this tick.
    pub(crate) fn owner_of(&self, published: Tick) -> Option<&T::AccountId> {
        let counting = self.owners.iter().find(|claim| claim.counts(published));
        counting.map(|claim| &claim.other)
    }

    /// Returns `true` if one of the parties is declared as a relation that counts for tasks published
    /// in this tick.
    pub(crate) fn relates(&self, parties: &[T::AccountId], published: Tick) -> bool {
        parties.iter().any(|party| {
            let first = self.relations.partition_point(|claim| claim.other < *party);
            self.relations
                .iter()
                .skip(first)
                .take_while(|claim| claim.other == *party)
                .any(|claim| claim.counts(published))
        })
    }

    /// Returns `true` if nothing is declared.
    fn is_empty(&self) -> bool {
        self.owners.is_empty() && self.relations.is_empty()
    }

    /// Removes what counts for no task that could still want a panel.
    fn forget(&mut self, now: Tick, kept: Tick) {
        let is_over = |claim: &Claim<T::AccountId>| {
            let until = claim.until;
            until.is_some_and(|until| until.saturating_add(kept) <= now)
        };
        self.owners.retain(|claim| !is_over(claim));
        self.relations.retain(|claim| !is_over(claim));
    }

    /// Names another owner, or none.
    fn set_owner(&mut self, owner: Option<T::AccountId>, at: Moment) -> Result<(), Error<T>> {
        match &owner {
            Some(owner) => ensure!(self.owner() != Some(owner), Error::<T>::AlreadyRelated),
            None => ensure!(self.owner().is_some(), Error::<T>::NotRelated),
        }
        // One that counts for no task yet goes at once.
        self.owners.retain(|claim| claim.since < at.now);
        let mut since = at.now;
        if let Some(before) = self.owners.last_mut() {
            let until = before.take_back(at);
            if at.now < until && owner.as_ref() == Some(&before.other) {
                // Named again before it ceased to count: as if it had never been dropped.
                before.until = None;
                return Ok(());
            }
            since = since.max(until.saturating_sub(1));
        }
        let Some(owner) = owner else {
            return Ok(());
        };
        // Never too many: see `MAX_OWNERS`.
        let pushed = self.owners.try_push(Claim::new(owner, since));
        pushed.map_err(|_| Error::<T>::TooManyRelations)
    }

    /// Declares a relation.
    fn declare(&mut self, other: &T::AccountId, at: Moment) -> Result<(), Error<T>> {
        let place = self
            .relations
            .partition_point(|claim| claim.other <= *other);
        let counting = self
            .relations
            .iter_mut()
            .find(|claim| claim.other == *other && claim.until.is_none_or(|until| at.now < until));
        match counting {
            Some(claim) if claim.stands() => Err(Error::<T>::AlreadyRelated),
            // Declared again before it ceased to count: as if it had never been taken back.
            Some(claim) => {
                claim.until = None;
                Ok(())
            }
            None => {
                let claim = Claim::new(other.clone(), at.now);
                let inserted = self.relations.try_insert(place, claim);
                inserted.map_err(|_| Error::<T>::TooManyRelations)
            }
        }
    }

    /// Takes a relation back.
    fn retract(&mut self, other: &T::AccountId, at: Moment) -> Result<(), Error<T>> {
        let claim = self
            .relations
            .iter_mut()
            .find(|claim| claim.other == *other && claim.stands());
        claim.ok_or(Error::<T>::NotRelated)?.take_back(at);
        // One that counts for no task yet goes at once.
        self.relations
            .retain(|claim| claim.since < at.now || claim.stands());
        Ok(())
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_owner(who: T::AccountId, owner: Option<T::AccountId>) -> DispatchResult {
        if let Some(owner) = &owner {
            ensure!(*owner != who, Error::<T>::SelfRelation);
            // Only a help for the honest: that the owner is owned later cannot be refused, or
            // strangers could keep an account from ever declaring its owner.
            let owned = Declarations::<T>::get(owner).owner().is_some();
            ensure!(!owned, Error::<T>::OwnerIsOwned);
        }
        Self::change(&who, |declared, at| declared.set_owner(owner.clone(), at))?;
        Self::deposit_event(Event::OwnerSet { who, owner });
        Ok(())
    }

    pub(crate) fn do_declare_relation(who: T::AccountId, other: T::AccountId) -> DispatchResult {
        ensure!(who != other, Error::<T>::SelfRelation);
        Self::change(&who, |declared, at| declared.declare(&other, at))?;
        Self::deposit_event(Event::RelationDeclared { who, other });
        Ok(())
    }

    pub(crate) fn do_retract_relation(who: T::AccountId, other: T::AccountId) -> DispatchResult {
        Self::change(&who, |declared, at| declared.retract(&other, at))?;
        Self::deposit_event(Event::RelationRetracted { who, other });
        Ok(())
    }

    /// Changes what `who` declares, and removes what is over.
    fn change(
        who: &T::AccountId,
        change: impl FnOnce(&mut Declared<T>, Moment) -> Result<(), Error<T>>,
    ) -> DispatchResult {
        let (now, day) = (T::Clock::now(), T::Clock::phase_lengths().day);
        let mut declared = Declarations::<T>::get(who);
        declared.forget(now, day.saturating_mul(KEPT_DAYS));
        let at = Moment {
            now,
            after_effect: day.saturating_mul(AFTER_EFFECT_DAYS),
        };
        change(&mut declared, at)?;
        if declared.is_empty() {
            Declarations::<T>::remove(who);
        } else {
            Declarations::<T>::insert(who, declared);
        }
        Ok(())
    }

    /// Returns `true` if `who` must keep away from tasks of these parties that are published in this
    /// tick: it is one of them, had declared one, had named one as its owner, or had named an owner
    /// that had declared one. Reads what `who` and that owner declare, and nothing else: no stranger
    /// may be able to keep `who` away from anything.
    pub(crate) fn keeps_away(
        who: &T::AccountId,
        parties: &[T::AccountId],
        published: Tick,
    ) -> bool {
        if parties.contains(who) {
            return true;
        }
        let own = Declarations::<T>::get(who);
        own.relates(parties, published)
            || own.owner_of(published).is_some_and(|owner| {
                parties.contains(owner) || Declarations::<T>::get(owner).relates(parties, published)
            })
    }

    /// Returns `true` if `who` must keep away from `other` by all that was declared until now.
    pub(crate) fn keeps_away_now(who: &T::AccountId, other: &T::AccountId) -> bool {
        let next = T::Clock::now().saturating_add(1);
        Self::keeps_away(who, core::slice::from_ref(other), next)
    }
}
