// SPDX-License-Identifier: Apache-2.0

//! What the node and clients ask of the runtime.
//!
//! Every function reads the state of one block and answers with the shapes of
//! [`tos_views`]. A list holds at most [`MAX_PAGE`] items; its last item's identifier,
//! given as `after`, continues it, and an empty answer ends it.
//!
//! The trait is versioned. A new function gets `#[api_version(N + 1)]`; one whose meaning changes
//! keeps its old form under `#[changed_in(N + 1)]`, so that nodes can serve both runtimes while an
//! upgrade is on its way.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use alloc::vec::Vec;
use codec::Codec;
use polkadot_sdk::*;
use tos_types::{TaskId, TaskType};
use tos_views::{
    AssignmentView, ChainView, ClaimView, DutyView, MinerView, ParametersView, RefusalView,
    ReputationView, RoundView, TaskChange, TaskSummary, TaskView, TimelineEntry, ValidatorView,
};

mod beacon;
mod storage;

pub use beacon::*;
pub use storage::*;
pub use tos_views::MAX_PAGE;

sp_api::decl_runtime_apis! {
    /// Tasks, their workers and what they earn.
    #[api_version(3)]
    pub trait TosApi<AccountId>
    where
        AccountId: Codec,
    {
        /// Tasks that take answers now, of one type or of all, in the order of their identifiers,
        /// beginning behind `after`.
        fn open_tasks(
            task_type: Option<TaskType>,
            after: Option<TaskId>,
            limit: u32,
        ) -> Vec<TaskSummary<AccountId>>;

        /// All tasks on chain, closed ones that are not pruned yet included, in the order of their
        /// identifiers, beginning behind `after`.
        fn tasks(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<AccountId>>;

        /// Everything the chain knows of one task. `None` when it never was or is pruned.
        fn task(id: TaskId) -> Option<TaskView<AccountId>>;

        /// The phases one task has been through, oldest first.
        fn timeline(id: TaskId) -> Vec<TimelineEntry>;

        /// The phases that began in the block itself, in the order in which they did: what a
        /// subscriber is told of it.
        fn task_changes() -> Vec<TaskChange>;

        /// One round of voting on a task: the panel, and the votes as far as they are revealed.
        fn round(id: TaskId, number: u32) -> Option<RoundView<AccountId>>;

        /// Whether an account may take on a task, and else why not and when to ask again. Costs
        /// nothing, so ask before paying for a transaction.
        fn can_submit(who: AccountId, task: TaskId) -> Result<(), RefusalView>;

        /// What an account should do now, as a miner and as a validator, by deadline.
        fn assignments(who: AccountId) -> Vec<AssignmentView>;

        /// The tasks on which a validator has a seat, whether or not there is something to do now.
        fn duties(who: AccountId) -> Vec<DutyView>;

        /// The rewards that wait for an account; as many as one `claim_all` pays.
        fn claimable(who: AccountId) -> Vec<ClaimView>;

        /// A registered miner.
        fn miner(who: AccountId) -> Option<MinerView>;

        /// A registered validator.
        fn validator(who: AccountId) -> Option<ValidatorView>;

        /// What an account's work has been worth, idle decay applied. Everybody has a reputation:
        /// an account without a record has the one that all start with.
        fn reputation(who: AccountId) -> ReputationView;

        /// Protocol time, the windows and how many there are of everything.
        fn chain() -> ChainView;

        /// What governance can change, as it is now. A task keeps the rules it was published with.
        fn parameters() -> ParametersView;

        /// The task of a publisher that carries this reference: what became of a `publish` whose
        /// outcome is not known. `None` when there never was one or it is pruned.
        #[api_version(3)]
        fn task_by_reference(publisher: AccountId, reference: [u8; 32]) -> Option<TaskId>;
    }
}

#[cfg(test)]
mod tests;
