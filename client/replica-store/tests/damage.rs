// SPDX-License-Identifier: Apache-2.0

//! Damage of every kind is found exactly, survived while half of the chunks remain, and repaired.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, file, open, spec, MemDisk, TINY};
use proptest::prelude::*;
use std::{collections::BTreeSet, path::PathBuf};
use tos_replica_store::{Error, Partial, Replica, Store};
use tos_storage_proofs::{chunk_root, code::MemoryShards, Layout, SealParams, CHUNK};

const ID: [u8; 16] = [1; 16];

fn stored(length: usize) -> (MemDisk, Store, Vec<u8>) {
    let (disk, bytes) = (MemDisk::default(), content(length, 9));
    let store = open(&disk, TINY).unwrap();
    store
        .ingest(&spec(1, &bytes), &bytes[..], &mut |_| ())
        .unwrap();
    (disk, store, bytes)
}

fn read(replica: &Replica) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    replica.read(&mut out, &mut |_| ()).map(|()| out)
}

fn spoil(disk: &MemDisk, chunks: &BTreeSet<u64>) {
    disk.poke(&file(&ID, "sealed.bin"), |bytes| {
        for chunk in chunks {
            bytes[*chunk as usize * CHUNK..][..CHUNK].fill(0xaa);
        }
    });
}

/// Name, path and bytes of each file of a sealed replica.
fn files(disk: &MemDisk) -> [(&'static str, PathBuf, Vec<u8>); 3] {
    ["sealed.bin", "sealed.tree", "coded.tree"].map(|name| {
        let path = file(&ID, name);
        let bytes = disk.bytes(&path);
        (name, path, bytes)
    })
}

#[test]
fn every_size_comes_back_bit_exact() {
    for length in [
        1,
        63,
        64,
        4_095,
        4_096,
        4_097,
        12_289,
        7 * 4_096,
        101 * 4_096,
        1 << 20,
    ] {
        let (_, store, bytes) = stored(length);
        let replica = store.replica(&ID).unwrap();
        assert!(read(&replica).unwrap() == bytes, "{length}");
        let report = replica.verify(&mut |_| ()).unwrap();
        assert!(report.is_clean());
        assert_eq!(
            report.chunks,
            Layout::of(length as u64).unwrap().coded_chunks
        );
    }
}

#[test]
fn a_flipped_byte_anywhere_is_found_and_repaired() {
    let (disk, store, bytes) = stored(300_000);
    let replica = store.replica(&ID).unwrap();
    for (name, path, before) in files(&disk) {
        for at in (0..before.len())
            .step_by(before.len() / 13)
            .chain([before.len() - 1])
        {
            // Zeros between bands belong to nothing, but are compared all the same only where nodes
            // are.
            disk.poke(&path, |bytes| bytes[at] ^= 0x40);
            assert!(read(&replica).unwrap() == bytes);
            let report = replica.repair(&mut |_| ()).unwrap();
            if name == "sealed.bin" {
                let chunk = (at / CHUNK) as u64;
                assert_eq!(report.damaged.chunks().collect::<Vec<_>>(), [chunk]);
            } else {
                assert!(report.damaged.is_empty());
            }
            assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
            disk.poke(&path, |bytes| {
                assert!(name != "sealed.bin" || *bytes == before)
            });
        }
    }
}

#[test]
fn truncated_and_deleted_files_are_found_and_repaired() {
    let (disk, store, bytes) = stored(300_000);
    let replica = store.replica(&ID).unwrap();
    for (name, path, before) in files(&disk) {
        let half = before.len() - before.len() / 3;
        for cut in [before.len() - 1, half, half - 17] {
            disk.poke(&path, |bytes| bytes.truncate(cut));
            assert!(read(&replica).unwrap() == bytes);
            assert!(!replica.verify(&mut |_| ()).unwrap().is_clean());
            replica.repair(&mut |_| ()).unwrap();
            assert!(disk.bytes(&path) == before);
        }
        if name != "sealed.bin" {
            disk.delete(&path);
            replica.repair(&mut |_| ()).unwrap();
            assert!(disk.bytes(&path) == before);
        }
    }
    assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
}

#[test]
fn damage_to_data_and_tree_at_once_is_found_and_repaired() {
    let (disk, store, bytes) = stored(300 * CHUNK);
    let replica = store.replica(&ID).unwrap();
    let (tree, before) = (
        file(&ID, "sealed.tree"),
        disk.bytes(&file(&ID, "sealed.tree")),
    );
    // In another page than the damaged chunk: exact. In the same: all 128 chunks under it.
    for (node, chunk, found) in [(300, 5, 5..6), (1, 5, 0..128), (5 * 128, 200, 200..201)] {
        spoil(&disk, &[chunk].into());
        disk.poke(&tree, |bytes| bytes[node * 32] ^= 1);
        assert!(read(&replica).unwrap() == bytes);
        let report = replica.repair(&mut |_| ()).unwrap();
        assert_eq!(report.damaged.ranges(), [found]);
        assert!(report.sealed_tree);
        assert!(disk.bytes(&tree) == before);
    }
    // The whole tree and half of the chunks: nothing tells right from wrong.
    disk.poke(&tree, |bytes| bytes.fill(0));
    spoil(&disk, &(0..600).step_by(3).collect());
    assert!(matches!(replica.repair(&mut |_| ()), Err(Error::Lost)));
}

/// A3: up to half of the chunks may go.
#[test]
fn half_of_the_chunks_suffice_and_one_less_does_not() {
    for length in [5 * CHUNK, 61 * CHUNK + 1] {
        let half = Layout::of(length as u64).unwrap().data_chunks;
        for first in [0, half / 2, half] {
            let (disk, store, bytes) = stored(length);
            let replica = store.replica(&ID).unwrap();
            let lost: BTreeSet<u64> = (first..first + half).collect();
            spoil(&disk, &lost);
            assert!(read(&replica).unwrap() == bytes);
            let report = replica.verify(&mut |_| ()).unwrap();
            assert!(report.damaged.chunks().eq(lost.iter().copied()));
            assert_eq!(report.damaged.count(), half);
            let more = lost
                .iter()
                .copied()
                .chain([(first + half) % (2 * half)])
                .collect();
            spoil(&disk, &more);
            assert!(matches!(read(&replica), Err(Error::Lost)));
            assert!(matches!(replica.repair(&mut |_| ()), Err(Error::Lost)));
        }
    }
}

#[test]
fn units_and_ranges_are_read_alone_and_refuse_what_is_damaged() {
    let (disk, store, bytes) = stored(100_000);
    let replica = store.replica(&ID).unwrap();
    let coded = MemoryShards::encode(&bytes).unwrap().into_bytes();
    let mut found = Vec::new();
    for unit in 0..replica.units() {
        found.extend(replica.read_unit(unit).unwrap().bytes);
    }
    assert!(found == coded);
    assert!(matches!(
        replica.read_unit(replica.units()),
        Err(Error::Range)
    ));
    let mut part = vec![0; 20_000];
    replica.read_range(7_000, &mut part).unwrap();
    assert!(part == bytes[7_000..27_000]);
    assert!(matches!(
        replica.read_range(80_001, &mut part),
        Err(Error::Range)
    ));
    assert!(matches!(
        replica.read_range(u64::MAX, &mut part),
        Err(Error::Range)
    ));
    spoil(&disk, &[5].into());
    assert!(matches!(
        replica.read_range(7_000, &mut part),
        Err(Error::Damaged { chunks: 1 })
    ));
    let unit = replica.read_unit(2).unwrap();
    assert_eq!(unit.damaged, [5]);
    assert!(unit.bytes[..CHUNK] == coded[4 * CHUNK..5 * CHUNK]);
    assert!(unit.bytes[CHUNK..].iter().all(|byte| *byte == 0));
}

#[test]
fn raw_chunks_come_as_they_are_with_the_roots_they_should_have() {
    let (disk, store, _) = stored(100_000);
    let replica = store.replica(&ID).unwrap();
    let chunks = replica.sealed().unwrap().chunks();
    let roots = replica.chunk_roots(3, 10).unwrap();
    assert_eq!(roots.len(), 10);
    spoil(&disk, &[5].into());
    let raw = replica.raw_chunks(3, 10).unwrap();
    for (at, chunk) in raw.chunks(CHUNK).enumerate() {
        assert_eq!(chunk_root(chunk) == Some(roots[at]), at != 2);
    }
    // Less at the end; nothing beyond it.
    assert_eq!(
        replica.raw_chunks(chunks - 1, u64::MAX).unwrap().len(),
        CHUNK
    );
    assert_eq!(replica.chunk_roots(chunks - 1, u64::MAX).unwrap().len(), 1);
    for first in [chunks, u64::MAX] {
        assert!(matches!(replica.raw_chunks(first, 1), Err(Error::Range)));
        assert!(matches!(replica.chunk_roots(first, 1), Err(Error::Range)));
    }
    // What cannot be read is zero.
    disk.break_file(Some(file(&ID, "sealed.bin")));
    assert_eq!(replica.raw_chunks(0, 1).unwrap(), [0; CHUNK]);
}

#[test]
fn a_disk_that_fails_under_one_replica_leaves_the_others_alone() {
    let (disk, store, bytes) = stored(50_000);
    let other = content(50_000, 10);
    store
        .ingest(&spec(2, &other), &other[..], &mut |_| ())
        .unwrap();
    disk.break_file(Some(file(&ID, "sealed.bin")));
    let (bad, good) = (
        store.replica(&ID).unwrap(),
        store.replica(&[2; 16]).unwrap(),
    );
    assert!(matches!(bad.committee(&[1; 32]), Err(Error::Io { .. })));
    assert!(bad.committee(&[1; 32]).unwrap_err().is_damage());
    assert!(matches!(read(&bad), Err(Error::Lost)));
    good.committee(&[1; 32]).unwrap();
    assert!(read(&good).unwrap() == other);
    let report = bad.verify(&mut |_| ()).unwrap();
    assert_eq!(report.damaged.count(), report.chunks);
    disk.break_file(None);
    assert!(read(&bad).unwrap() == bytes);
}

#[test]
fn any_half_of_the_coded_chunks_gives_a_client_its_content_back() {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().join("partial");
    for length in [1usize, 5 * CHUNK, 40 * CHUNK + 77] {
        let bytes = content(length, 3);
        let coded = MemoryShards::encode(&bytes).unwrap();
        let chunks = coded.layout().coded_chunks;
        let hash = blake3::hash(&bytes).into();
        let mut partial = Partial::new(&scratch, length as u64).unwrap();
        for chunk in (0..chunks).filter(|chunk| chunk % 2 == 1) {
            assert!(!partial.is_enough());
            let part = coded.bytes()[chunk as usize * CHUNK..][..CHUNK]
                .try_into()
                .unwrap();
            partial.put(chunk, part).unwrap();
        }
        assert!(partial.is_enough());
        assert!(matches!(
            partial.put(chunks, &[0; CHUNK]),
            Err(Error::Range)
        ));
        let mut out = Vec::new();
        partial.finish(&hash, &mut out, &mut |_| ()).unwrap();
        assert!(out == bytes);

        let mut lying = Partial::new(&scratch, length as u64).unwrap();
        for chunk in 0..chunks / 2 {
            lying.put(chunk, &[1; CHUNK]).unwrap();
        }
        let lied = lying.finish(&hash, &mut Vec::new(), &mut |_| ());
        assert!(matches!(lied, Err(Error::Content { .. })));
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        rng_algorithm: prop::test_runner::RngAlgorithm::ChaCha,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_damage_is_reported_exactly_and_survived_up_to_half(
        length in 1usize..400_000,
        log2_unit in 12u8..17,
        share in 0u64..=100,
        luck in any::<u64>(),
    ) {
        let params = SealParams { log2_unit, memory_kib: 64, passes: 1 };
        let (disk, bytes) = (MemDisk::default(), content(length, 4));
        let store = open(&disk, params).unwrap();
        store.ingest(&spec(1, &bytes), &bytes[..], &mut |_| ()).unwrap();
        let replica = store.replica(&ID).unwrap();
        let layout = Layout::of(length as u64).unwrap();
        let lost: BTreeSet<u64> = (0..layout.coded_chunks)
            .filter(|chunk| {
                let drawn = blake3::hash(&[luck.to_le_bytes(), chunk.to_le_bytes()].concat());
                u64::from(drawn.as_bytes()[0]) * 100 < share * 256
            })
            .collect();
        spoil(&disk, &lost);
        let report = replica.verify(&mut |_| ()).unwrap();
        prop_assert!(report.damaged.chunks().eq(lost.iter().copied()));
        if lost.len() as u64 <= layout.coded_chunks / 2 {
            prop_assert!(read(&replica).unwrap() == bytes);
            replica.repair(&mut |_| ()).unwrap();
            prop_assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
        } else {
            prop_assert!(matches!(replica.repair(&mut |_| ()), Err(Error::Lost)));
        }
    }
}
