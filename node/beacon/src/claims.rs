// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that a block includes.

use polkadot_sdk::*;

use sp_api::{ApiError, ApiExt, CallContext, ProvideRuntimeApi};
use tos_primitives::beacon::SlotClaim;
use tos_runtime::{
    opaque::{Block, UncheckedExtrinsic},
    Hash,
};
use tos_runtime_api::BeaconApi;

use super::{chain::outlook_at, outlook::Outlook};
use crate::{client::FullClient, offers};

/// The slots that a block includes, and what they follow.
pub struct Said {
    /// The beacon after the parent.
    pub outlook: Outlook,
    /// The slots that the block includes.
    pub claims: Vec<SlotClaim>,
}

/// The slots that a block with this parent and body includes; `None` if there are none, or its
/// chain has no beacon.
pub fn said(
    client: &FullClient,
    parent: Hash,
    body: Vec<UncheckedExtrinsic>,
) -> Result<Option<Said>, ApiError> {
    // Asked of the code that executes the block, and of no other: a chain without a beacon has
    // nothing to check, and nobody can make this one look like such a chain.
    if !offers::executes::<dyn BeaconApi<Block>>(client, parent)? {
        return Ok(None);
    }
    let mut api = client.runtime_api();
    api.set_call_context(CallContext::Onchain { import: true });
    let claims = api.beacon_claims(parent, body)?;
    if claims.is_empty() {
        return Ok(None);
    }
    let outlook = outlook_at(client, parent)?;
    Ok(Some(Said { outlook, claims }))
}
