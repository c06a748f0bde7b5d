// SPDX-License-Identifier: Apache-2.0

//! Group roots: right, the same for everyone, and one per window.
#![allow(clippy::unwrap_used)]

mod common;

use common::{content, file, open, spec, MemDisk, TINY};
use tos_replica_store::{Error, Member, Store, WindowStore};
use tos_storage_proofs::{
    aggregate::{
        fold, group_root, inclusion_path, leaf, missing_group, upper_path, verify_group_inclusion,
        GROUP_SIZE,
    },
    response_digest, verify_inclusion,
};

fn stored(count: u8) -> (MemDisk, Store) {
    let disk = MemDisk::default();
    let store = open(&disk, TINY).unwrap();
    for id in 1..=count {
        let bytes = content(3_000 + 911 * id as usize, id);
        store
            .ingest(&spec(id, &bytes), &bytes[..], &mut |_| ())
            .unwrap();
    }
    (disk, store)
}

fn members(ids: impl IntoIterator<Item = u8>) -> Vec<Member> {
    (0..)
        .zip(ids)
        .map(|(place, id)| Member {
            place,
            replica: [id; 16],
        })
        .collect()
}

fn build(windows: &WindowStore, window: u64, members: &[Member]) -> tos_replica_store::Built {
    windows
        .build(0, window, &[window as u8; 32], members, &mut |_| ())
        .unwrap()
}

#[test]
fn leaves_are_those_of_the_specification_and_form_a_chain() {
    let (_, store) = stored(5);
    let (windows, members) = (store.windows(), members(1..=5));
    let mut before = [[0; 32]; 5];
    for window in 1..=6 {
        let built = build(&windows, window, &members);
        assert!(built.failed.is_empty() && !built.stored);
        for (place, entry) in built.proven.entries.iter().enumerate() {
            let replica = store.replica(&entry.replica).unwrap();
            let proof = replica.committee(&[window as u8; 32]).unwrap();
            let root = replica.sealed().unwrap().root;
            let expected = leaf(
                &entry.replica,
                window,
                &root,
                &response_digest(&proof),
                &before[place],
            );
            assert_eq!(built.proven.leaf(entry), expected);
            before[place] = expected;
        }
        let leaves = built.proven.leaves();
        assert_eq!(built.proven.root, group_root(&leaves).unwrap());
        for (place, leaf) in &leaves {
            let path = built.proven.path(*place).unwrap();
            assert!(verify_group_inclusion(
                &built.proven.root,
                leaf,
                *place,
                &path
            ));
            let mut whole = path.clone();
            whole.extend(upper_path(&[built.proven.root], 0).unwrap());
            assert_eq!(whole, inclusion_path(&leaves, *place).unwrap());
            assert!(verify_inclusion(
                &fold(&leaves).unwrap().global,
                leaf,
                *place,
                &whole
            ));
        }
    }
}

#[test]
fn three_stores_with_the_same_replicas_made_in_any_order_agree_on_roots() {
    let roots: Vec<_> = [[1, 2, 3, 4], [4, 3, 2, 1], [2, 4, 1, 3]]
        .into_iter()
        .map(|order| {
            let disk = MemDisk::default();
            let store = open(&disk, TINY).unwrap();
            for id in order {
                let bytes = content(9_000, id);
                store
                    .ingest(&spec(id, &bytes), &bytes[..], &mut |_| ())
                    .unwrap();
            }
            let windows = store.windows();
            (1..4)
                .map(|window| build(&windows, window, &members(1..=4)).proven.root)
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(roots[0], roots[1]);
    assert_eq!(roots[0], roots[2]);
}

/// A5: whatever is asked later, the first root stands.
#[test]
fn a_window_has_one_root_whatever_members_seeds_and_data_become() {
    let (disk, store) = stored(3);
    let first = build(&store.windows(), 7, &members(1..=3)).proven;
    disk.poke(&file(&[1; 16], "sealed.bin"), |bytes| bytes.fill(0));
    drop(store);
    let windows = open(&disk, TINY).unwrap().windows();
    for (seed, ids) in [([7; 32], 1..=3), ([8; 32], 1..=3), ([7; 32], 1..=2)] {
        let again = windows
            .build(0, 7, &seed, &members(ids), &mut |_| ())
            .unwrap();
        assert!(again.stored);
        assert_eq!(again.proven, first);
    }
    let past = windows.build(0, 6, &[6; 32], &members(1..=3), &mut |_| ());
    assert!(matches!(past, Err(Error::Past { group: 0, last: 7 })));
}

#[test]
fn a_damaged_window_file_is_an_error_and_never_a_second_root() {
    let (disk, store) = stored(2);
    let windows = store.windows();
    build(&windows, 1, &members(1..=2));
    let before = disk.bytes("/s/windows/0/1".as_ref());
    assert_eq!(before.len(), 122 + 2 * 116);
    for bit in 0..before.len() * 8 {
        disk.poke("/s/windows/0/1".as_ref(), |bytes| {
            bytes[bit / 8] ^= 1 << (bit % 8)
        });
        let again = windows.build(0, 1, &[1; 32], &members(1..=2), &mut |_| ());
        assert!(matches!(again, Err(Error::Format { .. })));
        disk.poke("/s/windows/0/1".as_ref(), |bytes| *bytes = before.clone());
    }
    // The next window is proven all the same, with a new chain.
    disk.poke("/s/windows/0/1".as_ref(), |bytes| bytes.truncate(50));
    let next = build(&windows, 2, &members(1..=2));
    assert!(next
        .proven
        .entries
        .iter()
        .all(|entry| entry.previous == [0; 32]));
}

#[test]
fn a_window_file_in_the_place_of_another_is_refused() {
    let (disk, store) = stored(1);
    let windows = store.windows();
    build(&windows, 1, &members(1..=1));
    build(&windows, 2, &members(1..=1));
    let first = disk.bytes("/s/windows/0/1".as_ref());
    disk.poke("/s/windows/0/2".as_ref(), |bytes| *bytes = first);
    assert!(matches!(windows.get(0, 2), Err(Error::Format { .. })));
}

#[test]
fn one_member_that_cannot_be_proven_costs_only_itself() {
    let (disk, store) = stored(4);
    let windows = store.windows();
    disk.poke(&file(&[2; 16], "sealed.bin"), |bytes| {
        bytes[..8_192].fill(0)
    });
    let mut with_stranger = members(1..=4);
    with_stranger.push(Member {
        place: 999,
        replica: [77; 16],
    });
    let built = build(&windows, 1, &with_stranger);
    let places: Vec<_> = built
        .proven
        .entries
        .iter()
        .map(|entry| entry.place)
        .collect();
    assert_eq!(places, [0, 2, 3]);
    let failed: Vec<_> = built
        .failed
        .iter()
        .map(|(member, _)| member.place)
        .collect();
    assert_eq!(failed, [1, 999]);
    assert!(matches!(built.failed[0].1, Error::Damaged { .. }));
    assert!(matches!(built.failed[1].1, Error::Unknown(_)));
    // Repaired, it starts a new chain; the others go on.
    store
        .replica(&[2; 16])
        .unwrap()
        .repair(&mut |_| ())
        .unwrap();
    let next = build(&windows, 2, &members(1..=4)).proven;
    let fresh: Vec<_> = next
        .entries
        .iter()
        .map(|entry| entry.previous == [0; 32])
        .collect();
    assert_eq!(fresh, [false, true, false, false]);
}

#[test]
fn a_window_in_which_nothing_can_be_proven_is_not_settled_and_may_be_tried_again() {
    let (disk, store) = stored(1);
    let windows = store.windows();
    disk.break_file(Some(file(&[1; 16], "sealed.bin")));
    let built = build(&windows, 1, &members(1..=1));
    assert_eq!(built.proven.root, missing_group());
    assert!(windows.get(0, 1).unwrap().is_none());
    disk.break_file(None);
    let built = build(&windows, 1, &members(1..=1));
    assert!(built.failed.is_empty());
    assert_eq!(windows.get(0, 1).unwrap(), Some(built.proven));
}

#[test]
fn members_out_of_order_twice_or_beyond_the_group_are_refused() {
    let (_, store) = stored(2);
    let member = |place, id| Member {
        place,
        replica: [id; 16],
    };
    for members in [
        [member(1, 1), member(0, 2)],
        [member(1, 1), member(1, 2)],
        [member(0, 1), member(GROUP_SIZE, 2)],
    ] {
        let built = store.windows().build(0, 1, &[1; 32], &members, &mut |_| ());
        assert!(matches!(built, Err(Error::Fold(_))));
    }
}

#[test]
fn pruning_keeps_the_last_windows_and_the_chain() {
    let (_, store) = stored(1);
    let (windows, members) = (store.windows(), members(1..=1));
    for window in [8, 9, 10, 11] {
        build(&windows, window, &members);
    }
    windows.prune(0, 2).unwrap();
    assert_eq!(windows.list(0).unwrap(), [10, 11]);
    windows.prune(0, 0).unwrap();
    assert_eq!(windows.list(0).unwrap(), [11]);
    let next = build(&windows, 12, &members).proven;
    assert_ne!(next.entries[0].previous, [0; 32]);
    assert!(windows.list(5).unwrap().is_empty());
}

#[test]
fn two_threads_get_the_same_root() {
    let (_, store) = stored(3);
    let windows = store.windows();
    let roots: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4u8)
            .map(|seed| {
                let windows = windows.clone();
                scope.spawn(move || {
                    let members = members(1..=3);
                    windows
                        .build(0, 1, &[seed; 32], &members, &mut |_| ())
                        .unwrap()
                        .proven
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(roots.iter().all(|root| *root == roots[0]));
}
