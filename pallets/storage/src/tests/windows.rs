// SPDX-License-Identifier: Apache-2.0

//! Windows: roots in time, streaks, pay, folding, and what stands still with the beacon.

use crate::mock::*;
use crate::*;
use frame_support::{
    assert_noop, assert_ok,
    traits::Hooks,
    weights::{Weight, WeightMeter},
};
use tos_storage_proofs::{aggregate, Mmr};
use tos_types::{
    storage::{ReplicaStatus, Window},
    TOS,
};
use tos_views::{ContinuityError, SeedView, WindowStage};

#[test]
fn windows_follow_one_another_without_a_gap() {
    run(|world| {
        world.active(ALICE, 1);
        System::reset_events();
        world.windows(5);
        let mut began = vec![];
        let mut folded = vec![];
        for event in events() {
            match event {
                Event::WindowBegan { window } => began.push(window),
                Event::WindowFolded { window, .. } => folded.push(window),
                _ => {}
            }
        }
        assert!(folded.windows(2).all(|pair| pair[0] + 1 == pair[1]));
        assert!(began
            .iter()
            .all(|window| *window == 0 || folded.contains(&(window - 1))));
        // As many ticks as the configuration says.
        let start = Store::now();
        world.windows(4);
        assert_eq!(Store::now() - start, 4 * config().window);
    });
}

#[test]
fn the_first_five_windows_of_a_streak_are_not_paid() {
    with_replica(|world, id| {
        let first = replica(id).first;
        let escrow = deal_of(id).escrow;
        while Folded::<Test>::get() < first + 5 {
            assert_noop!(Store::settle(by(STRANGER), id), Error::<Test>::NotDue);
            let streak = Folded::<Test>::get().saturating_sub(first);
            if streak < 5 {
                let refused = Err(ContinuityError::TooShort { streak, needed: 5 });
                assert_eq!(Store::continuity_of(id), refused);
            }
            world.windows(1);
        }
        let proof = Store::continuity_of(id).unwrap();
        assert_eq!((proof.from, proof.to, proof.streak), (first, first + 4, 5));
        world.windows(1);
        let before = wealth(ALICE);
        assert_ok!(Store::settle(by(STRANGER), id));
        assert_eq!(wealth(ALICE), before + escrow / 40);
        assert_noop!(Store::settle(by(STRANGER), id), Error::<Test>::NotDue);
        // Settling late pays the same as settling often: exact to the wei.
        world.windows(7);
        assert_ok!(Store::settle(by(STRANGER), id));
        assert_eq!(wealth(ALICE), before + escrow * 8 / 40);
        assert_eq!(deal_of(id).paid, escrow * 8 / 40);
    });
}

#[test]
fn a_group_that_hands_in_nothing_loses_the_streaks_of_all_and_one_miss_each() {
    run(|world| {
        let ids = [world.active(ALICE, 1), world.active(ALICE, 2)];
        world.provider(BOB, 1_000 * TOS);
        let bytes = data(3, 100);
        let deal = offer(
            CLIENT,
            &bytes,
            tos_types::storage::Retention::BillingPeriods(10),
        );
        let other = world.seal(BOB, deal, &bytes);
        world.windows(8);
        world.until_open();
        world.stop(ALICE, Idle::Windows);
        let earned: Vec<_> = ids
            .iter()
            .map(|id| replica(*id).paid_windows(Folded::<Test>::get(), 5, 40))
            .collect();
        let treasury = wealth(TREASURY);
        world.windows(1);
        assert_eq!(wealth(TREASURY), treasury + 20 * TOS);
        assert_eq!(provider(ALICE).bond, 4_980 * TOS);
        assert_eq!(provider(ALICE).missed, 2);
        for (id, earned) in ids.iter().zip(earned) {
            assert_eq!(replica(*id).run(Folded::<Test>::get()), 0);
            assert_eq!(replica(*id).earned, earned);
            assert_eq!(replica(*id).misses, 1);
        }
        assert!(
            Store::continuity_of(other).is_ok(),
            "another's group goes on"
        );
        world.go_on(ALICE, Idle::Windows);
        world.windows(5);
        assert!(Store::continuity_of(ids[0]).is_ok());
        let paid = replica(ids[0]).paid_windows(Folded::<Test>::get(), 5, 40);
        assert_eq!(
            paid,
            replica(ids[0]).earned,
            "five windows again without pay"
        );
    });
}

#[test]
fn misses_in_a_row_double_and_a_proven_window_ends_the_row() {
    ExtBuilder::with(StorageConfig {
        collateral_base: 5_000 * TOS,
        audits_per_block: 0,
        ..config()
    })
    .execute(|world| {
        world.provider(ALICE, 10_000 * TOS);
        let id = world.active(ALICE, 1);
        world.windows(2);
        world.until_open();
        let mut bonds = vec![];
        for (idle, expected) in [(true, 10), (true, 20), (false, 0), (true, 10)] {
            match idle {
                true => world.stop(ALICE, Idle::Windows),
                false => world.go_on(ALICE, Idle::Windows),
            }
            let before = provider(ALICE).bond;
            world.windows(1);
            bonds.push((before - provider(ALICE).bond, expected * TOS));
        }
        assert!(
            bonds.iter().all(|(lost, expected)| lost == expected),
            "{bonds:?}"
        );
        world.stop(ALICE, Idle::Windows);
        // One miss is behind it: after seven more it fails, 10 to 640 and then 1,000 TOS.
        let before = provider(ALICE).bond;
        world.windows(7);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(
            before - provider(ALICE).bond,
            (20 + 40 + 80 + 160 + 320 + 640 + 1_000) * TOS
        );
    });
}

#[test]
fn roots_are_taken_from_the_right_one_at_the_right_time_once() {
    run(|world| {
        world.provider(BOB, 1_000 * TOS);
        let id = world.active(ALICE, 1);
        let (window, group, root) = world.open_window(id);
        let submit = |who, window, group, root| {
            let signed = signed_root(who, window, group, root);
            Store::submit_group(by(STRANGER), window, group, signed)
        };
        assert_noop!(
            submit(BOB, window, group, root),
            Error::<Test>::BadSignature
        );
        assert_noop!(
            submit(ALICE, window + 1, group, root),
            Error::<Test>::WrongWindow
        );
        assert_noop!(
            submit(ALICE, window - 1, group, root),
            Error::<Test>::WrongWindow
        );
        assert_noop!(submit(ALICE, window, 7, root), Error::<Test>::UnknownGroup);
        let mut forged = signed_root(ALICE, window, group, root);
        forged.root = [1; 32];
        assert_noop!(
            Store::submit_group(by(STRANGER), window, group, forged),
            Error::<Test>::BadSignature
        );
        assert_ok!(send(submission(ALICE, window, group, root)));
        assert_noop!(
            submit(ALICE, window, group, root),
            Error::<Test>::AlreadySubmitted
        );
        assert!(send(submission(ALICE, window, group, root)).is_err());
        world.tick();
        while Store::window_view().stage == WindowStage::Open {
            world.tick();
        }
        assert_noop!(
            submit(ALICE, window + 1, group, root),
            Error::<Test>::WrongWindow
        );
    });
}

#[test]
fn a_new_replica_is_first_due_in_the_window_after() {
    with_replica(|world, id| {
        assert_eq!(replica(id).from, Folded::<Test>::get() + 1);
        let window = Folded::<Test>::get();
        let (group, _) = replica(id).position.unwrap();
        if Store::window_view().stage == WindowStage::Open {
            assert_noop!(
                Store::submit_group(
                    by(STRANGER),
                    window,
                    group,
                    signed_root(ALICE, window, group, [1; 32])
                ),
                Error::<Test>::NotDueInWindow
            );
        }
        world.stop(ALICE, Idle::Windows);
        world.windows(1);
        assert_eq!(provider(ALICE).bond, 5_000 * TOS, "nothing was due");
        world.windows(1);
        assert_eq!(provider(ALICE).bond, 4_990 * TOS);
    });
}

#[test]
fn a_leaf_is_proven_up_to_the_global_root_and_the_history() {
    run(|world| {
        world.provider(BOB, 2_000 * TOS);
        let ids: Vec<_> = (0..4).map(|seed| world.active(ALICE, seed)).collect();
        let bytes = data(9, 100);
        let deal = offer(CLIENT, &bytes, tos_types::storage::Retention::Days30);
        world.seal(BOB, deal, &bytes);
        world.windows(3);
        let window: Window = Folded::<Test>::get() - 1;
        for id in ids {
            let view = Store::inclusion_of(id, window).unwrap();
            let leaf = &world.copies[&id].leaves[&window];
            let upper = view.upper_path.iter().map(|hash| hash.0);
            let path: Vec<_> = leaf.path.iter().copied().chain(upper).collect();
            let position = view.position.group * aggregate::GROUP_SIZE + view.position.place;
            assert!(aggregate::verify_inclusion(
                &view.global,
                &leaf.hash,
                position,
                &path
            ));
            assert!(!aggregate::verify_inclusion(
                &view.global,
                &leaf.hash,
                position + 1,
                &path
            ));
        }
        // The history is over the roots of all windows.
        let mut mmr = Mmr::new();
        let mut roots = Store::window_roots_page(100);
        roots.reverse();
        for root in roots.iter().filter_map(|root| root.global) {
            mmr.append(&root.0);
        }
        assert_eq!(Store::window_history_view().root, mmr.root());
        assert_eq!(Store::window_history_view().windows, Folded::<Test>::get());
    });
}

#[test]
fn only_the_ring_is_kept() {
    run(|world| {
        world.active(ALICE, 1);
        world.windows(u64::from(config().ring) + 6);
        let ring = config().ring as usize;
        assert!(WindowRecords::<Test>::iter().count() <= ring + 1);
        assert!(GroupWindows::<Test>::iter().count() <= ring + 1);
    });
}

#[test]
fn while_the_beacon_is_degraded_time_stands_still() {
    with_replica(|world, id| {
        world.windows(2);
        world.until_open();
        let before = (
            Store::now(),
            provider(ALICE).bond,
            Counters::<Test>::get().audits,
        );
        world.stop(ALICE, Idle::Audits);
        world.stop(ALICE, Idle::Windows);
        set_degraded(true);
        world.pass(50);
        assert_eq!(
            before,
            (
                Store::now(),
                provider(ALICE).bond,
                Counters::<Test>::get().audits
            )
        );
        assert!(Store::window_view().degraded);
        set_degraded(false);
        world.go_on(ALICE, Idle::Audits);
        world.go_on(ALICE, Idle::Windows);
        world.windows(3);
        assert_eq!(provider(ALICE).bond, 5_000 * TOS);
        assert_eq!(provider(ALICE).missed, 0);
        assert!(
            replica(id).run(Folded::<Test>::get()) >= 4,
            "the streak goes on"
        );
    });
}

#[test]
fn no_window_begins_while_the_beacon_is_degraded() {
    run(|world| {
        set_degraded(true);
        world.pass(30);
        let view = Store::window_view();
        assert!(matches!(
            view.stage,
            WindowStage::Drawing | WindowStage::Waiting
        ));
        let number = view.number;
        set_degraded(false);
        world.windows(1);
        assert_eq!(Folded::<Test>::get(), number + 1);
    });
}

#[test]
fn a_window_whose_request_expired_takes_another() {
    run(|world| {
        set_expired(true);
        world.pass(10);
        assert_eq!(Store::window_view().stage, WindowStage::Drawing);
        set_expired(false);
        world.pass(4);
        assert_eq!(Store::window_view().stage, WindowStage::Open);
        assert!(Store::window_view().seed.is_some());
    });
}

#[test]
fn folding_goes_on_where_the_weight_of_a_block_ended() {
    let folded_with = |weight: Weight| {
        let mut result = None;
        ExtBuilder::with(StorageConfig {
            audits_per_block: 0,
            ..config()
        })
        .run(|world| {
            world.several(ALICE, 8);
            world.windows(2);
            world.until_open();
            world.stop(ALICE, Idle::Windows);
            while Store::window_view().stage == WindowStage::Open {
                MaxWork::set(weight);
                tick();
            }
            let mut blocks = 0;
            let window = Store::window_view().number;
            while Folded::<Test>::get() == window
                && Store::window_view().stage == WindowStage::Folding
            {
                tick();
                blocks += 1;
            }
            MaxWork::set(Weight::MAX);
            assert_eq!(provider(ALICE).missed, 8);
            result = Some((
                blocks,
                Store::window_history_view().root,
                provider(ALICE).bond,
            ));
        });
        result.unwrap()
    };
    let (_, root, bond) = folded_with(Weight::MAX);
    // Enough for one miss in a block, with the share of the queue.
    let one = Store::queue_share(Weight::zero())
        .saturating_add(<() as WeightInfo>::step_miss())
        .saturating_add(<() as WeightInfo>::fold_group())
        .saturating_add(<() as WeightInfo>::fold_end())
        .saturating_add(<() as WeightInfo>::draw_start())
        .saturating_add(<() as WeightInfo>::window_stage().saturating_mul(2));
    let (blocks, slow_root, slow_bond) = folded_with(one);
    assert!(blocks >= 7, "{blocks}");
    assert_eq!((root, bond), (slow_root, slow_bond));
}

#[test]
fn the_hooks_never_use_more_than_they_are_given() {
    run(|world| {
        world.several(ALICE, 4);
        world.stop(ALICE, Idle::Windows);
        world.stop(ALICE, Idle::Audits);
        for micros in 0..400u64 {
            let limit = Weight::from_parts(micros * 40_000_000, micros * 4_000);
            let mut meter = WeightMeter::with_limit(limit);
            let number = System::block_number() + 1;
            System::set_block_number(number);
            Store::on_poll(number, &mut meter);
            assert!(meter.consumed().all_lte(limit));
            let used = Store::on_idle(number, limit);
            assert!(used.all_lte(limit));
        }
    });
}

#[test]
fn the_seed_of_a_window_is_what_its_view_shows() {
    run(|world| {
        world.until_open();
        let view = Store::window_view();
        let SeedView(seed) = view.seed.unwrap();
        assert_eq!(WindowRecords::<Test>::get(view.number).unwrap().seed, seed);
    });
}
