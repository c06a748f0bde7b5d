// SPDX-License-Identifier: Apache-2.0

//! Remembered refusals, so that the node is not asked in every block about tasks that may not be
//! joined.

use std::collections::BTreeMap;
use tos_types::{join_error::JoinError, Difficulty, TaskId, TaskType, Tick};
use tos_views::{JoinErrorView, TaskSummary};

/// Ticks after which a refusal without a time of its own is asked about again.
const ASK_AGAIN: Tick = 32;
/// Questions in one step.
pub(super) const MOST_QUESTIONS: usize = 8;

/// Reach of a reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Account,
    Type(TaskType),
    Level(TaskType, Difficulty),
    Task(TaskId),
}

/// Refusals of the chain, and until when they hold.
#[derive(Default)]
pub(super) struct Refusals {
    until: BTreeMap<Scope, Tick>,
    /// The account's own state when they were noted.
    own: usize,
}

impl Refusals {
    /// Forgets what is out of date. `own` is the number of tasks the account is in: when it
    /// changes, so does what the account may do.
    pub fn refresh(&mut self, tick: Tick, own: usize) {
        if self.own != own {
            self.own = own;
            self.until
                .retain(|scope, _| matches!(scope, Scope::Task(_) | Scope::Type(_)));
        }
        self.until.retain(|_, until| *until > tick);
    }

    /// Notes a refusal.
    pub fn note<A>(&mut self, tick: Tick, task: &TaskSummary<A>, refusal: &JoinErrorView) {
        let scope = match refusal.reason {
            JoinError::NotRegistered
            | JoinError::Leaving
            | JoinError::Suspended
            | JoinError::Dormant
            | JoinError::TooManyTasks => Scope::Account,
            JoinError::NotSpecialised => Scope::Type(task.task_type),
            JoinError::ReputationTooLow | JoinError::StakeUnaffordable => {
                Scope::Level(task.task_type, task.difficulty)
            }
            JoinError::UnknownTask
            | JoinError::TaskClosed
            | JoinError::TaskFull
            | JoinError::OwnTask
            | JoinError::AlreadyJoined => Scope::Task(task.id),
        };
        // Neither for ever, should the state change otherwise, nor for less than a tick.
        let soonest = tick.saturating_add(1);
        let until = refusal.retry_at.unwrap_or(tick.saturating_add(ASK_AGAIN));
        let latest = tick.saturating_add(ASK_AGAIN);
        self.until.insert(scope, until.clamp(soonest, latest));
    }

    /// `true` if a task is known to be refused.
    pub fn holds<A>(&self, task: &TaskSummary<A>) -> bool {
        [
            Scope::Account,
            Scope::Type(task.task_type),
            Scope::Level(task.task_type, task.difficulty),
            Scope::Task(task.id),
        ]
        .iter()
        .any(|scope| self.until.contains_key(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake;

    #[test]
    fn a_refusal_holds_until_its_time_or_a_change_and_never_for_ever() {
        let task = fake::task_view(1).summary;
        let refused = |reason, retry_at| {
            let mut refusals = Refusals::default();
            refusals.refresh(10, 3);
            refusals.note(10, &task, &JoinErrorView { reason, retry_at });
            refusals
        };
        for (retry_at, until) in [(Some(15), 15), (None, 10 + ASK_AGAIN), (Some(9), 11)] {
            let mut refusals = refused(JoinError::Suspended, retry_at);
            refusals.refresh(until - 1, 3);
            assert!(refusals.holds(&task), "{retry_at:?}");
            refusals.refresh(until, 3);
            assert!(!refusals.holds(&task), "{retry_at:?}");
        }
        // With a task over, there is a place and stake again.
        let mut full = refused(JoinError::TooManyTasks, None);
        full.refresh(11, 2);
        assert!(!full.holds(&task));
        let mut own = refused(JoinError::OwnTask, None);
        own.refresh(11, 2);
        assert!(own.holds(&task));
        assert!(!own.holds(&fake::task_view(2).summary));
    }
}
