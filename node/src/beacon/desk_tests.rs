// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use super::*;
use crate::beacon::testing::{beacon, following, outlook};

fn never() -> bool {
    false
}

/// A node that follows the chain from its genesis slot, long enough ago that 60 slots are due.
fn desk() -> (Desk, Arc<Beacon>) {
    let (beacon, events) = beacon();
    drop(events);
    following(&beacon);
    let mut outlook = outlook(0);
    outlook.genesis_ms = Some(Beacon::now_ms() - 60 * 250);
    beacon.set_outlook(outlook);
    (Desk::new(Arc::clone(&beacon)), beacon)
}

/// The first slots, computed by somebody else.
fn slots(count: u64) -> Vec<VerifiedSlot> {
    let (other, _events) = beacon();
    let start = outlook(0);
    let mut inputs = start.first().expect("known");
    let mut slots = Vec::new();
    for _ in 0..count {
        let slot = other.compute(&inputs, &never).expect("computes");
        inputs = start.after(&inputs, slot.end()).expect("known");
        slots.push(slot);
    }
    slots
}

/// Does what the desk wants done; what it sends and reports comes back.
fn settle(desk: &mut Desk, beacon: &Beacon) -> Vec<Action> {
    let mut done = Vec::new();
    loop {
        let actions = desk.actions();
        if actions.is_empty() {
            return done;
        }
        for action in actions {
            match action {
                Action::Verify(work) => desk.happened(Event::Verdict {
                    valid: beacon.verify(&work.inputs, &work.message.proof),
                    peer: work.peer,
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
    let (mut desk, beacon) = desk();
    let now = Instant::now();
    let peer = PeerId::random();
    desk.connected(peer, now);
    for slot in slots(5).iter().rev() {
        desk.received(peer, &encoded(slot), now);
    }
    let done = settle(&mut desk, &beacon);
    assert_eq!(reports(&done, peer).len(), 5);
    let outlook = beacon.outlook().expect("set");
    assert_eq!(beacon.known_after(&outlook, 100).len(), 5);
}

#[test]
fn a_right_slot_goes_to_everybody_but_its_sender_and_is_verified_once() {
    let (mut desk, beacon) = desk();
    let now = Instant::now();
    let (sender, other) = (PeerId::random(), PeerId::random());
    desk.connected(sender, now);
    desk.connected(other, now);
    let slot = &slots(1)[0];
    desk.received(sender, &encoded(slot), now);
    let done = settle(&mut desk, &beacon);
    assert_eq!(sent_to(&done, other).len(), 1);
    assert_eq!(sent_to(&done, sender).len(), 0);
    desk.received(other, &encoded(slot), now);
    assert!(settle(&mut desk, &beacon).is_empty());
    assert_eq!(beacon.counts.verified_slots(), 1);
}

#[test]
fn a_false_slot_bans_its_sender_and_reaches_nobody() {
    let (mut desk, beacon) = desk();
    let now = Instant::now();
    let (liar, other) = (PeerId::random(), PeerId::random());
    desk.connected(liar, now);
    desk.connected(other, now);
    let right = &slots(1)[0];
    let mut proof = (*right.proof).clone();
    proof.coarse[31][5] ^= 1;
    let lie = VerifiedSlot {
        inputs: right.inputs.clone(),
        proof: Arc::new(proof),
    };
    desk.received(liar, &encoded(&lie), now);
    desk.received(other, &encoded(right), now);
    let done = settle(&mut desk, &beacon);
    assert_eq!(reports(&done, liar), [FALSE_SLOT]);
    assert_eq!(reports(&done, other), [GOOD_SLOT]);
    assert!(beacon
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
    let (mut desk, beacon) = desk();
    let now = Instant::now();
    let peer = PeerId::random();
    desk.connected(peer, now);
    let mut fork = outlook(0);
    fork.epochs[0].seed[0] ^= 1;
    let (other, _events) = crate::beacon::testing::beacon();
    let inputs = fork.first().expect("known");
    let slot = other.compute(&inputs, &never).expect("computes");
    desk.received(peer, &encoded(&slot), now);
    assert!(settle(&mut desk, &beacon).is_empty());
}

#[test]
fn what_lies_beyond_the_wall_clock_or_behind_the_head_is_not_kept() {
    let (mut desk, beacon) = desk();
    let now = Instant::now();
    let peer = PeerId::random();
    desk.connected(peer, now);
    let all = slots(6);
    let mut late = outlook(0);
    late.genesis_ms = Some(Beacon::now_ms() + 3_600_000);
    beacon.set_outlook(late);
    desk.received(peer, &encoded(&all[4]), now);
    assert_eq!(desk.pending.len(), 0);
    let mut ahead = outlook(6);
    ahead.genesis_ms = Some(Beacon::now_ms() - 60 * 250);
    beacon.set_outlook(ahead);
    desk.received(peer, &encoded(&all[5]), now);
    assert_eq!(desk.pending.len(), 0);
}

#[test]
fn nothing_is_believed_while_the_node_synchronises() {
    let (beacon, _events) = beacon();
    beacon.set_outlook(outlook(0));
    let mut desk = Desk::new(Arc::clone(&beacon));
    let (peer, now) = (PeerId::random(), Instant::now());
    desk.connected(peer, now);
    desk.received(peer, &encoded(&slots(1)[0]), now);
    assert!(desk.actions().is_empty());
    assert_eq!(desk.pending.len(), 0);
}

#[test]
fn garbage_costs_reputation_and_a_flood_is_not_even_read() {
    let (mut desk, _beacon) = desk();
    let (peer, now) = (PeerId::random(), Instant::now());
    desk.connected(peer, now);
    for _ in 0..10_000 {
        desk.received(peer, &[0; 77], now);
    }
    let reported = reports(&desk.actions(), peer);
    assert_eq!(reported.len(), 128);
    assert!(reported.iter().all(|change| *change == MALFORMED));
}

#[test]
fn a_question_is_answered_with_the_slots_that_follow() {
    let (mut desk, beacon) = desk();
    let (peer, now) = (PeerId::random(), Instant::now());
    desk.connected(peer, now);
    for slot in slots(12) {
        assert_eq!(beacon.verify(&slot.inputs, &slot.proof), Some(true));
    }
    let third = &slots(3)[2];
    let question = Message::Want {
        slot: 3,
        inputs: third.inputs.id(),
    };
    desk.received(peer, &question.encode(), now);
    let answers: Vec<_> = sent_to(&desk.actions(), peer)
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
    desk.received(peer, &unknown.encode(), now);
    assert!(desk.actions().is_empty());
}

#[test]
fn slots_of_a_block_in_import_are_asked_for_and_taken_though_no_head_leads_to_them() {
    let (mut desk, beacon) = desk();
    let (peer, now) = (PeerId::random(), Instant::now());
    desk.connected(peer, now);
    let fork = slots(2);
    let mut head = outlook(40);
    head.genesis_ms = Some(Beacon::now_ms() - 60 * 250);
    beacon.set_outlook(head);
    let wanted = fork.iter().map(|slot| slot.inputs.clone()).collect();
    desk.happened(Event::Wanted(wanted));
    assert_eq!(sent_to(&desk.actions(), peer).len(), 1);
    for slot in &fork {
        desk.received(peer, &encoded(slot), now);
    }
    settle(&mut desk, &beacon);
    assert!(fork.iter().all(|slot| beacon.knows(&slot.inputs.id())));
    assert!(desk.wanted.is_empty());
}

#[test]
fn a_lost_slot_is_asked_for_at_the_second_tick() {
    let (mut desk, _beacon) = desk();
    let (peer, now) = (PeerId::random(), Instant::now());
    desk.connected(peer, now);
    desk.tick();
    assert!(desk.actions().is_empty());
    desk.tick();
    let asked = sent_to(&desk.actions(), peer);
    assert!(matches!(asked[..], [Message::Want { slot: 1, .. }]));
}

#[test]
fn a_new_peer_learns_what_is_known_beyond_the_head() {
    let (mut desk, beacon) = desk();
    for slot in slots(3) {
        beacon.verify(&slot.inputs, &slot.proof);
    }
    let peer = PeerId::random();
    desk.connected(peer, Instant::now());
    assert_eq!(sent_to(&desk.actions(), peer).len(), 3);
}
