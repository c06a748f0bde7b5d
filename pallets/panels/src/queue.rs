// SPDX-License-Identifier: Apache-2.0

//! The queue: which steps are due, what they cost, and what happens when one fails.

use crate::{
    Agenda, AgendaCursor, Cases, Config, Docket, Due, Event, Job, Order, Pallet, Progress, Step,
    WeightInfo, LOG_TARGET,
};
use frame_support::weights::Weight;
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_interfaces::Clock;
use tos_pallet_support::agenda::{self, retry_delay};
use tos_types::{roster::MAX_SEATS, CaseId, Tick, MAX_PARTICIPANTS};

impl<T: Config> Pallet<T> {
    /// Moves the entry of a case in the queue, or takes it out.
    pub(crate) fn schedule(case: &CaseId, docket: &mut Docket, due: Option<Due>) {
        let job = Job::Case(*case);
        if let Some(before) = docket.due {
            Agenda::<T>::remove(before.at, job);
        }
        if let Some(due) = due {
            Agenda::<T>::insert(due.at, job, ());
        }
        docket.due = due;
    }

    /// Lets a step happen in the next tick: nothing more is to come in this phase.
    pub(crate) fn hasten(case: &CaseId, mut docket: Docket, step: Step) {
        let at = T::Clock::now().saturating_add(1);
        Self::schedule(case, &mut docket, Some(Due { at, step }));
        Cases::<T>::insert(case, docket);
    }

    /// The most that a step of a case may cost.
    pub(crate) fn weight_of(step: Step, case: &CaseId, docket: &Docket) -> Weight {
        let accounts = Self::accounts(case, docket.round);
        Self::worst(step, accounts, docket.answers)
    }

    fn worst(step: Step, accounts: u32, answers: u32) -> Weight {
        let worst = match step {
            Step::Half => T::WeightInfo::step_half(accounts),
            Step::Reveal => T::WeightInfo::step_reveal(accounts),
            Step::Count => T::WeightInfo::step_count(accounts, answers)
                .max(T::WeightInfo::step_count_failed(accounts)),
        };
        worst.saturating_add(T::WeightInfo::step_failed())
    }

    /// The most that any step may cost, with finding it in the queue.
    pub(crate) fn heaviest_step() -> Weight {
        [Step::Half, Step::Reveal, Step::Count]
            .into_iter()
            .map(|step| Self::worst(step, MAX_SEATS, MAX_PARTICIPANTS))
            .fold(T::WeightInfo::step_free(MAX_SEATS), |most, weight| {
                most.max(weight)
            })
            .saturating_add(T::WeightInfo::agenda_start())
            .saturating_add(T::WeightInfo::agenda_look())
    }

    /// The weight `crank` is charged before it is known what it will do.
    pub(crate) fn crank_weight() -> Weight {
        Self::heaviest_step()
    }

    /// The weight of finding a step.
    pub(crate) fn look() -> Weight {
        T::WeightInfo::agenda_look()
    }

    /// Number of accounts in a round.
    pub(crate) fn accounts(case: &CaseId, round: u32) -> u32 {
        let accounts = Order::<T>::decode_len(case, round).unwrap_or(0);
        u32::try_from(accounts).unwrap_or(MAX_SEATS)
    }
}

impl<T: Config> agenda::Agenda for Pallet<T> {
    const TARGET: &'static str = LOG_TARGET;
    type Item = Job;

    fn end() -> Tick {
        T::Clock::now().saturating_add(1)
    }

    fn cursor() -> Tick {
        AgendaCursor::<T>::get()
    }

    fn set_cursor(tick: Tick) {
        AgendaCursor::<T>::put(tick);
    }

    fn due(tick: Tick) -> impl Iterator<Item = Job> {
        Agenda::<T>::iter_key_prefix(tick)
    }

    fn remove(tick: Tick, job: &Job) {
        Agenda::<T>::remove(tick, job);
    }

    fn start_weight() -> Weight {
        T::WeightInfo::agenda_start()
    }

    fn look_weight() -> Weight {
        Self::look()
    }

    fn step_weight(job: &Job) -> Option<Weight> {
        match job {
            Job::Case(case) => {
                let docket = Cases::<T>::get(case)?;
                let due = docket.due?;
                Some(Self::weight_of(due.step, case, &docket))
            }
            Job::Free(case, round) => {
                Progress::<T>::get(case, round)?;
                let accounts = Self::accounts(case, *round);
                Some(T::WeightInfo::step_free(accounts))
            }
        }
    }

    fn step(job: &Job) -> Result<Weight, DispatchError> {
        match job {
            Job::Case(case) => Self::take_step(case),
            Job::Free(case, round) => Ok(Self::free_seats(case, *round)?),
        }
    }

    fn postpone(tick: Tick, job: &Job, error: DispatchError) {
        log::error!(target: LOG_TARGET, "{job:?} failed: {error:?}");
        let now = T::Clock::now();
        let case = match job {
            Job::Case(case) => case,
            Job::Free(case, number) => {
                Agenda::<T>::remove(tick, job);
                if let Some(mut round) = Progress::<T>::get(case, number) {
                    Self::free_at(case, *number, &mut round, now.saturating_add(1));
                }
                return;
            }
        };
        let found = Cases::<T>::get(case).and_then(|docket| {
            let due = docket.due?;
            Some((docket, due))
        });
        let Some((mut docket, due)) = found else {
            Agenda::<T>::remove(tick, job);
            return;
        };
        let (step, retry_at) = (due.step, now.saturating_add(retry_delay(docket.failures)));
        docket.failures = docket.failures.saturating_add(1);
        Self::schedule(case, &mut docket, Some(Due { at: retry_at, step }));
        Cases::<T>::insert(case, docket);
        Self::deposit_event(Event::StepFailed {
            case: *case,
            step,
            retry_at,
        });
    }
}
