// SPDX-License-Identifier: Apache-2.0

//! The storage workers' chain, for real.

use super::model::{StorageChain, StorageSnapshot};
use crate::tasks::Live;
use polkadot_sdk::sp_core::crypto::AccountId32;
use tos_sdk::{chain::At, error::Result};
use tos_types::{storage::GroupId, DealId, ReplicaId};
use tos_views::{
    AuditView, CommitteeDutyView, DealView, GroupView, ProviderView, ReplicaChallengeView,
    ReplicaView, WindowView, MAX_PAGE,
};

/// The chain at one block, for one account.
pub struct LiveStorage {
    at: At,
    who: AccountId32,
}

impl StorageChain for Live {
    type Snapshot = LiveStorage;

    async fn best(&self) -> Result<LiveStorage> {
        let (at, who) = (self.connection.best().await?, self.account());
        Ok(LiveStorage { at, who })
    }

    async fn finalised(&self) -> Result<LiveStorage> {
        let (at, who) = (self.connection.finalised().await?, self.account());
        Ok(LiveStorage { at, who })
    }
}

/// All deals, page by page; only the open ones if that is wanted.
pub async fn all_deals(at: &At, open_only: bool) -> Result<Vec<DealView<AccountId32>>> {
    let mut all: Vec<DealView<AccountId32>> = Vec::new();
    loop {
        let after = all.last().map(|deal| deal.id);
        let page = at.deals(after, MAX_PAGE, open_only).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// All replicas of a provider, page by page.
pub async fn all_replicas(at: &At, who: &AccountId32) -> Result<Vec<ReplicaView<AccountId32>>> {
    let mut all: Vec<ReplicaView<AccountId32>> = Vec::new();
    loop {
        let after = all.last().map(|replica| replica.id);
        let page = at.replicas_of(who.clone(), after, MAX_PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

impl StorageSnapshot for LiveStorage {
    fn number(&self) -> u64 {
        self.at.number()
    }

    async fn provider(&self) -> Result<Option<ProviderView>> {
        self.at.provider(self.who.clone()).await
    }

    async fn replicas(&self) -> Result<Vec<ReplicaView<AccountId32>>> {
        all_replicas(&self.at, &self.who).await
    }

    async fn replica(&self, id: ReplicaId) -> Result<Option<ReplicaView<AccountId32>>> {
        self.at.replica(id).await
    }

    async fn deal(&self, id: DealId) -> Result<Option<DealView<AccountId32>>> {
        self.at.deal(id).await
    }

    async fn audits(&self) -> Result<Vec<AuditView>> {
        self.at.open_audits(self.who.clone()).await
    }

    async fn challenges(&self) -> Result<Vec<ReplicaChallengeView<AccountId32>>> {
        self.at.challenges(self.who.clone()).await
    }

    async fn window(&self) -> Result<WindowView> {
        self.at.window().await
    }

    async fn group(&self, group: GroupId) -> Result<Option<GroupView<AccountId32>>> {
        self.at.group(group).await
    }

    async fn offers(&self) -> Result<Vec<DealView<AccountId32>>> {
        all_deals(&self.at, true).await
    }

    async fn duties(&self) -> Result<Vec<CommitteeDutyView<AccountId32>>> {
        self.at.committee_duties(self.who.clone()).await
    }
}
