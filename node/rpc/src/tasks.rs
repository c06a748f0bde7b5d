// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `tos_*` methods about tasks and those who work on them.
//!
//! Every method answers from one block: the best one, or the block named by `at`. A page names the
//! block it was read from; pass that block and the page's `next` to read on, and tasks published
//! meanwhile neither repeat nor hide anything.

use super::{
    changes::{self, BlockRef, Event, Source, Start, NO_STATE},
    query,
};
use polkadot_sdk::*;

use std::sync::Arc;

use futures::{stream, Stream, StreamExt};
use jsonrpsee::{
    core::{async_trait, RpcResult},
    proc_macros::rpc,
    types::ErrorObjectOwned,
    PendingSubscriptionSink, SubscriptionCloseResponse,
};
use sc_client_api::BlockchainEvents;
use serde::{Deserialize, Serialize};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Header as _;
use tos_runtime::{opaque::Block, AccountId, BlockNumber, Hash};
use tos_runtime_api::TosApi as TosRuntimeApi;
use tos_types::{TaskId, TaskType};
use tos_views::{
    AssignmentView, ChainView, ClaimView, DutyView, MinerView, ParametersView, RefusalView,
    ReputationView, RoundView, TaskChange, TaskSummary, TaskView, TimelineEntry, ValidatorView,
};

/// The most items of a page; what a caller asks beyond is cut to this.
const MAX_PAGE: u32 = 50;
/// Subject that a chain lacks if it cannot answer.
const SUBJECT: &str = "tasks";
/// The version of the runtime API that tells the parameters first.
const PARAMETERS_SINCE: u32 = 2;
/// The version of the runtime API that finds tasks by reference first.
const REFERENCES_SINCE: u32 = 3;
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

/// Permission of an account to join a task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// `true` if it may.
    pub allowed: bool,
    /// Why not, and from which tick on the answer may differ.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<RefusalView>,
}

/// The methods.
#[rpc(server, namespace = "tos")]
pub trait TosApi {
    /// Height, tick, windows and counts.
    #[method(name = "chain", blocking)]
    fn chain(&self, at: Option<Hash>) -> RpcResult<ChainStatus>;

    /// Parameters that governance can change, as they are now.
    #[method(name = "parameters", blocking)]
    fn parameters(&self, at: Option<Hash>) -> RpcResult<ParametersView>;

    /// Tasks that take answers, by type where one is given.
    #[method(name = "openTasks", blocking)]
    fn open_tasks(
        &self,
        task_type: Option<TaskType>,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>>;

    /// All tasks that are not pruned yet.
    #[method(name = "tasks", blocking)]
    fn tasks(
        &self,
        after: Option<TaskId>,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Page<TaskSummary<AccountId>>>;

    /// One round of voting on a task; null when there is none.
    #[method(name = "round", blocking)]
    fn round(
        &self,
        id: TaskId,
        number: u32,
        at: Option<Hash>,
    ) -> RpcResult<Option<RoundView<AccountId>>>;

    /// The panels a validator sits on, and what it should do on each.
    #[method(name = "duties", blocking)]
    fn duties(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<DutyView>>;

    /// One task with its submissions; null when there is none.
    #[method(name = "task", blocking)]
    fn task(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Option<TaskView<AccountId>>>;

    /// The task of a publisher that carries this reference; null when there is none.
    #[method(name = "taskByReference", blocking)]
    fn task_by_reference(
        &self,
        publisher: AccountId,
        reference: Hash,
        at: Option<Hash>,
    ) -> RpcResult<Option<TaskId>>;

    /// The phases a task went through.
    #[method(name = "timeline", blocking)]
    fn timeline(&self, id: TaskId, at: Option<Hash>) -> RpcResult<Vec<TimelineEntry>>;

    /// Permission of an account to join a task; without one, the reason and the tick in which to ask again.
    #[method(name = "canSubmit", blocking)]
    fn can_submit(&self, who: AccountId, id: TaskId, at: Option<Hash>) -> RpcResult<Permission>;

    /// Steps that an account should take now.
    #[method(name = "assignments", blocking)]
    fn assignments(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<AssignmentView>>;

    /// Rewards that wait to be claimed.
    #[method(name = "claimable", blocking)]
    fn claimable(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Vec<ClaimView>>;

    /// A miner's registration; null when there is none.
    #[method(name = "miner", blocking)]
    fn miner(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<MinerView>>;

    /// A validator's registration; null when there is none.
    #[method(name = "validator", blocking)]
    fn validator(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<ValidatorView>>;

    /// An account's reputation, idle decay applied.
    #[method(name = "reputation", blocking)]
    fn reputation(&self, who: AccountId, at: Option<Hash>) -> RpcResult<ReputationView>;

    /// Changes of all tasks, or of one, as blocks become best and final. With `from`, those of the final blocks from this height on
    /// come first. It ends with an error that names where to go on.
    #[subscription(name = "subscribeTasks" => "taskChange", unsubscribe = "unsubscribeTasks", item = ChangeNotice)]
    async fn subscribe_tasks(
        &self,
        id: Option<TaskId>,
        from: Option<BlockNumber>,
    ) -> SubscriptionCloseResponse;
}

/// Answers the namespace from a client.
pub struct TosRpc<C> {
    client: Arc<C>,
}

impl<C> TosRpc<C> {
    /// Answers from `client`.
    pub fn new(client: Arc<C>) -> Self {
        Self { client }
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
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
{
    fn block(&self, at: Option<Hash>) -> RpcResult<Hash> {
        query::block(&*self.client, at)
    }

    fn read<T>(
        &self,
        at: Option<Hash>,
        call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
    ) -> RpcResult<T> {
        query::read::<dyn TosRuntimeApi<Block, AccountId>, _, _>(&*self.client, SUBJECT, at, call)
    }
}

fn page_size(limit: Option<u32>) -> u32 {
    limit.unwrap_or(DEFAULT_PAGE).clamp(1, MAX_PAGE)
}

#[async_trait]
impl<C> TosApiServer for TosRpc<C>
where
    C: ProvideRuntimeApi<Block>
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
        query::offered_since::<dyn TosRuntimeApi<Block, AccountId>>(
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

    fn task_by_reference(
        &self,
        publisher: AccountId,
        reference: Hash,
        at: Option<Hash>,
    ) -> RpcResult<Option<TaskId>> {
        let at = self.block(at)?;
        query::offered_since::<dyn TosRuntimeApi<Block, AccountId>>(
            &*self.client,
            at,
            REFERENCES_SINCE,
            "references of tasks",
        )?;
        self.read(Some(at), |api, hash| {
            api.task_by_reference(hash, publisher, reference.0)
        })
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
        from: Option<BlockNumber>,
    ) -> SubscriptionCloseResponse {
        // What happens from here on is heard of, so that nothing is missing between the beginning and the first event.
        let events = events(&*self.client);
        let source = Arc::new(Chain(Arc::clone(&self.client)));
        match self.start(&source, from).await {
            Ok(start) => changes::serve(pending, source, events, start, id).await,
            Err(refusal) => {
                pending.reject(refusal).await;
                SubscriptionCloseResponse::None
            }
        }
    }
}

impl<C> TosRpc<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: TosRuntimeApi<Block, AccountId>,
{
    /// The place where a subscriber begins. Fails if the chain has no tasks, or `from` names a block whose changes are not known here.
    async fn start(&self, source: &Chain<C>, from: Option<BlockNumber>) -> RpcResult<Start> {
        let info = self.client.info();
        query::offered::<dyn TosRuntimeApi<Block, AccountId>>(
            &*self.client,
            info.best_hash,
            SUBJECT,
        )?;
        let is_final = info.finalized_number;
        let Some(from) = from else {
            return Ok(Start {
                told: is_final,
                is_final,
                best: Vec::new(),
            });
        };
        if from <= is_final {
            let known = match source.final_block(from) {
                Some(hash) => source.changes(hash).await.map(drop),
                None => Err("it is not in the database".into()),
            };
            known.map_err(|cause| {
                let message = format!(
                    "the changes of block {from} are not known to this node ({cause}); begin later, or ask a node that keeps older states"
                );
                ErrorObjectOwned::owned(NO_STATE, message, None::<()>)
            })?;
        }
        Ok(Start {
            told: from.saturating_sub(1),
            is_final,
            best: self.unfinalized(info.best_hash, info.best_number, is_final),
        })
    }

    /// The blocks of the best chain that are not final, the oldest first.
    fn unfinalized(&self, hash: Hash, number: BlockNumber, is_final: BlockNumber) -> Vec<BlockRef> {
        let mut blocks = Vec::new();
        let mut at = BlockRef { hash, number };
        while at.number > is_final {
            blocks.push(at);
            let Ok(Some(header)) = self.client.header(at.hash) else {
                break;
            };
            at = BlockRef {
                hash: *header.parent_hash(),
                number: at.number.saturating_sub(1),
            };
        }
        blocks.reverse();
        blocks
    }
}

/// Reads changes from a client.
struct Chain<C>(Arc<C>);

#[async_trait]
impl<C> Source for Chain<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: TosRuntimeApi<Block, AccountId>,
{
    async fn changes(&self, at: Hash) -> Result<Vec<TaskChange>, String> {
        let client = Arc::clone(&self.0);
        // Executing the runtime must not keep the server from answering others.
        let read = move || client.runtime_api().task_changes(at);
        match tokio::task::spawn_blocking(read).await {
            Ok(changes) => changes.map_err(|cause| cause.to_string()),
            Err(cause) => Err(cause.to_string()),
        }
    }

    fn final_block(&self, number: BlockNumber) -> Option<Hash> {
        self.0.hash(number).ok().flatten()
    }
}

/// Changes of the best chain and of its final part from now on.
fn events<C>(client: &C) -> impl Stream<Item = Event> + Send
where
    C: BlockchainEvents<Block>,
{
    // The notifications pin their blocks in the database, so that only what they say is kept.
    let best = client
        .import_notification_stream()
        .filter_map(|block| async move {
            if !block.is_new_best {
                return None;
            }
            // A fork that becomes the best chain brings those blocks along that were not best when they came.
            let enacted = block.tree_route.iter().flat_map(|route| route.enacted());
            let mut blocks: Vec<_> = enacted
                .map(|it| BlockRef {
                    hash: it.hash,
                    number: it.number,
                })
                .collect();
            blocks.push(BlockRef {
                hash: block.hash,
                number: *block.header.number(),
            });
            Some(Event::Best(blocks))
        });
    let is_final = client
        .finality_notification_stream()
        .map(|block| Event::Final(*block.header.number()));
    stream::select(best.boxed(), is_final.boxed())
}
