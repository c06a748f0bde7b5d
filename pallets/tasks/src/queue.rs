// SPDX-License-Identifier: Apache-2.0

//! The queue: which steps are due, what they cost, and what happens when one fails.

use crate::*;
use frame_support::weights::Weight;
use sp_runtime::DispatchError;
use tos_interfaces::Clock;
use tos_pallet_support::agenda::{self, retry_delay};
use tos_types::{params::MAX_CANDIDATES, TaskId, Tick, MAX_PARTICIPANTS};

impl<T: Config> Pallet<T> {
    /// Takes the task's next step. When it fails, nothing changes, but it is tried again later:
    /// neither does it hold up others, nor is it ever forgotten. Returns the weight that it used,
    /// `None` if it failed.
    pub(crate) fn run_step(due: Tick, id: &TaskId) -> Option<Weight> {
        agenda::take::<Self>(due, id)
    }

    /// The most that the task's next step may cost.
    pub(crate) fn step_weight(task: &TaskOf<T>) -> Weight {
        Self::weight_of(Self::step_of(task), task.joined, task.seats())
    }

    fn weight_of(step: Step, miners: u32, seats: u32) -> Weight {
        let worst = match step {
            Step::Advance => T::WeightInfo::step_advance().max(T::WeightInfo::step_advance_votes()),
            Step::Expire => T::WeightInfo::step_expire(miners),
            Step::Collect => T::WeightInfo::step_collect(miners),
            Step::Draw => T::WeightInfo::step_draw(MAX_CANDIDATES),
            Step::Tally => T::WeightInfo::step_tally(miners),
            Step::GiveUp => T::WeightInfo::step_unresolve(miners, seats),
            Step::LastTally => T::WeightInfo::step_tally(miners)
                .saturating_add(T::WeightInfo::step_unresolve(miners, seats)),
            // A result that cannot be paid by is closed as unresolved.
            Step::Settle => T::WeightInfo::step_settle(miners, seats)
                .max(T::WeightInfo::step_unresolve(miners, seats)),
            Step::Prune => T::WeightInfo::step_prune(miners, seats),
        };
        worst.saturating_add(T::WeightInfo::step_failed())
    }

    /// The most a step of a task with that many miners may cost, after the most rounds of the largest
    /// panels, with finding it in the queue.
    pub(crate) fn heaviest_step(miners: u32) -> Weight {
        let steps = [
            Step::Advance,
            Step::Expire,
            Step::Collect,
            Step::Draw,
            Step::GiveUp,
            Step::Tally,
            Step::LastTally,
            Step::Settle,
            Step::Prune,
        ];
        let heaviest = steps
            .into_iter()
            .map(|step| Self::weight_of(step, miners, MAX_SEATS))
            .fold(Weight::zero(), |most, weight| most.max(weight));
        heaviest
            .saturating_add(T::WeightInfo::agenda_start())
            .saturating_add(T::WeightInfo::agenda_tick())
    }

    /// The weight `crank` is charged before it is known what it will do.
    pub(crate) fn crank_weight() -> Weight {
        Self::heaviest_step(MAX_PARTICIPANTS)
    }
}

impl<T: Config> agenda::Agenda for Pallet<T> {
    const TARGET: &'static str = LOG_TARGET;
    type Item = TaskId;

    fn end() -> Tick {
        T::Clock::now().saturating_add(1)
    }

    fn cursor() -> Tick {
        AgendaCursor::<T>::get()
    }

    fn set_cursor(tick: Tick) {
        AgendaCursor::<T>::put(tick);
    }

    fn due(tick: Tick) -> impl Iterator<Item = TaskId> {
        Agenda::<T>::iter_key_prefix(tick)
    }

    fn remove(tick: Tick, id: &TaskId) {
        Agenda::<T>::remove(tick, id);
    }

    fn start_weight() -> Weight {
        T::WeightInfo::agenda_start()
    }

    fn look_weight() -> Weight {
        T::WeightInfo::agenda_tick()
    }

    fn step_weight(id: &TaskId) -> Option<Weight> {
        Tasks::<T>::get(id).map(|task| Self::step_weight(&task))
    }

    fn step(id: &TaskId) -> Result<Weight, DispatchError> {
        Self::advance(*id)
    }

    fn postpone(_: Tick, id: &TaskId, error: DispatchError) {
        log::error!(target: LOG_TARGET, "a step of task {id} failed: {error:?}");
        let Some(mut task) = Tasks::<T>::get(id) else {
            return;
        };
        let retry_at = T::Clock::now().saturating_add(retry_delay(task.failures));
        task.failures = task.failures.saturating_add(1);
        Self::schedule(id, &mut task, retry_at);
        Self::deposit_event(Event::StepFailed {
            task: *id,
            phase: task.phase,
            retry_at,
        });
        Tasks::<T>::insert(id, task);
    }
}
