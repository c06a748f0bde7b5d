// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Reads the state of one block for an answer.

use polkadot_sdk::*;

use jsonrpsee::{core::RpcResult, types::ErrorObjectOwned};
use sp_api::{ApiError, CallApiAt, ProvideRuntimeApi, RuntimeApiInfo};
use sp_blockchain::HeaderBackend;
use tos_runtime::{opaque::Block, Hash};

use crate::offers;

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
pub fn offered<A>(client: &impl CallApiAt<Block>, at: Hash, subject: &str) -> RpcResult<()>
where
    A: RuntimeApiInfo + ?Sized,
{
    match offers::answers::<A>(client, at) {
        Ok(true) => Ok(()),
        Ok(false) => Err(error(NOT_OFFERED, format!("this chain has no {subject}"))),
        Err(cause) => Err(error(INTERNAL, cause)),
    }
}

/// Fails where that API is of a version below `since`, in which `subject` came.
pub fn offered_since<A>(
    client: &impl CallApiAt<Block>,
    at: Hash,
    since: u32,
    subject: &str,
) -> RpcResult<()>
where
    A: RuntimeApiInfo + ?Sized,
{
    match offers::version_of::<A>(client, at) {
        Ok(Some(version)) if version >= since => Ok(()),
        Ok(_) => Err(error(
            NOT_OFFERED,
            format!("the runtime of this block has no {subject}"),
        )),
        Err(cause) => Err(error(INTERNAL, cause)),
    }
}

/// What `call` reads from that block by the API `A`, which is about `subject`.
pub fn read<A, C, T>(
    client: &C,
    subject: &str,
    at: Option<Hash>,
    call: impl FnOnce(&C::Api, Hash) -> Result<T, ApiError>,
) -> RpcResult<T>
where
    A: RuntimeApiInfo + ?Sized,
    C: ProvideRuntimeApi<Block> + CallApiAt<Block> + HeaderBackend<Block>,
{
    let hash = block(client, at)?;
    offered::<A>(client, hash, subject)?;
    call(&client.runtime_api(), hash).map_err(|cause| error(INTERNAL, cause))
}
