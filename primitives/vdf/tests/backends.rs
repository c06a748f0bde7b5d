// SPDX-License-Identifier: Apache-2.0

//! Every backend of the machine gives the bits of the portable one.
#![allow(clippy::unwrap_used)]

mod common;
use common::cases;
use proptest::prelude::*;
use std::sync::LazyLock;
use tos_vdf::*;

const PARAMS: VdfParams = VdfParams {
    log2_lines: 11,
    passes: 2,
    iterations_per_slot: 640,
};

fn backends() -> impl Iterator<Item = Backend> {
    Backend::ALL.into_iter().filter(|it| it.is_available())
}

/// One dataset for each backend.
static DATASETS: LazyLock<Vec<Dataset>> = LazyLock::new(|| {
    let with = |backend| {
        let mut dataset = Dataset::build(&PARAMS, &[3; 32]).unwrap();
        assert!(dataset.set_backend(backend));
        dataset
    };
    backends().map(with).collect()
});

fn state() -> impl Strategy<Value = State> {
    any::<[[u8; 32]; 2]>().prop_map(|halves| halves.concat().try_into().unwrap())
}

#[test]
fn the_portable_backend_is_always_there_and_the_best_is_available() {
    assert!(Backend::Portable.is_available());
    assert!(Backend::best().is_available());
    let backends: Vec<_> = backends().collect();
    println!("backends of this machine: {backends:?}");
    for backend in Backend::ALL {
        let mut dataset = Dataset::build(&PARAMS, &[3; 32]).unwrap();
        let before = dataset.backend();
        let there = backends.contains(&backend);
        assert_eq!(dataset.set_backend(backend), there);
        assert_eq!(dataset.backend(), if there { backend } else { before });
        assert_eq!(backend.permute(&[0; 64]).is_some(), there);
    }
}

#[test]
fn the_permutation_has_no_equal_images() {
    // Two states that differ in one bit have different images; a lost lane would show.
    for backend in backends() {
        let zero = backend.permute(&[0; 64]).unwrap();
        for bit in 0..512 {
            let mut state = [0; 64];
            state[bit / 8] = 1 << (bit % 8);
            let image = backend.permute(&state).unwrap();
            let equal = image.iter().zip(zero).filter(|(a, b)| **a == *b).count();
            assert!(equal < 8, "{backend:?}, bit {bit}: {equal} bytes are equal");
        }
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn all_permute_alike(state in state()) {
        let expected = Backend::Portable.permute(&state);
        for backend in backends() {
            prop_assert_eq!(backend.permute(&state), expected);
        }
    }
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn all_evaluate_and_verify_alike(start in state(), first in 0..u64::MAX - 640) {
        let slots: Vec<_> = DATASETS
            .iter()
            .map(|dataset| evaluate_slot(dataset, &start, first, &|| false).unwrap())
            .collect();
        for slot in &slots {
            prop_assert_eq!(slot, &slots[0]);
            for dataset in DATASETS.iter() {
                let fine = verify_slot(dataset, &start, first, &slot.proof);
                prop_assert_eq!(fine.as_ref(), Some(&slot.fine));
            }
        }
    }

    #[test]
    fn all_verify_any_number_of_segments_alike(
        starts in prop::collection::vec((state(), 0..u64::MAX - 640, 1..40u32), 1..=32),
        wrong in any::<(prop::sample::Index, bool)>(),
    ) {
        // The ends come from one backend, walking each segment alone, found by its slot.
        let mut claims: Vec<Segment> = starts
            .iter()
            .map(|(start, first, iterations)| {
                let slot = evaluate_slot(&DATASETS[0], start, *first, &|| false).unwrap();
                let fine = (*iterations as usize).div_ceil(2);
                Segment {
                    start: *start,
                    end: slot.fine[fine - 1],
                    first_iteration: *first,
                    iterations: 2 * fine as u32,
                }
            })
            .collect();
        let (wrong, is_wrong) = wrong;
        if is_wrong {
            let at = wrong.index(claims.len());
            claims[at].end[63] ^= 0x80;
        }
        for dataset in DATASETS.iter() {
            prop_assert_eq!(verify_segments(dataset, &claims), !is_wrong);
        }
    }
}
