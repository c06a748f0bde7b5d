// SPDX-License-Identifier: Apache-2.0

//! Content that is staged before a deal is accepted, and what happens when the disk is full.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, file, open, spec, staged, MemDisk, TINY};
use std::io::{self, Read};
use tos_replica_store::{
    sealing_bytes, Blob, Disk, Error, LocalDisk, Member, ReplicaSpec, Stage, State, Store,
};

const LENGTH: usize = 33_000;

/// Content that is not there.
struct Silent;

impl Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("asked for content"))
    }
}

/// Calls something before every piece.
struct Piecewise<'a, F>(&'a [u8], F);

impl<F: FnMut()> Read for Piecewise<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (self.1)();
        let count = into.len().min(10_000);
        self.0.read(&mut into[..count])
    }
}

/// Content that this seed makes, the replica of it, and an empty store.
fn fresh(seed: u8) -> (Vec<u8>, ReplicaSpec, MemDisk, Store) {
    let bytes = content(LENGTH, seed);
    let spec = spec(1, &bytes);
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    (bytes, spec, disk, store)
}

#[test]
fn a_staged_deal_is_sealed_without_fetching_anything() {
    let bytes = content(LENGTH, 1);
    let (disk, other) = (MemDisk::default(), MemDisk::default());
    let spec = spec(1, &bytes);
    let store = open(&disk, TINY).unwrap();
    assert!(!store.is_staged(&staged(&spec)));
    store
        .stage(&staged(&spec), &bytes[..], &mut |_| ())
        .unwrap();
    assert!(store.is_staged(&staged(&spec)));
    assert!(store.replicas().unwrap().is_empty());
    // Again, and nothing is read.
    store.stage(&staged(&spec), Silent, &mut |_| ()).unwrap();
    let sealed = store.ingest(&spec, Silent, &mut |_| ()).unwrap();
    let direct = open(&other, TINY).unwrap();
    let direct = direct.ingest(&spec, &bytes[..], &mut |_| ()).unwrap();
    assert_eq!(sealed, direct);
    assert!(store.staged().unwrap().is_empty());
    let replica = store.replica(&[1; 16]).unwrap();
    assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
    // Nothing is left but what a replica is.
    assert_eq!(disk.names(), other.names());
}

#[test]
fn content_that_is_not_the_deals_is_not_staged() {
    let (bytes, spec, disk, store) = fresh(2);
    let before = disk.names();
    let mut wrong = bytes.clone();
    wrong[20_000] ^= 1;
    let staged_wrong = store.stage(&staged(&spec), &wrong[..], &mut |_| ());
    assert!(matches!(staged_wrong, Err(Error::Content { .. })));
    let mut commitment = staged(&spec);
    commitment.coded.root[0] ^= 1;
    let staged_wrong = store.stage(&commitment, &bytes[..], &mut |_| ());
    assert!(matches!(staged_wrong, Err(Error::Codeword)));
    let short = store.stage(&staged(&spec), &bytes[..LENGTH - 1], &mut |_| ());
    assert!(matches!(short, Err(Error::Length { .. })));
    assert_eq!(disk.names(), before);
    // What was staged for a deal is not taken for another's.
    store
        .stage(&staged(&spec), &bytes[..], &mut |_| ())
        .unwrap();
    let mut other = spec;
    other.content[0] ^= 1;
    let taken = store.ingest(&other, Silent, &mut |_| ());
    assert!(matches!(taken, Err(Error::Stream(_))), "{taken:?}");
    store.unstage(&spec.deal).unwrap();
    assert!(store.staged().unwrap().is_empty());
}

#[test]
fn a_power_failure_between_staging_and_sealing_loses_neither_and_mixes_nothing() {
    let bytes = content(LENGTH, 3);
    let spec = spec(1, &bytes);
    let life = |disk: &MemDisk| -> Result<_, Error> {
        let store = open(disk, TINY)?;
        store.stage(&staged(&spec), &bytes[..], &mut |_| ())?;
        store.ingest(&spec, Silent, &mut |_| ())
    };
    let whole = MemDisk::default();
    let expected = life(&whole).unwrap();
    for point in 0..=whole.changes() {
        for luck in 0..4 {
            let disk = MemDisk::default();
            disk.fail_after(point);
            let _ = life(&disk);
            disk.restart(luck);
            let store = open(&disk, TINY).unwrap();
            let known = store.replica(&[1; 16]).map(|replica| replica.meta().state);
            // The content is still to be had: where staging was lost, it is fetched.
            let sealed = store.ingest(&spec, &bytes[..], &mut |_| ());
            assert_eq!(sealed.unwrap(), expected, "{point} {luck} {known:?}");
            let replica = store.replica(&[1; 16]).unwrap();
            assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
            // A remainder can be removed.
            for deal in store.staged().unwrap() {
                store.unstage(&deal).unwrap();
            }
            assert!(store.staged().unwrap().is_empty());
        }
    }
}

#[test]
fn what_does_not_fit_is_refused_before_it_is_read_and_harms_no_other_replica() {
    let (small, large) = (content(5_000, 4), content(400_000, 5));
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    let healthy = spec(1, &small);
    store.ingest(&healthy, &small[..], &mut |_| ()).unwrap();
    store.keep_free(100_000);
    let (needed, before) = (sealing_bytes(400_000).unwrap(), disk.names());
    assert!((1_600_000..1_700_000).contains(&needed), "{needed}");
    disk.leave_free(Some(needed + 99_999));
    let wanted = spec(2, &large);
    for refused in [
        store.room_for(&wanted.deal, wanted.length),
        store.stage(&staged(&wanted), Silent, &mut |_| ()),
        store.ingest(&wanted, Silent, &mut |_| ()).map(drop),
    ] {
        match refused {
            Err(Error::Room {
                needed: n, free, ..
            }) => {
                assert_eq!((n, free), (needed, needed + 99_999));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(disk.names(), before);
    // Windows go on.
    let members = [Member {
        place: 0,
        replica: [1; 16],
    }];
    let windows = store.windows();
    let built = windows
        .build(1, 1, &[1; 32], &members, &mut |_| ())
        .unwrap();
    assert!(built.failed.is_empty());
    // With room there, nothing else is needed.
    disk.leave_free(Some(needed + 100_000));
    store
        .stage(&staged(&wanted), &large[..], &mut |_| ())
        .unwrap();
    store.ingest(&wanted, Silent, &mut |_| ()).unwrap();
    assert!(store.room_for(&[9; 16], 1).is_ok());
}

#[test]
fn what_other_work_has_still_to_write_is_not_free() {
    let (first, second) = (content(100_000, 6), content(100_000, 7));
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    let (one, two) = (spec(1, &first), spec(2, &second));
    let needed = sealing_bytes(100_000).unwrap();
    disk.leave_free(Some(2 * needed - 1));
    let mut asked = 0;
    let reader = Piecewise(&first, || {
        let room = store.room_for(&two.deal, two.length);
        assert!(matches!(room, Err(Error::Room { .. })), "{room:?}");
        asked += 1;
    });
    store.stage(&staged(&one), reader, &mut |_| ()).unwrap();
    assert!(asked > 5);
    // Staged, its sealing is still to come.
    assert!(store.room_for(&two.deal, two.length).is_err());
    // Its own room is its own.
    assert!(store.room_for(&one.deal, one.length).is_ok());
    store.ingest(&one, Silent, &mut |_| ()).unwrap();
    // Sealed, half of it is free again.
    assert!(store.room_for(&two.deal, two.length).is_ok());
}

#[test]
fn a_disk_that_fills_up_meanwhile_is_no_damage_and_leaves_nothing_in_the_way() {
    let (small, large) = (content(5_000, 8), content(300_000, 9));
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    store
        .ingest(&spec(1, &small), &small[..], &mut |_| ())
        .unwrap();
    let (before, wanted) = (disk.names(), spec(2, &large));
    let mut pieces = 0;
    let reader = Piecewise(&large, || {
        pieces += 1;
        // Another program fills the disk.
        if pieces == 3 {
            disk.leave_free(Some(50));
        }
    });
    let failed = store.stage(&staged(&wanted), reader, &mut |_| ());
    let error = failed.unwrap_err();
    assert!(error.is_room() && !error.is_damage(), "{error}");
    assert_eq!(disk.names(), before);
    disk.leave_free(Some(50));
    let windows = store.windows();
    let members = [Member {
        place: 0,
        replica: [1; 16],
    }];
    let error = windows
        .build(1, 1, &[1; 32], &members, &mut |_| ())
        .err()
        .unwrap();
    assert!(error.is_room() && !error.is_damage(), "{error}");
    // As soon as there is room, the same store goes on.
    disk.leave_free(None);
    windows
        .build(1, 1, &[1; 32], &members, &mut |_| ())
        .unwrap();
    let sealed = store.ingest(&wanted, &large[..], &mut |_| ());
    assert!(sealed.is_ok());
}

#[test]
fn work_ends_when_it_is_stopped_and_can_be_taken_up_again() {
    let (bytes, spec, _disk, store) = fresh(10);
    let endless = Piecewise(&bytes, || store.stop(&spec.deal));
    let stopped = store.stage(&staged(&spec), endless, &mut |_| ());
    assert!(matches!(stopped, Err(Error::Stopped(_))), "{stopped:?}");
    let endless = Piecewise(&bytes, || store.stop(&[1; 16]));
    let stopped = store.ingest(&spec, endless, &mut |_| ());
    assert!(matches!(stopped, Err(Error::Stopped(_))), "{stopped:?}");
    let mut units = 0;
    let stopped = store.ingest(&spec, &bytes[..], &mut |step| {
        if step.stage == Stage::Seal {
            units += 1;
            store.stop(&[1; 16]);
        }
    });
    assert!(matches!(stopped, Err(Error::Stopped(_))), "{stopped:?}");
    assert_eq!(units, 1);
    let state = store.replica(&[1; 16]).unwrap().meta().state;
    assert_eq!(state, State::Sealing);
    // Stopping what is not under way means nothing.
    store.stop(&[1; 16]);
    store.ingest(&spec, Silent, &mut |_| ()).unwrap();
}

#[test]
fn content_that_cannot_be_read_just_now_is_not_thrown_away() {
    let (bytes, spec, disk, store) = fresh(11);
    store
        .stage(&staged(&spec), &bytes[..], &mut |_| ())
        .unwrap();
    let stopped = store.ingest(&spec, Silent, &mut |step| {
        if step.stage == Stage::Seal {
            store.stop(&[1; 16]);
        }
    });
    assert!(matches!(stopped, Err(Error::Stopped(_))), "{stopped:?}");
    let before = disk.names();
    for name in ["coded.bin", "coded.tree"] {
        // Such as of a command that the operator ran as root.
        disk.deny_file(Some(file(&[1; 16], name)));
        let error = store.ingest(&spec, io::empty(), &mut |_| ()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(!error.is_damage(), "{error}");
        assert_eq!(disk.names(), before);
    }
    disk.deny_file(None);
    store.ingest(&spec, Silent, &mut |_| ()).unwrap();
}

#[test]
fn this_machines_disk_says_what_is_free_and_reserves() {
    let folder = tempfile::tempdir().unwrap();
    let free = LocalDisk.free(folder.path()).unwrap();
    assert!(free > 0 && free < u64::MAX);
    let file = tempfile::tempfile_in(folder.path()).unwrap();
    Blob::reserve(&file, 1 << 20).unwrap();
    assert_eq!(Blob::size(&file).unwrap(), 1 << 20);
    let sparse = tempfile::tempfile_in(folder.path()).unwrap();
    Blob::set_size(&sparse, 1 << 30).unwrap();
    assert!(Blob::allocated(&sparse).unwrap() < 1 << 30);
}
