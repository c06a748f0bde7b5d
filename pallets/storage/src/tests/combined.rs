// SPDX-License-Identifier: Apache-2.0

//! Attacks that are about what the rules do not look at (A2 speed, A10 a prover's clock), and all attackers at
//! once (A14).

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use tos_types::{
    storage::{ReplicaStatus, Retention},
    TOS,
};
use tos_views::AuditView;

/// An hour of ticks of two seconds.
const HOUR: u64 = 1_800;

/// Answers Alice's audits that `when` picks.
fn answer_audits(world: &World, when: impl Fn(&AuditView) -> bool) {
    for view in Store::open_audits_of(&ALICE) {
        if when(&view) {
            let proof = world.audit_proof(ALICE, &view).unwrap();
            assert_ok!(send_proof(&proof));
        }
    }
}

#[test]
fn a2_an_answer_from_memory_earns_what_one_at_the_last_moment_earns() {
    // What a provider has after some windows, if it answers audits as soon or as late as it can.
    let live = |prompt: bool| {
        let mut found = None;
        with_replica(|world, id| {
            world.stop(ALICE, Idle::Audits);
            let until = Folded::<Test>::get() + 8;
            let mut answered = 0;
            while Folded::<Test>::get() < until {
                world.tick();
                let now = Store::now();
                let open = Audits::<Test>::iter_prefix(id).count();
                answer_audits(world, |view| prompt || view.due == now);
                answered += open - Audits::<Test>::iter_prefix(id).count();
            }
            assert!(answered > 10, "{answered} audits answered");
            let provider = provider(ALICE);
            assert_eq!(provider.missed, 0);
            assert_eq!(status(id), ReplicaStatus::Active);
            let score = Store::provider_view(&ALICE).unwrap().score;
            let streak = replica(id).run(Folded::<Test>::get());
            found = Some((wealth(ALICE), provider.bond, streak, score));
        });
        found.unwrap()
    };
    assert_eq!(live(true), live(false));
}

#[test]
fn a10_a_prover_whose_clock_is_an_hour_off_changes_nothing() {
    with_replica(|world, id| {
        world.stop(ALICE, Idle::Audits);
        world.pass(DELAY + 2);
        let (bond, now) = (provider(ALICE).bond, Store::now());
        let view = Store::open_audits_of(&ALICE)[0];
        let sealed = &world.copies[&id].sealed;
        for moment in [view.moment + HOUR, view.moment.saturating_sub(HOUR)] {
            let shifted = AuditView { moment, ..view };
            let proof = prove_audit(ALICE, sealed, sealed.commitment(), &shifted).unwrap();
            // Neither the pool nor a block takes it.
            assert!(send_proof(&proof).is_err());
        }
        assert_eq!(Store::now(), now);
        assert_eq!(
            Store::open_audits_of(&ALICE)[0],
            view,
            "the audit is as it was"
        );
        answer_audits(world, |_| true);
        assert!(Store::open_audits_of(&ALICE).is_empty());
        assert_eq!((provider(ALICE).bond, provider(ALICE).missed), (bond, 0));
    });
}

#[test]
fn a14_all_attackers_at_once_cost_the_honest_provider_nothing() {
    run(|world| {
        world.provider(BOB, 5_000 * TOS);
        let honest = world.active(ALICE, 1);
        let lazy = world.active(BOB, 2);
        let (group, _) = replica(lazy).position.unwrap();
        let bond = provider(ALICE).bond;
        let alice = wealth(ALICE);
        let (watcher, bob) = (wealth(WATCHER), wealth(BOB));

        // Bob answers no audit, hands in two roots, and takes Alice's answers for his own.
        world.stop(BOB, Idle::Audits);
        let window = world.until_open();
        let second = signed_root(BOB, window, group, [6; 32]);
        let root = world.group_root(group);
        let first = signed_root(BOB, window, group, root);
        assert_ok!(send(submission(BOB, window, group, root)));
        assert_ok!(Store::report_equivocation(
            by(WATCHER),
            Box::new(Equivocation {
                window,
                group,
                first,
                second,
            })
        ));
        world.answer();
        let mut farmed = 0u128;
        for round in 0..30u32 {
            world.tick();
            Store::do_try_state().unwrap();
            for view in Store::open_audits_of(&BOB) {
                let alices = &world.copies[&honest].sealed;
                let stolen = prove_audit(BOB, alices, alices.commitment(), &view).unwrap();
                assert_noop!(pay_for_proof(BOB, stolen), Error::<Test>::BadProof);
            }
            // Somebody farms challenges against Alice, offers masses of deals, and crams blocks.
            if round % 10 == 0 {
                assert_ok!(Store::challenge_seal(by(WATCHER), honest));
                farmed += 1;
            }
            offer(CLIENT, &data(9, 100), Retention::Days30);
            for _ in 0..3 {
                tickless();
            }
            // Time itself fails for a while.
            set_degraded((10..15).contains(&round));
        }
        world.pass(config().audit_ticks + DELAY + 3);

        assert_eq!(status(honest), ReplicaStatus::Active);
        assert_eq!((provider(ALICE).missed, provider(ALICE).bond), (0, bond));
        assert!(
            replica(honest).run(Folded::<Test>::get()) > 0,
            "the streak goes on"
        );
        // Half of each lost challenge bond came to her, on top of what storing earns.
        assert!(wealth(ALICE) >= alice + farmed * 5 * TOS);
        assert_eq!(status(lazy), ReplicaStatus::Failed);
        // Two roots cost a thousand, of which the reporter has half; misses cost the collateral.
        assert!(wealth(BOB) <= bob - 1_000 * TOS);
        assert!(wealth(WATCHER) < watcher + 500 * TOS - (farmed - 1) * 10 * TOS);
    });
}
