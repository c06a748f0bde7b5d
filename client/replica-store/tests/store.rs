// SPDX-License-Identifier: Apache-2.0

//! Stores and what they refuse.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, file, open, spec, MemDisk, GENESIS, PROVIDER, TINY};
use std::io::{self, Read};
use tos_replica_store::{Error, ReplicaSpec, SealParams, Stage, State, Store};

#[test]
fn a_store_opens_for_one_process_one_provider_one_chain_and_one_way_of_sealing() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), TINY, PROVIDER, GENESIS).unwrap();
    let windows = store.windows();
    let again = || Store::open(dir.path(), TINY, PROVIDER, GENESIS);
    assert!(matches!(again(), Err(Error::Locked(_))));
    drop(store);
    assert!(matches!(again(), Err(Error::Locked(_))));
    drop(windows);
    again().unwrap();
    let foreign = [
        Store::open(dir.path(), TINY, [1; 32], GENESIS),
        Store::open(dir.path(), TINY, PROVIDER, [1; 32]),
        Store::open(dir.path(), SealParams::TEST, PROVIDER, GENESIS),
    ];
    assert!(foreign
        .iter()
        .all(|store| matches!(store, Err(Error::Foreign { .. }))));
    let impossible = SealParams { passes: 0, ..TINY };
    let refused = Store::open(dir.path().join("new"), impossible, PROVIDER, GENESIS);
    assert!(matches!(refused, Err(Error::Seal(_))));
}

#[test]
fn a_lost_header_is_not_replaced_while_there_are_replicas() {
    let (disk, bytes) = (MemDisk::default(), content(100, 1));
    let store = open(&disk, TINY).unwrap();
    store
        .ingest(&spec(1, &bytes), &bytes[..], &mut |_| ())
        .unwrap();
    disk.delete("/s/store".as_ref());
    assert!(matches!(open(&disk, TINY), Err(Error::Format { .. })));
}

#[test]
fn the_wrong_content_leaves_nothing_behind() {
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    let (bytes, names) = (content(10_000, 1), disk.names());
    let right = spec(1, &bytes);
    let mut flipped = bytes.clone();
    flipped[9_999] ^= 1;
    let longer = [&bytes[..], &[0]].concat();
    let ingest = |spec: &ReplicaSpec, bytes: &[u8]| store.ingest(spec, bytes, &mut |_| ());
    assert!(matches!(
        ingest(&right, &flipped),
        Err(Error::Content { .. })
    ));
    assert!(matches!(
        ingest(&right, &bytes[1..]),
        Err(Error::Length { .. })
    ));
    assert!(matches!(ingest(&right, &longer), Err(Error::Length { .. })));
    // A19: a commitment to something that is no codeword of the content.
    let mut no_codeword = right;
    no_codeword.coded.root[0] ^= 1;
    assert!(matches!(ingest(&no_codeword, &bytes), Err(Error::Codeword)));
    let mut other_length = right;
    other_length.coded.words *= 2;
    assert!(matches!(
        ingest(&other_length, &bytes),
        Err(Error::Codeword)
    ));
    for length in [0, 1 << 35, u64::MAX] {
        let impossible = ReplicaSpec { length, ..right };
        assert!(matches!(ingest(&impossible, &bytes), Err(Error::Size(_))));
    }
    assert_eq!(disk.names(), names);
    assert!(store.replicas().unwrap().is_empty());
    assert!(matches!(store.replica(&[1; 16]), Err(Error::Unknown(_))));
    ingest(&right, &bytes).unwrap();
}

struct Interrupted<'a>(&'a [u8]);

impl Read for Interrupted<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(io::Error::other("connection lost")),
            read => Ok(read),
        }
    }
}

#[test]
fn an_interrupted_fetch_is_told_from_a_sealed_replica_and_starts_over() {
    let (disk, bytes) = (MemDisk::default(), content(10_000, 2));
    let store = open(&disk, TINY).unwrap();
    let spec = spec(1, &bytes);
    let lost = store.ingest(&spec, Interrupted(&bytes[..5_000]), &mut |_| ());
    assert!(matches!(lost, Err(Error::Stream(_))));
    let replica = store.replica(&[1; 16]).unwrap();
    assert_eq!(replica.meta().state, State::Fetching);
    assert!(matches!(replica.sealed(), Err(Error::State { .. })));
    assert!(matches!(
        replica.committee(&[0; 32]),
        Err(Error::State { .. })
    ));
    assert!(matches!(
        replica.verify(&mut |_| ()),
        Err(Error::State { .. })
    ));
    assert!(matches!(replica.read_unit(0), Err(Error::State { .. })));
    assert!(matches!(
        replica.seal_openings(&[0]),
        Err(Error::State { .. })
    ));
    assert!(matches!(
        replica.read(&mut Vec::new(), &mut |_| ()),
        Err(Error::State { .. })
    ));
    let resumed = store.resume(&[1; 16], &mut |_| ());
    assert!(matches!(resumed, Err(Error::State { .. })));
    let c = store.ingest(&spec, &bytes[..], &mut |_| ()).unwrap();
    // What is sealed is not made again, and the content not even read.
    let again = store.ingest(&spec, Interrupted(&[]), &mut |_| ()).unwrap();
    assert_eq!(
        (again, store.resume(&[1; 16], &mut |_| ()).unwrap()),
        (c, c)
    );
    let other = ReplicaSpec {
        deal: [0; 16],
        ..spec
    };
    assert!(matches!(
        store.ingest(&other, &bytes[..], &mut |_| ()),
        Err(Error::Exists(_))
    ));
}

#[test]
fn replicas_are_listed_in_order_and_removed_without_a_trace() {
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    let empty = disk.names();
    for id in [9, 3, 200] {
        let bytes = content(5_000 + id as usize, id);
        store
            .ingest(&spec(id, &bytes), &bytes[..], &mut |_| ())
            .unwrap();
    }
    assert_eq!(store.replicas().unwrap(), [[3; 16], [9; 16], [200; 16]]);
    store.remove(&[9; 16]).unwrap();
    assert_eq!(store.replicas().unwrap(), [[3; 16], [200; 16]]);
    store.remove(&[3; 16]).unwrap();
    store.remove(&[200; 16]).unwrap();
    store.remove(&[200; 16]).unwrap();
    assert_eq!(disk.names(), empty);
}

#[test]
fn files_are_closed_and_can_be_deleted_after_use() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = content(30_000, 4);
    {
        let store = Store::open(dir.path(), TINY, PROVIDER, GENESIS).unwrap();
        store
            .ingest(&spec(1, &bytes), &bytes[..], &mut |_| ())
            .unwrap();
        let replica = store.replica(&[1; 16]).unwrap();
        replica.committee(&[1; 32]).unwrap();
        store.release();
        replica.seal_openings(&[1]).unwrap();
        store.remove(&[1; 16]).unwrap();
        let prefix = std::fs::read_dir(dir.path().join("replicas/01")).unwrap();
        assert_eq!(prefix.count(), 0);
    }
    dir.close().unwrap();
}

#[test]
fn a_replica_being_changed_is_busy_for_others_and_free_afterwards() {
    let (disk, bytes) = (MemDisk::default(), content(10_000, 2));
    let store = open(&disk, TINY).unwrap();
    let spec = spec(1, &bytes);
    let (mut busy, mut stages) = (0, Vec::new());
    store
        .ingest(&spec, &bytes[..], &mut |step| {
            busy += usize::from(matches!(store.remove(&[1; 16]), Err(Error::Busy(_))));
            if stages.last() != Some(&step.stage) {
                stages.push(step.stage);
            }
            assert!(step.done <= step.total);
        })
        .unwrap();
    assert!(busy > 0);
    assert_eq!(
        stages,
        [Stage::Fetch, Stage::Encode, Stage::Commit, Stage::Seal]
    );
    store.remove(&[1; 16]).unwrap();
}

#[test]
fn a_description_that_is_damaged_or_of_another_replica_is_refused() {
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    for id in [1, 2] {
        let bytes = content(5_000, id);
        store
            .ingest(&spec(id, &bytes), &bytes[..], &mut |_| ())
            .unwrap();
    }
    let other = disk.bytes(&file(&[2; 16], "meta"));
    disk.poke(&file(&[1; 16], "meta"), |bytes| *bytes = other);
    assert!(matches!(store.replica(&[1; 16]), Err(Error::Format { .. })));
    disk.poke(&file(&[2; 16], "meta"), |bytes| bytes.truncate(100));
    assert!(matches!(store.replica(&[2; 16]), Err(Error::Format { .. })));
}
