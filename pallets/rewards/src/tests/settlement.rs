// SPDX-License-Identifier: Apache-2.0

//! Splitting an escrow.

use crate::mock::*;
use crate::{Claim, Claims, Custody, Error, Event, HoldReason, RewardRole};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_formulas::split::Allocation;
use tos_interfaces::Vault;

#[test]
fn every_share_is_booked_and_the_escrow_is_empty() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        events();
        let answers = [(M1, 90), (M2, 60), (M3, 10)];
        let settled = settle(&settlement(0, &answers, &[(V1, 10_000), (V2, 5_000)]));
        let event = Event::Settled {
            task: task(0),
            winners: vec![M1],
            participants: 800,
            judges: 150,
            network: 50,
            refund: 0,
        };
        assert_eq!(settled, event);
        // Winner's 650, and 150 by quality 90:60.
        assert_eq!(claimable(M1), 650 + 90);
        assert_eq!(claimable(M2), 60);
        // Below the quality of a participant.
        assert_eq!(claimable(M3), 0);
        assert_eq!((claimable(V1), claimable(V2)), (100, 50));
        assert_eq!(free(TREASURY), ED + 50);
        assert_eq!(free(M1), POOR);
        assert_eq!(Rewards::escrowed(&task(0)), 0);
        assert_eq!(held(HoldReason::Escrow, ALICE), 0);
    });
}

#[test]
fn the_allocation_tells_who_won_what() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        let settlement = settlement(0, &[(M1, 60), (M2, 90)], &[(V1, 10_000)]);
        let allocation = Rewards::settle(&settlement).unwrap();
        let expected = Allocation {
            winners: vec![1],
            answers: vec![60, 740],
            judges: vec![150],
            network: 50,
            refund: 0,
        };
        assert_eq!(allocation, expected);
    });
}

#[test]
fn nothing_is_settled_twice() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        // Another task's escrow must not pay for it.
        deposit(1, ALICE, 1_000);
        let settlement = settlement(0, &[(M1, 90)], &[(V1, 10_000)]);
        settle(&settlement);
        assert_noop!(Rewards::settle(&settlement), Error::<Test>::NoEscrow);
        assert_noop!(Rewards::refund(&task(0), 0), Error::<Test>::NoEscrow);
        assert_eq!(held(HoldReason::Escrow, ALICE), 1_000);
    });
}

#[test]
fn a_judge_of_several_rounds_has_one_claim() {
    ExtBuilder::default().execute(|| {
        let votes = [(V1, 10_000), (V2, 10_000), (V1, 10_000)];
        let told = first_settled(1_000, M1, &votes);
        assert_eq!((claimable(V1), claimable(V2)), (100, 50));
        let booked = told
            .into_iter()
            .filter(|e| matches!(e, Event::RewardBooked { who, .. } if *who == V1))
            .count();
        assert_eq!(booked, 1);
    });
}

#[test]
fn shares_of_one_account_in_two_roles_merge_into_one_claim() {
    ExtBuilder::default().execute(|| {
        let told = first_settled(1_000, M1, &[(M1, 10_000)]);
        let claim = Claims::<Test>::get(M1, task(0)).unwrap();
        assert_eq!(
            claim,
            Claim {
                amount: 950,
                expires: 1 + CLAIM_WINDOW,
                custody: Custody::Owner,
            }
        );
        let roles: Vec<_> = told
            .into_iter()
            .filter_map(|event| match event {
                Event::RewardBooked {
                    role,
                    amount,
                    auto: false,
                    ..
                } => Some((role, amount)),
                _ => None,
            })
            .collect();
        assert_eq!(roles, [(RewardRole::Miner, 800), (RewardRole::Judge, 150)]);
    });
}

#[test]
fn without_a_good_answer_the_publisher_gets_its_share_back() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        let settled = settle(&settlement(0, &[(M1, 10)], &[(V1, 10_000)]));
        let event = Event::Settled {
            task: task(0),
            winners: vec![],
            participants: 0,
            judges: 150,
            network: 50,
            refund: 800,
        };
        assert_eq!(settled, event);
        assert_eq!(free(ALICE), RICH - 200);
    });
}

#[test]
fn without_accurate_judges_their_share_goes_to_the_treasury() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        settle(&settlement(0, &[(M1, 90)], &[(V1, 0), (V2, 0)]));
        assert_eq!(free(TREASURY), ED + 200);
        assert_eq!(claimable(V1), 0);
    });
}

#[test]
fn a_publisher_that_answers_itself_is_paid_like_anybody() {
    // The tasks pallet refuses it; the vault must stay exact whatever it is given.
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 1_000);
        settle(&settlement(0, &[(ALICE, 90)], &[(V1, 10_000)]));
        assert_eq!(claimable(ALICE), 800);
        assert_eq!(held(HoldReason::Escrow, ALICE), 0);
    });
}

#[test]
fn auto_claim_pays_at_once() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Rewards::set_auto_claim(RuntimeOrigin::signed(M1), true));
        deposit(0, ALICE, 1_000);
        events();
        assert_ok!(Rewards::settle(&settlement(
            0,
            &[(M1, 90)],
            &[(V1, 10_000)]
        )));
        assert_eq!(free(M1), POOR + 800);
        assert_eq!(claimable(M1), 0);
        assert!(events().contains(&Event::RewardBooked {
            task: task(0),
            who: M1,
            role: RewardRole::Miner,
            amount: 800,
            auto: true,
        }));
    });
}
