// SPDX-License-Identifier: Apache-2.0

//! Settled work: the formula applied, both records, the daily cap.

use crate::mock::*;
use crate::{Domain, Event, Global, MAX_DAILY_GAIN};
use tos_formulas::reputation::{change, Performance, START};
use tos_interfaces::Reputation as _;

#[test]
fn everybody_starts_the_same_without_a_record() {
    ExtBuilder::default().execute(|| {
        assert_eq!(Reputation::global(&ALICE), START);
        assert_eq!(Reputation::domain(&ALICE, TYPE), START);
        assert_eq!(Reputation::settled(&ALICE), 0);
        assert!(!Global::<Test>::contains_key(ALICE));
    });
}

#[test]
fn a_settlement_changes_the_global_and_the_types_record_alone() {
    ExtBuilder::default().execute(|| {
        Reputation::record(&ALICE, TYPE, &BEST);
        let expected = START + 100;
        assert_eq!(Reputation::global(&ALICE), expected);
        assert_eq!(Reputation::domain(&ALICE, TYPE), expected);
        assert_eq!(Reputation::domain(&ALICE, OTHER), START);
        assert_eq!(Reputation::global(&BOB), START);
        let event = Event::ReputationChanged {
            who: ALICE,
            task_type: TYPE,
            global: expected,
            domain: expected,
            change_global: 100,
            change_domain: 100,
        };
        assert_eq!(events(), vec![event]);
    });
}

/// The two records differ, so the same work changes them by different amounts.
#[test]
fn each_record_changes_from_its_own_value() {
    ExtBuilder::alice(9_000, 5).execute(|| {
        let type_without_seed = tos_types::TaskType::Custom(1);
        let work = Performance {
            completion: 5_000,
            ..NEUTRAL
        };
        Reputation::record(&ALICE, type_without_seed, &work);
        let gained = |from: u16| change(from, &work).unsigned_abs();
        assert_ne!(gained(9_000), gained(START));
        assert_eq!(Reputation::global(&ALICE), 9_000 + gained(9_000));
        assert_eq!(
            Reputation::domain(&ALICE, type_without_seed),
            START + gained(START)
        );
    });
}

#[test]
fn only_delivered_work_counts_as_settled() {
    ExtBuilder::default().execute(|| {
        for completion in [-10_000, 0, 1, 10_000] {
            Reputation::record(
                &ALICE,
                TYPE,
                &Performance {
                    completion,
                    ..NEUTRAL
                },
            );
        }
        assert_eq!(Reputation::settled(&ALICE), 2);
        assert_eq!(Domain::<Test>::get(ALICE, TYPE).unwrap().settled, 2);
    });
}

/// Many small tasks in one day do not buy standing, and losses do not make room for more gains.
#[test]
fn gains_stop_at_the_daily_cap_and_losses_do_not_reopen_it() {
    ExtBuilder::default().execute(|| {
        for _ in 0..5 {
            Reputation::record(&ALICE, TYPE, &BEST);
        }
        assert_eq!(Reputation::global(&ALICE), START + MAX_DAILY_GAIN);
        Reputation::record(&ALICE, TYPE, &WORST);
        Reputation::record(&ALICE, TYPE, &BEST);
        assert_eq!(Reputation::global(&ALICE), START + MAX_DAILY_GAIN - 100);
        assert_eq!(Reputation::reputation(ALICE).global.gain_left, 0);
        // Work that gains nothing any more still counts as settled.
        assert_eq!(Reputation::settled(&ALICE), 6);
        advance_days(1);
        Reputation::record(&ALICE, TYPE, &BEST);
        assert_eq!(Reputation::global(&ALICE), START + MAX_DAILY_GAIN);
    });
}

#[test]
fn the_cap_is_per_record() {
    ExtBuilder::default().execute(|| {
        for _ in 0..3 {
            Reputation::record(&ALICE, TYPE, &BEST);
        }
        Reputation::record(&ALICE, OTHER, &BEST);
        assert_eq!(Reputation::global(&ALICE), START + MAX_DAILY_GAIN);
        assert_eq!(Reputation::domain(&ALICE, OTHER), START + 100);
    });
}

#[test]
fn losses_are_not_capped() {
    ExtBuilder::default().execute(|| {
        for _ in 0..11 {
            Reputation::record(&ALICE, TYPE, &WORST);
        }
        assert_eq!(Reputation::global(&ALICE), 0);
    });
}

#[test]
fn the_top_is_never_passed() {
    ExtBuilder::alice(9_990, 1).execute(|| {
        Reputation::record(&ALICE, TYPE, &BEST);
        assert_eq!(Reputation::global(&ALICE), 10_000);
        // Only what was really gained is counted.
        assert_eq!(global_record(ALICE).gained_today, 10);
    });
}

#[test]
fn an_account_at_nothing_can_work_its_way_up() {
    ExtBuilder::alice(0, 1).execute(|| {
        for _ in 0..4 {
            for _ in 0..3 {
                Reputation::record(&ALICE, TYPE, &BEST);
            }
            advance_days(1);
        }
        assert_eq!(Reputation::global(&ALICE), 1_200);
    });
}
