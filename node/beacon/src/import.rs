// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Checks the slots that blocks include.
//!
//! The runtime re-executes four fine segments of a block's slots; a node re-executes all of them,
//! before it imports a block that has just been made. Cheap checks come first, what is left is
//! bounded for each block, and one block of an author in a slot is checked at once: a second one
//! waits for the audit (see [`super::audit`]), as do old blocks. A block with a false slot is set aside.

use polkadot_sdk::*;
use std::sync::Arc;

use parking_lot::Mutex;
use sc_consensus::{
    BlockCheckParams, BlockImport, BlockImportParams, ImportResult, StateAction, StorageChanges,
};
use sc_consensus_babe::find_pre_digest;
use schnellru::{ByLength, LruMap};
use sp_consensus::{BlockOrigin, BlockStatus, Error as ConsensusError};
use sp_core::H256;
use sp_runtime::traits::{Block as BlockT, Header as _};
use tos_types::beacon::{SlotClaim, MAX_SLOTS_PER_BLOCK};

use super::{
    claims::{block_claims, BlockClaims},
    client::BeaconClient,
    clock::now_ms,
    evaluator::Interrupted,
    marks::Mark,
    slot::SlotInputs,
    state::{Beacon, Event},
    sync_gate::SyncGate,
    tip::BeaconTip,
    LOG,
};

/// Blocks whose authors and slots are remembered, to tell the first one of each.
const AUTHORED: u32 = 1_024;

/// Fault in the slots of a block.
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

/// `true` if a block's slots are re-executed before it is imported.
fn is_due(origin: BlockOrigin, recent: bool, executes: bool) -> bool {
    let sent_now = match origin {
        BlockOrigin::NetworkInitialSync
        | BlockOrigin::NetworkBroadcast
        | BlockOrigin::ConsensusBroadcast
        | BlockOrigin::Own => true,
        BlockOrigin::Genesis | BlockOrigin::File | BlockOrigin::WarpSync | BlockOrigin::GapSync => {
            false
        }
    };
    sent_now && recent && executes
}

/// `true` if the block's body is executed, here or, for our own block, a moment ago.
fn executes<Block: BlockT>(action: &StateAction<Block>) -> bool {
    match action {
        StateAction::ApplyChanges(StorageChanges::Import(_)) | StateAction::Skip => false,
        StateAction::ApplyChanges(StorageChanges::Changes(_))
        | StateAction::Execute
        | StateAction::ExecuteIfPossible => true,
    }
}

/// `true` if a block of a time up to `latest_ms` may include so many slots. If not, the runtime
/// refuses it, and looking at its slots is a waste.
fn is_possible(tip: &BeaconTip, claims: &[SlotClaim], latest_ms: u64) -> bool {
    let count = u64::try_from(claims.len()).unwrap_or(u64::MAX);
    count <= MAX_SLOTS_PER_BLOCK.into()
        && tip.head.saturating_add(count) <= tip.cap(latest_ms)
        && inputs_of(tip, claims).is_ok()
}

/// Tells an author's first block in a BABE slot from its others.
struct Authored(LruMap<(u32, u64), H256>);

impl Authored {
    /// `true` if the block is the first one of this author and slot, also when it comes again.
    fn is_first(&mut self, author: u32, slot: u64, block: H256) -> bool {
        match self.0.get_or_insert((author, slot), || block) {
            Some(first) => *first == block,
            None => true,
        }
    }
}

/// The inputs of each claimed slot, if the ones before are right.
pub fn inputs_of(tip: &BeaconTip, claims: &[SlotClaim]) -> Result<Vec<SlotInputs>, Fault> {
    let mut next = tip.first();
    let mut all = Vec::with_capacity(claims.len());
    for claim in claims {
        let inputs = next.map_err(|_| Fault::Unfounded)?;
        next = tip.after(&inputs, &claim.end);
        all.push(inputs);
    }
    Ok(all)
}

/// `Ok` if every claim is right. Takes little more than a second for all slots together that are
/// not known and that no peer sends in time, and once as much for one that contradicts what is known.
pub fn check(beacon: &Beacon, tip: &BeaconTip, claims: &[SlotClaim]) -> Result<(), Fault> {
    let inputs = inputs_of(tip, claims)?;
    let missing: Vec<_> = inputs
        .iter()
        .filter(|inputs| !beacon.store.knows(&inputs.id()))
        .cloned()
        .collect();
    if !missing.is_empty() {
        beacon.tell(Event::Wanted(missing.clone()));
    }
    let slots = beacon.evaluator.obtain(&inputs)?;
    for ((inputs, claim), slot) in inputs.iter().zip(claims).zip(slots) {
        let root = claim.fine_root;
        if slot.agrees(&claim.end, &root) {
            // Peers hear only of what follows from what is right.
            if missing.contains(inputs) {
                beacon.tell(Event::Computed(slot));
            }
            continue;
        }
        // Before the author is called a liar, our own memory is doubted.
        if !beacon
            .evaluator
            .recompute(inputs)?
            .agrees(&claim.end, &root)
        {
            return Err(Fault::False(inputs.slot));
        }
    }
    Ok(())
}

/// Result of examining a block before it is imported.
enum Verdict {
    /// Its slots are right, or it has none.
    Right,
    /// They were not looked at.
    Open,
    /// This is wrong with them.
    Wrong(Fault),
}

/// Checks the slots of a block, then hands it on. It wraps BABE's import, so a block gets here
/// with its seal verified: only an authority can make us compute.
pub struct BeaconBlockImport<I, C> {
    inner: I,
    client: Arc<C>,
    beacon: Arc<Beacon>,
    /// Milliseconds of a BABE slot.
    slot_ms: u64,
    authored: Arc<Mutex<Authored>>,
}

impl<I, C> BeaconBlockImport<I, C> {
    /// Checks before `inner` imports. A BABE slot has so many milliseconds.
    pub fn new(inner: I, client: Arc<C>, beacon: Arc<Beacon>, slot_ms: u64) -> Self {
        Self {
            inner,
            client,
            beacon,
            slot_ms,
            authored: Arc::new(Mutex::new(Authored(LruMap::new(ByLength::new(AUTHORED))))),
        }
    }

    fn examine<Block>(&self, block: &BlockImportParams<Block>) -> Result<Verdict, ConsensusError>
    where
        Block: BlockT<Hash = H256>,
        C: BeaconClient<Block>,
    {
        let client_error =
            |error: &dyn std::fmt::Display| ConsensusError::ClientImport(error.to_string());
        let parent = *block.header.parent_hash();
        let checks = &self.beacon.checks;
        // What follows a false slot is set aside; if it becomes final all the same, the audit looks at the rest.
        if !checks
            .may_be_best(&*self.client, parent)
            .map_err(|error| client_error(&error))?
        {
            return Ok(Verdict::Open);
        }
        let digest =
            find_pre_digest::<Block>(&block.header).map_err(|error| client_error(&error))?;
        let slot = u64::from(digest.slot());
        let began_ms = slot.saturating_mul(self.slot_ms);
        let due = is_due(
            block.origin,
            SyncGate::is_recent(began_ms, now_ms()),
            executes(&block.state_action),
        );
        let (Some(body), true) = (&block.body, due) else {
            return Ok(Verdict::Open);
        };
        let status = self
            .client
            .block_status(parent)
            .map_err(|error| client_error(&error))?;
        // Without its parent's state the block is not executed either.
        if !matches!(status, BlockStatus::InChainWithState) {
            return Ok(Verdict::Open);
        }
        let included = block_claims(&*self.client, parent, body.clone())
            .map_err(|error| client_error(&error))?;
        let Some(BlockClaims { tip, claims }) = included else {
            return Ok(Verdict::Right);
        };
        // The runtime holds the block's time to its BABE slot.
        let latest_ms = began_ms.saturating_add(self.slot_ms);
        let author = digest.authority_index();
        let is_first = || {
            let hash = block.post_hash();
            self.authored.lock().is_first(author, slot, hash)
        };
        if !is_possible(&tip, &claims, latest_ms) || !is_first() {
            return Ok(Verdict::Open);
        }
        Ok(match check(&self.beacon, &tip, &claims) {
            Ok(()) => Verdict::Right,
            Err(fault) => Verdict::Wrong(fault),
        })
    }
}

impl<I: Clone, C> Clone for BeaconBlockImport<I, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            client: Arc::clone(&self.client),
            beacon: Arc::clone(&self.beacon),
            slot_ms: self.slot_ms,
            authored: Arc::clone(&self.authored),
        }
    }
}

#[async_trait::async_trait]
impl<Block, I, C> BlockImport<Block> for BeaconBlockImport<I, C>
where
    Block: BlockT<Hash = H256>,
    I: BlockImport<Block, Error = ConsensusError> + Send + Sync,
    C: BeaconClient<Block>,
{
    type Error = ConsensusError;

    async fn check_block(
        &self,
        block: BlockCheckParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        block: BlockImportParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        let hash = block.post_hash();
        // Both users of this, the import queue and the author, run on threads that may block.
        match self.examine(&block)? {
            Verdict::Right => self.beacon.checks.note(hash, Mark::Right),
            Verdict::Open => {}
            Verdict::Wrong(Fault::Interrupted) => {
                return Err(ConsensusError::ClientImport(
                    "the slots of the block could not be computed".into(),
                ));
            }
            Verdict::Wrong(fault) => {
                log::warn!(
                    target: LOG,
                    "block {} ({hash:?}) is set aside, unless it becomes final: {fault:?}",
                    block.header.number(),
                );
                self.beacon.checks.note(hash, Mark::False);
            }
        }
        self.inner.import_block(block).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, tip, Block};

    /// The claims of the first `count` slots, computed by an honest author.
    fn honest(tip: &BeaconTip, count: usize) -> Vec<SlotClaim> {
        let (author, _events) = beacon();
        let mut claims: Vec<SlotClaim> = Vec::new();
        let mut next = tip.first();
        while claims.len() < count {
            let inputs = next.expect("known");
            let slot = author.compute(&inputs, &|| false).expect("computes");
            next = tip.after(&inputs, slot.end());
            claims.push(SlotClaim {
                end: *slot.end(),
                fine_root: slot.proof.fine_root,
            });
        }
        claims
    }

    #[test]
    fn slots_of_new_blocks_are_checked_at_import_and_only_where_blocks_are_executed() {
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
        assert!(!executes::<Block>(&StateAction::Skip));
        assert!(executes::<Block>(&StateAction::Execute));
    }

    #[test]
    fn right_slots_pass_whether_or_not_they_are_known() {
        let (beacon, _events) = beacon();
        let tip = tip(0);
        let claims = honest(&tip, 3);
        assert_eq!(check(&beacon, &tip, &claims), Ok(()));
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 3);
        assert_eq!(check(&beacon, &tip, &claims), Ok(()));
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 3);
    }

    #[test]
    fn missing_slots_are_asked_for_before_they_are_computed() {
        let (beacon, mut events) = beacon();
        let tip = tip(0);
        check(&beacon, &tip, &honest(&tip, 2)).expect("right");
        let Ok(Event::Wanted(wanted)) = events.try_recv() else {
            panic!("nothing was asked for");
        };
        assert_eq!(wanted.len(), 2);
    }

    #[test]
    fn a_false_end_or_root_is_found_wherever_it_is() {
        let tip = tip(0);
        let claims = honest(&tip, 4);
        for index in 0..4 {
            let (beacon, _events) = beacon();
            let mut forged = claims.clone();
            forged[index].end[10] ^= 1;
            let slot = u64::try_from(index).expect("small") + 1;
            assert_eq!(check(&beacon, &tip, &forged), Err(Fault::False(slot)));
            let mut forged = claims.clone();
            forged[index].fine_root = [7; 32];
            assert_eq!(check(&beacon, &tip, &forged), Err(Fault::False(slot)));
        }
    }

    #[test]
    fn slots_skipped_or_replayed_are_false() {
        let (beacon, _events) = beacon();
        let tip = tip(0);
        let claims = honest(&tip, 3);
        let skipped = check(&beacon, &tip, &claims[1..]);
        assert_eq!(skipped, Err(Fault::False(1)));
        let twice = [claims[0].clone(), claims[0].clone()];
        assert_eq!(check(&beacon, &tip, &twice), Err(Fault::False(2)));
    }

    #[test]
    fn slots_before_their_time_cost_nothing() {
        let (beacon, _events) = beacon();
        let mut tip = tip(0);
        tip.genesis_ms = Some(1_000);
        let claims = honest(&tip, 8);
        // Eight slots, two of them ahead of the clock: six slots of 250 ms must have passed.
        assert!(is_possible(&tip, &claims, 1_000 + 6 * 250));
        assert!(!is_possible(&tip, &claims, 1_000 + 6 * 250 - 1));
        let nine = [claims.clone(), claims[..1].to_vec()].concat();
        assert!(!is_possible(&tip, &nine, u64::MAX));
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 0);
    }

    #[test]
    fn slots_that_the_chain_cannot_lead_to_cost_nothing() {
        let tip = tip(24);
        let claim = SlotClaim {
            end: [1; 64],
            fine_root: [1; 32],
        };
        assert!(!is_possible(&tip, &[claim], u64::MAX));
    }

    #[test]
    fn one_block_of_an_author_in_a_slot_is_checked_at_once() {
        let mut authored = Authored(LruMap::new(ByLength::new(AUTHORED)));
        let [one, two] = [1, 2].map(H256::repeat_byte);
        assert!(authored.is_first(7, 100, one));
        assert!(!authored.is_first(7, 100, two));
        assert!(authored.is_first(7, 100, one));
        assert!(authored.is_first(7, 101, two));
        assert!(authored.is_first(8, 100, two));
    }

    #[test]
    fn many_lies_about_one_known_slot_cost_one_look() {
        let (beacon, _events) = beacon();
        let tip = tip(0);
        let claims = honest(&tip, 1);
        for lie in 0..20u8 {
            let mut forged = claims.clone();
            forged[0].fine_root = [lie; 32];
            assert_eq!(check(&beacon, &tip, &forged), Err(Fault::False(1)));
        }
        assert_eq!(beacon.evaluator.counts.rechecks(), 1);
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 1);
    }

    #[test]
    fn peers_hear_of_right_slots_only_and_not_of_what_follows_a_lie() {
        let (beacon, mut events) = beacon();
        let tip = tip(0);
        let mut claims = honest(&tip, 4);
        claims[1].end[0] ^= 1;
        assert_eq!(
            check(&beacon, &tip, &claims),
            Err(Fault::False(2)),
            "what follows is computed from the lie"
        );
        let mut told = Vec::new();
        while let Ok(event) = events.try_recv() {
            if let Event::Computed(slot) = event {
                told.push(slot.inputs.slot);
            }
        }
        assert_eq!(told, [1]);
    }

    #[test]
    fn a_slot_whose_entropy_is_not_recorded_cannot_be_included() {
        let (beacon, _events) = beacon();
        let tip = tip(24);
        let claim = SlotClaim {
            end: [1; 64],
            fine_root: [1; 32],
        };
        assert_eq!(check(&beacon, &tip, &[claim]), Err(Fault::Unfounded));
    }

    #[test]
    fn a_node_that_stops_calls_nobody_a_liar() {
        let (beacon, _events) = beacon();
        let tip = tip(0);
        let claims = honest(&tip, 1);
        beacon.store.stop();
        assert_eq!(check(&beacon, &tip, &claims), Err(Fault::Interrupted));
    }
}
