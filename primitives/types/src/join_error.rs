// SPDX-License-Identifier: Apache-2.0

//! Reasons for which an account may not join a task.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The reasons for which an account may not act now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum JoinError {
    /// Not a registered miner.
    #[codec(index = 0)]
    NotRegistered,
    /// Registered, but leaving.
    #[codec(index = 1)]
    Leaving,
    /// Suspended until the retry tick.
    #[codec(index = 2)]
    Suspended,
    /// Idle for more than 90 days: reactivate first.
    #[codec(index = 3)]
    Dormant,
    /// Already in as many tasks as allowed.
    #[codec(index = 4)]
    TooManyTasks,
    /// The task's type is not among the miner's specialisations.
    #[codec(index = 5)]
    NotSpecialised,
    /// Reputation below the difficulty's gate.
    #[codec(index = 6)]
    ReputationTooLow,
    /// Not enough free balance for the answer stake.
    #[codec(index = 7)]
    StakeUnaffordable,
    /// No such task.
    #[codec(index = 8)]
    UnknownTask,
    /// The task takes no more answers.
    #[codec(index = 9)]
    TaskClosed,
    /// All places are taken.
    #[codec(index = 10)]
    TaskFull,
    /// The account published the task, or has to keep away from who did.
    #[codec(index = 11)]
    OwnTask,
    /// Already joined.
    #[codec(index = 12)]
    AlreadyJoined,
}
