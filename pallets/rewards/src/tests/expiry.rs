// SPDX-License-Identifier: Apache-2.0

//! Rewards whose claim window is over: the chain pays them to their owners.

use crate::mock::*;
use crate::{Claims, Error, Event, Expiries, ExpiryCursor, WeightInfo};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use polkadot_sdk::*;

const EXPIRY: u32 = 1 + CLAIM_WINDOW;

/// The weight of a block that only idles, when it pays `claims` and looks into the queue so often:
/// once for each claim and once for the end of each tick.
fn cost(looks: u64, claims: u64) -> Weight {
    <() as WeightInfo>::on_idle_base()
        .saturating_add(<() as WeightInfo>::skip_tick() * looks)
        .saturating_add(<() as WeightInfo>::pay_expired() * claims)
}

#[test]
fn nothing_is_paid_by_itself_before_the_expiry() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        TestClock::set(EXPIRY);
        idle(Weight::MAX);
        assert_eq!((free(M1), claimable(M1)), (POOR, 800));
    });
}

#[test]
fn an_unclaimed_reward_is_paid_to_its_owner_and_none_of_it_to_the_treasury() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        let before = free(TREASURY);
        events();
        TestClock::set(EXPIRY + 1);
        idle(Weight::MAX);
        assert_eq!((claimable(M1), claimable(V1)), (0, 0));
        assert_eq!((free(M1), free(V1)), (POOR + 800, POOR + 150));
        assert_eq!(free(TREASURY), before);
        let told = events();
        for (who, amount) in [(M1, 800), (V1, 150)] {
            let task = task(0);
            assert!(told.contains(&Event::Claimed { who, task, amount }));
        }
        let late = Rewards::claim(RuntimeOrigin::signed(M1), task(0));
        assert_noop!(late, Error::<Test>::NothingToClaim);
    });
}

#[test]
fn an_owner_without_a_fee_gets_the_reward_by_anybodys_claim_or_in_the_end_by_none() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        // All but what keeps the account: nothing is left to pay a fee with.
        for who in [M1, V1] {
            let all = Balances::transfer_all(RuntimeOrigin::signed(who), ALICE, true);
            assert_ok!(all);
            assert_eq!(free(who), ED);
        }
        assert_ok!(Rewards::claim_for(RuntimeOrigin::signed(BOB), M1, task(0)));
        assert_eq!(free(M1), ED + 800);
        assert_eq!(free(BOB), RICH, "whoever claims for another gets nothing");
        TestClock::set(EXPIRY + 1);
        idle(Weight::MAX);
        assert_eq!(free(V1), ED + 150);
    });
}

#[test]
fn idle_blocks_pay_what_has_expired_and_nothing_else() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        TestClock::set(2);
        reward(1, M1, V1);
        TestClock::set(EXPIRY + 1);
        let used = idle(Weight::MAX);
        assert_eq!(used, cost(u64::from(EXPIRY) + 1 + 2, 2));
        assert_eq!((claimable(M1), claimable(V1)), (800, 150));
        assert!(Claims::<Test>::contains_key(M1, task(1)));
        assert_eq!(ExpiryCursor::<Test>::get(), EXPIRY + 1);
        // Nothing more to do: only the base is paid.
        assert_eq!(idle(Weight::MAX), cost(0, 0));
    });
}

#[test]
fn a_full_block_only_makes_the_payment_later() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 10_000);
        settle(&settlement(
            0,
            &[(M1, 90), (M2, 80), (M3, 70)],
            &[(V1, 9_000), (V2, 8_000)],
        ));
        ExpiryCursor::<Test>::put(EXPIRY);
        TestClock::set(EXPIRY + 5);
        assert_eq!(idle(Weight::zero()), Weight::zero());
        assert_eq!(idle(cost(0, 0)), cost(0, 0));
        assert_eq!(Expiries::<Test>::iter_keys().count(), 5);
        // Two of five, then two, then the last and the empty ticks behind it.
        for left in [3, 1] {
            assert_eq!(idle(cost(2, 2)), cost(2, 2));
            assert_eq!(Expiries::<Test>::iter_keys().count(), left);
            assert_eq!(ExpiryCursor::<Test>::get(), EXPIRY);
            check_state();
        }
        assert_eq!(idle(Weight::MAX), cost(1 + 5, 1));
        assert_eq!(ExpiryCursor::<Test>::get(), EXPIRY + 5);
        assert_eq!(Claims::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn a_hook_never_uses_more_than_it_is_given() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        TestClock::set(EXPIRY + 50);
        // Time and proof both grow, so that the limit is enough in the end; in no step together, so
        // that each of them is now and then the one that is short.
        let step = <() as WeightInfo>::skip_tick() / 2;
        let mut limit = Weight::zero();
        let mut turn = 0u32;
        while Claims::<Test>::iter_keys().count() > 0 {
            turn += 1;
            limit = limit.saturating_add(if turn.is_multiple_of(2) {
                Weight::from_parts(step.ref_time(), 0)
            } else {
                Weight::from_parts(0, step.proof_size())
            });
            assert!(idle(limit).all_lte(limit));
            check_state();
        }
    });
}

#[test]
fn what_cannot_be_paid_at_the_expiry_waits_for_its_owner() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 100);
        settle(&settlement(0, &[(M1, 90)], &[(GHOST, 6_000), (V1, 4_000)]));
        TestClock::set(EXPIRY + 1);
        idle(Weight::MAX);
        // GHOST has no account, and 9 do not open one; the others are paid, and the queue goes on.
        assert_eq!(ExpiryCursor::<Test>::get(), EXPIRY + 1);
        assert_eq!((free(M1), free(V1)), (POOR + 80, POOR + 6));
        assert_eq!((free(GHOST), claimable(TREASURY)), (0, 9));
        assert_eq!(Expiries::<Test>::iter_keys().count(), 0);
        check_state();
        TestClock::set(100 * EXPIRY);
        idle(Weight::MAX);
        assert_ok!(Balances::transfer_allow_death(
            RuntimeOrigin::signed(ALICE),
            GHOST,
            ED
        ));
        assert_ok!(Rewards::claim(RuntimeOrigin::signed(GHOST), task(0)));
        assert_eq!((free(GHOST), claimable(TREASURY)), (ED + 9, 0));
    });
}

#[test]
fn more_for_the_same_task_starts_the_window_anew() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        TestClock::set(50);
        // The vault may see a task again once its escrow is gone.
        reward(0, M1, V1);
        assert_eq!(claimable(M1), 1_600);
        assert_eq!(Expiries::<Test>::iter_keys().count(), 2);
        TestClock::set(EXPIRY + 1);
        idle(Weight::MAX);
        assert_eq!(claimable(M1), 1_600);
        TestClock::set(50 + CLAIM_WINDOW + 1);
        idle(Weight::MAX);
        assert_eq!(claimable(M1), 0);
    });
}
