// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `tos_*` methods about storage.

use super::query;
use polkadot_sdk::*;

use std::sync::Arc;

use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use serde::{Deserialize, Serialize};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use tos_runtime::{opaque::Block, AccountId, Hash};
use tos_runtime_api::StorageApi as StorageRuntimeApi;
use tos_types::{DealId, ReplicaId};
use tos_views::{
    ContinuityError, ContinuityView, DealView, ProviderView, ReplicaView, StorageStats, WindowView,
};

/// Time for which a replica has been proven without a gap, or the reason for which that is not certified.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Continuity {
    /// The streak, if it is long enough.
    pub certified: Option<ContinuityView>,
    /// Why not, otherwise.
    pub refusal: Option<ContinuityError>,
}

/// The methods.
#[rpc(server, namespace = "tos")]
pub trait StorageRpcApi {
    /// Totals of storage, and the scale of the network.
    #[method(name = "storageStats", blocking)]
    fn storage_stats(&self, at: Option<Hash>) -> RpcResult<StorageStats>;

    /// The current window.
    #[method(name = "storageWindow", blocking)]
    fn storage_window(&self, at: Option<Hash>) -> RpcResult<WindowView>;

    /// A storage provider; null when there is none.
    #[method(name = "provider", blocking)]
    fn provider(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<ProviderView>>;

    /// A storage deal; null when there is none.
    #[method(name = "deal", blocking)]
    fn deal(&self, id: DealId, at: Option<Hash>) -> RpcResult<Option<DealView<AccountId>>>;

    /// A replica; null when there is none.
    #[method(name = "replica", blocking)]
    fn replica(&self, id: ReplicaId, at: Option<Hash>)
        -> RpcResult<Option<ReplicaView<AccountId>>>;

    /// Time for which a replica has been proven without a gap.
    #[method(name = "continuity", blocking)]
    fn continuity(&self, id: ReplicaId, at: Option<Hash>) -> RpcResult<Continuity>;
}

/// Answers from a client.
pub struct StorageRpc<C> {
    client: Arc<C>,
}

impl<C> StorageRpc<C> {
    /// Answers from `client`.
    pub fn new(client: Arc<C>) -> Self {
        Self { client }
    }
}

impl<C> StorageRpc<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
{
    fn read<T>(
        &self,
        at: Option<Hash>,
        call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
    ) -> RpcResult<T> {
        query::read::<dyn StorageRuntimeApi<Block, AccountId>, _, _>(
            &*self.client,
            "storage",
            at,
            call,
        )
    }
}

impl<C> StorageRpcApiServer for StorageRpc<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: StorageRuntimeApi<Block, AccountId>,
{
    fn storage_stats(&self, at: Option<Hash>) -> RpcResult<StorageStats> {
        self.read(at, |api, hash| api.storage_stats(hash))
    }

    fn storage_window(&self, at: Option<Hash>) -> RpcResult<WindowView> {
        self.read(at, |api, hash| api.window(hash))
    }

    fn provider(&self, who: AccountId, at: Option<Hash>) -> RpcResult<Option<ProviderView>> {
        self.read(at, |api, hash| api.provider(hash, who))
    }

    fn deal(&self, id: DealId, at: Option<Hash>) -> RpcResult<Option<DealView<AccountId>>> {
        self.read(at, |api, hash| api.deal(hash, id))
    }

    fn replica(
        &self,
        id: ReplicaId,
        at: Option<Hash>,
    ) -> RpcResult<Option<ReplicaView<AccountId>>> {
        self.read(at, |api, hash| api.replica(hash, id))
    }

    fn continuity(&self, id: ReplicaId, at: Option<Hash>) -> RpcResult<Continuity> {
        let answer = self.read(at, |api, hash| api.continuity(hash, id))?;
        Ok(match answer {
            Ok(certified) => Continuity {
                certified: Some(certified),
                refusal: None,
            },
            Err(refusal) => Continuity {
                certified: None,
                refusal: Some(refusal),
            },
        })
    }
}
