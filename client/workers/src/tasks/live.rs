// SPDX-License-Identifier: Apache-2.0

//! A worker's chain, for real.

use super::{
    tips::{self, Tips},
    Submit, TaskChain, TaskSnapshot,
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
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
    tips: Arc<Mutex<Tips>>,
}

/// The chain at one block, for one account.
pub struct LiveSnapshot {
    at: At,
    who: AccountId32,
}

impl Live {
    /// Connects to a node. Calls may take `inclusion_time` to get into a block; those that have a deadline
    /// offer what `tips` says, which outlives the connection.
    pub(super) async fn open(
        endpoint: &Endpoint,
        identity: Identity,
        inclusion_time: Duration,
        tips: Arc<Mutex<Tips>>,
    ) -> Result<Self> {
        Ok(Self {
            connection: Connection::open_at(endpoint).await?,
            identity,
            inclusion_time,
            tips,
        })
    }

    /// Sends calls in the name of a key's account, with the tips that they need and the most urgent ones
    /// first. The results are in the order of `calls`.
    async fn submit_signed(
        &self,
        signer: &Signer,
        calls: &[Call],
    ) -> Result<Vec<Result<Included>>> {
        let lock = || self.tips.lock().unwrap_or_else(PoisonError::into_inner);
        let (base, time) = (signer.tip, self.inclusion_time);
        let wanted = lock().wanted(calls, base, Instant::now());
        let order = tips::in_order(calls, &wanted);
        let sorted: Vec<Call> = order.iter().map(|(_, call, _)| (*call).clone()).collect();
        let tip_of = |place: usize, nonce: u64| match order.get(place) {
            Some((_, call, wanted)) => lock().at_nonce(call, nonce, *wanted, base),
            None => base,
        };
        let results = self
            .connection
            .submit_all_offering(signer, &sorted, tip_of, Wait::Best, time)
            .await?;
        lock().learn(&sorted, &results);
        let places = order.iter().map(|(place, _, _)| *place);
        let mut results: Vec<_> = places.zip(results).collect();
        results.sort_by_key(|(place, _)| *place);
        Ok(results.into_iter().map(|(_, result)| result).collect())
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
    const CENT: Balance = TOS / 100;
    const TASK: TaskId = TaskId([1; 16]);

    /// Tips of up to 0.05 TOS that may be raised after so much time.
    fn ladder(every: Duration) -> Arc<Mutex<Tips>> {
        Arc::new(Mutex::new(Tips::up_to(5 * CENT, every)))
    }

    async fn live(node: &FakeNode, tips: &Arc<Mutex<Tips>>) -> Live {
        Live {
            connection: node.connect().await,
            identity: Identity::from(&signer()),
            inclusion_time: Duration::from_secs(120),
            tips: tips.clone(),
        }
    }

    fn reveal() -> Call {
        Call::Reveal {
            task: TASK,
            content: ContentRef::inline(b"an honest answer").unwrap(),
            simhash: 0,
            salt: [0; 32],
        }
    }

    fn tips(node: &FakeNode) -> Vec<Balance> {
        node.lock().submitted.iter().map(|sent| sent.tip).collect()
    }

    #[tokio::test]
    async fn a_reveal_that_gets_into_no_block_offers_more_each_time_up_to_the_most() {
        let node = FakeNode::new();
        let live = live(&node, &ladder(Duration::ZERO)).await;
        node.lock().reactions.extend([FULL; 4]);
        let calls = [reveal()];
        for attempt in 0..4 {
            let results = live.submit(&calls).await.unwrap();
            assert!(results[0].is_err(), "{attempt}");
        }
        live.submit(&calls).await.unwrap().remove(0).unwrap();
        assert_eq!(tips(&node), [0, CENT, 2 * CENT, 4 * CENT, 5 * CENT]);
        // It was in a block; what comes after it begins anew.
        live.submit(&calls).await.unwrap().remove(0).unwrap();
        assert_eq!(tips(&node).last(), Some(&0));
    }

    #[tokio::test]
    async fn a_full_pool_alone_raises_no_tip() {
        let node = FakeNode::new();
        let live = live(&node, &ladder(Duration::from_secs(3_600))).await;
        node.lock().reactions.extend([FULL; 9]);
        for _ in 0..10 {
            live.submit(&[reveal()]).await.unwrap();
        }
        assert_eq!(tips(&node), [0; 10]);
    }

    #[tokio::test]
    async fn a_node_that_keeps_refusing_and_naming_new_nonces_gets_no_more_than_twice_the_most() {
        let node = FakeNode::new();
        let tips_of_the_worker = ladder(Duration::ZERO);
        for attempt in 0..15 {
            {
                let mut node = node.lock();
                node.reactions.push_back(FULL);
                node.nonces_ahead = attempt;
            }
            // It ends the connection each time, too.
            let live = live(&node, &tips_of_the_worker).await;
            assert!(live.submit(&[reveal()]).await.unwrap()[0].is_err());
        }
        let nonces: Vec<_> = node.lock().submitted.iter().map(|s| s.nonce).collect();
        assert_eq!(nonces, (0..15).collect::<Vec<u64>>());
        let tips = tips(&node);
        assert_eq!(tips[..6], [0, CENT, 2 * CENT, 4 * CENT, 3 * CENT, 0]);
        assert_eq!(tips.iter().sum::<Balance>(), 10 * CENT);
    }

    #[tokio::test]
    async fn a_raised_reveal_goes_before_what_offers_less_and_results_keep_their_order() {
        let node = FakeNode::new();
        let live = live(&node, &ladder(Duration::ZERO)).await;
        node.lock().reactions.extend([FULL; 2]);
        live.submit(&[reveal()]).await.unwrap();
        let commit = Call::Commit {
            task: TASK,
            commitment: [2; 32],
        };
        let calls = [Call::Crank { task: TASK }, commit, reveal()];
        let results = live.submit(&calls).await.unwrap();
        let done: Vec<_> = results.iter().map(Result::is_ok).collect();
        assert_eq!(done, [true, true, false]);
        let node = node.lock();
        let sent = node.submitted.iter().skip(1);
        let sent: Vec<_> = sent.map(|s| (s.call[1], s.nonce, s.tip)).collect();
        // The numbers of reveal, commit and crank.
        assert_eq!(sent, [(2, 0, CENT), (3, 0, 0), (1, 1, 0)]);
    }

    #[tokio::test]
    async fn a_call_without_a_deadline_offers_no_more_than_before() {
        let node = FakeNode::new();
        let live = live(&node, &ladder(Duration::ZERO)).await;
        node.lock().reactions.extend([FULL; 2]);
        for _ in 0..3 {
            live.submit(&[Call::Crank { task: TASK }]).await.unwrap();
        }
        assert_eq!(tips(&node), [0, 0, 0]);
    }
}
