// SPDX-License-Identifier: Apache-2.0

use super::*;
use crate::testing::View;

async fn met(view: &View, base: &Path) -> Guard<Folder> {
    meet(view, base).await.unwrap().unwrap()
}

#[tokio::test]
async fn only_views_at_least_as_new_as_those_before_are_acted_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut guard = met(&View::at(50), folder.path()).await;
    assert_eq!(guard.check(&View::at(50)).await.unwrap(), Sight::Current);
    assert_eq!(guard.check(&View::at(60)).await.unwrap(), Sight::Current);
    // It is on disk: the next process knows it.
    let mut guard = met(&View::at(5), folder.path()).await;
    for at in [0, 1, 5, 59] {
        let reason = match at {
            0 => Reason::NoFinalBlock,
            at => Reason::Behind { at, seen: 60 },
        };
        let sight = guard.check(&View::at(at)).await.unwrap();
        assert_eq!(sight, Sight::Old(reason));
        assert!(!reason.to_string().is_empty());
    }
    assert_eq!(guard.check(&View::at(60)).await.unwrap(), Sight::Current);
}

#[tokio::test]
async fn a_best_block_may_fall_back_as_far_as_a_fork_and_no_farther() {
    let folder = tempfile::tempdir().unwrap();
    let mut guard = met(&View::at(50), folder.path()).await;
    let stalled = |best| View {
        best,
        ..View::at(50)
    };
    assert_eq!(guard.check(&stalled(900)).await.unwrap(), Sight::Current);
    let fork = stalled(900 - REORGANISATION);
    assert_eq!(guard.check(&fork).await.unwrap(), Sight::Current);
    assert_eq!(guard.check(&stalled(900)).await.unwrap(), Sight::Current);
    let reason = Reason::BestBehind { at: 60, seen: 900 };
    assert_eq!(guard.check(&stalled(60)).await.unwrap(), Sight::Old(reason));
}

#[tokio::test]
async fn a_chain_is_known_by_its_first_block_and_a_fork_by_what_was_final() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("store");
    let mut guard = met(&View::at(50), &base).await;
    assert_eq!(guard.check(&View::at(50)).await.unwrap(), Sight::Current);
    let other = |fork, finalised| View {
        tag: 2,
        fork,
        ..View::at(finalised)
    };
    for finalised in [1, 49, 50, 400] {
        let sight = guard.check(&other(0, finalised)).await.unwrap();
        assert_eq!(sight, Sight::OtherChain, "at {finalised}");
    }
    // The same chain until block 30: what was seen of it later is gone.
    let sight = guard.check(&other(30, 400)).await.unwrap();
    assert_eq!(sight, Sight::Old(Reason::Forked { at: 50 }));
    // A fork that branches off later is only the future.
    assert_eq!(guard.check(&other(51, 400)).await.unwrap(), Sight::Current);
    let beside = met(&other(0, 400), &base).await;
    assert_ne!(beside.memory().path(), base);
    assert_eq!(met(&View::at(50), &base).await.memory().path(), base);
}

#[tokio::test]
async fn without_history_a_known_chain_is_told_by_the_last_block_seen() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join("store");
    let warped = |finalised, from| View {
        from,
        ..View::at(finalised)
    };
    // Never seen before: wait.
    let met_none = meet::<Folder>(&warped(90, 80), &base).await.unwrap();
    assert_eq!(met_none.err(), Some(Reason::NoHistory));
    let met_none = meet::<Folder>(&View::at(0), &base).await.unwrap();
    assert_eq!(met_none.err(), Some(Reason::NoFinalBlock));
    assert!(!base.exists());
    // Seen until block 85, on this chain and on another one next to it.
    let other = View {
        tag: 2,
        ..View::at(86)
    };
    for view in [View::at(85), other.clone()] {
        let mut guard = met(&view, &base).await;
        assert_eq!(guard.check(&view).await.unwrap(), Sight::Current);
    }
    let mut guard = met(&warped(90, 80), &base).await;
    assert_eq!(guard.memory().path(), base);
    assert_eq!(guard.check(&warped(90, 80)).await.unwrap(), Sight::Current);
    let beside = met(&View { from: 80, ..other }, &base).await;
    assert_ne!(beside.memory().path(), base);
    // What was seen is older than what the node knows: wait until it has fetched that.
    let sight = guard.check(&warped(990, 980)).await.unwrap();
    assert_eq!(sight, Sight::Old(Reason::NoHistory));
    let met_none = meet::<Folder>(&warped(990, 980), &base).await.unwrap();
    assert_eq!(met_none.err(), Some(Reason::NoHistory));
    assert_eq!(guard.check(&View::at(990)).await.unwrap(), Sight::Current);
}

#[tokio::test]
async fn a_damaged_record_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut guard = met(&View::at(50), folder.path()).await;
    guard.check(&View::at(50)).await.unwrap();
    std::fs::write(folder.path().join("chain.json"), b"{").unwrap();
    let error = meet::<Folder>(&View::at(50), folder.path()).await.err();
    let error = error.unwrap().to_string();
    assert!(error.contains("remove it"), "{error}");
}

#[tokio::test]
async fn a_one_off_command_waits_so_long_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Some(Duration::ZERO);
    let waited = recognise::<Folder>(&View::at(0), folder.path(), limit).await;
    let error = waited.err().unwrap();
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("no final block"), "{error}");
}

#[test]
fn the_state_knows_block_hashes_under_this_key() {
    // As `state_getKeysPaged` of a node gives it.
    let key = "0x26aa394eea5630e07c48ae0c9558cef7a44704b568d21667356a5a050c118746\
        0e0d969b0e48cab707000000";
    assert_eq!(to_hex(&block_hash_key(7)), key);
}
