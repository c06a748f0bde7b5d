// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with the parties of a replica in every state.

use crate::mock::*;
use crate::*;
use frame_support::{assert_ok, storage::with_storage_layer, traits::fungible::Mutate};
use sp_runtime::DispatchError;
use std::collections::{BTreeMap, BTreeSet};
use tos_pallet_support::testing::{flows_conform, Flow, Flows, Started};
use tos_types::{
    storage::{DealStatus, ReplicaStatus, Retention},
    Balance, TOS,
};

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
    let world = begun();
    let deal = offer(CLIENT, &data(1, 100), Retention::Days365);
    rest(world, [CLIENT], move |world| {
        world.windows(u64::from(config().offer_ttl));
        world.pass(6);
        let status = Deals::<Test>::get(deal).unwrap().status;
        assert_eq!(status, DealStatus::Expired);
    })
}

/// A replica that is never sealed.
fn unsealed() -> Started {
    let world = begun();
    let id = dealt(&data(1, 100));
    rest(world, [CLIENT, ALICE], move |world| {
        world.windows(u64::from(config().seal_windows) + 1);
        assert_eq!(status(id), ReplicaStatus::Failed);
    })
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

struct StorageFlows;

impl Flows for StorageFlows {
    type Runtime = Test;
    const TREASURY: Option<u64> = Some(TREASURY);
    const FLOWS: &'static [Flow] = &[
        ("expired", expired),
        ("unsealed", unsealed),
        ("settled", settled),
        ("answered", answered),
        ("answered for dust", answered_for_dust),
        ("unanswered", unanswered),
        ("withdrawn", withdrawn),
    ];

    fn chain() -> sp_io::TestExternalities {
        new_test_ext(config())
    }

    fn booked() -> BTreeMap<u64, Balance> {
        let mut sums = BTreeMap::<u64, Balance>::new();
        let mut add = |who, amount| *sums.entry(who).or_default() += amount;
        for (who, provider) in Providers::<Test>::iter() {
            add(who, provider.bond);
        }
        for deal in Deals::<Test>::iter_values() {
            if matches!(deal.status, DealStatus::Open | DealStatus::Taken) {
                add(deal.client, deal.escrow - deal.paid);
            }
        }
        for challenge in Challenges::<Test>::iter_values() {
            if let Some((challenger, bond)) = challenge.challenger {
                add(challenger, bond);
            }
        }
        sums
    }

    fn told() -> BTreeSet<u64> {
        let told = events().into_iter().filter_map(|event| match event {
            Event::Undeliverable { who, .. } => Some(who),
            _ => None,
        });
        told.collect()
    }

    fn check() {
        Store::do_try_state().unwrap();
    }
}

#[test]
fn no_party_of_a_replica_holds_up_the_others_and_every_wei_is_accounted_for() {
    flows_conform::<StorageFlows>();
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
