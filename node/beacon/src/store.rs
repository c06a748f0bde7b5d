// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that are known, the tip of the best chain, and the wake-up of threads that wait for either to change.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use tos_types::beacon::{LinkError, Slot};
use tos_vdf::{SlotProof, State};

use super::{
    cache::{SlotCache, VerifiedSlot},
    slot::{SlotId, SlotInputs},
    tip::BeaconTip,
};

/// The slot to compute or to hear of next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frontier {
    /// This one.
    Next(SlotInputs),
    /// None before the wall clock or the chain moves on.
    Reached,
    /// None before the chain says more.
    Waiting(LinkError),
}

/// Store of slots and of the tip that they follow.
#[derive(Default)]
pub struct SlotStore {
    cache: Mutex<SlotCache>,
    tip: Mutex<Option<Arc<BeaconTip>>>,
    /// Changes of the two above, counted so that a thread can tell cheaply if it has to look again.
    generation: AtomicU64,
    waiting: Mutex<()>,
    changed: Condvar,
    stopping: AtomicBool,
}

impl SlotStore {
    /// `true` if the node is shutting down.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends all threads of the beacon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.touch();
    }

    fn touch(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        let _guard = self.waiting.lock();
        self.changed.notify_all();
    }

    /// Number of changes of slots and of the chain.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Waits until something has changed since `generation`, or `limit` has passed.
    pub fn wait(&self, generation: u64, limit: Duration) {
        let mut guard = self.waiting.lock();
        if self.generation() == generation && !self.stopping() {
            let _ = self.changed.wait_for(&mut guard, limit);
        }
    }

    /// The beacon after the best block.
    pub fn tip(&self) -> Option<Arc<BeaconTip>> {
        self.tip.lock().clone()
    }

    /// Replaces the tip: the best block has changed.
    pub fn set_tip(&self, tip: BeaconTip) {
        *self.tip.lock() = Some(Arc::new(tip));
        self.touch();
    }

    /// Keeps a slot that is right, and its fine states. Returns it, and the number of slots that are known.
    pub fn keep(
        &self,
        inputs: &SlotInputs,
        proof: SlotProof,
        fine: Vec<State>,
    ) -> (VerifiedSlot, usize) {
        let kept = {
            let mut cache = self.cache.lock();
            (cache.insert(inputs.clone(), proof, fine), cache.len())
        };
        self.touch();
        kept
    }

    /// A slot that is known to be right.
    pub fn cached(&self, id: &SlotId) -> Option<VerifiedSlot> {
        self.cache.lock().get(id)
    }

    /// `true` if a slot is known to be right.
    pub fn knows(&self, id: &SlotId) -> bool {
        self.cache.lock().contains(id)
    }

    /// Number of slots that are known.
    pub fn cached_slots(&self) -> usize {
        self.cache.lock().len()
    }

    /// Forgets a slot that turned out wrong.
    pub fn remove(&self, id: &SlotId) {
        self.cache.lock().remove(id);
    }

    /// Fine states of a slot, unless they were dropped.
    pub fn fine(&self, id: &SlotId) -> Option<Arc<Vec<State>>> {
        self.cache.lock().fine(id)
    }

    /// Keeps the fine states of a slot again.
    pub fn keep_fine(&self, id: SlotId, fine: Arc<Vec<State>>) {
        self.cache.lock().keep_fine(id, fine);
    }

    /// The known slots behind the head of `tip`, one after the other, as far as they go but
    /// not beyond slot `last`.
    pub fn known_after(&self, tip: &BeaconTip, last: Slot) -> Vec<VerifiedSlot> {
        let mut cache = self.cache.lock();
        let mut known = Vec::new();
        let mut next = tip.first();
        while let Ok(inputs) = next {
            let slot = match cache.get(&inputs.id()) {
                Some(slot) if inputs.slot <= last => slot,
                _ => break,
            };
            next = tip.after(&inputs, slot.end());
            known.push(slot);
        }
        known
    }

    /// The slot to compute or to hear of next.
    pub fn frontier(&self, tip: &BeaconTip, now_ms: u64) -> Frontier {
        let horizon = tip.horizon(now_ms);
        let next = match self.known_after(tip, horizon).last() {
            None => tip.first(),
            Some(slot) => tip.after(&slot.inputs, slot.end()),
        };
        match next {
            Ok(inputs) if inputs.slot <= horizon => Frontier::Next(inputs),
            Ok(_) => Frontier::Reached,
            Err(unknown) => Frontier::Waiting(unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, tip};

    fn never() -> bool {
        false
    }

    #[test]
    fn the_frontier_moves_as_slots_become_known_and_stops_at_the_horizon() {
        let (beacon, _events) = beacon();
        let mut tip = tip(0);
        tip.genesis_ms = Some(0);
        for slot in 1..=5 {
            // At 750 ms three slots have passed, and two may be ahead.
            let Frontier::Next(inputs) = beacon.store.frontier(&tip, 750) else {
                panic!("slot {slot} is allowed");
            };
            assert_eq!(inputs.slot, slot);
            beacon.compute(&inputs, &never).expect("computes");
        }
        assert_eq!(beacon.store.frontier(&tip, 750), Frontier::Reached);
        assert_eq!(beacon.store.known_after(&tip, 3).len(), 3);
    }

    #[test]
    fn a_reorganisation_finds_the_slots_of_its_fork() {
        let (beacon, _events) = beacon();
        let ours = tip(0);
        let mut theirs = ours.clone();
        theirs.end[0] ^= 1;
        for fork in [&ours, &theirs] {
            let inputs = fork.first().expect("known");
            beacon.compute(&inputs, &never).expect("computes");
        }
        assert_eq!(beacon.store.known_after(&ours, 9).len(), 1);
        assert_eq!(beacon.store.known_after(&theirs, 9).len(), 1);
    }
}
