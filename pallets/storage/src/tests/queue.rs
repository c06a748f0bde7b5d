// SPDX-License-Identifier: Apache-2.0

//! The queue: its share of a block, and cranks of which a step fails.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, dispatch::Pays, traits::Hooks, weights::Weight};
use tos_types::{storage::ReplicaStatus, ReplicaId, TOS};
use tos_views::WindowStage;

/// Alice hands in nothing for a window of sixteen replicas, and a block pays for the miss of one.
fn with_misses_to_fold(test: impl FnOnce(&mut World, ReplicaId)) {
    ExtBuilder::with(StorageConfig {
        audits_per_block: 0,
        collateral_base: 100 * TOS,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        for _ in 1..16 {
            world.active(ALICE, 1);
        }
        world.windows(2);
        world.until_open();
        world.stop(ALICE, Idle::Windows);
        let none = Weight::zero();
        MaxWork::set(Store::window_share(none) + Store::queue_share(none));
        while Store::window_view().stage == WindowStage::Open {
            tick();
        }
        test(world, id);
    });
}

/// Opens audits of a replica of Alice that expire with this tick.
fn expiring(id: ReplicaId, count: u32) {
    let due = Store::now();
    for moment in 0..count {
        Audits::<Test>::insert(id, moment, Audit { seed: [0; 32], due });
        AuditsOf::<Test>::insert(ALICE, (id, moment), ());
        Store::enqueue(Store::after(due), Item::Audit(id, moment));
    }
}

/// A replica whose misses cannot be booked, because they end it and its deal is not there. Three of
/// its audits have expired, and a challenge waits for its seed if there is one. No block takes a step.
fn with_a_replica_that_cannot_end(challenged: bool, test: impl FnOnce(&mut World, ReplicaId)) {
    ExtBuilder::with(StorageConfig {
        audits_per_block: 0,
        max_misses: 1,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        MaxWork::set(Weight::zero());
        expiring(id, 3);
        if challenged {
            Store::challenge_seal(by(WATCHER), id).unwrap();
        }
        (0..=DELAY).for_each(|_| tick());
        let key = replica(id).deal;
        let deal = Deals::<Test>::take(key).unwrap();
        test(world, id);
        Deals::<Test>::insert(key, deal);
        MaxWork::set(Weight::MAX);
        world.stop(ALICE, Idle::Audits);
        world.pass(70);
        assert_eq!(Audits::<Test>::iter_keys().count(), 0);
        assert_eq!(status(id), ReplicaStatus::Failed);
    });
}

#[test]
fn a_due_step_is_taken_while_the_misses_of_a_window_take_many_blocks() {
    with_misses_to_fold(|world, id| {
        Store::challenge_seal(by(WATCHER), id).unwrap();
        (0..DELAY + 2).for_each(|_| tick());
        assert!(seal_challenge(id).seed.is_some());
        let mut blocks = 0;
        while Store::window_view().stage == WindowStage::Folding {
            world.tick();
            blocks += 1;
        }
        assert!(blocks > 8, "{blocks}");
        assert_eq!(provider(ALICE).missed, 16);
    });
}

#[test]
fn a_full_queue_does_not_stop_folding() {
    with_misses_to_fold(|_, id| {
        let window = Folded::<Test>::get();
        expiring(id, 300);
        let mut blocks = 0;
        while Folded::<Test>::get() == window {
            assert!(blocks < 20, "folding stands still");
            tick();
            blocks += 1;
        }
        assert!(Audits::<Test>::iter_keys().count() > 200);
    });
}

#[test]
fn what_a_block_has_left_is_shared_like_what_it_has_before() {
    with_misses_to_fold(|_, id| {
        let block = MaxWork::get();
        MaxWork::set(Weight::zero());
        expiring(id, 3);
        tick();
        let (waiting, missed) = (Audits::<Test>::iter_keys().count(), provider(ALICE).missed);
        let used = Store::on_idle(System::block_number(), block);
        assert!(used.all_lte(block));
        assert_eq!(Audits::<Test>::iter_keys().count(), waiting - 1);
        // That of the audit, and that of a replica in the window.
        assert_eq!(provider(ALICE).missed, missed + 2);
    });
}

#[test]
fn shares_that_fit_only_each_alone_are_refused() {
    run(|_| {
        let least = Store::shares(Weight::zero());
        let accepts = |work: Weight| {
            MaxWork::set(work);
            std::panic::catch_unwind(Store::check_constants).is_ok()
        };
        assert!(accepts(least.saturating_mul(2)));
        assert!(!accepts(Weight::from_parts(least.ref_time() - 1, u64::MAX)));
        assert!(!accepts(Weight::from_parts(
            u64::MAX,
            least.proof_size() - 1
        )));
    });
}

#[test]
fn a_step_of_a_crank_that_fails_is_told_and_put_off_and_the_others_are_taken() {
    with_a_replica_that_cannot_end(true, |_, id| {
        let info = Store::crank(by(STRANGER), id).unwrap();
        assert_eq!(info.pays_fee, Pays::No);
        assert!(seal_challenge(id).seed.is_some());
        let told = |event: &Event<Test>| matches!(event, Event::StepFailed { .. });
        assert_eq!(events().iter().filter(|event| told(event)).count(), 3);
        let now = Store::now();
        assert!(Audits::<Test>::iter_prefix_values(id).all(|audit| audit.due > now));
        // They are not due again, and nothing else is.
        assert_noop!(Store::crank(by(STRANGER), id), Error::<Test>::NotDue);
    });
}

#[test]
fn a_crank_of_which_every_step_fails_says_why_and_changes_nothing() {
    with_a_replica_that_cannot_end(false, |_, id| {
        assert_noop!(Store::crank(by(STRANGER), id), Error::<Test>::UnknownDeal);
    });
}
