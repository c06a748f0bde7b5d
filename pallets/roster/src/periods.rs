// SPDX-License-Identifier: Apache-2.0

//! Periods: the trees change at the begin of one alone, and nothing is drawn before all changes are made.

use crate::{
    Applied, Changes, Config, Counts, Error, Event, Judges, Leaves, Pallet, RosterNodes, Settings,
    WeightInfo, LOG_TARGET,
};
use frame_support::{storage::with_storage_layer, weights::WeightMeter};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_formulas::{roster, sum_tree::TreeError};
use tos_interfaces::{Clock, MinerRegistry};
use tos_pallet_support::sum_tree::{stored, StoredTree};
use tos_types::{
    roster::{RosterId, ROSTER_ARITY, ROSTER_DEPTH},
    rules::JudgeRules,
    TaskType, Tick,
};

/// The tree of a roster, in this pallet's storage.
pub(crate) type Tree<T> = StoredTree<RosterNodes<T>, RosterId, ROSTER_ARITY, ROSTER_DEPTH>;

impl<T: Config> Pallet<T> {
    pub(crate) fn tree(id: RosterId) -> Tree<T> {
        stored(id)
    }

    /// Whole TOS of all judges in the tree of a type; none in one that contradicts itself.
    pub(crate) fn total(task_type: TaskType) -> u64 {
        let total = Self::tree(RosterId::open(task_type)).total();
        total.unwrap_or_else(|error| {
            log::error!(target: LOG_TARGET, "the roster of {task_type:?}: {error:?}");
            0
        })
    }

    pub(crate) fn tree_error(error: TreeError) -> Error<T> {
        match error {
            TreeError::Full => Error::<T>::RosterFull,
            TreeError::Vacant | TreeError::TooHeavy | TreeError::Inconsistent => {
                Error::<T>::RosterInconsistent
            }
        }
    }

    /// The number of the current period.
    pub(crate) fn current_period() -> u32 {
        roster::period(T::Clock::now(), Settings::<T>::get().period)
    }

    /// The first period that begins in this tick or later.
    pub(crate) fn first_period_from(tick: Tick) -> u32 {
        let length = Settings::<T>::get().period;
        roster::period(tick.saturating_add(length.saturating_sub(1)), length)
    }

    /// Has the part of a judge in the trees brought up to date at the begin of the next period.
    pub(crate) fn schedule(task_type: TaskType, who: &T::AccountId) {
        let next = Self::current_period().saturating_add(1);
        Changes::<T>::insert(next, (task_type, who), ());
    }

    /// `true` if all changes of the current period are made.
    pub(crate) fn is_settled() -> bool {
        Applied::<T>::get() >= Self::current_period()
    }

    /// Makes the changes of all periods that have begun, as far as the meter goes. Returns `true` if they are
    /// all made.
    pub(crate) fn make_changes(meter: &mut WeightMeter) -> bool {
        let (before, current) = (Applied::<T>::get(), Self::current_period());
        let mut applied = before;
        while applied < current {
            let next = applied.saturating_add(1);
            if !Self::make_changes_of(next, meter) {
                break;
            }
            applied = next;
        }
        if applied != before {
            Applied::<T>::put(applied);
        }
        applied >= current
    }

    fn make_changes_of(number: u32, meter: &mut WeightMeter) -> bool {
        let mut entries = Changes::<T>::iter_key_prefix(number);
        loop {
            if !meter.can_consume(T::WeightInfo::change()) {
                return false;
            }
            let Some((task_type, who)) = entries.next() else {
                meter.consume(T::WeightInfo::agenda_tick());
                return true;
            };
            meter.consume(T::WeightInfo::change());
            let changed = with_storage_layer(|| Self::bring_up_to_date(task_type, &who));
            if let Err(error) = changed {
                log::error!(target: LOG_TARGET, "the change of a judge of {task_type:?}: {error:?}");
                Self::schedule(task_type, &who);
                Self::deposit_event(Event::ChangeFailed {
                    who: who.clone(),
                    task_type,
                });
            }
            Changes::<T>::remove(number, (task_type, who));
        }
    }

    /// Makes the part of a judge in the trees what its bond, its status, its certificate and its suspension
    /// say now.
    pub(crate) fn bring_up_to_date(task_type: TaskType, who: &T::AccountId) -> DispatchResult {
        let Some(mut judge) = Judges::<T>::get(task_type, who) else {
            // It has withdrawn.
            return Ok(());
        };
        let now = T::Clock::now();
        judge.bond = judge.bond.saturating_add(judge.restoring);
        judge.restoring = 0;
        if let Some(addition) = judge.pending.filter(|addition| addition.at <= now) {
            judge.bond = judge.bond.saturating_add(addition.amount);
            judge.pending = None;
        }
        judge.warm = judge.warm.max(judge.bond);
        if judge.returning {
            judge.silent = None;
            judge.returning = false;
        }
        let weight = match T::Miners::is_suspended(who) {
            true => 0,
            false => judge.due_weight(T::Rules::roster().stay),
        };
        let certified = weight > 0 && T::Miners::judges_certified(who);
        let before = (judge.weight, judge.leaf, judge.certified_leaf);
        judge.leaf = Self::set_leaf(RosterId::open(task_type), who, judge.leaf, weight)?;
        judge.certified_leaf = Self::set_leaf(
            RosterId::certified(task_type),
            who,
            judge.certified_leaf,
            if certified { weight } else { 0 },
        )?;
        if weight > judge.weight {
            judge.rose(now, judge.weight);
        }
        judge.weight = weight;
        if before != (judge.weight, judge.leaf, judge.certified_leaf) {
            let (_, leaf, certified_leaf) = before;
            Counts::<T>::mutate(task_type, |count| {
                count.judges = recount(count.judges, leaf, judge.leaf);
                count.certified = recount(count.certified, certified_leaf, judge.certified_leaf);
            });
            Self::deposit_event(Event::WeightSet {
                who: who.clone(),
                task_type,
                weight,
                certified,
            });
        }
        Judges::<T>::insert(task_type, who, judge);
        Ok(())
    }

    /// Gives a judge this weight in a tree, or takes it out of it; its leaf then.
    fn set_leaf(
        id: RosterId,
        who: &T::AccountId,
        leaf: Option<u32>,
        weight: u32,
    ) -> Result<Option<u32>, Error<T>> {
        let mut tree = Self::tree(id);
        match leaf {
            None if weight == 0 => Ok(None),
            None => {
                let leaf = tree.insert(weight.into()).map_err(Self::tree_error)?;
                Leaves::<T>::insert(id, leaf, who);
                Ok(Some(leaf))
            }
            Some(leaf) if weight == 0 => {
                tree.remove(leaf).map_err(Self::tree_error)?;
                Leaves::<T>::remove(id, leaf);
                Ok(None)
            }
            Some(leaf) => {
                tree.set(leaf, weight.into()).map_err(Self::tree_error)?;
                Ok(Some(leaf))
            }
        }
    }
}

/// The number of leaves in use after one of them changed.
fn recount(count: u32, before: Option<u32>, after: Option<u32>) -> u32 {
    match (before.is_some(), after.is_some()) {
        (false, true) => count.saturating_add(1),
        (true, false) => count.saturating_sub(1),
        _ => count,
    }
}
