// SPDX-License-Identifier: Apache-2.0

//! A worker's chain, for real.

use super::{Submit, TaskChain, TaskSnapshot};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::time::Duration;
use tos_sdk::{
    chain::{At, Block, Call, Connection, Endpoint, Hash, Heads, Wait},
    error::Result,
    keys::Signer,
};
use tos_types::{Balance, ContentHash, TaskId, TaskType, Tick};
use tos_views::{AssignmentView, ClaimView, JoinErrorView, TaskSummary, TaskView, MAX_PAGE};

/// Account that a worker works for.
#[derive(Clone)]
pub enum Identity {
    /// The account that this key acts for.
    Key(Box<Signer>),
    /// An account whose key is not here: only calls that carry their own authorisation can be sent.
    Account(AccountId32),
}

impl Identity {
    /// The account.
    pub fn account(&self) -> AccountId32 {
        match self {
            Self::Key(signer) => signer.account(),
            Self::Account(account) => account.clone(),
        }
    }
}

impl From<&Signer> for Identity {
    fn from(signer: &Signer) -> Self {
        Self::Key(Box::new(signer.clone()))
    }
}

/// A connection, used for one account.
pub struct Live {
    /// The connection.
    pub connection: Connection,
    identity: Identity,
    inclusion_time: Duration,
}

/// The chain at one block, for one account.
pub struct LiveSnapshot {
    at: At,
    who: AccountId32,
}

impl Live {
    /// Connects to a node. Calls may take `inclusion_time` to get into a block.
    pub async fn open(
        endpoint: &Endpoint,
        identity: Identity,
        inclusion_time: Duration,
    ) -> Result<Self> {
        Ok(Self {
            connection: Connection::open_at(endpoint).await?,
            identity,
            inclusion_time,
        })
    }

    /// The account.
    pub fn account(&self) -> AccountId32 {
        self.identity.account()
    }
}

impl Heads for Live {
    fn genesis(&self) -> Hash {
        self.connection.genesis()
    }

    async fn finalised_block(&self) -> Result<Block> {
        self.connection.finalised_block().await
    }

    async fn best_number(&self) -> Result<u64> {
        self.connection.best_number().await
    }

    async fn hash_at(&self, number: u64) -> Result<Option<Hash>> {
        self.connection.hash_at(number).await
    }
}

impl Submit for Live {
    async fn submit(&self, calls: &[Call]) -> Result<Vec<Result<()>>> {
        let (connection, time) = (&self.connection, self.inclusion_time);
        let results = match &self.identity {
            Identity::Key(signer) => connection.submit_all(signer, calls, Wait::Best, time).await,
            Identity::Account(_) => connection.submit_authorised(calls, Wait::Best, time).await,
        }?;
        Ok(results
            .into_iter()
            .map(|result| result.map(|_| ()))
            .collect())
    }
}

impl TaskChain for Live {
    type Snapshot = LiveSnapshot;

    async fn best(&self) -> Result<LiveSnapshot> {
        Ok(LiveSnapshot {
            at: self.connection.best().await?,
            who: self.account(),
        })
    }

    async fn finalised(&self) -> Result<LiveSnapshot> {
        Ok(LiveSnapshot {
            at: self.connection.finalised().await?,
            who: self.account(),
        })
    }
}

impl TaskSnapshot for LiveSnapshot {
    fn number(&self) -> u64 {
        self.at.number()
    }

    async fn time(&self) -> Result<(Tick, Tick)> {
        let chain = self.at.chain().await?;
        Ok((chain.tick, chain.phase_lengths.day))
    }

    async fn assignments(&self) -> Result<Vec<AssignmentView>> {
        self.at.assignments(self.who.clone()).await
    }

    async fn open_tasks(
        &self,
        task_type: Option<TaskType>,
    ) -> Result<Vec<TaskSummary<AccountId32>>> {
        let mut all: Vec<TaskSummary<AccountId32>> = Vec::new();
        loop {
            let after = all.last().map(|task| task.id);
            let page = self.at.open_tasks(task_type, after, MAX_PAGE).await?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    async fn can_submit(&self, task: TaskId) -> Result<Result<(), JoinErrorView>> {
        self.at.can_submit(self.who.clone(), task).await
    }

    async fn task(&self, task: TaskId) -> Result<Option<TaskView<AccountId32>>> {
        self.at.task(task).await
    }

    async fn tool(&self, task: TaskId) -> Result<Option<ContentHash>> {
        let duties = self.at.duties(self.who.clone()).await?;
        let duty = duties.into_iter().find(|duty| duty.task == task);
        Ok(duty.and_then(|duty| duty.tool))
    }

    async fn stake(&self) -> Result<Option<Balance>> {
        let judge = self.at.judge(self.who.clone()).await?;
        Ok(judge.map(|judge| judge.stake))
    }

    async fn claimable(&self) -> Result<Vec<ClaimView>> {
        self.at.claimable(self.who.clone()).await
    }
}
