// SPDX-License-Identifier: Apache-2.0

//! Reputation of accounts.

use tos_formulas::reputation::Performance;
use tos_types::{offence::Severity, Bp, TaskType};

/// Reputation of accounts: the worth of their past work.
pub trait Reputation<AccountId> {
    /// Reputation over all types, with idle decay applied.
    fn global(who: &AccountId) -> Bp;
    /// Reputation in one type, with idle decay applied.
    fn domain(who: &AccountId, task_type: TaskType) -> Bp;
    /// Settled tasks and votes `who` has earned its standing with.
    fn settled(who: &AccountId) -> u32;
    /// Applies the formula to the outcome of one settled task.
    fn record(who: &AccountId, task_type: TaskType, performance: &Performance);
    /// Takes the fixed loss for a proven offence and suspends where the severity says so.
    fn penalise(who: &AccountId, task_type: TaskType, severity: Severity);
    /// Sets both reputations and the settled count. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &AccountId, task_type: TaskType, score: Bp, settled: u32);
}
