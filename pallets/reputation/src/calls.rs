// SPDX-License-Identifier: Apache-2.0

//! Work of the dispatchable, and changes of records.

use crate::{Config, Domain, Event, Global, Pallet, Record};
use tos_interfaces::{Clock, MinerRegistry};
use tos_types::{offence::Severity, TaskType};

impl<T: Config> Pallet<T> {
    /// Takes the loss of a proven offence from both records, and suspends where its severity says
    /// so.
    pub(crate) fn do_penalise(who: &T::AccountId, task_type: TaskType, severity: Severity) {
        let loss = severity.loss();
        Self::change_both(who, task_type, |record, today| record.penalise(today, loss));
        let suspension = T::Clock::phase_lengths()
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

    /// Applies one change to the global record and to that of the type. `change` gets the record
    /// and the day, and returns by how many points the value changed.
    pub(crate) fn change_both(
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
}
