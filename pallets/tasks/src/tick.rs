//! The queue: which steps are due, what they cost, and what happens when one fails.

use crate::*;
use frame_support::{
    storage::with_storage_layer,
    weights::{Weight, WeightMeter},
};
use tos_primitives::{traits::Clock, TaskId, MAX_PARTICIPANTS};

/// Doublings of the delay after failures in a row: the longest is 64 ticks.
const MAX_DOUBLINGS: u32 = 6;

impl<T: Config> Pallet<T> {
    /// Takes due steps, earliest tick first, as long as the meter can pay for the worst of each.
    /// What is left waits for the next block.
    pub(crate) fn run_agenda(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::agenda_start()).is_err() {
            return;
        }
        let now = T::Clock::now();
        let start = AgendaCursor::<T>::get();
        let mut cursor = start;
        while cursor <= now && Self::run_tick(cursor, meter) {
            cursor = cursor.saturating_add(1);
        }
        if cursor != start {
            AgendaCursor::<T>::put(cursor);
        }
    }

    /// Takes the steps due in one tick. Returns whether there are no more.
    ///
    /// Steps add entries for later ticks only, so going on from the last key is sound.
    fn run_tick(tick: tos_primitives::Tick, meter: &mut WeightMeter) -> bool {
        let mut entries = Agenda::<T>::iter_key_prefix(tick);
        loop {
            if meter.try_consume(T::WeightInfo::agenda_tick()).is_err() {
                return false;
            }
            let Some(id) = entries.next() else {
                return true;
            };
            let Some(task) = Tasks::<T>::get(id) else {
                log::error!(target: LOG_TARGET, "the queue names an unknown task {id}");
                Agenda::<T>::remove(tick, id);
                continue;
            };
            if meter.try_consume(Self::step_weight(&task)).is_err() {
                return false;
            }
            Self::run_step(id);
        }
    }

    /// Takes the task's next step. When it fails, nothing changes, but it is tried again later:
    /// neither does it hold up others, nor is it ever forgotten. Returns whether it succeeded.
    pub(crate) fn run_step(id: TaskId) -> bool {
        let done = with_storage_layer(|| Self::advance(id));
        if let Err(error) = done {
            log::error!(target: LOG_TARGET, "a step of task {id} failed: {error:?}");
            Self::postpone(&id);
        }
        done.is_ok()
    }

    /// Puts off a step that failed, longer each time.
    pub(crate) fn postpone(id: &TaskId) {
        let Some(mut task) = Tasks::<T>::get(id) else {
            return;
        };
        let delay = 2u32.saturating_pow(u32::from(task.failures).min(MAX_DOUBLINGS));
        let retry_at = T::Clock::now().saturating_add(delay);
        task.failures = task.failures.saturating_add(1);
        Self::schedule(id, &mut task, retry_at);
        Self::deposit_event(Event::StepFailed {
            task: *id,
            phase: task.phase,
            retry_at,
        });
        Tasks::<T>::insert(id, task);
    }

    /// What the task's next step may cost at most.
    pub(crate) fn step_weight(task: &TaskOf<T>) -> Weight {
        Self::weight_of(Self::step_of(task), task.joined, task.seats())
    }

    fn weight_of(step: Step, miners: u32, seats: u32) -> Weight {
        let worst = match step {
            Step::Advance => T::WeightInfo::step_advance().max(T::WeightInfo::step_advance_votes()),
            Step::Expire => T::WeightInfo::step_expire(miners),
            Step::Collect => T::WeightInfo::step_collect(miners),
            Step::Draw => T::WeightInfo::step_draw(miners),
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

    /// The weight `crank` is charged before anybody knows what it will do.
    pub(crate) fn crank_weight() -> Weight {
        Self::heaviest_step(MAX_PARTICIPANTS)
    }
}
