// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Re-executes the slots of unfinalised blocks that were imported without: those that came while
//! the node synchronised, those of before it started, and second blocks of one author in one slot.
//! Until it is done, the node neither votes for them nor authors on them. If one on the best chain
//! includes a false slot, another chain becomes the best: on that one no honest node could author any more.

use polkadot_sdk::*;
use std::{sync::Arc, thread::JoinHandle, time::Duration};

use sc_client_api::{Backend, BlockImportOperation, LockImportRun};
use sp_blockchain::{Backend as _, HeaderBackend, Result as ChainResult};
use sp_consensus::BlockStatus;
use sp_core::H256;
use sp_runtime::traits::{Block as BlockT, Header as HeaderT};

use super::{
    claims::{block_claims, BlockClaims},
    client::BeaconClient,
    follow::tip_if_any,
    import::{check, inputs_of, Fault},
    marks::{Checks, Mark},
    slot::SlotInputs,
    state::{Beacon, Event},
    LOG,
};

/// Time after which an audit that could not be finished is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// Slots that are looked at together: walked side by side, they take little longer than one.
const TOGETHER: usize = 24;
/// Blocks that are looked at together, if they include fewer slots.
const BLOCKS: usize = 256;

/// The blocks that are to be looked at, lowest first: `lowest` and what follows it up to `best`.
fn suffix<Block: BlockT<Hash = H256>>(
    chain: &impl HeaderBackend<Block>,
    lowest: &Block::Header,
    best: H256,
) -> Vec<Block::Header> {
    let mut blocks = Vec::new();
    let mut at = chain.header(best).ok().flatten();
    while let Some(header) = at.filter(|header| header.number() >= lowest.number()) {
        at = chain.header(*header.parent_hash()).ok().flatten();
        blocks.push(header);
    }
    blocks.reverse();
    blocks
}

/// Makes the highest of `leaves` that may be the best block the best one, or else `before`, the block before the lowest one with a
/// false slot. Fails if that may not be the best either. Blocks that BABE finds heavier take its place as soon as they come.
fn leave<Block, B>(
    client: &impl LockImportRun<Block, B>,
    chain: &impl HeaderBackend<Block>,
    checks: &Checks,
    leaves: &[H256],
    before: H256,
) -> ChainResult<H256>
where
    Block: BlockT<Hash = H256>,
    B: Backend<Block>,
{
    client.lock_import_and_run(|operation| {
        // Another may have become the best meanwhile.
        let best = chain.info().best_hash;
        if checks.may_be_best(chain, best)? {
            return Ok(best);
        }
        if !checks.may_be_best(chain, before)? {
            return Err(sp_blockchain::Error::NotInFinalizedChain);
        }
        let mut head = chain.expect_header(before)?;
        for leaf in leaves {
            let leaf = chain.expect_header(*leaf)?;
            if leaf.number() > head.number() && checks.may_be_best(chain, leaf.hash())? {
                head = leaf;
            }
        }
        operation.op.mark_head(head.hash())?;
        Ok(head.hash())
    })
}

/// Leaves a best chain that includes a false slot first after the block `before`.
fn leave_false_chain<Block, B, C>(
    client: &C,
    backend: &B,
    beacon: &Beacon,
    before: H256,
) -> ChainResult<()>
where
    Block: BlockT<Hash = H256>,
    B: Backend<Block>,
    C: BeaconClient<Block> + LockImportRun<Block, B>,
{
    let mut leaves = backend.blockchain().leaves()?;
    // Only a block with its state can be authored on.
    leaves.retain(|leaf| {
        matches!(
            client.block_status(*leaf),
            Ok(BlockStatus::InChainWithState)
        )
    });
    let head = leave(client, client, &beacon.checks, &leaves, before)?;
    log::warn!(target: LOG, "the best block is now {head:?}, on a chain without the false slot");
    // No import says so.
    if let Ok(Some(tip)) = tip_if_any(client, head) {
        beacon.set_tip(tip);
    }
    Ok(())
}

/// Audits some of the blocks up to the best one. `true` if there may be more to do at once.
fn audit<Block, B, C>(client: &C, backend: &B, beacon: &Beacon) -> Result<bool, String>
where
    Block: BlockT<Hash = H256>,
    B: Backend<Block>,
    C: BeaconClient<Block> + LockImportRun<Block, B>,
{
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
    if beacon.checks.of(&lowest.hash()) == Some(Mark::False) {
        leave_false_chain(client, backend, beacon, *lowest.parent_hash())
            .map_err(|error| text(&error))?;
        return Ok(true);
    }
    let mut batch: Vec<(Block::Header, Option<BlockClaims>)> = Vec::new();
    let mut inputs: Vec<SlotInputs> = Vec::new();
    for header in suffix(client, &lowest, best) {
        match beacon.checks.of(&header.hash()) {
            Some(Mark::Right) => continue,
            // What follows a false slot is not worth looking at; it is left as soon as the rest is done.
            Some(Mark::False) => break,
            None => {}
        }
        let body = client
            .block_body(header.hash())
            .map_err(|error| text(&error))?
            .ok_or_else(|| format!("block {} has no body here", header.number()))?;
        let included =
            block_claims(client, *header.parent_hash(), body).map_err(|error| text(&error))?;
        if let Some(BlockClaims { tip, claims }) = &included {
            inputs.extend(inputs_of(tip, claims).unwrap_or_default());
        }
        batch.push((header, included));
        if inputs.len() >= TOGETHER || batch.len() >= BLOCKS {
            break;
        }
    }
    if batch.is_empty() {
        return Ok(false);
    }
    inputs.retain(|inputs| !beacon.store.knows(&inputs.id()));
    if !inputs.is_empty() {
        // Peers may be faster: they send proofs.
        beacon.tell(Event::Wanted(inputs.clone()));
        beacon
            .evaluator
            .obtain(&inputs)
            .map_err(|_| "slots could not be computed".to_string())?;
    }
    for (header, included) in batch {
        match judge(beacon, &header, included) {
            Some(Mark::Right) => {}
            Some(Mark::False) => return Ok(true),
            None => return Ok(false),
        }
    }
    Ok(true)
}

/// Marks a block; `None` if that has to wait.
fn judge(
    beacon: &Beacon,
    header: &impl HeaderT<Hash = H256>,
    included: Option<BlockClaims>,
) -> Option<Mark> {
    let verdict = included.map_or(Ok(()), |included| {
        check(beacon, &included.tip, &included.claims)
    });
    let mark = match verdict {
        Ok(()) => Mark::Right,
        Err(Fault::Interrupted) => return None,
        Err(fault) => {
            log::error!(
                target: LOG,
                "block {} ({:?}) on the best chain includes a false slot: {fault:?}. This node makes no \
                 block on it and votes for none; anybody can prove it with `dispute_slot`",
                header.number(),
                header.hash(),
            );
            Mark::False
        }
    };
    beacon.checks.note(header.hash(), mark);
    Some(mark)
}

/// The thread that audits. Dropping this stops the beacon and waits for the thread: it may hold the database last, and a database that
/// is closed while the process ends takes the process down with it.
pub struct Auditor {
    beacon: Arc<Beacon>,
    thread: Option<JoinHandle<()>>,
}

impl Auditor {
    /// Does `work` in a thread until the beacon is stopped; `work` is `true` if there is more to do at once.
    fn start(
        beacon: Arc<Beacon>,
        mut work: impl FnMut(&Beacon) -> bool + Send + 'static,
    ) -> std::io::Result<Self> {
        let own = Arc::clone(&beacon);
        let thread = std::thread::Builder::new()
            .name("beacon-audit".into())
            .spawn(move || {
                while !own.store.stopping() {
                    let generation = own.store.generation();
                    if !work(&own) {
                        own.store.wait(generation, PAUSE);
                    }
                }
            })?;
        Ok(Self {
            beacon,
            thread: Some(thread),
        })
    }
}

impl Drop for Auditor {
    fn drop(&mut self) {
        self.beacon.store.stop();
        if let Some(thread) = self.thread.take() {
            // A panic was told when it happened.
            let _ = thread.join();
        }
    }
}

/// Starts the auditor.
pub fn start<Block, B, C>(
    client: Arc<C>,
    backend: Arc<B>,
    beacon: Arc<Beacon>,
) -> std::io::Result<Auditor>
where
    Block: BlockT<Hash = H256>,
    B: Backend<Block> + 'static,
    C: BeaconClient<Block> + LockImportRun<Block, B>,
{
    Auditor::start(beacon, move |beacon| {
        beacon.gate.follows_head()
            && audit(&*client, &*backend, beacon).unwrap_or_else(|error| {
                log::debug!(target: LOG, "the audit of slots waits: {error}");
                false
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, following, Block, Header};
    use sc_client_api::{in_mem, ClientImportOperation, NewBlockState};
    use sp_consensus::SyncOracle;

    type Database = in_mem::Backend<Block>;

    /// Runs operations on a database, as the client does.
    struct Client(Arc<Database>);

    impl LockImportRun<Block, Database> for Client {
        fn lock_import_and_run<R, Err, F>(&self, run: F) -> Result<R, Err>
        where
            F: FnOnce(&mut ClientImportOperation<Block, Database>) -> Result<R, Err>,
            Err: From<sp_blockchain::Error>,
        {
            let mut operation = ClientImportOperation {
                op: self.0.begin_operation()?,
                notify_imported: None,
                notify_finalized: None,
            };
            let done = run(&mut operation)?;
            self.0.commit_operation(operation.op)?;
            Ok(done)
        }
    }

    impl Client {
        /// Imports a block, and says which one it is. Blocks of one parent differ by `variant`.
        fn import(&self, parent: Option<&Header>, variant: u8, is_best: bool) -> Header {
            let header = Header::new(
                parent.map_or(0, |parent| parent.number + 1),
                H256::repeat_byte(variant),
                Default::default(),
                parent.map_or_else(Default::default, Header::hash),
                Default::default(),
            );
            let state = match (parent, is_best) {
                (None, _) => NewBlockState::Final,
                (_, true) => NewBlockState::Best,
                (_, false) => NewBlockState::Normal,
            };
            let imported: ChainResult<()> = self.lock_import_and_run(|operation| {
                let (body, header) = (Some(Vec::new()), header.clone());
                let operation = &mut operation.op;
                operation.set_block_data(header, body, None, None, state, true)
            });
            imported.expect("imports");
            header
        }

        fn leave(&self, checks: &Checks, before: &Header) -> H256 {
            let chain = self.0.blockchain();
            let leaves = chain.leaves().expect("known");
            let head = leave(self, chain, checks, &leaves, before.hash()).expect("leaves");
            assert_eq!(chain.info().best_hash, head);
            head
        }
    }

    #[test]
    fn the_database_is_let_go_before_the_node_has_stopped() {
        let (beacon, _events) = beacon();
        let database = Arc::new(());
        let held = Arc::clone(&database);
        let (started, running) = std::sync::mpsc::channel();
        let auditor = Auditor::start(beacon, move |_| {
            let _ = started.send(());
            // A block is being looked at when the node stops.
            std::thread::sleep(std::time::Duration::from_millis(200));
            Arc::strong_count(&held) == 0
        });
        let auditor = auditor.expect("starts");
        running.recv().expect("it works");
        drop(auditor);
        assert_eq!(Arc::strong_count(&database), 1);
    }

    #[test]
    fn a_liar_with_two_slots_in_a_row_does_not_stop_the_chain() {
        let database = Arc::new(Database::new());
        let client = Client(Arc::clone(&database));
        let (beacon, _events) = beacon();
        let checks = &beacon.checks;
        following(&beacon);
        let genesis = client.import(None, 0, true);
        let right = client.import(Some(&genesis), 1, true);
        // The author of this slot makes two blocks. The first is right and checked; the second, with a false slot, is left to the
        // audit, and becomes the best when the same author builds on it.
        let honest = client.import(Some(&right), 2, true);
        let lie = client.import(Some(&right), 3, false);
        let follows = client.import(Some(&lie), 4, true);
        for block in [&right, &honest, &follows] {
            checks.note(block.hash(), Mark::Right);
        }
        checks.note(lie.hash(), Mark::False);
        let author = || {
            crate::checks::Readiness::<Block, _, _>::new(
                Arc::new(database.blockchain().clone()),
                Arc::clone(&beacon),
                sp_consensus::NoNetwork,
            )
            .is_major_syncing()
        };
        assert!(author(), "no block is made on the lie");
        assert_eq!(client.leave(checks, &right), honest.hash());
        assert!(!author(), "blocks are made again");
        assert_eq!(client.leave(checks, &right), honest.hash());
    }

    #[test]
    fn without_another_chain_the_block_before_the_false_slot_is_the_best() {
        let client = Client(Arc::new(Database::new()));
        let (beacon, _events) = beacon();
        let genesis = client.import(None, 0, true);
        let right = client.import(Some(&genesis), 1, true);
        let lie = client.import(Some(&right), 2, true);
        let follows = client.import(Some(&lie), 3, true);
        beacon.checks.note(lie.hash(), Mark::False);
        beacon.checks.note(follows.hash(), Mark::Right);
        assert_eq!(client.leave(&beacon.checks, &right), right.hash());
    }
}
