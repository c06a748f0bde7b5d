// SPDX-License-Identifier: Apache-2.0

//! Slots that blocks may include.

use crate::mock::*;
use crate::{Call, CurrentHead, Error, Event, GenesisMs, Pallet, Records, WindowEntropy};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{DispatchClass, GetDispatchInfo},
    inherent::{InherentData, ProvideInherent},
};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_types::beacon::{BeaconInherent, INHERENT_IDENTIFIER};
use tos_views::MAX_BEACON_RECORDS;

#[test]
fn slots_link_to_one_another_across_blocks() {
    execute(|| {
        begin_block();
        let three = compute(3);
        assert_ok!(apply(inherent(&three)));
        System::assert_has_event(Event::Advanced { head: 3, slots: 3 }.into());
        assert_eq!(Beacon::head().slot, 3);
        assert_eq!(CurrentHead::<Test>::get().unwrap().end, *three[2].end());
        block(8);
        let records = Pallet::<Test>::records_view(1, 64);
        let firsts: Vec<_> = records.iter().map(|it| it.first_iteration).collect();
        assert_eq!(firsts, (0..11).map(|i| i * 320).collect::<Vec<u64>>());
        assert_eq!(records[2].end, *three[2].end());
        assert_eq!(records[2].output, tos_vdf::output(3, three[2].end()));
        assert_eq!((records[2].block, records[3].block), (1, 2));
    });
}

#[test]
fn a_wrong_end_is_caught_where_the_canary_looks() {
    execute(|| {
        started();
        begin_block();
        // A slot without a single right segment: wherever the canary looks, it sees that.
        let mut lie = compute(1).remove(0);
        for state in &mut lie.slot.fine {
            state[3] ^= 1;
        }
        lie.slot.proof.fine_root = tos_vdf::fine_root(&lie.slot.fine);
        assert_noop!(apply(inherent(&[lie])), Error::<Test>::FalseSegment);
    });
}

#[test]
fn a_claimed_end_that_is_not_the_opened_one_is_refused() {
    execute(|| {
        started();
        begin_block();
        let mut wrong = inherent(&compute(1));
        wrong.slots[0].end[0] ^= 1;
        // The openings asked for are others now, as they hang on the claims.
        assert_noop!(apply(wrong), Error::<Test>::SpotIndex);
    });
}

#[test]
fn a_wrong_root_is_refused() {
    execute(|| {
        started();
        begin_block();
        let mut slots = compute(2);
        slots[0].slot.proof.fine_root[0] ^= 1;
        slots[1].slot.proof.fine_root[0] ^= 1;
        assert_noop!(apply(inherent(&slots)), Error::<Test>::SpotOpening);
    });
}

#[test]
fn a_skipped_slot_is_refused() {
    execute(|| {
        started();
        begin_block();
        // What is right for slot 10 is not what follows slot 8: its iterations have other numbers.
        let next = compute(2).remove(1);
        assert_noop!(
            apply(inherent(std::slice::from_ref(&next))),
            Error::<Test>::FalseSegment
        );
        assert_ok!(apply(inherent(&compute(1))));
    });
}

#[test]
fn missing_and_swapped_openings_are_refused() {
    execute(|| {
        started();
        begin_block();
        let good = inherent(&compute(2));
        let mut wrong = good.clone();
        wrong.spots.pop();
        assert_noop!(apply(wrong), Error::<Test>::SpotCount);
        let mut wrong = good.clone();
        wrong.spots.as_mut().reverse();
        assert_noop!(apply(wrong), Error::<Test>::SpotIndex);
        let mut wrong = good.clone();
        wrong.spots[0].opening.start[0] ^= 1;
        assert_noop!(apply(wrong), Error::<Test>::SpotOpening);
        assert_ok!(apply(good));
    });
}

#[test]
fn an_inherent_that_includes_nothing_is_refused() {
    execute(|| {
        started();
        begin_block();
        assert_noop!(apply(BeaconInherent::default()), Error::<Test>::NoSlots);
    });
}

#[test]
fn more_slots_than_a_block_may_hold_do_not_fit_the_call() {
    execute(|| {
        started();
        begin_block();
        let slots: Vec<_> = compute(9)
            .iter()
            .flat_map(|slot| inherent(std::slice::from_ref(slot)).slots)
            .collect();
        assert!(tos_types::beacon::SlotClaims::try_from(slots).is_err());
    });
}

#[test]
fn a_block_has_one_inherent() {
    execute(|| {
        block(2);
        assert_noop!(apply(inherent(&compute(1))), Error::<Test>::AlreadyAdvanced);
        block(1);
    });
}

#[test]
fn only_the_block_itself_may_advance() {
    execute(|| {
        begin_block();
        let BeaconInherent { slots, spots } = inherent(&compute(1));
        for origin in [RuntimeOrigin::signed(1), RuntimeOrigin::root()] {
            assert_noop!(
                Beacon::advance(origin, slots.clone(), spots.clone()),
                DispatchError::BadOrigin
            );
        }
        let call = Call::<Test>::advance { slots, spots };
        assert_eq!(call.get_dispatch_info().class, DispatchClass::Mandatory);
    });
}

#[test]
fn nobody_runs_ahead_of_the_wall_clock() {
    execute(|| {
        // The clock begins one slot before the first block: one slot and a lead of two.
        begin_block();
        let slots = compute(4);
        assert_noop!(apply(inherent(&slots)), Error::<Test>::AheadOfTime);
        assert_ok!(apply(inherent(&slots[..3])));
        let began = NowMs::get();
        assert_eq!(GenesisMs::<Test>::get(), Some(began - 250));
        // A block in the same slot of the clock, then one slot later.
        begin_block_after(249);
        assert_noop!(apply(inherent(&compute(1))), Error::<Test>::AheadOfTime);
        begin_block_after(1);
        assert_noop!(apply(inherent(&compute(2))), Error::<Test>::AheadOfTime);
        assert_ok!(apply(inherent(&compute(1))));
        assert_eq!(GenesisMs::<Test>::get(), Some(began - 250));
    });
}

#[test]
fn openings_of_another_block_cannot_be_replayed() {
    execute(|| {
        started();
        begin_block();
        let slots = compute(2);
        let old = inherent(&slots);
        // The block was not published; the next has another parent.
        begin_block();
        assert_noop!(apply(old), Error::<Test>::SpotIndex);
        assert_ok!(apply(inherent(&slots)));
    });
}

#[test]
fn authors_cannot_choose_what_is_opened() {
    execute(|| {
        started();
        begin_block();
        let slots = compute(8);
        let asked = |count: usize| -> Vec<_> {
            let spots = inherent(&slots[..count]).spots;
            spots
                .iter()
                .map(|it| (it.claim, it.opening.index))
                .collect()
        };
        let (eight, seven) = (asked(8), asked(7));
        assert_ne!(eight, seven);
        System::set_parent_hash(sp_core::H256::repeat_byte(9));
        assert_ne!(asked(8), eight);
    });
}

#[test]
fn entropy_is_recorded_by_the_block_that_begins_a_window() {
    execute(|| {
        block(3);
        block(4);
        assert_eq!(crate::WindowEntropy::<Test>::get(1), None);
        block(4);
        let recorded = WindowEntropy::<Test>::get(1).unwrap();
        assert_eq!(recorded, (1, crate::Accumulator::<Test>::get()));
        // Blocks within the window change the accumulator, not the record.
        block(2);
        assert_ne!(crate::Accumulator::<Test>::get(), recorded.1);
        assert_eq!(WindowEntropy::<Test>::get(1), Some(recorded));
    });
}

#[test]
fn entropy_of_two_windows_earlier_goes_in_at_the_window_boundary() {
    execute(|| {
        block(3);
        walk_to(23);
        let entropy = WindowEntropy::<Test>::get(1).unwrap().1;
        begin_block();
        let slots = compute(3);
        assert_eq!(slots[1].start.slot, 25);
        assert_eq!(
            slots[1].start.start,
            tos_vdf::inject(slots[0].end(), &entropy)
        );
        assert_eq!(slots[2].start.start, *slots[1].end());
        assert_ok!(apply(inherent(&slots)));
    });
}

#[test]
fn what_the_node_is_told_suffices_to_go_on() {
    execute(|| {
        started();
        let view = Beacon::beacon_view();
        assert_eq!(
            (view.head, view.window, view.next_iteration),
            (8, 0, 8 * 320)
        );
        assert_eq!(view.next_start, Some(view.end));
        assert!(view.injections.is_empty());
        walk_to(17);
        let view = Beacon::beacon_view();
        assert_eq!(view.injections.len(), 1);
        assert_eq!(view.injections[0].slot, 25);
        let entropy = WindowEntropy::<Test>::get(1).unwrap().1;
        assert_eq!(view.injections[0].entropy, entropy);
        walk_to(24);
        let view = Beacon::beacon_view();
        assert_eq!(view.next_start, Some(tos_vdf::inject(&view.end, &entropy)));
        walk_to(25);
        // What went in is no longer to come.
        assert!(Beacon::beacon_view().injections.is_empty());
        assert!(!Beacon::beacon_view().degraded);
    });
}

#[test]
fn records_are_kept_for_a_whole_ring_and_listed_in_pages() {
    execute(|| {
        block(3);
        walk_to(100);
        let page = Pallet::<Test>::records_view(0, u32::MAX);
        assert_eq!(page.len(), MAX_BEACON_RECORDS as usize);
        assert_eq!((page[0].slot, page[63].slot), (1, 64));
        let page = Pallet::<Test>::records_view(65, 64);
        assert_eq!((page[0].slot, page.last().unwrap().slot), (65, 100));
        assert!(Pallet::<Test>::records_view(101, 64).is_empty());
    });
}

#[test]
fn old_records_make_room_for_new_ones() {
    execute(|| {
        started();
        walk_to(2_056);
        assert_eq!(Records::<Test>::iter().count(), 2_048);
        assert_eq!(Pallet::<Test>::record(2_056, 8), None);
        assert_eq!(Pallet::<Test>::record(2_056, 9).unwrap().slot, 9);
        assert_eq!(Pallet::<Test>::records_view(0, 1)[0].slot, 9);
        assert!(WindowEntropy::<Test>::iter().count() <= 264);
    });
}

#[test]
fn the_inherent_is_made_from_inherent_data_alone() {
    execute(|| {
        begin_block();
        let good = inherent(&compute(2));
        let mut data = InherentData::new();
        assert!(Beacon::create_inherent(&data).is_none());
        data.put_data(INHERENT_IDENTIFIER, &BeaconInherent::default())
            .unwrap();
        assert!(Beacon::create_inherent(&data).is_none());
        data.replace_data(INHERENT_IDENTIFIER, &[0xffu8; 9]);
        assert!(Beacon::create_inherent(&data).is_none());
        data.replace_data(INHERENT_IDENTIFIER, &good);
        let call = Beacon::create_inherent(&data).unwrap();
        assert!(Beacon::is_inherent(&call));
        let runtime_call = RuntimeCall::from(call);
        assert_eq!(Beacon::claims_of(&runtime_call), Some(&good.slots));
        let other = RuntimeCall::from(frame_system::Call::remark { remark: vec![] });
        assert_eq!(Beacon::claims_of(&other), None);
    });
}

#[test]
#[should_panic(expected = "a window is shorter")]
fn a_chain_with_windows_shorter_than_a_block_is_not_born() {
    with_config(tos_types::beacon::BeaconConfig {
        window_slots: 7,
        ..CONFIG
    });
}
