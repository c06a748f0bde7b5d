// SPDX-License-Identifier: Apache-2.0

//! Functions that several files share: the task's record, its entry in the queue, its holds.

use crate::*;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};
use sp_runtime::traits::UniqueSaturatedInto;
use tos_interfaces::Clock;
use tos_pallet_support::holds::{self, Delivery};
use tos_types::{params, Balance, Closure, Phase, TaskId, Tick};
use tos_views::TimelineEntry;

impl<T: Config> Pallet<T> {
    pub(crate) fn find(id: &TaskId) -> Result<TaskOf<T>, Error<T>> {
        Tasks::<T>::get(id).ok_or(Error::<T>::UnknownTask)
    }

    pub(crate) fn submission(id: &TaskId, who: &T::AccountId) -> Result<Submission, Error<T>> {
        Submissions::<T>::get(id, who).ok_or(Error::<T>::Inconsistent)
    }

    /// Moves the task's entry in the queue.
    pub(crate) fn schedule(id: &TaskId, task: &mut TaskOf<T>, due: Tick) {
        Agenda::<T>::remove(task.due, id);
        Agenda::<T>::insert(due, id, ());
        task.due = due;
    }

    /// Lets the next step happen in the next tick: nothing more is to come in this phase.
    pub(crate) fn hasten(id: &TaskId, task: &mut TaskOf<T>) {
        let soon = T::Clock::now().saturating_add(1);
        if soon < task.due {
            Self::schedule(id, task, soon);
        }
    }

    /// Brings the task into a phase that lasts for `window` more ticks.
    pub(crate) fn enter(
        id: &TaskId,
        task: &mut TaskOf<T>,
        to: Phase,
        window: Tick,
    ) -> DispatchResult {
        let from = core::mem::replace(&mut task.phase, to);
        task.deadline = T::Clock::now().saturating_add(window);
        Self::schedule(id, task, task.deadline.saturating_add(1));
        Self::note_phase(id, task)?;
        let (round, deadline) = (task.round, task.deadline);
        Self::deposit_event(Event::PhaseChanged {
            task: *id,
            from,
            to,
            round,
            deadline,
        });
        Ok(())
    }

    /// Adds the task's phase to its timeline.
    pub(crate) fn note_phase(id: &TaskId, task: &TaskOf<T>) -> DispatchResult {
        let block = frame_system::Pallet::<T>::block_number().unique_saturated_into();
        let entry = TimelineEntry {
            phase: task.phase,
            round: task.round,
            tick: T::Clock::now(),
            block,
        };
        Timeline::<T>::try_append(id, entry).map_err(|()| Error::<T>::Inconsistent.into())
    }

    /// The task takes no more miners: out of the indices of open tasks.
    pub(crate) fn leave_open(id: &TaskId, task: &TaskOf<T>) {
        OpenByType::<T>::remove(task.task_type(), id);
        OpenTasks::<T>::remove(id);
    }

    /// Ends the task. Everything but the publisher's stake must have been dealt with.
    pub(crate) fn close(id: &TaskId, mut task: TaskOf<T>, closure: Closure) -> DispatchResult {
        let (publisher, stake) = (task.publisher.clone(), task.publisher_stake);
        Self::free_hold(id, &publisher, HoldReason::PublisherStake, stake, None);
        Self::enter(
            id,
            &mut task,
            Phase::Closed(closure),
            T::Clock::phase_lengths().retention,
        )?;
        Tasks::<T>::insert(id, task);
        Self::deposit_event(Event::Closed { task: *id, closure });
        Ok(())
    }

    /// Holds `amount`, or fails with `error`.
    pub(crate) fn hold(
        who: &T::AccountId,
        reason: HoldReason,
        amount: Balance,
        error: Error<T>,
    ) -> DispatchResult {
        holds::hold::<T::Currency, _>(reason, who, amount, error)
    }

    /// Ends a hold: the share that `slash` costs goes to the treasury, the rest is released. Returns
    /// what was lost. Never fails, so that no account holds up the others of its task.
    pub(crate) fn free_hold(
        id: &TaskId,
        who: &T::AccountId,
        hold: HoldReason,
        amount: Balance,
        slash: Option<Slash>,
    ) -> Balance {
        let treasury = T::Treasury::get();
        let mut lost = 0;
        if let Some(Slash { reason, share }) = slash {
            let share = params::share_of(amount, share);
            let taken = holds::slash::<T::Currency, _>(hold, who, &treasury, &treasury, share);
            let (task, who) = (*id, who.clone());
            match taken {
                Delivery::Made | Delivery::Diverted(_) => {
                    lost = share;
                    Self::deposit_event(Event::StakeSlashed {
                        task,
                        who,
                        amount: share,
                        reason,
                    });
                }
                // Its owner gets it back with the rest.
                Delivery::Refused(error) => {
                    log::error!(target: LOG_TARGET, "slash of {share} failed: {error:?}");
                    Self::deposit_event(Event::SlashFailed {
                        task,
                        who,
                        amount: share,
                    });
                }
            }
        }
        let left = amount.saturating_sub(lost);
        if left > 0 {
            let returned = holds::give_back::<T::Currency, _>(hold, who, &treasury, left);
            Self::tell_return(id, who, left, returned);
        }
        lost
    }

    /// Tells where a stake or bond went that was to go back to its owner.
    fn tell_return(
        id: &TaskId,
        who: &T::AccountId,
        amount: Balance,
        returned: Delivery<T::AccountId>,
    ) {
        let (task, who) = (*id, who.clone());
        Self::deposit_event(match returned {
            Delivery::Made => Event::StakeReleased { task, who, amount },
            Delivery::Diverted(to) => Event::Undeliverable {
                task,
                who,
                amount,
                to,
            },
            Delivery::Refused(error) => {
                log::error!(target: LOG_TARGET, "{amount} of {id} stay on hold: {error:?}");
                let to = who.clone();
                Event::Undeliverable {
                    task,
                    who,
                    amount,
                    to,
                }
            }
        });
    }

    /// Relations among constants that the code relies on.
    pub(crate) fn check_constants() {
        use tos_types::{Difficulty, MAX_PANEL, MAX_PARTICIPANTS, MAX_ROUNDS};
        assert_eq!(
            params::MAX_ESCALATIONS.saturating_add(2),
            MAX_ROUNDS,
            "the first round, the escalations and a challenge are all rounds there are"
        );
        let largest = Difficulty::ALL
            .iter()
            .map(|d| d.panel_size())
            .max()
            .unwrap_or(0);
        let growth = params::ESCALATION_STEP.saturating_mul(MAX_ROUNDS.saturating_sub(1));
        assert!(
            largest.saturating_add(growth) <= MAX_PANEL,
            "the last panel must fit"
        );
        let phases = MAX_ROUNDS.saturating_mul(3).saturating_add(5);
        assert!(
            phases <= MAX_TIMELINE,
            "a timeline must hold every phase of a task"
        );
        let heaviest = Self::heaviest_step(MAX_PARTICIPANTS);
        assert!(
            heaviest.all_lte(T::MaxWork::get()),
            "MaxWork must cover the heaviest step, or the queue could stall: {heaviest:?}"
        );
    }

    pub(crate) fn ensure_due(task: &TaskOf<T>) -> Result<(), Error<T>> {
        ensure!(task.due <= T::Clock::now(), Error::<T>::NotDue);
        Ok(())
    }
}
