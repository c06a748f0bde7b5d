// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Refuses blocks that include false slots.
//!
//! The runtime re-executes four fine segments of a block's slots; a node that follows the head of
//! the chain re-executes all of them, before the block is imported. The verdict depends on nothing
//! but the block, so all honest nodes agree. Blocks that come while the node synchronises are
//! covered by the runtime's check and by finality.

use polkadot_sdk::*;
use std::sync::Arc;

use parking_lot::Mutex;
use sc_consensus::{
    BlockCheckParams, BlockImport, BlockImportParams, ImportResult, StateAction, StorageChanges,
};
use schnellru::{ByLength, LruMap};
use sp_api::{ApiExt, CallContext, ProvideRuntimeApi};
use sp_consensus::{BlockOrigin, BlockStatus, Error as ConsensusError};
use sp_runtime::traits::Header as _;
use tos_primitives::beacon::SlotClaim;
use tos_runtime::{opaque::Block, Hash};
use tos_runtime_api::BeaconApi;

use super::{
    chain::outlook_at,
    outlook::Outlook,
    slot::SlotInputs,
    state::{Beacon, Event, Interrupted},
    LOG,
};
use crate::{offers, service::FullClient};

/// Refused blocks that are remembered, so that none costs a second of computing twice.
const REFUSED: u32 = 256;

/// What is wrong with the slots of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// This slot is false.
    False(u64),
    /// A slot's start is not known to the chain: the block cannot be valid.
    Unfounded,
    /// It cannot be told, because the node is shutting down or lacks memory.
    Interrupted,
}

impl From<Interrupted> for Fault {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Whether a block's slots are re-executed.
fn is_due(origin: BlockOrigin, follows_head: bool, executes: bool) -> bool {
    let sent_now = match origin {
        BlockOrigin::NetworkInitialSync
        | BlockOrigin::NetworkBroadcast
        | BlockOrigin::ConsensusBroadcast
        | BlockOrigin::Own => true,
        BlockOrigin::Genesis | BlockOrigin::File | BlockOrigin::WarpSync | BlockOrigin::GapSync => {
            false
        }
    };
    sent_now && follows_head && executes
}

/// Whether the block's body is executed, here or, for our own block, a moment ago.
fn executes(action: &StateAction<Block>) -> bool {
    match action {
        StateAction::ApplyChanges(StorageChanges::Import(_)) | StateAction::Skip => false,
        StateAction::ApplyChanges(StorageChanges::Changes(_))
        | StateAction::Execute
        | StateAction::ExecuteIfPossible => true,
    }
}

/// The inputs of each claimed slot, if the ones before are right.
fn inputs_of(outlook: &Outlook, claims: &[SlotClaim]) -> Result<Vec<SlotInputs>, Fault> {
    let mut next = outlook.first();
    let mut all = Vec::with_capacity(claims.len());
    for claim in claims {
        let inputs = next.map_err(|_| Fault::Unfounded)?;
        next = outlook.after(&inputs, &claim.end);
        all.push(inputs);
    }
    Ok(all)
}

/// Whether every claim is right. Takes a second for each slot that is not known and that no peer
/// sends in time.
pub fn check(beacon: &Beacon, outlook: &Outlook, claims: &[SlotClaim]) -> Result<(), Fault> {
    let inputs = inputs_of(outlook, claims)?;
    let missing: Vec<_> = inputs
        .iter()
        .filter(|inputs| !beacon.knows(&inputs.id()))
        .cloned()
        .collect();
    if !missing.is_empty() {
        beacon.tell(Event::Wanted(missing));
    }
    for (inputs, claim) in inputs.iter().zip(claims) {
        let root = claim.fine_root;
        if beacon.obtain(inputs)?.agrees(&claim.end, &root) {
            continue;
        }
        // Before the author is called a liar, our own memory is doubted.
        if !beacon.recompute(inputs)?.agrees(&claim.end, &root) {
            return Err(Fault::False(inputs.slot));
        }
    }
    Ok(())
}

/// Checks the slots of a block, then hands it on. It wraps BABE's import, so a block gets here
/// with its seal verified: only an authority can make us compute.
pub struct BeaconBlockImport<I> {
    inner: I,
    client: Arc<FullClient>,
    beacon: Arc<Beacon>,
    refused: Arc<Mutex<LruMap<Hash, ()>>>,
}

impl<I> BeaconBlockImport<I> {
    /// Checks before `inner` imports.
    pub fn new(inner: I, client: Arc<FullClient>, beacon: Arc<Beacon>) -> Self {
        Self {
            inner,
            client,
            beacon,
            refused: Arc::new(Mutex::new(LruMap::new(ByLength::new(REFUSED)))),
        }
    }

    fn is_refused(&self, hash: &Hash) -> bool {
        self.refused.lock().peek(hash).is_some()
    }

    fn check(&self, block: &BlockImportParams<Block>) -> Result<Result<(), Fault>, ConsensusError> {
        let due = is_due(
            block.origin,
            self.beacon.follows_head(),
            executes(&block.state_action),
        );
        let (Some(body), true) = (&block.body, due) else {
            return Ok(Ok(()));
        };
        let client_error = |error: String| ConsensusError::ClientImport(error);
        let parent: Hash = *block.header.parent_hash();
        let status = self
            .client
            .block_status(parent)
            .map_err(|error| client_error(error.to_string()))?;
        // Without its parent's state the block is not executed either.
        if !matches!(status, BlockStatus::InChainWithState) {
            return Ok(Ok(()));
        }
        // Asked of the code that is about to execute the block, and of no other: a chain without a
        // beacon has nothing to check, and nobody can make this one look like such a chain.
        let has_beacon = offers::executes::<dyn BeaconApi<Block>>(&*self.client, parent)
            .map_err(|error| client_error(error.to_string()))?;
        if !has_beacon {
            return Ok(Ok(()));
        }
        let mut api = self.client.runtime_api();
        api.set_call_context(CallContext::Onchain { import: true });
        let claims = api
            .beacon_claims(parent, body.clone())
            .map_err(|error| client_error(error.to_string()))?;
        if claims.is_empty() {
            return Ok(Ok(()));
        }
        let outlook =
            outlook_at(&self.client, parent).map_err(|error| client_error(error.to_string()))?;
        Ok(check(&self.beacon, &outlook, &claims))
    }
}

impl<I: Clone> Clone for BeaconBlockImport<I> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            client: Arc::clone(&self.client),
            beacon: Arc::clone(&self.beacon),
            refused: Arc::clone(&self.refused),
        }
    }
}

#[async_trait::async_trait]
impl<I> BlockImport<Block> for BeaconBlockImport<I>
where
    I: BlockImport<Block, Error = ConsensusError> + Send + Sync,
{
    type Error = ConsensusError;

    async fn check_block(
        &self,
        block: BlockCheckParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        if self.is_refused(&block.hash) {
            return Ok(ImportResult::KnownBad);
        }
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        let hash = block.post_hash();
        if self.is_refused(&hash) {
            return Ok(ImportResult::KnownBad);
        }
        // Both users of this, the import queue and the author, run on threads that may block.
        let verdict = self.check(&block)?;
        match verdict {
            Ok(()) => self.inner.import_block(block).await,
            Err(Fault::Interrupted) => Err(ConsensusError::ClientImport(
                "the slots of the block could not be computed".into(),
            )),
            Err(fault) => {
                log::warn!(
                    target: LOG,
                    "block {} ({hash:?}) is refused: {fault:?}",
                    block.header.number(),
                );
                self.refused.lock().insert(hash, ());
                Ok(ImportResult::KnownBad)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::testing::{beacon, outlook};

    /// The claims of the first `count` slots, computed by an honest author.
    fn honest(outlook: &Outlook, count: usize) -> Vec<SlotClaim> {
        let (author, _events) = beacon();
        let mut claims: Vec<SlotClaim> = Vec::new();
        let mut next = outlook.first();
        while claims.len() < count {
            let inputs = next.expect("known");
            let slot = author.obtain(&inputs).expect("computes");
            next = outlook.after(&inputs, slot.end());
            claims.push(SlotClaim {
                end: *slot.end(),
                fine_root: slot.proof.fine_root,
            });
        }
        claims
    }

    #[test]
    fn slots_are_checked_near_the_head_only_and_only_where_blocks_are_executed() {
        for origin in [
            BlockOrigin::NetworkBroadcast,
            BlockOrigin::NetworkInitialSync,
            BlockOrigin::Own,
        ] {
            assert!(is_due(origin, true, true));
            assert!(!is_due(origin, false, true));
            assert!(!is_due(origin, true, false));
        }
        for origin in [
            BlockOrigin::File,
            BlockOrigin::WarpSync,
            BlockOrigin::GapSync,
        ] {
            assert!(!is_due(origin, true, true));
        }
        assert!(!executes(&StateAction::Skip));
        assert!(executes(&StateAction::Execute));
    }

    #[test]
    fn right_slots_pass_whether_or_not_they_are_known() {
        let (beacon, _events) = beacon();
        let outlook = outlook(0);
        let claims = honest(&outlook, 3);
        assert_eq!(check(&beacon, &outlook, &claims), Ok(()));
        assert_eq!(beacon.counts.evaluated_slots(), 3);
        assert_eq!(check(&beacon, &outlook, &claims), Ok(()));
        assert_eq!(beacon.counts.evaluated_slots(), 3);
    }

    #[test]
    fn missing_slots_are_asked_for_before_they_are_computed() {
        let (beacon, mut events) = beacon();
        let outlook = outlook(0);
        check(&beacon, &outlook, &honest(&outlook, 2)).expect("right");
        let Ok(Event::Wanted(wanted)) = events.try_recv() else {
            panic!("nothing was asked for");
        };
        assert_eq!(wanted.len(), 2);
    }

    #[test]
    fn a_false_end_or_root_is_found_wherever_it_is() {
        let outlook = outlook(0);
        let claims = honest(&outlook, 4);
        for index in 0..4 {
            let (beacon, _events) = beacon();
            let mut forged = claims.clone();
            forged[index].end[10] ^= 1;
            let slot = u64::try_from(index).expect("small") + 1;
            assert_eq!(check(&beacon, &outlook, &forged), Err(Fault::False(slot)));
            let mut forged = claims.clone();
            forged[index].fine_root = [7; 32];
            assert_eq!(check(&beacon, &outlook, &forged), Err(Fault::False(slot)));
        }
    }

    #[test]
    fn slots_skipped_or_replayed_are_false() {
        let (beacon, _events) = beacon();
        let outlook = outlook(0);
        let claims = honest(&outlook, 3);
        let skipped = check(&beacon, &outlook, &claims[1..]);
        assert_eq!(skipped, Err(Fault::False(1)));
        let twice = [claims[0].clone(), claims[0].clone()];
        assert_eq!(check(&beacon, &outlook, &twice), Err(Fault::False(2)));
    }

    #[test]
    fn a_slot_whose_entropy_is_not_recorded_cannot_be_included() {
        let (beacon, _events) = beacon();
        let outlook = outlook(24);
        let claim = SlotClaim {
            end: [1; 64],
            fine_root: [1; 32],
        };
        assert_eq!(check(&beacon, &outlook, &[claim]), Err(Fault::Unfounded));
    }

    #[test]
    fn a_node_that_stops_calls_nobody_a_liar() {
        let (beacon, _events) = beacon();
        let outlook = outlook(0);
        let claims = honest(&outlook, 1);
        beacon.stop();
        assert_eq!(check(&beacon, &outlook, &claims), Err(Fault::Interrupted));
    }
}
