// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that this node knows to be right, by whichever node they were computed.
//!
//! They are kept by their inputs, so a reorganisation finds the slots of its fork. Only verified
//! slots get in, hence the cache is filled by computing alone.

use std::sync::Arc;

use schnellru::{ByLength, LruMap};
use tos_vdf::{Hash, SlotProof, State};

use super::slot::{SlotId, SlotInputs};

/// Slots that are kept; 2.3 KB each.
const SLOTS: u32 = 4_096;
/// Slots whose 320 fine states are kept; 20 KB each. Block authors open some of them.
const FINE: u32 = 256;

/// A slot that is right.
#[derive(Clone, Debug)]
pub struct VerifiedSlot {
    /// Inputs of which it was computed.
    pub inputs: SlotInputs,
    /// Result.
    pub proof: Arc<SlotProof>,
}

impl VerifiedSlot {
    /// The state it ends in.
    pub fn end(&self) -> &State {
        self.proof.end()
    }

    /// `true` if a block's claim says the same.
    pub fn agrees(&self, end: &State, fine_root: &Hash) -> bool {
        self.proof.end() == end && self.proof.fine_root == *fine_root
    }
}

/// Verified slots, the least recently used ones dropped first.
pub struct SlotCache {
    slots: LruMap<SlotId, VerifiedSlot, ByLength>,
    fine: LruMap<SlotId, Arc<Vec<State>>, ByLength>,
}

impl Default for SlotCache {
    fn default() -> Self {
        Self::with_limits(SLOTS, FINE)
    }
}

impl SlotCache {
    fn with_limits(slots: u32, fine: u32) -> Self {
        Self {
            slots: LruMap::new(ByLength::new(slots)),
            fine: LruMap::new(ByLength::new(fine)),
        }
    }

    /// Keeps a slot that was computed or verified here, and its fine states.
    pub fn insert(
        &mut self,
        inputs: SlotInputs,
        proof: SlotProof,
        fine: Vec<State>,
    ) -> VerifiedSlot {
        let id = inputs.id();
        let proof = Arc::new(proof);
        let slot = VerifiedSlot { inputs, proof };
        self.slots.insert(id, slot.clone());
        self.fine.insert(id, Arc::new(fine));
        slot
    }

    /// A slot.
    pub fn get(&mut self, id: &SlotId) -> Option<VerifiedSlot> {
        self.slots.get(id).cloned()
    }

    /// `true` if a slot is here. Does not count as use.
    pub fn contains(&self, id: &SlotId) -> bool {
        self.slots.peek(id).is_some()
    }

    /// The fine states of a slot, if it is one of the last that were used.
    pub fn fine(&mut self, id: &SlotId) -> Option<Arc<Vec<State>>> {
        self.fine.get(id).cloned()
    }

    /// Keeps the fine states of a slot again.
    pub fn keep_fine(&mut self, id: SlotId, fine: Arc<Vec<State>>) {
        self.fine.insert(id, fine);
    }

    /// Forgets a slot that turned out wrong.
    pub fn remove(&mut self, id: &SlotId) {
        self.slots.remove(id);
        self.fine.remove(id);
    }

    /// Number of slots that are here.
    pub fn len(&self) -> usize {
        self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inputs, proof};

    fn put(cache: &mut SlotCache, slot: u64) -> SlotId {
        cache.insert(inputs(slot), proof(slot), vec![[0; 64]; 320]);
        inputs(slot).id()
    }

    #[test]
    fn the_least_recently_used_slot_goes_first() {
        let mut cache = SlotCache::with_limits(3, 2);
        let first = put(&mut cache, 1);
        let second = put(&mut cache, 2);
        put(&mut cache, 3);
        assert!(cache.get(&first).is_some());
        put(&mut cache, 4);
        assert!(cache.contains(&first) && !cache.contains(&second));
        assert_eq!(cache.len(), 3);
    }

    #[test]
    fn fine_states_are_dropped_before_the_slots() {
        let mut cache = SlotCache::with_limits(3, 2);
        let ids: Vec<_> = (1..=3).map(|slot| put(&mut cache, slot)).collect();
        assert!(cache.fine(&ids[0]).is_none() && cache.contains(&ids[0]));
        assert!(cache.fine(&ids[2]).is_some());
        cache.keep_fine(ids[0], Arc::new(vec![[1; 64]; 320]));
        assert!(cache.fine(&ids[0]).is_some());
    }

    #[test]
    fn forks_are_kept_side_by_side() {
        let mut cache = SlotCache::default();
        let ours = put(&mut cache, 9);
        let mut other = inputs(9);
        other.start[0] ^= 1;
        cache.insert(other.clone(), proof(10), Vec::new());
        let (a, b) = (cache.get(&ours), cache.get(&other.id()));
        assert_ne!(a.expect("kept").end(), b.expect("kept").end());
    }

    #[test]
    fn a_claim_agrees_only_if_end_and_root_do() {
        let slot = VerifiedSlot {
            inputs: inputs(3),
            proof: Arc::new(proof(3)),
        };
        let (end, root) = (*slot.end(), slot.proof.fine_root);
        assert!(slot.agrees(&end, &root));
        assert!(!slot.agrees(&end, &[9; 32]));
        assert!(!slot.agrees(&[9; 64], &root));
    }

    #[test]
    fn a_slot_that_turned_out_wrong_is_forgotten_wholly() {
        let mut cache = SlotCache::default();
        let id = put(&mut cache, 1);
        cache.remove(&id);
        assert!(!cache.contains(&id) && cache.fine(&id).is_none() && cache.len() == 0);
    }
}
