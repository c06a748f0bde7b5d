// SPDX-License-Identifier: Apache-2.0

//! Proofs that must be refused: what a prover without the data, or with another's, could try.
#![allow(clippy::unwrap_used)]

mod common;
use common::{data, hash, tree, BINDING};
use std::cell::Cell;
use tos_storage_proofs::{
    proof::{asked_words, open_words, Multiproof},
    tree::{leaf, node, OutOfRange},
    *,
};

const COUNT: u32 = COMMITTEE_WORDS;

/// A tree, its commitment, and a proof of the words that a seed asks for.
fn proven() -> (MemoryTree, Commitment, Hash, Vec<u8>) {
    let tree = tree(7);
    let (c, seed) = (*tree.commitment(), hash("seed", 1));
    let proof = prove_words(&tree, &c, &seed, COUNT).unwrap();
    (tree, c, seed, proof)
}

#[test]
fn a_bit_flipped_anywhere_is_noticed() {
    let (tree, c, seed, proof) = proven();
    for at in 0..proof.len() {
        let mut forged = proof.clone();
        forged[at] ^= 1 << (at % 8);
        assert_eq!(
            verify_words(&c, &seed, COUNT, &forged),
            Err(ProofError::Root)
        );
    }
    let full = prove_chunks(&tree, &c, &seed, 2).unwrap();
    for at in (0..full.len()).step_by(37) {
        let mut forged = full.clone();
        forged[at] ^= 1 << (at % 8);
        assert_eq!(verify_chunks(&c, &seed, 2, &forged), Err(ProofError::Root));
    }
}

#[test]
fn a_commitment_with_another_root_length_or_depth_is_another_commitment() {
    let (tree, c, seed, proof) = proven();
    for bit in 0..256 {
        let mut other = c;
        other.root[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            verify_words(&other, &seed, COUNT, &proof),
            Err(ProofError::Root)
        );
    }
    // The proof of one word, so that neighbouring lengths want proofs of the same length.
    for chunks in [5, 6, 8, 4, 16, 14] {
        let other = Commitment {
            words: chunks * 64,
            ..c
        };
        for at in 0..50 {
            let seed = hash("length", at);
            let proof = prove_words(&tree, &c, &seed, 1).unwrap();
            assert!(verify_words(&other, &seed, 1, &proof).is_err());
        }
    }
    for words in [0, 1, 63, 65, MAX_WORDS + 64, u64::MAX, !63] {
        let other = Commitment { words, ..c };
        let refused = Err(ProofError::Commitment);
        assert_eq!(verify_words(&other, &seed, COUNT, &proof), refused);
        assert!(proof_len(&other, &seed, COUNT).is_err());
    }
    for count in [0, MAX_CHALLENGES + 1, u32::MAX] {
        assert_eq!(
            verify_words(&c, &seed, count, &proof),
            Err(ProofError::Count)
        );
    }
}

#[test]
fn truncated_and_extended_proofs_have_the_wrong_length() {
    let (_, c, seed, proof) = proven();
    for length in 0..proof.len() {
        let refused = verify_words(&c, &seed, COUNT, &proof[..length]);
        assert_eq!(refused, Err(ProofError::Length));
    }
    for more in [1, 31, 32, 64, 100_000] {
        let mut longer = proof.clone();
        longer.resize(proof.len() + more, 0);
        assert_eq!(
            verify_words(&c, &seed, COUNT, &longer),
            Err(ProofError::Length)
        );
    }
    let mut parsed = WordsProof::from_bytes(&[3], c.words, &[0; 64 + 32 * 9]).unwrap();
    parsed.siblings.push([0; 32]);
    assert_eq!(parsed.root(&[3], c.words), Err(ProofError::Length));
    parsed.siblings.truncate(8);
    assert_eq!(parsed.root(&[3], c.words), Err(ProofError::Length));
}

/// A15: a prover that kept every hash of the tree and every hash of a chunk, and deleted the data.
#[test]
fn a_prover_that_kept_hashes_alone_has_no_answer() {
    struct HashesOnly<'a>(&'a MemoryTree);
    impl TreeSource for HashesOnly<'_> {
        type Error = OutOfRange;
        fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], OutOfRange> {
            let root = self.0.node(0, chunk)?;
            Ok(core::array::from_fn(|at| root[at % 32]))
        }
        fn node(&self, level: u32, index: u64) -> Result<Hash, OutOfRange> {
            self.0.node(level, index)
        }
    }
    let tree = tree(7);
    let (c, seed) = (*tree.commitment(), hash("seed", 1));
    let proof = prove_words(&HashesOnly(&tree), &c, &seed, COUNT).unwrap();
    assert_eq!(
        verify_words(&c, &seed, COUNT, &proof),
        Err(ProofError::Root)
    );

    // The hashes of the words in place of the words.
    let indices = asked_words(&c, &seed, COUNT).unwrap();
    let mut honest = open_words(&tree, c.words, &indices).unwrap();
    for word in &mut honest.units {
        let hash = leaf(word);
        *word = core::array::from_fn(|at| hash[at % 32]);
    }
    assert_eq!(
        verify_words(&c, &seed, COUNT, &honest.to_bytes()),
        Err(ProofError::Root)
    );
}

/// A16: the right words of the wrong places.
#[test]
fn words_of_other_indices_lead_nowhere() {
    let tree = tree(8);
    let c = *tree.commitment();
    for index in 0..c.words {
        let proof = open_words(&tree, c.words, &[index]).unwrap();
        for other in [index ^ 1, index ^ 64, index ^ 256, (index + 1) % c.words] {
            assert_ne!(proof.root(&[other], c.words), Ok(c.root));
        }
        assert_eq!(proof.root(&[index], c.words), Ok(c.root));
        assert_eq!(
            proof.root(&[index + c.words], c.words),
            Err(ProofError::Index)
        );
    }
}

#[test]
fn duplicate_and_unordered_indices_are_refused() {
    let tree = tree(2);
    let words = tree.commitment().words;
    for indices in [&[3, 3][..], &[4, 3], &[0, 5, 5, 6]] {
        let refused = open_words(&tree, words, indices);
        assert_eq!(refused, Err(ProveError::Refused(ProofError::Index)));
        assert_eq!(WordsProof::len(indices, words), Err(ProofError::Index));
        let proof = Multiproof::<Word> {
            units: vec![[0; 64]; indices.len()],
            siblings: vec![],
        };
        assert_eq!(proof.root(indices, words), Err(ProofError::Index));
    }
    let proof = Multiproof::<Word> {
        units: vec![],
        siblings: vec![],
    };
    assert_eq!(proof.root(&[], words), Err(ProofError::Count));
    let many: Vec<u64> = (0..65).collect();
    assert_eq!(WordsProof::len(&many, words), Err(ProofError::Count));
}

#[test]
fn swapped_siblings_and_words_are_refused() {
    let tree = tree(7);
    let (c, seed) = (*tree.commitment(), hash("seed", 1));
    let indices = asked_words(&c, &seed, COUNT).unwrap();
    let honest = open_words(&tree, c.words, &indices).unwrap();
    let assert_refused = |forged: &WordsProof| {
        let verified = verify_words(&c, &seed, COUNT, &forged.to_bytes());
        assert_eq!(verified, Err(ProofError::Root));
    };
    for at in 1..honest.siblings.len() {
        let mut forged = honest.clone();
        forged.siblings.swap(at - 1, at);
        assert_refused(&forged);
    }
    for at in 1..honest.units.len() {
        let mut forged = honest.clone();
        forged.units.swap(at - 1, at);
        assert_refused(&forged);
    }
}

#[test]
fn a_word_that_holds_two_hashes_is_no_node() {
    let (left, right) = (hash("left", 0), hash("right", 0));
    let word: Word = [left, right].concat().try_into().unwrap();
    assert_ne!(leaf(&word), node(&left, &right));
    // Nor does a chunk of filling equal filling.
    let zeros = chunk_root(&[0; CHUNK]).unwrap();
    assert_ne!(zeros, tree::empty(tree::CHUNK_LEVEL));
    let (three, four) = (commit(&[0; 3 * CHUNK]), commit(&[0; 4 * CHUNK]));
    assert_ne!(three.unwrap().root, four.unwrap().root);
}

/// A18: an old answer, or that of another replica.
#[test]
fn answers_do_not_carry_over_to_other_windows_or_replicas() {
    let tree = tree(7);
    let c = *tree.commitment();
    let seed = |window, replica: u8| replica_seed(&hash("window", window), &[replica; 16], &c.root);
    let proof = prove_words(&tree, &c, &seed(1, 1), COUNT).unwrap();
    for other in [seed(2, 1), seed(1, 2)] {
        assert!(verify_words(&c, &other, COUNT, &proof).is_err());
    }

    // In a sequence of 64 words, some other seed asks for the same two: the header tells them apart.
    let small = common::tree(1);
    let c = *small.commitment();
    let first = hash("seed", 0);
    let proof = prove_compact(&small, &c, &first, [1; 16], 7, |_| [9; 64]).unwrap();
    let asked = asked_words(&c, &first, COMPACT_WORDS).unwrap();
    let twin = (1..)
        .map(|at| hash("seed", at))
        .find(|seed| asked_words(&c, seed, COMPACT_WORDS).unwrap() == asked)
        .unwrap();
    assert_eq!(verify_compact(&c, &twin, &proof), Err(ProofError::Seed));
    assert!(verify_compact(&c, &first, &proof).is_ok());
}

#[test]
fn every_byte_of_a_compact_proof_is_signed_or_the_signature() {
    let tree = tree(7);
    let (c, seed) = (*tree.commitment(), hash("seed", 1));
    let proof = prove_compact(&tree, &c, &seed, [1; 16], 7, |_| [9; 64]).unwrap();
    let signed = signing_payload(&proof).unwrap();
    for at in 0..proof.len() {
        let mut forged = proof.clone();
        forged[at] ^= 1 << (at % 8);
        assert_ne!(signing_payload(&forged), Some(signed));
        let verdict = verify_compact(&c, &seed, &forged);
        match at {
            0 => assert_eq!(verdict, Err(ProofError::Version)),
            // Replica and moment are the caller's to compare; the signature is the caller's to check.
            1..25 => assert_ne!(verdict, verify_compact(&c, &seed, &proof)),
            25..41 => assert_eq!(verdict, Err(ProofError::Seed)),
            _ if at < proof.len() - 64 => assert_eq!(verdict, Err(ProofError::Root)),
            _ => assert!(verdict.is_ok()),
        }
    }
    for length in 0..proof.len() {
        assert!(verify_compact(&c, &seed, &proof[..length]).is_err());
    }
    let longer = [&proof[..], &[0; 32]].concat();
    assert_eq!(verify_compact(&c, &seed, &longer), Err(ProofError::Length));
    assert_eq!(signing_payload(&[0; 41 + 63]), None);
}

/// A3: the share of answers a prover gives that deleted part of its chunks.
#[test]
fn partial_storage_is_detected_as_often_as_it_should() {
    struct Partial<'a> {
        tree: &'a MemoryTree,
        kept: u64,
        missed: Cell<bool>,
    }
    impl TreeSource for Partial<'_> {
        type Error = OutOfRange;
        fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], OutOfRange> {
            // A fixed random order of chunks, of which the first `kept` in a hundred are there.
            let order = hash("order", chunk);
            if u64::from(u16::from_le_bytes([order[0], order[1]])) % 100 < self.kept {
                return self.tree.chunk(chunk);
            }
            self.missed.set(true);
            Ok([0; CHUNK])
        }
        fn node(&self, level: u32, index: u64) -> Result<Hash, OutOfRange> {
            self.tree.node(level, index)
        }
    }
    let tree = tree(401);
    let c = *tree.commitment();
    // Of 300 windows, (1−δ)^16 escape: 56 at a tenth missing, 3 at a quarter, none at half.
    for (kept, at_most) in [(90, 90), (75, 12), (49, 1)] {
        let mut passed = 0;
        for window in 0..300 {
            let source = Partial {
                tree: &tree,
                kept,
                missed: Cell::new(false),
            };
            let seed = replica_seed(&hash("window", window), &[1; 16], &c.root);
            let proof = prove_words(&source, &c, &seed, COUNT).unwrap();
            let verdict = verify_words(&c, &seed, COUNT, &proof);
            assert_eq!(verdict.is_err(), source.missed.get());
            passed += u32::from(verdict.is_ok());
        }
        assert!(passed <= at_most, "{passed} of 300 pass with {kept} % kept");
    }
}

/// A4: one copy for two replicas.
#[test]
fn two_provers_or_replicas_share_no_sealed_word() {
    let params = SealParams::TEST;
    let coded = tree(16);
    let root = coded.commitment().root;
    let seal = |binding: Binding| {
        let mut bytes = coded.bytes().to_vec();
        seal::seal_unit(&params, &binding.unit_key(&root, 0), &mut bytes).unwrap();
        MemoryTree::new(bytes).unwrap()
    };
    let own = seal(BINDING);
    for other in [
        Binding {
            prover: [4; 32],
            ..BINDING
        },
        Binding {
            chain: [4; 32],
            ..BINDING
        },
        Binding {
            replica: [4; 16],
            ..BINDING
        },
    ] {
        let other = seal(other);
        let words = |tree: &MemoryTree| tree.bytes().as_chunks::<8>().0.to_vec();
        assert!(words(&own).iter().zip(words(&other)).all(|(a, b)| *a != b));
        let (c, seed) = (*own.commitment(), hash("seed", 1));
        let copied = prove_words(&other, other.commitment(), &seed, COUNT).unwrap();
        assert_eq!(
            verify_words(&c, &seed, COUNT, &copied),
            Err(ProofError::Root)
        );
    }
}

/// A replica of garbage that can be made again at will, committed to instead of the sealed data.
#[test]
fn what_was_not_sealed_cannot_be_opened_as_sealed() {
    let params = SealParams {
        log2_unit: 12,
        memory_kib: 16,
        passes: 1,
    };
    let coded = tree(5);
    let c = *coded.commitment();
    let mut sealer = Sealer::new(&params).unwrap();
    let mut bytes = coded.bytes().to_vec();
    for (unit, bytes) in (0..).zip(bytes.chunks_mut(CHUNK)) {
        sealer
            .apply(&BINDING.unit_key(&c.root, unit), bytes)
            .unwrap();
    }
    // One wrong word.
    let honest = MemoryTree::new(bytes.clone()).unwrap();
    let wrong = 3 * 64 + 5;
    bytes[wrong * 64] ^= 1;
    let sealed = MemoryTree::new(bytes).unwrap();
    let s = *sealed.commitment();
    for index in 0..c.words {
        let opening = prove_seal(&coded, &sealed, c.words, &[index])
            .unwrap()
            .to_bytes();
        let expected = match index as usize == wrong {
            true => Err(ProofError::Seal),
            false => Ok(()),
        };
        let check = |c, s, index, opening: &[u8]| {
            verify_seal_opening(&params, &BINDING, c, s, index, opening)
        };
        assert_eq!(check(&c, &s, index, &opening), expected);
        if index % 50 != 0 {
            continue;
        }
        // Another binding, another place, the trees exchanged, another data root.
        let other = Binding {
            replica: [4; 16],
            ..BINDING
        };
        let refused = verify_seal_opening(&params, &other, &c, &s, index, &opening);
        assert_eq!(refused, Err(ProofError::Seal));
        let other = Binding {
            prover: [4; 32],
            ..BINDING
        };
        let refused = verify_seal_opening(&params, &other, &c, &s, index, &opening);
        assert_eq!(refused, Err(ProofError::Seal));
        assert!(check(&c, &s, index ^ 1, &opening).is_err());
        assert_eq!(check(&s, &c, index, &opening), Err(ProofError::Root));
        assert_eq!(
            check(&c, honest.commitment(), index, &opening),
            Err(ProofError::Root)
        );
        let longer = Commitment {
            words: s.words + 64,
            ..s
        };
        assert_eq!(
            check(&c, &longer, index, &opening),
            Err(ProofError::Mismatch)
        );
        assert_eq!(check(&c, &s, c.words, &opening), Err(ProofError::Index));
        for at in (0..opening.len()).step_by(7) {
            let mut forged = opening.clone();
            forged[at] ^= 1 << (at % 8);
            assert_eq!(check(&c, &s, index, &forged), Err(ProofError::Root));
            assert_eq!(
                check(&c, &s, index, &opening[..at]),
                Err(ProofError::Length)
            );
        }
    }
    // Garbage throughout fails at every index.
    let garbage = MemoryTree::new(data(77, 5 * CHUNK)).unwrap();
    let (seed, g) = (hash("seed", 1), *garbage.commitment());
    let indices = asked_words(&g, &seed, 40).unwrap();
    let opening = prove_seal(&coded, &garbage, c.words, &indices)
        .unwrap()
        .to_bytes();
    let claims = open_seals(&params, &BINDING, &c, &g, &seed, 40, &opening).unwrap();
    assert_eq!(claims.len(), indices.len());
    assert!(claims.iter().all(|claim| !claim.holds(&params)));
}

#[test]
fn sealing_is_its_own_inverse_and_parameters_are_bounded() {
    let params = SealParams {
        log2_unit: 12,
        memory_kib: 8,
        passes: 1,
    };
    let key = hash("key", 0);
    let plain = data(1, CHUNK);
    let mut bytes = plain.clone();
    seal::seal_unit(&params, &key, &mut bytes).unwrap();
    let mask = unit_mask(&params, &key).unwrap();
    assert!(bytes
        .iter()
        .zip(&plain)
        .zip(&mask)
        .all(|((s, p), m)| s ^ p == *m));
    seal::seal_unit(&params, &key, &mut bytes).unwrap();
    assert_eq!(bytes, plain);
    // A last unit may be shorter, never longer, and is whole words.
    let mut short = plain[..128].to_vec();
    seal::seal_unit(&params, &key, &mut short).unwrap();
    assert!(short
        .iter()
        .zip(&plain)
        .zip(&mask)
        .all(|((s, p), m)| s ^ p == *m));
    for length in [1, 63, 65, CHUNK + 64] {
        let refused = seal::seal_unit(&params, &key, &mut vec![0; length]);
        assert_eq!(refused, Err(SealError::Length));
    }
    let [data, sealed] = [[0; 64], mask[64..128].try_into().unwrap()];
    assert!(verify_seal_word(&params, &key, 1, &data, &sealed));
    for offset in [0, 2, 63, 64, u32::MAX] {
        assert!(!verify_seal_word(&params, &key, offset, &data, &sealed));
    }
    assert_eq!(SealParams::MAINNET.check(), Ok(()));
    assert_eq!(SealParams::TEST.check(), Ok(()));
    for wrong in [
        SealParams {
            log2_unit: 11,
            ..params
        },
        SealParams {
            log2_unit: 25,
            memory_kib: 1 << 20,
            passes: 1,
        },
        SealParams {
            log2_unit: 255,
            ..params
        },
        SealParams {
            log2_unit: 14,
            ..params
        },
        SealParams {
            memory_kib: 0,
            ..params
        },
        SealParams {
            memory_kib: 18,
            ..params
        },
        SealParams {
            memory_kib: (1 << 20) + 4,
            ..params
        },
        SealParams {
            memory_kib: u32::MAX,
            ..params
        },
        SealParams {
            passes: 0,
            ..params
        },
        SealParams {
            passes: 5,
            ..params
        },
    ] {
        assert_eq!(wrong.check(), Err(SealError::Params));
        assert_eq!(unit_mask(&wrong, &key), Err(SealError::Params));
        assert!(!verify_seal_word(&wrong, &key, 1, &data, &sealed));
    }
}
