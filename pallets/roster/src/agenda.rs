// SPDX-License-Identifier: Apache-2.0

//! Cases that are due: those that have waited too long, and those that take another ticket.

use crate::{
    Agenda, AgendaCursor, Config, Event, Pallet, Place, Settings, TicketEnds, Waiting, WaitingCase,
    WeightInfo, LOG_TARGET, MAX_TICKETS,
};
use alloc::vec::Vec;
use frame_support::weights::Weight;
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_formulas::roster::{lock_of, takes_tickets};
use tos_interfaces::{Clock, Seating};
use tos_pallet_support::agenda;
use tos_types::{CaseId, Tick};

impl<T: Config> Pallet<T> {
    fn step_of(case: CaseId) -> Weight {
        let Some(waiting) = Waiting::<T>::get(case) else {
            return T::WeightInfo::expire();
        };
        if T::Clock::now() >= Self::expiry(&waiting) {
            Self::expire(case);
            T::WeightInfo::expire()
        } else {
            Self::retry(case, waiting);
            T::WeightInfo::retry()
        }
    }

    /// Gives a case up. A panel whose vacancy it is goes on without it.
    fn expire(case: CaseId) {
        let Some(waiting) = Self::remove_waiting(&case) else {
            return;
        };
        let round = waiting.request.round;
        Self::deposit_event(Event::Expired { case, round });
        if waiting.is_vacancy() {
            let lock = lock_of(&waiting.request.stake, waiting.request.seats);
            T::Seating::seated(&case, round, lock, Vec::new());
        } else {
            T::Seating::expired(&case, round);
        }
    }

    /// Gives a case whose draw came to nothing another ticket: on the same terms and in the room that it has.
    /// A case that gets other seats by bootstrap now goes back to its line.
    fn retry(case: CaseId, mut waiting: WaitingCase<T::AccountId>) {
        let (now, times) = (T::Clock::now(), Settings::<T>::get());
        let later = if waiting.place != Place::Pause {
            Some(Tick::MAX)
        } else if !takes_tickets(now, times.period, times.quiet) {
            let next = Self::current_period().saturating_add(1);
            Some(next.saturating_mul(times.period))
        } else if !Self::is_settled() || TicketEnds::<T>::get().len() >= MAX_TICKETS {
            Some(now.saturating_add(1))
        } else {
            None
        };
        Self::reschedule(case, &mut waiting, later.unwrap_or(Tick::MAX));
        if later.is_some() {
            Waiting::<T>::insert(case, waiting);
            return;
        }
        let terms = Self::terms_of(&waiting.request);
        match terms.filter(|terms| waiting.terms == Some(*terms)) {
            Some(terms) => Self::give_ticket(case, waiting, terms),
            None => {
                let task_type = waiting.request.task_type;
                Self::unreserve(task_type, waiting.reserved());
                waiting.terms = None;
                waiting.place = Self::join_line(task_type, waiting.class, case);
                Waiting::<T>::insert(case, waiting);
            }
        }
    }
}

impl<T: Config> agenda::Agenda for Pallet<T> {
    const TARGET: &'static str = LOG_TARGET;
    type Item = CaseId;

    fn end() -> Tick {
        T::Clock::now().saturating_add(1)
    }

    fn cursor() -> Tick {
        AgendaCursor::<T>::get()
    }

    fn set_cursor(tick: Tick) {
        AgendaCursor::<T>::put(tick);
    }

    fn due(tick: Tick) -> impl Iterator<Item = CaseId> {
        Agenda::<T>::iter_key_prefix(tick)
    }

    fn remove(tick: Tick, case: &CaseId) {
        Agenda::<T>::remove(tick, case);
    }

    fn start_weight() -> Weight {
        T::WeightInfo::agenda_start()
    }

    fn look_weight() -> Weight {
        T::WeightInfo::agenda_tick()
    }

    fn step_weight(case: &CaseId) -> Option<Weight> {
        let known = Waiting::<T>::contains_key(case);
        known.then(|| T::WeightInfo::expire().max(T::WeightInfo::retry()))
    }

    fn step(case: &CaseId) -> Result<Weight, DispatchError> {
        Ok(Self::step_of(*case))
    }

    /// No step fails by itself; one that does is tried in the next tick.
    fn postpone(tick: Tick, case: &CaseId, error: DispatchError) {
        log::error!(target: LOG_TARGET, "a step of case {case} failed: {error:?}");
        Agenda::<T>::remove(tick, case);
        Waiting::<T>::mutate(case, |waiting| {
            if let Some(waiting) = waiting {
                waiting.due = T::Clock::now().saturating_add(1);
                Agenda::<T>::insert(waiting.due, case, ());
            }
        });
    }
}
