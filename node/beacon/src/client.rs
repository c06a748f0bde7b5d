// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Bounds on the client of a chain that may have a beacon, in one place.

use polkadot_sdk::*;

use sc_client_api::{BlockBackend, BlockchainEvents};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_runtime::traits::Block as BlockT;
use tos_runtime_api::BeaconApi;

/// Client through which the beacon reads its chain. Implemented for every client that has the parts; the chain itself need not
/// have a beacon, which is asked of each block's runtime.
pub trait BeaconClient<Block: BlockT>:
    ProvideRuntimeApi<Block, Api: BeaconApi<Block>>
    + HeaderBackend<Block>
    + BlockBackend<Block>
    + BlockchainEvents<Block>
    + Send
    + Sync
    + 'static
{
}

impl<Block, C> BeaconClient<Block> for C
where
    Block: BlockT,
    C: ProvideRuntimeApi<Block>
        + HeaderBackend<Block>
        + BlockBackend<Block>
        + BlockchainEvents<Block>
        + Send
        + Sync
        + 'static,
    C::Api: BeaconApi<Block>,
{
}
