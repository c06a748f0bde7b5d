// SPDX-License-Identifier: Apache-2.0

//! Records that a network is born with.

use crate::{Config, Domain, Global, Pallet, Record};
use tos_interfaces::Clock;
use tos_types::{Bp, TaskType};

impl<T: Config> Pallet<T> {
    /// Gives `who` this reputation over all types and in each of `types`, as if earned today.
    pub(crate) fn seed(who: &T::AccountId, types: &[TaskType], score: Bp, settled: u32) {
        let today = T::Clock::today();
        let record = Record {
            score,
            settled,
            ..Record::fresh(today)
        };
        let stored = (!record.is_blank(today)).then_some(record);
        Global::<T>::set(who, stored);
        for task_type in types {
            Domain::<T>::set(who, task_type, stored);
        }
    }
}
