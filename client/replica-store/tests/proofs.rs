// SPDX-License-Identifier: Apache-2.0

//! Proofs from the disk are those of the specification, and cheap to read.
#![allow(clippy::unwrap_used)]

mod common;

use common::{committed, content, file, open, spec, MemDisk, GENESIS, PROVIDER, TINY};
use std::cell::Cell;
use tos_replica_store::{Error, Replica};
use tos_storage_proofs::{
    chunk_root, commit, open_seal, replica_seed, seal::open_seals, signing_payload, verify_chunks,
    verify_compact, verify_words, Binding, MemoryTree, SealParams, CHUNK,
};

const ID: [u8; 16] = [1; 16];

fn stored(length: usize) -> (MemDisk, Replica) {
    let (disk, bytes) = (MemDisk::default(), content(length, 5));
    let store = open(&disk, TINY).unwrap();
    store
        .ingest(&spec(1, &bytes), &bytes[..], &mut |_| ())
        .unwrap();
    (disk, store.replica(&ID).unwrap())
}

#[test]
fn trees_on_disk_are_those_in_memory_for_prime_and_boundary_numbers_of_chunks() {
    for chunks in [1usize, 2, 3, 63, 64, 65, 127, 131, 1_009, 8_193] {
        let (disk, replica) = stored(chunks * CHUNK);
        let sealed = disk.bytes(&file(&ID, "sealed.bin"));
        let tree = MemoryTree::new(sealed).unwrap();
        let c = replica.sealed().unwrap();
        assert_eq!(c, *tree.commitment());
        for seed in 0..8 {
            let beacon = [seed; 32];
            let seed = replica_seed(&beacon, &ID, &c.root);
            let expected = tos_storage_proofs::prove_words(&tree, &c, &seed, 16).unwrap();
            assert!(replica.committee(&beacon).unwrap() == expected);
        }
    }
}

#[test]
fn proofs_convince_their_verifiers_and_answer_one_seed_only() {
    let (_, replica) = stored(777_777);
    let c = replica.sealed().unwrap();
    let (beacon, other) = ([1; 32], [2; 32]);
    let seed = replica.seed(&beacon).unwrap();

    let committee = replica.committee(&beacon).unwrap();
    verify_words(&c, &seed, 16, &committee).unwrap();
    assert!(verify_words(&c, &replica.seed(&other).unwrap(), 16, &committee).is_err());

    let signed = Cell::new([0; 32]);
    let compact = replica
        .compact(&beacon, 77, |payload| {
            signed.set(*payload);
            [9; 64]
        })
        .unwrap();
    assert!(compact.len() < 2_048);
    let header = verify_compact(&c, &seed, &compact).unwrap();
    assert_eq!((header.replica, header.moment), (ID, 77));
    assert_eq!(signing_payload(&compact).unwrap(), (signed.get(), [9; 64]));

    let full = replica.full(&beacon, 16).unwrap();
    let chunks = verify_chunks(&c, &seed, 16, &full).unwrap();
    assert!(chunks.iter().all(|(_, chunk)| chunk_root(chunk).is_some()));
    assert!(matches!(replica.full(&beacon, 65), Err(Error::Proof(_))));
}

#[test]
fn seal_openings_convince_and_bind_the_provider() {
    let (_, replica) = stored(300_000);
    let (coded, sealed) = (replica.meta().coded, replica.sealed().unwrap());
    let binding = Binding {
        prover: PROVIDER,
        chain: GENESIS,
        replica: ID,
    };
    let thief = Binding {
        prover: [1; 32],
        ..binding
    };
    for index in [0, 63, 64, 127, 128, 5_000, sealed.words - 1] {
        let opening = replica.seal_openings(&[index]).unwrap().to_bytes();
        let claim = |binding| open_seal(&TINY, &binding, &coded, &sealed, index, &opening);
        assert!(claim(binding).unwrap().holds(&TINY));
        assert!(!claim(thief).unwrap().holds(&TINY));
    }
    let (shuffled, sorted) = ([5_000, 0, 64, 63, 0], [0, 63, 64, 5_000]);
    let openings = [shuffled.as_slice(), &sorted].map(|words| replica.seal_openings(words));
    assert_eq!(openings[0].as_ref().unwrap(), openings[1].as_ref().unwrap());

    let challenge = replica.seal_challenge(&[4; 32], 8).unwrap().to_bytes();
    let seed = replica.seed(&[4; 32]).unwrap();
    let claims = open_seals(&TINY, &binding, &coded, &sealed, &seed, 8, &challenge).unwrap();
    assert!(claims.iter().all(|claim| claim.holds(&TINY)));
    assert!(replica.seal_openings(&[sealed.words]).is_err());
    assert!(replica.seal_openings(&[]).is_err());
}

/// A4: one stored copy cannot stand for two providers, chains or replicas.
#[test]
fn the_same_content_seals_differently_for_everybody() {
    let bytes = content(50_000, 6);
    let seal = |provider, genesis, id: u8| {
        let dir = tempfile::tempdir().unwrap();
        let store = tos_replica_store::Store::open(dir.path(), TINY, provider, genesis).unwrap();
        store
            .ingest(&spec(id, &bytes), &bytes[..], &mut |_| ())
            .unwrap()
            .root
    };
    let mut roots = vec![
        seal(PROVIDER, GENESIS, 1),
        seal([1; 32], GENESIS, 1),
        seal(PROVIDER, [1; 32], 1),
        seal(PROVIDER, GENESIS, 2),
    ];
    assert_eq!(roots[0], seal(PROVIDER, GENESIS, 1));
    roots.sort_unstable();
    roots.dedup();
    assert_eq!(roots.len(), 4);
}

#[test]
fn a_proof_over_damaged_words_is_an_error_and_not_a_wrong_answer() {
    let (disk, replica) = stored(40_000);
    for name in ["sealed.bin", "sealed.tree"] {
        let path = file(&ID, name);
        let before = disk.bytes(&path);
        disk.poke(&path, |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 1));
        for result in [
            replica.committee(&[1; 32]),
            replica.compact(&[1; 32], 1, |_| [0; 64]),
            replica.full(&[1; 32], 16),
            replica.seal_openings(&[1]).map(|_| Vec::new()),
        ] {
            assert!(matches!(result, Err(Error::Damaged { .. })));
        }
        disk.poke(&path, |bytes| *bytes = before);
    }
}

#[test]
fn what_a_client_commits_to_is_what_a_provider_computes() {
    for length in [1usize, 4_096, 4_097, 700_000] {
        let bytes = content(length, 8);
        let (coded, spec) = (committed(&bytes), spec(1, &bytes));
        assert_eq!(
            (coded.content, coded.length, coded.commitment),
            (spec.content, spec.length, spec.coded)
        );
    }
}

#[test]
fn three_bands_of_pages_take_less_than_fifty_reads() {
    let params = SealParams {
        log2_unit: 20,
        memory_kib: 1_024,
        passes: 1,
    };
    // 96 MiB coded: 24,576 chunks, 192 pages of roots, two above.
    let bytes = content(48 << 20, 7);
    let dir = tempfile::tempdir().unwrap();
    let store = tos_replica_store::Store::open(dir.path(), params, PROVIDER, GENESIS).unwrap();
    let coded = tos_replica_store::commit_content(
        &bytes[..],
        bytes.len() as u64,
        &dir.path().join("scratch"),
        &mut |_| (),
    )
    .unwrap();
    let spec = tos_replica_store::ReplicaSpec {
        replica: ID,
        deal: ID,
        content: coded.content,
        length: coded.length,
        coded: coded.commitment,
    };
    store.ingest(&spec, &bytes[..], &mut |_| ()).unwrap();
    let replica = store.replica(&ID).unwrap();
    let sealed = std::fs::read(
        dir.path()
            .join("replicas/01")
            .join("01".repeat(16))
            .join("sealed.bin"),
    );
    assert_eq!(commit(&sealed.unwrap()).unwrap(), replica.sealed().unwrap());
    for seed in 0..16 {
        let (proof, pages) = replica.committee_counted(&[seed; 32]).unwrap();
        let c = replica.sealed().unwrap();
        verify_words(&c, &replica.seed(&[seed; 32]).unwrap(), 16, &proof).unwrap();
        assert!(pages <= 16 + 16 + 2 + 1, "{pages}");
    }
}
