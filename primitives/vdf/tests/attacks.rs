// SPDX-License-Identifier: Apache-2.0

//! What must be refused: false slots, false segments, false openings, replays.
#![allow(clippy::unwrap_used)]

mod common;
use common::cases;
use proptest::prelude::*;
use std::sync::LazyLock;
use tos_vdf::*;

const PARAMS: VdfParams = VdfParams {
    log2_lines: 12,
    passes: 1,
    iterations_per_slot: 320,
};
const FIRST: u64 = 1 << 33;

static DATASET: LazyLock<Dataset> = LazyLock::new(|| Dataset::build(&PARAMS, &[7; 32]).unwrap());
static START: LazyLock<State> = LazyLock::new(|| initial_state(&[1; 32]));
static SLOT: LazyLock<SlotEvaluation> =
    LazyLock::new(|| evaluate_slot(&DATASET, &START, FIRST, &|| false).unwrap());

fn flipped<const N: usize>(bytes: &[u8; N], bit: usize) -> [u8; N] {
    let mut bytes = *bytes;
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn accepts(start: &State, first: u64, proof: &SlotProof) -> bool {
    verify_slot(&DATASET, start, first, proof).is_some()
}

#[test]
fn a_right_slot_is_accepted_with_its_fine_states() {
    let fine = verify_slot(&DATASET, &START, FIRST, &SLOT.proof).unwrap();
    assert_eq!(fine, SLOT.fine);
    assert_eq!(SLOT.fine.len(), FINE);
    assert_eq!(SLOT.proof.end(), &SLOT.fine[FINE - 1]);
}

#[test]
fn a_slot_with_any_flipped_bit_is_refused() {
    for bit in (0..512).step_by(7) {
        assert!(!accepts(&flipped(&START, bit), FIRST, &SLOT.proof));
        let mut proof = SLOT.proof.clone();
        proof.coarse[bit % COARSE] = flipped(&proof.coarse[bit % COARSE], bit);
        assert!(!accepts(&START, FIRST, &proof), "coarse, bit {bit}");
    }
    for bit in 0..256 {
        let mut proof = SLOT.proof.clone();
        proof.fine_root = flipped(&proof.fine_root, bit);
        assert!(!accepts(&START, FIRST, &proof), "fine root, bit {bit}");
    }
    for bit in 0..63 {
        assert!(
            !accepts(&START, FIRST ^ 1 << bit, &SLOT.proof),
            "counter, bit {bit}"
        );
    }
}

#[test]
fn a_skipped_link_is_refused_though_everything_after_it_is_consistent() {
    // The prover picks an arbitrary state after coarse segment 5 and walks on from it honestly: all
    // later segments are right, and so is the fine root over what it computed.
    let per_fine = PARAMS.iterations_per_fine();
    for broken in [0, 5, 30, 31] {
        let mut fine = SLOT.fine.clone();
        let mut state = initial_state(&[99; 32]);
        fine[10 * broken + 9] = state;
        for (i, end) in fine.iter_mut().enumerate().skip(10 * (broken + 1)) {
            let first = FIRST + i as u64 * u64::from(per_fine);
            state = walk(&state, first, per_fine);
            *end = state;
        }
        let proof = SlotProof {
            coarse: core::array::from_fn(|i| fine[10 * i + 9]),
            fine_root: fine_root(&fine),
        };
        assert!(!accepts(&START, FIRST, &proof), "broken after {broken}");
    }
}

/// The walk, one read after the other, from the definition.
fn walk(start: &State, first: u64, iterations: u32) -> State {
    let mut state = *start;
    for i in first..first + u64::from(iterations) {
        for (byte, counter) in state[48..].iter_mut().zip(i.to_le_bytes()) {
            *byte ^= counter;
        }
        for _ in 0..READS_PER_ITERATION {
            let word = u32::from_le_bytes(state[..4].try_into().unwrap());
            let at = 64 * (word as usize & ((1 << PARAMS.log2_lines) - 1));
            let line = &DATASET.bytes()[at..at + 64];
            let mixed = core::array::from_fn(|j| state[j] ^ line[j]);
            let mixed = Backend::Portable.permute(&mixed).unwrap();
            state = core::array::from_fn(|j| mixed[j] ^ state[j]);
        }
    }
    state
}

#[test]
fn a_false_fine_state_between_right_coarse_states_is_refused() {
    for index in [0, 1, 8, 150, 318] {
        let mut fine = SLOT.fine.clone();
        fine[index] = flipped(&fine[index], 100);
        let proof = SlotProof {
            fine_root: fine_root(&fine),
            ..SLOT.proof.clone()
        };
        assert!(!accepts(&START, FIRST, &proof));
    }
}

#[test]
fn swapped_coarse_states_are_refused() {
    for (a, b) in [(0, 1), (3, 17), (30, 31)] {
        let mut proof = SLOT.proof.clone();
        proof.coarse.swap(a, b);
        assert!(!accepts(&START, FIRST, &proof));
    }
}

#[test]
fn the_proof_of_one_slot_is_no_proof_of_another() {
    let next_first = FIRST + u64::from(PARAMS.iterations_per_slot);
    let end = *SLOT.proof.end();
    let next = evaluate_slot(&DATASET, &end, next_first, &|| false).unwrap();
    assert!(accepts(&end, next_first, &next.proof));
    assert!(!accepts(&end, next_first, &SLOT.proof));
    assert!(!accepts(&START, FIRST, &next.proof));
    // Replayed with its own start under the number of the other.
    assert!(!accepts(&START, next_first, &SLOT.proof));
}

#[test]
fn another_epochs_dataset_refuses_the_slot() {
    let other = Dataset::build(&PARAMS, &[8; 32]).unwrap();
    assert!(verify_slot(&other, &START, FIRST, &SLOT.proof).is_none());
    let longer = VdfParams {
        iterations_per_slot: 640,
        ..PARAMS
    };
    let longer = Dataset::build(&longer, &[7; 32]).unwrap();
    assert!(verify_slot(&longer, &START, FIRST, &SLOT.proof).is_none());
}

#[test]
fn iteration_numbers_never_wrap() {
    let last = u64::MAX - u64::from(PARAMS.iterations_per_slot);
    let slot = evaluate_slot(&DATASET, &START, last, &|| false).unwrap();
    assert!(accepts(&START, last, &slot.proof));
    assert!(evaluate_slot(&DATASET, &START, last + 1, &|| false).is_none());
    assert!(!accepts(&START, last + 1, &slot.proof));
    assert!(!accepts(&START, u64::MAX, &slot.proof));
}

#[test]
fn an_evaluation_stops_when_asked() {
    use core::cell::Cell;
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        asked.get() == 5
    };
    assert!(evaluate_slot(&DATASET, &START, FIRST, &stop).is_none());
    assert_eq!(asked.get(), 5);
}

#[test]
fn slots_evaluated_side_by_side_are_those_evaluated_one_by_one() {
    let starts: Vec<(State, u64)> = (0..9u8)
        .map(|i| (initial_state(&[i; 32]), FIRST * u64::from(i)))
        .collect();
    for count in [0, 1, 2, 8, 9] {
        let starts = &starts[..count];
        let together = evaluate_slots(&DATASET, starts, &|| false).unwrap();
        let alone: Vec<_> = starts
            .iter()
            .map(|(start, first)| evaluate_slot(&DATASET, start, *first, &|| false).unwrap())
            .collect();
        assert_eq!(together, alone);
    }
}

#[test]
fn more_slots_than_are_walked_side_by_side_and_overflows_are_refused() {
    let many = vec![(*START, FIRST); MAX_SLOTS + 1];
    assert!(evaluate_slots(&DATASET, &many[1..], &|| false).is_some());
    assert!(evaluate_slots(&DATASET, &many, &|| false).is_none());
    let last = u64::MAX - 319;
    assert!(evaluate_slots(&DATASET, &[(*START, FIRST), (*START, last)], &|| false).is_none());
    assert!(evaluate_slots(&DATASET, &many[1..], &|| true).is_none());
}

fn segments(count: usize) -> Vec<Segment> {
    (0..count)
        .map(|i| {
            let opening = open_spot(&START, &SLOT.fine, (i * 9) as u16).unwrap();
            spot_segment(&PARAMS, FIRST, &opening)
        })
        .collect()
}

#[test]
fn right_segments_of_any_lengths_are_accepted_together() {
    // Segment i covers the first i + 1 fine segments of coarse segment i, in mixed order.
    let mut mixed: Vec<Segment> = (0..COARSE)
        .map(|i| {
            let from = 10 * i;
            let fine = 1 + i % 10;
            Segment {
                start: if i == 0 { *START } else { SLOT.fine[from - 1] },
                end: SLOT.fine[from + fine - 1],
                first_iteration: FIRST + from as u64,
                iterations: fine as u32,
            }
        })
        .collect();
    assert!(verify_segments(&DATASET, &mixed));
    mixed.rotate_left(13);
    mixed.push(mixed[0].clone());
    assert!(
        !verify_segments(&DATASET, &mixed),
        "more than are looked at"
    );
    mixed.pop();
    for i in 0..COARSE {
        let mut wrong = mixed.clone();
        wrong[i].end = flipped(&wrong[i].end, 8 * i + 3);
        assert!(!verify_segments(&DATASET, &wrong));
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_segment_is_refused() {
    let right = segments(4);
    assert!(verify_segments(&DATASET, &right));
    for bit in (0..512).step_by(5) {
        for i in 0..4 {
            let mut wrong = right.clone();
            wrong[i].start = flipped(&wrong[i].start, bit);
            assert!(!verify_segments(&DATASET, &wrong));
            let mut wrong = right.clone();
            wrong[i].end = flipped(&wrong[i].end, bit);
            assert!(!verify_segments(&DATASET, &wrong));
        }
    }
    for bit in 0..64 {
        let mut wrong = right.clone();
        wrong[2].first_iteration ^= 1 << bit;
        assert!(!verify_segments(&DATASET, &wrong), "counter, bit {bit}");
    }
}

#[test]
fn empty_endless_and_overflowing_segments_are_refused() {
    assert!(!verify_segments(&DATASET, &[]));
    let right = segments(1).remove(0);
    let refused = |change: &dyn Fn(&mut Segment)| {
        let mut wrong = right.clone();
        change(&mut wrong);
        !verify_segments(&DATASET, &[wrong])
    };
    assert!(refused(&|it| {
        it.iterations = 0;
        it.end = it.start;
    }));
    assert!(refused(&|it| it.iterations = PARAMS.iterations_per_slot + 1));
    assert!(refused(&|it| it.iterations = u32::MAX));
    assert!(refused(&|it| it.first_iteration = u64::MAX));
    assert!(verify_segments(
        &DATASET,
        &vec![right.clone(); MAX_SEGMENTS]
    ));
    assert!(!verify_segments(
        &DATASET,
        &vec![right.clone(); MAX_SEGMENTS + 1]
    ));
}

#[test]
fn every_fine_segment_opens_and_no_other() {
    let root = SLOT.proof.fine_root;
    let mut most = 0;
    for index in 0..FINE as u16 {
        let opening = open_spot(&START, &SLOT.fine, index).unwrap();
        assert!(verify_spot_opening(&root, &START, &opening), "{index}");
        let segment = spot_segment(&PARAMS, FIRST, &opening);
        assert!(verify_segments(&DATASET, &[segment]), "{index}");
        most = most.max(opening.siblings.len());
    }
    assert_eq!(most, 15);
    for index in [320, 321, 511, 512, u16::MAX] {
        assert_eq!(open_spot(&START, &SLOT.fine, index), None);
        let mut opening = open_spot(&START, &SLOT.fine, 319).unwrap();
        opening.index = index;
        assert!(!verify_spot_opening(&root, &START, &opening));
    }
    assert_eq!(open_spot(&START, &SLOT.fine[..319], 0), None);
    assert_eq!(open_spot(&START, &[], 0), None);
}

#[test]
fn the_first_segment_must_start_where_the_slot_does() {
    let elsewhere = initial_state(&[2; 32]);
    let opening = open_spot(&elsewhere, &SLOT.fine, 0).unwrap();
    assert!(verify_spot_opening(
        &SLOT.proof.fine_root,
        &elsewhere,
        &opening
    ));
    assert!(!verify_spot_opening(
        &SLOT.proof.fine_root,
        &START,
        &opening
    ));
}

#[test]
fn openings_with_moved_index_swapped_or_missing_siblings_are_refused() {
    let root = SLOT.proof.fine_root;
    let refused = |opening: &SpotOpening| !verify_spot_opening(&root, &START, opening);
    for index in [0u16, 1, 2, 64, 159, 256, 319] {
        let right = open_spot(&START, &SLOT.fine, index).unwrap();
        for other in (0..FINE as u16).filter(|other| *other != index) {
            let moved = SpotOpening {
                index: other,
                ..right.clone()
            };
            assert!(refused(&moved), "{index} as {other}");
        }
        for i in 0..right.siblings.len() {
            for bit in (0..256).step_by(31) {
                let mut wrong = right.clone();
                wrong.siblings[i] = flipped(&wrong.siblings[i], bit);
                assert!(refused(&wrong), "{index}, sibling {i}, bit {bit}");
            }
            let mut swapped = right.clone();
            swapped.siblings.swap(i, (i + 1) % right.siblings.len());
            assert!(refused(&swapped));
            let mut short = right.clone();
            short.siblings.remove(i);
            assert!(refused(&short));
            let mut long = right.clone();
            long.siblings.insert(i, long.siblings[i]);
            assert!(refused(&long));
        }
        let mut long = right.clone();
        long.siblings.push([0; 32]);
        assert!(refused(&long));
        let mut long = right.clone();
        long.siblings.resize(MAX_SIBLINGS + 1, [0; 32]);
        assert!(refused(&long));
        let mut reversed = right.clone();
        core::mem::swap(&mut reversed.start, &mut reversed.end);
        assert!(refused(&reversed));
        assert!(!verify_spot_opening(&flipped(&root, 9), &START, &right));
    }
}

#[test]
fn a_node_cannot_pass_for_a_leaf() {
    // Two leaf hashes side by side are 64 bytes, as a state is; the tags keep them apart.
    let pair: Vec<Hash> = SLOT.fine[..2]
        .iter()
        .map(|state| fine_root(core::slice::from_ref(state)))
        .collect();
    let fake: State = pair.concat().try_into().unwrap();
    assert_ne!(fine_root(&[fake]), fine_root(&SLOT.fine[..2]));
}

#[test]
fn injected_entropy_changes_the_whole_state() {
    let state = inject(&START, &[0; 32]);
    assert_ne!(state, *START);
    for bit in 0..256 {
        let other = inject(&START, &flipped(&[0; 32], bit));
        let equal = state.iter().zip(other).filter(|(a, b)| **a == *b).count();
        assert!(equal < 8, "bit {bit}: {equal} bytes are equal");
    }
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn evaluation_and_verification_agree_from_any_start(
        start in any::<[[u8; 32]; 2]>(),
        first in 0..u64::MAX - 320,
        wrong in 0..32usize,
        bit in 0..512usize,
    ) {
        let start: State = start.concat().try_into().unwrap();
        let slot = evaluate_slot(&DATASET, &start, first, &|| false).unwrap();
        prop_assert_eq!(slot.proof.end(), &walk(&start, first, 320));
        prop_assert_eq!(verify_slot(&DATASET, &start, first, &slot.proof), Some(slot.fine));
        let mut proof = slot.proof;
        proof.coarse[wrong] = flipped(&proof.coarse[wrong], bit);
        prop_assert_eq!(verify_slot(&DATASET, &start, first, &proof), None);
    }
}
