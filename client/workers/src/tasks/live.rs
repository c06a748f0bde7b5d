// SPDX-License-Identifier: Apache-2.0

//! A worker's chain, for real.

use super::{tips::Tips, Submit, TaskChain, TaskSnapshot};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tos_sdk::{
    chain::{At, Block, Call, Connection, Endpoint, Hash, Heads, Included, Wait},
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
    tips: Mutex<Tips>,
}

/// The chain at one block, for one account.
pub struct LiveSnapshot {
    at: At,
    who: AccountId32,
}

impl Live {
    /// Connects to a node. Calls may take `inclusion_time` to get into a block; those that have a deadline
    /// offer more each time that they did not, up to `max_tip`, in wei.
    pub async fn open(
        endpoint: &Endpoint,
        identity: Identity,
        inclusion_time: Duration,
        max_tip: Balance,
    ) -> Result<Self> {
        Ok(Self {
            connection: Connection::open_at(endpoint).await?,
            identity,
            inclusion_time,
            tips: Mutex::new(Tips::up_to(max_tip)),
        })
    }

    /// Sends calls in the name of a key's account, with the tips that they need.
    async fn submit_signed(
        &self,
        signer: &Signer,
        calls: &[Call],
    ) -> Result<Vec<Result<Included>>> {
        let lock = || self.tips.lock().unwrap_or_else(PoisonError::into_inner);
        let tips = lock().of(calls, signer.tip);
        let time = self.inclusion_time;
        let results = self
            .connection
            .submit_all_offering(signer, calls, &tips, Wait::Best, time)
            .await?;
        lock().learn(calls, &results);
        Ok(results)
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
            Identity::Key(signer) => self.submit_signed(signer, calls).await,
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

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::node::{signer, FakeNode, Reaction};
    use tos_types::{ContentRef, TOS};

    const FULL: Reaction = Reaction::Refuse(1016, "Immediately Dropped", "the pool is full");

    async fn live(node: &FakeNode) -> Live {
        Live {
            connection: node.connect().await,
            identity: Identity::from(&signer()),
            inclusion_time: Duration::from_secs(120),
            tips: Mutex::new(Tips::up_to(TOS / 20)),
        }
    }

    fn tips(node: &FakeNode) -> Vec<Balance> {
        node.lock().submitted.iter().map(|sent| sent.tip).collect()
    }

    #[tokio::test]
    async fn a_reveal_that_gets_into_no_block_offers_more_each_time_up_to_the_most() {
        let node = FakeNode::new();
        let live = live(&node).await;
        let reveal = Call::Reveal {
            task: TaskId([1; 16]),
            content: ContentRef::inline(b"an honest answer").unwrap(),
            simhash: 0,
            salt: [0; 32],
        };
        node.lock().reactions.extend([FULL; 4]);
        let calls = [reveal];
        for attempt in 0..4 {
            let results = live.submit(&calls).await.unwrap();
            assert!(results[0].is_err(), "{attempt}");
        }
        live.submit(&calls).await.unwrap().remove(0).unwrap();
        let cent = TOS / 100;
        assert_eq!(tips(&node), [0, cent, 2 * cent, 4 * cent, 5 * cent]);
        // It was in a block; what comes after it begins anew.
        live.submit(&calls).await.unwrap().remove(0).unwrap();
        assert_eq!(tips(&node).last(), Some(&0));
    }

    #[tokio::test]
    async fn a_call_without_a_deadline_offers_no_more_than_before() {
        let node = FakeNode::new();
        let live = live(&node).await;
        node.lock().reactions.extend([FULL; 2]);
        let task = TaskId([1; 16]);
        for _ in 0..3 {
            live.submit(&[Call::Crank { task }]).await.unwrap();
        }
        assert_eq!(tips(&node), [0, 0, 0]);
    }
}
