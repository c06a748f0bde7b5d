// SPDX-License-Identifier: Apache-2.0

//! Calls and transactions by their bytes, and the part of a chain in which a transaction is good.

use super::head::{block_hash, Block, Hash};
use crate::{
    error::{Error, Result},
    keys::Keypair,
    rpc::{rpc_params, RequestError, Rpc},
};
use serde::de::IgnoredAny;
use std::sync::Arc;
use subxt::{
    config::{
        substrate::{AccountId32, MultiSignature, H256},
        DefaultExtrinsicParamsBuilder, SubstrateConfig,
    },
    ext::{scale_encode, scale_type_resolver::TypeResolver},
    metadata::Metadata,
    tx::{self, Payload},
};
use tos_types::{json::to_hex, Balance};

/// The method that offers a transaction to a node's pool.
pub const SUBMIT: &str = "author_submitExtrinsic";

/// A call whose arguments are encoded already.
#[derive(Clone, Debug)]
pub struct EncodedCall {
    pallet: &'static str,
    name: &'static str,
    arguments: Arguments,
}

/// The arguments of a call, in SCALE.
#[derive(Clone, Debug)]
pub struct Arguments(Arc<[u8]>);

/// A signed transaction.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The transaction as encoded for the node.
    pub bytes: Arc<[u8]>,
    /// The BLAKE2b-256 hash of the bytes: its identity in pools and blocks.
    pub hash: Hash,
}

/// The life of a transaction: what is in no block when it is over never will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mortality {
    /// Length in blocks: a power of two from 4 to 65,536.
    pub blocks: u64,
    /// The block that it begins at.
    pub from: Block,
}

impl EncodedCall {
    /// Names a call for these arguments. They are not checked.
    pub fn new(pallet: &'static str, name: &'static str, arguments: Vec<u8>) -> Self {
        Self {
            pallet,
            name,
            arguments: Arguments(arguments.into()),
        }
    }

    /// The call as calls are arguments of calls: the numbers of its pallet and of itself, and its
    /// arguments.
    pub(crate) fn encode(&self, metadata: &Metadata) -> Result<Vec<u8>> {
        let (pallet, name) = (self.pallet, self.name);
        let missing = || Error::Failed(format!("the chain has no call {pallet}.{name}"));
        let (pallet, call) = call_index(metadata, pallet, name).ok_or_else(missing)?;
        let mut bytes = vec![pallet, call];
        bytes.extend_from_slice(&self.arguments.0);
        Ok(bytes)
    }
}

impl scale_encode::EncodeAsFields for Arguments {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn scale_encode::FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl Payload for EncodedCall {
    type CallData = Arguments;

    fn pallet_name(&self) -> &str {
        self.pallet
    }

    fn call_name(&self) -> &str {
        self.name
    }

    fn call_data(&self) -> &Arguments {
        &self.arguments
    }
}

impl tx::Signer<SubstrateConfig> for Keypair {
    fn account_id(&self) -> AccountId32 {
        AccountId32(self.account().into())
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        Keypair::sign(self, payload)
    }
}

/// The numbers of a pallet and of one of its calls.
pub(crate) fn call_index(metadata: &Metadata, pallet: &str, name: &str) -> Option<(u8, u8)> {
    let pallet = metadata.pallet_by_name(pallet)?;
    let call = pallet.call_variant_by_name(name)?;
    Some((pallet.call_index(), call.index))
}

/// Parameters of a transaction besides its call. Without mortality it is good for ever.
pub(crate) fn parameters(
    nonce: u64,
    tip: Balance,
    mortality: Option<Mortality>,
) -> DefaultExtrinsicParamsBuilder<SubstrateConfig> {
    let parameters = DefaultExtrinsicParamsBuilder::new().nonce(nonce).tip(tip);
    match mortality {
        None => parameters.immortal(),
        Some(Mortality { blocks, from }) => {
            parameters.mortal_from_unchecked(blocks, from.number, H256(from.hash))
        }
    }
}

/// Offers a transaction to the node's pool. What becomes of it in blocks is not waited for.
pub async fn submit(rpc: &Rpc, transaction: &[u8]) -> Result<(), RequestError> {
    let params = rpc_params![to_hex(transaction)];
    rpc.request::<IgnoredAny>(SUBMIT, params).await.map(|_| ())
}

/// A life of so many blocks for a transaction that is sent now, by the last final block and the
/// number of the best one. It begins at the final one, so that it survives reorganisations, but never
/// so far back that half of it is over.
pub(crate) async fn mortality(rpc: &Rpc, blocks: u64, last: Block, best: u64) -> Result<Mortality> {
    let number = birth(blocks, last.number, best);
    if number == last.number {
        return Ok(Mortality { blocks, from: last });
    }
    let hash = block_hash(rpc, number).await?;
    let hash = hash.ok_or_else(|| Error::Failed(format!("the node has no block {number}")))?;
    Ok(Mortality {
        blocks,
        from: Block { number, hash },
    })
}

/// The number of the block at which a life of so many blocks begins, by those of the last final block
/// and the best one. Transactions have twelve bits for it: a longer life begins at a multiple of what
/// one step is.
fn birth(blocks: u64, last: u64, best: u64) -> u64 {
    let number = last.max(best.saturating_sub(blocks / 2));
    number - number % (blocks >> 12).max(1)
}

#[cfg(test)]
mod tests {
    use super::birth;

    #[test]
    fn a_life_begins_at_the_final_block_unless_half_of_it_would_be_over() {
        assert_eq!(birth(64, 100, 103), 100);
        assert_eq!(birth(64, 100, 132), 100);
        // Finality is behind: from the final block on, the transaction would be dead when it is signed.
        assert_eq!(birth(64, 100, 400), 368);
        assert_eq!(birth(64, 0, 10), 0);
    }

    #[test]
    fn a_long_life_begins_where_transactions_can_say_so() {
        assert_eq!(birth(4_096, 1_001, 1_003), 1_001);
        assert_eq!(birth(8_192, 1_001, 1_003), 1_000);
        assert_eq!(birth(65_536, 1_001, 1_003), 992);
    }
}
