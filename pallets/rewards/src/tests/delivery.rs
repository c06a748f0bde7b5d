// SPDX-License-Identifier: Apache-2.0

//! Accounts that cannot receive: no one of them can stop a settlement.

use crate::mock::*;
use crate::{Error, Event, HoldReason, RewardRole};
use frame_support::{
    assert_noop, assert_ok,
    storage::with_storage_layer,
    traits::{fungible::MutateHold, tokens::Precision},
};
use polkadot_sdk::*;
use tos_interfaces::Vault;
use tos_types::Balance;

fn undeliverable(who: u64, amount: Balance, to: u64) -> Event<Test> {
    Event::Undeliverable {
        task: task(0),
        who,
        amount,
        to,
    }
}

#[test]
fn a_dead_account_is_paid_at_once_because_it_cannot_hold() {
    ExtBuilder::default().execute(|| {
        let told = first_settled(1_000, GHOST, &[(V1, 10_000)]);
        assert_eq!(free(GHOST), 800);
        assert!(told.contains(&Event::RewardBooked {
            task: task(0),
            who: GHOST,
            role: RewardRole::Miner,
            amount: 800,
            auto: true,
        }));
    });
}

/// Settles a task of 100. `GHOST`, who has no account, gets 9 of the judges' share of 15: less
/// than the existential deposit.
fn small_share_of_a_dead_account(nonce: u64) {
    deposit(nonce, ALICE, 100);
    let votes = [(GHOST, 6_000), (V1, 4_000)];
    settle(&settlement(nonce, &[(M1, 90)], &votes));
}

/// `GHOST` gets an account.
fn open_account() {
    assert_ok!(Balances::transfer_allow_death(
        RuntimeOrigin::signed(ALICE),
        GHOST,
        ED
    ));
}

/// `GHOST` gets the small share, an account, and then a reward of which nothing is too small.
fn small_and_whole_share() {
    small_share_of_a_dead_account(0);
    open_account();
    reward(1, M1, GHOST);
}

#[test]
fn a_share_too_small_to_open_an_account_is_kept_for_its_owner() {
    ExtBuilder::default().execute(|| {
        let told = first_settled(100, M1, &[(GHOST, 6_000), (V1, 4_000)]);
        assert_eq!((claimable(M1), claimable(V1)), (80, 6));
        // On hold: it is not the treasury's to spend.
        assert_eq!((free(TREASURY), claimable(TREASURY)), (ED + 5, 9));
        assert_eq!(Rewards::claimable(GHOST)[0].amount, 9);
        assert!(told.contains(&Event::SetAside {
            task: task(0),
            who: GHOST,
            amount: 9,
        }));
        assert!(told.contains(&Event::RewardBooked {
            task: task(0),
            who: GHOST,
            role: RewardRole::Judge,
            amount: 9,
            auto: false,
        }));
        assert_eq!(
            told.last(),
            Some(&Event::Settled {
                task: task(0),
                winners: vec![M1],
                participants: 80,
                judges: 15,
                network: 5,
                refund: 0,
            })
        );
    });
}

#[test]
fn what_is_kept_for_an_account_is_paid_as_soon_as_it_exists() {
    ExtBuilder::default().execute(|| {
        small_share_of_a_dead_account(0);
        let claim = |owner| {
            with_storage_layer(|| Rewards::claim_for(RuntimeOrigin::signed(BOB), owner, task(0)))
        };
        assert_noop!(claim(GHOST), Error::<Test>::CannotReceive);
        open_account();
        assert_ok!(claim(GHOST));
        assert_eq!((free(GHOST), claimable(TREASURY)), (ED + 9, 0));
        assert_noop!(claim(GHOST), Error::<Test>::NothingToClaim);
    });
}

#[test]
fn small_rewards_open_an_account_together() {
    ExtBuilder::default().execute(|| {
        small_share_of_a_dead_account(0);
        small_share_of_a_dead_account(1);
        assert_ok!(Rewards::claim_all_for(RuntimeOrigin::signed(BOB), GHOST));
        assert_eq!((free(GHOST), claimable(TREASURY)), (18, 0));
    });
}

#[test]
fn all_that_waits_is_paid_wherever_it_is_held() {
    ExtBuilder::default().execute(|| {
        small_and_whole_share();
        assert_eq!((claimable(GHOST), claimable(TREASURY)), (150, 9));
        let paid = Rewards::claim_all(RuntimeOrigin::signed(GHOST)).unwrap();
        assert_eq!(
            paid.actual_weight,
            Some(<() as crate::WeightInfo>::claim_all(2))
        );
        assert_eq!(free(GHOST), ED + 150 + 9);
        assert_eq!((claimable(GHOST), claimable(TREASURY)), (0, 0));
    });
}

#[test]
fn what_the_treasury_cannot_pay_does_not_hold_up_what_is_on_the_owners_account() {
    ExtBuilder::default().execute(|| {
        small_and_whole_share();
        let reason: RuntimeHoldReason = HoldReason::Claimable.into();
        assert_ok!(Balances::release(&reason, &TREASURY, 9, Precision::Exact));
        let claim_all = || Rewards::claim_all_for(RuntimeOrigin::signed(BOB), GHOST);
        assert_ok!(claim_all());
        assert_eq!((free(GHOST), claimable(GHOST)), (ED + 150, 0));
        assert_eq!(Rewards::claimable(GHOST)[0].amount, 9);
        assert_noop!(claim_all(), Error::<Test>::CannotReceive);
        assert_ok!(Balances::hold(&reason, &TREASURY, 9));
        assert_ok!(claim_all());
        assert_eq!(free(GHOST), ED + 150 + 9);
    });
}

#[test]
fn what_the_treasury_cannot_receive_goes_back_to_the_publisher() {
    ExtBuilder::without_treasury().execute(|| {
        let told = first_settled(100, M1, &[(V1, 10_000)]);
        assert_eq!(free(ALICE), RICH - 95);
        assert!(told.contains(&undeliverable(TREASURY, 5, ALICE)));
        let settled = matches!(
            told.last(),
            Some(Event::Settled {
                network: 0,
                refund: 5,
                ..
            })
        );
        assert!(settled);
    });
}

#[test]
fn a_fee_the_treasury_cannot_receive_goes_back_to_the_publisher() {
    ExtBuilder::without_treasury().execute(|| {
        deposit(0, ALICE, 100);
        events();
        assert_ok!(Rewards::refund(&task(0), 3));
        assert_eq!(free(ALICE), RICH);
        let event = refunded(ALICE, 100, 0);
        assert_eq!(events(), [undeliverable(TREASURY, 3, ALICE), event]);
    });
}

#[test]
fn a_publisher_below_the_existential_deposit_loses_nothing_but_what_cannot_be_given() {
    ExtBuilder::default().execute(|| {
        // Another pallet keeps the account alive, so all of its balance can be held.
        frame_system::Pallet::<Test>::inc_providers(&M1);
        deposit(0, M1, POOR);
        assert_eq!(free(M1), 0);
        events();
        // A refund of 3 cannot live on an empty balance.
        assert_ok!(Rewards::refund(&task(0), POOR - 3));
        assert_eq!(free(TREASURY), ED + POOR);
        let event = refunded(M1, 0, POOR);
        assert_eq!(events(), [undeliverable(M1, 3, TREASURY), event]);
    });
}
