// SPDX-License-Identifier: Apache-2.0

//! Tests of the clock.

use crate::{mock::*, Crammed, Ticks};
use polkadot_sdk::*;
use tos_interfaces::Clock as _;
use tos_types::PhaseLengths;

fn quiet() -> Content {
    Content::default()
}

#[test]
fn every_block_with_room_is_a_tick() {
    new_test_ext().execute_with(|| {
        for expected in 1..=5 {
            block(quiet());
            assert_eq!(Clock::now(), expected);
        }
    });
}

#[test]
fn spam_in_any_dimension_stops_the_clock_until_users_have_room_again() {
    for spam in [
        Content {
            time: 91,
            ..quiet()
        },
        Content {
            proof: 91,
            ..quiet()
        },
        Content {
            bytes: 91,
            ..quiet()
        },
    ] {
        new_test_ext().execute_with(|| {
            block(quiet());
            // The tick of a crammed block itself has begun before anybody knew.
            block(spam);
            assert_eq!(Ticks::<Test>::get(), 2);
            for _ in 0..10 {
                block(spam);
            }
            assert_eq!(Ticks::<Test>::get(), 2);
            block(quiet());
            assert_eq!(Ticks::<Test>::get(), 2);
            block(quiet());
            assert_eq!(Ticks::<Test>::get(), 3);
        });
    }
}

#[test]
fn a_block_at_the_limit_is_not_crammed() {
    new_test_ext().execute_with(|| {
        block(Content {
            time: 90,
            proof: 90,
            bytes: 90,
            ..quiet()
        });
        assert!(!Crammed::<Test>::get());
    });
}

#[test]
fn what_the_chain_itself_does_does_not_stop_the_clock() {
    new_test_ext().execute_with(|| {
        block(Content {
            mandatory: 100,
            ..quiet()
        });
        block(quiet());
        assert_eq!(Clock::now(), 2);
    });
}

#[test]
fn a_migration_has_no_tick() {
    new_test_ext().execute_with(|| {
        block(quiet());
        for _ in 0..5 {
            block(Content {
                migration: true,
                ..quiet()
            });
        }
        assert_eq!(Clock::now(), 1);
        block(quiet());
        assert_eq!(Clock::now(), 2);
    });
}

#[test]
fn a_tick_comes_even_when_no_weight_is_left_for_hooks() {
    use frame_support::{
        traits::Hooks,
        weights::{Weight, WeightMeter},
    };
    new_test_ext().execute_with(|| {
        let mut meter = WeightMeter::with_limit(Weight::from_parts(1, 1));
        Clock::on_poll(1, &mut meter);
        assert_eq!(Clock::now(), 1);
        assert!(meter.consumed().all_lte(meter.limit()));
    });
}

#[test]
fn phase_lengths_and_days_come_from_genesis() {
    let phase_lengths = PhaseLengths {
        day: 3,
        ..PhaseLengths::development()
    };
    with_phase_lengths(phase_lengths).execute_with(|| {
        assert_eq!(Clock::phase_lengths(), phase_lengths);
        for _ in 0..7 {
            block(quiet());
        }
        assert_eq!(Clock::today(), 2);
    });
}

#[test]
#[should_panic(expected = "genesis phase lengths")]
fn a_chain_with_an_empty_window_is_not_born() {
    with_phase_lengths(PhaseLengths {
        challenge: 0,
        ..PhaseLengths::development()
    });
}

#[test]
fn nothing_is_written_when_blocks_are_alike() {
    new_test_ext().execute_with(|| {
        block(quiet());
        assert!(!Crammed::<Test>::exists());
        assert_eq!(System::event_count(), 0);
    });
}
