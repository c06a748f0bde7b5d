// SPDX-License-Identifier: Apache-2.0

//! Showing that an included slot is false.

use crate::mock::*;
use crate::{Call, Error, Event};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchClass, GetDispatchInfo, Pays},
};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_interfaces::{Randomness, Seed};
use tos_types::beacon::Head;
use tos_vdf::SlotProof;

const HUNTER: u64 = 7;

/// The true proof of an included slot.
fn truth(slot: u64) -> SlotProof {
    let records = Beacon::records_view(slot - 1, 2);
    let before = Head {
        slot: slot - 1,
        end: records[0].end,
        next_iteration: records[1].first_iteration,
    };
    Computed::evaluate(start_after(&before)).slot.proof
}

fn dispute(slot: u64, proof: SlotProof) -> frame_support::dispatch::DispatchResultWithPostInfo {
    Beacon::dispute_slot(RuntimeOrigin::signed(HUNTER), slot, Box::new(proof))
}

#[test]
fn a_false_slot_and_all_that_followed_it_are_voided() {
    execute(|| {
        started();
        let good = Beacon::beacon_view();
        block_with_false_slot();
        block(8);
        block(3);
        assert_eq!(Beacon::head().slot, 20);
        let paid = dispute(9, truth(9)).unwrap();
        assert_eq!(paid.pays_fee, Pays::No);
        System::assert_has_event(
            Event::SlotVoided {
                slot: 9,
                head: 20,
                who: HUNTER,
            }
            .into(),
        );
        let now = Beacon::beacon_view();
        assert_eq!((now.head, now.end), (good.head, good.end));
        assert_eq!(now.next_iteration, good.next_iteration);
        assert_eq!(now.next_start, good.next_start);
        assert!(Beacon::records_view(9, 64).is_empty());
        // The true walk goes on from there.
        block(8);
        assert_eq!(Beacon::head().slot, 16);
        assert_eq!(Beacon::records_view(9, 1)[0].end, *truth(9).end());
    });
}

#[test]
fn outputs_of_voided_slots_are_void() {
    execute(|| {
        started();
        let randomness = <Beacon as Randomness>::request();
        block_with_false_slot();
        block(8);
        let seed = || <Beacon as Randomness>::seed(&randomness, b"subject");
        let false_seed = seed();
        assert!(matches!(false_seed, Seed::Ready { .. }));
        assert_ok!(dispute(9, truth(9)));
        assert_eq!(seed(), Seed::Pending);
        block(8);
        assert!(matches!(seed(), Seed::Ready { .. }));
        assert_ne!(seed(), false_seed);
    });
}

#[test]
fn a_right_slot_cannot_be_disputed() {
    execute(|| {
        started();
        block(8);
        assert_noop!(dispute(9, truth(9)), Error::<Test>::SameResult);
        let mut wrong = truth(9);
        wrong.coarse[31][0] ^= 1;
        assert_noop!(dispute(9, wrong), Error::<Test>::WrongProof);
        let mut wrong = truth(9);
        wrong.fine_root[0] ^= 1;
        assert_noop!(dispute(9, wrong), Error::<Test>::WrongProof);
        assert_eq!(Beacon::head().slot, 16);
    });
}

#[test]
fn a_false_proof_does_not_void_a_false_slot() {
    execute(|| {
        started();
        block_with_false_slot();
        for coarse in [0, 16, 30, 31] {
            let mut wrong = truth(9);
            wrong.coarse[coarse][1] ^= 1;
            assert_noop!(dispute(9, wrong), Error::<Test>::WrongProof);
        }
        assert_ok!(dispute(9, truth(9)));
    });
}

#[test]
fn what_followed_a_false_slot_rightly_is_not_false_itself() {
    execute(|| {
        started();
        block_with_false_slot();
        block(2);
        assert_noop!(dispute(10, truth(10)), Error::<Test>::SameResult);
        assert_ok!(dispute(9, truth(9)));
    });
}

#[test]
fn slots_that_are_not_on_record_cannot_be_disputed() {
    execute(|| {
        started();
        let proof = truth(8);
        for slot in [0, 9, 1_000, u64::MAX] {
            assert_noop!(dispute(slot, proof.clone()), Error::<Test>::UnknownSlot);
        }
        walk_to(2_060);
        // Slot 13 is on record, but not the one that it starts from.
        for slot in [1, 12, 13] {
            assert_noop!(dispute(slot, proof.clone()), Error::<Test>::UnknownSlot);
        }
    });
}

#[test]
fn a_voided_slot_cannot_be_disputed_again() {
    execute(|| {
        started();
        block_with_false_slot();
        let proof = truth(9);
        assert_ok!(dispute(9, proof.clone()));
        assert_noop!(dispute(9, proof), Error::<Test>::UnknownSlot);
    });
}

#[test]
fn the_first_slot_of_all_can_be_disputed() {
    execute(|| {
        block_with_false_slot();
        let first = Beacon::records_view(1, 1)[0];
        let start = start_after(&Head {
            slot: 0,
            end: tos_vdf::initial_state(&[42; 32]),
            next_iteration: 0,
        });
        let proof = Computed::evaluate(start).slot.proof;
        assert_ne!(first.end, *proof.end());
        assert_ok!(dispute(1, proof));
        assert_eq!(Beacon::head().slot, 0);
        walk_to(9);
    });
}

#[test]
fn a_dispute_across_a_window_and_an_epoch_lets_the_walk_come_by_again() {
    execute(|| {
        block(3);
        walk_to(37);
        block_with_false_slot();
        walk_to(60);
        // Windows 5 to 7 and epoch 1 were begun by the false walk.
        let fixed = crate::Epochs::<Test>::get()[1];
        assert_ok!(dispute(38, truth(38)));
        Beacon::do_try_state().unwrap();
        let view = Beacon::beacon_view();
        assert_eq!((view.head, view.window), (37, 4));
        // Entropy of a window that did not begin is not told.
        assert!(view.injections.iter().all(|it| it.slot == 49));
        walk_to(64);
        assert_eq!(crate::Epochs::<Test>::get()[1], fixed);
        let recorded = crate::WindowEntropy::<Test>::get(6).unwrap();
        assert_eq!(recorded.0, 6);
    });
}

#[test]
fn disputes_are_signed_and_have_the_weight_of_an_uncached_dataset() {
    execute(|| {
        started();
        let proof = Box::new(truth(8));
        assert_noop!(
            Beacon::dispute_slot(RuntimeOrigin::none(), 8, proof.clone()),
            DispatchError::BadOrigin
        );
        let info = Call::<Test>::dispute_slot { slot: 8, proof }.get_dispatch_info();
        assert_eq!(info.class, DispatchClass::Operational);
        assert_eq!(info.pays_fee, Pays::Yes);
        assert!(info.call_weight.all_gte(crate::DATASET_BUILD));
    });
}
