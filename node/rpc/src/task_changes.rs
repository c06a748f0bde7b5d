// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The subscription to changes of tasks: more than a read, so by hand.

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
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Header as _;
use tos_runtime::{opaque::Block, AccountId, BlockNumber, Hash};
use tos_runtime_api::TosApi as TosRuntimeApi;
use tos_types::TaskId;
use tos_views::TaskChange;

/// Subject that a chain lacks if it cannot answer.
const SUBJECT: &str = "tasks";

/// The subscription.
#[rpc(server, namespace = "tos")]
pub trait TaskChangesApi {
    /// Changes of all tasks, or of one, as blocks become best and final. With `from`, those of the final blocks from this height on
    /// come first. It ends with an error that names where to go on.
    #[subscription(name = "subscribeTasks" => "taskChange", unsubscribe = "unsubscribeTasks", item = ChangeNotice)]
    async fn subscribe_tasks(
        &self,
        id: Option<TaskId>,
        from: Option<BlockNumber>,
    ) -> SubscriptionCloseResponse;
}

/// Answers from a client.
pub struct TaskChangesRpc<C> {
    client: Arc<C>,
}

impl<C> TaskChangesRpc<C> {
    /// Answers from `client`.
    pub fn new(client: Arc<C>) -> Self {
        Self { client }
    }
}

#[async_trait]
impl<C> TaskChangesApiServer for TaskChangesRpc<C>
where
    C: ProvideRuntimeApi<Block>
        + HeaderBackend<Block>
        + BlockchainEvents<Block>
        + Send
        + Sync
        + 'static,
    C::Api: TosRuntimeApi<Block, AccountId>,
{
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

impl<C> TaskChangesRpc<C>
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
