// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Record of the blocks whose slots were re-executed.

use polkadot_sdk::*;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use schnellru::{ByLength, LruMap};
use sp_blockchain::{HeaderBackend, Result as ChainResult};
use sp_core::H256;
use sp_runtime::traits::{Block as BlockT, Header as _};

/// Blocks that are remembered: far more than stay unfinalised.
const BLOCKS: u32 = 1 << 16;

/// Result of checking a block's slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// All are right, or it has none.
    Right,
    /// One is false.
    False,
}

/// Blocks whose slots were checked.
pub struct Checks {
    marks: Mutex<LruMap<H256, Mark>>,
    /// `true` once a false slot was found; before, no chain is searched for one.
    any_false: AtomicBool,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            marks: Mutex::new(LruMap::new(ByLength::new(BLOCKS))),
            any_false: AtomicBool::new(false),
        }
    }
}

impl Checks {
    /// Remembers the result for a block.
    pub fn note(&self, block: H256, mark: Mark) {
        self.marks.lock().insert(block, mark);
        if mark == Mark::False {
            self.any_false.store(true, Ordering::Release);
        }
    }

    /// Result for a block; `None` if it was not checked.
    pub fn of(&self, block: &H256) -> Option<Mark> {
        self.marks.lock().peek(block).copied()
    }

    /// `true` if no false slot is known in a block and in those below it down to the last final block, which it descends from.
    /// Final blocks count as right.
    pub fn may_be_best<Block: BlockT<Hash = H256>>(
        &self,
        chain: &impl HeaderBackend<Block>,
        block: H256,
    ) -> ChainResult<bool> {
        if !self.any_false.load(Ordering::Acquire) {
            return Ok(true);
        }
        let info = chain.info();
        let mut at = block;
        loop {
            let Some(header) = chain.header(at)? else {
                return Ok(false);
            };
            if *header.number() <= info.finalized_number {
                return Ok(at == info.finalized_hash);
            }
            if self.of(&at) == Some(Mark::False) {
                return Ok(false);
            }
            at = *header.parent_hash();
        }
    }

    /// The lowest unfinalised block at or below `target` whose slots are not known to be right.
    pub fn lowest_open<Block: BlockT<Hash = H256>>(
        &self,
        chain: &impl HeaderBackend<Block>,
        target: Block::Header,
    ) -> ChainResult<Option<Block::Header>> {
        let finalised = chain.info().finalized_number;
        let mut lowest = None;
        let mut at = Some(target);
        while let Some(header) = at.filter(|header| *header.number() > finalised) {
            at = chain.header(*header.parent_hash())?;
            if self.of(&header.hash()) != Some(Mark::Right) {
                lowest = Some(header);
            }
        }
        Ok(lowest)
    }
}
