// SPDX-License-Identifier: Apache-2.0

//! Blocks by number and hash: the heads of a chain, and the places between them.

use crate::{
    error::{Error, Result},
    rpc::{rpc_params, Rpc},
};
use serde::{Deserialize, Serialize};
use subxt::config::substrate::{SubstrateHeader, H256};
use tos_types::json::{self, to_hex};

/// A hash of 256 bits: of a block, or of a transaction as it is encoded.
pub type Hash = [u8; 32];

/// A header as nodes send it.
pub type Header = SubstrateHeader<H256>;

/// A block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// Its number.
    pub number: u64,
    /// Its hash.
    #[serde(with = "json::hash")]
    pub hash: Hash,
}

/// One of the two heads of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// The last block of the best chain.
    Best,
    /// The last final block.
    Final,
}

/// The head of the chain behind a connection.
pub async fn head(rpc: &Rpc, which: Head) -> Result<Block> {
    let method = match which {
        Head::Best => "chain_getBlockHash",
        Head::Final => "chain_getFinalizedHead",
    };
    let hash: H256 = rpc.call(method, rpc_params![]).await?;
    let header: Option<Header> = rpc.call("chain_getHeader", rpc_params![hash]).await?;
    match header {
        Some(header) => Ok(Block {
            number: header.number,
            hash: hash.0,
        }),
        None => Err(Error::Failed(format!(
            "the node has no block {}",
            to_hex(&hash.0)
        ))),
    }
}

/// The hash of the best chain's block of this number, if the node has it.
pub async fn block_hash(rpc: &Rpc, number: u64) -> Result<Option<Hash>> {
    let params = rpc_params![number];
    let hash: Option<H256> = rpc.call("chain_getBlockHash", params).await?;
    Ok(hash.map(|hash| hash.0))
}
