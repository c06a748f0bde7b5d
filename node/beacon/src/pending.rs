// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Slots that peers sent and that are not verified yet.
//!
//! Two kinds are kept apart. Results for inputs that this node knows wait for the verifier: one per
//! peer, and equal results of several peers once. Results for inputs that it does not know yet,
//! because a slot before is missing, stay with the peer that sent them: a few per peer, the newest
//! in place of its oldest. So no peer's messages take the room of another's, and what a liar sent
//! is still there when its slot's turn comes.

use std::collections::{BTreeMap, HashMap, VecDeque};

use polkadot_sdk::*;
use sc_network::PeerId;
use tos_types::beacon::Slot;

use super::slot::{SlotId, SlotMessage};

/// Slots with unknown inputs that are kept of one peer; 2.1 KB each. Twice what one answer holds.
pub const UNFOUNDED: usize = 16;

/// A result for known inputs.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Peers that sent it, the first sender first.
    pub peers: Vec<PeerId>,
    /// The result that they sent.
    pub message: Box<SlotMessage>,
}

/// Unverified results of peers: those for known inputs, and those for unknown ones.
#[derive(Default)]
pub struct Pending {
    founded: BTreeMap<(Slot, SlotId), Vec<Candidate>>,
    unfounded: HashMap<PeerId, VecDeque<Box<SlotMessage>>>,
}

impl Pending {
    /// Keeps a result for inputs that are known here. A peer has one for each, its first.
    pub fn found(&mut self, peer: PeerId, message: Box<SlotMessage>) {
        let candidates = self
            .founded
            .entry((message.slot, message.inputs))
            .or_default();
        if candidates.iter().any(|known| known.peers.contains(&peer)) {
            return;
        }
        match candidates.iter_mut().find(|it| it.message == message) {
            Some(same) => same.peers.push(peer),
            None => candidates.push(Candidate {
                peers: vec![peer],
                message,
            }),
        }
    }

    /// Keeps a result for inputs that are not known here. Of one peer's results for one slot the
    /// newest stays, and of its slots the [`UNFOUNDED`] newest.
    pub fn put_aside(&mut self, peer: PeerId, message: Box<SlotMessage>) {
        let own = self.unfounded.entry(peer).or_default();
        own.retain(|known| known.slot != message.slot);
        if own.len() >= UNFOUNDED {
            own.pop_front();
        }
        own.push_back(message);
    }

    /// These inputs are known from now on: what peers sent of them can be verified.
    pub fn promote(&mut self, slot: Slot, inputs: &SlotId) {
        let mut promoted = Vec::new();
        for (peer, own) in &mut self.unfounded {
            if let Some(at) = own
                .iter()
                .position(|it| it.slot == slot && it.inputs == *inputs)
            {
                promoted.extend(own.remove(at).map(|message| (*peer, message)));
            }
        }
        for (peer, message) in promoted {
            self.found(peer, message);
        }
    }

    /// Takes the oldest candidate for a slot.
    pub fn take(&mut self, slot: Slot, inputs: &SlotId) -> Option<Candidate> {
        let key = (slot, *inputs);
        let candidates = self.founded.get_mut(&key)?;
        let first = (!candidates.is_empty()).then(|| candidates.remove(0));
        if candidates.is_empty() {
            self.founded.remove(&key);
        }
        first
    }

    /// Takes all candidates whose inputs `is_over` names: they are not needed any more.
    pub fn take_over(&mut self, is_over: impl Fn(Slot, &SlotId) -> bool) -> Vec<Candidate> {
        let mut taken = Vec::new();
        self.founded.retain(|(slot, inputs), candidates| {
            let over = is_over(*slot, inputs);
            if over {
                taken.append(candidates);
            }
            !over
        });
        taken
    }

    /// Drops what the chain has passed, and names the peers whose results were for inputs that
    /// never `existed` here: once for each such slot.
    pub fn pass(&mut self, head: Slot, existed: impl Fn(&SlotId) -> bool) -> Vec<PeerId> {
        let mut liars = Vec::new();
        for (peer, own) in &mut self.unfounded {
            own.retain(|message| {
                let passed = message.slot <= head;
                if passed && !existed(&message.inputs) {
                    liars.push(*peer);
                }
                !passed
            });
        }
        self.unfounded.retain(|_, own| !own.is_empty());
        liars
    }

    /// Drops everything that some peers sent.
    pub fn forget(&mut self, gone: &[PeerId]) {
        for candidates in self.founded.values_mut() {
            for candidate in candidates.iter_mut() {
                candidate.peers.retain(|peer| !gone.contains(peer));
            }
            candidates.retain(|candidate| !candidate.peers.is_empty());
        }
        self.founded.retain(|_, candidates| !candidates.is_empty());
        self.unfounded.retain(|peer, _| !gone.contains(peer));
    }

    /// Number of results that wait.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let founded: usize = self.founded.values().map(Vec::len).sum();
        let unfounded: usize = self.unfounded.values().map(VecDeque::len).sum();
        founded.saturating_add(unfounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{inputs, proof};

    fn message(slot: Slot, variant: u64) -> Box<SlotMessage> {
        Box::new(SlotMessage {
            slot,
            inputs: inputs(slot).id(),
            proof: proof(variant),
        })
    }

    /// A message whose inputs exist on no fork.
    fn junk(slot: Slot, variant: u8) -> Box<SlotMessage> {
        Box::new(SlotMessage {
            inputs: [variant; 32],
            ..*message(slot, 1)
        })
    }

    /// Messages of these peers, all of them put aside.
    fn aside<const N: usize>(sent: [(PeerId, Box<SlotMessage>); N]) -> Pending {
        let mut pending = Pending::default();
        for (peer, message) in sent {
            pending.put_aside(peer, message);
        }
        pending
    }

    #[test]
    fn candidates_come_out_in_the_order_in_which_they_came() {
        let (first, second) = (PeerId::random(), PeerId::random());
        let mut pending = Pending::default();
        pending.found(first, message(5, 1));
        pending.found(second, message(5, 2));
        let id = inputs(5).id();
        let peers: Vec<_> = std::iter::from_fn(|| pending.take(5, &id))
            .map(|candidate| candidate.peers)
            .collect();
        assert_eq!(peers, [[first], [second]]);
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn the_same_slot_from_many_peers_is_kept_once_and_all_answer_for_it() {
        let mut pending = Pending::default();
        for _ in 0..50 {
            pending.found(PeerId::random(), message(5, 1));
        }
        assert_eq!(pending.len(), 1);
        let taken = pending.take(5, &inputs(5).id()).expect("kept");
        assert_eq!(taken.peers.len(), 50);
    }

    #[test]
    fn unknown_inputs_of_many_peers_leave_room_for_the_right_ones() {
        let mut pending = Pending::default();
        for variant in 0..40 {
            pending.put_aside(PeerId::random(), junk(5, variant));
        }
        let honest = PeerId::random();
        pending.put_aside(honest, message(5, 1));
        let id = inputs(5).id();
        pending.promote(5, &id);
        assert_eq!(pending.take(5, &id).map(|it| it.peers), Some(vec![honest]));
    }

    #[test]
    fn a_peer_displaces_only_what_it_sent_itself_and_its_newest_stays() {
        let (liar, honest) = (PeerId::random(), PeerId::random());
        let mut pending = Pending::default();
        pending.put_aside(honest, message(5, 1));
        for slot in 1..10_000 {
            pending.put_aside(liar, junk(slot, 9));
        }
        assert_eq!(pending.len(), UNFOUNDED + 1);
        for variant in 0..100 {
            pending.put_aside(liar, junk(9_999, variant));
        }
        assert_eq!(pending.len(), UNFOUNDED + 1);
        pending.promote(9_999, &[99; 32]);
        assert!(pending.take(9_999, &[99; 32]).is_some());
        pending.promote(5, &inputs(5).id());
        assert!(pending.take(5, &inputs(5).id()).is_some());
    }

    #[test]
    fn who_sent_inputs_that_never_existed_is_named_when_the_chain_has_passed_them() {
        let (honest, liar) = (PeerId::random(), PeerId::random());
        let mut pending = aside([
            (honest, message(5, 1)),
            (liar, junk(5, 1)),
            (liar, junk(6, 1)),
        ]);
        let right = inputs(5).id();
        assert!(pending.pass(4, |id| *id == right).is_empty());
        assert_eq!(pending.pass(5, |id| *id == right), [liar]);
        assert_eq!(pending.len(), 1);
        assert_eq!(pending.pass(6, |id| *id == right), [liar]);
        assert_eq!(pending.len(), 0);
    }

    #[test]
    fn what_a_peer_sent_goes_with_it() {
        let (honest, liar) = (PeerId::random(), PeerId::random());
        let mut pending = aside([(liar, junk(6, 1))]);
        pending.found(liar, message(5, 1));
        pending.found(honest, message(5, 2));
        pending.forget(&[liar]);
        assert_eq!(pending.len(), 1);
        let taken = pending.take_over(|slot, _| slot <= 5);
        assert_eq!(taken.len(), 1);
        assert_eq!(pending.len(), 0);
    }
}
