// SPDX-License-Identifier: Apache-2.0

//! Replicas that a provider gives up, and old views, on which it does nothing.

use super::{
    fake::FakeChain,
    model::{StorageChain, StorageSnapshot},
    prover::ProverError,
    tests::{live, prover, provider, published, replica, OPTIONS},
    Provider, ReplicaProver,
};
use crate::tasks::{step, Role, Stepped};
use std::{path::Path, sync::Arc, time::Duration};
use tos_sdk::chain::{meet, Folder, Guard, Memory, Sight};
use tos_types::storage::ReplicaStatus;

/// A chain with a proven replica, and the store that has it.
async fn proven(folder: &Path) -> (FakeChain, Arc<ReplicaProver>, Provider) {
    let (_, deal) = published(folder, 20_000).await;
    let chain = FakeChain::new(vec![deal], "http://h");
    // So that there is a past in which nothing was accepted yet.
    for _ in 0..10 {
        chain.advance();
    }
    let prover = prover(folder);
    let mut first = provider(prover.clone(), OPTIONS);
    live(&chain, &mut first, 2).await.unwrap();
    (chain, prover, first)
}

/// Lets a provider look at some blocks of a chain.
async fn look(chain: &FakeChain, provider: &mut Provider, blocks: usize) {
    for _ in 0..blocks {
        chain.advance();
        provider.step(chain).await.unwrap();
    }
}

/// Guard of a worker that keeps its record in `folder`.
async fn guard(chain: &FakeChain, folder: &Path) -> Guard<Folder> {
    meet(chain, &folder.join("store")).await.unwrap().unwrap()
}

fn held(prover: &ReplicaProver) -> (usize, usize) {
    let (held, trash) = (prover.replicas().unwrap(), prover.trash().unwrap());
    (held.len(), trash.len())
}

#[tokio::test]
async fn a_node_that_is_behind_costs_no_replica() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, running) = proven(folder.path()).await;
    drop(running);
    // An empty database, one of before the deal, and one where the deal is not final yet.
    let accepted = (0..)
        .find(|number| !chain.behind(*number).state().replicas.is_empty())
        .unwrap();
    for number in [0, accepted - 1, accepted, accepted + 2] {
        let behind = chain.behind(number);
        let mut again = provider(prover.clone(), OPTIONS);
        again.step(&behind).await.unwrap();
        assert_eq!(held(&prover), (1, 0), "at block {number}");
    }
    // Nor while it catches up, whatever the worker saw on the way.
    let mut again = provider(prover.clone(), OPTIONS);
    for number in 0..=chain.state().number() {
        again.step(&chain.behind(number)).await.unwrap();
    }
    assert_eq!(held(&prover), (1, 0));
    let before = chain.state().missed;
    look(&chain, &mut again, 12).await;
    assert_eq!(chain.state().missed, before);
}

#[tokio::test]
async fn a_worker_does_nothing_on_a_view_older_than_one_it_has_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut first) = proven(folder.path()).await;
    let mut guarded = guard(&chain, folder.path()).await;
    let stepped = step(&mut guarded, &mut first, &chain).await.unwrap();
    assert!(matches!(stepped, Stepped::Did(_)));
    drop((guarded, first));
    // Another process, and a node that was restored from a backup.
    let now = chain.state().number();
    let mut again = provider(prover.clone(), OPTIONS);
    let mut guarded = guard(&chain.behind(now - 10), folder.path()).await;
    for number in [0, 5, now - 10, now - 1] {
        let behind = chain.behind(number);
        let stepped = step(&mut guarded, &mut again, &behind).await.unwrap();
        assert!(matches!(stepped, Stepped::Old(_)), "at block {number}");
        let (accepted, refused) = (behind.accepted.borrow(), behind.refused.borrow());
        assert!(
            accepted.is_empty() && refused.is_empty(),
            "at block {number}"
        );
    }
    // It goes on by itself when the node has caught up.
    chain.advance();
    let stepped = step(&mut guarded, &mut again, &chain).await.unwrap();
    assert!(matches!(stepped, Stepped::Did(progress) if progress.sent > 0));
    assert_eq!(held(&prover), (1, 0));
}

#[tokio::test]
async fn a_chain_with_the_same_genesis_gets_a_store_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut first) = proven(folder.path()).await;
    let mut guarded = guard(&chain, folder.path()).await;
    assert_eq!(guarded.memory().path(), folder.path().join("store"));
    assert_eq!(guarded.check(&chain).await.unwrap(), Sight::Current);
    let mut other = FakeChain::new(chain.state().deals, "http://h");
    other.tag = 1;
    // The new chain has no final block yet: it might be the old one, from its beginning.
    let stepped = step(&mut guarded, &mut first, &other).await.unwrap();
    assert!(matches!(stepped, Stepped::Old(_)));
    for _ in 0..5 {
        other.advance();
    }
    let stepped = step(&mut guarded, &mut first, &other).await.unwrap();
    assert!(matches!(stepped, Stepped::OtherChain));
    assert_eq!((other.accepted.borrow().len(), held(&prover)), (0, (1, 0)));
    let beside = guard(&other, folder.path()).await;
    assert_ne!(beside.memory().path(), guarded.memory().path());
    assert_eq!(beside.memory().path().parent(), Some(folder.path()));
    // Both know their own from now on.
    let again = guard(&other, folder.path()).await;
    assert_eq!(again.memory().path(), beside.memory().path());
    let back = guard(&chain, folder.path()).await;
    assert_eq!(back.memory().path(), folder.path().join("store"));
    assert!(Folder::open(&folder.path().join("store"))
        .unwrap()
        .read()
        .unwrap()
        .is_some());
}

#[tokio::test]
async fn what_is_over_goes_to_the_trash_when_that_is_final_and_is_freed_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut first) = proven(folder.path()).await;
    chain.change(|state| state.replicas[0].status = ReplicaStatus::Ended);
    first.step(&chain).await.unwrap();
    assert_eq!(held(&prover), (1, 0));
    look(&chain, &mut first, 6).await;
    assert_eq!(held(&prover), (0, 1));
    let mut hasty = first.keep_trash(Duration::ZERO);
    look(&chain, &mut hasty, 1).await;
    assert_eq!(held(&prover), (0, 0));
}

#[tokio::test]
async fn the_trash_is_emptied_where_nothing_can_be_written_and_makes_room_for_windows() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut first) = proven(folder.path()).await;
    chain.change(|state| state.replicas[0].status = ReplicaStatus::Ended);
    // Nothing can take the place of a folder.
    let seen = folder.path().join("store").join("seen.json");
    std::fs::remove_file(&seen).unwrap();
    std::fs::create_dir(&seen).unwrap();
    look(&chain, &mut first, 6).await;
    assert_eq!(held(&prover), (0, 1));
    let trash = prover.trash().unwrap()[0];
    let full = tos_replica_store::Error::Room {
        needed: 1,
        reserved: 0,
        free: 0,
    };
    assert!(matches!(ProverError::from(full), ProverError::Room(_)));
    first.tidy.make_room();
    look(&chain, &mut first, 1).await;
    assert_eq!(held(&prover), (0, 0));
    // As much as there was need for, and what the chain has never.
    for (replica, live) in [([7; 16], false), ([8; 16], false), (trash.replica, true)] {
        let path = folder.path().join("store").join("trash");
        let name: String = replica.iter().map(|byte| format!("{byte:02x}")).collect();
        std::fs::create_dir(path.join(format!("{name}-{}", u64::MAX))).unwrap();
        chain.change(|state| {
            if live {
                state.replicas[0].status = ReplicaStatus::Active;
            }
        });
    }
    first.tidy.make_room();
    look(&chain, &mut first, 2).await;
    assert_eq!(held(&prover), (0, 2));
    let left = prover.trash().unwrap();
    assert!(left.iter().any(|entry| entry.replica == trash.replica));
}

#[tokio::test]
async fn what_the_chain_has_is_taken_back_from_the_trash_and_never_freed() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, first) = proven(folder.path()).await;
    let id = replica(&chain);
    prover.discard(id, 0).unwrap();
    let mut first = first.keep_trash(Duration::ZERO);
    look(&chain, &mut first, 1).await;
    assert_eq!(held(&prover), (1, 0));
    assert!(prover.verify(id, &mut |_| {}).unwrap().is_clean());
}

#[tokio::test]
async fn a_record_that_was_pruned_is_evidence_only_after_it_was_seen_in_a_final_block() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, prover, mut first) = proven(folder.path()).await;
    // Seen in final blocks, then pruned while the worker was away for long.
    look(&chain, &mut first, 5).await;
    drop(first);
    chain.change(|state| state.replicas.clear());
    for _ in 0..5 {
        chain.advance();
    }
    let seen = folder.path().join("store").join("seen.json");
    let saved = std::fs::read(&seen).unwrap();
    for lost in [None, Some(b"[{".as_slice())] {
        // Without the note of it, nothing is known, and it stays.
        match lost {
            None => std::fs::remove_file(&seen).unwrap(),
            Some(bytes) => std::fs::write(&seen, bytes).unwrap(),
        }
        let mut again = provider(prover.clone(), OPTIONS);
        look(&chain, &mut again, 3).await;
        assert_eq!(held(&prover), (1, 0));
    }
    std::fs::write(&seen, &saved).unwrap();
    let mut again = provider(prover.clone(), OPTIONS);
    look(&chain, &mut again, 1).await;
    assert_eq!(held(&prover), (0, 1));
    assert!(chain
        .finalised()
        .await
        .unwrap()
        .replicas()
        .await
        .unwrap()
        .is_empty());
}
