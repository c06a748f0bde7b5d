// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Keeps blocks with false slots, and what is built on them, out of the best chain.
//!
//! It stands between BABE's import, which chooses the best chain by weight, and the client. Such a
//! block is stored like any other, but never becomes the best: this node does not author on it or
//! vote for it. If two thirds of the validators finalise it all the same, finality makes it part of the
//! chain, as it does with every fork, and the node goes on from there.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_consensus::{
    BlockCheckParams, BlockImport, BlockImportParams, ForkChoiceStrategy, ImportResult,
};
use sp_blockchain::HeaderBackend;
use sp_consensus::Error as ConsensusError;
use sp_core::H256;
use sp_runtime::traits::{Block as BlockT, Header as _};

use super::{marks::Mark, state::Beacon};

/// Block import that keeps blocks marked false off the best chain.
pub struct ForkChoiceFilter<I, C> {
    inner: I,
    chain: Arc<C>,
    beacon: Arc<Beacon>,
}

impl<I, C> ForkChoiceFilter<I, C> {
    /// Before `inner` imports into `chain`.
    pub fn new(inner: I, chain: Arc<C>, beacon: Arc<Beacon>) -> Self {
        Self {
            inner,
            chain,
            beacon,
        }
    }
}

impl<I: Clone, C> Clone for ForkChoiceFilter<I, C> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            chain: Arc::clone(&self.chain),
            beacon: Arc::clone(&self.beacon),
        }
    }
}

#[async_trait::async_trait]
impl<Block, I, C> BlockImport<Block> for ForkChoiceFilter<I, C>
where
    Block: BlockT<Hash = H256>,
    I: BlockImport<Block, Error = ConsensusError> + Send + Sync,
    C: HeaderBackend<Block>,
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
        mut block: BlockImportParams<Block>,
    ) -> Result<ImportResult, Self::Error> {
        let checks = &self.beacon.checks;
        let follows = checks
            .may_be_best(&*self.chain, *block.header.parent_hash())
            .map_err(|error| ConsensusError::ClientImport(error.to_string()))?;
        if !follows || checks.of(&block.post_hash()) == Some(Mark::False) {
            block.fork_choice = Some(ForkChoiceStrategy::Custom(false));
        }
        self.inner.import_block(block).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, header, Block, Chain};
    use parking_lot::Mutex;
    use sp_consensus::BlockOrigin;

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

    /// The blocks of `numbers` that become the best ones of a chain whose second block has a false slot and in which those up to
    /// `finalised` are final.
    fn best(finalised: u32, numbers: std::ops::RangeInclusive<u32>) -> Vec<bool> {
        let (beacon, _events) = beacon();
        let chain = Arc::new(Chain::of(5, finalised));
        let import = ForkChoiceFilter::new(Client::default(), chain, Arc::clone(&beacon));
        beacon.checks.note(header(2).hash(), Mark::False);
        for number in numbers {
            let mut block = BlockImportParams::new(BlockOrigin::NetworkBroadcast, header(number));
            // BABE found it to be the heaviest.
            block.fork_choice = Some(ForkChoiceStrategy::Custom(true));
            let result = futures::executor::block_on(import.import_block(block));
            assert!(matches!(result, Ok(ImportResult::Imported(_))));
        }
        let best = import.inner.0.lock().clone();
        best
    }

    #[test]
    fn a_block_with_a_false_slot_is_imported_but_never_the_best_nor_is_what_follows_it() {
        assert_eq!(best(0, 1..=4), [true, false, false, false]);
    }

    #[test]
    fn what_follows_a_false_slot_that_became_final_is_the_best_again_though_finality_is_behind() {
        assert_eq!(best(2, 3..=5), [true, true, true]);
    }
}
