// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with the parties of a replica in every state.
//!
//! | hold | ways out |
//! |---|---|
//! | escrow | expired, cancelled, settled, ended, removed, failed, unchecked; unsealed, it stays |
//! | bond | unsealed, unchecked, failed, unanswered, cranked, equivocated, withdrawn, left |
//! | bond of a challenge | answered, unanswered, failed |
//!
//! Challenges of windows end as those of seals do, audits that the queue closes as missed windows, and
//! replicas whose time is over while they are paused as active ones.

use crate::mock::*;
use crate::*;
use frame_support::{
    assert_ok, storage::with_storage_layer, traits::fungible::Mutate, weights::Weight,
};
use sp_runtime::DispatchError;
use std::collections::BTreeSet;
use tos_pallet_support::testing::{Flow, Flows, Started};
use tos_types::{
    storage::{DealStatus, DealTerms, ReplicaStatus, Retention},
    Balance, TOS,
};

/// Windows until offers expire and seals are late, which are more elsewhere.
const SOON: u32 = 3;

/// The providers' side of a chain on which Alice is one.
fn begun() -> World {
    let mut world = World::default();
    tick();
    world.provider(ALICE, 5_000 * TOS);
    world
}

/// The rest of a flow, in which steps are taken by themselves.
fn rest(
    mut world: World,
    parties: impl Into<Vec<AccountId>>,
    end: impl FnOnce(&mut World) + 'static,
) -> Started {
    Started::new(parties, move || {
        end(&mut world);
        let mut told = events().into_iter();
        match told.any(|event| matches!(event, Event::StepFailed { .. })) {
            true => Err(DispatchError::Other("a step failed")),
            false => Ok(()),
        }
    })
}

/// An offer that no provider accepts.
fn expired() -> Started {
    Settings::<Test>::mutate(|config| config.offer_ttl = SOON);
    let world = begun();
    let deal = offer(CLIENT, &data(1, 100), Retention::Days365);
    rest(world, [CLIENT], move |world| {
        world.windows(u64::from(SOON));
        world.pass(6);
        let status = Deals::<Test>::get(deal).unwrap().status;
        assert_eq!(status, DealStatus::Expired);
    })
}

/// An offer that its client withdraws.
fn cancelled() -> Started {
    let world = begun();
    let deal = offer(CLIENT, &data(1, 100), Retention::Days30);
    rest(world, [CLIENT], move |_| {
        assert_ok!(Store::cancel_offer(by(CLIENT), deal));
    })
}

/// A replica that is never sealed.
fn unsealed() -> Started {
    Settings::<Test>::mutate(|config| config.seal_windows = SOON);
    let world = begun();
    let id = dealt(&data(1, 100));
    rest(world, [CLIENT, ALICE], move |world| {
        world.windows(u64::from(SOON) + 1);
        assert_eq!(status(id), ReplicaStatus::Failed);
    })
}

/// A replica whose first challenge Alice does not answer, so that it never becomes active.
fn unchecked() -> Started {
    let mut world = begun();
    world.stop(ALICE, Idle::Challenges);
    let bytes = data(1, 100);
    let deal = offer(CLIENT, &bytes, Retention::Days30);
    let id = world.seal(ALICE, deal, &bytes);
    rest(world, [CLIENT, ALICE], move |world| {
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
    })
}

/// The providers' side of a chain that pays from the third window of a run on, so that flows are
/// short.
fn soon_paid() -> World {
    Settings::<Test>::mutate(|config| config.proof_window = 2);
    begun()
}

/// A deal at this price that runs to its end: two of its four windows are paid in the end, and the
/// rest of the escrow goes back.
fn ended(price: Balance) -> Started {
    let mut world = soon_paid();
    let (deal, bytes) = (next_deal(CLIENT), data(1, 100));
    let offered = DealTerms {
        price,
        ..terms(Retention::BillingPeriods(1))
    };
    let coded = *coded(&bytes).commitment();
    assert_ok!(Store::offer(by(CLIENT), content(&bytes), coded, offered));
    let id = world.seal(ALICE, deal, &bytes);
    world.pass(DELAY + 2);
    rest(world, [CLIENT, ALICE], move |world| {
        world.windows(6);
        world.pass(3);
        assert_eq!(status(id), ReplicaStatus::Ended);
        assert_eq!(deal_of(id).paid, deal_of(id).escrow / 2);
    })
}

/// Half of the escrow is below the existential deposit.
fn ended_with_dust() -> Started {
    ended(2_000 * 1_000)
}

/// A replica of which Alice, as its provider, has given notice. A client has no such call.
fn removed() -> Started {
    let mut world = soon_paid();
    let id = world.active(ALICE, 1);
    world.windows(2);
    assert_ok!(Store::request_removal(by(ALICE), id));
    rest(world, [CLIENT, ALICE], move |world| {
        world.windows(3);
        world.pass(3);
        assert_eq!(status(id), ReplicaStatus::Removed);
        assert!(deal_of(id).paid > 0);
    })
}

/// A replica that misses windows until it fails, while a challenge of it is open: the challenge is
/// void, and its bond goes back.
fn failed() -> Started {
    Settings::<Test>::mutate(|config| config.challenge_ticks = 100);
    let mut world = soon_paid();
    let id = world.active(ALICE, 1);
    world.windows(3);
    world.until_open();
    world.stop(ALICE, Idle::Windows);
    world.stop(ALICE, Idle::Challenges);
    assert_ok!(Store::challenge_seal(by(WATCHER), id));
    rest(world, [CLIENT, ALICE, WATCHER], move |world| {
        world.windows(2);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(Challenges::<Test>::iter().count(), 0);
        assert!(deal_of(id).paid > 0);
    })
}

/// An audit that Alice did not answer, closed by a call: half of the slash is its caller's.
fn cranked() -> Started {
    let mut world = begun();
    let id = world.active(ALICE, 1);
    world.stop(ALICE, Idle::Audits);
    while Audits::<Test>::iter().next().is_none() {
        world.tick();
    }
    // No weight for the queue, and none for other audits.
    MaxWork::set(Weight::zero());
    (0..=config().audit_ticks).for_each(|_| tick());
    rest(world, [CLIENT, ALICE, WATCHER], move |_| {
        assert_ok!(Store::crank(by(WATCHER), id));
        assert!(provider(ALICE).missed > 0);
    })
}

/// The same with halves of a collateral that are below the existential deposit: the replica fails.
fn cranked_for_dust() -> Started {
    Settings::<Test>::mutate(|config| {
        config.collateral_base = ED;
        config.collateral_per_gib = 0;
    });
    cranked()
}

/// Two roots of Alice's for one window, which are reported.
fn equivocated() -> Started {
    let mut world = begun();
    world.active(ALICE, 1);
    let window = Folded::<Test>::get();
    let evidence = Equivocation {
        window,
        group: 0,
        first: signed_root(ALICE, window, 0, [1; 32]),
        second: signed_root(ALICE, window, 0, [2; 32]),
    };
    rest(world, [ALICE, WATCHER], move |_| {
        assert_ok!(Store::report_equivocation(by(WATCHER), Box::new(evidence)));
        assert!(provider(ALICE).bond < 5_000 * TOS);
    })
}

/// The same where it costs the whole bond.
fn equivocated_for_all() -> Started {
    Settings::<Test>::mutate(|config| config.equivocation = 5_000 * TOS);
    equivocated()
}

/// A payment of what was earned.
fn settled() -> Started {
    let mut world = begun();
    let id = world.active(ALICE, 1);
    world.windows(8);
    rest(world, [CLIENT, ALICE], move |_| {
        assert_ok!(Store::settle(by(STRANGER), id));
        assert!(deal_of(id).paid > 0);
    })
}

/// A challenge that Alice answers.
fn answered() -> Started {
    let mut world = begun();
    let id = world.active(ALICE, 1);
    assert_ok!(Store::challenge_seal(by(WATCHER), id));
    rest(world, [ALICE, WATCHER], move |world| {
        world.pass(DELAY + 3);
        assert_eq!(replica(id).challenges, 0);
    })
}

/// The same for a bond whose halves are below the existential deposit.
fn answered_for_dust() -> Started {
    Settings::<Test>::mutate(|config| config.challenge_bond = 2 * ED - 2);
    answered()
}

/// A challenge that Alice does not answer: her replica ends.
fn unanswered() -> Started {
    let mut world = begun();
    let id = world.active(ALICE, 1);
    world.windows(8);
    world.stop(ALICE, Idle::Challenges);
    assert_ok!(Store::challenge_seal(by(WATCHER), id));
    rest(world, [CLIENT, ALICE, WATCHER], move |world| {
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert!(deal_of(id).paid > 0);
    })
}

/// A part of a bond that is taken back by a call: refused to an account that cannot receive it, and still booked then.
fn withdrawn() -> Started {
    let world = begun();
    rest(world, [ALICE], |_| {
        let _ = with_storage_layer(|| Store::withdraw(by(ALICE), 1_000 * TOS));
    })
}

/// The whole bond of a provider that leaves: refused by the currency alone, and still booked then.
fn left() -> Started {
    Settings::<Test>::mutate(|config| config.unbonding_windows = 1);
    let mut world = begun();
    assert_ok!(Store::exit(by(ALICE)));
    world.windows(1);
    rest(world, [ALICE], |_| {
        let left = with_storage_layer(|| Store::leave(by(ALICE)));
        assert!(!matches!(left, Err(DispatchError::Module(_))), "{left:?}");
        assert_eq!(left.is_ok(), !Providers::<Test>::contains_key(ALICE));
    })
}

const FLOWS: &[Flow] = &[
    ("expired", expired),
    ("cancelled", cancelled),
    ("unsealed", unsealed),
    ("unchecked", unchecked),
    ("ended", || ended(PRICE)),
    ("ended with dust", ended_with_dust),
    ("removed", removed),
    ("failed", failed),
    ("cranked", cranked),
    ("cranked for dust", cranked_for_dust),
    ("equivocated", equivocated),
    ("equivocated for all", equivocated_for_all),
    ("settled", settled),
    ("answered", answered),
    ("answered for dust", answered_for_dust),
    ("unanswered", unanswered),
    ("withdrawn", withdrawn),
    ("left", left),
];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    let mut parts = Vec::new();
    let mut add = |who, reason: HoldReason, amount| parts.push((who, reason.into(), amount));
    for (who, provider) in Providers::<Test>::iter() {
        add(who, HoldReason::ProviderBond, provider.bond);
    }
    for deal in Deals::<Test>::iter_values() {
        if matches!(deal.status, DealStatus::Open | DealStatus::Taken) {
            add(deal.client, HoldReason::DealEscrow, deal.escrow - deal.paid);
        }
    }
    for challenge in Challenges::<Test>::iter_values() {
        if let Some((challenger, bond)) = challenge.challenger {
            add(challenger, HoldReason::ChallengeBond, bond);
        }
    }
    parts
}

fn told() -> BTreeSet<u64> {
    let told = events().into_iter().filter_map(|event| match event {
        Event::Undeliverable { who, .. } => Some(who),
        _ => None,
    });
    told.collect()
}

#[test]
fn no_party_of_a_replica_holds_up_the_others_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: Some(TREASURY),
        flows: FLOWS,
        chain: || new_test_ext(config()),
        booked,
        told,
        check: || Store::do_try_state().unwrap(),
    };
    flows.conform();
}

#[test]
fn a_slash_that_no_account_can_take_stays_in_the_bond() {
    run(|_| {
        // A treasury that does not exist cannot receive dust.
        assert_ok!(<Balances as Mutate<AccountId>>::transfer(
            &TREASURY,
            &STRANGER,
            free(TREASURY),
            frame_support::traits::tokens::Preservation::Expendable
        ));
        let before = provider(ALICE);
        let mut slashed = before.clone();
        let fault = Fault::Equivocation;
        let taken = Store::slash(&ALICE, &mut slashed, ED - 1, None, None, fault);
        assert_eq!((taken, &slashed), (0, &before));
        assert_eq!(wealth(TREASURY), 0);
        assert!(events().contains(&Event::Undeliverable {
            who: TREASURY,
            amount: ED - 1,
            to: ALICE,
        }));
    });
}
