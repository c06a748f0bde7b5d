// SPDX-License-Identifier: Apache-2.0

//! From offer to pruning, by every way there is.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use tos_types::{
    storage::{DealStatus, ReplicaStatus, Retention},
    TOS,
};

#[test]
fn a_deal_runs_its_whole_course() {
    run(|world| {
        let bytes = data(1, 5_000);
        let client_before = wealth(CLIENT);
        let deal = offer(CLIENT, &bytes, Retention::BillingPeriods(3));
        let escrow = Deals::<Test>::get(deal).unwrap().escrow;
        // One started MiB of coded bytes, three billing periods.
        assert_eq!(escrow, (PRICE * 3).div_ceil(1_024));
        let id = world.seal(ALICE, deal, &bytes);
        assert_eq!(provider(ALICE).tied, 11 * TOS);
        world.pass(DELAY + 2);
        assert_eq!(status(id), ReplicaStatus::Active);
        let alice_before = wealth(ALICE);

        // Twelve windows, of which the first five are not paid.
        world.windows(14);
        world.pass(3);
        assert_eq!(status(id), ReplicaStatus::Ended);
        let earned = escrow * 7 / 12;
        assert_eq!(wealth(ALICE), alice_before + earned);
        assert_eq!(wealth(CLIENT), client_before - earned);
        assert_eq!(provider(ALICE).tied, 0);
        assert_eq!(provider(ALICE).missed, 0);
        assert_eq!(Deals::<Test>::get(deal).unwrap().status, DealStatus::Closed);

        world.windows(u64::from(config().retention_windows) + 1);
        assert_eq!(Replicas::<Test>::get(id), None);
        assert_eq!(Deals::<Test>::get(deal), None);
        assert_eq!(ReplicasOf::<Test>::iter().count(), 0);
    });
}

#[test]
fn an_offer_can_be_withdrawn_until_somebody_accepts() {
    run(|_| {
        let before = wealth(CLIENT);
        let deal = offer(CLIENT, &data(1, 100), Retention::Days30);
        assert!(free(CLIENT) < before);
        assert_noop!(
            Store::cancel_offer(by(OTHER_CLIENT), deal),
            Error::<Test>::NotClient
        );
        assert_ok!(Store::cancel_offer(by(CLIENT), deal));
        assert_eq!(free(CLIENT), before);
        assert_noop!(
            Store::cancel_offer(by(CLIENT), deal),
            Error::<Test>::NotOpen
        );
        assert_noop!(Store::accept(by(ALICE), deal), Error::<Test>::NotOpen);

        let taken = offer(CLIENT, &data(1, 100), Retention::Days30);
        assert_ok!(Store::accept(by(ALICE), taken));
        assert_noop!(
            Store::cancel_offer(by(CLIENT), taken),
            Error::<Test>::NotOpen
        );
    });
}

#[test]
fn an_offer_that_nobody_accepts_expires_by_itself_and_is_pruned() {
    run(|world| {
        let before = free(CLIENT);
        let deal = offer(CLIENT, &data(1, 100), Retention::Days365);
        world.windows(u64::from(config().offer_ttl));
        world.pass(6);
        assert_eq!(
            Deals::<Test>::get(deal).unwrap().status,
            DealStatus::Expired
        );
        assert_eq!(free(CLIENT), before);
        world.windows(u64::from(config().retention_windows) + 1);
        assert_eq!(Deals::<Test>::get(deal), None);
        assert_eq!(Agenda::<Test>::iter().count(), 0);
    });
}

#[test]
fn who_does_not_seal_in_time_loses_a_miss_and_the_deal_is_open_again() {
    run(|world| {
        let deal = offer(CLIENT, &data(1, 100), Retention::Days30);
        let id = accepted(ALICE, deal);
        let (escrow, treasury) = (wealth(CLIENT), wealth(TREASURY));
        world.windows(u64::from(config().seal_windows) + 1);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(ALICE).bond, 4_990 * TOS);
        assert_eq!(provider(ALICE).tied, 0);
        assert_eq!(wealth(TREASURY), treasury + 10 * TOS);
        assert_eq!(wealth(CLIENT), escrow);
        // Another one may try, while the record of the first is still there and after.
        world.provider(BOB, 1_000 * TOS);
        let second = world.seal(BOB, deal, &data(1, 100));
        world.windows(u64::from(config().retention_windows) + 2);
        assert_eq!(Replicas::<Test>::get(id), None);
        assert_eq!(status(second), ReplicaStatus::Active);
        assert_eq!(deal_of(second).status, DealStatus::Taken);
    });
}

#[test]
fn a_commitment_that_comes_too_late_is_refused() {
    run(|_| {
        let bytes = data(1, 100);
        let id = dealt(&bytes);
        let commitment = *sealed(ALICE, id, &coded(&bytes)).commitment();
        // As when the queue is behind: the time is over, but nobody has taken the step yet.
        let until = replica(id).until;
        set_until(id, Folded::<Test>::get());
        assert_noop!(
            Store::commit_seal(by(ALICE), id, commitment),
            Error::<Test>::TooLate
        );
        set_until(id, until);
    });
}

#[test]
fn an_unanswered_first_seal_challenge_takes_all_collateral_and_returns_the_escrow() {
    run(|world| {
        world.stop(ALICE, Idle::Challenges);
        let before = wealth(CLIENT);
        let bytes = data(1, 5_000);
        let deal = offer(CLIENT, &bytes, Retention::Days30);
        let id = world.seal(ALICE, deal, &bytes);
        world.pass(config().challenge_ticks + DELAY + 3);
        assert_eq!(status(id), ReplicaStatus::Failed);
        assert_eq!(provider(ALICE).bond, 4_989 * TOS);
        assert_eq!(provider(ALICE).tied, 0);
        assert_eq!(free(CLIENT), before);
        assert_eq!(deal_of(id).status, DealStatus::Closed);
    });
}

#[test]
fn a_pause_costs_the_streak_and_nothing_else_and_ends_by_itself() {
    with_replica(|world, id| {
        world.windows(8);
        let streak = Store::continuity_of(id).unwrap().streak;
        assert!(streak >= 5);
        assert_ok!(Store::pause(by(ALICE), id));
        assert!(Store::continuity_of(id).is_err());
        let earned = replica(id).earned;
        assert_eq!(u64::from(earned), streak - 5);
        world.stop(ALICE, Idle::Windows);
        // Audits that were open when it was paused must still be answered.
        world.windows(2);
        world.go_on(ALICE, Idle::Windows);
        world.pass(3);
        assert_eq!(status(id), ReplicaStatus::Active, "resumed by itself");
        assert_eq!(provider(ALICE).missed, 0);
        assert_eq!(provider(ALICE).bond, 5_000 * TOS);
        world.windows(2);
        assert_eq!(replica(id).earned, earned);
        assert!(replica(id).run(Folded::<Test>::get()) <= 2);
    });
}

#[test]
fn pauses_are_counted_by_billing_period() {
    ExtBuilder::with(StorageConfig {
        pause_windows: 1,
        billing_windows: 50,
        ..config()
    })
    .run(|world| {
        let id = world.active(ALICE, 1);
        world.windows(1);
        assert_ok!(Store::pause(by(ALICE), id));
        assert_ok!(Store::resume(by(ALICE), id));
        // Even a pause of no length is one: else a provider could rest in every window's dispute.
        assert_noop!(Store::pause(by(ALICE), id), Error::<Test>::PauseUsedUp);
        world.windows(50);
        assert_ok!(Store::pause(by(ALICE), id));
    });
}

#[test]
fn notice_ends_a_replica_early_and_returns_what_was_not_earned() {
    run(|world| {
        let before = wealth(CLIENT);
        let id = world.active(ALICE, 1);
        let escrow = deal_of(id).escrow;
        world.windows(8);
        assert_ok!(Store::request_removal(by(ALICE), id));
        assert_eq!(status(id), ReplicaStatus::Leaving);
        let end = replica(id).end;
        assert_eq!(
            end,
            Folded::<Test>::get() + u64::from(config().notice_windows)
        );
        let from = replica(id).since;
        world.windows(3);
        world.pass(3);
        assert_eq!(status(id), ReplicaStatus::Removed);
        let earned = escrow * u128::from(end - from - 5) / 40;
        assert!(earned > 0);
        assert_eq!(wealth(CLIENT), before - earned);
        assert_eq!(provider(ALICE).tied, 0);
    });
}

#[test]
fn a_provider_leaves_with_its_bond_only_after_unbonding() {
    with_replica(|world, id| {
        assert_noop!(Store::leave(by(ALICE)), Error::<Test>::NotExiting);
        assert_ok!(Store::exit(by(ALICE)));
        assert_noop!(Store::exit(by(ALICE)), Error::<Test>::Exiting);
        let deal = offer(CLIENT, &data(2, 100), Retention::Days30);
        assert_noop!(Store::accept(by(ALICE), deal), Error::<Test>::Exiting);
        assert_noop!(Store::leave(by(ALICE)), Error::<Test>::HasReplicas);
        assert_ok!(Store::request_removal(by(ALICE), id));
        world.windows(u64::from(config().notice_windows) + 1);
        world.pass(4);
        assert_noop!(Store::leave(by(ALICE)), Error::<Test>::Unbonding);
        world.windows(u64::from(config().unbonding_windows));
        let before = free(ALICE);
        assert_ok!(Store::leave(by(ALICE)));
        assert_eq!(free(ALICE), before + 5_000 * TOS);
        assert_eq!(Providers::<Test>::get(ALICE), None);
        // Its group goes to the next one who needs a group.
        world.provider(BOB, 1_000 * TOS);
        let next = world.seal(BOB, deal, &data(2, 100));
        world.pass(DELAY + 2);
        assert_eq!(replica(next).position, Some((0, 0)));
        assert_eq!(NextGroup::<Test>::get(), 1);
    });
}

#[test]
fn the_lowest_free_position_is_taken_and_full_groups_lead_to_new_ones() {
    run(|world| {
        let ids: Vec<_> = (0..5).map(|seed| world.active(ALICE, seed)).collect();
        let seats: Vec<_> = ids
            .iter()
            .map(|id| replica(*id).position.unwrap())
            .collect();
        assert_eq!(seats, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]);
        assert_ok!(Store::request_removal(by(ALICE), ids[1]));
        world.windows(u64::from(config().notice_windows) + 1);
        world.pass(4);
        assert_eq!(status(ids[1]), ReplicaStatus::Removed);
        let next = world.active(ALICE, 9);
        assert_eq!(replica(next).position, Some((0, 1)));
        assert_eq!(ActiveCount::<Test>::get(), 5);
    });
}

#[test]
fn collateral_bounds_what_a_provider_accepts_and_withdraws() {
    ExtBuilder::default().execute(|world| {
        assert_noop!(
            Store::register_provider(
                by(ALICE),
                999 * TOS,
                [1; 32],
                b"http://a".to_vec().try_into().unwrap()
            ),
            Error::<Test>::BondTooSmall
        );
        world.provider(ALICE, 1_000 * TOS);
        assert_noop!(Store::withdraw(by(ALICE), TOS), Error::<Test>::BondTooSmall);
        for seed in 0..90 {
            let deal = offer(CLIENT, &data(seed % 3, 100), Retention::BillingPeriods(1));
            assert_ok!(Store::accept(by(ALICE), deal));
        }
        let deal = offer(CLIENT, &data(1, 100), Retention::BillingPeriods(1));
        assert_noop!(
            Store::accept(by(ALICE), deal),
            Error::<Test>::InsufficientBond
        );
        assert_ok!(Store::top_up(by(ALICE), TOS));
        assert_ok!(Store::accept(by(ALICE), deal));
        assert_noop!(
            Store::withdraw(by(ALICE), TOS),
            Error::<Test>::InsufficientBond
        );
        assert_ok!(Store::top_up(by(ALICE), 500 * TOS));
        assert_ok!(Store::withdraw(by(ALICE), 500 * TOS));
        assert_eq!(provider(ALICE).bond, 1_001 * TOS);
    });
}
