// SPDX-License-Identifier: Apache-2.0

//! A replica that was given up can be taken back, until it goes for good.
#![allow(clippy::unwrap_used)]

mod common;

use common::*;
use tos_replica_store::{Discarded, Error, Store};

const ID: [u8; 16] = [1; 16];

fn store(folder: &std::path::Path) -> Store {
    Store::open(folder, TINY, PROVIDER, GENESIS).unwrap()
}

/// The directories in the trash.
fn entries(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder.join("trash")).map_or(0, |found| found.count())
}

#[test]
fn a_discarded_replica_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let content = content(50_000, 1);
    let spec = spec(1, &content);
    let sealed = {
        let store = store(folder.path());
        let sealed = store.ingest(&spec, &*content, &mut |_| ()).unwrap();
        store.discard(&ID, 1_000).unwrap();
        assert!(matches!(store.replica(&ID), Err(Error::Unknown(_))));
        assert!(store.replicas().unwrap().is_empty());
        sealed
    };
    // A new process finds it in the trash.
    let store = store(folder.path());
    let entry = Discarded {
        since: 1_000,
        replica: ID,
    };
    assert_eq!(store.trash().unwrap(), [entry]);
    store.restore(&entry).unwrap();
    assert_eq!(store.trash().unwrap(), []);
    let replica = store.replica(&ID).unwrap();
    assert_eq!(replica.sealed().unwrap(), sealed);
    assert!(replica.verify(&mut |_| ()).unwrap().is_clean());
    assert!(matches!(
        store.restore(&entry),
        Err(Error::Unknown(ID) | Error::Exists(ID))
    ));
}

#[test]
fn what_is_discarded_twice_lies_there_twice_and_neither_takes_the_place_of_a_live_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let content = content(20_000, 1);
    let spec = spec(1, &content);
    for _ in 0..2 {
        store.ingest(&spec, &*content, &mut |_| ()).unwrap();
        store.discard(&ID, 7).unwrap();
    }
    let trash = store.trash().unwrap();
    assert_eq!(
        trash.iter().map(|entry| entry.since).collect::<Vec<_>>(),
        [7, 8]
    );
    store.ingest(&spec, &*content, &mut |_| ()).unwrap();
    assert!(matches!(store.restore(&trash[0]), Err(Error::Exists(ID))));
    assert_eq!(store.trash().unwrap().len(), 2);
    // Nothing to discard is nothing to say.
    store.discard(&[9; 16], 7).unwrap();
    assert_eq!(store.trash().unwrap().len(), 2);
}

#[test]
fn what_is_purged_is_gone_and_an_interrupted_purge_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let content = content(20_000, 1);
    store
        .ingest(&spec(1, &content), &*content, &mut |_| ())
        .unwrap();
    store.discard(&ID, 7).unwrap();
    let entry = store.trash().unwrap()[0];
    // As if it had been killed after the first file: it is no replica any more.
    let name: String = ID.iter().map(|byte| format!("{byte:02x}")).collect();
    let left = folder.path().join("trash").join(format!("{name}-7"));
    std::fs::remove_file(left.join("meta")).unwrap();
    assert!(matches!(store.restore(&entry), Err(Error::Unknown(ID))));
    store.purge(&entry).unwrap();
    assert_eq!(
        (entries(folder.path()), store.trash().unwrap().len()),
        (0, 0)
    );
    store.purge(&entry).unwrap();
}
