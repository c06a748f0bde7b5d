// SPDX-License-Identifier: Apache-2.0

//! Miners and their standing.

use polkadot_sdk::sp_runtime::DispatchResult;
use tos_types::{join_error::JoinError, task::Certification, TaskType, Tick};

/// Register of miners, with their standing.
pub trait MinerRegistry<AccountId> {
    /// Permission of `who` to take on a task of this type now.
    fn may_work(who: &AccountId, task_type: TaskType) -> Result<(), JoinError>;
    /// Returns `true` if `who` is suspended now. Holds for every account, miner or not.
    fn is_suspended(who: &AccountId) -> bool;
    /// The tick at which the suspension of `who` ends, if there is one now.
    fn suspended_until(who: &AccountId) -> Option<Tick>;
    /// The certification of `who`, `Unverified` when it has none or it has expired.
    fn certification(who: &AccountId) -> Certification;
    /// Stake per answer, in per cent of the difficulty's: the lower one of what the certification
    /// and the level of `who` ask for.
    fn stake_percent(who: &AccountId) -> u128;
    /// Weight of a vote of `who`, in tenths of that of a miner of the lowest level, or of no miner.
    fn vote_tenths(who: &AccountId) -> u64;
    /// Returns `true` if `who` must keep away from a task that was published in tick `since` and in
    /// which `parties` have a stake: because it is one of them, or because `who`, or the owner that
    /// `who` had named, had said so before that tick. Nothing that a party or any other account does
    /// can make it true, or a party with a stake could choose its judges; and nothing that `who` does
    /// after the publication changes it. Costs two reads, for any number of parties.
    fn recuses(who: &AccountId, parties: &[AccountId], since: Tick) -> bool;
    /// Returns `true` if `who` is certified to judge: it may take the seats that are for certified judges only.
    fn judges_certified(who: &AccountId) -> bool {
        Self::certification(who) >= Certification::Professional
    }
    /// `who` takes on a task. Fails when it may not (see `may_work`).
    fn start_task(who: &AccountId, task_type: TaskType) -> DispatchResult;
    /// `who` is done with a task; `completed` tells whether it delivered a valid answer.
    fn finish_task(who: &AccountId, completed: bool);
    /// Excludes `who` from all work for `duration` ticks.
    fn suspend(who: &AccountId, duration: Tick);
    /// Makes `who` a registered miner of `task_type` able to join a task. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(who: &AccountId, task_type: TaskType);
    /// Gives `who` a certification. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(who: &AccountId, level: Certification);
    /// Lets `who` name an owner, and both declare as much as they may. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(who: &AccountId);
}
