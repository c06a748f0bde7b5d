// SPDX-License-Identifier: Apache-2.0

//! Genesis, and what `do_try_state` finds.

use crate::mock::*;
use crate::{Domain, Global, Record};
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_formulas::reputation::START;
use tos_interfaces::Reputation as _;
use tos_types::TaskType;

#[test]
fn genesis_seeds_all_and_every_built_in_type() {
    ExtBuilder::default()
        .reputation(ALICE, 7_000, 4)
        .reputation(BOB, START, 0)
        .execute(|| {
            assert_eq!(
                (Reputation::global(&ALICE), Reputation::settled(&ALICE)),
                (7_000, 4)
            );
            for task_type in TaskType::BUILT_IN {
                assert_eq!(Reputation::domain(&ALICE, task_type), 7_000);
            }
            assert_eq!(Reputation::domain(&ALICE, TaskType::Custom(0)), START);
            assert!(!Global::<Test>::contains_key(BOB));
        });
}

#[test]
#[should_panic(expected = "above 10,000")]
fn genesis_beyond_the_bounds_is_refused() {
    ExtBuilder::default().reputation(ALICE, 10_001, 0).build();
}

fn complaint(damage: impl FnOnce()) -> sp_runtime::DispatchError {
    ExtBuilder::default()
        .reputation(ALICE, 7_000, 4)
        .build()
        .execute_with(|| {
            assert_ok!(Reputation::do_try_state());
            damage();
            Reputation::do_try_state().unwrap_err()
        })
}

fn with_global(record: Record) -> sp_runtime::DispatchError {
    complaint(|| Global::<Test>::insert(ALICE, record))
}

#[test]
fn damaged_records_are_found() {
    let good = Record {
        score: 7_000,
        settled: 4,
        ..Record::fresh(0)
    };
    let bounds = with_global(Record {
        score: 10_001,
        ..good
    });
    assert_eq!(bounds, "reputation: a score is out of bounds".into());
    let cap = with_global(Record {
        gained_today: 301,
        ..good
    });
    assert_eq!(
        cap,
        "reputation: more was gained in a day than allowed".into()
    );
    let future = "reputation: a record comes from the future".into();
    assert_eq!(
        with_global(Record {
            last_active_day: 1,
            ..good
        }),
        future
    );
    assert_eq!(
        with_global(Record {
            gain_day: 1,
            ..good
        }),
        future
    );
    let blank = complaint(|| Global::<Test>::insert(BOB, Record::fresh(0)));
    assert_eq!(blank, "reputation: a record says nothing".into());
    let settled = complaint(|| Domain::<Test>::insert(BOB, TYPE, good));
    assert_eq!(
        settled,
        "reputation: more settled in a type than over all".into()
    );
}
