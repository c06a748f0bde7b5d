// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that this node puts into the blocks it authors.

use polkadot_sdk::*;

use sp_core::H256;
use sp_inherents::{Error, InherentData, InherentIdentifier};
use sp_runtime::traits::Block as BlockT;
use tos_types::beacon::{
    make_inherent, BeaconInherent, KnownSlot, INHERENT_IDENTIFIER, MAX_SLOTS_PER_BLOCK,
};

use super::{client::BeaconClient, follow::tip_if_any, state::Beacon, tip::BeaconTip, LOG};

/// Slots and their spot openings, if there are any.
pub struct Slots(Option<BeaconInherent>);

impl Slots {
    /// Slots known here that a block on `parent` made at `now_ms` may include.
    pub fn provide<Block, C>(client: &C, beacon: &Beacon, parent: H256, now_ms: u64) -> Self
    where
        Block: BlockT<Hash = H256>,
        C: BeaconClient<Block>,
    {
        match tip_if_any(client, parent) {
            Ok(tip) => Self(tip.and_then(|tip| collect(beacon, &tip, &parent, now_ms))),
            Err(error) => {
                log::debug!(target: LOG, "block {parent:?} says nothing: {error}");
                Self(None)
            }
        }
    }
}

/// The known slots after the head of `tip`, as many as one block takes, with the spots that
/// the parent's hash chooses.
fn collect(beacon: &Beacon, tip: &BeaconTip, parent: &H256, now_ms: u64) -> Option<BeaconInherent> {
    let last = tip
        .head
        .saturating_add(MAX_SLOTS_PER_BLOCK.into())
        .min(tip.cap(now_ms));
    let known = beacon.store.known_after(tip, last);
    let fine = known
        .iter()
        .map(|slot| beacon.evaluator.fine_states(slot))
        .collect::<Option<Vec<_>>>()?;
    let slots: Vec<_> = known
        .iter()
        .zip(&fine)
        .map(|(slot, fine)| KnownSlot {
            start: &slot.inputs.start,
            fine,
            fine_root: &slot.proof.fine_root,
        })
        .collect();
    make_inherent(parent.as_bytes(), &slots)
}

#[async_trait::async_trait]
impl sp_inherents::InherentDataProvider for Slots {
    async fn provide_inherent_data(&self, data: &mut InherentData) -> Result<(), Error> {
        match &self.0 {
            Some(inherent) => data.put_data(INHERENT_IDENTIFIER, inherent),
            None => Ok(()),
        }
    }

    async fn try_handle_error(
        &self,
        _identifier: &InherentIdentifier,
        _error: &[u8],
    ) -> Option<Result<(), Error>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        store::Frontier,
        testing::{beacon, tip},
    };
    use std::sync::Arc;
    use tos_vdf::verify_spot_opening;

    const NOW: u64 = 1_000_000;

    /// A node that knows the first slots, and the tip of a chain that allows 100.
    fn author(slots: u64) -> (Arc<Beacon>, BeaconTip) {
        let (beacon, _events) = beacon();
        let mut tip = tip(0);
        tip.genesis_ms = Some(NOW - 100 * 250);
        for _ in 0..slots {
            let Frontier::Next(inputs) = beacon.store.frontier(&tip, NOW) else {
                panic!("allowed");
            };
            beacon.compute(&inputs, &|| false).expect("computes");
        }
        (beacon, tip)
    }

    #[test]
    fn a_block_takes_what_is_known_but_no_more_than_it_may() {
        for (known, taken) in [(1, 1), (3, 3), (11, 8)] {
            let (beacon, tip) = author(known);
            let inherent = collect(&beacon, &tip, &H256::zero(), NOW).expect("slots are known");
            assert_eq!((inherent.slots.len(), inherent.spots.len()), (taken, 4));
        }
    }

    #[test]
    fn without_slots_there_is_no_inherent() {
        let (beacon, tip) = author(0);
        assert!(collect(&beacon, &tip, &H256::zero(), NOW).is_none());
    }

    #[test]
    fn no_slot_beyond_the_wall_clock_is_included() {
        let (beacon, mut tip) = author(6);
        tip.genesis_ms = Some(NOW - 2 * 250);
        let inherent = collect(&beacon, &tip, &H256::zero(), NOW).expect("slots are known");
        assert_eq!(inherent.slots.len(), 4);
    }

    #[test]
    fn the_spots_open_and_depend_on_the_parent() {
        let (beacon, tip) = author(8);
        let all = [1, 2].map(|byte| {
            let parent = H256::repeat_byte(byte);
            collect(&beacon, &tip, &parent, NOW).expect("slots are known")
        });
        let known = beacon.store.known_after(&tip, 8);
        for inherent in &all {
            for spot in &inherent.spots {
                let slot = &known[usize::from(spot.claim)];
                assert!(verify_spot_opening(
                    &slot.proof.fine_root,
                    &slot.inputs.start,
                    &spot.opening
                ));
            }
        }
        let chosen = all.map(|inherent| {
            inherent
                .spots
                .iter()
                .map(|spot| (spot.claim, spot.opening.index))
                .collect::<Vec<_>>()
        });
        assert_ne!(chosen[0], chosen[1]);
    }
}
