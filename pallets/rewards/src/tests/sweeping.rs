// SPDX-License-Identifier: Apache-2.0

//! Expired rewards.

use super::mock::*;
use crate::{Claims, Error, Event, Expiries, SweepCursor, WeightInfo};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use polkadot_sdk::*;

const EXPIRY: u32 = 1 + CLAIM_WINDOW;

fn sweep(who: u64, nonce: u64) -> sp_runtime::DispatchResult {
    Rewards::sweep(RuntimeOrigin::signed(BOB), who, task(nonce))
}

/// What a block that only idles costs when it sweeps `claims` and passes `ticks` ticks.
fn cost(ticks: u64, claims: u64) -> Weight {
    <() as WeightInfo>::on_idle_base()
        .saturating_add(<() as WeightInfo>::skip_tick() * ticks)
        .saturating_add(<() as WeightInfo>::sweep_expired() * claims)
}

#[test]
fn nobody_sweeps_before_the_expiry() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        Now::set(EXPIRY);
        assert_noop!(sweep(M1, 0), Error::<Test>::NotExpired);
        idle(Weight::MAX);
        assert_eq!(claimable(M1), 800);
        assert_ok!(Rewards::claim(RuntimeOrigin::signed(M1), task(0)));
    });
}

#[test]
fn anybody_sweeps_after_the_expiry() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        events();
        Now::set(EXPIRY + 1);
        assert_ok!(sweep(M1, 0));
        assert_eq!(claimable(M1), 0);
        assert_eq!(free(M1), POOR);
        assert_eq!(free(TREASURY), ED + 50 + 800);
        assert_eq!(
            events(),
            [Event::Swept {
                who: M1,
                task: task(0),
                amount: 800
            }]
        );
        assert_noop!(sweep(M1, 0), Error::<Test>::NothingToClaim);
        assert_noop!(sweep(M2, 0), Error::<Test>::NothingToClaim);
        let late = Rewards::claim(RuntimeOrigin::signed(M1), task(0));
        assert_noop!(late, Error::<Test>::NothingToClaim);
    });
}

#[test]
fn an_expired_reward_is_its_owners_until_somebody_sweeps() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        Now::set(EXPIRY + 1_000);
        assert_ok!(Rewards::claim_all(RuntimeOrigin::signed(M1)));
        assert_eq!(free(M1), POOR + 800);
    });
}

#[test]
fn idle_blocks_sweep_what_has_expired_and_nothing_else() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        Now::set(2);
        reward(1, M1, V1);
        Now::set(EXPIRY + 1);
        let used = idle(Weight::MAX);
        assert_eq!(used, cost(u64::from(EXPIRY) + 1, 2));
        assert_eq!((claimable(M1), claimable(V1)), (800, 150));
        assert!(Claims::<Test>::contains_key(M1, task(1)));
        assert_eq!(SweepCursor::<Test>::get(), EXPIRY + 1);
        // Nothing more to do: only the base is paid.
        assert_eq!(idle(Weight::MAX), cost(0, 0));
    });
}

#[test]
fn a_full_block_only_makes_the_sweep_later() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 10_000);
        settle(&settlement(
            0,
            &[(M1, 90), (M2, 80), (M3, 70)],
            &[(V1, 9_000), (V2, 8_000)],
        ));
        SweepCursor::<Test>::put(EXPIRY);
        Now::set(EXPIRY + 5);
        assert_eq!(idle(Weight::zero()), Weight::zero());
        assert_eq!(idle(cost(0, 0)), cost(0, 0));
        assert_eq!(Expiries::<Test>::iter_keys().count(), 5);
        // Two of five, then two, then the last and the empty ticks behind it.
        for left in [3, 1] {
            assert_eq!(idle(cost(1, 2)), cost(1, 2));
            assert_eq!(Expiries::<Test>::iter_keys().count(), left);
            assert_eq!(SweepCursor::<Test>::get(), EXPIRY);
            check_state();
        }
        assert_eq!(idle(Weight::MAX), cost(5, 1));
        assert_eq!(SweepCursor::<Test>::get(), EXPIRY + 5);
        assert_eq!(Claims::<Test>::iter_keys().count(), 0);
    });
}

#[test]
fn a_hook_never_uses_more_than_it_is_given() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        Now::set(EXPIRY + 50);
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
fn what_the_treasury_cannot_receive_stays_with_its_owner() {
    ExtBuilder::without_treasury().execute(|| {
        deposit(0, ALICE, 40);
        settle(&settlement(0, &[(M1, 90)], &[(V1, 10_000)]));
        assert_eq!((claimable(M1), claimable(V1)), (32, 6));
        Now::set(EXPIRY + 1);
        events();
        // 6 does not open the treasury's account.
        assert_ok!(sweep(V1, 0));
        assert_eq!(free(V1), POOR + 6);
        let back = Event::Undeliverable {
            task: task(0),
            who: TREASURY,
            amount: 6,
            to: V1,
        };
        let claimed = Event::Claimed {
            who: V1,
            task: task(0),
            amount: 6,
        };
        assert_eq!(events(), [back, claimed]);
        // 32 does.
        idle(Weight::MAX);
        assert_eq!(free(TREASURY), 32);
    });
}

#[test]
fn more_for_the_same_task_starts_the_window_anew() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        Now::set(50);
        // The vault may see a task again once its escrow is gone.
        reward(0, M1, V1);
        assert_eq!(claimable(M1), 1_600);
        assert_eq!(Expiries::<Test>::iter_keys().count(), 2);
        Now::set(EXPIRY + 1);
        idle(Weight::MAX);
        assert_eq!(claimable(M1), 1_600);
        Now::set(50 + CLAIM_WINDOW + 1);
        idle(Weight::MAX);
        assert_eq!(claimable(M1), 0);
    });
}
