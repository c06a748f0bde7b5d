// SPDX-License-Identifier: Apache-2.0

//! Every way for money to leave a hold, to the wei.

use crate::mock::*;
use crate::*;
use frame_support::{assert_ok, traits::fungible::Mutate};
use tos_pallet_support::testing::held_money_conforms;
use tos_types::{
    storage::{DealTerms, ReplicaStatus, Retention},
    Balance, TOS,
};

/// A deal whose escrow does not divide evenly by its windows.
fn uneven(world: &mut World) -> tos_types::ReplicaId {
    let bytes = data(1, 5_000);
    let deal = next_deal(CLIENT);
    let terms = DealTerms {
        price: 1_000_003,
        ..terms(Retention::BillingPeriods(3))
    };
    assert_ok!(Store::offer(
        by(CLIENT),
        content(&bytes),
        *coded(&bytes).commitment(),
        terms
    ));
    let id = world.seal(ALICE, deal, &bytes);
    world.pass(DELAY + 2);
    id
}

#[test]
fn settling_often_or_once_pays_the_same_to_the_wei() {
    let paid = |often: bool| {
        let mut paid = 0;
        run(|world| {
            let alice = wealth(ALICE);
            let id = uneven(world);
            let escrow = deal_of(id).escrow;
            assert_ne!(escrow % 12, 0);
            for _ in 0..13 {
                if often {
                    let _ = Store::settle(by(STRANGER), id);
                }
                world.windows(1);
            }
            world.pass(3);
            assert_eq!(status(id), ReplicaStatus::Ended);
            paid = wealth(ALICE) - alice;
            assert_eq!(paid, escrow * 7 / 12);
            assert_eq!(wealth(CLIENT), ENDOWMENT - paid);
        });
        paid
    };
    assert_eq!(paid(true), paid(false));
}

#[test]
fn an_odd_wei_of_a_slash_goes_to_the_treasury() {
    ExtBuilder::with(StorageConfig {
        collateral_base: 10 * TOS + 1,
        collateral_per_gib: 0,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        world.stop(ALICE, Idle::Challenges);
        let (watcher, treasury) = (wealth(WATCHER), wealth(TREASURY));
        assert_ok!(Store::challenge_seal(by(WATCHER), id));
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(wealth(WATCHER) - watcher, 5 * TOS);
        assert_eq!(wealth(TREASURY) - treasury, 5 * TOS + 1);
    });
}

#[test]
fn a_payment_below_the_existential_deposit_of_a_new_account_goes_to_the_treasury() {
    with_replica(|world, id| {
        world.windows(8);
        // The payee's account has vanished but for what is on hold: it cannot take dust.
        let who: AccountId = 5_555;
        let treasury = wealth(TREASURY);
        let held = deal_of(id).escrow;
        assert!(held > ED);
        Store::pay(HoldReason::DealEscrow, &CLIENT, &who, ED - 1);
        Deals::<Test>::mutate(replica(id).deal, |deal| {
            deal.as_mut().unwrap().paid += ED - 1;
        });
        assert_eq!(wealth(who), 0);
        assert_eq!(wealth(TREASURY), treasury + ED - 1);
        let told = events().into_iter().any(|event| {
            event
                == Event::Undeliverable {
                    who,
                    amount: ED - 1,
                    to: TREASURY,
                }
        });
        assert!(told);
    });
}

#[test]
fn what_even_the_treasury_cannot_take_stays_with_its_owner() {
    with_replica(|_, _| {
        // A treasury that does not exist cannot receive dust.
        let all = free(TREASURY);
        assert_ok!(<Balances as Mutate<AccountId>>::transfer(
            &TREASURY,
            &STRANGER,
            all,
            frame_support::traits::tokens::Preservation::Expendable
        ));
        let before = wealth(ALICE);
        Store::pay(HoldReason::ProviderBond, &ALICE, &TREASURY, ED - 1);
        assert_eq!(wealth(ALICE), before);
        Providers::<Test>::mutate(ALICE, |provider| provider.as_mut().unwrap().bond -= ED - 1);
        assert_eq!(wealth(TREASURY), 0);
    });
}

#[test]
fn slashes_never_touch_escrow_and_pay_never_touches_bonds() {
    with_replica(|world, id| {
        world.windows(8);
        let escrow = deal_of(id).escrow;
        let client = wealth(CLIENT);
        world.until_open();
        world.stop(ALICE, Idle::Windows);
        world.windows(1);
        assert_eq!(wealth(CLIENT), client, "the client neither gains nor loses");
        let bond = provider(ALICE).bond;
        assert_ok!(Store::settle(by(STRANGER), id));
        assert_eq!(provider(ALICE).bond, bond);
        assert_eq!(wealth(CLIENT), client - deal_of(id).paid);
        assert!(deal_of(id).paid < escrow);
    });
}

#[test]
fn the_sum_of_all_ends_is_what_was_put_in() {
    run(|world| {
        world.provider(BOB, 1_000 * TOS);
        let everybody = || -> Balance {
            let accounts = [
                CLIENT,
                OTHER_CLIENT,
                ALICE,
                BOB,
                WATCHER,
                STRANGER,
                TREASURY,
            ];
            accounts.into_iter().map(wealth).sum()
        };
        let before = everybody();
        let ended = uneven(world);
        let failed = world.active(BOB, 2);
        let removed = world.active(ALICE, 3);
        assert_ok!(Store::request_removal(by(ALICE), removed));
        world.windows(3);
        world.stop(BOB, Idle::Windows);
        world.windows(14);
        world.pass(4);
        assert_eq!(status(ended), ReplicaStatus::Ended);
        assert_eq!(status(failed), ReplicaStatus::Failed);
        assert_eq!(status(removed), ReplicaStatus::Removed);
        assert_eq!(everybody(), before);
        for who in [CLIENT, OTHER_CLIENT] {
            assert_eq!(free(who), wealth(who), "nothing is left on hold");
        }
    });
}

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    new_test_ext(config()).execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::ProviderBond, CLIENT);
    });
}
