// SPDX-License-Identifier: Apache-2.0

//! The formats against an independent slow reference: `scripts/vectors/storage.py` writes the file read
//! here.
#![allow(clippy::unwrap_used)]

mod common;
use common::{data, hashes, tree};
use serde_json::Value;
use tos_storage_proofs::{
    code::MemoryShards,
    tree::{depth, empty},
    *,
};

fn section(name: &str, at_least: usize) -> Vec<Value> {
    let file = include_str!("../../../testing/vectors/storage.json");
    let mut vectors: Value = serde_json::from_str(file).unwrap();
    let Value::Array(cases) = vectors[name].take() else {
        panic!("no section {name}");
    };
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    cases
}

fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap().as_bytes();
    let digit = |c: u8| char::from(c).to_digit(16).unwrap() as u8;
    text.chunks(2)
        .map(|two| digit(two[0]) << 4 | digit(two[1]))
        .collect()
}

fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Numbers that may exceed 2^53 are text: JSON readers lose digits beyond.
fn number(value: &Value) -> u64 {
    match value.as_str() {
        Some(text) => text.parse().unwrap(),
        None => value.as_u64().unwrap(),
    }
}

fn digest(bytes: &[u8]) -> Hash {
    *blake3::hash(bytes).as_bytes()
}

#[test]
fn trees_agree() {
    for case in section("trees", 8) {
        let chunks = number(&case["chunks"]);
        let expected = Commitment {
            root: array(&case["root"]),
            words: number(&case["words"]),
        };
        assert_eq!(*tree(chunks).commitment(), expected);
        assert_eq!(commit(tree(chunks).bytes()), Some(expected));
        assert_eq!(
            1 << depth(expected.words),
            expected.words.next_power_of_two()
        );
    }
    for case in section("filling", 4) {
        let level = number(&case["level"]) as u32;
        assert_eq!(empty(level), array(&case["node"]));
    }
}

#[test]
fn challenges_and_seeds_agree() {
    for case in section("challenges", 6) {
        let drawn = challenges(
            &array(&case["seed"]),
            number(&case["count"]) as u32,
            number(&case["n"]),
        );
        let expected: Vec<u64> = list(&case["indices"]).iter().map(number).collect();
        assert_eq!(drawn, expected);
    }
    for case in section("replicaSeeds", 3) {
        let seed = replica_seed(
            &array(&case["window"]),
            &array(&case["replica"]),
            &array(&case["root"]),
        );
        assert_eq!(seed, array(&case["seed"]));
    }
}

#[test]
fn proofs_agree() {
    for case in section("proofs", 8) {
        let tree = tree(number(&case["chunks"]));
        let (c, seed) = (*tree.commitment(), array(&case["seed"]));
        let count = number(&case["count"]) as u32;

        let proof = prove_words(&tree, &c, &seed, count).unwrap();
        assert_eq!(proof, bytes(&case["words"]));
        assert_eq!(
            proof_len(&c, &seed, count),
            Ok(number(&case["length"]) as usize)
        );
        assert_eq!(verify_words(&c, &seed, count, &proof), Ok(()));

        let full = prove_chunks(&tree, &c, &seed, count).unwrap();
        assert_eq!(full.len() as u64, number(&case["full"]["length"]));
        assert_eq!(digest(&full), array(&case["full"]["blake3"]));
        for (index, chunk) in verify_chunks(&c, &seed, count, &full).unwrap() {
            assert_eq!(tree.chunk(index), Ok(chunk));
        }
    }
}

#[test]
fn compact_proofs_agree() {
    for case in section("compact", 4) {
        let tree = tree(number(&case["chunks"]));
        let (c, seed) = (*tree.commitment(), array(&case["seed"]));
        let (replica, moment) = (array(&case["replica"]), number(&case["moment"]));
        let (signature, payload) = (array(&case["signature"]), array(&case["payload"]));
        let proof = prove_compact(&tree, &c, &seed, replica, moment, |signed| {
            assert_eq!(*signed, payload);
            signature
        })
        .unwrap();
        assert_eq!(proof, bytes(&case["proof"]));
        assert_eq!(signing_payload(&proof), Some((payload, signature)));
        let header = verify_compact(&c, &seed, &proof).unwrap();
        assert_eq!((header.replica, header.moment), (replica, moment));
        let parsed = CompactProof::from_bytes(&c, &seed, &proof).unwrap();
        assert_eq!(parsed.to_bytes(), proof);
    }
}

#[test]
fn seals_agree() {
    for case in section("seals", 4) {
        let params: SealParams = serde_json::from_value(case["params"].clone()).unwrap();
        let binding = Binding {
            prover: array(&case["prover"]),
            chain: array(&case["chain"]),
            replica: array(&case["replica"]),
        };
        let coded = tree(number(&case["chunks"]));
        let mut sealer = Sealer::new(&params).unwrap();
        let mut content = coded.bytes().to_vec();
        let mut last = [0; 32];
        for (unit, bytes) in (0..).zip(content.chunks_mut(params.unit_bytes() as usize)) {
            last = binding.unit_key(&coded.commitment().root, unit);
            sealer.apply(&last, bytes).unwrap();
        }
        assert_eq!(last, array(&case["lastKey"]));
        let sealed = MemoryTree::new(content).unwrap();
        assert_eq!(sealed.commitment().root, array(&case["sealedRoot"]));

        let (seed, count) = (array(&case["seed"]), number(&case["count"]) as u32);
        let (c, s) = (coded.commitment(), sealed.commitment());
        let indices = proof::asked_words(s, &seed, count).unwrap();
        let opening = prove_seal(&coded, &sealed, c.words, &indices)
            .unwrap()
            .to_bytes();
        assert_eq!(opening, bytes(&case["opening"]));
        let claims = open_seals(&params, &binding, c, s, &seed, count, &opening).unwrap();
        assert!(claims.iter().all(|claim| claim.holds(&params)));
    }
}

#[test]
fn responses_leaves_and_windows_agree() {
    for case in section("responses", 4) {
        let proof = data(number(&case["seed"]), number(&case["length"]) as usize);
        assert_eq!(response_digest(&proof), array(&case["response"]));
        let leaf = aggregate::leaf(
            &array(&case["replica"]),
            number(&case["window"]),
            &array(&case["root"]),
            &array(&case["response"]),
            &array(&case["previous"]),
        );
        assert_eq!(leaf, array(&case["leaf"]));
    }
    for case in section("windows", 6) {
        let positions: Vec<u32> = list(&case["positions"])
            .iter()
            .map(|position| number(position) as u32)
            .collect();
        let leaves: Vec<(u32, Hash)> = positions
            .iter()
            .map(|position| (*position, common::hash("leaf", u64::from(*position))))
            .collect();
        let roots = fold(&leaves).unwrap();
        assert_eq!(roots.groups.len() as u64, number(&case["groups"]));
        let last = roots.groups.last().copied();
        assert_eq!(
            last.unwrap_or(aggregate::missing_group()),
            array(&case["group"])
        );
        let regions: Vec<Hash> = list(&case["regions"]).iter().map(array).collect();
        assert_eq!(roots.regions, regions);
        assert_eq!(roots.global, array(&case["global"]));
        for ((position, leaf), path) in leaves.iter().zip(list(&case["paths"])) {
            let own = inclusion_path(&leaves, *position).unwrap();
            assert_eq!(own.as_flattened(), bytes(path));
            assert!(verify_inclusion(&roots.global, leaf, *position, &own));
        }
    }
}

#[test]
fn mountain_ranges_agree() {
    let values = hashes("window root", 21);
    for case in section("mmr", 9) {
        let leaves = number(&case["leaves"]);
        let mut range = Mmr::new();
        for value in &values[..leaves as usize] {
            range.append(value).unwrap();
        }
        assert_eq!(range.root(), array(&case["root"]));
        for proof in list(&case["proofs"]) {
            let index = number(&proof["index"]);
            let own = Mmr::prove(&values[..leaves as usize], index).unwrap();
            assert_eq!(own.to_bytes(), bytes(&proof["proof"]));
            assert!(own.verify(&range.root(), leaves, index, &values[index as usize]));
        }
    }
}

#[test]
fn records_agree() {
    for case in section("records", 3) {
        let record = UltraRecord::from_bytes(&bytes(&case["record"])).unwrap();
        let position = ultra::position_hash(
            &array(&case["replica"]),
            number(&case["window"]),
            number(&case["position"]) as u32,
        );
        assert_eq!(record.position, position);
        assert_eq!(record.to_bytes().to_vec(), bytes(&case["record"]));
        assert_eq!(record.length, number(&case["window"]) + 5);
        assert_eq!(record.time, 1_790_000_000 + number(&case["window"]));
    }
}

#[test]
fn codes_and_layouts_agree() {
    for case in section("codes", 7) {
        let length = number(&case["length"]) as usize;
        let coded = MemoryShards::encode(&data(99, length)).unwrap();
        assert_eq!(coded.layout().coded_chunks, number(&case["codedChunks"]));
        assert_eq!(digest(coded.bytes()), array(&case["blake3"]));
    }
    for case in section("layouts", 11) {
        let layout = Layout::of(number(&case["length"])).unwrap();
        assert_eq!(layout.data_chunks, number(&case["dataChunks"]));
        assert_eq!(layout.shard_chunks, number(&case["shardChunks"]));
        assert_eq!(u64::from(layout.shards), number(&case["shards"]));
        assert_eq!(layout.coded_chunks, number(&case["codedChunks"]));
    }
}
