// SPDX-License-Identifier: Apache-2.0

//! Tasks that a miner joins: those it can fetch, finish and afford.

use super::Miner;
use crate::tasks::{limits, refusals::MOST_QUESTIONS, report::Report, TaskSnapshot};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{collections::HashSet, sync::Arc};
use tos_sdk::{chain::Call, error::Result};
use tos_types::{Balance, TaskId, Tick};
use tos_views::TaskSummary;

/// Specifications that are fetched at the same time, for tasks not joined yet.
const MOST_FETCHES: usize = 4;
/// Ticks before a specification that could not be fetched is tried again; they double.
const PAUSE: Tick = 16;

/// State of a task's specification.
#[derive(Clone, Copy)]
pub(super) enum Spec {
    /// It is being fetched.
    Fetching { failures: u32, stake: Balance },
    /// It is here. The stake is that of a miner without any standing.
    Here { stake: Balance },
    /// It could not be fetched, and is not tried before this tick.
    Dead {
        until: Tick,
        failures: u32,
        stake: Balance,
    },
}

impl Spec {
    fn failures(self) -> u32 {
        match self {
            Self::Fetching { failures, .. } | Self::Dead { failures, .. } => failures,
            Self::Here { .. } => 0,
        }
    }

    fn stake(self) -> Balance {
        let (Self::Fetching { stake, .. } | Self::Here { stake } | Self::Dead { stake, .. }) = self;
        stake
    }
}

impl Miner {
    /// Calls that take places in tasks.
    pub(super) async fn take_on(
        &mut self,
        at: &impl TaskSnapshot,
        open: usize,
    ) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        let tick = self.state.tick;
        if let Some(why) = self.options.solver.unfit() {
            if !std::mem::replace(&mut self.unfit, true) {
                tracing::error!(why, "nothing is taken on while the solver does not work");
            }
            return Ok(calls);
        }
        self.unfit = false;
        self.refusals.refresh(tick, open);
        let room = self.options.concurrency.saturating_sub(open);
        let room = room.min(self.state.health.room(tick, self.unanswered));
        if room == 0 || self.options.bounds.is_enough(self.losses) {
            return Ok(calls);
        }
        let tasks = self.listed(at).await?;
        let listed: HashSet<_> = tasks.iter().map(|task| task.id).collect();
        self.specs.retain(|task, _| listed.contains(task));
        let mut questions = 0;
        for task in tasks {
            let id = task.id;
            if calls.len() >= room || questions >= MOST_QUESTIONS {
                break;
            }
            let known = self.state.handled.contains(&id);
            let enough = self.options.max_tasks.is_some_and(|most| {
                !known && self.state.handled.len().saturating_add(calls.len()) as u64 >= most
            });
            let full = task.joined >= task.max_participants;
            let waits = match self.specs.get(&id) {
                Some(Spec::Fetching { .. }) => true,
                Some(Spec::Dead { until, .. }) => *until > tick,
                _ => false,
            };
            if enough
                || full
                || waits
                || !self.is_in_time(&task)
                || !self.options.bounds.allow(&task)
                || self.refusals.holds(&task)
            {
                continue;
            }
            questions += 1;
            if let Err(refusal) = at.can_submit(id).await? {
                tracing::debug!(task = %id, ?refusal, "not taken on");
                self.refusals.note(tick, &task, &refusal);
                continue;
            }
            let Some(stake) = self.prepared(at, id).await? else {
                continue;
            };
            let joining = self.joining_stake(&calls);
            if !self.options.bounds.allow_stake(joining, stake) {
                self.warn_once(
                    "maxAtStake",
                    "open tasks hold as much stake as --max-at-stake allows; nothing is joined \
                     that would exceed it",
                );
                continue;
            }
            // Known before the place is taken, so that a crash cannot make it forgotten.
            self.state.sightings.saw(id, at.number());
            match self.journal.accept(id) {
                Ok(work) if work.done => {}
                Ok(_) => calls.push(Call::Join { task: id }),
                Err(error) => {
                    tracing::warn!(%error, "nothing is taken on while the journal takes no entry");
                    return Ok(calls);
                }
            }
        }
        Ok(calls)
    }

    /// All tasks of the wanted types that take answers.
    async fn listed(&self, at: &impl TaskSnapshot) -> Result<Vec<TaskSummary<AccountId32>>> {
        if self.options.types.is_empty() {
            return at.open_tasks(None).await;
        }
        let mut all = Vec::new();
        for task_type in &self.options.types {
            all.extend(at.open_tasks(Some(*task_type)).await?);
        }
        Ok(all)
    }

    /// `true` if the solver has the time it needs before a task takes no more answers.
    fn is_in_time(&self, task: &TaskSummary<AccountId32>) -> bool {
        let last = task.open_until.saturating_sub(self.options.headroom);
        if last < self.state.tick {
            return false;
        }
        let open = self.state.pace.left(task.opened, task.open_until);
        let limit = self.workshop.limits.time;
        let need = limits::time_to_solve(self.state.health.longest(), limit, open);
        self.state.pace.left(self.state.tick, last) >= need
    }

    /// The most that joining a task can cost, once its specification is here. Otherwise it is
    /// being fetched after this.
    async fn prepared(&mut self, at: &impl TaskSnapshot, task: TaskId) -> Result<Option<Balance>> {
        let before = self.specs.get(&task).copied();
        if let Some(Spec::Here { stake }) = before {
            return Ok(Some(stake));
        }
        let Some(view) = at.task(task).await? else {
            return Ok(None);
        };
        let stake = view.terms.stake;
        if !view.spec.inline.is_empty() {
            self.specs.insert(task, Spec::Here { stake });
            return Ok(Some(stake));
        }
        if self.fetching() < MOST_FETCHES {
            let failures = before.map_or(0, Spec::failures);
            self.specs.insert(task, Spec::Fetching { failures, stake });
            let (workshop, view) = (self.workshop.clone(), Arc::new(view));
            let fetch = async move { workshop.fetch_spec(&view).await };
            self.fetches.start(task, (), fetch);
        }
        Ok(None)
    }

    /// Notes what became of fetching a specification.
    pub(super) fn fetched(&mut self, task: TaskId, result: Result<()>) {
        let before = self.specs.get(&task).copied();
        if before.is_none() && result.is_ok() {
            // It takes no answers any more, or will be looked at anew.
            return;
        }
        let (failures, stake) = before.map_or((0, 0), |spec| (spec.failures(), spec.stake()));
        let spec = match result {
            Ok(()) => Spec::Here { stake },
            Err(error) => {
                let pause = PAUSE.saturating_mul(1 << failures.min(6));
                let until = self.state.tick.saturating_add(pause);
                tracing::warn!(%task, %error, until, "the specification cannot be fetched");
                let failures = failures.saturating_add(1);
                Spec::Dead {
                    until,
                    failures,
                    stake,
                }
            }
        };
        self.specs.insert(task, spec);
    }

    /// Specifications being fetched.
    pub(super) fn fetching(&self) -> usize {
        let fetching = |spec: &&Spec| matches!(spec, Spec::Fetching { .. });
        self.specs.values().filter(fetching).count()
    }

    /// `true` if a joined task has to wait because its specification could not be fetched lately.
    pub(super) fn is_dead(&self, task: TaskId) -> bool {
        matches!(self.specs.get(&task), Some(Spec::Dead { until, .. }) if *until > self.state.tick)
    }

    /// The stake in open tasks, with that of these calls.
    fn joining_stake(&self, calls: &[Call]) -> Balance {
        let joining = calls.iter().filter_map(|call| match call {
            Call::Join { task } => self.specs.get(task).map(|spec| spec.stake()),
            _ => None,
        });
        let stakes = self.stakes.values().copied();
        stakes.chain(joining).fold(0, Balance::saturating_add)
    }

    /// Tells about a condition when it is met for the first time.
    pub(super) fn warn_once(&mut self, about: &'static str, what: &str) {
        if self.warned.insert(about) {
            let (about, what) = (about.into(), what.into());
            self.options.reporter.tell(&Report::Warning { about, what });
        }
    }
}
