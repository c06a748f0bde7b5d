// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Keeps blocks with false slots, and what is built on them, out of the best chain.
//!
//! It stands between BABE's import, which chooses the best chain by weight, and the client. Such a
//! block is stored like any other, but never becomes the best: this node does not author on it or
//! vote for it. If two thirds of the validators finalise it all the same, finality makes it part of the
//! chain, as it does with every fork, and the node goes on.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_consensus::{
    BlockCheckParams, BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult,
};
use tos_runtime::opaque::Block;

use super::{checks::Mark, state::Beacon};

/// Block import that keeps blocks marked false off the best chain.
pub struct Aside<I> {
    inner: I,
    beacon: Arc<Beacon>,
}

impl<I> Aside<I> {
    /// Before `inner` imports.
    pub fn new(inner: I, beacon: Arc<Beacon>) -> Self {
        Self { inner, beacon }
    }
}

impl<I: Clone> Clone for Aside<I> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            beacon: Arc::clone(&self.beacon),
        }
    }
}

#[async_trait::async_trait]
impl<I> BlockImport<Block> for Aside<I>
where
    I: BlockImport<Block> + Send + Sync,
{
    type Error = I::Error;

    async fn check_block(
        &self,
        block: BlockCheckParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(
        &self,
        mut block: BlockImportParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        if self.beacon.checks.of(&block.post_hash()) == Some(Mark::False) {
            block.fork_choice = Some(ForkChoiceStrategy::Custom(false));
        }
        self.inner.import_block(block).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::testing::{beacon, header};
    use parking_lot::Mutex;
    use sp_consensus::{BlockOrigin, Error as ConsensusError};

    /// Remembers whether blocks were imported as the best.
    #[derive(Default)]
    struct Client(Mutex<Vec<bool>>);

    #[async_trait::async_trait]
    impl BlockImport<Block> for Client {
        type Error = ConsensusError;

        async fn check_block(
            &self,
            _: BlockCheckParams<Block>,
        ) -> Result<ImportResult, Self::Error> {
            Ok(ImportResult::imported(false))
        }

        async fn import_block(
            &self,
            block: BlockImportParams<Block>,
        ) -> Result<ImportResult, Self::Error> {
            let best = matches!(block.fork_choice, Some(ForkChoiceStrategy::Custom(true)));
            self.0.lock().push(best);
            Ok(ImportResult::imported(best))
        }
    }

    #[test]
    fn a_block_with_a_false_slot_is_imported_but_never_the_best() {
        let (beacon, _events) = beacon();
        let import = Aside::new(Client::default(), Arc::clone(&beacon));
        let block = |number| {
            let mut block = BlockImportParams::new(BlockOrigin::NetworkBroadcast, header(number));
            // BABE found it to be the heaviest.
            block.fork_choice = Some(ForkChoiceStrategy::Custom(true));
            block
        };
        beacon.checks.note(header(2).hash(), Mark::False);
        beacon.checks.note(header(3).hash(), Mark::Right);
        for number in 1..=3 {
            let result = futures::executor::block_on(import.import_block(block(number)));
            assert!(matches!(result, Ok(ImportResult::Imported(_))));
        }
        assert_eq!(*import.inner.0.lock(), [true, false, true]);
    }
}
