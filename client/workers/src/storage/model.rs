// SPDX-License-Identifier: Apache-2.0

//! The chain at one block, as far as storage workers read it.

use crate::tasks::Submit;
use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_sdk::error::Result;
use tos_types::{storage::GroupId, DealId, ReplicaId};
use tos_views::{
    AuditView, CommitteeDutyView, DealView, GroupView, ProviderView, ReplicaChallengeView,
    ReplicaView, WindowView,
};

/// The chain, as far as storage workers use it.
pub trait StorageChain: Submit {
    /// See [`StorageSnapshot`].
    type Snapshot: StorageSnapshot;
    /// The best block.
    async fn best(&self) -> Result<Self::Snapshot>;
    /// The last finalised block.
    async fn finalised(&self) -> Result<Self::Snapshot>;
}

/// The chain at one block, for one account.
pub trait StorageSnapshot {
    /// The number of the block.
    fn number(&self) -> u64;
    /// The account as a provider.
    async fn provider(&self) -> Result<Option<ProviderView>>;
    /// All replicas of the account that are on record.
    async fn replicas(&self) -> Result<Vec<ReplicaView<AccountId32>>>;
    /// A replica.
    async fn replica(&self, id: ReplicaId) -> Result<Option<ReplicaView<AccountId32>>>;
    /// A deal.
    async fn deal(&self, id: DealId) -> Result<Option<DealView<AccountId32>>>;
    /// Audits the account has to answer.
    async fn audits(&self) -> Result<Vec<AuditView>>;
    /// Challenges the account has to answer.
    async fn challenges(&self) -> Result<Vec<ReplicaChallengeView<AccountId32>>>;
    /// The current window.
    async fn window(&self) -> Result<WindowView>;
    /// A group.
    async fn group(&self, group: GroupId) -> Result<Option<GroupView<AccountId32>>>;
    /// Deals that wait for a provider.
    async fn offers(&self) -> Result<Vec<DealView<AccountId32>>>;
    /// Groups that the account has to check as a member of committees.
    async fn duties(&self) -> Result<Vec<CommitteeDutyView<AccountId32>>>;
}
