// SPDX-License-Identifier: Apache-2.0

//! A node that consists of its RPC alone: a pool with a limit, blocks when they are asked for, and
//! whatever can go wrong, on demand. The engine is tested against it.

use crate::{
    blocks::pool,
    engine::{run, Run, Setup},
    error::Error,
    ledger::State,
    pace::Pace,
};
use codec::Encode;
use jsonrpsee::{
    server::{ServerBuilder, ServerHandle},
    types::{ErrorObjectOwned, Params},
    PendingSubscriptionSink, RpcModule, SubscriptionMessage,
};
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::broadcast;
use tos_sdk::{
    any_chain::{Hash, Header, Signed},
    rpc::{Limits, Rpc},
};
use tos_types::json::{from_hex, to_hex};

/// Habits of the node.
#[derive(Clone, Copy)]
struct Habits {
    /// Transactions that the pool holds.
    limit: usize,
    /// Transactions of a block.
    block: usize,
    /// Every so many transactions are accepted and forgotten, once each.
    forget: usize,
    /// Every so many transactions are refused for good.
    refuse: usize,
    /// Every so many blocks the last one is replaced by two others.
    fork: u64,
    /// Once so many transactions came and all are in blocks, the last block with some is replaced, and the
    /// pool, which is slow, has them back [`SLOW`] blocks later. 0 for never.
    late: usize,
}

/// Blocks that a slow pool is behind.
const SLOW: u64 = 4;

const HONEST: Habits = Habits {
    limit: 10_000,
    block: 50,
    forget: 0,
    refuse: 0,
    fork: 0,
    late: 0,
};

/// Habits of an honest node but for what is changed.
fn unlike_honest(change: impl FnOnce(&mut Habits)) -> Habits {
    let mut habits = HONEST;
    change(&mut habits);
    habits
}

struct State_ {
    habits: Habits,
    blocks: HashMap<Hash, (Header, Vec<String>)>,
    best: Hash,
    last: Hash,
    pool: VecDeque<String>,
    /// Transactions that are back in the pool at a height.
    returning: Option<(u64, Vec<String>)>,
    forgotten: HashSet<String>,
    seen: usize,
}

struct Fake {
    state: Mutex<State_>,
    heads: [broadcast::Sender<Header>; 2],
}

fn header(parent: Hash, number: u64, salt: u8) -> (Hash, Header) {
    let header = Header {
        parent_hash: parent.into(),
        number,
        state_root: [salt; 32].into(),
        extrinsics_root: [0; 32].into(),
        digest: Default::default(),
    };
    (blake2_256(&header.encode()), header)
}

/// The block that a request names.
fn named(params: &Params) -> Result<Hash, ErrorObjectOwned> {
    let bytes = from_hex(&params.one::<String>()?);
    let hash = bytes.and_then(|bytes| bytes.try_into().ok());
    hash.ok_or_else(|| refusal(-32602, "Invalid params"))
}

fn refusal(code: i32, message: &str) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, message, None::<()>)
}

impl State_ {
    fn submit(&mut self, text: String) -> Result<String, ErrorObjectOwned> {
        let habits = self.habits;
        let hash = to_hex(&blake2_256(&from_hex(&text).expect("bytes")));
        if self.pool.contains(&text) {
            return Err(refusal(1013, "Already Imported"));
        }
        if self.pool.len() >= habits.limit {
            return Err(refusal(1016, "Immediately Dropped"));
        }
        self.seen += 1;
        if habits.refuse > 0 && self.seen.is_multiple_of(habits.refuse) {
            return Err(refusal(1010, "Invalid Transaction"));
        }
        let forget = habits.forget > 0 && self.seen.is_multiple_of(habits.forget);
        if forget && self.forgotten.insert(text.clone()) {
            return Ok(hash);
        }
        self.pool.push_back(text);
        Ok(hash)
    }

    fn build(&mut self, on: Hash, salt: u8) -> Header {
        let number = self.blocks[&on].0.number + 1;
        let (hash, header) = header(on, number, salt);
        let count = self.habits.block.min(self.pool.len());
        let extrinsics = self.pool.drain(..count).collect();
        self.blocks.insert(hash, (header.clone(), extrinsics));
        self.best = hash;
        header
    }
}

impl Fake {
    /// One block more; the one before becomes final.
    fn step(&self) {
        let mut state = self.state.lock().expect("not poisoned");
        let (best, parent) = (state.best, state.blocks[&state.best].0.parent_hash.0);
        let number = state.blocks[&best].0.number;
        let (fork, late) = (state.habits.fork, state.habits.late);
        let all_in_blocks = state.seen == late && state.pool.is_empty();
        let back = state.blocks[&best].1.clone();
        match state.returning.take() {
            None if late > 0 && all_in_blocks && !back.is_empty() && best != state.last => {
                state.returning = Some((number.saturating_add(SLOW), back));
                state.build(parent, 1);
            }
            Some((at, back)) if number >= at => {
                state.pool.extend(back);
                state.returning = Some((u64::MAX, Vec::new()));
            }
            waiting => state.returning = waiting,
        }
        let best = state.best;
        let on = if fork > 0 && number > 1 && number.is_multiple_of(fork) && best != state.last {
            let back = state.blocks[&best].1.clone();
            state.pool.extend(back);
            let on = state.build(parent, 1);
            blake2_256(&on.encode())
        } else {
            best
        };
        let head = state.build(on, 0);
        state.last = on;
        let last = state.blocks[&on].0.clone();
        drop(state);
        let _ = self.heads[0].send(head);
        let _ = self.heads[1].send(last);
    }

    fn module(self: Arc<Self>) -> RpcModule<Arc<Self>> {
        type Answer = Result<serde_json::Value, ErrorObjectOwned>;
        let mut module = RpcModule::new(self);
        let mut add = |name, answer: fn(&mut State_, Params) -> Answer| {
            let method = move |params: Params, fake: &Arc<Self>, _: &_| {
                answer(&mut fake.state.lock().expect("not poisoned"), params)
            };
            module.register_method(name, method).expect("a new name");
        };
        add("author_submitExtrinsic", |state, params| {
            state.submit(params.one()?).map(|hash| json!(hash))
        });
        add("author_pendingExtrinsics", |state, _| Ok(json!(state.pool)));
        add("system_health", |_, _| Ok(json!({ "peers": 0 })));
        add("chain_getBlockHash", |state, _| {
            Ok(json!(to_hex(&state.best)))
        });
        add("chain_getFinalizedHead", |state, _| {
            Ok(json!(to_hex(&state.last)))
        });
        add("chain_getHeader", |state, params| {
            Ok(json!(state.blocks[&named(&params)?].0))
        });
        add("chain_getBlock", |state, params| {
            let (header, extrinsics) = &state.blocks[&named(&params)?];
            Ok(json!({ "block": { "header": header, "extrinsics": extrinsics } }))
        });
        for (at, [subscribe, note, end]) in [
            [
                "chain_subscribeNewHeads",
                "chain_newHead",
                "chain_unsubscribeNewHeads",
            ],
            [
                "chain_subscribeFinalizedHeads",
                "chain_finalizedHead",
                "chain_unsubscribeFinalizedHeads",
            ],
        ]
        .into_iter()
        .enumerate()
        {
            let feed = move |_: Params<'static>,
                             pending: PendingSubscriptionSink,
                             fake: Arc<Arc<Self>>,
                             _| async move {
                let mut heads = fake.heads[at].subscribe();
                let sink = pending.accept().await.expect("the client listens");
                while let Ok(head) = heads.recv().await {
                    let message = SubscriptionMessage::from_json(&head).expect("a header");
                    if sink.send(message).await.is_err() {
                        break;
                    }
                }
            };
            module
                .register_subscription(subscribe, note, end, feed)
                .expect("a new name");
        }
        module
    }
}

/// The node, and where it listens. It makes a block every 20 ms.
async fn start(habits: Habits) -> (Arc<Fake>, ServerHandle, String) {
    let (genesis, first) = header([0; 32], 0, 0);
    let state = State_ {
        habits,
        blocks: HashMap::from([(genesis, (first, Vec::new()))]),
        best: genesis,
        last: genesis,
        pool: VecDeque::new(),
        returning: None,
        forgotten: HashSet::new(),
        seen: 0,
    };
    let fake = Arc::new(Fake {
        state: Mutex::new(state),
        heads: [broadcast::channel(64).0, broadcast::channel(64).0],
    });
    let server = ServerBuilder::default()
        .build("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("ws://{}", server.local_addr().expect("an address"));
    let handle = server.start(Arc::clone(&fake).module());
    let maker = Arc::clone(&fake);
    let stop = handle.clone();
    tokio::spawn(async move {
        while !stop.is_stopped() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            maker.step();
        }
    });
    (fake, handle, url)
}

fn transactions(count: u32) -> Vec<Signed> {
    let signed = |number: u32| {
        let bytes = [number.to_le_bytes().to_vec(), vec![0xee; 60]].concat();
        Signed {
            hash: blake2_256(&bytes),
            bytes: bytes.into(),
        }
    };
    (0..count).map(signed).collect()
}

async fn load(habits: Habits, count: u32, pace: Pace, resubmit: bool) -> (Run, Vec<Hash>) {
    let (_fake, handle, url) = start(habits).await;
    let connected = Rpc::connect(&url, Limits::default()).await;
    let rpc = connected.expect("it listens");
    let setup = Setup {
        rpc: &rpc,
        timestamp: None,
        urls: &[url],
        transactions: transactions(count),
        senders: 10,
        pace,
        offering: (pace != Pace::AtOnce).then_some(Duration::from_millis(500)),
        drain: Duration::from_secs(5),
        resubmit,
        connections: 2,
        depth: 16,
    };
    let ran = run(setup).await.expect("it runs");
    let left = pool(&rpc).await.expect("it answers");
    handle.stop().expect("it was running");
    (ran, left)
}

#[tokio::test]
async fn a_steady_load_becomes_final_and_is_counted_once() {
    let (ran, left) = load(HONEST, 250, Pace::Rate(500.0), false).await;
    assert!(ran.trouble.is_none() && left.is_empty());
    assert_eq!(ran.ledger.count(State::Final), 250);
    assert_eq!(ran.ledger.accepted(), 250);
    assert_eq!(ran.rows.iter().map(|row| row.ours).sum::<u32>(), 250);
    assert_eq!(ran.ledger.final_ms.len(), 250);
    assert!(ran.health_us.count > 0 && ran.health_failed == 0);
    // Every height is there once.
    let heights: Vec<_> = ran.rows.iter().map(|row| row.number).collect();
    assert!(heights.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[tokio::test]
async fn a_closed_loop_keeps_its_level_and_stops_in_time() {
    let (ran, _) = load(HONEST, 100_000, Pace::Fill(80), false).await;
    assert!(ran.most_pooled <= 80 && !ran.exhausted);
    assert_eq!(ran.ledger.count(State::Final), ran.ledger.offered());
    assert!(ran.ledger.offered() > 80);
}

#[tokio::test]
async fn a_full_pool_is_waited_for_until_everything_is_final() {
    let small = unlike_honest(|habits| habits.limit = 40);
    let (ran, left) = load(small, 600, Pace::AtOnce, true).await;
    assert_eq!(ran.ledger.count(State::Final), 600);
    assert!(ran.ledger.refused_first > 0 && left.is_empty());
    assert!(ran
        .ledger
        .refusals
        .keys()
        .all(|refusal| refusal.code == 1016));
}

#[tokio::test]
async fn what_a_pool_forgets_is_offered_again_by_a_burst_and_lost_by_a_steady_load() {
    let forgetful = unlike_honest(|habits| habits.forget = 50);
    let (ran, _) = load(forgetful, 300, Pace::AtOnce, true).await;
    assert_eq!(ran.ledger.count(State::Final), 300);
    assert!(ran.ledger.evicted >= 5, "{}", ran.ledger.evicted);

    let (ran, left) = load(forgetful, 200, Pace::Rate(400.0), false).await;
    assert_eq!(ran.ledger.count(State::Pooled), 4);
    assert_eq!(ran.ledger.missing(&left).len(), 4);
}

#[tokio::test]
async fn what_a_slow_pool_has_not_back_yet_after_a_reorganisation_is_not_lost() {
    let slow = unlike_honest(|habits| habits.late = 100);
    let (ran, left) = load(slow, 100, Pace::Rate(500.0), false).await;
    assert!(ran.retracted > 0);
    assert!(left.is_empty());
    assert_eq!(ran.ledger.count(State::Final), 100);
}

#[tokio::test]
async fn a_refused_transaction_ends_its_sender_and_nobody_else() {
    let picky = unlike_honest(|habits| habits.refuse = 100);
    let (ran, _) = load(picky, 250, Pace::Rate(500.0), false).await;
    let ledger = &ran.ledger;
    assert_eq!(ledger.count(State::Refused), 2);
    assert!(ledger.count(State::Skipped) > 0);
    let settled = ledger.count(State::Final) + ledger.count(State::Refused);
    assert_eq!(settled + ledger.count(State::Skipped), 250);
}

#[tokio::test]
async fn reorganisations_take_nothing_away_in_the_end() {
    let unsteady = unlike_honest(|habits| habits.fork = 4);
    let (ran, _) = load(unsteady, 250, Pace::Rate(500.0), false).await;
    assert!(ran.retracted > 0);
    assert_eq!(ran.ledger.count(State::Final), 250);
    assert_eq!(ran.rows.iter().map(|row| row.ours).sum::<u32>(), 250);
}

#[tokio::test]
async fn a_node_that_is_gone_is_an_error_and_no_hang() {
    let error = Rpc::connect("ws://127.0.0.1:1", Limits::default()).await;
    let error = error.err().map(Error::from);
    assert_eq!(error.expect("nobody listens").exit_code(), 3);
}
