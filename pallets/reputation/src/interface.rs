// SPDX-License-Identifier: Apache-2.0

//! Reputations of accounts, as other pallets read and change them.

use crate::{Config, Domain, Global, Pallet};
use tos_formulas::reputation::Performance;
use tos_interfaces::Reputation;
use tos_types::{offence::Severity, Bp, TaskType};

impl<T: Config> Reputation<T::AccountId> for Pallet<T> {
    fn global(who: &T::AccountId) -> Bp {
        Self::value(Global::<T>::get(who))
    }

    fn domain(who: &T::AccountId, task_type: TaskType) -> Bp {
        Self::value(Domain::<T>::get(who, task_type))
    }

    fn settled(who: &T::AccountId) -> u32 {
        Global::<T>::get(who).map_or(0, |record| record.settled)
    }

    fn record(who: &T::AccountId, task_type: TaskType, performance: &Performance) {
        Self::change_both(who, task_type, |record, today| {
            record.perform(today, performance)
        });
    }

    fn penalise(who: &T::AccountId, task_type: TaskType, severity: Severity) {
        Self::do_penalise(who, task_type, severity);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &T::AccountId, task_type: TaskType, score: Bp, settled: u32) {
        Self::seed(who, &[task_type], score, settled);
    }
}
