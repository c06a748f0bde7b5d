// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Restraint until slots are checked: this node neither votes for a block nor authors on it before
//! its slots and those of all unfinalised blocks below it were re-executed.
//!
//! A block is never refused for its slots: whether it is valid is for the runtime to say, which all
//! nodes agree on. One with a false slot is set aside (see [`super::fork_choice`]), and what two
//! thirds finalise all the same counts as right.

use polkadot_sdk::*;
use std::{marker::PhantomData, sync::Arc};

use sc_consensus_grandpa::{VotingRule, VotingRuleResult};
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_core::H256;
use sp_runtime::{
    traits::{Block as BlockT, Header as _, NumberFor, One},
    Saturating,
};

use super::{state::Beacon, LOG};

/// Votes only for blocks whose slots were checked.
#[derive(Clone)]
pub struct OnlyChecked(pub Arc<Beacon>);

impl OnlyChecked {
    /// The highest block that may be voted for instead of `target`, if that may not.
    fn restrict<Block: BlockT<Hash = H256>>(
        &self,
        chain: &impl HeaderBackend<Block>,
        base: &Block::Header,
        target: &Block::Header,
    ) -> Option<(H256, NumberFor<Block>)> {
        let restricted = match self.0.checks.lowest_open(chain, target.clone()) {
            Ok(None) => return None,
            // What the other voters build this round on is the least that GRANDPA lets one vote for.
            Ok(Some(open)) if open.number() <= base.number() => None,
            Ok(Some(open)) => {
                let below = (*open.number()).saturating_sub(One::one());
                Some((*open.parent_hash(), below))
            }
            Err(error) => {
                log::debug!(target: LOG, "no vote beyond the base: {error}");
                None
            }
        };
        Some(restricted.unwrap_or((base.hash(), *base.number())))
    }
}

impl<Block, B> VotingRule<Block, B> for OnlyChecked
where
    Block: BlockT<Hash = H256>,
    B: HeaderBackend<Block>,
{
    fn restrict_vote(
        &self,
        backend: Arc<B>,
        base: &Block::Header,
        _best_target: &Block::Header,
        current_target: &Block::Header,
    ) -> VotingRuleResult<Block> {
        let vote = self.restrict(&*backend, base, current_target);
        Box::pin(std::future::ready(vote))
    }
}

/// Tells the author when it may work: when the node follows the head, and every unfinalised block
/// that it would build on was checked.
pub struct Readiness<Block, C, O> {
    chain: Arc<C>,
    beacon: Arc<Beacon>,
    sync: O,
    block: PhantomData<fn() -> Block>,
}

impl<Block, C, O> Readiness<Block, C, O> {
    /// Readiness to author on `chain`. The beacon knows the checked blocks, the SDK's oracle `sync` if there are peers.
    pub fn new(chain: Arc<C>, beacon: Arc<Beacon>, sync: O) -> Self {
        Self {
            chain,
            beacon,
            sync,
            block: PhantomData,
        }
    }
}

impl<Block, C, O: Clone> Clone for Readiness<Block, C, O> {
    fn clone(&self) -> Self {
        Self {
            chain: Arc::clone(&self.chain),
            beacon: Arc::clone(&self.beacon),
            sync: self.sync.clone(),
            block: PhantomData,
        }
    }
}

impl<Block, C, O> SyncOracle for Readiness<Block, C, O>
where
    Block: BlockT<Hash = H256>,
    C: HeaderBackend<Block>,
    O: SyncOracle,
{
    fn is_major_syncing(&self) -> bool {
        if !self.beacon.gate.follows_head() {
            return true;
        }
        let best = self.chain.info().best_hash;
        let open = match self.chain.header(best) {
            Ok(Some(best)) => self.beacon.checks.lowest_open(&*self.chain, best),
            Ok(None) => return true,
            Err(error) => Err(error),
        };
        match open {
            Ok(None) => false,
            Ok(Some(open)) => {
                log::info!(
                    target: LOG,
                    "no block is made before the slots of block {} are checked",
                    open.number(),
                );
                true
            }
            Err(error) => {
                log::warn!(target: LOG, "no block is made: {error}");
                true
            }
        }
    }

    fn is_offline(&self) -> bool {
        self.sync.is_offline()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        marks::Mark,
        testing::{beacon, following, header, Block, Chain},
    };

    #[test]
    fn a_vote_stops_below_the_first_block_whose_slots_are_not_checked() {
        let chain = Chain::of(6, 1);
        let (beacon, _events) = beacon();
        let rule = OnlyChecked(Arc::clone(&beacon));
        let (base, best) = (chain.at(1), chain.at(6));
        assert_eq!(
            rule.restrict(&chain, &base, &best),
            Some((base.hash(), 1)),
            "nothing is checked"
        );
        for number in [2, 3, 5, 6] {
            beacon.checks.note(chain.at(number).hash(), Mark::Right);
        }
        assert_eq!(
            rule.restrict(&chain, &base, &best),
            Some((chain.at(3).hash(), 3))
        );
        assert_eq!(rule.restrict(&chain, &base, &chain.at(3)), None);
        beacon.checks.note(chain.at(4).hash(), Mark::Right);
        assert_eq!(rule.restrict(&chain, &base, &best), None);
    }

    #[test]
    fn a_vote_never_goes_to_a_block_with_a_false_slot_unless_the_round_is_built_on_it() {
        let chain = Chain::of(6, 1);
        let (beacon, _events) = beacon();
        let rule = OnlyChecked(Arc::clone(&beacon));
        for number in 2..=6 {
            beacon.checks.note(chain.at(number).hash(), Mark::Right);
        }
        beacon.checks.note(chain.at(4).hash(), Mark::False);
        assert_eq!(
            rule.restrict(&chain, &chain.at(1), &chain.at(6)),
            Some((chain.at(3).hash(), 3))
        );
        assert_eq!(
            rule.restrict(&chain, &chain.at(5), &chain.at(6)),
            Some((chain.at(5).hash(), 5))
        );
    }

    #[test]
    fn what_is_final_needs_no_check() {
        let (beacon, _events) = beacon();
        beacon.checks.note(header(4).hash(), Mark::False);
        let chain = Chain::of(6, 4);
        for number in [5, 6] {
            beacon.checks.note(chain.at(number).hash(), Mark::Right);
        }
        let open = beacon.checks.lowest_open(&chain, chain.at(6));
        assert_eq!(open.expect("known"), None);
    }

    #[test]
    fn no_block_is_made_on_unchecked_slots() {
        let chain = Arc::new(Chain::of(3, 1));
        let (beacon, _events) = beacon();
        let ready = Readiness::<Block, _, _>::new(
            Arc::clone(&chain),
            Arc::clone(&beacon),
            sp_consensus::NoNetwork,
        );
        following(&beacon);
        assert!(ready.is_major_syncing());
        beacon.checks.note(chain.at(2).hash(), Mark::Right);
        assert!(ready.is_major_syncing());
        beacon.checks.note(chain.at(3).hash(), Mark::Right);
        assert!(!ready.is_major_syncing());
        beacon.checks.note(chain.at(2).hash(), Mark::False);
        assert!(ready.is_major_syncing());
    }
}
