// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Answers to which the node adds what the runtime does not know: reads that the table calls `computed`.

use crate::{answers::ChainStatus, query};
use polkadot_sdk::*;

use jsonrpsee::core::RpcResult;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use tos_runtime::{opaque::Block, AccountId, Hash};
use tos_runtime_api::TosApi;

/// The state of the protocol, the height of its block, and that of the last finalised one.
pub fn chain<C>(client: &C, subject: &str, at: Option<Hash>) -> RpcResult<ChainStatus>
where
    C: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
    C::Api: TosApi<Block, AccountId>,
{
    type Api = dyn TosApi<Block, AccountId>;
    let at = query::block(client, at)?;
    let protocol = query::read::<Api, _, _>(client, subject, at, |api, hash| api.chain(hash))?;
    let block = client.number(at).ok().flatten().unwrap_or_default();
    Ok(ChainStatus {
        at,
        block,
        finalized: client.info().finalized_number,
        protocol,
    })
}
