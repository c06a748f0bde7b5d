// SPDX-License-Identifier: Apache-2.0

//! Leaving, unbonding, suspensions: the money always comes back, never early.

use crate::mock::*;
use crate::{Error, Event, Miners as Register, Suspensions};
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use polkadot_sdk::*;
use tos_interfaces::MinerRegistry;
use tos_types::{TaskType, TOS};

#[test]
fn the_stake_comes_back_after_unbonding_and_the_record_goes() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_ok!(Miners::leave(signed(ALICE)));
        let until = now() + UNBONDING;
        assert_eq!(last_event(), Event::Leaving { who: ALICE, until });
        assert_eq!(Miners::miner(ALICE).unwrap().withdrawable_at, Some(until));
        TestClock::advance(UNBONDING - 1);
        assert_noop!(
            Miners::withdraw(signed(ALICE)),
            Error::<Test>::StillUnbonding
        );
        TestClock::advance(1);
        assert_ok!(Miners::withdraw(signed(ALICE)));
        assert_eq!(
            last_event(),
            Event::Withdrawn {
                who: ALICE,
                amount: 50 * TOS
            }
        );
        assert_eq!((held(ALICE), total(ALICE)), (0, START_BALANCE));
        assert!(!Register::<Test>::contains_key(ALICE));
        assert_noop!(
            Miners::withdraw(signed(ALICE)),
            Error::<Test>::NotRegistered
        );
        // And back again.
        register(ALICE);
    });
}

/// Leaving must not be a way out of an answer's stake or of a panel's verdict.
#[test]
fn nobody_leaves_with_open_tasks() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_ok!(Miners::start_task(&ALICE, TaskType::CodeAnalysis));
        assert_noop!(Miners::leave(signed(ALICE)), Error::<Test>::HasOpenTasks);
        Miners::finish_task(&ALICE, true);
        assert_ok!(Miners::leave(signed(ALICE)));
    });
}

/// Registers Alice, who then leaves; `call` is refused to her before.
fn refused_until_she_leaves(call: fn(RuntimeOrigin) -> DispatchResult) {
    assert_noop!(call(signed(ALICE)), Error::<Test>::NotRegistered);
    register(ALICE);
    assert_noop!(call(signed(ALICE)), Error::<Test>::NotLeaving);
    assert_ok!(Miners::leave(signed(ALICE)));
}

#[test]
fn leaving_twice_or_unregistered_is_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(Miners::leave(signed(ALICE)), Error::<Test>::NotRegistered);
        refused_until_she_leaves(Miners::withdraw);
        // A second call must not restart the unbonding either.
        assert_noop!(Miners::leave(signed(ALICE)), Error::<Test>::Leaving);
    });
}

#[test]
fn a_leaving_miner_can_stay_and_then_unbonds_anew() {
    ExtBuilder::default().execute(|| {
        refused_until_she_leaves(Miners::rejoin);
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::rejoin(signed(ALICE)));
        assert_eq!(last_event(), Event::Rejoined { who: ALICE });
        assert_noop!(Miners::withdraw(signed(ALICE)), Error::<Test>::NotLeaving);
        assert_ok!(Miners::start_task(&ALICE, TaskType::CodeAnalysis));
        Miners::finish_task(&ALICE, true);
        assert_ok!(Miners::leave(signed(ALICE)));
        assert_noop!(
            Miners::withdraw(signed(ALICE)),
            Error::<Test>::StillUnbonding
        );
    });
}

/// A suspended miner may leave, so that its money is never stranded, but it cannot run from the
/// suspension under a new registration.
#[test]
fn a_suspended_miner_leaves_but_withdraws_only_when_the_suspension_is_over() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_ok!(Miners::suspend(
            RuntimeOrigin::root(),
            ALICE,
            UNBONDING + 10
        ));
        assert_ok!(Miners::leave(signed(ALICE)));
        let over = now() + UNBONDING + 10;
        assert_eq!(Miners::miner(ALICE).unwrap().withdrawable_at, Some(over));
        TestClock::advance(UNBONDING + 9);
        assert_noop!(Miners::withdraw(signed(ALICE)), Error::<Test>::Suspended);
        TestClock::advance(1);
        assert_ok!(Miners::withdraw(signed(ALICE)));
        assert_eq!(total(ALICE), START_BALANCE);
        assert!(!Suspensions::<Test>::contains_key(ALICE));
    });
}

#[test]
fn a_suspension_during_unbonding_delays_the_withdrawal() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_ok!(Miners::leave(signed(ALICE)));
        TestClock::advance(UNBONDING - 1);
        <Miners as MinerRegistry<u64>>::suspend(&ALICE, 7);
        TestClock::advance(1);
        assert_noop!(Miners::withdraw(signed(ALICE)), Error::<Test>::Suspended);
        assert_ok!(Miners::lift_suspension(RuntimeOrigin::root(), ALICE));
        assert_ok!(Miners::withdraw(signed(ALICE)));
    });
}

#[test]
fn a_dormant_miner_can_leave_without_reactivating() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        TestClock::advance(DAY * 200);
        assert_ok!(Miners::leave(signed(ALICE)));
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::withdraw(signed(ALICE)));
    });
}

#[test]
fn a_miner_that_has_spent_everything_else_still_gets_its_stake_back() {
    ExtBuilder::default().execute(|| {
        register(POOR);
        let rest = 60 * TOS - 50 * TOS - EXISTENTIAL_DEPOSIT;
        assert_ok!(Balances::transfer_allow_death(signed(POOR), ALICE, rest));
        assert_ok!(Miners::leave(signed(POOR)));
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::withdraw(signed(POOR)));
        assert_eq!(total(POOR), 50 * TOS + EXISTENTIAL_DEPOSIT);
    });
}
