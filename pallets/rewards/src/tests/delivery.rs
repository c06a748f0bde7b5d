// SPDX-License-Identifier: Apache-2.0

//! Accounts that cannot receive: no one of them can stop a settlement.

use super::mock::*;
use crate::{Event, RewardRole};
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_primitives::{traits::Vault, Balance};

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
        deposit(0, ALICE, 1_000);
        events();
        assert_ok!(Rewards::settle(&settlement(
            0,
            &[(GHOST, 90)],
            &[(V1, 10_000)]
        )));
        assert_eq!(free(GHOST), 800);
        assert!(events().contains(&Event::RewardBooked {
            task: task(0),
            who: GHOST,
            role: RewardRole::Miner,
            amount: 800,
            auto: true,
        }));
    });
}

#[test]
fn a_share_too_small_to_open_an_account_goes_to_the_treasury() {
    ExtBuilder::default().execute(|| {
        deposit(0, ALICE, 100);
        events();
        // Validators share 15: 9 is less than the existential deposit.
        let votes = [(GHOST, 6_000), (V1, 4_000)];
        assert_ok!(Rewards::settle(&settlement(0, &[(M1, 90)], &votes)));
        assert_eq!(free(GHOST), 0);
        assert_eq!((claimable(M1), claimable(V1)), (80, 6));
        assert_eq!(free(TREASURY), ED + 5 + 9);
        let events = events();
        assert!(events.contains(&undeliverable(GHOST, 9, TREASURY)));
        assert_eq!(
            events.last(),
            Some(&Event::Settled {
                task: task(0),
                winners: vec![M1],
                participants: 80,
                validators: 6,
                network: 14,
                refund: 0,
            })
        );
    });
}

#[test]
fn what_the_treasury_cannot_receive_goes_back_to_the_publisher() {
    ExtBuilder::without_treasury().execute(|| {
        deposit(0, ALICE, 100);
        events();
        assert_ok!(Rewards::settle(&settlement(
            0,
            &[(M1, 90)],
            &[(V1, 10_000)]
        )));
        assert_eq!(free(ALICE), RICH - 95);
        let events = events();
        assert!(events.contains(&undeliverable(TREASURY, 5, ALICE)));
        let settled = matches!(
            events.last(),
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
        let event = Event::Refunded {
            task: task(0),
            publisher: ALICE,
            amount: 100,
            fee: 0,
        };
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
        let event = Event::Refunded {
            task: task(0),
            publisher: M1,
            amount: 0,
            fee: POOR,
        };
        assert_eq!(events(), [undeliverable(M1, 3, TREASURY), event]);
    });
}
