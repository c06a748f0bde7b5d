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
//! holds a tenth of its limit and then throws out the oldest. So the SDK's pool gets limits that it does not come to
//! ([`inner_limit`]), and the gate refuses what comes when as many are ready, or as many bytes, as the operator wants. As many again
//! may come that offer more than the cheapest one there. Beyond that there is a [`Reserve`] for what must not be kept out by any flood.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use codec::Encode;
use frame_support::dispatch::DispatchClass;
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
use sp_runtime::{traits::Block as BlockT, transaction_validity::TransactionTag};
use sp_transaction_pool::runtime_api::TaggedTransactionQueue;
use tokio::sync::{Semaphore, SemaphorePermit};
use tos_runtime::Balance;

use crate::executor::own;

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

/// The beginning of what an answer to a question of storage provides (`pallets/storage`). There is one such transaction for each question
/// that the chain asks, so that no sender can make many of them, and a refused one is a miss that its provider pays for.
const STORAGE_ANSWER: &[u8] = b"tos/storage";

/// Class of a transaction by the room that is reserved for it when the pool is full for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reserve {
    /// Nothing: the transaction is like most.
    None,
    /// A quarter of the room is kept for operational calls: governance, and what stops a flood.
    Operational,
    /// And another quarter for answers to questions of storage, so that no number of operational calls keeps them out.
    Answer,
}

/// Worth of a valid transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worth {
    /// Priority, to be compared with that of others.
    pub priority: TransactionPriority,
    /// Room that is reserved for its class.
    pub reserve: Reserve,
}

/// Number and size of transactions: those that are there, or those that there is room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Transactions.
    pub count: usize,
    /// Bytes of their encodings.
    pub bytes: usize,
}

impl Amount {
    /// As many quarters of this.
    const fn quarters(self, number: usize) -> Self {
        Self {
            count: (self.count / 4)
                .saturating_mul(number)
                .saturating_add((self.count % 4).saturating_mul(number) / 4),
            bytes: (self.bytes / 4)
                .saturating_mul(number)
                .saturating_add((self.bytes % 4).saturating_mul(number) / 4),
        }
    }

    /// `true` if one more transaction of so many bytes is within `limit`.
    const fn has_place_for(self, bytes: usize, limit: Self) -> bool {
        self.count < limit.count && self.bytes.saturating_add(bytes) <= limit.bytes
    }
}

/// The most that may be ready, by what is reserved.
const fn most(room: Amount, reserve: Reserve) -> Amount {
    room.quarters(match reserve {
        Reserve::None => 8,
        Reserve::Operational => 9,
        Reserve::Answer => 10,
    })
}

/// Worth of a transaction at a block; `None` if it is not valid there.
type Appraisal<B> = dyn Fn(<B as BlockT>::Hash, TransactionSource, <B as BlockT>::Extrinsic) -> Option<Worth>
    + Send
    + Sync;

/// Ready transactions, best first.
type Ready<P> =
    Box<dyn ReadyTransactions<Item = Arc<<P as TransactionPool>::InPoolTransaction>> + Send>;

/// Lets in so many at a time, in the order in which they came, and nobody while it is closed.
struct Gate {
    places: Semaphore,
    open: tokio::sync::RwLock<()>,
}

/// A place inside. Whoever waits is let in when it is dropped.
struct Place<'a> {
    _place: Option<SemaphorePermit<'a>>,
    _open: tokio::sync::RwLockReadGuard<'a, ()>,
}

impl Gate {
    fn new(places: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            open: tokio::sync::RwLock::new(()),
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
    async fn close(&self) -> tokio::sync::RwLockWriteGuard<'_, ()> {
        self.open.write().await
    }
}

/// A pool that takes nothing while it follows the chain, and no more than there is room for.
pub struct GatedPool<P: TransactionPool> {
    inner: P,
    gate: Gate,
    room: RwLock<Amount>,
    appraise: Box<Appraisal<P::Block>>,
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
        let appraise = move |at, source, xt: <P::Block as BlockT>::Extrinsic| {
            let (api, bytes) = (client.runtime_api(), xt.encoded_size());
            // The chain is not followed while somebody is inside the gate, so that this may not wait for strangers' questions.
            let validity = own(|| api.validate_transaction(at, source, xt.clone(), at));
            let valid = validity.ok()?.ok()?;
            let class = || {
                let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
                // A chain that cannot say so has no operational calls.
                let info = own(|| client.runtime_api().query_info(at, xt, bytes)).ok()?;
                Some(info.class)
            };
            Some(Worth {
                priority: valid.priority,
                reserve: reserve(&valid.provides, class),
            })
        };
        Self {
            inner,
            gate: Gate::new(PLACES),
            room: RwLock::new(Amount {
                count: usize::MAX,
                bytes: usize::MAX,
            }),
            appraise: Box::new(appraise),
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
        let room = *self.room.read();
        let status = self.inner.status();
        let ready = Amount {
            count: status.ready,
            bytes: status.ready_bytes,
        };
        let worth = || (self.appraise)(at, source, xt.clone());
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

/// Room that is reserved for a valid transaction that provides these tags; `class` says how it is dispatched.
fn reserve(provides: &[TransactionTag], class: impl FnOnce() -> Option<DispatchClass>) -> Reserve {
    if provides.iter().any(|tag| tag.starts_with(STORAGE_ANSWER)) {
        return Reserve::Answer;
    }
    match class() {
        Some(DispatchClass::Operational) => Reserve::Operational,
        _ => Reserve::None,
    }
}

/// `true` if a pool in which so much is ready and with so much room lets another transaction of so many bytes in.
fn admits(
    ready: Amount,
    room: Amount,
    bytes: usize,
    worth: impl FnOnce() -> Option<Worth>,
    floor: impl FnOnce() -> TransactionPriority,
) -> bool {
    if ready.has_place_for(bytes, room) {
        return true;
    }
    if !ready.has_place_for(bytes, most(room, Reserve::Answer)) {
        return false;
    }
    let ordinary = ready.has_place_for(bytes, most(room, Reserve::None));
    match worth() {
        // The pool says best what is wrong, and keeps nothing of it.
        None => ordinary,
        Some(worth) => match worth.reserve {
            Reserve::None => ordinary && worth.priority > floor(),
            reserve => ready.has_place_for(bytes, most(room, reserve)),
        },
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

    const ROOM: Amount = Amount {
        count: 1_000,
        bytes: 1_000_000,
    };

    fn worth(reserve: Reserve, priority: TransactionPriority) -> Option<Worth> {
        Some(Worth { priority, reserve })
    }

    /// `true` if a pool of [`ROOM`] in which the cheapest one offers 5 lets in a transaction of 100 bytes.
    fn lets_in(ready: Amount, worth: Option<Worth>) -> bool {
        admits(ready, ROOM, 100, || worth, || 5)
    }

    fn ready(count: usize, bytes: usize) -> Amount {
        Amount { count, bytes }
    }

    #[test]
    fn a_full_pool_takes_what_offers_more_than_the_cheapest_until_its_reserve_is_full_too() {
        let lets_in = |count, offer| lets_in(ready(count, 0), worth(Reserve::None, offer));
        assert!(lets_in(999, 0), "there was room");
        assert!(!lets_in(1_000, 5), "it offers no more than another");
        assert!(lets_in(1_000, 6));
        assert!(lets_in(1_999, 6));
        assert!(!lets_in(2_000, u64::MAX));
        let invalid = super::tests::lets_in(ready(1_000, 0), None);
        assert!(invalid, "the pool has to say what is wrong");
        // What is being validated, and those that waited for it, still find a place.
        let all = most(ROOM, Reserve::Answer).count + PLACES + ROOM.count;
        assert!(all < inner_limit(ROOM.count));
    }

    #[test]
    fn few_large_transactions_fill_the_pool_as_many_small_ones_do() {
        // 80 transactions of 3.75 MB were taken while "80 of 10,000" were ready, and made the SDK's pool throw others out.
        let lets_in = |bytes, offer| lets_in(ready(80, bytes), worth(Reserve::None, offer));
        assert!(lets_in(999_900, 0), "there was room for its 100 bytes");
        assert!(!lets_in(999_901, 5));
        assert!(lets_in(999_901, 6) && lets_in(1_999_900, 6));
        assert!(!lets_in(1_999_901, u64::MAX));
        // Beside all that is let in, the SDK's pool has room for what waits.
        let all = most(ROOM, Reserve::Answer).bytes + ROOM.bytes;
        assert!(all < inner_limit(ROOM.bytes));
    }

    #[test]
    fn a_flood_of_any_price_leaves_room_for_operational_calls_and_for_storage_answers() {
        for full in [ready(2_000, 0), ready(10, 2_000_000)] {
            assert!(!lets_in(full, worth(Reserve::None, u64::MAX)));
            assert!(!lets_in(full, None), "what is not valid takes no reserve");
            assert!(lets_in(full, worth(Reserve::Operational, 0)));
            assert!(lets_in(full, worth(Reserve::Answer, 0)));
        }
        // Operational calls cannot keep answers out.
        for full in [ready(2_250, 0), ready(10, 2_250_000)] {
            assert!(!lets_in(full, worth(Reserve::Operational, u64::MAX)));
            assert!(lets_in(full, worth(Reserve::Answer, 0)));
        }
        for full in [ready(2_500, 0), ready(10, 2_500_000)] {
            assert!(!lets_in(full, worth(Reserve::Answer, u64::MAX)));
        }
    }

    #[test]
    fn storage_answers_are_known_by_their_tags_and_operational_calls_by_their_class() {
        let answer = (b"tos/storage", "audit", 7_u64).encode();
        let nonce = (1_u64, 2_u64).encode();
        let unasked = || unreachable!("an answer needs no class");
        assert_eq!(reserve(&[nonce.clone(), answer], unasked), Reserve::Answer);
        let of = |class| reserve(std::slice::from_ref(&nonce), || class);
        assert_eq!(of(Some(DispatchClass::Operational)), Reserve::Operational);
        assert_eq!(of(Some(DispatchClass::Normal)), Reserve::None);
        assert_eq!(of(None), Reserve::None);
    }

    #[test]
    fn room_without_a_limit_stays_without_one() {
        let all = Amount {
            count: usize::MAX,
            bytes: usize::MAX,
        };
        assert_eq!(most(all, Reserve::Answer), all);
        assert_eq!(ready(7, 10).quarters(9), ready(15, 22));
    }

    #[test]
    fn nothing_is_validated_for_its_price_while_there_is_room() {
        assert!(admits(
            ready(0, 0),
            ready(1, 100),
            100,
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
