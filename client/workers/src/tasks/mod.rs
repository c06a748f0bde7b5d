// SPDX-License-Identifier: Apache-2.0

//! The miner and judge workers.
//!
//! A worker decides from two things only: the state of the best block and its journal. It may be
//! killed at any moment; when it starts again it reads both and goes on. It acts on best blocks,
//! so that it is in time, and forgets a task when a finalised block says that it is over. On a view
//! that is older than one it has seen it does nothing, and each chain has a journal of its own
//! (`chain::identity`).

#[cfg(test)]
mod content_tests;
mod engine;
#[cfg(test)]
pub mod fake;
mod health;
mod jobs;
#[cfg(test)]
mod join_tests;
mod judge;
mod limits;
mod live;
mod miner;
mod openai;
mod outcome;
mod process;
mod program;
mod protocol;
mod refusals;
mod report;
mod retention;
mod sightings;
pub mod start;
mod state;
#[cfg(test)]
mod tests;
mod tidy;
mod tips;
mod tools;

pub use engine::{interrupted, run, span, Mode};
#[cfg(test)]
pub use engine::{step, Stepped};
#[cfg(test)]
pub use fake::{reveal as fake_reveal, task_view as fake_task, FakeChain, ME as FAKE_ACCOUNT};
pub use jobs::{JobContext, Program};
pub use judge::{JudgeOptions, JudgeWorker};
pub use limits::Bounds;
pub use live::{Identity, Live};
pub use miner::{Miner, MinerOptions};
pub use openai::{Endpoint, Options as ModelOptions};
pub use outcome::why as why_unpaid;
pub use process::{run as run_program, Limits};
pub use program::{existing as existing_program, ProgramError};
pub use protocol::MAX_SPEC_TEXT;
pub use report::{Report, Reporter};
pub use retention::Retention;
pub use tidy::served;
pub use tools::Tools;

use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{collections::HashMap, time::Duration};
use tos_sdk::{
    chain::Call,
    error::{Error, Result},
};
use tos_types::{Balance, ContentHash, TaskId, TaskType, Tick};
use tos_views::{AssignmentView, ClaimView, JoinErrorView, TaskSummary, TaskView};

/// The chain at one block, as far as a worker reads it.
pub trait TaskSnapshot {
    /// The number of the block.
    fn number(&self) -> u64;
    /// The current tick, and the number of ticks in a day.
    async fn time(&self) -> Result<(Tick, Tick)>;
    /// Assignments of the account: what it should do now.
    async fn assignments(&self) -> Result<Vec<AssignmentView>>;
    /// All tasks that take answers.
    async fn open_tasks(
        &self,
        task_type: Option<TaskType>,
    ) -> Result<Vec<TaskSummary<AccountId32>>>;
    /// Permission of the account to join a task.
    async fn can_submit(&self, task: TaskId) -> Result<Result<(), JoinErrorView>>;
    /// A task.
    async fn task(&self, task: TaskId) -> Result<Option<TaskView<AccountId32>>>;
    /// The pinned tool that the account should run over the task's answers, if it has such a seat.
    async fn tool(&self, task: TaskId) -> Result<Option<ContentHash>>;
    /// The account's stake as a judge, if it is one.
    async fn stake(&self) -> Result<Option<Balance>>;
    /// The account's rewards that wait.
    async fn claimable(&self) -> Result<Vec<ClaimView>>;
}

/// Destination of a worker's calls.
pub trait Submit {
    /// Sends calls, in order, and waits until each is in a best block. The account signs those
    /// that do not carry their own authorisation.
    async fn submit(&self, calls: &[Call]) -> Result<Vec<Result<()>>>;
}

/// The chain, as far as a miner or a judge uses it.
pub trait TaskChain: Submit {
    /// See [`TaskSnapshot`].
    type Snapshot: TaskSnapshot;
    /// The best block.
    async fn best(&self) -> Result<Self::Snapshot>;
    /// The last finalised block.
    async fn finalised(&self) -> Result<Self::Snapshot>;
}

/// A worker's role on a chain of type `C`.
pub trait Role<C> {
    /// Time that a call may take to get into a block before its need is considered anew.
    const INCLUSION_TIME: Duration = Duration::from_secs(60);
    /// Looks at the chain, does what can be done at once and starts what takes longer.
    async fn step(&mut self, chain: &C) -> Result<StepReport>;
    /// Waits until something that takes longer is done, and keeps its result. Never returns when
    /// nothing is being done.
    async fn finish_job(&mut self) -> Result<()>;
    /// The reason for which it takes on nothing more, ever. When all is over too, it ends with
    /// this as an error. Without a default: a role that wraps another one has to pass it on.
    fn gave_up(&self) -> Option<String>;
}

/// Result of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepReport {
    /// Calls that were sent.
    pub sent: usize,
    /// Jobs that are running.
    pub jobs: usize,
    /// Tasks taken on that are not over, and rewards not claimed yet.
    pub open: usize,
    /// Tasks this run has had to do with.
    pub handled: u64,
}

/// Remembers refused calls, so that a call the chain keeps refusing is not paid for in every
/// block: it is tried again after 2, 4, 8, … up to 64 steps.
#[derive(Default)]
pub struct CallBackoff {
    step: u64,
    refused: HashMap<Vec<u8>, (u32, u64)>,
}

impl CallBackoff {
    /// Counts a step.
    pub fn next_step(&mut self) {
        self.step += 1;
    }

    /// Sends what has not been refused lately, remembers what is refused now, and tells what became
    /// of each call that was sent.
    pub async fn submit(
        &mut self,
        chain: &impl Submit,
        mut calls: Vec<Call>,
    ) -> Result<Vec<(Call, Outcome)>> {
        calls.retain(|call| {
            let waits = self
                .refused
                .get(&key(call))
                .map(|(_, until)| *until > self.step);
            !waits.unwrap_or(false)
        });
        if calls.is_empty() {
            return Ok(Vec::new());
        }
        let results = chain.submit(&calls).await?;
        let mut outcomes = Vec::new();
        for (call, result) in calls.into_iter().zip(results) {
            let (pallet, name) = call.name();
            let (label, about) = (format!("{pallet}.{name}"), subject(&call));
            let outcome = match result {
                Ok(()) => {
                    match call {
                        // In every window of every replica, for as long as it is kept.
                        Call::RespondAudit { .. } | Call::SubmitGroup { .. } => {
                            tracing::debug!(call = label, about, "done");
                        }
                        _ => tracing::info!(call = label, about, "done"),
                    }
                    self.refused.remove(&key(&call));
                    Outcome::Done
                }
                Err(Error::Refused { name, docs, fee }) => {
                    let entry = self.refused.entry(key(&call)).or_default();
                    entry.0 += 1;
                    entry.1 = self.step + (1 << entry.0.min(6));
                    let error = Error::Refused {
                        name: name.clone(),
                        docs,
                        fee,
                    };
                    tracing::warn!(call = label, about, %error, "refused");
                    Outcome::Refused(name)
                }
                // Decided anew from the chain's state in the next step.
                Err(
                    error @ (Error::Pending(_)
                    | Error::Busy(_)
                    | Error::TimedOut(_)
                    | Error::Unsettled { .. }),
                ) => {
                    tracing::info!(call = label, about, %error, "not in a block yet");
                    Outcome::Waits
                }
                Err(error) => return Err(error),
            };
            outcomes.push((call, outcome));
        }
        Ok(outcomes)
    }
}

/// Outcome of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is in a best block and took effect.
    Done,
    /// The chain refused it, with this error.
    Refused(String),
    /// It is not in a block yet.
    Waits,
}

/// Names a call; answers and votes of one task are told apart by their commitments.
fn key(call: &Call) -> Vec<u8> {
    let (pallet, name) = call.name();
    [
        pallet.as_bytes(),
        b".",
        name.as_bytes(),
        &call.encode_arguments(),
    ]
    .concat()
}

/// Logs a failure that only costs work later: what has a deadline goes on without it.
fn later(done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "not in the journal yet");
    }
}

/// Rewards of the account that wait, and the call that claims them. None unless they are `wanted`.
async fn claims(at: &impl TaskSnapshot, wanted: bool) -> Result<(Vec<ClaimView>, Option<Call>)> {
    let rewards = match wanted {
        true => at.claimable().await?,
        false => Vec::new(),
    };
    let claim = (!rewards.is_empty()).then_some(Call::ClaimAll {});
    Ok((rewards, claim))
}

/// Subject of a call, for the log.
fn subject(call: &Call) -> String {
    match call {
        Call::Join { task }
        | Call::Commit { task, .. }
        | Call::Reveal { task, .. }
        | Call::CommitVote { task, .. }
        | Call::RevealVote { task, .. }
        | Call::RevealControl { task, .. } => task.to_string(),
        Call::AcceptDeal { deal } => deal.to_string(),
        Call::CommitSeal { replica, .. }
        | Call::ChallengeWindow { replica, .. }
        | Call::SettleReplica { replica } => replica.to_string(),
        Call::RespondSeal { answer } => answer.replica.to_string(),
        Call::RespondWindow { answer } => answer.replica.to_string(),
        Call::SubmitGroup { window, group, .. } | Call::Attest { window, group, .. } => {
            format!("group {group} in window {window}")
        }
        _ => String::new(),
    }
}
