// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The transaction pool: the SDK's, behind a gate that lets transactions in at the right time, and as many
//! as there is room for.
//!
//! # Time
//!
//! The fork-aware pool keeps a view of what is ready for each block, and forgets the view of a block when a later
//! one is final. A transaction that comes while the view of a new block is being made is in the old view
//! alone; if it waits for one before it (its nonce is not the next) and the new block is final before another comes, it goes with
//! the old view, and all later ones of its account with it. So nothing is let in while a view is being
//! made. And few are let in at once: each is validated beside the others, and those of one account would
//! come out in another order than they came in.
//!
//! # Room
//!
//! A full view throws out the oldest of its cheapest transactions with all that follow from the same account,
//! and takes none of them back for long; what their sender sends next waits for them, and of those that wait a view
//! holds a tenth of its limit and then throws out the oldest. So the SDK's pool gets a limit that it does not come to
//! ([`inner_limit`]), and the gate refuses what comes when as many are ready as the operator wants. As many again may come
//! that offer more than the cheapest one there.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use parking_lot::Mutex;
use polkadot_sdk::*;
use sc_transaction_pool_api::{
    error::Error as PoolError, ChainEvent, ImportNotificationStream, InPoolTransaction,
    LocalTransactionFor, LocalTransactionPool, MaintainedTransactionPool, PoolStatus,
    ReadyTransactions, TransactionFor, TransactionPool, TransactionPriority, TransactionSource,
    TransactionStatusStreamFor, TxHash, TxInvalidityReportMap,
};
use sp_api::ProvideRuntimeApi;
use sp_runtime::traits::Block as BlockT;
use sp_transaction_pool::runtime_api::TaggedTransactionQueue;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit};

/// Transactions that are validated at once: enough for the pool's two workers never to wait.
const PLACES: usize = 32;

/// How long it is taken for granted what the cheapest transaction in a full pool offers: finding out means
/// looking at all of them.
const FLOOR_LASTS: Duration = Duration::from_millis(200);

/// The limit of the SDK's pool behind a gate that lets in `room` ready transactions. It takes a tenth of that for those that
/// wait for others: as many as may be ready, so that senders whose transactions are refused find the later ones there.
pub const fn inner_limit(room: usize) -> usize {
    room.saturating_mul(10)
}

/// The most ready transactions, those that offer more than others among them.
const fn most(room: usize) -> usize {
    room.saturating_mul(2)
}

/// What a transaction would offer at a block, if it is valid there.
type Appraisal<B> = dyn Fn(
        <B as BlockT>::Hash,
        TransactionSource,
        <B as BlockT>::Extrinsic,
    ) -> Option<TransactionPriority>
    + Send
    + Sync;

/// Ready transactions, best first.
type Ready<P> =
    Box<dyn ReadyTransactions<Item = Arc<<P as TransactionPool>::InPoolTransaction>> + Send>;

/// Lets in so many at a time, in the order in which they came, and nobody while it is closed.
struct Gate {
    places: Semaphore,
    open: RwLock<()>,
}

/// A place inside. Whoever waits is let in when it is dropped.
struct Place<'a> {
    _place: Option<SemaphorePermit<'a>>,
    _open: RwLockReadGuard<'a, ()>,
}

impl Gate {
    fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            open: RwLock::new(()),
        }
    }

    async fn enter(&self) -> Place<'_> {
        // Nobody ends the semaphore, so that there always is a place in the end.
        let place = self.places.acquire().await.ok();
        Place {
            _place: place,
            _open: self.open.read().await,
        }
    }

    /// Waits for those inside, who are few, and keeps everybody else out until the guard is dropped.
    async fn close(&self) -> RwLockWriteGuard<'_, ()> {
        self.open.write().await
    }
}

/// A pool that takes nothing while it follows the chain, and no more than there is room for.
pub struct GatedPool<P: TransactionPool> {
    inner: P,
    gate: Gate,
    room: AtomicUsize,
    appraise: Box<Appraisal<P::Block>>,
    floor: Mutex<Option<(Instant, TransactionPriority)>>,
}

impl<P: TransactionPool> GatedPool<P> {
    /// Puts `inner` behind a gate; `client` says what transactions offer. There is room for any number
    /// until [`Self::limit`].
    pub fn new<C>(inner: P, client: Arc<C>) -> Self
    where
        C: ProvideRuntimeApi<P::Block> + Send + Sync + 'static,
        C::Api: TaggedTransactionQueue<P::Block>,
    {
        let appraise = move |at, source, xt| {
            let validity = client
                .runtime_api()
                .validate_transaction(at, source, xt, at);
            validity.ok()?.ok().map(|valid| valid.priority)
        };
        Self {
            inner,
            gate: Gate::new(PLACES),
            room: AtomicUsize::new(usize::MAX),
            appraise: Box::new(appraise),
            floor: Mutex::new(None),
        }
    }

    /// From now on, lets in so many transactions, and beyond them only those that offer more than another.
    pub fn limit(&self, room: usize) {
        self.room.store(room, Ordering::Relaxed);
    }

    /// The least that a ready transaction offers.
    fn floor(&self) -> TransactionPriority {
        let mut known = self.floor.lock();
        if let Some((found, floor)) = *known {
            if found.elapsed() < FLOOR_LASTS {
                return floor;
            }
        }
        let offers = self.inner.ready().map(|ready| *ready.priority());
        let floor = offers.min().unwrap_or_default();
        *known = Some((Instant::now(), floor));
        floor
    }

    /// Whether a transaction may enter. One that is not valid may: the pool says best what is wrong.
    fn admit(
        &self,
        at: <P::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: &TransactionFor<P>,
    ) -> Result<(), P::Error> {
        let room = self.room.load(Ordering::Relaxed);
        let offer = || (self.appraise)(at, source, xt.clone());
        if admits(self.inner.status().ready, room, offer, || self.floor()) {
            return Ok(());
        }
        Err(PoolError::ImmediatelyDropped.into())
    }

    /// Submits from inside the gate.
    async fn submit(
        &self,
        at: <P::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: TransactionFor<P>,
    ) -> Result<TxHash<P>, P::Error> {
        self.admit(at, source, &xt)?;
        self.inner.submit_one(at, source, xt).await
    }
}

/// Whether a pool with so many ready transactions and room for so many lets another one in.
fn admits(
    ready: usize,
    room: usize,
    offer: impl FnOnce() -> Option<TransactionPriority>,
    floor: impl FnOnce() -> TransactionPriority,
) -> bool {
    if ready < room {
        return true;
    }
    if ready >= most(room) {
        return false;
    }
    offer().is_none_or(|offered| offered > floor())
}

#[async_trait]
impl<P: TransactionPool> TransactionPool for GatedPool<P> {
    type Block = P::Block;
    type Hash = P::Hash;
    type InPoolTransaction = P::InPoolTransaction;
    type Error = P::Error;

    async fn submit_at(
        &self,
        at: <Self::Block as BlockT>::Hash,
        source: TransactionSource,
        xts: Vec<TransactionFor<Self>>,
    ) -> Result<Vec<Result<TxHash<Self>, Self::Error>>, Self::Error> {
        let _inside = self.gate.enter().await;
        let mut outcomes = Vec::with_capacity(xts.len());
        for xt in xts {
            outcomes.push(self.submit(at, source, xt).await);
        }
        Ok(outcomes)
    }

    async fn submit_one(
        &self,
        at: <Self::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: TransactionFor<Self>,
    ) -> Result<TxHash<Self>, Self::Error> {
        let _inside = self.gate.enter().await;
        self.submit(at, source, xt).await
    }

    async fn submit_and_watch(
        &self,
        at: <Self::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: TransactionFor<Self>,
    ) -> Result<Pin<Box<TransactionStatusStreamFor<Self>>>, Self::Error> {
        let _inside = self.gate.enter().await;
        self.admit(at, source, &xt)?;
        self.inner.submit_and_watch(at, source, xt).await
    }

    async fn ready_at(&self, at: <Self::Block as BlockT>::Hash) -> Ready<Self> {
        self.inner.ready_at(at).await
    }

    fn ready(&self) -> Ready<Self> {
        self.inner.ready()
    }

    async fn report_invalid(
        &self,
        at: Option<<Self::Block as BlockT>::Hash>,
        invalid_tx_errors: TxInvalidityReportMap<TxHash<Self>>,
    ) -> Vec<Arc<Self::InPoolTransaction>> {
        self.inner.report_invalid(at, invalid_tx_errors).await
    }

    fn futures(&self) -> Vec<Self::InPoolTransaction> {
        self.inner.futures()
    }

    fn status(&self) -> PoolStatus {
        self.inner.status()
    }

    fn import_notification_stream(&self) -> ImportNotificationStream<TxHash<Self>> {
        self.inner.import_notification_stream()
    }

    fn on_broadcasted(&self, propagations: HashMap<TxHash<Self>, Vec<String>>) {
        self.inner.on_broadcasted(propagations)
    }

    fn hash_of(&self, xt: &TransactionFor<Self>) -> TxHash<Self> {
        self.inner.hash_of(xt)
    }

    fn ready_transaction(&self, hash: &TxHash<Self>) -> Option<Arc<Self::InPoolTransaction>> {
        self.inner.ready_transaction(hash)
    }

    async fn ready_at_with_timeout(
        &self,
        at: <Self::Block as BlockT>::Hash,
        timeout: Duration,
    ) -> Ready<Self> {
        self.inner.ready_at_with_timeout(at, timeout).await
    }
}

#[async_trait]
impl<P: MaintainedTransactionPool> MaintainedTransactionPool for GatedPool<P> {
    async fn maintain(&self, event: ChainEvent<Self::Block>) {
        let _closed = self.gate.close().await;
        self.inner.maintain(event).await;
    }
}

/// What off-chain workers send has no nonce and waits for nothing: it needs no gate.
impl<P: LocalTransactionPool + TransactionPool> LocalTransactionPool for GatedPool<P> {
    type Block = <P as LocalTransactionPool>::Block;
    type Hash = <P as LocalTransactionPool>::Hash;
    type Error = <P as LocalTransactionPool>::Error;

    fn submit_local(
        &self,
        at: <<P as LocalTransactionPool>::Block as BlockT>::Hash,
        xt: LocalTransactionFor<Self>,
    ) -> Result<<P as LocalTransactionPool>::Hash, <P as LocalTransactionPool>::Error> {
        self.inner.submit_local(at, xt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::{executor::block_on, poll, FutureExt};
    use std::task::Poll;

    #[test]
    fn a_full_pool_takes_what_offers_more_than_the_cheapest_until_its_reserve_is_full_too() {
        let room = 1_000;
        let admits = |ready, offer| admits(ready, room, || offer, || 5);
        assert!(admits(room - 1, Some(0)), "there was room");
        assert!(!admits(room, Some(5)), "it offers no more than another");
        assert!(admits(room, Some(6)));
        assert!(admits(room, None), "the pool has to say what is wrong");
        assert!(admits(most(room) - 1, Some(6)));
        assert!(!admits(most(room), Some(u64::MAX)));
        // What is being validated, and those that waited for it, still find a place.
        assert!(most(room) + PLACES + room < inner_limit(room));
    }

    #[test]
    fn nothing_is_validated_for_its_price_while_there_is_room() {
        assert!(admits(
            0,
            1,
            || unreachable!("not asked"),
            || unreachable!("not asked")
        ));
    }

    #[test]
    fn only_so_many_are_inside_and_the_first_who_came_is_next() {
        block_on(async {
            let gate = Gate::new(2);
            let (one, _two) = (gate.enter().await, gate.enter().await);
            let (mut third, mut fourth) = (Box::pin(gate.enter()), Box::pin(gate.enter()));
            assert!(poll!(&mut third).is_pending());
            assert!(poll!(&mut fourth).is_pending());
            drop(one);
            assert!(
                poll!(&mut fourth).is_pending(),
                "the fourth overtook the third"
            );
            assert!(poll!(&mut third).is_ready());
        });
    }

    #[test]
    fn closing_waits_for_those_inside_and_keeps_everybody_else_out() {
        block_on(async {
            let gate = Gate::new(2);
            let inside = gate.enter().await;
            let mut closing = Box::pin(gate.close());
            assert!(poll!(&mut closing).is_pending());
            // There is a place, but whoever closes comes first, however many want to enter.
            let mut late = Box::pin(gate.enter());
            assert!(poll!(&mut late).is_pending());
            drop(inside);
            let Poll::Ready(closed) = poll!(&mut closing) else {
                panic!("nobody is inside");
            };
            assert!(poll!(&mut late).is_pending());
            drop(closed);
            assert!(late.now_or_never().is_some(), "it is open again");
        });
    }
}
