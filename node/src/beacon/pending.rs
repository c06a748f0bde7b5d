// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that peers sent and that cannot be verified yet, because the one before is missing.

use std::collections::BTreeMap;

use polkadot_sdk::*;
use sc_network::PeerId;
use tos_primitives::beacon::Slot;

use super::slot::{SlotId, SlotMessage};

/// Different results for one slot that are kept. Honest peers all send the same.
const PER_SLOT: usize = 4;
/// Slots that are kept.
const SLOTS: usize = 96;

/// A slot that a peer sent.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Who sent it first.
    pub peer: PeerId,
    /// What it sent.
    pub message: Box<SlotMessage>,
}

/// Candidates by slot and inputs.
///
/// One peer has at most one candidate for each slot, and each slot has few: a flood of false
/// ones displaces nothing, and whoever sends them is found out when the slot's turn comes.
#[derive(Default)]
pub struct Pending {
    slots: BTreeMap<(Slot, SlotId), Vec<Candidate>>,
}

/// What became of an offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// It waits for its turn.
    Kept,
    /// The same is here already, or the peer has offered this slot before.
    Known,
    /// There is no room.
    Full,
}

impl Pending {
    /// Keeps a candidate if there is room for it.
    pub fn offer(&mut self, peer: PeerId, message: Box<SlotMessage>) -> Offer {
        let key = (message.slot, message.inputs);
        let of_slot = || {
            let all = (message.slot, [0; 32])..=(message.slot, [u8::MAX; 32]);
            self.slots.range(all).flat_map(|(_, candidates)| candidates)
        };
        let known = |candidate: &Candidate| {
            candidate.peer == peer || candidate.message.as_ref() == message.as_ref()
        };
        if of_slot().any(known) {
            return Offer::Known;
        }
        let full = self.slots.len() >= SLOTS && !self.slots.contains_key(&key);
        if full || of_slot().count() >= PER_SLOT {
            return Offer::Full;
        }
        self.slots
            .entry(key)
            .or_default()
            .push(Candidate { peer, message });
        Offer::Kept
    }

    /// Takes the oldest candidate for a slot.
    pub fn take(&mut self, slot: Slot, inputs: &SlotId) -> Option<Candidate> {
        let key = (slot, *inputs);
        let candidates = self.slots.get_mut(&key)?;
        let first = (!candidates.is_empty()).then(|| candidates.remove(0));
        if candidates.is_empty() {
            self.slots.remove(&key);
        }
        first
    }

    /// Drops what is no longer needed: slots for which `keep` says no.
    pub fn retain(&mut self, keep: impl Fn(Slot, &SlotId) -> bool) {
        self.slots.retain(|(slot, inputs), _| keep(*slot, inputs));
    }

    /// Drops everything a peer sent.
    pub fn forget(&mut self, peer: &PeerId) {
        for candidates in self.slots.values_mut() {
            candidates.retain(|candidate| candidate.peer != *peer);
        }
        self.slots.retain(|_, candidates| !candidates.is_empty());
    }

    /// How many candidates wait.
    pub fn len(&self) -> usize {
        self.slots.values().map(Vec::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beacon::testing::{inputs, proof};

    fn message(slot: Slot, variant: u64) -> Box<SlotMessage> {
        Box::new(SlotMessage {
            slot,
            inputs: inputs(slot).id(),
            proof: proof(variant),
        })
    }

    #[test]
    fn candidates_come_out_in_the_order_in_which_they_came() {
        let (first, second) = (PeerId::random(), PeerId::random());
        let mut pending = Pending::default();
        assert_eq!(pending.offer(first, message(5, 1)), Offer::Kept);
        assert_eq!(pending.offer(second, message(5, 2)), Offer::Kept);
        let id = inputs(5).id();
        let peers: Vec<_> = std::iter::from_fn(|| pending.take(5, &id))
            .map(|candidate| candidate.peer)
            .collect();
        assert_eq!(peers, [first, second]);
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn the_same_slot_from_many_peers_is_kept_once() {
        let mut pending = Pending::default();
        assert_eq!(pending.offer(PeerId::random(), message(5, 1)), Offer::Kept);
        for _ in 0..50 {
            assert_eq!(pending.offer(PeerId::random(), message(5, 1)), Offer::Known);
        }
        assert_eq!(pending.len(), 1);
    }

    #[test]
    fn one_peer_cannot_fill_a_slot_or_the_whole_with_lies() {
        let liar = PeerId::random();
        let mut pending = Pending::default();
        for variant in 0..100 {
            pending.offer(liar, message(5, variant));
        }
        assert_eq!(pending.len(), 1);
        assert_eq!(
            pending.offer(PeerId::random(), message(5, 999)),
            Offer::Kept
        );
        for slot in 0..10_000 {
            pending.offer(liar, message(slot, 1));
        }
        assert!(pending.len() <= SLOTS + 1);
    }

    #[test]
    fn what_a_peer_sent_goes_with_it_and_old_slots_go_with_time() {
        let (honest, liar) = (PeerId::random(), PeerId::random());
        let mut pending = Pending::default();
        pending.offer(liar, message(5, 1));
        pending.offer(honest, message(5, 2));
        pending.offer(liar, message(6, 1));
        pending.forget(&liar);
        assert_eq!(pending.len(), 1);
        pending.retain(|slot, _| slot > 5);
        assert_eq!(pending.len(), 0);
    }
}
