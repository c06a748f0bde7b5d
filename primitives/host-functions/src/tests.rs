// SPDX-License-Identifier: Apache-2.0

//! The functions as the runtime calls them.

use crate::*;
use codec::Encode;
use tos_storage_proofs::{
    commit, compact, prove_compact, prove_words, replica_seed, unit_key, unit_mask, Commitment,
    MemoryTree, ProofError, ReplicaId, SealParams,
};
use tos_vdf::{
    evaluate_slot, open_spot, spot_segment, Dataset, Hash, Segment, SlotEvaluation, State,
    VdfParams,
};

const PARAMS: VdfParams = VdfParams {
    log2_lines: 10,
    passes: 1,
    iterations_per_slot: 640,
};
const SEED: Hash = [11; 32];
const START: State = [3; 64];
const FIRST: u64 = 5;

fn slot() -> (Dataset, SlotEvaluation) {
    let dataset = Dataset::build(&PARAMS, &SEED).unwrap();
    let slot = evaluate_slot(&dataset, &START, FIRST, &|| false).unwrap();
    (dataset, slot)
}

fn segments(slot: &SlotEvaluation, count: u16) -> Vec<Segment> {
    (0..count)
        .map(|index| {
            let opening = open_spot(&START, &slot.fine, index).unwrap();
            spot_segment(&PARAMS, FIRST, &opening)
        })
        .collect()
}

mod walk {
    use super::*;

    #[test]
    fn a_right_slot_is_right_and_anything_else_is_not() {
        let (dataset, SlotEvaluation { proof, .. }) = slot();
        assert!(verify_slot(&PARAMS, &SEED, &START, FIRST, &proof));
        assert!(!verify_slot(&PARAMS, &[12; 32], &START, FIRST, &proof));
        assert!(!verify_slot(&PARAMS, &SEED, &[4; 64], FIRST, &proof));
        assert!(!verify_slot(&PARAMS, &SEED, &START, FIRST + 1, &proof));
        for coarse in [0, 17, 31] {
            let mut wrong = proof.clone();
            wrong.coarse[coarse][7] ^= 1;
            assert!(!verify_slot(&PARAMS, &SEED, &START, FIRST, &wrong));
        }
        assert_eq!(dataset_root(&PARAMS, &SEED), Some(dataset.root()));
    }

    #[test]
    fn the_wrapper_says_what_the_library_says_cached_or_not() {
        let (dataset, slot) = slot();
        for count in [1, 4, 32] {
            let mut segments = segments(&slot, count);
            // Twice: the first call may build the dataset, the second finds it.
            for _ in 0..2 {
                assert!(verify_segments(&PARAMS, &SEED, &segments));
            }
            assert!(tos_vdf::verify_segments(&dataset, &segments));
            segments[usize::from(count) - 1].end[0] ^= 1;
            assert!(!verify_segments(&PARAMS, &SEED, &segments));
            assert!(!tos_vdf::verify_segments(&dataset, &segments));
        }
    }

    #[test]
    fn neither_none_nor_too_many_nor_too_long_segments_are_looked_at() {
        let (_, slot) = slot();
        assert!(!verify_segments(&PARAMS, &SEED, &[]));
        assert!(!verify_segments(&PARAMS, &SEED, &segments(&slot, 33)));
        // A whole slot as one segment is right, but longer than what may be asked in a block.
        let whole = Segment {
            start: START,
            end: *slot.proof.end(),
            first_iteration: FIRST,
            iterations: PARAMS.iterations_per_slot,
        };
        assert!(!verify_segments(&PARAMS, &SEED, &[whole]));
        let coarse = Segment {
            start: START,
            end: slot.proof.coarse[0],
            first_iteration: FIRST,
            iterations: PARAMS.iterations_per_coarse(),
        };
        assert!(verify_segments(&PARAMS, &SEED, &[coarse]));
    }

    #[test]
    fn impossible_parameters_and_bytes_are_refused_without_panic() {
        let (_, slot) = slot();
        let good = slot.proof.encode();
        for wrong in [
            VdfParams {
                log2_lines: 9,
                ..PARAMS
            },
            VdfParams {
                log2_lines: 255,
                ..PARAMS
            },
            VdfParams {
                passes: 0,
                ..PARAMS
            },
            VdfParams {
                iterations_per_slot: 0,
                ..PARAMS
            },
            VdfParams {
                iterations_per_slot: u32::MAX,
                ..PARAMS
            },
        ] {
            assert!(!tos_verify::verify_slot(wrong, SEED, &START, FIRST, &good));
            assert!(!verify_segments(&wrong, &SEED, &segments(&slot, 1)));
            assert_eq!(dataset_root(&wrong, &SEED), None);
        }
        let long = [&good[..], &[0]].concat();
        for bytes in [&[][..], &good[1..], &long] {
            assert!(!tos_verify::verify_slot(PARAMS, SEED, &START, FIRST, bytes));
        }
        let segments = segments(&slot, 2).encode();
        let long = [&segments[..], &[0]].concat();
        let count_alone = [0xfe, 0xff, 0xff, 0xff];
        let huge = vec![0x80; 1 << 20];
        for bytes in [&[][..], &segments[..100], &long, &count_alone, &huge] {
            assert!(!tos_verify::verify_segments(PARAMS, SEED, bytes));
        }
        assert!(!verify_slot(
            &PARAMS,
            &SEED,
            &START,
            u64::MAX - 10,
            &slot.proof
        ));
    }
}

mod storage {
    use super::*;

    const REPLICA: ReplicaId = [8; 16];

    fn stored() -> (MemoryTree, Commitment, Hash) {
        let bytes: Vec<u8> = (0..3 * 4_096u32).map(|i| (i * 7) as u8).collect();
        let c = commit(&bytes).unwrap();
        let seed = replica_seed(&[1; 32], &REPLICA, &c.root);
        (MemoryTree::new(bytes).unwrap(), c, seed)
    }

    #[test]
    fn proofs_pass_and_their_faults_are_named() {
        let (tree, c, seed) = stored();
        let proof = prove_compact(&tree, &c, &seed, REPLICA, 4, |_| [9; 64]).unwrap();
        assert_eq!(verify_compact(&c, &seed, &proof), Ok(()));
        assert_eq!(verify_compact(&c, &[0; 32], &proof), Err(ProofError::Seed));
        let mut wrong = proof.clone();
        wrong[compact::HEADER] ^= 1;
        assert_eq!(verify_compact(&c, &seed, &wrong), Err(ProofError::Root));
        wrong[0] = 2;
        assert_eq!(verify_compact(&c, &seed, &wrong), Err(ProofError::Version));
        assert_eq!(
            verify_compact(&c, &seed, &vec![1; MAX_COMPACT + 1]),
            Err(ProofError::Length)
        );

        let words = prove_words(&tree, &c, &seed, 16).unwrap();
        assert_eq!(verify_words(&c, &seed, 16, &words), Ok(()));
        assert_eq!(
            verify_words(&c, &seed, 16, &words[1..]),
            Err(ProofError::Length)
        );
        for count in [0, MAX_CHALLENGES + 1, u32::MAX] {
            assert_eq!(
                verify_words(&c, &seed, count, &words),
                Err(ProofError::Count)
            );
        }
        assert_eq!(
            verify_words(&c, &seed, 1, &vec![0; 1 << 20]),
            Err(ProofError::Length)
        );
        let impossible = Commitment { words: 63, ..c };
        assert_eq!(
            verify_words(&impossible, &seed, 16, &words),
            Err(ProofError::Commitment)
        );
    }

    #[test]
    fn every_error_crosses_the_boundary_as_itself() {
        for index in 0..=9u8 {
            let code = index + 1;
            let error = crate::code::result(code).unwrap_err();
            assert_eq!(error.encode(), [index]);
        }
        assert_eq!(crate::code::result(crate::code::VALID), Ok(()));
        assert!(crate::code::result(crate::code::UNKNOWN).is_err());
    }

    #[test]
    fn a_sealed_word_is_checked_against_its_mask() {
        let params = SealParams::TEST;
        let key = unit_key(&[1; 32], &[2; 32], &REPLICA, &[3; 32], 0);
        let mask = unit_mask(&params, &key).unwrap();
        let last = params.unit_words() as u32 - 1;
        for offset in [0, 17, last] {
            let at = offset as usize * 64;
            let sealed = std::array::from_fn(|i| mask[at + i] ^ 5);
            assert!(verify_seal_word(&params, &key, offset, &[5; 64], &sealed));
            assert!(!verify_seal_word(&params, &key, offset, &[6; 64], &sealed));
            assert!(!verify_seal_word(
                &params, &[0; 32], offset, &[5; 64], &sealed
            ));
        }
        let word = [0; 64];
        assert!(!verify_seal_word(&params, &key, last + 1, &word, &word));
        assert!(!verify_seal_word(&params, &key, u32::MAX, &word, &word));
        let endless = SealParams {
            memory_kib: u32::MAX,
            ..params
        };
        assert!(!verify_seal_word(&endless, &key, 0, &word, &word));
    }
}
