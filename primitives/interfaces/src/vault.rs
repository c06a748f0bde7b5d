// SPDX-License-Identifier: Apache-2.0

//! Escrow of rewards.

use alloc::vec::Vec;
use polkadot_sdk::sp_runtime::{DispatchError, DispatchResult};
use tos_formulas::split::{Allocation, JudgedAnswer, QualityBars, SplitProfile, WinnerRule};
use tos_types::{Balance, Bp, Difficulty, TaskId, TaskType};

/// Settlement of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement<AccountId> {
    /// The task.
    pub task: TaskId,
    /// The shares of the escrow that each class gets, by the rules of the task.
    pub split: SplitProfile,
    /// The number of winners, by the same rules.
    pub winners: WinnerRule,
    /// The qualities an answer needs to win and to take part.
    pub bars: QualityBars,
    /// The judged answers, in order of commitment.
    pub answers: Vec<(AccountId, JudgedAnswer)>,
    /// Accuracy points of the judges.
    pub judges: Vec<(AccountId, Bp)>,
}

/// The escrow vault and payer of rewards. A task's reward lies in it from publication until it is
/// refunded or settled; what goes in comes out, to the wei.
pub trait Vault<AccountId> {
    /// The shares of each class and the number of winners for tasks of this type and difficulty that
    /// are published now. A task keeps them until it is settled.
    fn division(task_type: TaskType, difficulty: Difficulty) -> (SplitProfile, WinnerRule);
    /// Holds `reward` of the publisher's balance for the task.
    fn deposit(task: &TaskId, publisher: &AccountId, reward: Balance) -> DispatchResult;
    /// Gives all of the task's escrow back to the publisher, less `fee` to the treasury.
    fn refund(task: &TaskId, fee: Balance) -> DispatchResult;
    /// Splits the escrow, books every share as claimable (or pays it at once where the
    /// beneficiary wants that) and tells who won what.
    fn settle(settlement: &Settlement<AccountId>) -> Result<Allocation, DispatchError>;
    /// Amount in escrow for the task, in wei.
    fn escrowed(task: &TaskId) -> Balance;
}
