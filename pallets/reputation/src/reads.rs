// SPDX-License-Identifier: Apache-2.0

//! Reads: reputations with idle decay applied.

use crate::{Config, Domain, Global, Pallet, Record};
use alloc::vec::Vec;
use tos_formulas::reputation::START;
use tos_interfaces::Clock;
use tos_types::Bp;
use tos_views::ReputationView;

impl<T: Config> Pallet<T> {
    /// The account's reputation over all types, and in every type it has a record of, by type.
    pub fn reputation(who: T::AccountId) -> ReputationView {
        let today = T::Clock::today();
        let mut domains: Vec<_> = Domain::<T>::iter_prefix(&who)
            .map(|(task_type, record)| (task_type, record.view(today)))
            .collect();
        domains.sort_by_key(|(task_type, _)| *task_type);
        let global = Global::<T>::get(&who)
            .unwrap_or(Record::fresh(today))
            .view(today);
        ReputationView { global, domains }
    }

    /// The value of a record today; of none, the starting reputation.
    pub(crate) fn value(record: Option<Record>) -> Bp {
        record.map_or(START, |record| record.value(T::Clock::today()))
    }
}
