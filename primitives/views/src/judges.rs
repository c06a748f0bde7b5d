// SPDX-License-Identifier: Apache-2.0

//! Judges, their duties and the rounds of voting, as clients read them.

use super::{wei, Action};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{
    vote::Tally, AnswerScore, Balance, Bp, ContentHash, Report, TaskId, TaskType, Tick,
};

/// Availability of a judge for draws.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum JudgeStatus {
    /// It can be drawn.
    #[codec(index = 0)]
    Active,
    /// Slashes took its stake below what its types ask for; not drawn until it tops up.
    #[codec(index = 1)]
    Understaked,
    /// It is on its way out and not drawn any more.
    #[codec(index = 2)]
    Leaving {
        /// The first tick in which it can withdraw.
        release_at: Tick,
    },
}

/// A registered judge.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JudgeView {
    /// The stake on hold, in wei.
    #[serde(with = "wei")]
    pub stake: Balance,
    /// The stake that its types ask for, in wei.
    #[serde(with = "wei")]
    pub required: Balance,
    /// The task types it judges.
    pub types: Vec<TaskType>,
    /// Its running accuracy.
    pub accuracy: Bp,
    /// Its running accuracy on answers whose quality was known beforehand.
    pub known: Bp,
    /// Tasks with such answers it has voted in.
    pub checks: u32,
    /// Tasks with a seat that are not concluded.
    pub panels: u32,
    /// The status, which says if it can be drawn.
    pub status: JudgeStatus,
    /// The first tick after its suspension; `None` while it is not suspended.
    pub suspended_until: Option<Tick>,
}

/// A task in which a judge has a seat.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DutyView {
    /// The task.
    pub task: TaskId,
    /// Its current round; the seat may be in an earlier one.
    pub round: u32,
    /// Number of answers a vote scores.
    pub answers: u32,
    /// Action due from the judge, which loses stake without it; `None` when it can only wait.
    pub action: Option<Action>,
    /// The last tick of the task's current phase.
    pub deadline: Option<Tick>,
    /// The tool to run, by the BLAKE3 hash of its file, where the seat is an automatic one.
    #[serde(with = "tos_types::json::optional_hash")]
    pub tool: Option<ContentHash>,
}

/// A seat in a panel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberView<AccountId> {
    /// The judge that sits in it.
    pub who: AccountId,
    /// The weight of its vote.
    pub weight: u64,
    /// `true` if it runs the task's pinned tool and reports what that found.
    pub automatic: bool,
    /// `true` if it committed to a vote.
    pub committed: bool,
    /// Its vote, once revealed: a score per answer, in the order of commitment.
    pub vote: Option<Vec<AnswerScore>>,
    /// The finding of its tool, once revealed.
    pub report: Option<Report>,
}

/// One round of voting on a task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundView<AccountId> {
    /// The panel.
    pub members: Vec<MemberView<AccountId>>,
    /// Number of answers.
    pub answers: u32,
    /// `true` if the panel consists of experts.
    pub expert: bool,
    /// The outcome of the count; `None` before it.
    pub tally: Option<Tally>,
    /// The report on which automatic members agree; `None` before the count and without one.
    pub report: Option<Report>,
}

/// Number of answers that were checks of the judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct CheckStats {
    /// Answers that panels have judged, in concluded tasks.
    pub answers: u64,
    /// Those among them whose quality was known.
    pub checks: u64,
}
