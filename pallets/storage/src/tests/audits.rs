// SPDX-License-Identifier: Apache-2.0

//! Audits: who is drawn, what counts as an answer, and what a missing one costs.

use crate::mock::*;
use crate::{audits::distinct, *};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use std::collections::BTreeSet;
use tos_types::{storage::ReplicaStatus, TOS};

/// Lets blocks pass until an audit of the replica is open that nobody answers.
fn audited(world: &mut World, id: tos_types::ReplicaId) -> (u32, Audit) {
    world.stop(ALICE, Idle::Audits);
    loop {
        let last = Audits::<Test>::iter_prefix(id).max_by_key(|(moment, _)| *moment);
        if let Some(audit) = last {
            return audit;
        }
        world.tick();
    }
}

/// The questions of such an audit of Alice's only replica.
fn asked(world: &mut World, id: tos_types::ReplicaId) -> tos_views::AuditView {
    audited(world, id);
    Store::open_audits_of(&ALICE)[0]
}

#[test]
fn draws_are_different_in_range_and_exactly_as_many_as_there_can_be() {
    for n in 0..40u32 {
        for seed in 0..20u8 {
            let drawn = distinct(&[seed; 32], 10, n);
            let set: BTreeSet<_> = drawn.iter().copied().collect();
            assert_eq!(set.len(), 10.min(n) as usize);
            assert_eq!(drawn.len(), set.len());
            assert!(drawn.iter().all(|index| *index < n));
        }
    }
    // Every one of twenty is drawn about as often: half of 2,000 draws, give or take six deviations.
    let mut counts = [0u32; 20];
    for seed in 0..2_000u32 {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&seed.to_le_bytes());
        for index in distinct(&bytes, 10, 20) {
            counts[index as usize] += 1;
        }
    }
    assert!(
        counts.iter().all(|count| (866..1_134).contains(count)),
        "{counts:?}"
    );
}

#[test]
fn every_block_opens_exactly_as_many_audits_as_the_config_says() {
    ExtBuilder::with(StorageConfig {
        audits_per_block: 3,
        group_places: 1_000,
        ..config()
    })
    .run(|world| {
        world.several(ALICE, 5);
        world.pass(3);
        let before = Counters::<Test>::get().audits;
        for block in 1..=10 {
            System::reset_events();
            world.tick();
            let drawn: BTreeSet<_> = events()
                .into_iter()
                .filter_map(|event| match event {
                    Event::AuditOpened { replica, .. } => Some(replica),
                    _ => None,
                })
                .collect();
            assert_eq!(drawn.len(), 3, "different replicas in block {block}");
            assert_eq!(Counters::<Test>::get().audits, before + 3 * block);
        }
    });
}

#[test]
fn an_answered_audit_costs_nothing_and_is_counted() {
    with_replica(|world, id| {
        let before = wealth(ALICE);
        world.pass(20);
        assert!(provider(ALICE).answered >= 15);
        assert_eq!(provider(ALICE).missed, 0);
        assert_eq!(Audits::<Test>::iter_prefix(id).count(), 0);
        assert_eq!(wealth(ALICE), before);
    });
}

#[test]
fn an_answer_counts_until_its_tick_and_not_after() {
    for (late, misses) in [(false, 0), (true, 1)] {
        with_replica(|world, id| {
            let (moment, audit) = audited(world, id);
            let view = Store::open_audits_of(&ALICE)
                .into_iter()
                .find(|view| view.moment == u64::from(moment))
                .unwrap();
            let proof: Vec<u8> = world.audit_proof(ALICE, &view).unwrap();
            let call = crate::Call::respond_audit {
                proof: proof.try_into().unwrap(),
            };
            while Store::now() < audit.due {
                world.tick();
            }
            if late {
                world.tick();
                assert!(send(call).is_err());
            } else {
                assert_ok!(send(call.clone()));
                assert!(send(call).is_err(), "it counts once");
            }
            assert_eq!(provider(ALICE).missed, misses);
        });
    }
}

#[test]
fn an_answer_sent_again_in_a_later_block_replaces_the_one_before_it_in_pools() {
    with_replica(|world, id| {
        let view = asked(world, id);
        let proof = world.audit_proof(ALICE, &view).unwrap();
        let (first, _) = Store::authorize_audit(&proof).unwrap();
        tick();
        let (second, _) = Store::authorize_audit(&proof).unwrap();
        assert_eq!(first.provides, second.provides);
        assert!(second.priority > first.priority);
    });
}

#[test]
fn any_flipped_byte_is_refused_and_the_right_proof_still_counts() {
    with_replica(|world, id| {
        let view = asked(world, id);
        let proof = world.audit_proof(ALICE, &view).unwrap();
        for at in 0..proof.len() {
            let mut bad = proof.clone();
            bad[at] ^= 1;
            assert!(send_proof(&bad).is_err(), "byte {at}");
        }
        for bad in [&proof[..proof.len() - 1], &[], &[1]] {
            assert!(send_proof(bad).is_err());
        }
        assert_eq!(provider(ALICE).missed, 0);
        assert_ok!(send_proof(&proof));
    });
}

#[test]
fn a_right_proof_with_anothers_signature_is_refused() {
    with_replica(|world, id| {
        let view = asked(world, id);
        let proof = world.audit_proof(BOB, &view).unwrap();
        assert_noop!(pay_for_proof(BOB, proof), Error::<Test>::BadSignature);
    });
}

#[test]
fn an_answer_can_also_be_sent_by_whoever_pays_for_it() {
    with_replica(|world, id| {
        let view = asked(world, id);
        let proof = world.audit_proof(ALICE, &view).unwrap();
        let info = pay_for_proof(STRANGER, proof).unwrap();
        assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
    });
}

#[test]
fn misses_double_in_price_and_fail_the_replica_when_collateral_is_gone() {
    ExtBuilder::with(StorageConfig {
        collateral_base: 100 * TOS,
        audits_per_block: 1,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        let treasury = wealth(TREASURY);
        world.stop(ALICE, Idle::Audits);
        let mut lost = vec![];
        let mut bond = provider(ALICE).bond;
        while status(id) == ReplicaStatus::Active {
            world.tick();
            let now = provider(ALICE).bond;
            if now != bond {
                lost.push((bond - now) / TOS);
                bond = now;
            }
        }
        // 101 TOS of collateral: 10, 20, 40, and then what is left. A window proven without a miss in
        // between would start anew, but every block brings an audit.
        assert_eq!(lost, [10, 20, 40, 31]);
        assert_eq!(wealth(TREASURY), treasury + 101 * TOS);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(ALICE).tied, 0);
        assert_eq!(deal_of(id).status, tos_types::storage::DealStatus::Closed);
    });
}

#[test]
fn whoever_cranks_an_expired_audit_before_the_queue_gets_half() {
    with_replica(|world, id| {
        let (_, audit) = audited(world, id);
        // No weight for the queue.
        MaxWork::set(Weight::zero());
        while Store::now() <= audit.due {
            assert_noop!(Store::crank(by(WATCHER), id), Error::<Test>::NotDue);
            tick();
        }
        let (watcher, treasury) = (wealth(WATCHER), wealth(TREASURY));
        let info = Store::crank(by(WATCHER), id).unwrap();
        assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
        let taken = wealth(WATCHER) + wealth(TREASURY) - watcher - treasury;
        assert_eq!(wealth(WATCHER) - watcher, taken / 2);
        assert!(taken >= 10 * TOS);
        MaxWork::set(Weight::MAX);
    });
}

#[test]
fn pausing_is_no_way_out_of_an_audit() {
    with_replica(|world, id| {
        audited(world, id);
        assert_ok!(Store::pause(by(ALICE), id));
        world.pass(config().audit_ticks + 1);
        assert!(provider(ALICE).missed > 0);
        assert!(provider(ALICE).bond < 5_000 * TOS);
    });
}

#[test]
fn audits_of_a_replica_that_ended_are_forgotten() {
    with_replica(|world, id| {
        assert_ok!(Store::request_removal(by(ALICE), id));
        while status(id) == ReplicaStatus::Leaving {
            let near = replica(id).end == Folded::<Test>::get() + 1;
            let open = Store::window_view().ends == Some(Store::now());
            if near && open {
                world.stop(ALICE, Idle::Audits);
            }
            world.tick();
        }
        world.pass(config().audit_ticks + 2);
        assert_eq!(status(id), ReplicaStatus::Removed);
        assert_eq!(Audits::<Test>::iter().count(), 0);
        assert_eq!(provider(ALICE).bond, 5_000 * TOS);
    });
}

#[test]
fn requests_that_expired_are_dropped_and_drawing_goes_on() {
    run(|world| {
        world.active(ALICE, 1);
        set_expired(true);
        world.pass(10);
        set_expired(false);
        let before = Counters::<Test>::get().audits;
        world.pass(6);
        assert!(Counters::<Test>::get().audits > before);
    });
}

#[test]
fn every_open_audit_is_seen_however_many_there_are_and_whatever_else_is_on_record() {
    ExtBuilder::with(StorageConfig {
        audits_per_block: 8,
        audit_ticks: 40,
        group_places: 1_000,
        ..config()
    })
    .run(|world| {
        world.several(ALICE, 8);
        world.stop(ALICE, Idle::Audits);
        while Audits::<Test>::iter_keys().count() < 150 {
            world.tick();
        }
        let over = crowd(ALICE);
        let open: BTreeSet<_> = Audits::<Test>::iter_keys()
            .map(|(id, moment)| (id, u64::from(moment)))
            .collect();
        let named = |view: tos_views::AuditView| (view.replica, view.moment);
        let seen: BTreeSet<_> = Store::open_audits_of(&ALICE)
            .into_iter()
            .map(named)
            .collect();
        assert_eq!(seen, open);
        let (mut paged, mut after) = (vec![], None);
        loop {
            let page = Store::open_audits_page(&ALICE, after, 1_000);
            assert!(page.len() <= 100);
            let Some(last) = page.last() else { break };
            after = Some(named(*last));
            paged.extend(page.into_iter().map(named));
        }
        assert_eq!(paged.len(), open.len());
        assert_eq!(paged.into_iter().collect::<BTreeSet<_>>(), open);
        assert_eq!(Store::open_audits_of(&BOB), []);
        disperse(ALICE, over);

        world.go_on(ALICE, Idle::Audits);
        world.pass(45);
        assert_eq!(provider(ALICE).missed, 0);
    });
}

#[test]
fn a_record_is_kept_as_long_as_an_audit_of_it_is_open() {
    ExtBuilder::with(StorageConfig {
        audit_ticks: 200,
        notice_windows: 1,
        retention_windows: 1,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        audited(world, id);
        assert_ok!(Store::request_removal(by(ALICE), id));
        while !status(id).is_over() {
            world.tick();
        }
        while Audits::<Test>::iter_keys().next().is_some() {
            assert!(Replicas::<Test>::contains_key(id));
            world.tick();
        }
        world.pass(2);
        assert!(!Replicas::<Test>::contains_key(id));
        assert_eq!(AuditsOf::<Test>::iter_keys().count(), 0);
    });
}
