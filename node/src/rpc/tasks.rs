// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `tos_*` methods about tasks and those who work on them.
//!
//! Every method answers from one block: the best one, or the block named by `at`. A page names the
//! block it was read from; pass that block and the page's `next` to read on, and tasks published
//! meanwhile neither repeat nor hide anything.

use super::reader;
use polkadot_sdk::*;

use std::{collections::VecDeque, sync::Arc};

use futures::{future, stream, Stream, StreamExt};
use jsonrpsee::{
    core::{async_trait, RpcResult, SubscriptionResult},
    proc_macros::rpc,
    PendingSubscriptionSink,
};
use sc_client_api::BlockchainEvents;
use sc_rpc::SubscriptionTaskExecutor;
use serde::{Deserialize, Serialize};
use sp_api::{ApiError, CallApiAt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Header as _;
use tos_primitives::{
    views::{
        AssignmentView, ChainView, ClaimView, DutyView, MinerView, ParametersView, RefusalView,
        ReputationView, RoundView, TaskChange, TaskSummary, TaskView, TimelineEntry, ValidatorView,
    },
    TaskId, TaskType,
};
use tos_runtime::{opaque::Block, AccountId, BlockNumber, Hash};
use tos_runtime_api::TosApi as TosRuntimeApi;

/// The most items of a page; what a caller asks beyond is cut to this.
const MAX_PAGE: u32 = 50;
/// What a chain lacks that cannot answer.
const SUBJECT: &str = "tasks";
/// The version of the runtime API that tells the parameters first.
const PARAMETERS_SINCE: u32 = 2;
/// Items of a page when the caller does not say.
const DEFAULT_PAGE: u32 = 20;

/// A part of a list, and where the next part begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The block that was read. Pass it as `at` to read on.
    pub at: Hash,
    /// The items.
    pub items: Vec<T>,
    /// Pass it as `after` to read on; absent on the last page.
    pub next: Option<TaskId>,
}

/// The state of the protocol, and the block it was read from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainStatus {
    /// The block that was read.
    pub at: Hash,
    /// Its height.
    pub block: BlockNumber,
    /// Height of the last finalised block.
    pub finalized: BlockNumber,
    /// The protocol.
    #[serde(flatten)]
    pub protocol: ChainView,
}

/// A change of a task, and whether it can still be undone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeNotice {
    /// The change.
    #[serde(flatten)]
    pub change: TaskChange,
    /// The block it happened in.
    pub at: Hash,
    /// Height of that block.
    pub block: BlockNumber,
    /// Whether that block is final. Every change is told twice: when its block becomes the best
    /// one, and when it becomes final. Only the second cannot be undone.
    pub finalized: bool,
}

/// Whether an account may join a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Whether it may.
    pub allowed: bool,
    /// Why not, and from which tick on the answer may differ.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
}

/// The methods.
#[rpc(server, namespace = "tos")]
pub trait TosApi {
    /// Height, tick, windows and counts.
    #[method(name = "chain")]
    fn chain(&self, at: Option<Hash>) -> RpcResult<ChainStatus>;

    /// What governance can change, as it is now.
    #[method(name = "parameters")]
    fn parameters(&self, at: Option<Hash>) -> RpcResult<ParametersView>;

    /// Tasks that take answers, by type where one is given.
    #[method(name = "openTasks")]
    fn open_tasks(
        &self,
        task_type: Option<TaskType>,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>>;

    /// All tasks that are not pruned yet.
    #[method(name = "tasks")]
    fn tasks(
        &self,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>>;

    /// One round of voting on a task; null when there is none.
    #[method(name = "round")]
    fn round(
        &self,
        id: TaskId,
        number: u32,
        at: Option<Hash>,
    ) -> RpcResult<Option<RoundView<AccountId>>>;

    /// The panels a validator sits on, and what it should do on each.
    #[method(name = "duties")]
    fn duties(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<DutyView>>;

    /// One task with its submissions; null when there is none.
    #[method(name = "task")]
    fn task(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Option<TaskView<AccountId>>>;

    /// The phases a task went through.
    #[method(name = "timeline")]
    fn timeline(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Vec<TimelineEntry>>;

    /// Whether an account may join a task; if not, why, and when to ask again.
    #[method(name = "canSubmit")]
    fn can_submit(&self, who: AccountId, id: TaskId, at: Option<Hash>) -> RpcResult<Permission>;

    /// What an account should do now.
    #[method(name = "assignments")]
    fn assignments(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<AssignmentView>>;

    /// Rewards that wait to be claimed.
    #[method(name = "claimable")]
    fn claimable(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<ClaimView>>;

    /// A miner's registration; null when there is none.
    #[method(name = "miner")]
    fn miner(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<MinerView>>;

    /// A validator's registration; null when there is none.
    #[method(name = "validator")]
    fn validator(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<ValidatorView>>;

    /// An account's reputation, idle decay applied.
    #[method(name = "reputation")]
    fn reputation(&self, who: AccountId, at: Option<Hash>) -> RpcResult<ReputationView>;

    /// Changes of all tasks, or of one, as blocks become best and final.
    #[subscription(name = "subscribeTasks" => "taskChange", unsubscribe = "unsubscribeTasks", item = ChangeNotice)]
    async fn subscribe_tasks(&self, id: Option<TaskId>) -> SubscriptionResult;
}

/// Answers the namespace from a client.
pub struct TosRpc<C> {
    client: Arc<C>,
    executor: SubscriptionTaskExecutor,
}

impl<C> TosRpc<C> {
    /// Answers from `client`; subscriptions run on `executor`.
    pub fn new(client: Arc<C>, executor: SubscriptionTaskExecutor) -> Self {
        Self { client, executor }
    }
}

fn page<T>(at: Hash, limit: u32, mut items: Vec<T>, id: impl Fn(&T) -> TaskId) -> Page<T> {
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    // One more than the page was asked for: it tells whether there is a next one.
    let more = items.len() > wanted;
    items.truncate(wanted);
    let next = if more { items.last().map(id) } else { None };
    Page { at, items, next }
}

impl<C> TosRpc<C>
where
    C: ProvideRuntimeApi<Block> + CallApiAt<Block> + HeaderBackend<Block>,
{
    fn block(&self, at: Option<Hash>) -> RpcResult<Hash> {
        reader::block(&*self.client, at)
    }

    fn read<T>(
        &self,
        at: Option<Hash>,
        call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
    ) -> RpcResult<T> {
        reader::read::<dyn TosRuntimeApi<Block, AccountId>, _, _>(&*self.client, SUBJECT, at, call)
    }
}

fn page_size(limit: Option<u32>) -> u32 {
    limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
}

#[async_trait]
impl<C> TosApiServer for TosRpc<C>
where
    C: ProvideRuntimeApi<Block>
        + CallApiAt<Block>
        + HeaderBackend<Block>
        + BlockchainEvents<Block>
        + Send
        + Sync
        + 'static,
    C::Api: TosRuntimeApi<Block, AccountId>,
{
    fn chain(&self, at: Option<Hash>) -> RpcResult<ChainStatus> {
        let at = self.block(at)?;
        let protocol = self.read(Some(at), |api, hash| api.chain(hash))?;
        let block = self.client.number(at).ok().flatten().unwrap_or_default();
        Ok(ChainStatus {
            at,
            block,
            finalized: self.client.info().finalized_number,
            protocol,
        })
    }

    fn parameters(&self, at: Option<Hash>) -> RpcResult<ParametersView> {
        let at = self.block(at)?;
        reader::offered_since::<dyn TosRuntimeApi<Block, AccountId>>(
            &*self.client,
            at,
            PARAMETERS_SINCE,
            "parameters",
        )?;
        self.read(Some(at), |api, hash| api.parameters(hash))
    }

    fn open_tasks(
        &self,
        task_type: Option<TaskType>,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>> {
        let (at, size) = (self.block(at)?, page_size(limit));
        let items = self.read(Some(at), |api, hash| {
            api.open_tasks(hash, task_type, after, size + 1)
        })?;
        Ok(page(at, size, items, |task| task.id))
    }

    fn tasks(
        &self,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>> {
        let (at, size) = (self.block(at)?, page_size(limit));
        let items = self.read(Some(at), |api, hash| api.tasks(hash, after, size + 1))?;
        Ok(page(at, size, items, |task| task.id))
    }

    fn task(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Option<TaskView<AccountId>>> {
        self.read(at, |api, hash| api.task(hash, id))
    }

    fn round(
        &self,
        id: TaskId,
        number: u32,
        at: Option<Hash>,
    ) -> RpcResult<Option<RoundView<AccountId>>> {
        self.read(at, |api, hash| api.round(hash, id, number))
    }

    fn duties(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<DutyView>> {
        self.read(at, |api, hash| api.duties(hash, who))
    }

    fn timeline(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Vec<TimelineEntry>> {
        self.read(at, |api, hash| api.timeline(hash, id))
    }

    fn can_submit(&self, who: AccountId, id: TaskId, at: Option<Hash>) -> RpcResult<Permission> {
        let refusal = self
            .read(at, |api, hash| api.can_submit(hash, who, id))?
            .err();
        Ok(Permission {
            allowed: refusal.is_none(),
            refusal,
        })
    }

    fn assignments(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<AssignmentView>> {
        self.read(at, |api, hash| api.assignments(hash, who))
    }

    fn claimable(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<ClaimView>> {
        self.read(at, |api, hash| api.claimable(hash, who))
    }

    fn miner(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<MinerView>> {
        self.read(at, |api, hash| api.miner(hash, who))
    }

    fn validator(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<ValidatorView>> {
        self.read(at, |api, hash| api.validator(hash, who))
    }

    fn reputation(&self, who: AccountId, at: Option<Hash>) -> RpcResult<ReputationView> {
        self.read(at, |api, hash| api.reputation(hash, who))
    }

    async fn subscribe_tasks(
        &self,
        pending: PendingSubscriptionSink,
        id: Option<TaskId>,
    ) -> SubscriptionResult {
        let best = self.client.info().best_hash;
        let offered =
            reader::offered::<dyn TosRuntimeApi<Block, AccountId>>(&*self.client, best, SUBJECT);
        if let Err(refusal) = offered {
            pending.reject(refusal).await;
            return Ok(());
        }
        let changes = changes(Arc::clone(&self.client))
            .filter(move |notice| future::ready(id.is_none_or(|id| id == notice.change.task)));
        self.executor.spawn(
            "tos-task-changes",
            Some("rpc"),
            Box::pin(async move {
                sc_rpc::utils::PendingSubscription::from(pending)
                    .pipe_from_stream(changes.boxed(), sc_rpc::utils::BoundedVecDeque::new(256))
                    .await
            }),
        );
        Ok(())
    }
}

/// The changes in every block that becomes best, and again in every block that becomes final.
fn changes<C>(client: Arc<C>) -> impl Stream<Item = ChangeNotice> + Send
where
    C: ProvideRuntimeApi<Block>
        + HeaderBackend<Block>
        + BlockchainEvents<Block>
        + Send
        + Sync
        + 'static,
    C::Api: TosRuntimeApi<Block, AccountId>,
{
    let best = client
        .import_notification_stream()
        .filter(|block| future::ready(block.is_new_best))
        .map(|block| vec![(block.hash, *block.header.number(), false)]);
    let number = Arc::clone(&client);
    let finalized = client.finality_notification_stream().map(move |block| {
        // A block's finality is its ancestors' too: they are told first, in order.
        let ancestors = block.tree_route.iter().filter_map(|hash| {
            let height = number.number(*hash).ok().flatten()?;
            Some((*hash, height, true))
        });
        ancestors
            .chain([(block.hash, *block.header.number(), true)])
            .collect()
    });
    stream::select(best, finalized).flat_map(move |blocks: Vec<_>| {
        let mut notices = VecDeque::new();
        for (at, block, finalized) in blocks {
            match client.runtime_api().task_changes(at) {
                Ok(changes) => notices.extend(changes.into_iter().map(|change| ChangeNotice {
                    change,
                    at,
                    block,
                    finalized,
                })),
                // The state may be pruned already; the subscriber learns of it by the next block.
                Err(cause) => log::debug!("task changes of block {block} are lost: {cause}"),
            }
        }
        stream::iter(notices)
    })
}
