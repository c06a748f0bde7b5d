// SPDX-License-Identifier: Apache-2.0

//! Boundaries of size, and decoders against random bytes.
#![allow(clippy::unwrap_used)]

mod common;
use codec::{Decode, Encode};
use common::{data, hash, tree, Random, BINDING};
use proptest::{prelude::*, test_runner::RngSeed};
use std::convert::Infallible;
use tos_storage_proofs::{
    code::{encode, is_codeword, reconstruct, CodeError, MemoryShards, Shards},
    compact::MAX_COMPACT,
    proof::max_proof_len,
    tree::{NodeSink, TreeError},
    *,
};

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A sequence of equal chunks: its tree of any size is one hash per level, plus the edge.
struct Uniform {
    chunk: [u8; CHUNK],
    chunks: u64,
}

impl TreeSource for Uniform {
    type Error = Infallible;
    fn chunk(&self, _: u64) -> Result<[u8; CHUNK], Infallible> {
        Ok(self.chunk)
    }
    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        if index << level >= self.chunks {
            return Ok(tree::empty(level + tree::CHUNK_LEVEL));
        }
        if level == 0 {
            return Ok(chunk_root(&self.chunk).unwrap());
        }
        // The left half is always full when it is asked for next to a right one.
        let left = self.node(level - 1, 2 * index)?;
        let full = (index + 1) << level <= self.chunks;
        let right = if full {
            left
        } else {
            self.node(level - 1, 2 * index + 1)?
        };
        Ok(tree::node(&left, &right))
    }
}

impl Uniform {
    fn new(chunks: u64) -> Self {
        Self {
            chunk: core::array::from_fn(|at| at as u8),
            chunks,
        }
    }

    fn commitment(&self) -> Commitment {
        let words = self.chunks * 64;
        let Ok(top) = self.node(tree::depth(words) - tree::CHUNK_LEVEL, 0);
        Commitment {
            root: tree::root(words, &top),
            words,
        }
    }
}

#[test]
fn the_sizes_of_proofs_are_as_published() {
    // GiB sealed, and the most bytes of compact and committee proof over a thousand seeds.
    for (gib, compact_at_most, committee_at_most) in
        [(1, 1_705, 10_900), (4, 1_833, 12_000), (32, 2_025, 13_500)]
    {
        let source = Uniform::new(gib << 18);
        let c = source.commitment();
        let (mut longest, mut total) = (0, 0);
        for at in 0..1_000 {
            let seed = hash("size", at);
            let proof = prove_compact(&source, &c, &seed, [1; 16], at, |_| [2; 64]).unwrap();
            assert!(verify_compact(&c, &seed, &proof).is_ok());
            assert!(proof.len() <= MAX_COMPACT);
            longest = longest.max(proof.len());
            total += proof_len(&c, &seed, COMMITTEE_WORDS).unwrap();
        }
        assert_eq!(longest, compact_at_most);
        let mean = total / 1_000;
        assert!(
            mean <= committee_at_most,
            "{gib} GiB: {mean} bytes for the committee"
        );
        assert!(
            mean + 500 >= committee_at_most,
            "{gib} GiB: {mean} bytes for the committee"
        );
        let seed = hash("size", 0);
        let proof = prove_words(&source, &c, &seed, COMMITTEE_WORDS).unwrap();
        assert_eq!(verify_words(&c, &seed, COMMITTEE_WORDS, &proof), Ok(()));
        assert!(proof.len() <= max_proof_len(COMMITTEE_WORDS));
        let full = prove_chunks(&source, &c, &seed, 16).unwrap();
        assert_eq!(verify_chunks(&c, &seed, 16, &full).unwrap().len(), 16);
    }
}

#[test]
fn uneven_sequences_up_to_the_largest_prove_their_last_words() {
    for chunks in [
        1, 2, 3, 5, 7, 31, 127, 8_191, 65_537, 8_388_593, 8_388_607, 8_388_608,
    ] {
        let source = Uniform::new(chunks);
        let c = source.commitment();
        if chunks < 10_000 {
            let bytes = source.chunk.repeat(chunks as usize);
            assert_eq!(commit(&bytes), Some(c));
        }
        for index in [0, c.words / 2, c.words - 64, c.words - 1] {
            let proof = proof::open_words(&source, c.words, &[index]).unwrap();
            assert_eq!(proof.root(&[index], c.words), Ok(c.root));
        }
        let over = proof::open_words(&source, c.words, &[c.words]);
        assert_eq!(over, Err(ProveError::Refused(ProofError::Index)));
    }
    assert!(!Commitment {
        root: [0; 32],
        words: (8_388_608 + 1) * 64
    }
    .is_possible());
}

#[test]
fn files_of_boundary_sizes_are_coded_committed_and_restored() {
    for length in [
        0,
        1,
        4_095,
        4_096,
        4_097,
        8_191,
        8_193,
        13 * 4_096,
        13 * 4_096 + 1,
        104_729,
    ] {
        let content = data(5, length);
        let coded = MemoryShards::encode(&content).unwrap();
        let layout = *coded.layout();
        assert_eq!(layout.data_chunks, length.div_ceil(CHUNK).max(1) as u64);
        assert_eq!(layout.coded_bytes(), coded.bytes().len() as u64);
        let c = commit(coded.bytes()).unwrap();
        assert_eq!(c.words, layout.coded_words());
        assert_eq!(&coded.bytes()[..length], content);
        assert!(coded.bytes()[length..layout.data_chunks as usize * CHUNK]
            .iter()
            .all(|b| *b == 0));
        let source = MemoryTree::new(coded.bytes().to_vec()).unwrap();
        let seed = hash("boundary", length as u64);
        let proof = prove_words(&source, &c, &seed, COMMITTEE_WORDS).unwrap();
        assert_eq!(verify_words(&c, &seed, COMMITTEE_WORDS, &proof), Ok(()));
    }
    for length in [1, 63, 64, 4_095, 4_097] {
        assert_eq!(commit(&vec![0; length]), None);
        assert_eq!(MemoryTree::new(vec![0; length]), None);
        assert_eq!(chunk_root(&vec![0; length]), None);
    }
    assert_eq!(commit(&[]), None);
}

#[test]
fn layouts_hold_their_data_and_stay_within_the_largest_commitment() {
    let mut random = Random(1);
    let sizes = (0..2_000).map(|_| random.next() >> (30 + random.below(30)));
    for length in sizes.chain([
        0,
        1 << 27,
        (1 << 27) + 1,
        code::MAX_DATA - 1,
        code::MAX_DATA,
    ]) {
        let layout = Layout::of(length).unwrap();
        assert!((1..=code::MAX_SHARDS).contains(&layout.shards));
        let held = u64::from(layout.shards) * layout.shard_bytes();
        assert!(held >= length && held >= layout.data_chunks * CHUNK as u64);
        assert!(held - layout.data_chunks * (CHUNK as u64) < layout.shard_bytes());
        let c = Commitment {
            root: [0; 32],
            words: layout.coded_words(),
        };
        assert!(c.is_possible());
        assert_eq!(layout.coded_bytes(), 2 * held);
        assert_eq!(layout.shard_start(2 * layout.shards), layout.coded_bytes());
    }
    assert_eq!(Layout::of(code::MAX_DATA).unwrap().coded_words(), MAX_WORDS);
    assert_eq!(Layout::of(code::MAX_DATA + 1), None);
    assert_eq!(Layout::of(u64::MAX), None);
}

/// A file whose shards are coded in several stripes.
#[test]
fn coding_in_stripes_is_coding_at_once() {
    const K: usize = 8_192;
    let content = data(6, K * CHUNK);
    let coded = MemoryShards::encode(&content).unwrap();
    let whole = reed_solomon_simd::encode(K, K, content.chunks(CHUNK)).unwrap();
    let recovery = &coded.bytes()[K * CHUNK..];
    assert!(recovery
        .chunks(CHUNK)
        .eq(whole.iter().map(|shard| &shard[..])));

    // Every data shard lost.
    let mut lost = coded.bytes().to_vec();
    lost[..K * CHUNK].fill(0xEE);
    let mut lost = MemoryShards::new(*coded.layout(), lost).unwrap();
    reconstruct(coded.layout(), &|shard| shard >= K as u32, &mut lost).unwrap();
    assert!(lost == coded);
}

/// The coder holds at most two parts per data shard, so this is its memory, whatever the file.
#[test]
fn the_memory_of_coding_does_not_grow_with_the_file() {
    struct FirstPart;
    impl Shards for FirstPart {
        type Error = usize;
        fn read(&mut self, _: u32, _: u64, bytes: &mut [u8]) -> Result<(), usize> {
            Err(bytes.len())
        }
        fn write(&mut self, _: u32, _: u64, _: &[u8]) -> Result<(), usize> {
            Ok(())
        }
    }
    for length in [1, 1 << 20, 1 << 27, 1 << 30, 1 << 32, code::MAX_DATA] {
        let layout = Layout::of(length).unwrap();
        let encoding = encode(&layout, &mut FirstPart);
        let restoring = reconstruct(&layout, &|shard| shard > 0, &mut FirstPart);
        for stopped in [encoding, restoring] {
            let Err(CodeError::Shards(part)) = stopped else {
                panic!("{stopped:?}");
            };
            assert!(part * 2 * layout.shards as usize <= 32 << 20);
            assert_eq!(part % 64, 0);
        }
    }
}

/// A19: something that is no codeword, so that deleting half of it loses data.
#[test]
fn what_is_no_codeword_is_recognised() {
    let mut coded = MemoryShards::encode(&data(7, 9 * CHUNK)).unwrap();
    let layout = *coded.layout();
    assert_eq!(is_codeword(&layout, &mut coded), Ok(true));
    let mut random = Random(3);
    for _ in 0..50 {
        let mut bytes = coded.bytes().to_vec();
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        let mut forged = MemoryShards::new(layout, bytes).unwrap();
        assert_eq!(is_codeword(&layout, &mut forged), Ok(false));
        assert_ne!(commit(forged.bytes()), commit(coded.bytes()));
    }
    assert_eq!(MemoryShards::new(layout, vec![0; 5]), None);
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn any_half_of_the_shards_restores_the_rest(
        length in 0usize..200_000, seed in any::<u64>(), extra in 0usize..3,
    ) {
        let coded = MemoryShards::encode(&data(seed, length)).unwrap();
        let layout = *coded.layout();
        let k = layout.shards as usize;
        let (mut random, mut order) = (Random(seed), (0..2 * k).collect::<Vec<_>>());
        for at in (1..order.len()).rev() {
            order.swap(at, random.below(at + 1));
        }
        let kept = &order[..(k + extra).min(2 * k)];
        let mut bytes = coded.bytes().to_vec();
        for (shard, part) in bytes.chunks_mut(CHUNK).enumerate() {
            if !kept.contains(&shard) {
                part.fill(0xAA);
            }
        }
        let mut damaged = MemoryShards::new(layout, bytes).unwrap();
        reconstruct(&layout, &|shard| kept.contains(&(shard as usize)), &mut damaged).unwrap();
        encode(&layout, &mut damaged).unwrap();
        prop_assert_eq!(damaged.bytes(), coded.bytes());
        let few = |shard: u32| kept[..k - 1].contains(&(shard as usize));
        let refused = reconstruct(&layout, &few, &mut damaged);
        prop_assert_eq!(refused, Err(CodeError::TooFewShards));
    }

    #[test]
    fn every_honest_proof_is_accepted(chunks in 1u64..40, seed in any::<[u8; 32]>(), count in 1u32..=64) {
        let tree = tree(chunks);
        let c = *tree.commitment();
        let proof = prove_words(&tree, &c, &seed, count).unwrap();
        prop_assert_eq!(proof_len(&c, &seed, count), Ok(proof.len()));
        prop_assert!(proof.len() <= max_proof_len(count));
        prop_assert_eq!(verify_words(&c, &seed, count, &proof), Ok(()));
        let full = prove_chunks(&tree, &c, &seed, count).unwrap();
        let opened = verify_chunks(&c, &seed, count, &full).unwrap();
        let words = proof::asked_words(&c, &seed, count).unwrap();
        prop_assert!(words.iter().all(|word| opened.iter().any(|(chunk, _)| *chunk == word / 64)));
    }
}

#[test]
fn decoders_never_panic_and_never_accept_another_proof() {
    let (source, other) = (tree(7), tree(8));
    let (c, seed) = (*source.commitment(), hash("fuzz", 0));
    let words = prove_words(&source, &c, &seed, COMMITTEE_WORDS).unwrap();
    let full = prove_chunks(&source, &c, &seed, 2).unwrap();
    let compact = prove_compact(&source, &c, &seed, [1; 16], 9, |_| [2; 64]).unwrap();
    let signed = signing_payload(&compact);
    let params = SealParams {
        log2_unit: 12,
        memory_kib: 8,
        passes: 1,
    };
    let d = *tree(7).commitment();
    let opening = prove_seal(&source, &source, c.words, &[5])
        .unwrap()
        .to_bytes();
    assert!(open_seal(&params, &BINDING, &d, &c, 5, &opening).is_ok());
    let mut range = Mmr::new();
    let values = common::hashes("value", 11);
    for value in &values {
        range.append(value);
    }
    let mmr = Mmr::prove(&values, 4).unwrap().to_bytes();
    let (encoded, commitment) = (range.encode(), c.encode());
    let mut random = Random(7);
    for _ in 0..4_000 {
        let forged = random.mutate(&words);
        assert!(verify_words(&c, &seed, COMMITTEE_WORDS, &forged).is_err());
        assert!(verify_words(other.commitment(), &seed, COMMITTEE_WORDS, &forged).is_err());
        assert!(verify_chunks(&c, &seed, 2, &random.mutate(&full)).is_err());
        let forged = random.mutate(&compact);
        assert_ne!(signing_payload(&forged), signed);
        if let Ok(header) = verify_compact(&c, &seed, &forged) {
            // Only what the caller compares or the signature covers may differ.
            assert_eq!(
                forged[41..forged.len() - 64],
                compact[41..compact.len() - 64]
            );
            assert_eq!(header.seed, seed[..16]);
        }
        let forged = random.mutate(&opening);
        assert!(open_seal(&params, &BINDING, &d, &c, 5, &forged).is_err());
        let forged = random.mutate(&mmr);
        let accepted = MmrProof::from_bytes(11, 4, &forged)
            .is_some_and(|proof| proof.verify(&range.root(), 11, 4, &values[4]));
        assert!(!accepted);
        if let Ok(decoded) = Mmr::decode(&mut &random.mutate(&encoded)[..]) {
            assert_eq!(
                decoded.leaves().count_ones() as usize,
                decoded.peaks().len()
            );
            assert!(decoded.encode().len() <= 8 + 2 + 64 * 32);
        }
        if let Ok(decoded) = Commitment::decode(&mut &random.mutate(&commitment)[..]) {
            let _ = verify_words(&decoded, &seed, 64, &words);
        }
        let _ = UltraRecord::from_bytes(&random.mutate(&[0; 136]));
        let junk = random.bytes(64);
        let _ = SealClaim::decode(&mut &junk[..]);
        let _ = SealParams::decode(&mut &junk[..]).map(|params| params.check());
        let _ = ProofError::decode(&mut &junk[..]);
        let (leaves, index) = (random.next(), random.next());
        let _ = MmrProof::from_bytes(leaves, index, &mmr);
        let path: Vec<Hash> = values[..random.below(11)].to_vec();
        assert!(!verify_inclusion(
            &values[0],
            &values[1],
            random.next() as u32,
            &path
        ));
    }
}

#[test]
fn a_builder_hands_over_every_node_once_in_order() {
    struct Nodes(Vec<Vec<Hash>>);
    impl NodeSink for Nodes {
        type Error = Infallible;
        fn node(&mut self, level: u32, index: u64, hash: &Hash) -> Result<(), Infallible> {
            self.0
                .resize_with(self.0.len().max(level as usize + 1), Vec::new);
            assert_eq!(self.0[level as usize].len() as u64, index);
            self.0[level as usize].push(*hash);
            Ok(())
        }
    }
    struct Full;
    impl NodeSink for Full {
        type Error = &'static str;
        fn node(&mut self, level: u32, _: u64, _: &Hash) -> Result<(), &'static str> {
            if level < 2 {
                Ok(())
            } else {
                Err("full")
            }
        }
    }
    for chunks in 1u64..70 {
        let (mut nodes, mut builder) = (Nodes(vec![]), TreeBuilder::new());
        for at in 0..chunks {
            builder.push(hash("chunk", at), &mut nodes).unwrap();
        }
        let c = builder.finish(&mut nodes).unwrap();
        for (level, nodes) in nodes.0.iter().enumerate() {
            assert_eq!(nodes.len() as u64, chunks.div_ceil(1 << level));
        }
        assert_eq!(nodes.0.len() as u32, c.depth() - tree::CHUNK_LEVEL + 1);
        assert_eq!(c.chunks(), chunks);
    }
    assert_eq!(TreeBuilder::new().finish(&mut ()), Err(TreeError::Empty));
    let mut builder = TreeBuilder::new();
    let failed = (0..4)
        .map(|at| builder.push(hash("chunk", at), &mut Full))
        .last();
    assert_eq!(failed, Some(Err(TreeError::Sink("full"))));
}

#[test]
fn json_shows_hashes_as_hex_and_refuses_anything_else() {
    let c = Commitment {
        root: [0xAB; 32],
        words: 64,
    };
    let text = serde_json::to_string(&c).unwrap();
    assert_eq!(
        text,
        format!("{{\"root\":\"0x{}\",\"words\":64}}", "ab".repeat(32))
    );
    assert_eq!(serde_json::from_str::<Commitment>(&text).unwrap(), c);
    for root in [
        "ab".repeat(32),
        format!("0x{}", "ab".repeat(31)),
        format!("0x{}", "ag".repeat(32)),
    ] {
        let text = format!("{{\"root\":\"{root}\",\"words\":64}}");
        assert!(serde_json::from_str::<Commitment>(&text).is_err());
    }
    assert_eq!(
        serde_json::to_string(&SealParams::MAINNET).unwrap(),
        "{\"log2Unit\":22,\"memoryKib\":262144,\"passes\":1}"
    );
}
