// SPDX-License-Identifier: Apache-2.0

//! Outcomes of calls, on a node that does not always tell them.

use super::{Call, Connection, Included, Wait};
use crate::testing::node::{signer, Effect, Event, FakeNode, Next, Node, Reaction, Tell, FEE};
use crate::{
    error::{Error, Result},
    keys::Signer,
    rpc::Rpc,
};
use serde_json::json;
use std::time::Duration;
use subxt::rpcs::{
    client::{RawRpcFuture, RawRpcSubscription, RawValue, RpcClientT},
    UserError,
};
use tos_types::{TaskId, TOS};

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(120);
const TASK: TaskId = TaskId([7; 16]);
const PUBLISHES: Next = Next::This(Effect::Publishes(TASK));

fn call() -> Call {
    Call::Crank {
        task: TaskId([1; 16]),
    }
}

/// Submits a call to a node whose pool does this.
async fn submit(node: &FakeNode, reactions: &[Reaction], wait: Wait) -> Result<Included> {
    node.lock().reactions.extend(reactions);
    let connection = node.connect().await;
    connection.submit(&signer(), &call(), wait, LONG).await
}

/// Lets this happen to the node when it is asked for its best block the second time.
fn happens_later(node: &FakeNode, event: impl FnOnce(&mut Node) + Send + 'static) {
    let mut node = node.lock();
    node.events.push_back(Box::new(|_| ()));
    node.events.push_back(Box::new(event));
}

#[tokio::test]
async fn a_call_tells_what_its_own_transaction_did() {
    let node = FakeNode::new();
    let finalised = Reaction::Take(PUBLISHES, &[Tell::InBlock, Tell::Finalised]);
    let included = submit(&node, &[finalised], Wait::Finalised).await.unwrap();
    let node = node.lock();
    assert_eq!(included.task, Some(TASK));
    assert_eq!(included.block, node.best_hash());
    assert_eq!(included.transaction, node.submitted[0].hash);
    assert!(included.finalised);
}

#[tokio::test]
async fn what_is_told_as_final_only_is_in_a_block() {
    for wait in [Wait::Best, Wait::Finalised] {
        let node = FakeNode::new();
        let final_only = Reaction::Hold(PUBLISHES, &[Tell::Finalised]);
        let included = submit(&node, &[final_only], wait).await.unwrap();
        assert_eq!((included.task, included.finalised), (Some(TASK), true));
        node.lock().reactions.push_back(final_only);
        let all = node.connect().await;
        let all = all.submit_all(&signer(), &[call()], wait, LONG).await;
        assert!(all.unwrap()[0].as_ref().unwrap().finalised);
        assert_eq!(node.lock().included(), 2);
        // One that failed there was refused.
        let fails = Reaction::Hold(Next::This(Effect::Fails), &[Tell::Finalised]);
        let error = submit(&node, &[fails], wait).await.unwrap_err();
        assert_eq!(error.exit_code(), 3);
    }
}

#[tokio::test]
async fn what_is_dropped_after_it_was_in_a_block_is_not_sent_again() {
    for last in [
        &[Tell::InBlock, Tell::Dropped],
        &[Tell::InBlock, Tell::Invalid],
    ] {
        let node = FakeNode::new();
        // Not at once: first it is looked for while its block is not final.
        node.lock().events.extend((0..6).map(|look| {
            let event: Event = match look {
                5 => Box::new(|node| node.finalise()),
                _ => Box::new(|node| node.grow(1)),
            };
            event
        }));
        let reaction = Reaction::Take(PUBLISHES, last);
        let included = submit(&node, &[reaction], Wait::Finalised).await.unwrap();
        assert_eq!(included.task, Some(TASK));
        assert!(included.finalised);
        assert_eq!(node.lock().submitted.len(), 1);
        assert_eq!(node.lock().included(), 1);
    }
}

#[tokio::test]
async fn what_got_into_a_block_without_a_word_is_found_there() {
    let lost: [&[Tell]; 4] = [&[], &[Tell::Invalid], &[Tell::Dropped], &[Tell::Usurped]];
    for tells in lost {
        for wait in [Wait::Best, Wait::Finalised] {
            let node = FakeNode::new();
            node.lock().grow(3);
            happens_later(&node, |node| {
                node.grow(4);
                node.finalise();
            });
            let reaction = Reaction::Take(PUBLISHES, tells);
            let included = submit(&node, &[reaction], wait).await.unwrap();
            assert_eq!(included.task, Some(TASK));
            assert_eq!(node.lock().submitted.len(), 1);
            assert_eq!(included.transaction, node.lock().submitted[0].hash);
        }
    }
}

#[tokio::test]
async fn what_is_lost_is_sent_again_under_its_nonce() {
    let node = FakeNode::new();
    let lost = [
        Reaction::Take(Next::Nothing, &[Tell::Dropped]),
        Reaction::Take(Next::Nothing, &[]),
        Reaction::Refuse(1012, "Transaction is temporarily banned", ""),
        Reaction::Take(PUBLISHES, &[Tell::InBlock, Tell::Finalised]),
    ];
    let included = submit(&node, &lost, Wait::Finalised).await.unwrap();
    assert_eq!(included.task, Some(TASK));
    let nonces: Vec<_> = node.lock().submitted.iter().map(|s| s.nonce).collect();
    assert_eq!(nonces, [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_block_that_is_undone_gives_the_nonce_back() {
    let node = FakeNode::new();
    happens_later(&node, |node| node.reorganise());
    let reactions = [
        Reaction::Take(PUBLISHES, &[Tell::InBlock, Tell::Dropped]),
        Reaction::Take(PUBLISHES, &[Tell::InBlock, Tell::Finalised]),
    ];
    let included = submit(&node, &reactions, Wait::Finalised).await.unwrap();
    let node = node.lock();
    assert_eq!(node.submitted[1].nonce, 0);
    assert_eq!(included.transaction, node.submitted[1].hash);
    assert_eq!(node.included(), 1);
}

#[tokio::test]
async fn a_call_whose_nonce_another_took_is_sent_under_the_next() {
    let node = FakeNode::new();
    let reactions = [
        Reaction::Take(Next::Another, &[Tell::Usurped]),
        Reaction::Take(PUBLISHES, &[Tell::InBlock, Tell::Finalised]),
    ];
    let included = submit(&node, &reactions, Wait::Finalised).await.unwrap();
    assert_eq!(included.task, Some(TASK));
    let nonces: Vec<_> = node.lock().submitted.iter().map(|s| s.nonce).collect();
    assert_eq!(nonces, [0, 1]);
}

#[tokio::test]
async fn a_call_that_failed_in_its_block_is_refused_and_not_sent_again() {
    let fails = Next::This(Effect::Fails);
    for tells in [&[Tell::InBlock, Tell::Finalised][..], &[Tell::Dropped]] {
        let node = FakeNode::new();
        happens_later(&node, |node| node.finalise());
        let error = submit(&node, &[Reaction::Take(fails, tells)], Wait::Finalised)
            .await
            .unwrap_err();
        let Error::Refused { name, fee, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(name, "Tasks::ReferenceUsed");
        assert_eq!(fee, Some(FEE));
        assert_eq!(node.lock().submitted.len(), 1);
    }
}

#[tokio::test]
async fn a_refusal_costs_a_fee_only_in_a_block_and_says_so() {
    let node = FakeNode::new();
    let poor = Reaction::Refuse(1010, "Invalid Transaction", "Inability to pay some fees");
    let free = submit(&node, &[poor], Wait::Best).await.unwrap_err();
    assert!(matches!(free, Error::Refused { fee: None, .. }), "{free}");
    assert!(!free.to_string().contains("was paid"), "{free}");
    let fails = Next::This(Effect::Fails);
    let in_block = Reaction::Take(fails, &[Tell::InBlock]);
    let paid = submit(&node, &[in_block], Wait::Best).await.unwrap_err();
    let words = format!("the fee of {} was paid", crate::amount::format(FEE));
    assert!(paid.to_string().contains(&words), "{paid}");
}

/// Error of a submission whose time is over when the node has nothing more to say.
async fn time_out(node: &FakeNode, reactions: &[Reaction]) -> Error {
    node.lock().reactions.extend(reactions);
    let connection = node.connect().await;
    let end = async { node.quiet.notified().await };
    connection
        .submit_until(&signer(), &call(), Wait::Finalised, end)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_timed_out_submission_says_hash_block_and_task() {
    let node = FakeNode::new();
    let error = time_out(&node, &[Reaction::Hold(PUBLISHES, &[Tell::InBlock])]).await;
    assert_eq!((error.exit_code(), error.kind()), (5, "timedOut"));
    let text = error.to_string();
    let Error::Unsettled { sent, .. } = error else {
        panic!("{text}");
    };
    let node = node.lock();
    assert_eq!(sent.transaction, node.submitted[0].hash);
    assert_eq!(sent.block, Some(node.best_hash()));
    assert_eq!(sent.task, Some(TASK));
    for part in [
        tos_types::json::to_hex(&sent.transaction),
        tos_types::json::to_hex(&node.best_hash()),
        TASK.to_string(),
    ] {
        assert!(text.contains(&part), "{text}");
    }
}

#[tokio::test]
async fn a_timed_out_submission_was_looked_for_in_the_chain() {
    let node = FakeNode::new();
    // It is in a block, and the node does not say so.
    let error = time_out(&node, &[Reaction::Hold(PUBLISHES, &[])]).await;
    let Error::Unsettled { sent, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(sent.block, Some(node.lock().best_hash()));
    assert_eq!(sent.task, Some(TASK));
}

#[tokio::test]
async fn a_submission_that_timed_out_in_no_block_says_until_when_it_may_get_into_one() {
    let node = FakeNode::new();
    node.lock().grow(9);
    node.lock().finalise();
    let error = time_out(&node, &[Reaction::Hold(Next::Nothing, &[])]).await;
    assert_eq!(error.exit_code(), 5);
    let Error::Unsettled { sent, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(sent.transaction, node.lock().submitted[0].hash);
    assert_eq!((sent.block, sent.task), (None, None));
    assert_eq!(sent.good_until, Some(9 + 255));
    assert!(sent.to_string().contains("until block 264"), "{sent}");
}

#[tokio::test]
async fn a_submission_whose_node_is_lost_says_what_was_sent() {
    let node = FakeNode::new();
    happens_later(&node, |node| node.lost = true);
    let reaction = Reaction::Take(PUBLISHES, &[Tell::InBlock]);
    let error = submit(&node, &[reaction], Wait::Finalised)
        .await
        .unwrap_err();
    assert_eq!((error.exit_code(), error.kind()), (4, "unreachable"));
    let Error::Unsettled { sent, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(sent.transaction, node.lock().submitted[0].hash);
    assert_eq!(sent.task, Some(TASK));
}

const FULL: Reaction = Reaction::Refuse(
    1016,
    "Immediately Dropped",
    "The transaction couldn't enter the pool because of the limit",
);

#[tokio::test]
async fn a_full_pool_is_waited_for() {
    let node = FakeNode::new();
    let included = submit(&node, &[FULL, FULL], Wait::Best).await.unwrap();
    assert_eq!(included.transaction, node.lock().submitted[2].hash);
}

#[tokio::test]
async fn a_pool_that_stays_full_is_a_time_out_and_no_refusal_by_the_chain() {
    let node = FakeNode::new();
    let error = time_out(&node, &[FULL; 100_000]).await;
    assert_eq!((error.exit_code(), error.kind()), (5, "timedOut"));
    // Nothing is on its way.
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert!(error.to_string().contains("--tip"), "{error}");
}

/// Results of two calls that are submitted together.
async fn submit_two(node: &FakeNode) -> Vec<Result<Included>> {
    let connection = node.connect().await;
    connection
        .submit_all(&signer(), &[call(), call()], Wait::Best, LONG)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_worker_does_not_take_a_full_pool_for_a_refusal() {
    let node = FakeNode::new();
    node.lock().reactions.push_back(FULL);
    let results = submit_two(&node).await;
    assert!(matches!(results[0], Err(Error::Busy(_))));
    assert!(results[1].is_ok());
    // The place of the first was free.
    let nonces: Vec<_> = node.lock().submitted.iter().map(|s| s.nonce).collect();
    assert_eq!(nonces, [0, 0]);
}

#[tokio::test]
async fn a_worker_is_told_what_got_into_a_block_without_a_word() {
    let node = FakeNode::new();
    let reactions = [
        Reaction::Take(PUBLISHES, &[Tell::Dropped]),
        Reaction::Take(Next::Nothing, &[Tell::Dropped]),
    ];
    node.lock().reactions.extend(reactions);
    let results = submit_two(&node).await;
    assert_eq!(results[0].as_ref().unwrap().task, Some(TASK));
    assert!(matches!(results[1], Err(Error::Pending(_))));
}

#[tokio::test]
async fn transactions_are_valid_however_far_finality_is_behind() {
    for behind in [0, 300, 1_000, 255, 256, 127, 128, 129] {
        let node = FakeNode::new();
        node.lock().grow(20);
        node.lock().finalise();
        node.lock().grow(behind);
        let in_a_block = Reaction::Take(PUBLISHES, &[Tell::InBlock]);
        node.lock().reactions.extend([in_a_block; 2]);
        let connection = node.connect().await;
        let included = connection
            .submit(&signer(), &call(), Wait::Best, LONG)
            .await;
        assert!(included.is_ok(), "{behind} behind: {:?}", included.err());
        let all = connection
            .submit_all(&signer(), &[call()], Wait::Best, LONG)
            .await
            .unwrap();
        assert!(all[0].is_ok(), "{behind} behind: {:?}", all[0]);
        // At the final block as long as that leaves half a life.
        let born = node.lock().submitted[0].era.birth(21 + behind as u64);
        assert_eq!(born, 20u64.max((20 + behind as u64).saturating_sub(128)));
    }
}

#[tokio::test]
async fn every_signed_call_offers_the_tip() {
    let node = FakeNode::new();
    let generous = Signer {
        tip: TOS / 2,
        ..signer()
    };
    let connection = node.connect().await;
    connection
        .submit(&generous, &call(), Wait::Best, LONG)
        .await
        .unwrap();
    let results = connection
        .submit_all(&generous, &[call()], Wait::Best, LONG)
        .await
        .unwrap();
    assert!(results[0].is_ok());
    let tips: Vec<_> = node.lock().submitted.iter().map(|s| s.tip).collect();
    assert_eq!(tips, [TOS / 2, TOS / 2]);
}

#[tokio::test]
async fn a_development_key_is_warned_of_on_chains_of_any_other_type() {
    let node = FakeNode::new();
    let development = Signer {
        development: true,
        ..signer()
    };
    let connection = node.connect().await;
    for (chain_type, named) in [
        (json!("Live"), "Live"),
        (json!("Local"), "Local"),
        (json!({"Custom": "staging"}), "staging"),
    ] {
        node.lock().chain_type = chain_type;
        let warning = connection.development_warning(&development).await.unwrap();
        assert!(warning.contains(named), "{warning}");
        assert!(
            warning.contains(&signer().account().to_string()),
            "{warning}"
        );
        assert_eq!(connection.development_warning(&signer()).await, None);
    }
    node.lock().chain_type = json!("Development");
    assert_eq!(connection.development_warning(&development).await, None);
}

/// A key that acts for another account.
fn proxy(real: [u8; 32]) -> Signer {
    Signer {
        acts_for: Some(real.into()),
        ..signer()
    }
}

#[tokio::test]
async fn a_proxy_signs_with_its_own_nonce_and_carries_the_call() {
    let node = FakeNode::new();
    let connection = node.connect().await;
    for _ in 0..2 {
        connection
            .submit(&proxy([7; 32]), &call(), Wait::Best, LONG)
            .await
            .unwrap();
    }
    connection
        .submit_all(&proxy([7; 32]), &[call()], Wait::Best, LONG)
        .await
        .unwrap();
    // Proxy.proxy, the account by its identifier, any kind, Tasks.crank.
    let wrapped = [&[2, 0, 0][..], &[7; 32], &[0], &[1, 1], &[1; 16]].concat();
    let lock = node.lock();
    for (nonce, sent) in lock.submitted.iter().enumerate() {
        assert_eq!(sent.account, signer().account());
        assert_eq!(sent.nonce, nonce as u64);
        assert_eq!(sent.call, wrapped);
    }
    assert_eq!(lock.submitted.len(), 3);
}

#[tokio::test]
async fn a_call_that_fails_inside_a_proxy_is_refused_by_its_name() {
    for wait in [Wait::Best, Wait::Finalised] {
        let node = FakeNode::new();
        let fails = Next::This(Effect::FailsInside);
        let tells = &[Tell::InBlock, Tell::Finalised];
        node.lock()
            .reactions
            .push_back(Reaction::Take(fails, tells));
        let connection = node.connect().await;
        let outcome = connection
            .submit(&proxy([7; 32]), &call(), wait, LONG)
            .await;
        let error = outcome.err().unwrap();
        assert_eq!(error.exit_code(), 3, "{error}");
        let Error::Refused { name, fee, .. } = error else {
            panic!("{error}");
        };
        assert_eq!(name, "Tasks::ReferenceUsed");
        // It is told after what the proxy did.
        assert_eq!(fee, Some(FEE));
    }
}

/// A server that speaks JSON-RPC and knows no method of a node.
struct Stranger;

impl RpcClientT for Stranger {
    fn request_raw<'a>(
        &'a self,
        _: &'a str,
        _: Option<Box<RawValue>>,
    ) -> RawRpcFuture<'a, Box<RawValue>> {
        Box::pin(async { Err(UserError::method_not_found().into()) })
    }

    fn subscribe_raw<'a>(
        &'a self,
        _: &'a str,
        _: Option<Box<RawValue>>,
        _: &'a str,
    ) -> RawRpcFuture<'a, RawRpcSubscription> {
        Box::pin(async { Err(UserError::method_not_found().into()) })
    }
}

#[tokio::test]
async fn a_server_that_knows_no_chain_is_told_as_no_node() {
    let over = Connection::over(Rpc::over("ws://stranger", Stranger)).await;
    let stranger = over.err().unwrap().to_string();
    for part in [
        "ws://stranger: another program than a node",
        "Method not found",
    ] {
        assert!(stranger.contains(part), "{part}: {stranger}");
    }
}
