// SPDX-License-Identifier: Apache-2.0

//! Idle decay: in the eye of the reader, from the last work.

use crate::mock::*;
use crate::{Domain, Global};
use frame_support::assert_storage_noop;
use polkadot_sdk::*;
use tos_formulas::reputation::{idle_decay, START};
use tos_interfaces::Reputation as _;

#[test]
fn seven_days_are_free_then_one_per_cent_goes_each_day_down_to_half() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(7);
        assert_eq!(Reputation::global(&ALICE), 8_000);
        advance_days(1);
        assert_eq!(Reputation::global(&ALICE), 7_920);
        assert_eq!(Reputation::domain(&ALICE, TYPE), 7_920);
        advance_days(1);
        assert_eq!(Reputation::global(&ALICE), 7_840);
        advance_days(1_000);
        assert_eq!(Reputation::global(&ALICE), 4_000);
    });
}

#[test]
fn reading_writes_nothing() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(30);
        assert_storage_noop!({
            Reputation::global(&ALICE);
            Reputation::domain(&ALICE, TYPE);
            Reputation::settled(&ALICE);
            Reputation::reputation(ALICE);
        });
    });
}

#[test]
fn the_start_is_not_earned_and_does_not_decay() {
    ExtBuilder::default().execute(|| {
        advance_days(400);
        assert_eq!(Reputation::global(&ALICE), START);
    });
}

#[test]
fn work_ends_idleness_from_the_decayed_value() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(40);
        let decayed = idle_decay(8_000, 40);
        Reputation::record(&ALICE, TYPE, &WORST);
        assert_eq!(Reputation::global(&ALICE), decayed - 100);
        advance_days(7);
        assert_eq!(Reputation::global(&ALICE), decayed - 100);
        assert_eq!(global_record(ALICE).last_active_day, 40);
    });
}

#[test]
fn types_decay_on_their_own() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(20);
        Reputation::record(&ALICE, OTHER, &NEUTRAL);
        let decayed = idle_decay(8_000, 20);
        assert_eq!(Reputation::domain(&ALICE, OTHER), decayed);
        advance_days(7);
        assert_eq!(Reputation::domain(&ALICE, OTHER), decayed);
        assert_eq!(Reputation::domain(&ALICE, TYPE), idle_decay(8_000, 27));
        assert_eq!(Reputation::global(&ALICE), decayed);
    });
}

#[test]
fn a_record_that_says_nothing_is_not_kept() {
    ExtBuilder::default().execute(|| {
        advance_days(3);
        Reputation::record(&ALICE, TYPE, &NEUTRAL);
        assert!(!Global::<Test>::contains_key(ALICE));
        assert!(!Domain::<Test>::contains_key(ALICE, TYPE));
    });
}

#[test]
fn the_view_tells_value_and_origin() {
    ExtBuilder::alice(8_000, 5).execute(|| {
        advance_days(20);
        let view = Reputation::reputation(ALICE);
        assert_eq!(
            (view.global.score, view.global.earned),
            (idle_decay(8_000, 20), 8_000)
        );
        assert_eq!((view.global.settled, view.global.gain_left), (5, 300));
        let types: Vec<_> = view
            .domains
            .iter()
            .map(|(task_type, _)| *task_type)
            .collect();
        assert_eq!(types, tos_types::TaskType::BUILT_IN);
        assert_eq!(view.domains[1].1.score, Reputation::domain(&ALICE, TYPE));
        assert!(Reputation::reputation(BOB).domains.is_empty());
    });
}
