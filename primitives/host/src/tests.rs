// SPDX-License-Identifier: Apache-2.0

//! The functions as the runtime calls them.

use crate::*;
use codec::Encode;
use polkadot_sdk::*;
use sp_io::TestExternalities;
use tos_storage_proofs::{
    aggregate, commit, compact, prove_compact, prove_words, replica_seed, unit_key, unit_mask,
    Commitment, MemoryTree, ProofError, ReplicaId, SealParams,
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
            let error = crate::verify::result(code).unwrap_err();
            assert_eq!(error.encode(), [index]);
        }
        assert_eq!(crate::verify::result(VALID), Ok(()));
        assert!(crate::verify::result(UNKNOWN).is_err());
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

    #[test]
    fn inclusion_is_checked_and_its_path_is_bounded() {
        let leaves: Vec<(u32, Hash)> = (0..30).map(|i| (i, [i as u8; 32])).collect();
        let global = aggregate::fold(&leaves).unwrap().global;
        let path = aggregate::inclusion_path(&leaves, 7).unwrap();
        assert!(verify_inclusion(&global, &[7; 32], 7, &path));
        assert!(!verify_inclusion(&global, &[7; 32], 8, &path));
        assert!(!verify_inclusion(&global, &[8; 32], 7, &path));
        assert!(!verify_inclusion(
            &global,
            &[7; 32],
            7,
            &vec![[0; 32]; MAX_PATH + 1]
        ));
        let bytes = path.concat();
        assert!(!tos_verify::verify_inclusion(
            global,
            [7; 32],
            7,
            &bytes[1..]
        ));
    }
}

mod proving {
    use super::*;

    const ME: ReplicaId = [1; 16];

    /// Knows one replica.
    struct One;
    impl Prover for One {
        fn replicas(&self) -> Vec<ReplicaId> {
            vec![ME]
        }
        fn seal_status(&self, replica: &ReplicaId) -> Option<SealStatus> {
            (*replica == ME).then_some(SealStatus::Sealing { done: 1, total: 2 })
        }
        fn compact_proof(&self, replica: &ReplicaId, seed: &Hash, moment: u64) -> Option<Vec<u8>> {
            (*replica == ME).then(|| [&seed[..], &moment.to_le_bytes()].concat())
        }
        fn committee_proof(&self, _: &ReplicaId, _: &Hash) -> Option<Vec<u8>> {
            // More than any committee proof can have.
            Some(vec![0; 1 << 20])
        }
        fn seal_opening(&self, _: &ReplicaId, _: &Hash, count: u32) -> Option<Vec<u8>> {
            Some(count.encode())
        }
        fn chunk_proof(&self, _: &ReplicaId, _: &Hash, count: u32) -> Option<Vec<u8>> {
            Some(count.encode())
        }
        fn group_root(
            &self,
            _: u64,
            _: u32,
            _: &Hash,
            members: &[(u32, ReplicaId)],
        ) -> Option<Hash> {
            Some([members.len() as u8; 32])
        }
        fn window_answer(&self, _: u64, _: u32, replica: &ReplicaId) -> Option<WindowAnswer> {
            (*replica == ME).then(answer)
        }
    }

    fn answer() -> WindowAnswer {
        WindowAnswer {
            previous_leaf: [1; 32],
            proof: vec![2; 900],
            path: vec![[3; 32]; 10],
        }
    }

    fn with_prover() -> TestExternalities {
        let mut ext = TestExternalities::new_empty();
        ext.register_extension(ProverExt(Box::new(One)));
        ext
    }

    #[test]
    fn block_execution_has_no_prover_and_gets_no_answer() {
        TestExternalities::new_empty().execute_with(|| {
            assert_eq!(prover::evaluate_slot(&PARAMS, &SEED, &START, FIRST), None);
            assert_eq!(prover::replicas(), None);
            assert_eq!(prover::seal_status(&ME), None);
            assert_eq!(prover::compact_proof(&ME, &SEED, 1), None);
            assert_eq!(prover::committee_proof(&ME, &SEED), None);
            assert_eq!(prover::seal_opening(&ME, &SEED, 1), None);
            assert_eq!(prover::chunk_proof(&ME, &SEED, 1), None);
            assert_eq!(prover::group_root(1, 0, &SEED, &[(0, ME)]), None);
            assert_eq!(prover::window_answer(1, 0, &ME), None);
        });
    }

    #[test]
    fn an_off_chain_worker_with_the_extension_gets_what_the_node_knows() {
        with_prover().execute_with(|| {
            assert_eq!(prover::replicas(), Some(vec![ME]));
            assert_eq!(
                prover::seal_status(&ME),
                Some(SealStatus::Sealing { done: 1, total: 2 })
            );
            assert_eq!(prover::seal_status(&[2; 16]), None);
            let payload = [&SEED[..], &7u64.to_le_bytes()].concat();
            assert_eq!(prover::compact_proof(&ME, &SEED, 7), Some(payload));
            assert_eq!(prover::compact_proof(&[2; 16], &SEED, 7), None);
            assert_eq!(prover::group_root(1, 0, &SEED, &[(0, ME)]), Some([1; 32]));
            assert_eq!(prover::window_answer(1, 0, &ME), Some(answer()));
        });
    }

    #[test]
    fn a_slot_evaluated_here_is_the_slot() {
        let (_, slot) = slot();
        with_prover().execute_with(|| {
            let proof = prover::evaluate_slot(&PARAMS, &SEED, &START, FIRST).unwrap();
            assert_eq!(proof, slot.proof);
            let wrong = VdfParams {
                passes: 9,
                ..PARAMS
            };
            assert_eq!(prover::evaluate_slot(&wrong, &SEED, &START, FIRST), None);
        });
    }

    #[test]
    fn questions_and_answers_are_bounded() {
        with_prover().execute_with(|| {
            assert_eq!(prover::committee_proof(&ME, &SEED), None);
            let most = prover::seal_opening(&ME, &SEED, u32::MAX);
            assert_eq!(most, Some(MAX_CHALLENGES.encode()));
            let most = prover::chunk_proof(&ME, &SEED, u32::MAX);
            assert_eq!(most, Some(prover::MAX_CHUNKS.encode()));
            let crowd: Vec<(u32, ReplicaId)> = (0..1_001).map(|i| (i, ME)).collect();
            assert!(prover::group_root(1, 0, &SEED, &crowd[..1_000]).is_some());
            assert_eq!(prover::group_root(1, 0, &SEED, &crowd), None);
            let mut none = [];
            assert_eq!(tos_prover::replicas(&mut none), prover::UNAVAILABLE);
            let mut out = [0; 32];
            assert_eq!(
                tos_prover::group_root(1, 0, SEED, &[0xfe; 7], &mut out),
                prover::UNAVAILABLE
            );
        });
    }
}
