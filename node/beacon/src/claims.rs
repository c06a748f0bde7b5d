// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that a block includes.

use polkadot_sdk::*;

use sp_api::{ApiError, ApiExt, CallContext};
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use tos_runtime_api::BeaconApi;
use tos_types::beacon::SlotClaim;

use super::{client::BeaconClient, follow::tip_at, tip::BeaconTip};

/// The slots that a block includes, and what they follow.
pub struct BlockClaims {
    /// The beacon after the parent.
    pub tip: BeaconTip,
    /// The slots that the block includes.
    pub claims: Vec<SlotClaim>,
}

/// The slots that a block with this parent and body includes; `None` if there are none, or its
/// chain has no beacon.
pub fn block_claims<Block, C>(
    client: &C,
    parent: H256,
    body: Vec<Block::Extrinsic>,
) -> Result<Option<BlockClaims>, ApiError>
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    let mut api = client.runtime_api();
    // Asked of the code that executes the block, and of no other: a chain without a beacon has
    // nothing to check, and no author can make this one look like such a chain. The context makes the difference
    // where the parent leaves a code behind that takes effect with the next block.
    api.set_call_context(CallContext::Onchain { import: true });
    if api.api_version::<dyn BeaconApi<Block>>(parent)?.is_none() {
        return Ok(None);
    }
    let claims = api.beacon_claims(parent, body)?;
    if claims.is_empty() {
        return Ok(None);
    }
    let tip = tip_at(client, parent)?;
    Ok(Some(BlockClaims { tip, claims }))
}
