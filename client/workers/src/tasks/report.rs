// SPDX-License-Identifier: Apache-2.0

//! News of a worker: what it tells its operator, in the log and to whatever else listens.

use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use serde::{Serialize, Serializer};
use std::sync::Arc;
use tos_sdk::{amount::format, chain::Call};
use tos_types::{json::wei, Balance, TaskId, TaskType, Tick};
use tos_views::ClaimView;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Report {
    /// The worker begins.
    Started {
        /// The account it works for.
        #[serde(serialize_with = "ss58")]
        account: AccountId32,
        /// `miner` or `judge`.
        role: &'static str,
        /// Types the account is registered for.
        types: Vec<TaskType>,
        /// Registration stake on hold, in wei.
        #[serde(with = "wei")]
        stake: Balance,
        /// Tasks the account is in.
        open: u32,
        /// The next thing that has to happen, in words.
        waits_for: String,
    },
    /// A place in a task was taken.
    Joined {
        /// The task.
        task: TaskId,
    },
    /// An answer or a vote is committed to.
    Answered {
        /// The task.
        task: TaskId,
    },
    /// A task closed with a gain.
    Won {
        /// The task.
        task: TaskId,
        /// Gain in wei; paid out by a claim.
        #[serde(with = "wei")]
        earned: Balance,
    },
    /// A task closed without a gain, or with a loss of stake.
    Lost {
        /// The task.
        task: TaskId,
        /// The reason in words.
        why: String,
        /// Stake that was lost, in wei.
        #[serde(with = "wei")]
        lost: Balance,
    },
    /// A judge's stake became smaller.
    Slashed {
        /// Difference in wei.
        #[serde(with = "wei")]
        lost: Balance,
        /// Stake that is left, in wei.
        #[serde(with = "wei")]
        left: Balance,
    },
    /// Rewards were claimed.
    Earned {
        /// The tasks that paid them.
        tasks: Vec<TaskId>,
        /// Their sum in wei.
        #[serde(with = "wei")]
        amount: Balance,
    },
    /// The solver or judge fails by a fault of its own; nothing new is joined until it works.
    SolverBroken {
        /// Failures in a row.
        failures: u32,
        /// The last failure.
        why: String,
        /// Seconds until it is tried again.
        pause: u64,
        /// Beginning of this row of failures, in Unix seconds.
        since: u64,
    },
    /// The solver or judge works again.
    SolverWell {
        /// Failures in a row before.
        failures: u32,
        /// Beginning of that row, in Unix seconds.
        since: u64,
    },
    /// A task cannot be finished before its deadline, or its deadline went by.
    Deadline {
        /// The task.
        task: TaskId,
        /// The last tick to act in, as far as it is known.
        deadline: Option<Tick>,
        /// The reason in words.
        why: String,
    },
    /// A condition the operator should do something about.
    Warning {
        /// A short name of the condition, the same whenever it is met.
        about: String,
        /// The condition in words, and what to do.
        what: String,
    },
}

impl Report {
    /// The name of the variant, as in the JSON form.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::Joined { .. } => "joined",
            Self::Answered { .. } => "answered",
            Self::Won { .. } => "won",
            Self::Lost { .. } => "lost",
            Self::Slashed { .. } => "slashed",
            Self::Earned { .. } => "earned",
            Self::SolverBroken { .. } => "solverBroken",
            Self::SolverWell { .. } => "solverWell",
            Self::Deadline { .. } => "deadline",
            Self::Warning { .. } => "warning",
        }
    }

    /// A text that is the same whenever the same thing is told again, and another one otherwise.
    pub fn id(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Started { account, role, .. } => {
                format!("{kind}:{role}:{}", account.to_ss58check())
            }
            Self::Joined { task }
            | Self::Answered { task }
            | Self::Won { task, .. }
            | Self::Lost { task, .. }
            | Self::Deadline { task, .. } => format!("{kind}:{task}"),
            Self::Slashed { lost, left } => format!("{kind}:{lost}:{left}"),
            Self::Earned { tasks, .. } => {
                let tasks: Vec<_> = tasks.iter().map(ToString::to_string).collect();
                format!("{kind}:{}", tasks.join(","))
            }
            Self::SolverBroken {
                failures, since, ..
            }
            | Self::SolverWell { failures, since } => format!("{kind}:{since}:{failures}"),
            Self::Warning { about, .. } => format!("{kind}:{about}"),
        }
    }
}

/// Writes an account as its address.
fn ss58<S: Serializer>(account: &AccountId32, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&account.to_ss58check())
}

/// Destination of news: always the log, and a listener where there is one.
#[derive(Clone, Default)]
pub struct Reporter(Option<Arc<Listener>>);

type Listener = dyn Fn(&Report) + Send + Sync;

impl Reporter {
    /// A reporter that logs and tells a listener. The listener must not wait.
    pub fn to(listener: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells about a call that took effect; `rewards` are those that waited before.
    pub fn done(&self, call: &Call, rewards: &[ClaimView]) {
        let report = match call {
            Call::Join { task } => Report::Joined { task: *task },
            Call::Commit { task, .. } | Call::CommitVote { task, .. } => {
                Report::Answered { task: *task }
            }
            Call::ClaimAll {} => Report::Earned {
                tasks: rewards.iter().map(|claim| claim.task).collect(),
                amount: rewards
                    .iter()
                    .fold(0, |sum, claim| claim.amount.saturating_add(sum)),
            },
            _ => return,
        };
        self.tell(&report);
    }

    /// Logs a report and passes it on.
    pub fn tell(&self, report: &Report) {
        log(report);
        tracing::debug!(kind = report.kind(), id = report.id(), "told");
        if let Some(listener) = &self.0 {
            listener(report);
        }
    }
}

/// Writes a report to the log.
fn log(report: &Report) {
    match report {
        Report::Started {
            account,
            role,
            types,
            stake,
            open,
            waits_for,
        } => {
            let (account, stake) = (account.to_ss58check(), format(*stake));
            tracing::info!(account, role, ?types, stake, open, waits_for, "started");
        }
        Report::Joined { task } => tracing::info!(%task, "joined"),
        Report::Answered { task } => tracing::info!(%task, "committed"),
        Report::Won { task, earned } => {
            tracing::info!(%task, earned = format(*earned), "won");
        }
        Report::Lost { task, why, lost } => {
            tracing::warn!(%task, why, lost = format(*lost), "not won");
        }
        Report::Slashed { lost, left } => {
            let (lost, left) = (format(*lost), format(*left));
            tracing::warn!(
                lost,
                left,
                "stake was lost: a vote or its reveal was missing, or too far from the panel's; \
                 `tos judge status` says more"
            );
        }
        Report::Earned { tasks, amount } => {
            let tasks = tasks.len();
            tracing::info!(tasks, amount = format(*amount), "rewards claimed");
        }
        Report::SolverBroken {
            failures,
            why,
            pause,
            ..
        } => {
            tracing::error!(
                failures,
                why,
                again_in_s = pause,
                "the program fails; nothing new is taken on until it works"
            );
        }
        Report::SolverWell { failures, .. } => {
            tracing::info!(
                failures,
                "the program works again; tasks are taken on again"
            );
        }
        Report::Deadline {
            task,
            deadline,
            why,
        } => tracing::error!(%task, deadline, why, "cannot go on with this task"),
        Report::Warning { about, what } => tracing::warn!(about, "{what}"),
    }
}
