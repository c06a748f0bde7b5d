// SPDX-License-Identifier: Apache-2.0

//! The pools: one array of judges per task type, without gaps, so that a draw can name
//! candidates by number. Leaving swaps the last one into the gap.
//!
//! A pool holds every account that judges its type and is not leaving, so that a draw looks only at
//! candidates of the right type. A judge that a slash took below what its types ask for then is
//! *understaked*: it keeps its place and is passed over until it tops up. (Clearing its places at
//! once would make the end of a task, where 60 judges may be slashed, eight times as expensive.)

use crate::{Config, Pallet, Pool, PoolIndex, PoolSize};
use tos_types::TaskType;

impl<T: Config> Pallet<T> {
    /// Puts `who` into the pool of each type.
    pub(crate) fn enter_pools(who: &T::AccountId, types: &[TaskType]) {
        for task_type in types {
            if PoolIndex::<T>::contains_key(task_type, who) {
                continue;
            }
            let end = PoolSize::<T>::get(task_type);
            Pool::<T>::insert(task_type, end, who);
            PoolIndex::<T>::insert(task_type, who, end);
            PoolSize::<T>::insert(task_type, end.saturating_add(1));
        }
    }

    /// Takes `who` out of the pool of each type.
    pub(crate) fn leave_pools(who: &T::AccountId, types: &[TaskType]) {
        for task_type in types {
            let Some(index) = PoolIndex::<T>::take(task_type, who) else {
                continue;
            };
            let last = PoolSize::<T>::get(task_type).saturating_sub(1);
            let moved = Pool::<T>::take(task_type, last);
            if let Some(moved) = moved.filter(|_| last != index) {
                Pool::<T>::insert(task_type, index, &moved);
                PoolIndex::<T>::insert(task_type, moved, index);
            }
            if last == 0 {
                PoolSize::<T>::remove(task_type);
            } else {
                PoolSize::<T>::insert(task_type, last);
            }
        }
    }
}
