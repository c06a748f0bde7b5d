// SPDX-License-Identifier: Apache-2.0

//! Answers that need more than one pallet.

use crate::{AccountId, Clock, Runtime, RuntimeEvent, System, Tasks, Validation};
use alloc::vec::Vec;

use tos_primitives::{
    traits::Clock as _,
    views::{Action, AssignmentView, ChainView, RefusalView, Role, TaskChange},
    Phase, TaskId,
};

/// What `who` should do now, by deadline.
pub fn assignments(who: &AccountId) -> Vec<AssignmentView> {
    let mut due: Vec<_> = Tasks::active_tasks(who.clone())
        .into_iter()
        .filter_map(|task| answer_due(who, task))
        .chain(
            Validation::duties(who.clone())
                .into_iter()
                .filter_map(|duty| {
                    Some(AssignmentView {
                        task: duty.task,
                        task_type: pallet_tasks::Tasks::<Runtime>::get(duty.task)?.task_type(),
                        role: Role::Validator,
                        action: duty.action?,
                        deadline: duty.deadline?,
                    })
                }),
        )
        .collect();
    due.sort_by_key(|assignment| (assignment.deadline, assignment.task));
    due
}

/// What `who` owes a task it has joined.
fn answer_due(who: &AccountId, id: TaskId) -> Option<AssignmentView> {
    let task = pallet_tasks::Tasks::<Runtime>::get(id)?;
    let part = pallet_tasks::Submissions::<Runtime>::get(id, who)?;
    let now = Clock::now();
    let action = if task.accepts(Phase::Open, now) && part.commitment.is_none() {
        Action::CommitAnswer
    } else if task.accepts(Phase::AnswerReveal, now)
        && part.commitment.is_some()
        && part.revealed.is_none()
    {
        Action::RevealAnswer
    } else {
        return None;
    };
    Some(AssignmentView {
        task: id,
        task_type: task.task_type(),
        role: Role::Miner,
        action,
        deadline: task.deadline,
    })
}

/// Whether `who` may join a task.
pub fn can_submit(who: AccountId, task: TaskId) -> Result<(), RefusalView> {
    Tasks::can_submit(who, task).map_err(|(reason, retry_at)| RefusalView { reason, retry_at })
}

/// The protocol as a whole.
pub fn chain() -> ChainView {
    ChainView {
        tick: Clock::now(),
        day: Clock::today(),
        windows: <Clock as tos_primitives::traits::Clock>::windows(),
        tasks: pallet_tasks::Tasks::<Runtime>::count(),
        open_tasks: pallet_tasks::OpenTasks::<Runtime>::count(),
        miners: pallet_miners::Miners::<Runtime>::count(),
        validators: pallet_validation::ValidatorCount::<Runtime>::get(),
    }
}

/// The tasks that came into a phase in this block, in the order it happened.
pub fn task_changes() -> Vec<TaskChange> {
    System::read_events_no_consensus()
        .filter_map(|record| match record.event {
            RuntimeEvent::Tasks(pallet_tasks::Event::Published { task, deadline, .. }) => {
                Some(TaskChange {
                    task,
                    phase: Phase::Open,
                    round: 0,
                    deadline,
                })
            }
            RuntimeEvent::Tasks(pallet_tasks::Event::PhaseChanged {
                task,
                to,
                round,
                deadline,
                ..
            }) => Some(TaskChange {
                task,
                phase: to,
                round,
                deadline,
            }),
            _ => None,
        })
        .collect()
}
