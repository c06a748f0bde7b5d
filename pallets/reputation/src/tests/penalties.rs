// SPDX-License-Identifier: Apache-2.0

//! Proven offences.

use crate::mock::*;
use crate::{Event, Global};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_formulas::reputation::{idle_decay, FREE_IDLE_DAYS};
use tos_interfaces::Reputation as _;
use tos_types::offence::Severity;

fn penalise(who: u64, severity: Severity) {
    assert_ok!(Reputation::penalise(
        RuntimeOrigin::root(),
        who,
        TYPE,
        severity
    ));
}

#[test]
fn losses_and_suspensions_follow_the_severity() {
    for (severity, loss, days) in [
        (Severity::Minor, 200, 0),
        (Severity::Major, 1_000, 7),
        (Severity::Critical, 3_000, 30),
    ] {
        ExtBuilder::alice(5_000, 9).execute(|| {
            penalise(ALICE, severity);
            assert_eq!(Reputation::global(&ALICE), 5_000 - loss);
            assert_eq!(Reputation::domain(&ALICE, TYPE), 5_000 - loss);
            assert_eq!(Reputation::domain(&ALICE, OTHER), 5_000);
            let suspended = (days > 0).then_some((ALICE, days * DAY));
            assert_eq!(LastSuspension::get(), suspended);
        });
    }
}

#[test]
fn the_events_tell_the_loss_and_why() {
    ExtBuilder::alice(2_500, 9).execute(|| {
        penalise(ALICE, Severity::Critical);
        let changed = Event::ReputationChanged {
            who: ALICE,
            task_type: TYPE,
            global: 0,
            domain: 0,
            change_global: -2_500,
            change_domain: -2_500,
        };
        let why = Event::Penalised {
            who: ALICE,
            task_type: TYPE,
            severity: Severity::Critical,
        };
        assert_eq!(events(), vec![changed, why]);
    });
}

#[test]
fn only_governance_penalises() {
    ExtBuilder::default().execute(|| {
        for origin in [RuntimeOrigin::signed(BOB), RuntimeOrigin::none()] {
            assert_noop!(
                Reputation::penalise(origin, ALICE, TYPE, Severity::Minor),
                DispatchError::BadOrigin
            );
        }
    });
}

#[test]
fn a_newcomer_can_be_penalised() {
    ExtBuilder::default().execute(|| {
        penalise(ALICE, Severity::Minor);
        assert_eq!(Reputation::global(&ALICE), 800);
        assert_eq!(Reputation::settled(&ALICE), 0);
    });
}

/// A decayed record loses the whole penalty from what it is worth, not a decayed part of it, and
/// the penalty buys no free idle days.
#[test]
fn an_idle_account_loses_in_full_and_goes_on_decaying() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(30);
        let before = idle_decay(8_000, 30);
        penalise(ALICE, Severity::Minor);
        assert_eq!(Reputation::global(&ALICE), before - 200);
        advance_days(1);
        assert_eq!(
            Reputation::global(&ALICE),
            idle_decay(before - 200, FREE_IDLE_DAYS + 1)
        );
        assert!(Reputation::global(&ALICE) < before - 200);
    });
}

#[test]
fn free_idle_days_used_up_before_a_penalty_stay_used_up() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(5);
        penalise(ALICE, Severity::Minor);
        advance_days(2);
        assert_eq!(Reputation::global(&ALICE), 7_800);
        advance_days(1);
        assert_eq!(Reputation::global(&ALICE), idle_decay(7_800, 8));
    });
}

#[test]
fn a_penalty_back_to_the_start_leaves_no_record() {
    ExtBuilder::default().execute(|| {
        // Gains without delivered work, so nothing is settled.
        let peer = tos_formulas::reputation::Performance {
            peer: 10_000,
            ..NEUTRAL
        };
        while Reputation::global(&ALICE) < 1_200 {
            advance_days(1);
            Reputation::record(&ALICE, TYPE, &peer);
        }
        let over = Reputation::global(&ALICE) - 1_200;
        advance_days(1);
        penalise(ALICE, Severity::Minor);
        assert_eq!(Reputation::global(&ALICE), 1_000 + over);
        assert_eq!(Global::<Test>::contains_key(ALICE), over > 0);
    });
}
