// SPDX-License-Identifier: Apache-2.0

//! What the call does, and the trait through which other pallets read and change reputations.

use crate::{Config, Domain, Event, Global, Pallet, Record, MAX_DAILY_GAIN};
use alloc::vec::Vec;
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_formulas::reputation::{Performance, MAX, START};
use tos_interfaces::{Clock, MinerRegistry, ReputationBook};
use tos_types::{offence::Severity, Bp, TaskType};
use tos_views::ReputationView;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_record(who: &T::AccountId, task_type: TaskType, performance: &Performance) {
        Self::change_both(who, task_type, |record, today| {
            record.perform(today, performance)
        });
    }

    pub(crate) fn do_penalise(who: &T::AccountId, task_type: TaskType, severity: Severity) {
        let loss = severity.loss();
        Self::change_both(who, task_type, |record, today| record.penalise(today, loss));
        let suspension = T::Clock::windows()
            .day
            .saturating_mul(severity.suspension_days());
        if suspension > 0 {
            T::Miners::suspend(who, suspension);
        }
        Self::deposit_event(Event::Penalised {
            who: who.clone(),
            task_type,
            severity,
        });
    }

    /// Applies one change to the global record and to that of the type.
    fn change_both(
        who: &T::AccountId,
        task_type: TaskType,
        change: impl Fn(&mut Record, u32) -> i16,
    ) {
        let today = T::Clock::today();
        let apply = |stored: &mut Option<Record>| {
            let mut record = stored.take().unwrap_or(Record::fresh(today));
            let changed = change(&mut record, today);
            *stored = (!record.is_blank(today)).then_some(record);
            (record.value(today), changed)
        };
        let (global, change_global) = Global::<T>::mutate_exists(who, apply);
        let (domain, change_domain) = Domain::<T>::mutate_exists(who, task_type, apply);
        Self::deposit_event(Event::ReputationChanged {
            who: who.clone(),
            task_type,
            global,
            domain,
            change_global,
            change_domain,
        });
    }

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

    fn value(record: Option<Record>) -> Bp {
        record.map_or(START, |record| record.value(T::Clock::today()))
    }

    pub(crate) fn domain_value(who: &T::AccountId, task_type: TaskType) -> Bp {
        Self::value(Domain::<T>::get(who, task_type))
    }

    pub(crate) fn view(who: &T::AccountId) -> ReputationView {
        let today = T::Clock::today();
        let mut domains: Vec<_> = Domain::<T>::iter_prefix(who)
            .map(|(task_type, record)| (task_type, record.view(today)))
            .collect();
        domains.sort_by_key(|(task_type, _)| *task_type);
        let global = Global::<T>::get(who)
            .unwrap_or(Record::fresh(today))
            .view(today);
        ReputationView { global, domains }
    }

    pub(crate) fn check_records() -> Result<(), TryRuntimeError> {
        let today = T::Clock::today();
        for record in Global::<T>::iter_values().chain(Domain::<T>::iter_values()) {
            ensure!(record.score <= MAX, "reputation: a score is out of bounds");
            ensure!(
                record.gained_today <= MAX_DAILY_GAIN,
                "reputation: more was gained in a day than allowed"
            );
            ensure!(
                record.last_active_day <= today && record.gain_day <= today,
                "reputation: a record comes from the future"
            );
            ensure!(
                !record.is_blank(record.gain_day),
                "reputation: a record says nothing"
            );
        }
        Ok(())
    }

    pub(crate) fn check_settled() -> Result<(), TryRuntimeError> {
        for (who, _, record) in Domain::<T>::iter() {
            let all = Global::<T>::get(&who).map_or(0, |global| global.settled);
            ensure!(
                record.settled <= all,
                "reputation: more settled in a type than over all"
            );
        }
        Ok(())
    }
}

impl<T: Config> ReputationBook<T::AccountId> for Pallet<T> {
    fn global(who: &T::AccountId) -> Bp {
        Self::value(Global::<T>::get(who))
    }

    fn domain(who: &T::AccountId, task_type: TaskType) -> Bp {
        Self::domain_value(who, task_type)
    }

    fn settled(who: &T::AccountId) -> u32 {
        Global::<T>::get(who).map_or(0, |record| record.settled)
    }

    fn record(who: &T::AccountId, task_type: TaskType, performance: &Performance) {
        Self::do_record(who, task_type, performance);
    }

    fn penalise(who: &T::AccountId, task_type: TaskType, severity: Severity) {
        Self::do_penalise(who, task_type, severity);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &T::AccountId, task_type: TaskType, score: Bp, settled: u32) {
        Self::seed(who, &[task_type], score, settled);
    }
}
