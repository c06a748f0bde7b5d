// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Re-executes the slots of unfinalised blocks that were imported without: those that came while
//! the node synchronised, those of before it started, and second blocks of one author in one slot.
//! Until it is done, the node neither votes for them nor authors on them.

use polkadot_sdk::*;
use std::{sync::Arc, time::Duration};

use sc_client_api::BlockBackend;
use sp_api::{ApiError, ApiExt, CallContext, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use tos_primitives::beacon::SlotClaim;
use tos_runtime::{
    opaque::{Block, UncheckedExtrinsic},
    Hash, Header,
};
use tos_runtime_api::BeaconApi;

use super::{
    chain::outlook_at,
    checks::Mark,
    import::{check, inputs_of, Fault},
    outlook::Outlook,
    slot::SlotInputs,
    state::{Beacon, Event},
    LOG,
};
use crate::{offers, service::FullClient};

/// Time after which an audit that could not be finished is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Slots that are looked at together: walked side by side, they take little longer than one.
const TOGETHER: usize = 24;
/// Blocks that are looked at together, if they include fewer slots.
const BLOCKS: usize = 256;

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

/// The blocks that are to be looked at, lowest first: `lowest` and what follows it up to `best`.
fn suffix(client: &FullClient, lowest: &Header, best: Hash) -> Vec<Header> {
    let mut blocks = Vec::new();
    let mut at = client.header(best).ok().flatten();
    while let Some(header) = at.filter(|header| header.number >= lowest.number) {
        at = client.header(header.parent_hash).ok().flatten();
        blocks.push(header);
    }
    blocks.reverse();
    blocks
}

/// Audits some of the blocks up to the best one. `true` if there may be more to do at once.
fn audit(client: &FullClient, beacon: &Beacon) -> Result<bool, String> {
    let best = client.info().best_hash;
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let header = client.header(best).map_err(|error| text(&error))?;
    let Some(header) = header else {
        return Ok(false);
    };
    let lowest = beacon
        .checks
        .lowest_open(client, header)
        .map_err(|error| text(&error))?;
    let Some(lowest) = lowest else {
        return Ok(false);
    };
    let mut batch: Vec<(Header, Option<Said>)> = Vec::new();
    let mut inputs: Vec<SlotInputs> = Vec::new();
    for header in suffix(client, &lowest, best) {
        match beacon.checks.of(&header.hash()) {
            Some(Mark::Right) => continue,
            // What follows a false slot is not worth looking at.
            Some(Mark::False) => break,
            None => {}
        }
        let body = client
            .block_body(header.hash())
            .map_err(|error| text(&error))?
            .ok_or_else(|| format!("block {} has no body here", header.number))?;
        let said = said(client, header.parent_hash, body).map_err(|error| text(&error))?;
        if let Some(Said { outlook, claims }) = &said {
            inputs.extend(inputs_of(outlook, claims).unwrap_or_default());
        }
        batch.push((header, said));
        if inputs.len() >= TOGETHER || batch.len() >= BLOCKS {
            break;
        }
    }
    if batch.is_empty() {
        return Ok(false);
    }
    inputs.retain(|inputs| !beacon.knows(&inputs.id()));
    if !inputs.is_empty() {
        // Peers may be faster: they send proofs.
        beacon.tell(Event::Wanted(inputs.clone()));
        beacon
            .obtain(&inputs)
            .map_err(|_| "slots could not be computed".to_string())?;
    }
    for (header, said) in batch {
        if !judge(beacon, &header, said) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Marks a block. `true` if the blocks after it are worth looking at.
fn judge(beacon: &Beacon, header: &Header, said: Option<Said>) -> bool {
    let verdict = said.map_or(Ok(()), |said| check(beacon, &said.outlook, &said.claims));
    match verdict {
        Ok(()) => {
            beacon.checks.note(header.hash(), Mark::Right);
            true
        }
        Err(Fault::Interrupted) => false,
        Err(fault) => {
            log::error!(
                target: LOG,
                "block {} ({:?}) on the best chain includes a false slot: {fault:?}. This node makes no \
                 block on it and votes for none; anybody can prove it with `dispute_slot`",
                header.number,
                header.hash(),
            );
            beacon.checks.note(header.hash(), Mark::False);
            false
        }
    }
}

/// Starts the auditor. It ends when the beacon is stopped.
pub fn start(client: Arc<FullClient>, beacon: Arc<Beacon>) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("beacon-audit".into())
        .spawn(move || {
            while !beacon.stopping() {
                let generation = beacon.generation();
                let more = beacon.follows_head()
                    && audit(&client, &beacon).unwrap_or_else(|error| {
                        log::debug!(target: LOG, "the audit of slots waits: {error}");
                        false
                    });
                if !more {
                    beacon.wait(generation, PAUSE);
                }
            }
        })?;
    Ok(())
}
