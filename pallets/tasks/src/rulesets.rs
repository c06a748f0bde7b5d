// SPDX-License-Identifier: Apache-2.0

//! Rule sets: what governance had decided when tasks were published, stored once for all tasks that
//! were published under equal rules, and gone with the last of them.

use crate::*;
use frame_support::dispatch::DispatchResult;
use tos_interfaces::Vault;
use tos_types::{rules::CurrentRules, Difficulty, TaskType};

impl<T: Config> Pallet<T> {
    /// The rules for a task of this type, with its profile, and difficulty that is published now.
    pub(crate) fn current_rules(
        task_type: TaskType,
        profile: TypeProfile,
        difficulty: Difficulty,
    ) -> RuleSet {
        let (split, winners) = T::Vault::division(task_type, difficulty);
        RuleSet {
            rules: T::Rules::rules(),
            terms: T::Rules::terms(difficulty),
            profile,
            split,
            winners,
        }
    }

    /// Counts one more task under these rules, which are stored if no task is under them yet.
    /// Returns the number of their set. Numbers are never given twice.
    pub(crate) fn refer_to(set: &RuleSet) -> Result<u32, Error<T>> {
        let known = match RuleSetUses::<T>::get(set) {
            Some(known) => known,
            None => {
                let number = NextRuleSet::<T>::get();
                let next = number.checked_add(1).ok_or(Error::<T>::Inconsistent)?;
                NextRuleSet::<T>::put(next);
                RuleSets::<T>::insert(number, set);
                RuleSetUse { number, tasks: 0 }
            }
        };
        let tasks = known.tasks.checked_add(1).ok_or(Error::<T>::Inconsistent)?;
        RuleSetUses::<T>::insert(set, RuleSetUse { tasks, ..known });
        Ok(known.number)
    }

    /// Counts one task less under the rules of this number. A set without tasks goes.
    pub(crate) fn release_rules(number: u32) -> DispatchResult {
        let set = RuleSets::<T>::get(number).ok_or(Error::<T>::Inconsistent)?;
        let known = RuleSetUses::<T>::get(&set).ok_or(Error::<T>::Inconsistent)?;
        let tasks = known.tasks.saturating_sub(1);
        if tasks == 0 {
            RuleSets::<T>::remove(number);
            RuleSetUses::<T>::remove(set);
        } else {
            RuleSetUses::<T>::insert(set, RuleSetUse { tasks, ..known });
        }
        Ok(())
    }

    /// The rules of a task.
    pub(crate) fn rules_of(task: &TaskOf<T>) -> Result<RuleSet, Error<T>> {
        RuleSets::<T>::get(task.rules).ok_or(Error::<T>::Inconsistent)
    }
}
