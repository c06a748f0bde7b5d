// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use super::*;
use crate::testing::{beacon, following, tip};

fn never() -> bool {
    false
}

/// A node that follows the chain from its genesis slot, long enough ago that 60 slots are due.
fn protocol() -> (GossipProtocol, Arc<Beacon>) {
    let (beacon, events) = beacon();
    drop(events);
    following(&beacon);
    let mut tip = tip(0);
    tip.genesis_ms = Some(now_ms() - 60 * 250);
    beacon.set_tip(tip);
    (GossipProtocol::new(Arc::clone(&beacon)), beacon)
}

/// The same node, connected to so many peers, and the time at which they connected.
fn connected<const N: usize>() -> (GossipProtocol, Arc<Beacon>, [PeerId; N], Instant) {
    let (mut protocol, beacon) = protocol();
    let (peers, now) = ([(); N].map(|()| PeerId::random()), Instant::now());
    for peer in &peers {
        protocol.connected(*peer, now);
    }
    (protocol, beacon, peers, now)
}

/// The first slots, computed by another node.
fn slots(count: u64) -> Vec<VerifiedSlot> {
    let (other, _events) = beacon();
    let start = tip(0);
    let mut inputs = start.first().expect("known");
    let mut slots = Vec::new();
    for _ in 0..count {
        let slot = other.compute(&inputs, &never).expect("computes");
        inputs = start.after(&inputs, slot.end()).expect("known");
        slots.push(slot);
    }
    slots
}

/// Does what the protocol wants done; what it sends and reports comes back.
fn settle(protocol: &mut GossipProtocol, beacon: &Beacon) -> Vec<Action> {
    let mut done = Vec::new();
    loop {
        let actions = protocol.actions();
        if actions.is_empty() {
            return done;
        }
        for action in actions {
            match action {
                Action::Verify(work) => protocol.happened(Event::Verdict {
                    valid: beacon.evaluator.verify(&work.inputs, &work.message.proof),
                    peers: work.peers,
                    message: work.message,
                }),
                other => done.push(other),
            }
        }
    }
}

fn sent_to(actions: &[Action], peer: PeerId) -> Vec<Message> {
    let sent = |action: &Action| match action {
        Action::Send(to, bytes) if *to == peer => Message::from_bytes(bytes),
        _ => None,
    };
    actions.iter().filter_map(sent).collect()
}

fn reports(actions: &[Action], peer: PeerId) -> Vec<ReputationChange> {
    let report = |action: &Action| match action {
        Action::Report(who, change) if *who == peer => Some(*change),
        _ => None,
    };
    actions.iter().filter_map(report).collect()
}

#[test]
fn slots_are_verified_in_order_whatever_the_order_they_come_in() {
    let (mut protocol, beacon, [peer], now) = connected();
    for slot in slots(5).iter().rev() {
        protocol.received(peer, &encoded(slot), now);
    }
    let done = settle(&mut protocol, &beacon);
    assert_eq!(reports(&done, peer).len(), 5);
    let tip = beacon.store.tip().expect("set");
    assert_eq!(beacon.store.known_after(&tip, 100).len(), 5);
}

#[test]
fn a_right_slot_goes_to_everybody_but_its_sender_and_is_verified_once() {
    let (mut protocol, beacon, [sender, other], now) = connected();
    let slot = &slots(1)[0];
    protocol.received(sender, &encoded(slot), now);
    let done = settle(&mut protocol, &beacon);
    assert_eq!(sent_to(&done, other).len(), 1);
    assert_eq!(sent_to(&done, sender).len(), 0);
    protocol.received(other, &encoded(slot), now);
    assert!(settle(&mut protocol, &beacon).is_empty());
    assert_eq!(beacon.evaluator.counts.verified_slots(), 1);
}

#[test]
fn a_false_slot_bans_its_sender_and_reaches_nobody() {
    let (mut protocol, beacon, [liar, other], now) = connected();
    let right = &slots(1)[0];
    let mut proof = (*right.proof).clone();
    proof.coarse[31][5] ^= 1;
    let lie = VerifiedSlot {
        inputs: right.inputs.clone(),
        proof: Arc::new(proof),
    };
    protocol.received(liar, &encoded(&lie), now);
    protocol.received(other, &encoded(right), now);
    let done = settle(&mut protocol, &beacon);
    assert_eq!(reports(&done, liar), [FALSE_SLOT]);
    assert_eq!(reports(&done, other), [GOOD_SLOT]);
    assert!(beacon
        .store
        .cached(&right.inputs.id())
        .is_some_and(|slot| slot.end() == right.end()));
    for message in sent_to(&done, other).iter().chain(&sent_to(&done, liar)) {
        let Message::Slot(message) = message else {
            panic!("only slots are sent");
        };
        assert_eq!(message.proof, *right.proof);
    }
}

#[test]
fn a_slot_of_another_fork_is_ignored_without_blame() {
    let (mut protocol, beacon, [peer], now) = connected();
    let mut fork = tip(0);
    fork.epochs[0].seed[0] ^= 1;
    let (other, _events) = crate::testing::beacon();
    let inputs = fork.first().expect("known");
    let slot = other.compute(&inputs, &never).expect("computes");
    protocol.received(peer, &encoded(&slot), now);
    assert!(settle(&mut protocol, &beacon).is_empty());
}

/// A slot with inputs that exist on no fork.
fn junk(slot: u64, variant: u8) -> Vec<u8> {
    Message::Slot(Box::new(SlotMessage {
        slot,
        inputs: [variant; 32],
        proof: crate::testing::proof(variant.into()),
    }))
    .encode()
}

#[test]
fn four_hostile_peers_with_random_inputs_do_not_hide_the_slots() {
    let (mut protocol, beacon) = protocol();
    let now = Instant::now();
    let hostile: Vec<_> = (0..4).map(|_| PeerId::random()).collect();
    let honest = PeerId::random();
    for peer in hostile.iter().chain([&honest]) {
        protocol.connected(*peer, now);
    }
    let slots = slots(6);
    // They are first, for every slot that an honest node may send soon, and again next to it.
    for slot in 1..=6 {
        for (peer, variant) in hostile.iter().zip(200..) {
            protocol.received(*peer, &junk(slot, variant), now);
        }
    }
    for slot in &slots {
        for (peer, variant) in hostile.iter().zip(100..) {
            protocol.received(*peer, &junk(slot.inputs.slot, variant), now);
        }
        protocol.received(honest, &encoded(slot), now);
    }
    let done = settle(&mut protocol, &beacon);
    let tip = beacon.store.tip().expect("set");
    assert_eq!(beacon.store.known_after(&tip, 100).len(), 6);
    assert_eq!(reports(&done, honest), [GOOD_SLOT; 6]);
    // The chain includes them: who sent inputs that never were loses reputation for each slot.
    let mut passed = crate::testing::tip(6);
    passed.end = *slots[5].end();
    passed.genesis_ms = Some(now_ms() - 60 * 250);
    beacon.set_tip(passed);
    protocol.happened(Event::Head);
    let done = settle(&mut protocol, &beacon);
    for peer in &hostile {
        assert_eq!(reports(&done, *peer), [UNFOUNDED_SLOT; 6]);
    }
    assert!(reports(&done, honest).is_empty());
    assert_eq!(protocol.pending.len(), 0);
}

#[test]
fn four_hostile_peers_with_false_proofs_of_right_inputs_are_all_banned_and_the_slot_is_known() {
    let (mut protocol, beacon) = protocol();
    let now = Instant::now();
    let right = &slots(1)[0];
    let hostile: Vec<_> = (0..4).map(|_| PeerId::random()).collect();
    let honest = PeerId::random();
    for (peer, variant) in hostile.iter().zip(0..) {
        protocol.connected(*peer, now);
        let lie = Message::Slot(Box::new(SlotMessage {
            slot: 1,
            inputs: right.inputs.id(),
            proof: crate::testing::proof(variant / 2),
        }));
        protocol.received(*peer, &lie.encode(), now);
    }
    protocol.connected(honest, now);
    protocol.received(honest, &encoded(right), now);
    let mut done = settle(&mut protocol, &beacon);
    // A peer that lies about what is known by now is found without verifying anything.
    let late = PeerId::random();
    protocol.connected(late, now);
    let lie = Message::Slot(Box::new(SlotMessage {
        slot: 1,
        inputs: right.inputs.id(),
        proof: crate::testing::proof(77),
    }));
    protocol.received(late, &lie.encode(), now);
    done.extend(settle(&mut protocol, &beacon));
    for peer in hostile.iter().chain([&late]) {
        assert_eq!(reports(&done, *peer), [FALSE_SLOT]);
    }
    assert_eq!(reports(&done, honest), [GOOD_SLOT]);
    // Two different lies among the four, one of which waits when the truth is known or before.
    assert!(beacon.evaluator.counts.rejected_slots() <= 3);
    assert!(beacon.store.knows(&right.inputs.id()));
}

#[test]
fn peers_that_come_and_go_leave_nothing_behind() {
    let (mut protocol, _beacon) = protocol();
    let now = Instant::now();
    for variant in 0..100 {
        let peer = PeerId::random();
        protocol.connected(peer, now);
        for slot in 1..=40 {
            protocol.received(peer, &junk(slot, variant), now);
        }
        assert_eq!(protocol.pending.len(), crate::pending::UNFOUNDED);
        protocol.disconnected(&peer);
        assert_eq!(protocol.pending.len(), 0);
    }
}

#[test]
fn a_slot_of_another_fork_costs_little_and_one_that_was_next_once_costs_nothing() {
    let (mut protocol, beacon, [peer], now) = connected();
    // The best block was one of another fork when this node looked first.
    let here = beacon.store.tip().expect("set");
    let mut there = (*here).clone();
    there.end[0] ^= 1;
    let inputs = there.first().expect("known");
    beacon.set_tip(there);
    protocol.happened(Event::Head);
    beacon.set_tip((*here).clone());
    protocol.happened(Event::Head);
    let late = Message::Slot(Box::new(SlotMessage {
        slot: 1,
        inputs: inputs.id(),
        proof: crate::testing::proof(1),
    }));
    protocol.received(peer, &late.encode(), now);
    let mut passed = (*here).clone();
    passed.head = 1;
    beacon.set_tip(passed);
    protocol.happened(Event::Head);
    assert!(reports(&settle(&mut protocol, &beacon), peer).is_empty());
}

#[test]
fn three_peers_are_asked_for_a_lost_slot_and_three_others_the_next_time() {
    let (mut protocol, _beacon) = protocol();
    let now = Instant::now();
    let peers: Vec<_> = (0..6).map(|_| PeerId::random()).collect();
    for peer in &peers {
        protocol.connected(*peer, now);
    }
    protocol.tick();
    assert!(protocol.actions().is_empty());
    let mut asked = std::collections::HashSet::new();
    for round in 1..=2 {
        protocol.tick();
        let actions = protocol.actions();
        assert_eq!(actions.len(), 3);
        asked.extend(actions.iter().filter_map(|action| match action {
            Action::Send(peer, _) => Some(*peer),
            _ => None,
        }));
        assert_eq!(asked.len(), 3 * round);
    }
}

#[test]
fn what_lies_beyond_the_wall_clock_or_behind_the_head_is_not_kept() {
    let (mut protocol, beacon, [peer], now) = connected();
    let all = slots(6);
    let mut late = tip(0);
    late.genesis_ms = Some(now_ms() + 3_600_000);
    beacon.set_tip(late);
    protocol.received(peer, &encoded(&all[4]), now);
    assert_eq!(protocol.pending.len(), 0);
    let mut ahead = tip(6);
    ahead.genesis_ms = Some(now_ms() - 60 * 250);
    beacon.set_tip(ahead);
    protocol.received(peer, &encoded(&all[5]), now);
    assert_eq!(protocol.pending.len(), 0);
}

#[test]
fn nothing_is_believed_while_the_node_synchronises() {
    let (beacon, _events) = beacon();
    beacon.set_tip(tip(0));
    let mut protocol = GossipProtocol::new(Arc::clone(&beacon));
    let (peer, now) = (PeerId::random(), Instant::now());
    protocol.connected(peer, now);
    protocol.received(peer, &encoded(&slots(1)[0]), now);
    assert!(protocol.actions().is_empty());
    assert_eq!(protocol.pending.len(), 0);
}

#[test]
fn garbage_costs_reputation_and_a_flood_is_not_even_read() {
    let (mut protocol, _beacon, [peer], now) = connected();
    for _ in 0..10_000 {
        protocol.received(peer, &[0; 77], now);
    }
    let reported = reports(&protocol.actions(), peer);
    assert_eq!(reported.len(), 128);
    assert!(reported.iter().all(|change| *change == MALFORMED));
}

#[test]
fn a_question_is_answered_with_the_slots_that_follow() {
    let (mut protocol, beacon, [peer], now) = connected();
    for slot in slots(12) {
        assert_eq!(
            beacon.evaluator.verify(&slot.inputs, &slot.proof),
            Some(true)
        );
    }
    let third = &slots(3)[2];
    let question = Message::Want {
        slot: 3,
        inputs: third.inputs.id(),
    };
    protocol.received(peer, &question.encode(), now);
    let answers: Vec<_> = sent_to(&protocol.actions(), peer)
        .into_iter()
        .map(|message| match message {
            Message::Slot(message) => message.slot,
            Message::Want { .. } => 0,
        })
        .collect();
    assert_eq!(answers, (3..=10).collect::<Vec<_>>());
    let unknown = Message::Want {
        slot: 3,
        inputs: [9; 32],
    };
    protocol.received(peer, &unknown.encode(), now);
    assert!(protocol.actions().is_empty());
}

#[test]
fn slots_of_a_block_in_import_are_asked_for_and_taken_though_no_head_leads_to_them() {
    let (mut protocol, beacon, [peer], now) = connected();
    let fork = slots(2);
    let mut head = tip(40);
    head.genesis_ms = Some(now_ms() - 60 * 250);
    beacon.set_tip(head);
    let wanted = fork.iter().map(|slot| slot.inputs.clone()).collect();
    protocol.happened(Event::Wanted(wanted));
    assert_eq!(sent_to(&protocol.actions(), peer).len(), 1);
    for slot in &fork {
        protocol.received(peer, &encoded(slot), now);
    }
    settle(&mut protocol, &beacon);
    assert!(fork
        .iter()
        .all(|slot| beacon.store.knows(&slot.inputs.id())));
    assert!(protocol.wanted.is_empty());
}

#[test]
fn a_lost_slot_is_asked_for_at_the_second_tick() {
    let (mut protocol, _beacon, [peer], _) = connected();
    protocol.tick();
    assert!(protocol.actions().is_empty());
    protocol.tick();
    let asked = sent_to(&protocol.actions(), peer);
    assert!(matches!(asked[..], [Message::Want { slot: 1, .. }]));
}

#[test]
fn a_new_peer_learns_what_is_known_beyond_the_head() {
    let (mut protocol, beacon) = protocol();
    for slot in slots(3) {
        beacon.evaluator.verify(&slot.inputs, &slot.proof);
    }
    let peer = PeerId::random();
    protocol.connected(peer, Instant::now());
    assert_eq!(sent_to(&protocol.actions(), peer).len(), 3);
}
