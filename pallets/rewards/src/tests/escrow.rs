// SPDX-License-Identifier: Apache-2.0

//! Deposits and refunds.

use crate::mock::*;
use crate::{Error, Event, HoldReason};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::Vault;
use tos_pallet_support::testing::held_money_conforms;
use tos_types::Balance;

/// Fails unless a deposit for the first task is refused with this error.
fn refused(publisher: u64, amount: Balance, error: Error<Test>) {
    assert_noop!(Rewards::deposit(&task(0), &publisher, amount), error);
}

#[test]
fn a_deposit_holds_the_reward_on_the_publisher() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        assert_eq!(held(HoldReason::Escrow, ALICE), 1_000);
        assert_eq!(free(ALICE), RICH - 1_000);
        assert_eq!(Rewards::escrowed(&task(0)), 1_000);
        let event = Event::Deposited {
            task: task(0),
            publisher: ALICE,
            amount: 1_000,
        };
        assert_eq!(events(), [event]);
    });
}

#[test]
fn escrows_of_one_publisher_are_kept_apart() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        deposit(1, ALICE, 500);
        assert_eq!(held(HoldReason::Escrow, ALICE), 1_500);
        assert_ok!(Rewards::refund(&task(0), 0));
        assert_eq!(Rewards::escrowed(&task(0)), 0);
        assert_eq!(Rewards::escrowed(&task(1)), 500);
        assert_eq!(held(HoldReason::Escrow, ALICE), 500);
    });
}

#[test]
fn a_second_deposit_for_a_task_is_refused() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        refused(BOB, 1_000, Error::EscrowExists);
    });
}

#[test]
fn a_deposit_leaves_the_existential_deposit_free() {
    ExtBuilder::default().execute(|| {
        let most = POOR - ED;
        refused(M1, most + 1, Error::InsufficientFunds);
        refused(GHOST, 1, Error::InsufficientFunds);
        deposit(0, M1, most);
        assert_eq!(free(M1), ED);
    });
}

#[test]
fn an_empty_deposit_is_refused() {
    ExtBuilder::default().execute(|| {
        refused(ALICE, 0, Error::EmptyDeposit);
    });
}

#[test]
fn a_refund_returns_all_but_the_fee() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        events();
        assert_ok!(Rewards::refund(&task(0), 30));
        assert_eq!(free(ALICE), RICH - 30);
        assert_eq!(free(TREASURY), ED + 30);
        assert_eq!(events(), [refunded(ALICE, 970, 30)]);
    });
}

#[test]
fn a_fee_takes_no_more_than_the_escrow() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        deposit(1, ALICE, 1_000);
        assert_ok!(Rewards::refund(&task(0), u128::MAX));
        assert_eq!(free(TREASURY), ED + 1_000);
        assert_eq!(Rewards::escrowed(&task(1)), 1_000);
    });
}

#[test]
fn nothing_is_refunded_twice() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        // Another task's escrow must not pay for it.
        deposit(1, ALICE, 1_000);
        assert_ok!(Rewards::refund(&task(0), 0));
        assert_noop!(Rewards::refund(&task(0), 0), Error::<Test>::NoEscrow);
        assert_noop!(Rewards::refund(&task(7), 0), Error::<Test>::NoEscrow);
    });
}

#[test]
fn an_escrow_can_neither_be_spent_nor_slip_through_a_lock() {
    use frame_support::traits::{LockableCurrency, WithdrawReasons};
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        // The publisher locks everything it has: a lock must not stop the chain from paying.
        Balances::set_lock(*b"all-of-i", &ALICE, RICH, WithdrawReasons::all());
        settle(&settlement(0, &[(M1, 90)], &[(V1, 10_000)]));
        assert_eq!(claimable(M1), 800);
        Balances::remove_lock(*b"all-of-i", &ALICE);
    });
}

#[test]
fn held_money_moves_exactly_and_to_whom_it_may() {
    ExtBuilder::default().build().execute_with(|| {
        held_money_conforms::<Balances>(HoldReason::Escrow, ALICE);
    });
}
