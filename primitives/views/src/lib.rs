// SPDX-License-Identifier: Apache-2.0

//! The answers of the runtime API: the shapes that clients, the node and explorers read.
//!
//! Amounts are `u128` wei in SCALE and decimal text in JSON, because JSON readers lose digits
//! beyond 2⁵³; annotate them with `#[serde(with = "tos_types::json::wei")]`.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{
    join_error::JoinError,
    json::wei,
    task::{Certification, Level, TaskType},
    time::PhaseLengths,
    Balance, Bp, TaskId, Tick,
};

mod beacon;
mod judges;
mod parameters;
mod roster;
mod storage;
mod task;

pub use beacon::*;
pub use judges::*;
pub use parameters::*;
pub use roster::*;
pub use storage::*;
pub use task::*;

/// The most items one answer of the runtime API holds, no matter how many the caller asks for.
pub const MAX_PAGE: u32 = 100;

/// A reward that waits to be claimed.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimView {
    /// The task that was settled.
    pub task: TaskId,
    /// The amount that may be claimed, in wei.
    #[serde(with = "wei")]
    pub amount: Balance,
    /// The last tick before the chain pays it to its owner by itself.
    pub expires: Tick,
}

/// The role in which an account has something to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It joined the task.
    #[codec(index = 0)]
    Miner,
    /// It sits on the task's panel.
    #[codec(index = 1)]
    Judge,
}

/// An action that an account should take now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// Work out an answer and commit to it.
    #[codec(index = 0)]
    CommitAnswer,
    /// Reveal the committed answer.
    #[codec(index = 1)]
    RevealAnswer,
    /// Judge the answers and commit to the scores.
    #[codec(index = 2)]
    CommitVote {
        /// The round of voting.
        round: u32,
    },
    /// Reveal the committed scores.
    #[codec(index = 3)]
    RevealVote {
        /// The round of voting.
        round: u32,
    },
}

/// A thing an account should do now, or lose stake.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignmentView {
    /// The task.
    pub task: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// The account's role in it.
    pub role: Role,
    /// The action to take.
    pub action: Action,
    /// The last tick to do it in.
    pub deadline: Tick,
}

/// The reason for which an account may not submit to a task, and when to ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinErrorView {
    /// The reason.
    pub reason: JoinError,
    /// The first tick in which the reason no longer holds; `None` when waiting alone does not help.
    pub retry_at: Option<Tick>,
}

/// The protocol as a whole.
#[derive(
    Clone,
    PartialEq,
    Eq,
    Debug,
    Default,
    Encode,
    Decode,
    TypeInfo,
    Serialize,
    Deserialize
)]
#[serde(rename_all = "camelCase")]
pub struct ChainView {
    /// The current tick.
    pub tick: Tick,
    /// The current day, the unit of reputation decay.
    pub day: u32,
    /// The lengths of the protocol's phases.
    pub phase_lengths: PhaseLengths,
    /// Tasks on chain, closed ones that are not pruned yet included.
    pub tasks: u32,
    /// Tasks that take answers now.
    pub open_tasks: u32,
    /// Registered miners.
    pub miners: u32,
    /// Registered judges.
    pub judges: u32,
}

/// The activity of a miner: how lately it has worked. Computed when asked for, from the last active
/// day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Activity {
    /// Within the last 7 days.
    #[codec(index = 0)]
    Active,
    /// More than 7 days ago: reputation decays.
    #[codec(index = 1)]
    Idle,
    /// More than 30 days ago.
    #[codec(index = 2)]
    Inactive,
    /// More than 90 days ago: no work until the miner reactivates itself.
    #[codec(index = 3)]
    Dormant,
}

impl Activity {
    /// The stage after `idle_days` days without work.
    pub const fn after(idle_days: u32) -> Self {
        match idle_days {
            0..=7 => Self::Active,
            8..=30 => Self::Idle,
            31..=90 => Self::Inactive,
            _ => Self::Dormant,
        }
    }
}

/// A registered miner.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MinerView {
    /// The types it works on, in order.
    pub specialisations: Vec<TaskType>,
    /// Its registration stake, in wei.
    #[serde(with = "wei")]
    pub stake: Balance,
    /// Tasks it is in now.
    pub open_tasks: u32,
    /// Tasks it delivered a valid answer to.
    pub completed: u32,
    /// Tasks it failed.
    pub failed: u32,
    /// The tick in which it registered.
    pub registered: Tick,
    /// Days since it last worked.
    pub idle_days: u32,
    /// The activity that these days amount to.
    pub activity: Activity,
    /// The first tick in which it can withdraw its stake; `None` while it is not leaving.
    pub withdrawable_at: Option<Tick>,
    /// The first tick after its suspension; `None` while it is not suspended.
    pub suspended_until: Option<Tick>,
    /// Its certification, `Unverified` once expired.
    pub certification: Certification,
    /// The last tick its certification is good for; `None` when it has none.
    pub certified_until: Option<Tick>,
    /// Its level.
    pub level: Level,
    /// Share of its last tasks, up to 100, with a valid answer.
    pub success: Bp,
    /// Endorsements it holds, whether or not they count now.
    pub endorsements: u32,
    /// The day on which its probation for the next level is over; `None` without one.
    pub probation_until: Option<u32>,
    /// The day on which it loses its level unless it recovers; `None` while it is not in danger.
    pub grace_until: Option<u32>,
}

/// One record of reputation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StandingView {
    /// The reputation now, idle decay applied, in points: 0 to 10,000.
    pub score: Bp,
    /// The reputation when it last changed, before any decay, in points.
    pub earned: Bp,
    /// Points that can still be gained today.
    pub gain_left: Bp,
    /// Settled tasks and votes it counts.
    pub settled: u32,
}

/// Reputation of accounts: the worth of their past work.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReputationView {
    /// Over all types.
    pub global: StandingView,
    /// By type, where there is a record, in the order of types.
    pub domains: Vec<(TaskType, StandingView)>,
}
