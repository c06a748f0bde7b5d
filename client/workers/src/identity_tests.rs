// SPDX-License-Identifier: Apache-2.0

use crate::commitments::CommitmentStore;
use tos_sdk::{
    chain::{meet, Memory, Reason, Sight},
    testing::View,
};

#[tokio::test]
async fn a_node_that_lies_about_its_height_locks_nobody_out_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("miner.redb");
    let met = async |view: &View| meet::<CommitmentStore>(view, &base).await.unwrap().unwrap();
    let task = tos_types::TaskId([1; 16]);
    let mut guard = met(&View::at(50)).await;
    assert_eq!(guard.check(&View::at(50)).await.unwrap(), Sight::Current);
    guard.memory().count_failure(task).unwrap();
    // It has what the worker knows, and makes up the rest. That cannot be told.
    let liar = View {
        tag: 2,
        fork: 51,
        ..View::at(1 << 40)
    };
    assert_eq!(guard.check(&liar).await.unwrap(), Sight::Current);
    drop(guard);
    let mut guard = met(&View::at(60)).await;
    let behind = Reason::Behind {
        at: 60,
        seen: 1 << 40,
    };
    let sight = guard.check(&View::at(60)).await.unwrap();
    assert_eq!(sight, Sight::Old(behind));
    assert!(behind.to_string().contains("--forget-height"));
    guard.forget_height(&View::at(60)).await.unwrap();
    drop(guard);
    // It is on disk, nothing else is lost, and from there on it counts as before.
    let mut guard = met(&View::at(60)).await;
    assert_eq!(guard.memory().accept(task).unwrap().failures, 1);
    assert_eq!(guard.check(&View::at(60)).await.unwrap(), Sight::Current);
    let behind = Reason::Behind { at: 59, seen: 60 };
    let sight = guard.check(&View::at(59)).await.unwrap();
    assert_eq!(sight, Sight::Old(behind));
}

#[tokio::test]
async fn a_journal_knows_its_chain_and_another_one_has_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("miner-5F.redb");
    let task = tos_types::TaskId([1; 16]);
    let mut first = meet::<CommitmentStore>(&View::at(50), &base)
        .await
        .unwrap()
        .unwrap();
    first.check(&View::at(50)).await.unwrap();
    first.memory().finish_work(task).unwrap();
    drop(first);
    let other = View {
        tag: 2,
        ..View::at(5)
    };
    let second = meet::<CommitmentStore>(&other, &base)
        .await
        .unwrap()
        .unwrap();
    assert!(!second.memory().accept(task).unwrap().done);
    drop(second);
    let names = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = names
        .map(|name| name.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("miner-5F.") && names[0].ends_with(".redb"));
    let first = meet::<CommitmentStore>(&View::at(50), &base)
        .await
        .unwrap()
        .unwrap();
    assert!(first.memory().accept(task).unwrap().done);
    let seen = first.memory().read().unwrap().unwrap().finalised.number;
    assert_eq!(seen, 50);
}
