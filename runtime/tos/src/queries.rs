// SPDX-License-Identifier: Apache-2.0

//! Answers that need more than one pallet.

use crate::{AccountId, Clock, Judges, Runtime, RuntimeEvent, System, Tasks};
use alloc::vec::Vec;

use tos_interfaces::Clock as _;
use tos_types::{Phase, TaskId};
use tos_views::{AssignmentView, ChainView, JoinErrorView, Role, TaskChange};

/// The actions that `who` should take now, by deadline.
pub fn assignments(who: &AccountId) -> Vec<AssignmentView> {
    let mut due: Vec<_> = Tasks::assignments(who)
        .into_iter()
        .chain(Judges::duties(who.clone()).into_iter().filter_map(|duty| {
            Some(AssignmentView {
                task: duty.task,
                task_type: pallet_tasks::Tasks::<Runtime>::get(duty.task)?.task_type(),
                role: Role::Judge,
                action: duty.action?,
                deadline: duty.deadline?,
            })
        }))
        .collect();
    due.sort_by_key(|assignment| (assignment.deadline, assignment.task));
    due
}

/// Says that `who` may join a task, or why not.
pub fn can_submit(who: AccountId, task: TaskId) -> Result<(), JoinErrorView> {
    Tasks::can_submit(who, task).map_err(|(reason, retry_at)| JoinErrorView { reason, retry_at })
}

/// The protocol as a whole.
pub fn chain() -> ChainView {
    let (tasks, open_tasks) = Tasks::counts();
    ChainView {
        tick: Clock::now(),
        day: Clock::today(),
        phase_lengths: Clock::phase_lengths(),
        tasks,
        open_tasks,
        miners: pallet_miners::Miners::<Runtime>::count(),
        judges: pallet_judges::JudgeCount::<Runtime>::get(),
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
