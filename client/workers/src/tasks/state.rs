// SPDX-License-Identifier: Apache-2.0

//! The part of a worker's state that a miner and a judge have in common.

use super::{
    health::Health, limits::Pace, report::Reporter, sightings::Sightings, CallBackoff, StepReport,
    TaskChain, TaskSnapshot,
};
use std::{collections::HashSet, time::Duration};
use tos_sdk::error::{Error, Result};
use tos_types::{TaskId, Tick};
use tos_views::{AssignmentView, Role};

/// State of a miner or a judge.
pub(super) struct WorkerState {
    /// Tasks it has had to do with.
    pub handled: HashSet<TaskId>,
    /// Calls that were refused.
    pub backoff: CallBackoff,
    /// Blocks in which its tasks were seen.
    pub sightings: Sightings,
    /// Health of its program.
    pub health: Health,
    /// The length of a tick.
    pub pace: Pace,
    /// The tick of the last step.
    pub tick: Tick,
}

impl WorkerState {
    /// The state at the start of a worker that has seen the chain up to the block of this number.
    pub fn new(seen_until: u64) -> Self {
        Self {
            handled: HashSet::new(),
            backoff: CallBackoff::default(),
            sightings: Sightings::new(seen_until),
            health: Health::default(),
            pace: Pace::default(),
            tick: 0,
        }
    }

    /// Begins a step: the best block, and what the account should do there in this role.
    pub async fn begin<C: TaskChain>(
        &mut self,
        chain: &C,
        role: Role,
    ) -> Result<(C::Snapshot, Vec<AssignmentView>)> {
        self.backoff.next_step();
        let at = chain.best().await?;
        let (tick, day) = at.time().await?;
        self.tick = tick;
        self.pace.saw(tick, day);
        let mut assignments = at.assignments().await?;
        assignments.retain(|assignment| assignment.role == role);
        for assignment in &assignments {
            self.sightings.saw(assignment.task, at.number());
            self.handled.insert(assignment.task);
        }
        Ok((at, assignments))
    }

    /// Ends a step in which so many calls were `sent`: `jobs` go on, and of tasks and rewards so
    /// many are `open`.
    pub fn end(&self, sent: usize, jobs: usize, open: usize) -> StepReport {
        StepReport {
            sent,
            jobs,
            open: open.max(sent),
            handled: self.handled.len() as u64,
        }
    }

    /// Notes that the program gave a result, after this time.
    pub fn succeeded(&mut self, took: Duration, reporter: &Reporter) {
        if let Some(well) = self.health.succeeded(took) {
            reporter.tell(&well);
        }
    }

    /// Notes a failure that is the program's own.
    pub fn failed(&mut self, error: &Error, reporter: &Reporter) {
        let second = self.pace.seconds();
        let broken = self.health.failed(self.tick, second, error.to_string());
        reporter.tell(&broken);
    }
}

/// Results that are not in the journal yet, because the disk takes nothing. They were paid for.
pub(super) struct Unwritten<K, V>(Vec<(K, V)>);

impl<K, V> Default for Unwritten<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Copy + PartialEq, V> Unwritten<K, V> {
    /// The number of them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// `true` if the result of this job is one of them.
    pub fn holds(&self, job: K) -> bool {
        self.0.iter().any(|(unwritten, _)| *unwritten == job)
    }

    /// Adds the result of a job.
    pub fn push(&mut self, job: K, result: V) {
        self.0.push((job, result));
    }

    /// Keeps those that are still wanted.
    pub fn retain(&mut self, wanted: impl Fn(K) -> bool) {
        self.0.retain(|(job, _)| wanted(*job));
    }

    /// Writes them with `write`, which says if it did. Until one is written, nothing about it is
    /// sent.
    pub fn write(&mut self, write: impl Fn(K, &V) -> bool) {
        self.0.retain(|(job, result)| !write(*job, result));
    }
}
