// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Reads the state of one block for an answer, where its runtime has the API that is asked.
//!
//! The node also runs chains that have none of TOS's own runtime APIs: the yardstick of load runs is one. Whether a block's runtime
//! has one is asked by `ApiExt::api_version` and not by `has_api`, which would refuse a runtime with a newer version: that one is
//! called all the same, and a call that then fails is an error.

use polkadot_sdk::*;

use jsonrpsee::{core::RpcResult, types::ErrorObjectOwned};
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi, RuntimeApiInfo};
use sp_blockchain::HeaderBackend;
use tos_runtime::{opaque::Block, Hash};

/// The code of an error that the runtime or the database reports.
const INTERNAL: i32 = 1_500;
/// The code of a question that this chain has no answer to: its runtime knows nothing of the subject.
const NOT_OFFERED: i32 = 1_006;
/// The code of a block that this node does not know.
const UNKNOWN_BLOCK: i32 = 1_004;

fn error(code: i32, what: impl ToString) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, what.to_string(), None::<()>)
}

/// The block to read: the one named, if this node has it, or the best one.
pub fn block<C>(client: &C, at: Option<Hash>) -> RpcResult<Hash>
where
    C: HeaderBackend<Block>,
{
    match at {
        None => Ok(client.info().best_hash),
        Some(hash) => match client.number(hash) {
            Ok(Some(_)) => Ok(hash),
            Ok(None) => Err(error(UNKNOWN_BLOCK, format!("unknown block {hash:?}"))),
            Err(cause) => Err(error(INTERNAL, cause)),
        },
    }
}

/// Fails where the chain's runtime, at a block, lacks the API `A`; `subject` says what that is about.
pub fn offered<A>(client: &impl ProvideRuntimeApi<Block>, at: Hash, subject: &str) -> RpcResult<()>
where
    A: RuntimeApiInfo + ?Sized,
{
    match client.runtime_api().api_version::<A>(at) {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(error(NOT_OFFERED, format!("this chain has no {subject}"))),
        Err(cause) => Err(error(INTERNAL, cause)),
    }
}

/// Fails where that API is of a version below `since`, in which `subject` came.
pub fn offered_since<A>(
    client: &impl ProvideRuntimeApi<Block>,
    at: Hash,
    since: u32,
    subject: &str,
) -> RpcResult<()>
where
    A: RuntimeApiInfo + ?Sized,
{
    match client.runtime_api().api_version::<A>(at) {
        Ok(Some(version)) if version >= since => Ok(()),
        Ok(_) => Err(error(
            NOT_OFFERED,
            format!("the runtime of this block has no {subject}"),
        )),
        Err(cause) => Err(error(INTERNAL, cause)),
    }
}

/// Answer of `call`, which reads from the block `at` by the API `A`; `subject` says what that is about.
pub fn read<A, C, T>(
    client: &C,
    subject: &str,
    at: Hash,
    call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
) -> RpcResult<T>
where
    A: RuntimeApiInfo + ?Sized,
    C: ProvideRuntimeApi<Block>,
{
    offered::<A>(client, at, subject)?;
    call(&client.runtime_api(), at).map_err(|cause| error(INTERNAL, cause))
}
