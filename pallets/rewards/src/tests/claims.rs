// SPDX-License-Identifier: Apache-2.0

//! Claiming.

use crate::mock::*;
use crate::{AutoClaim, Claims, Error, Event, WeightInfo, MAX_CLAIMS_PER_CALL};
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, traits::fungible::Mutate};
use polkadot_sdk::*;
use tos_views::ClaimView;

fn signed(who: u64) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

#[test]
fn a_claim_moves_the_reward_to_the_free_balance() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        assert_ok!(Rewards::claim(signed(M1), task(0)));
        assert_eq!(free(M1), POOR + 800);
        assert_eq!(claimable(M1), 0);
        assert_eq!(
            events(),
            [Event::Claimed {
                who: M1,
                task: task(0),
                amount: 800
            }]
        );
    });
}

#[test]
fn nothing_is_claimed_twice() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        reward(1, M1, V1);
        assert_ok!(Rewards::claim(signed(M1), task(0)));
        assert_noop!(
            Rewards::claim(signed(M1), task(0)),
            Error::<Test>::NothingToClaim
        );
        assert_ok!(Rewards::claim_all(signed(M1)));
        assert_noop!(
            Rewards::claim(signed(M1), task(1)),
            Error::<Test>::NothingToClaim
        );
        assert_noop!(
            Rewards::claim_all(signed(M1)),
            Error::<Test>::NothingToClaim
        );
    });
}

#[test]
fn nobody_claims_what_another_earned() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        assert_noop!(
            Rewards::claim(signed(M2), task(0)),
            Error::<Test>::NothingToClaim
        );
        assert_noop!(
            Rewards::claim(signed(M1), task(1)),
            Error::<Test>::NothingToClaim
        );
        let unsigned = RuntimeOrigin::none();
        assert_noop!(
            Rewards::claim(unsigned, task(0)),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}

#[test]
fn claim_all_pays_a_bounded_number_and_the_rest_next_time() {
    ExtBuilder::default().execute(|| {
        let rest = 3;
        for nonce in 0..u64::from(MAX_CLAIMS_PER_CALL + rest) {
            reward(nonce, M1, V1);
        }
        let most = <() as WeightInfo>::claim_all(MAX_CLAIMS_PER_CALL);
        let call = crate::Call::<Test>::claim_all {};
        assert_eq!(call.get_dispatch_info().call_weight, most);
        assert_eq!(Rewards::claimable(M1).len(), MAX_CLAIMS_PER_CALL as usize);

        let paid = Rewards::claim_all(signed(M1)).unwrap();
        assert_eq!(paid.actual_weight, Some(most));
        assert_eq!(free(M1), POOR + 800 * u128::from(MAX_CLAIMS_PER_CALL));
        assert_eq!(Rewards::claimable(M1).len(), rest as usize);

        let paid = Rewards::claim_all(signed(M1)).unwrap();
        assert_eq!(
            paid.actual_weight,
            Some(<() as WeightInfo>::claim_all(rest))
        );
        assert_eq!(claimable(M1), 0);
    });
}

#[test]
fn the_view_shows_what_can_be_claimed() {
    ExtBuilder::default().execute(|| {
        assert_eq!(Rewards::claimable(M1), []);
        reward(0, M1, V1);
        let view = ClaimView {
            task: task(0),
            amount: 800,
            expires: 1 + CLAIM_WINDOW,
        };
        assert_eq!(Rewards::claimable(M1), [view]);
    });
}

#[test]
fn auto_claim_is_for_future_rewards_only() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        assert_ok!(Rewards::set_auto_claim(signed(M1), true));
        assert_eq!(claimable(M1), 800);
        reward(1, M1, V1);
        assert_eq!((free(M1), claimable(M1)), (POOR + 800, 800));
        assert_ok!(Rewards::set_auto_claim(signed(M1), false));
        reward(2, M1, V1);
        assert_eq!((free(M1), claimable(M1)), (POOR + 800, 1_600));
    });
}

#[test]
fn auto_claim_keeps_its_account_alive_and_lets_it_go() {
    ExtBuilder::default().execute(|| {
        // Twice on and twice off count once each.
        for _ in 0..2 {
            assert_ok!(Rewards::set_auto_claim(signed(M1), true));
        }
        assert_eq!(System::consumers(&M1), 1);
        let everything = Balances::transfer_all(signed(M1), ALICE, false);
        assert_ok!(everything);
        assert_eq!(free(M1), ED, "payments can still reach it");
        for _ in 0..2 {
            assert_ok!(Rewards::set_auto_claim(signed(M1), false));
        }
        assert_eq!(System::consumers(&M1), 0);
        assert!(!AutoClaim::<Test>::contains_key(M1));
        assert_ok!(Balances::transfer_all(signed(M1), ALICE, false));
        assert_eq!(free(M1), 0);
    });
}

#[test]
fn an_account_that_does_not_exist_cannot_have_auto_claim() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            Rewards::set_auto_claim(signed(GHOST), true),
            sp_runtime::DispatchError::NoProviders
        );
    });
}

#[test]
fn a_reward_cannot_be_spent_before_it_is_claimed() {
    ExtBuilder::default().execute(|| {
        reward(0, M1, V1);
        let spend = |amount| {
            Balances::transfer(
                &M1,
                &ALICE,
                amount,
                frame_support::traits::tokens::Preservation::Expendable,
            )
        };
        assert!(spend(POOR + 1).is_err());
        // Nor can its account die under it.
        assert!(spend(POOR).is_err());
        assert_ok!(spend(POOR - ED));
        assert_ok!(Rewards::claim(signed(M1), task(0)));
        assert_eq!(free(M1), ED + 800);
        assert_eq!(Claims::<Test>::iter_key_prefix(M1).count(), 0);
    });
}
