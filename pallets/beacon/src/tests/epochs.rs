// SPDX-License-Identifier: Apache-2.0

//! Epochs and their parameters.

use crate::mock::*;
use crate::{Accumulator, Epochs, Error, Event, NextParams};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_types::beacon::{epoch_seed, Epoch, MAX_SLOTS_PER_BLOCK};
use tos_vdf::VdfParams;

const LONGER: VdfParams = VdfParams {
    log2_lines: 11,
    passes: 2,
    iterations_per_slot: 640,
};

fn epochs() -> Vec<Epoch> {
    Epochs::<Test>::get().to_vec()
}

#[test]
fn the_next_epoch_is_fixed_when_its_turn_is_near_and_walked_when_it_comes() {
    execute(|| {
        block(3);
        walk_to(38);
        assert_eq!(epochs().len(), 1);
        // Ten slots before the end of the 48.
        walk_to(39);
        let fixed = epochs()[1];
        let expected = Epoch {
            number: 1,
            seed: epoch_seed(1, &Accumulator::<Test>::get()),
            params: PARAMS,
        };
        assert_eq!(fixed, expected);
        System::assert_has_event(
            Event::EpochFixed {
                number: 1,
                seed: fixed.seed,
                params: PARAMS,
            }
            .into(),
        );
        walk_to(44);
        // One block with slots of both epochs: the canary re-executes each with its dataset.
        begin_block();
        let slots = compute(8);
        let numbers: Vec<_> = slots.iter().map(|it| it.start.epoch.number).collect();
        assert_eq!(numbers, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_ok!(apply(inherent(&slots)));
        assert_eq!(epochs().len(), 2);
        assert_eq!(epochs()[1], fixed);
    });
}

#[test]
fn a_block_cannot_go_beyond_what_is_fixed() {
    // The next epoch is fixed one slot before the end only.
    with_config(tos_types::beacon::BeaconConfig {
        prebuild_slots: 1,
        ..CONFIG
    })
    .execute_with(|| {
        block(3);
        walk_to(46);
        begin_block();
        let mut slots = compute(2);
        slots.push(slots[1].clone());
        assert_noop!(apply(inherent(&slots)), Error::<Test>::UnknownEpoch);
        assert_ok!(apply(inherent(&slots[..2])));
        assert_eq!(epochs().len(), 2);
        block(MAX_SLOTS_PER_BLOCK as usize);
        Beacon::do_try_state().unwrap();
    });
}

#[test]
fn governance_changes_the_parameters_of_the_next_epoch_not_yet_fixed() {
    execute(|| {
        assert_noop!(
            Beacon::set_params(RuntimeOrigin::signed(1), LONGER),
            DispatchError::BadOrigin
        );
        let wrong = VdfParams {
            passes: 9,
            ..LONGER
        };
        assert_noop!(
            Beacon::set_params(RuntimeOrigin::root(), wrong),
            Error::<Test>::BadParams
        );
        block(3);
        walk_to(40);
        // Epoch 1 is fixed: too late for it.
        assert_ok!(Beacon::set_params(RuntimeOrigin::root(), LONGER));
        System::assert_has_event(Event::ParamsSet { params: LONGER }.into());
        assert_eq!(Beacon::beacon_view().next_params, Some(LONGER));
        walk_to(88);
        assert_eq!(NextParams::<Test>::get(), None);
        assert_eq!(epochs()[1].params, PARAMS);
        assert_eq!(epochs()[2].params, LONGER);
        // The walk goes on with it, and the counter runs through.
        walk_to(98);
        let records = Beacon::records_view(96, 3);
        let firsts: Vec<_> = records.iter().map(|it| it.first_iteration).collect();
        assert_eq!(firsts, [95 * 320, 96 * 320, 96 * 320 + 640]);
        // Epochs after it keep it.
        walk_to(140);
        assert_eq!(epochs()[3].params, LONGER);
    });
}

#[test]
fn four_epochs_are_kept() {
    execute(|| {
        block(3);
        walk_to(48 * 5);
        let numbers: Vec<_> = epochs().iter().map(|epoch| epoch.number).collect();
        assert_eq!(numbers, [2, 3, 4, 5]);
        let seeds: std::collections::BTreeSet<_> =
            epochs().iter().map(|epoch| epoch.seed).collect();
        assert_eq!(seeds.len(), 4);
    });
}
