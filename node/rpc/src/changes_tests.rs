// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

use super::*;

use std::collections::BTreeMap;

use futures::channel::mpsc::{unbounded, UnboundedReceiver, UnboundedSender};
use jsonrpsee::RpcModule;
use serde_json::{json, Value};
use tos_types::task::Phase;

/// Messages that a connection of the server has room for.
const CONNECTION: usize = 64;

fn block(number: BlockNumber) -> BlockRef {
    BlockRef {
        hash: Hash::from_low_u64_be(number.into()),
        number,
    }
}

fn change(task: u16) -> TaskChange {
    let mut id = [0; 16];
    id[..2].copy_from_slice(&task.to_be_bytes());
    TaskChange {
        task: TaskId(id),
        phase: Phase::Open,
        round: 0,
        deadline: 9,
    }
}

/// A chain of which some blocks' states are known.
struct Known(BTreeMap<Hash, Vec<TaskChange>>);

impl Known {
    /// One change in each of these blocks.
    fn blocks(numbers: impl IntoIterator<Item = BlockNumber>) -> Self {
        let one = |number| (block(number).hash, vec![change(1)]);
        Self(numbers.into_iter().map(one).collect())
    }
}

#[async_trait]
impl Source for Known {
    async fn changes(&self, at: Hash) -> Result<Vec<TaskChange>, String> {
        let known = self.0.get(&at).cloned();
        known.ok_or_else(|| "its state is pruned".into())
    }

    fn final_block(&self, number: BlockNumber) -> Option<Hash> {
        Some(block(number).hash)
    }
}

/// A subscriber, and what makes things happen to the chain.
struct Subscriber {
    events: UnboundedSender<Event>,
    messages: tokio::sync::mpsc::Receiver<String>,
}

impl Subscriber {
    async fn new(known: Known, start: Start, task: Option<TaskId>) -> Self {
        let (events, happening) = unbounded();
        let module = module(known, happening, start, task);
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"subscribe","params":[]}"#;
        let (reply, messages) = module
            .raw_json_request(request, CONNECTION)
            .await
            .expect("a request");
        assert!(reply.contains("result"), "{reply}");
        Self { events, messages }
    }

    fn happen(&self, event: Event) {
        self.events.unbounded_send(event).expect("it is served");
    }

    /// The `params` of the next message.
    async fn next(&mut self) -> Option<Value> {
        let text = self.messages.recv().await?;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        Some(message["params"].clone())
    }

    async fn notices(&mut self, number: usize) -> Vec<ChangeNotice> {
        let mut notices = Vec::new();
        while notices.len() < number {
            let params = self.next().await.expect("it goes on");
            let result = params["result"].clone();
            notices.push(serde_json::from_value(result).expect("a notice"));
        }
        notices
    }

    /// Heights and whether they were told as final.
    async fn blocks(&mut self, number: usize) -> Vec<(BlockNumber, bool)> {
        let notices = self.notices(number).await;
        let blocks = notices.into_iter().map(|it| {
            assert_eq!(it.at, block(it.block).hash);
            (it.block, it.finalized)
        });
        blocks.collect()
    }

    /// The error at the end.
    async fn error(&mut self) -> Value {
        loop {
            let params = self.next().await.expect("an error comes before the end");
            if params["error"].is_object() {
                assert!(self.messages.recv().await.is_none());
                return params["error"].clone();
            }
        }
    }
}

fn module(
    known: Known,
    events: UnboundedReceiver<Event>,
    start: Start,
    task: Option<TaskId>,
) -> RpcModule<()> {
    let (known, events) = (Arc::new(known), Arc::new(Mutex::new(Some(events))));
    let mut module = RpcModule::new(());
    module
        .register_subscription(
            "subscribe",
            "change",
            "unsubscribe",
            move |_, pending, _, _| {
                let events = events.lock().take().expect("there is one subscriber");
                serve(pending, Arc::clone(&known), events, start.clone(), task)
            },
        )
        .expect("registers");
    module
}

/// A subscriber that begins at the genesis block.
fn genesis() -> Start {
    Start {
        told: 0,
        is_final: 0,
        best: Vec::new(),
    }
}

#[tokio::test]
async fn a_thousand_changes_in_one_block_are_told_twice_and_the_next_block_too() {
    let many: Vec<_> = (0..1_000).map(change).collect();
    let known = [
        (block(1).hash, many.clone()),
        (block(2).hash, vec![change(7)]),
    ];
    let mut subscriber = Subscriber::new(Known(known.into()), genesis(), None).await;
    subscriber.happen(Event::Best(vec![block(1)]));
    subscriber.happen(Event::Final(1));
    for finalized in [false, true] {
        let notices = subscriber.notices(1_000).await;
        let heard: Vec<_> = notices.iter().map(|notice| notice.change).collect();
        assert_eq!(heard, many);
        assert!(notices
            .iter()
            .all(|it| it.finalized == finalized && it.block == 1));
    }
    subscriber.happen(Event::Best(vec![block(2)]));
    subscriber.happen(Event::Final(2));
    assert_eq!(subscriber.blocks(2).await, [(2, false), (2, true)]);
}

#[tokio::test]
async fn finality_that_catches_up_tells_every_block() {
    let known = Known::blocks(1..=1_000);
    let mut subscriber = Subscriber::new(known, genesis(), None).await;
    subscriber.happen(Event::Final(1_000));
    let expected: Vec<_> = (1..=1_000).map(|number| (number, true)).collect();
    assert_eq!(subscriber.blocks(1_000).await, expected);
}

#[tokio::test]
async fn a_subscriber_that_is_too_slow_is_told_so_and_where_to_go_on() {
    let known = Known::blocks(1..=1_000);
    let mut subscriber = Subscriber::new(known, genesis(), None).await;
    subscriber.happen(Event::Best(vec![block(1)]));
    subscriber.happen(Event::Final(1));
    assert_eq!(subscriber.blocks(2).await, [(1, false), (1, true)]);
    // It does not read while the chain goes on.
    for number in 2..1_000 {
        subscriber.happen(Event::Best(vec![block(number)]));
    }
    let error = subscriber.error().await;
    assert_eq!(error["code"], json!(TOO_SLOW));
    assert_eq!(error["data"], json!({ "from": 2 }));
    let message = error["message"].as_str().expect("text");
    assert!(message.contains("256 blocks behind"), "{message}");
}

#[tokio::test]
async fn going_on_from_a_height_repeats_nothing_and_leaves_nothing_out() {
    let start = Start {
        told: 4,
        is_final: 7,
        best: vec![block(8), block(9)],
    };
    let mut subscriber = Subscriber::new(Known::blocks(1..=11), start, None).await;
    // The last block became the best one just when the subscriber came.
    subscriber.happen(Event::Best(vec![block(9)]));
    subscriber.happen(Event::Best(vec![block(10)]));
    let expected = [5, 6, 7].map(|number| (number, true));
    assert_eq!(subscriber.blocks(3).await, expected);
    let expected = [8, 9, 10].map(|number| (number, false));
    assert_eq!(subscriber.blocks(3).await, expected);
    subscriber.happen(Event::Final(9));
    assert_eq!(subscriber.blocks(2).await, [(8, true), (9, true)]);
}

#[tokio::test]
async fn a_state_that_is_gone_ends_the_subscription_with_an_error() {
    let mut subscriber = Subscriber::new(Known::blocks([1, 3]), genesis(), None).await;
    subscriber.happen(Event::Final(3));
    let error = subscriber.error().await;
    assert_eq!(error["code"], json!(NO_STATE));
    assert_eq!(error["data"], json!({ "from": 3 }));
    let message = error["message"].as_str().expect("text");
    assert!(
        message.contains("block 2") && message.contains("pruned"),
        "{message}"
    );
}

#[tokio::test]
async fn the_changes_of_one_task_come_without_those_of_others() {
    let known = [(block(1).hash, vec![change(1), change(2), change(1)])];
    let one = Some(change(1).task);
    let mut subscriber = Subscriber::new(Known(known.into()), genesis(), one).await;
    subscriber.happen(Event::Best(vec![block(1)]));
    subscriber.happen(Event::Final(1));
    let notices = subscriber.notices(4).await;
    assert!(notices.iter().all(|it| Some(it.change.task) == one));
    let finals: Vec<_> = notices.iter().map(|it| it.finalized).collect();
    assert_eq!(finals, [false, false, true, true]);
}

#[test]
fn who_catches_up_is_not_too_slow_for_blocks_that_became_final_meanwhile() {
    let mut backlog = Backlog::new(0, 10_000, Vec::new());
    for number in 10_001..20_000 {
        backlog.add(Event::Best(vec![block(number)])).expect("room");
        backlog.add(Event::Final(number)).expect("room");
        assert!(matches!(backlog.next(), Some(Next::Final(_))));
    }
    assert!(backlog.best.is_empty());
}

#[test]
fn who_begins_while_finality_is_far_behind_is_not_too_slow_from_the_beginning() {
    let best: Vec<_> = (1..=5_000).map(block).collect();
    let mut backlog = Backlog::new(0, 0, best);
    backlog.add(Event::Best(vec![block(5_001)])).expect("room");
    for number in 1..=5_001 {
        assert_eq!(backlog.next(), Some(Next::Best(block(number))));
    }
    // From here on it is held to what all others are.
    for number in 5_002..5_258 {
        backlog.add(Event::Best(vec![block(number)])).expect("room");
    }
    assert!(backlog.add(Event::Best(vec![block(5_258)])).is_err());
}
