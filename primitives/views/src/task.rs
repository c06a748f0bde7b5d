// SPDX-License-Identifier: Apache-2.0

//! Tasks, as the runtime API shows them.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{
    commitment::Commitment,
    json::{self, wei},
    rules::{DifficultyTerms, TaskRules},
    task::TaskParams,
    vote::AnswerResult,
    Balance, ContentRef, Difficulty, Phase, TaskId, TaskType, Tick,
};

/// A task in a list.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskSummary<AccountId> {
    /// Its identifier.
    pub id: TaskId,
    /// The publisher.
    pub publisher: AccountId,
    /// Its type.
    pub task_type: TaskType,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// The reward, in wei.
    #[serde(with = "wei")]
    pub reward: Balance,
    /// Lowest quality that can win.
    pub min_quality: u8,
    /// Places for miners.
    pub max_participants: u32,
    /// Places taken.
    pub joined: u32,
    /// Answers committed.
    pub committed: u32,
    /// Answers revealed.
    pub revealed: u32,
    /// The phase that it is in.
    pub phase: Phase,
    /// The current or last round of voting, from 0.
    pub round: u32,
    /// The tick in which it was published.
    pub opened: Tick,
    /// The last tick to join and commit in.
    pub open_until: Tick,
    /// The last tick of the current phase; of the retention once closed.
    pub deadline: Tick,
}

/// One miner's part in a task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionView<AccountId> {
    /// Its identifier, in the shape of a UUID.
    #[serde(with = "uuid")]
    pub id: [u8; 16],
    /// The miner.
    pub miner: AccountId,
    /// The stake put down for it, in wei.
    #[serde(with = "wei")]
    pub stake: Balance,
    /// The commitment, once made.
    pub commitment: Option<CommitmentView>,
    /// The answer, once revealed.
    pub content: Option<ContentRef>,
    /// The SimHash the miner states for its answer.
    #[serde(with = "digits")]
    pub simhash: Option<u64>,
    /// `true` if it is too close to an earlier one. Known once a panel is being drawn.
    pub duplicate: bool,
    /// The result that the panel gave it. Known once the task is settled.
    pub result: Option<AnswerResult>,
    /// The earnings of the answer, in wei. Known once the task is settled.
    #[serde(with = "wei")]
    pub earned: Balance,
    /// The part of the stake that was lost, in wei. Known once the task is closed.
    #[serde(with = "wei")]
    pub lost: Balance,
}

/// A miner's commitment: its hash, tick and number.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitmentView {
    /// The commitment.
    #[serde(with = "json::hash")]
    pub hash: Commitment,
    /// The tick in which it was made.
    pub tick: Tick,
    /// Its number among the task's commitments, from 0.
    pub number: u32,
}

/// A challenge of a result.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeView<AccountId> {
    /// The challenger.
    pub challenger: AccountId,
    /// The bond, in wei.
    #[serde(with = "wei")]
    pub bond: Balance,
    /// `true` if it moved the result; `None` until its round is over.
    pub upheld: Option<bool>,
}

/// Everything the chain knows of a task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskView<AccountId> {
    /// The part of it that a list shows.
    pub summary: TaskSummary<AccountId>,
    /// Its parameters.
    pub params: TaskParams,
    /// The content that is asked for: the specification.
    pub spec: ContentRef,
    /// The publisher's stake, in wei.
    #[serde(with = "wei")]
    pub publisher_stake: Balance,
    /// The miners' parts, in the order they joined.
    pub submissions: Vec<SubmissionView<AccountId>>,
    /// The miners whose answers are judged, in the order in which votes score them. Empty until a
    /// panel is being drawn.
    pub answers: Vec<AccountId>,
    /// The challenge, if there was one.
    pub challenge: Option<ChallengeView<AccountId>>,
    // New fields come last, where readers of an earlier version overlook them.
    /// The terms of its difficulty when it was published.
    pub terms: DifficultyTerms,
    /// The rules it was published with.
    pub rules: TaskRules,
    /// The number of the rule set that the task keeps from its publication on: terms, rules, split and
    /// winners are those of this set.
    pub rule_set: u32,
    /// The shares of the reward that each class gets.
    pub split: SplitProfile,
    /// The number of winners.
    pub winners: WinnerRule,
}

/// A step in a task's life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// The phase that began.
    pub phase: Phase,
    /// The round of voting it belongs to.
    pub round: u32,
    /// The tick it began in.
    pub tick: Tick,
    /// The block it began in.
    pub block: u32,
}

/// A change of a task in one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskChange {
    /// The task.
    pub task: TaskId,
    /// The phase that began.
    pub phase: Phase,
    /// The round of voting it belongs to.
    pub round: u32,
    /// The last tick of that phase; of the retention once closed.
    pub deadline: Tick,
}

/// Identifiers as UUIDs.
mod uuid {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use tos_types::TaskId;

    pub fn serialize<S: Serializer>(id: &[u8; 16], to: S) -> Result<S::Ok, S::Error> {
        TaskId(*id).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 16], D::Error> {
        TaskId::deserialize(from).map(|id| id.0)
    }
}

/// Numbers beyond 2⁵³ as decimal text, like amounts.
mod digits {
    use alloc::string::{String, ToString};
    use serde::{de::Error as _, Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(number: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        number.map(|n| n.to_string()).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        Option::<String>::deserialize(from)?
            .map(|text| {
                text.parse()
                    .map_err(|_| D::Error::custom("expected decimal digits"))
            })
            .transpose()
    }
}
