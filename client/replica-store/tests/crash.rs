// SPDX-License-Identifier: Apache-2.0

//! Power failures at every change, with any part of what was not synced lost.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, file, open, spec, MemDisk, TINY};
use tos_replica_store::{Error, Member, Stage, State};

const LENGTH: usize = 33_000;

fn sealed(disk: &MemDisk, id: u8, bytes: &[u8]) -> tos_replica_store::Commitment {
    let store = open(disk, TINY).unwrap();
    store.ingest(&spec(id, bytes), bytes, &mut |_| ()).unwrap()
}

/// The changes that making a replica takes.
fn changes(bytes: &[u8]) -> usize {
    let disk = MemDisk::default();
    sealed(&disk, 1, bytes);
    disk.changes()
}

fn check(disk: &MemDisk, bytes: &[u8], expected: tos_replica_store::Commitment) {
    let store = open(disk, TINY).unwrap();
    let replica = store.replica(&[1; 16]).unwrap();
    assert_eq!(replica.sealed().unwrap(), expected);
    assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
    let mut out = Vec::new();
    replica.read(&mut out, &mut |_| ()).unwrap();
    assert!(out == bytes);
    replica.seal_openings(&[0, 100, 1_000]).unwrap();
}

#[test]
fn a_power_failure_at_any_change_leaves_no_replica_or_a_right_one_and_can_be_resumed() {
    let bytes = content(LENGTH, 1);
    let expected = sealed(&MemDisk::default(), 1, &bytes);
    for point in 0..=changes(&bytes) {
        for luck in 0..4 {
            let disk = MemDisk::default();
            disk.fail_after(point);
            let spec = spec(1, &bytes);
            let _ =
                open(&disk, TINY).and_then(|store| store.ingest(&spec, &bytes[..], &mut |_| ()));
            disk.restart(luck);
            // What calls itself sealed is.
            let store = open(&disk, TINY).unwrap();
            let state = store.replica(&[1; 16]).map(|replica| replica.meta().state);
            if matches!(state, Ok(State::Sealed)) {
                check(&disk, &bytes, expected);
            }
            // A second failure on the way back.
            disk.fail_after(point / 2 + 3 * luck as usize);
            let _ = store.ingest(&spec, &bytes[..], &mut |_| ());
            disk.restart(luck + 100);
            drop(store);
            let store = open(&disk, TINY).unwrap();
            let resumed = match store.resume(&[1; 16], &mut |_| ()) {
                Err(Error::State { .. } | Error::Unknown(_) | Error::Damaged { .. }) => {
                    store.ingest(&spec, &bytes[..], &mut |_| ())
                }
                resumed => resumed,
            };
            assert_eq!(resumed.unwrap(), expected, "point {point} luck {luck}");
            check(&disk, &bytes, expected);
        }
    }
}

#[test]
fn units_sealed_and_synced_before_a_failure_are_not_sealed_again() {
    let bytes = content(LENGTH, 2);
    let all = changes(&bytes);
    let disk = MemDisk::default();
    disk.fail_after(all - 14);
    let failed = open(&disk, TINY)
        .unwrap()
        .ingest(&spec(1, &bytes), &bytes[..], &mut |_| ());
    assert!(failed.is_err());
    disk.restart(0);
    let store = open(&disk, TINY).unwrap();
    let mut first = None;
    store
        .resume(&[1; 16], &mut |step| {
            if step.stage == Stage::Seal {
                first.get_or_insert(step);
            }
            assert_ne!(step.stage, Stage::Fetch);
        })
        .unwrap();
    let first = first.unwrap();
    assert!(first.done > first.total / 2, "{first:?}");
}

#[test]
fn a_coded_file_damaged_while_sealing_is_fetched_again_and_never_sealed() {
    let bytes = content(LENGTH, 3);
    let all = changes(&bytes);
    for name in ["coded.bin", "coded.tree"] {
        let disk = MemDisk::default();
        disk.fail_after(all - 14);
        let spec = spec(1, &bytes);
        let _ = open(&disk, TINY)
            .unwrap()
            .ingest(&spec, &bytes[..], &mut |_| ());
        disk.restart(0);
        disk.poke(&file(&[1; 16], name), |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        });
        let store = open(&disk, TINY).unwrap();
        let resumed = store.resume(&[1; 16], &mut |_| ());
        assert!(matches!(resumed, Err(Error::Damaged { .. })), "{resumed:?}");
        let again = store.ingest(&spec, &bytes[..], &mut |_| ()).unwrap();
        check(&disk, &bytes, again);
    }
}

#[test]
fn a_failure_during_repair_never_adds_damage() {
    let bytes = content(LENGTH, 4);
    let disk = MemDisk::default();
    let expected = sealed(&disk, 1, &bytes);
    let damage = |disk: &MemDisk| {
        disk.poke(&file(&[1; 16], "sealed.bin"), |bytes| {
            for chunk in [0, 3, 4, 9, 17] {
                bytes[chunk * 4096 + 5] ^= 1;
            }
        });
    };
    for point in 0.. {
        let disk = MemDisk::default();
        sealed(&disk, 1, &bytes);
        damage(&disk);
        let store = open(&disk, TINY).unwrap();
        let replica = store.replica(&[1; 16]).unwrap();
        disk.fail_after(point);
        let repaired = replica.repair(&mut |_| ());
        disk.restart(point as u64);
        let left = replica.verify(&mut |_| ()).unwrap();
        let allowed = [0, 3, 4, 9, 17];
        assert!(left.damaged.chunks().all(|chunk| allowed.contains(&chunk)));
        assert!(!left.coded_tree && !left.sealed_tree);
        replica.repair(&mut |_| ()).unwrap();
        check(&disk, &bytes, expected);
        if repaired.is_ok() {
            break;
        }
    }
}

/// A5: two roots for one window would cost the bond.
#[test]
fn a_failure_while_folding_never_leads_to_two_roots_for_one_window() {
    let bytes = content(5_000, 5);
    let members = [Member {
        place: 3,
        replica: [1; 16],
    }];
    for point in 0..12 {
        for luck in 0..8 {
            let disk = MemDisk::default();
            sealed(&disk, 1, &bytes);
            let windows = open(&disk, TINY).unwrap().windows();
            let before = windows
                .build(4, 1, &[1; 32], &members, &mut |_| ())
                .unwrap();
            disk.fail_after(point);
            let given = windows.build(4, 2, &[2; 32], &members, &mut |_| ());
            disk.restart(luck);
            let windows = open(&disk, TINY).unwrap().windows();
            // The seed is another one now, as after a reorganisation.
            let again = windows
                .build(4, 2, &[3; 32], &members, &mut |_| ())
                .unwrap();
            if let Ok(given) = given {
                assert_eq!(again.proven, given.proven);
                assert!(again.stored);
            }
            let first = windows.get(4, 1).unwrap().unwrap();
            assert_eq!(first, before.proven);
            // The streak of leaves goes on.
            let entry = again.proven.entries[0];
            assert_eq!(entry.previous, first.leaf(&first.entries[0]));
        }
    }
}
