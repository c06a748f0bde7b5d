// SPDX-License-Identifier: Apache-2.0

//! Properties under random work, penalties and idleness.

use crate::mock::*;
use crate::{Record, MAX_DAILY_GAIN};
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;
use tos_formulas::reputation::{change, idle_decay, Performance, START};
use tos_interfaces::Reputation as _;
use tos_types::{offence::Severity, Bp};

#[derive(Clone, Debug)]
enum Step {
    Work(Performance),
    Offend(Severity),
    Idle(u32),
}

fn performance() -> impl Strategy<Value = Performance> {
    // Beyond the documented range too: it must be clamped.
    let score = || prop_oneof![-12_000i16..=12_000, Just(i16::MIN), Just(i16::MAX), Just(0)];
    (score(), score(), score(), score(), score()).prop_map(
        |(completion, quality, accuracy, peer, innovation)| Performance {
            completion,
            quality,
            accuracy,
            peer,
            innovation,
        },
    )
}

fn severity() -> impl Strategy<Value = Severity> {
    prop_oneof![
        Just(Severity::Minor),
        Just(Severity::Major),
        Just(Severity::Critical)
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => performance().prop_map(Step::Work),
        2 => Just(Step::Work(BEST)),
        1 => severity().prop_map(Step::Offend),
        2 => (0..3u32).prop_map(Step::Idle),
        1 => (0..200u32).prop_map(Step::Idle),
    ]
}

/// A record as some history may have left it, and a later day.
fn record_and_day() -> impl Strategy<Value = (Record, u32)> {
    (
        0..=10_000u16,
        0..400u32,
        0..=MAX_DAILY_GAIN,
        0..50u32,
        0..200u32,
    )
        .prop_map(|(score, last_active_day, gained_today, settled, idle)| {
            let gain_day = last_active_day;
            let record = Record {
                score,
                last_active_day,
                gained_today,
                gain_day,
                settled,
            };
            (record, last_active_day + idle)
        })
}

fn act(who: u64, step: &Step) {
    match step {
        Step::Work(performance) => Reputation::record(&who, TYPE, performance),
        Step::Offend(severity) => {
            <Reputation as tos_interfaces::Reputation<u64>>::penalise(&who, TYPE, *severity)
        }
        Step::Idle(days) => advance_days(*days),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn reputations_stay_within_bounds(start in 0..=10_000u16, steps in vec(step(), 1..80)) {
        ExtBuilder::default().reputation(ALICE, start, 1).build().execute_with(|| {
            for step in steps {
                act(ALICE, &step);
                assert!(Reputation::global(&ALICE) <= 10_000);
                assert!(Reputation::domain(&ALICE, TYPE) <= 10_000);
                Reputation::do_try_state().unwrap();
            }
        });
    }

    /// Bob is looked at after every step, Alice never: both end the same, to the byte.
    #[test]
    fn it_does_not_matter_who_looks_when(
        start in 0..=10_000u16,
        steps in vec(step(), 1..40),
    ) {
        let seeded = ExtBuilder::default().reputation(ALICE, start, 1).reputation(BOB, start, 1);
        seeded.build().execute_with(|| {
            for step in steps {
                match step {
                    Step::Idle(days) => {
                        for _ in 0..days {
                            advance_days(1);
                            Reputation::reputation(BOB);
                            Reputation::global(&BOB);
                            Reputation::domain(&BOB, TYPE);
                        }
                    },
                    other => {
                        act(ALICE, &other);
                        act(BOB, &other);
                    },
                }
            }
            assert_eq!(crate::Global::<Test>::get(ALICE), crate::Global::<Test>::get(BOB));
            assert_eq!(
                crate::Domain::<Test>::get(ALICE, TYPE),
                crate::Domain::<Test>::get(BOB, TYPE)
            );
            assert_eq!(Reputation::global(&ALICE), Reputation::global(&BOB));
        });
    }

    /// Idleness alone never raises a value, and never takes more than half of what was earned.
    #[test]
    fn idleness_only_lowers_and_only_to_half((record, day) in record_and_day()) {
        let mut last = record.score;
        for later in record.last_active_day..=day {
            let value = record.value(later);
            prop_assert!(value <= last);
            prop_assert_eq!(value, idle_decay(record.score, later - record.last_active_day));
            last = value;
        }
        prop_assert!(u32::from(last) * 2 >= u32::from(record.score));
    }

    /// On no day is more gained than the cap, however much work is done and lost in between.
    #[test]
    fn no_day_brings_more_than_the_cap(steps in vec(step(), 1..80)) {
        ExtBuilder::default().build().execute_with(|| {
            let mut gained: BTreeMap<u32, u32> = BTreeMap::new();
            for step in steps {
                let before = Reputation::global(&ALICE);
                act(ALICE, &step);
                if !matches!(step, Step::Idle(_)) {
                    let after = Reputation::global(&ALICE);
                    let day = gained.entry(now() / DAY).or_default();
                    *day += u32::from(after.saturating_sub(before));
                    assert!(*day <= u32::from(MAX_DAILY_GAIN));
                }
            }
        });
    }

    /// A performance that the formula rates below zero lowers the value, at the latest to zero:
    /// neither cap nor decay softens it.
    #[test]
    fn losing_work_always_lowers((record, day) in record_and_day(), work in performance()) {
        let before = record.value(day);
        let loss = change(before, &work);
        prop_assume!(loss < 0);
        let mut after = record;
        let told = after.perform(day, &work);
        prop_assert_eq!(after.value(day), before.saturating_sub(loss.unsigned_abs()));
        prop_assert_eq!(i32::from(told), i32::from(after.value(day)) - i32::from(before));
        prop_assert!(before == 0 || after.value(day) < before);
    }

    /// A penalty takes its whole loss now, and the record is never better off for it later.
    #[test]
    fn offences_never_pay((record, day) in record_and_day(), severity in severity()) {
        let before = record.value(day);
        let mut punished = record;
        punished.penalise(day, severity.loss());
        prop_assert_eq!(punished.value(day), before.saturating_sub(severity.loss()));
        for later in day..day + 100 {
            prop_assert!(punished.value(later) <= record.value(later));
        }
    }

    /// From anywhere, good work on every day gets an account back to the start and beyond.
    #[test]
    fn recovery_is_possible((record, day) in record_and_day()) {
        let mut record = record;
        let mut today = day;
        let bottom: Bp = record.value(today).min(START);
        for _ in 0..20 {
            today += 1;
            record.perform(today, &BEST);
        }
        prop_assert!(record.value(today) > bottom + 1_000 && record.value(today) > START);
    }

    /// The change that an event states is the change that happened.
    #[test]
    fn told_changes_are_real((record, day) in record_and_day(), work in performance()) {
        let mut after = record;
        let told = after.perform(day, &work);
        prop_assert_eq!(
            i32::from(record.value(day)) + i32::from(told),
            i32::from(after.value(day))
        );
        let gained = after.score.saturating_sub(record.value(day));
        prop_assert_eq!(record.gain_left(day) - gained, after.gain_left(day));
        prop_assert_eq!(after.settled - record.settled, u32::from(work.completion > 0));
    }
}
