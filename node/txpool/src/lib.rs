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
//! made. And few are let in at once: each is validated along with the others, and those of one account would
//! come out in another order than they came in.
//!
//! # Room
//!
//! A full view throws out the oldest of its cheapest transactions with all that follow from the same account,
//! and takes none of them back for long; what their sender sends next waits for them, and of those that wait a view
//! holds a tenth of its limit and then throws out the oldest. So the SDK's pool gets limits that it does not come to
//! ([`inner_limit`]), and the gate refuses what comes when as many are ready, or as many bytes, as the operator wants. As many again
//! may come that offer more than the cheapest one there. Beyond that there is a [`Reserve`] for what must not be kept out by any flood.

#![warn(missing_docs)]

mod admission;
mod room;

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use codec::Encode;
use pallet_transaction_payment_rpc::TransactionPaymentRuntimeApi as TransactionPaymentApi;
use parking_lot::{Mutex, RwLock};
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
use tos_node_common::{unthrottled, FullClient};
use tos_runtime::opaque::Block;
use tos_types::Balance;

use admission::{Admission, PERMITS};
use room::{admits, reserve};

pub use room::{inner_limit, Amount, PoolPriority, Reserve};

/// Time for which the least priority in a full pool is taken for granted: finding it means looking at all its transactions.
const FLOOR_TTL: Duration = Duration::from_millis(200);

/// PoolPriority of a transaction at a block; `None` if it is not valid there.
type PriorityOf<B> = dyn Fn(<B as BlockT>::Hash, TransactionSource, <B as BlockT>::Extrinsic) -> Option<PoolPriority>
    + Send
    + Sync;

/// Ready transactions, best first.
type Ready<P> =
    Box<dyn ReadyTransactions<Item = Arc<<P as TransactionPool>::InPoolTransaction>> + Send>;

/// Pool of a node that has a full client.
pub type FullPool = GatedPool<sc_transaction_pool::TransactionPoolHandle<Block, FullClient>>;

/// A pool that takes nothing while it follows the chain, and no more than there is room for.
pub struct GatedPool<P: TransactionPool> {
    inner: P,
    admission: Admission,
    room: RwLock<Amount>,
    priority_of: Box<PriorityOf<P::Block>>,
    floor: Mutex<Option<(Instant, TransactionPriority)>>,
}

impl<P: TransactionPool> GatedPool<P> {
    /// Puts `inner` behind a gate; `client` says what transactions offer. There is room for any number
    /// until [`Self::limit`].
    pub fn new<C>(inner: P, client: Arc<C>) -> Self
    where
        C: ProvideRuntimeApi<P::Block> + Send + Sync + 'static,
        C::Api: TaggedTransactionQueue<P::Block> + TransactionPaymentApi<P::Block, Balance>,
    {
        let priority_of = move |at, source, xt: <P::Block as BlockT>::Extrinsic| {
            let (api, bytes) = (client.runtime_api(), xt.encoded_size());
            // The chain is not followed while any transaction is inside the gate, so that this may not wait for strangers' questions.
            let validity = unthrottled(|| api.validate_transaction(at, source, xt.clone(), at));
            let valid = validity.ok()?.ok()?;
            let class = || {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                // A chain that cannot say so has no operational calls.
                let info = unthrottled(|| client.runtime_api().query_info(at, xt, bytes)).ok()?;
                Some(info.class)
            };
            Some(PoolPriority {
                priority: valid.priority,
                reserve: reserve(&valid.provides, class),
            })
        };
        Self {
            inner,
            admission: Admission::new(PERMITS),
            room: RwLock::new(Amount {
                count: usize::MAX,
                bytes: usize::MAX,
            }),
            priority_of: Box::new(priority_of),
            floor: Mutex::new(None),
        }
    }

    /// From now on, lets in so many transactions and bytes, and beyond them only those that offer more than another or for which
    /// there is a reserve.
    pub fn limit(&self, room: Amount) {
        *self.room.write() = room;
    }

    /// The least that a ready transaction offers.
    fn floor(&self) -> TransactionPriority {
        let mut known = self.floor.lock();
        if let Some((found, floor)) = *known {
            if found.elapsed() < FLOOR_TTL {
                return floor;
            }
        }
        let offers = self.inner.ready().map(|ready| *ready.priority());
        let floor = offers.min().unwrap_or_default();
        *known = Some((Instant::now(), floor));
        floor
    }

    /// Admits a transaction, or refuses it. One that is not valid may: the pool says best what is wrong.
    fn admit(
        &self,
        at: <P::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: &TransactionFor<P>,
    ) -> Result<(), P::Error> {
        let room = *self.room.read();
        let status = self.inner.status();
        let ready = Amount {
            count: status.ready,
            bytes: status.ready_bytes,
        };
        let worth = || (self.priority_of)(at, source, xt.clone());
        if admits(ready, room, xt.encoded_size(), worth, || self.floor()) {
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
        let _inside = self.admission.enter().await;
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
        let _inside = self.admission.enter().await;
        self.submit(at, source, xt).await
    }

    async fn submit_and_watch(
        &self,
        at: <Self::Block as BlockT>::Hash,
        source: TransactionSource,
        xt: TransactionFor<Self>,
    ) -> Result<Pin<Box<TransactionStatusStreamFor<Self>>>, Self::Error> {
        let _inside = self.admission.enter().await;
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
        let _closed = self.admission.close().await;
        self.inner.maintain(event).await;
    }
}

/// Transactions that the runtime itself makes for this node, reports of equivocations, have no nonce and wait for nothing: they need no gate.
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
