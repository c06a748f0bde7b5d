// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `tos_*` methods about the beacon.

use super::query;
use polkadot_sdk::*;

use std::sync::Arc;

use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use tos_node_beacon::{Beacon, Statistics};
use tos_runtime::{opaque::Block, Hash};
use tos_runtime_api::BeaconApi as BeaconRuntimeApi;
use tos_types::beacon::Slot;
use tos_views::{BeaconView, SlotRecordView, MAX_BEACON_RECORDS};

/// The methods.
#[rpc(server, namespace = "tos")]
pub trait BeaconRpcApi {
    /// The beacon after a block: its head, its epochs and the entropy to come.
    #[method(name = "beacon", blocking)]
    fn beacon(&self, at: Option<Hash>) -> RpcResult<BeaconView>;

    /// Slots that the chain has included, from `from` upwards, 64 at most.
    #[method(name = "beaconRecords", blocking)]
    fn beacon_records(
        &self,
        from: Slot,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Vec<SlotRecordView>>;

    /// Slots that this node has computed and verified since it started, and its speed.
    #[method(name = "timekeeper")]
    fn timekeeper(&self) -> RpcResult<Statistics>;
}

/// Answers from a client and the node's own beacon.
pub struct BeaconRpc<C> {
    client: Arc<C>,
    beacon: Arc<Beacon>,
}

impl<C> BeaconRpc<C> {
    /// Answers from `client` and `beacon`.
    pub fn new(client: Arc<C>, beacon: Arc<Beacon>) -> Self {
        Self { client, beacon }
    }
}

impl<C> BeaconRpc<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
{
    fn read<T>(
        &self,
        at: Option<Hash>,
        call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
    ) -> RpcResult<T> {
        query::read::<dyn BeaconRuntimeApi<Block>, _, _>(&*self.client, "beacon", at, call)
    }
}

impl<C> BeaconRpcApiServer for BeaconRpc<C>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
    C::Api: BeaconRuntimeApi<Block>,
{
    fn beacon(&self, at: Option<Hash>) -> RpcResult<BeaconView> {
        self.read(at, |api, hash| api.beacon(hash))
    }

    fn beacon_records(
        &self,
        from: Slot,
        limit: Option<u32>,
        at: Option<Hash>,
    ) -> RpcResult<Vec<SlotRecordView>> {
        let limit = limit
            .unwrap_or(MAX_BEACON_RECORDS)
            .clamp(1, MAX_BEACON_RECORDS);
        self.read(at, |api, hash| api.beacon_records(hash, from, limit))
    }

    fn timekeeper(&self) -> RpcResult<Statistics> {
        Ok(Statistics::of(&self.beacon))
    }
}
