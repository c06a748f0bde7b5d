// SPDX-License-Identifier: Apache-2.0

//! Registering, and changing specialisations.

use crate::mock::*;
use crate::{Error, Event, Miners as Register};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::MinerRegistry;
use tos_types::{rules::MinerStakes, TaskType, TOS};
use tos_views::Activity;

fn try_register(who: u64, wanted: &[TaskType]) -> DispatchResult {
    Miners::register(signed(who), types(wanted))
}

fn specialise(who: u64, wanted: &[TaskType]) -> DispatchResult {
    Miners::set_specialisations(signed(who), types(wanted))
}

#[test]
fn the_stake_is_the_highest_of_the_specialisations_not_their_sum() {
    ExtBuilder::default().execute(|| {
        let wanted = types(&[
            TaskType::SecurityAudit,
            TaskType::General,
            TaskType::CodeAnalysis,
        ]);
        assert_ok!(Miners::register(signed(ALICE), wanted));
        assert_eq!(held(ALICE), 200 * TOS);
        assert_eq!(total(ALICE), START_BALANCE);
        let sorted = types(&[
            TaskType::CodeAnalysis,
            TaskType::SecurityAudit,
            TaskType::General,
        ]);
        assert_eq!(
            last_event(),
            Event::Registered {
                who: ALICE,
                specialisations: sorted,
                stake: 200 * TOS
            }
        );
    });
}

#[test]
fn other_stakes_hold_for_who_registers_or_changes_its_types_from_then_on() {
    ExtBuilder::default().execute(|| {
        let code = types(&[TaskType::CodeAnalysis]);
        assert_ok!(Miners::register(signed(ALICE), code.clone()));
        let dearer = MinerStakes {
            code_analysis: 80 * TOS,
            data_analysis: 70 * TOS,
            ..MinerStakes::STANDARD
        };
        Stakes::set(&dearer);
        // Who is registered goes on with what it put down.
        assert_eq!(held(ALICE), 50 * TOS);
        assert_eq!(Miners::may_work(&ALICE, TaskType::CodeAnalysis), Ok(()));
        assert_ok!(Miners::register(signed(BOB), code.clone()));
        assert_eq!(held(BOB), 80 * TOS);
        assert_ok!(specialise(ALICE, &[TaskType::DataAnalysis]));
        assert_eq!(held(ALICE), 70 * TOS);
        // Less is asked for again: nobody gets anything back before it leaves, and then all of it.
        Stakes::set(&MinerStakes::STANDARD);
        assert_ok!(Miners::set_specialisations(signed(BOB), code));
        assert_eq!(held(BOB), 80 * TOS);
        assert_ok!(Miners::leave(signed(BOB)));
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::withdraw(signed(BOB)));
        assert_eq!(held(BOB), 0);
    });
}

#[test]
fn a_registration_without_or_with_repeated_specialisations_is_refused() {
    ExtBuilder::default().execute(|| {
        assert_noop!(try_register(ALICE, &[]), Error::<Test>::NoSpecialisation);
        let twice = types(&[TaskType::General, TaskType::CodeAnalysis, TaskType::General]);
        assert_noop!(
            Miners::register(signed(ALICE), twice.clone()),
            Error::<Test>::DuplicateSpecialisation
        );
        register(ALICE);
        assert_noop!(specialise(ALICE, &[]), Error::<Test>::NoSpecialisation);
        assert_noop!(
            Miners::set_specialisations(signed(ALICE), twice),
            Error::<Test>::DuplicateSpecialisation
        );
    });
}

#[test]
fn an_account_that_cannot_pay_the_stake_does_not_register() {
    ExtBuilder::default().execute(|| {
        assert_noop!(
            try_register(POOR, &[TaskType::General]),
            Error::<Test>::InsufficientStake
        );
        register(POOR);
        assert_noop!(
            specialise(POOR, &[TaskType::General]),
            Error::<Test>::InsufficientStake
        );
        assert_eq!(held(POOR), 50 * TOS);
    });
}

#[test]
fn nobody_registers_twice_or_unsigned() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_noop!(
            try_register(ALICE, &[TaskType::General]),
            Error::<Test>::AlreadyRegistered
        );
        assert_noop!(
            Miners::register(RuntimeOrigin::none(), types(&[TaskType::General])),
            DispatchError::BadOrigin
        );
    });
}

#[test]
fn a_suspended_account_cannot_register_afresh() {
    ExtBuilder::default().execute(|| {
        assert_ok!(Miners::suspend(RuntimeOrigin::root(), ALICE, 5));
        assert_noop!(
            try_register(ALICE, &[TaskType::General]),
            Error::<Test>::Suspended
        );
        TestClock::advance(5);
        register(ALICE);
    });
}

#[test]
fn a_dearer_specialisation_tops_the_stake_up() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        assert_eq!(held(ALICE), 50 * TOS);
        let dear = types(&[TaskType::SecurityAudit]);
        assert_ok!(Miners::set_specialisations(signed(ALICE), dear.clone()));
        assert_eq!(held(ALICE), 200 * TOS);
        assert_eq!(
            last_event(),
            Event::SpecialisationsSet {
                who: ALICE,
                specialisations: dear,
                stake: 200 * TOS
            }
        );
    });
}

/// Otherwise the stake of an auditor could get out at once, without unbonding.
#[test]
fn a_cheaper_specialisation_does_not_release_stake() {
    ExtBuilder::default().execute(|| {
        assert_ok!(try_register(ALICE, &[TaskType::SecurityAudit]));
        assert_ok!(specialise(ALICE, &[TaskType::CodeAnalysis]));
        assert_eq!(held(ALICE), 200 * TOS);
        // It counts when the miner goes back up.
        assert_ok!(specialise(ALICE, &[TaskType::General]));
        assert_eq!(held(ALICE), 200 * TOS);
    });
}

#[test]
fn only_staying_miners_change_specialisations() {
    ExtBuilder::default().execute(|| {
        let wanted = types(&[TaskType::General]);
        assert_noop!(
            Miners::set_specialisations(signed(ALICE), wanted.clone()),
            Error::<Test>::NotRegistered
        );
        register(ALICE);
        assert_ok!(Miners::leave(signed(ALICE)));
        assert_noop!(
            Miners::set_specialisations(signed(ALICE), wanted),
            Error::<Test>::Leaving
        );
    });
}

#[test]
fn miners_are_counted() {
    ExtBuilder::default().execute(|| {
        register(ALICE);
        register(BOB);
        assert_eq!(Register::<Test>::count(), 2);
        assert_ok!(Miners::leave(signed(BOB)));
        TestClock::advance(UNBONDING);
        assert_ok!(Miners::withdraw(signed(BOB)));
        assert_eq!(Register::<Test>::count(), 1);
    });
}

#[test]
fn the_view_shows_a_new_miner() {
    ExtBuilder::default().execute(|| {
        assert_eq!(Miners::miner(ALICE), None);
        TestClock::advance(14);
        register(ALICE);
        let view = Miners::miner(ALICE).unwrap();
        assert_eq!(view.specialisations, vec![TaskType::CodeAnalysis]);
        assert_eq!((view.stake, view.registered), (50 * TOS, 15));
        assert_eq!((view.open_tasks, view.completed, view.failed), (0, 0, 0));
        assert_eq!((view.idle_days, view.activity), (0, Activity::Active));
        assert_eq!((view.withdrawable_at, view.suspended_until), (None, None));
    });
}
