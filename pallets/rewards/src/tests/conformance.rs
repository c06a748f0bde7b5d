// SPDX-License-Identifier: Apache-2.0

//! The pallet's own flows of held money, with the accounts of a task in every state.

use crate::mock::*;
use crate::{Claims, Custody, Error, Escrows, Event, HoldReason};
use frame_support::{assert_ok, storage::with_storage_layer, weights::Weight};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use std::collections::BTreeSet;
use tos_interfaces::Vault;
use tos_pallet_support::testing::{Flow, Flows, Started};
use tos_types::Balance;

const VOTES: [(u64, tos_types::Bp); 2] = [(V1, 6_000), (V2, 4_000)];

/// A reward for an answer of this quality, to be settled.
fn settled(reward: Balance, quality: u8) -> Started {
    deposit(0, ALICE, reward);
    Started::new([ALICE, M1, V1, V2], move || {
        Rewards::settle(&settlement(0, &[(M1, quality)], &VOTES)).map(|_| ())
    })
}

fn settled_at_once() -> Started {
    for who in [M1, V1] {
        assert_ok!(Rewards::set_auto_claim(RuntimeOrigin::signed(who), true));
    }
    settled(1_000, 90)
}

/// A reward of 100, less a fee.
fn refunded(fee: Balance) -> Started {
    deposit(0, ALICE, 100);
    Started::new([ALICE], move || Rewards::refund(&task(0), fee))
}

/// Rewards of these accounts that wait to be claimed; those of a judge without an account wait on
/// the treasury.
fn waiting(judge: u64) -> [u64; 3] {
    deposit(0, ALICE, 100);
    let votes = [(judge, 6_000), (V2, 4_000)];
    assert_ok!(Rewards::settle(&settlement(0, &[(M1, 90)], &votes)));
    [M1, judge, V2]
}

/// Rewards that are claimed by calls, which are refused to an account that cannot receive them: they
/// stay booked then.
fn claimed(judge: u64, claim: fn(u64) -> DispatchResult) -> Started {
    let owners = waiting(judge);
    Started::new(owners, move || {
        for who in owners {
            assert_ne!(claim(who), Err(Error::<Test>::NothingToClaim.into()));
        }
        Ok(())
    })
}

fn one(who: u64) -> DispatchResult {
    with_storage_layer(|| Rewards::claim(RuntimeOrigin::signed(who), task(0)))
}

fn all(who: u64) -> DispatchResult {
    with_storage_layer(|| Rewards::claim_all(RuntimeOrigin::signed(who)))
        .map(|_| ())
        .map_err(|refused| refused.error)
}

/// Rewards whose claim window ends.
fn expired(judge: u64) -> Started {
    Started::new(waiting(judge), || {
        TestClock::set(1 + CLAIM_WINDOW + 1);
        idle(Weight::MAX);
        Ok(())
    })
}

const FLOWS: &[Flow] = &[
    ("settled", || settled(1_000, 90)),
    ("settled with dust", || settled(100, 90)),
    ("settled without a winner", || settled(1_000, 30)),
    ("settled without a winner, with dust", || settled(20, 30)),
    ("settled at once", settled_at_once),
    ("refunded with a fee", || refunded(40)),
    ("refunded with a fee of dust", || refunded(3)),
    ("refunded dust", || refunded(97)),
    ("claimed", || claimed(V1, one)),
    ("claimed, also what was kept", || claimed(GHOST, one)),
    ("claimed together", || claimed(V1, all)),
    ("claimed together, also what was kept", || {
        claimed(GHOST, all)
    }),
    ("expired", || expired(V1)),
    ("expired, and kept for an account", || expired(GHOST)),
];

fn booked() -> Vec<(u64, RuntimeHoldReason, Balance)> {
    let escrows = Escrows::<Test>::iter_values()
        .map(|escrow| (escrow.publisher, HoldReason::Escrow.into(), escrow.amount));
    let claims = Claims::<Test>::iter().map(|(who, _, claim)| {
        let keeper = match claim.custody {
            Custody::Owner => who,
            Custody::Treasury => TREASURY,
        };
        (keeper, HoldReason::Claimable.into(), claim.amount)
    });
    escrows.chain(claims).collect()
}

fn told() -> BTreeSet<u64> {
    let told = System::read_events_for_pallet::<Event<Test>>();
    told.into_iter()
        .filter_map(|event| match event {
            Event::Undeliverable { who, .. } | Event::SetAside { who, .. } => Some(who),
            _ => None,
        })
        .collect()
}

#[test]
fn no_account_of_a_task_holds_up_the_others_and_every_wei_is_accounted_for() {
    let flows = Flows::<Test> {
        treasury: Some(TREASURY),
        flows: FLOWS,
        chain: || ExtBuilder::default().build(),
        booked,
        told,
        check: check_state,
    };
    flows.conform();
}

#[test]
fn what_neither_publisher_nor_treasury_can_receive_stays_and_holds_up_nothing() {
    ExtBuilder::without_treasury().build().execute_with(|| {
        // Another pallet keeps the account alive, so all of its balance can be held.
        frame_system::Pallet::<Test>::inc_providers(&M1);
        deposit(0, M1, POOR);
        events();
        assert_ok!(Rewards::refund(&task(0), POOR - 3));
        assert_eq!((free(M1), free(TREASURY)), (0, POOR - 3));
        assert_eq!(held(HoldReason::Escrow, M1), 3);
        let told = Event::Undeliverable {
            task: task(0),
            who: M1,
            amount: 3,
            to: M1,
        };
        assert_eq!(events(), [told, crate::mock::refunded(M1, 3, POOR - 3)]);
    });
}

#[test]
fn a_reward_is_not_held_where_that_would_burn_what_else_its_owner_has() {
    ExtBuilder::default().execute(|| {
        // Another pallet keeps the account alive, which has less than the existential deposit.
        frame_system::Pallet::<Test>::inc_providers(&GHOST);
        frame_system::Account::<Test>::mutate(GHOST, |account| account.data.free = ED - 1);
        reward(0, GHOST, V1);
        assert_eq!((free(GHOST), claimable(GHOST)), (ED - 1 + 800, 0));
    });
}
