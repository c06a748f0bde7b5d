// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! State machine of the beacon gossip protocol, without input or output: what this node says to its peers about slots, and what it
//! believes.
//!
//! A slot is passed on after it was verified, never before. A peer that sends a false one is
//! banned: results are exact, so there is no honest way to be wrong about given inputs. What comes
//! too early or too late is ignored without judgement. Inputs that no fork has had when the chain
//! passes their slot cost reputation: once is forgiven, as the fork may be one that this node never
//! saw, a habit is not.

use polkadot_sdk::*;
use std::{
    collections::{HashMap, VecDeque},
    num::NonZeroUsize,
    sync::Arc,
    time::Instant,
};

use codec::Encode;
use sc_network::{utils::LruHashSet, PeerId, ReputationChange};
use schnellru::{ByLength, LruMap};
use tos_types::beacon::Slot;

use super::{
    cache::VerifiedSlot,
    clock::now_ms,
    pending::{Candidate, Pending},
    rate_limit::TokenBucket,
    slot::{Message, SlotId, SlotInputs, SlotMessage},
    state::{Beacon, Event},
    store::Frontier,
};

/// A message that is none.
pub const MALFORMED: ReputationChange = ReputationChange::new(-(1 << 16), "beacon: malformed");
/// A slot that is false.
pub const FALSE_SLOT: ReputationChange = ReputationChange::new_fatal("beacon: false slot");
/// A slot whose inputs no fork has had. Some twenty in a row ban a peer.
pub const UNFOUNDED_SLOT: ReputationChange =
    ReputationChange::new(-(1 << 26), "beacon: slot of no known fork");
/// A slot that is right, from the peer that sent it first.
pub const GOOD_SLOT: ReputationChange = ReputationChange::new(1 << 6, "beacon: slot");

/// Slots that one question is answered with, and that a new peer is sent.
const ANSWER: usize = 8;
/// Tokens that a question costs of a peer's bucket.
const QUESTION_COST: u32 = 8;
/// Peers that are asked at once.
const ASKED: usize = 3;
/// Slots of blocks in import that are listened for.
const WANTED: usize = 64;
/// Inputs that are remembered to have been next on some fork.
const MET: u32 = 1_024;
/// Slots that a peer is remembered to know.
const KNOWN: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");

/// Action that the network is to take.
#[derive(Debug)]
pub enum Action {
    /// Change a peer's reputation.
    Report(PeerId, ReputationChange),
    /// Send a peer a message.
    Send(PeerId, Vec<u8>),
    /// Verify a slot, and report the verdict.
    Verify(Verification),
}

/// A slot to be verified.
#[derive(Debug)]
pub struct Verification {
    /// Peers that sent it, the first sender first.
    pub peers: Vec<PeerId>,
    /// Inputs of the slot.
    pub inputs: SlotInputs,
    /// The result that they sent.
    pub message: Box<SlotMessage>,
}

struct Peer {
    bucket: TokenBucket,
    known: LruHashSet<SlotId>,
}

/// State machine of the protocol.
pub struct GossipProtocol {
    beacon: Arc<Beacon>,
    peers: HashMap<PeerId, Peer>,
    pending: Pending,
    wanted: VecDeque<SlotInputs>,
    /// Inputs that were next on some fork, or that a block asked for.
    met: LruMap<SlotId, ()>,
    /// `true` while a slot is being verified. There is never more than one.
    verifying: bool,
    /// The frontier at the last tick: if it is still the same, the slot was lost.
    stuck_at: Option<SlotId>,
    /// Turns the choice of the peers that are asked.
    turn: usize,
    actions: Vec<Action>,
}

fn encoded(slot: &VerifiedSlot) -> Vec<u8> {
    Message::Slot(Box::new(SlotMessage {
        slot: slot.inputs.slot,
        inputs: slot.inputs.id(),
        proof: (*slot.proof).clone(),
    }))
    .encode()
}

impl GossipProtocol {
    /// Without peers.
    pub fn new(beacon: Arc<Beacon>) -> Self {
        Self {
            beacon,
            peers: HashMap::new(),
            pending: Pending::default(),
            wanted: VecDeque::new(),
            met: LruMap::new(ByLength::new(MET)),
            verifying: false,
            stuck_at: None,
            turn: 0,
            actions: Vec::new(),
        }
    }

    /// Actions to be taken now, in order.
    pub fn actions(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// A peer is there: it is told what we know beyond the head.
    pub fn connected(&mut self, peer: PeerId, now: Instant) {
        self.peers.insert(
            peer,
            Peer {
                bucket: TokenBucket::new(now),
                known: LruHashSet::new(KNOWN),
            },
        );
        if let Some(tip) = self.beacon.store.tip() {
            for slot in self
                .beacon
                .store
                .known_after(&tip, Slot::MAX)
                .iter()
                .take(ANSWER)
            {
                self.send(peer, slot);
            }
        }
    }

    /// A peer is gone, and with it what it sent: or peers that come and go would fill the memory
    /// while the chain stands still.
    pub fn disconnected(&mut self, peer: &PeerId) {
        self.peers.remove(peer);
        self.pending.forget(&[*peer]);
    }

    /// A peer says something.
    pub fn received(&mut self, peer: PeerId, bytes: &[u8], now: Instant) {
        let Some(sender) = self.peers.get_mut(&peer) else {
            return;
        };
        if !sender.bucket.take(1, now) {
            return;
        }
        match Message::from_bytes(bytes) {
            None => self.actions.push(Action::Report(peer, MALFORMED)),
            Some(Message::Slot(message)) => {
                sender.known.insert(message.inputs);
                self.heard(peer, message);
            }
            Some(Message::Want { inputs, .. }) => {
                if sender.bucket.take(QUESTION_COST, now) {
                    self.asked(peer, &inputs);
                }
            }
        }
    }

    fn heard(&mut self, peer: PeerId, message: Box<SlotMessage>) {
        if !self.beacon.gate.follows_head() {
            return;
        }
        if let Some(known) = self.beacon.store.cached(&message.inputs) {
            if *known.proof != message.proof {
                self.banish(&[peer]);
            }
            return;
        }
        let wanted = self
            .wanted
            .iter()
            .any(|inputs| inputs.slot == message.slot && inputs.id() == message.inputs);
        let ahead =
            self.beacon.store.tip().is_some_and(|tip| {
                tip.head < message.slot && message.slot <= tip.horizon(now_ms())
            });
        // What this node asked for has room whatever else peers send.
        if wanted {
            self.pending.found(peer, message);
        } else if ahead {
            self.pending.put_aside(peer, message);
        } else {
            return;
        }
        self.verify_next();
    }

    /// These peers sent what is false.
    fn banish(&mut self, peers: &[PeerId]) {
        self.pending.forget(peers);
        for peer in peers {
            self.actions.push(Action::Report(*peer, FALSE_SLOT));
        }
    }

    /// A peer asks for a slot: it gets it, and those that we know on top of it.
    fn asked(&mut self, peer: PeerId, first: &SlotId) {
        let Some(tip) = self.beacon.store.tip() else {
            return;
        };
        let mut next = self.beacon.store.cached(first);
        for _ in 0..ANSWER {
            let Some(slot) = next else {
                return;
            };
            self.send(peer, &slot);
            next = tip
                .after(&slot.inputs, slot.end())
                .ok()
                .and_then(|inputs| self.beacon.store.cached(&inputs.id()));
        }
    }

    fn send(&mut self, peer: PeerId, slot: &VerifiedSlot) {
        if let Some(receiver) = self.peers.get_mut(&peer) {
            receiver.known.insert(slot.inputs.id());
            self.actions.push(Action::Send(peer, encoded(slot)));
        }
    }

    /// Something happened in this node.
    pub fn happened(&mut self, event: Event) {
        match event {
            Event::Computed(slot) => self.broadcast(&slot),
            Event::Verdict {
                peers,
                message,
                valid,
            } => {
                self.verifying = false;
                match valid {
                    Some(true) => {
                        if let Some(first) = peers.first() {
                            self.actions.push(Action::Report(*first, GOOD_SLOT));
                        }
                        if let Some(slot) = self.beacon.store.cached(&message.inputs) {
                            self.broadcast(&slot);
                        }
                    }
                    Some(false) => self.banish(&peers),
                    None => {}
                }
            }
            Event::Head => {}
            Event::Wanted(inputs) => {
                if let Some(first) = inputs.first() {
                    self.ask(first, ASKED);
                }
                self.wanted.extend(inputs);
                let excess = self.wanted.len().saturating_sub(WANTED);
                self.wanted.drain(..excess);
            }
        }
        self.drop_obsolete();
        self.verify_next();
    }

    /// Drops candidates for slots that are known or passed, and reports the peers that were wrong
    /// about them.
    fn drop_obsolete(&mut self) {
        let beacon = Arc::clone(&self.beacon);
        self.wanted
            .retain(|inputs| !beacon.store.knows(&inputs.id()));
        let wanted: Vec<_> = self.wanted.iter().map(SlotInputs::id).collect();
        let head = beacon.store.tip().map_or(0, |tip| tip.head);
        let over = self.pending.take_over(|slot, inputs| {
            (slot <= head && !wanted.contains(inputs)) || beacon.store.knows(inputs)
        });
        let mut false_ones = Vec::new();
        for Candidate { peers, message } in over {
            let known = beacon.store.cached(&message.inputs);
            if known.is_some_and(|known| *known.proof != message.proof) {
                false_ones.extend(peers);
            }
        }
        self.banish(&false_ones);
        let met = &self.met;
        let unfounded = self
            .pending
            .pass(head, |id| beacon.store.knows(id) || met.peek(id).is_some());
        for peer in unfounded {
            self.actions.push(Action::Report(peer, UNFOUNDED_SLOT));
        }
    }

    /// Tells all peers that do not know a slot.
    fn broadcast(&mut self, slot: &VerifiedSlot) {
        if !self.beacon.gate.follows_head() {
            return;
        }
        let (id, bytes) = (slot.inputs.id(), encoded(slot));
        for (peer, state) in &mut self.peers {
            if state.known.insert(id) {
                self.actions.push(Action::Send(*peer, bytes.clone()));
            }
        }
    }

    /// Asks some peers for a slot.
    fn ask(&mut self, inputs: &SlotInputs, peers: usize) {
        let bytes = Message::Want {
            slot: inputs.slot,
            inputs: inputs.id(),
        }
        .encode();
        // Others the next time, so that who does not answer is not asked for ever.
        let known = self.peers.len().max(1);
        self.turn = (self.turn + peers) % known;
        let chosen = self.peers.keys().cycle().skip(self.turn);
        for peer in chosen.take(peers.min(self.peers.len())) {
            self.actions.push(Action::Send(*peer, bytes.clone()));
        }
    }

    /// Verifies the slot whose turn it is, if a peer has sent it: the next of the best chain
    /// first, then those of blocks that are being imported.
    fn verify_next(&mut self) {
        if self.verifying {
            return;
        }
        let frontier = self.beacon.store.tip().and_then(|tip| {
            match self.beacon.store.frontier(&tip, now_ms()) {
                Frontier::Next(inputs) => Some(inputs),
                Frontier::Reached | Frontier::Waiting(_) => None,
            }
        });
        let turns: Vec<_> = frontier.into_iter().chain(self.wanted.clone()).collect();
        for inputs in turns {
            let id = inputs.id();
            self.met.insert(id, ());
            self.pending.promote(inputs.slot, &id);
            if let Some(candidate) = self.pending.take(inputs.slot, &id) {
                self.verifying = true;
                self.actions.push(Action::Verify(Verification {
                    peers: candidate.peers,
                    inputs,
                    message: candidate.message,
                }));
                return;
            }
        }
    }

    /// Once a second: a slot that should long be here was lost, so some peers are asked for it.
    pub fn tick(&mut self) {
        if !self.beacon.gate.follows_head() || self.beacon.keeps_time {
            return;
        }
        let Some(tip) = self.beacon.store.tip() else {
            return;
        };
        let now_ms = now_ms();
        let Frontier::Next(inputs) = self.beacon.store.frontier(&tip, now_ms) else {
            self.stuck_at = None;
            return;
        };
        let late = inputs.slot.saturating_add(2) <= tip.horizon(now_ms);
        let id = inputs.id();
        if late && self.stuck_at == Some(id) {
            self.ask(&inputs, ASKED);
        }
        self.stuck_at = Some(id);
        self.verify_next();
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
