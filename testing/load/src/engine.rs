// SPDX-License-Identifier: Apache-2.0

//! Offers signed transactions at a pace and keeps the accounts. One task owns all state; the
//! connections and the follower of the chain talk to it through channels.

use crate::{
    blocks::{self, Event, Follower},
    error::{Error, Result},
    ledger::{Ledger, Next, State},
    pace::{back_off, Pace},
    stats::{Mark, Percentiles},
    submit::{Answer, Submitter},
};
use serde::{de::IgnoredAny, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    task::JoinHandle,
    time::{interval, MissedTickBehavior},
};
use tos_sdk::{
    any_chain::{head, Block, Head, Signed},
    pool_error::PoolError,
    rpc::{rpc_params, Limits, Rpc},
};

/// Pause between two offers of transactions.
const TICK: Duration = Duration::from_millis(5);
/// A chain that makes no block for so long stands still.
const STILL: Duration = Duration::from_secs(60);
/// Heads in a row that bring none of ours, after which the pool is asked what it still holds.
const IDLE_HEADS: u32 = 3;
/// Pause between two questions of the probe.
const PROBE: Duration = Duration::from_millis(100);
/// The least room that a pool is taken to have.
const LEAST_ROOM: usize = 16;
/// The most answers handled before blocks and pace get their turn.
const ANSWERS: usize = 512;

/// Setup of a run.
pub struct Setup<'a> {
    /// The node that is followed.
    pub rpc: &'a Rpc,
    /// The numbers of its call `Timestamp.set`.
    pub timestamp: Option<(u8, u8)>,
    /// The nodes that get the transactions.
    pub urls: &'a [String],
    /// Transactions, one of each sender in turn.
    pub transactions: Vec<Signed>,
    /// Number of senders.
    pub senders: usize,
    /// Pace at which they are offered.
    pub pace: Pace,
    /// For how long; None until all are. A rate goes on until all are in any case.
    pub offering: Option<Duration>,
    /// Time to wait afterwards while nothing more becomes final.
    pub drain: Duration,
    /// `true` to offer again what the pool lost.
    pub resubmit: bool,
    /// Connections, and requests that may wait on each.
    pub connections: usize,
    /// See above.
    pub depth: usize,
}

/// A block with transactions of this run, or between such.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its height.
    pub number: u64,
    /// Time at which it was made: its timestamp, or, where the chain has none, that at which it was
    /// seen; on the clock of [`Run::began_ms`].
    pub made_ms: u64,
    /// Transactions of this run in it.
    pub ours: u32,
    /// Everything in it, what its author put there included.
    pub extrinsics: u32,
    /// The bytes of that.
    pub bytes: usize,
    /// Time at which it became final, in milliseconds since the run began.
    pub final_ms: u32,
}

/// Result of a run.
pub struct Run {
    /// The accounts.
    pub ledger: Ledger,
    /// Final blocks, oldest first.
    pub rows: Vec<Row>,
    /// Time of the first offer, in milliseconds since 1970.
    pub began_ms: u64,
    /// Time from the first offer to the last.
    pub offered_for: Duration,
    /// The last final block.
    pub last: Block,
    /// Blocks that left the best chain.
    pub retracted: usize,
    /// Time that the node took to answer `system_health` meanwhile, in microseconds.
    pub health_us: Percentiles,
    /// Health questions that got no answer.
    pub health_failed: u32,
    /// The most that the pool held at once, as far as is known here.
    pub most_pooled: usize,
    /// `true` if there were no signed transactions left before the time was up.
    pub exhausted: bool,
    /// Reason for which it ended early, if it did.
    pub trouble: Option<Error>,
}

impl Run {
    /// The final blocks as rates need them.
    pub fn marks(&self) -> Vec<Mark> {
        let mark = |row: &Row| Mark {
            made_ms: row.made_ms,
            ours: row.ours,
        };
        self.rows.iter().map(mark).collect()
    }
}

/// Runs it.
pub async fn run(setup: Setup<'_>) -> Result<Run> {
    let from = head(setup.rpc, Head::Final).await?;
    let mut follower = Follower::start(setup.rpc.url(), setup.timestamp, from).await?;
    let connected = Submitter::connect(setup.urls, setup.connections, setup.depth).await?;
    let (submitter, mut answers) = connected;
    let probe = Probe::start(setup.rpc.url()).await?;
    let mut state = Engine::new(&setup, submitter, from);
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !state.over() {
        tokio::select! {
            _ = tick.tick() => state.offer(),
            Some((number, answer)) = answers.recv() => {
                state.answered(number, answer);
                for _ in 0..ANSWERS {
                    let Ok((number, answer)) = answers.try_recv() else { break };
                    state.answered(number, answer);
                }
            }
            event = follower.events.recv() => match event {
                Some(Event::Over(error)) => state.trouble = Some(error),
                Some(event) => state.block(event),
                None => break,
            },
        }
        if state.idle_heads >= IDLE_HEADS && state.ledger.count(State::Sent) == 0 {
            state.look_for_missing().await;
        }
    }
    let (health_us, health_failed) = probe.stop().await;
    Ok(Run {
        rows: state.rows.into_values().collect(),
        began_ms: state.began_ms,
        offered_for: state.offered_for,
        last: state.last,
        retracted: state.retracted,
        most_pooled: state.most_pooled,
        exhausted: state.exhausted,
        trouble: state.trouble,
        ledger: state.ledger,
        health_us,
        health_failed,
    })
}

struct Engine<'a, 'b> {
    setup: &'a Setup<'b>,
    submitter: Submitter,
    ledger: Ledger,
    /// The next one to offer.
    next: usize,
    /// Those to offer again, and when.
    again: BinaryHeap<Reverse<(u32, u32)>>,
    /// Number of our transactions that the pool seems to hold.
    room: usize,
    /// Senders of whom nothing can follow.
    dead: Vec<bool>,
    began: Instant,
    began_ms: u64,
    offered_for: Duration,
    last_block: Instant,
    /// Time at which a transaction became final last.
    progress: Instant,
    last: Block,
    rows: BTreeMap<u64, Row>,
    retracted: usize,
    most_pooled: usize,
    exhausted: bool,
    idle_heads: u32,
    /// The pool held none of those that are in no block, when it was asked last.
    suspected: bool,
    hopeless: bool,
    trouble: Option<Error>,
}

impl<'a, 'b> Engine<'a, 'b> {
    fn new(setup: &'a Setup<'b>, submitter: Submitter, from: Block) -> Self {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let began = Instant::now();
        Self {
            setup,
            submitter,
            ledger: Ledger::new(setup.transactions.iter().map(|signed| signed.hash)),
            next: 0,
            again: BinaryHeap::new(),
            room: usize::MAX,
            dead: vec![false; setup.senders],
            began,
            began_ms: since_1970.map_or(0, |time| {
                u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
            }),
            offered_for: Duration::ZERO,
            last_block: began,
            progress: began,
            last: from,
            rows: BTreeMap::new(),
            retracted: 0,
            most_pooled: 0,
            exhausted: false,
            idle_heads: 0,
            suspected: false,
            hopeless: false,
            trouble: None,
        }
    }

    fn now_ms(&self) -> u32 {
        self.ms_of(Instant::now())
    }

    fn ms_of(&self, at: Instant) -> u32 {
        // A run is far shorter than 49 days.
        let ms = at.saturating_duration_since(self.began).as_millis();
        u32::try_from(ms).unwrap_or(u32::MAX)
    }

    fn still_offering(&self) -> bool {
        // A rate has offered everything when its time is up, give or take a tick.
        let timed = !matches!(self.setup.pace, Pace::Rate(_));
        let limit = self.setup.offering.filter(|_| timed);
        let in_time = limit.is_none_or(|limit| self.began.elapsed() < limit);
        in_time && self.next < self.setup.transactions.len()
    }

    fn over(&mut self) -> bool {
        if self.trouble.is_some() || self.hopeless {
            return true;
        }
        if self.last_block.elapsed() > STILL {
            self.trouble = Some(Error::TimedOut {
                what: "the chain makes a block".into(),
                seconds: STILL.as_secs(),
            });
            return true;
        }
        if self.still_offering() {
            return false;
        }
        // Bounded, for each progress takes one transaction nearer to its end.
        let since = self.progress.max(self.began + self.offered_for);
        self.ledger.open() == 0 || since.elapsed() > self.setup.drain
    }

    /// Sends what is due: first what is to be offered again, then new ones.
    fn offer(&mut self) {
        let now = self.now_ms();
        while let Some(&Reverse((due, number))) = self.again.peek() {
            // What is refused for room costs the node as well: wait until blocks have made some.
            if due > now || self.ledger.outside() >= self.room {
                break;
            }
            self.again.pop();
            self.send(number, now);
        }
        let elapsed = self.began.elapsed();
        if !self.still_offering() {
            let limit = self.setup.offering;
            self.exhausted |= limit.is_some_and(|limit| elapsed < limit)
                && matches!(self.setup.pace, Pace::Fill(_));
            return;
        }
        let mut due = self
            .setup
            .pace
            .due(elapsed, self.next, self.ledger.outside());
        while due > 0 && self.next < self.setup.transactions.len() {
            // Bounded by MAX_TRANSACTIONS.
            let number = self.next as u32;
            self.next += 1;
            due -= 1;
            if self.dead[number as usize % self.setup.senders] {
                self.ledger.skip(number);
            } else {
                self.send(number, now);
            }
        }
        self.offered_for = elapsed;
    }

    fn send(&mut self, number: u32, now: u32) {
        let Some(signed) = self.setup.transactions.get(number as usize) else {
            return;
        };
        if self.ledger.offer(number, now) {
            let sender = number as usize % self.setup.senders;
            self.submitter
                .send(sender, (number, Arc::clone(&signed.bytes)));
        }
    }

    fn answered(&mut self, number: u32, answer: Answer) {
        self.most_pooled = self.most_pooled.max(self.ledger.count(State::Pooled));
        if matches!(&answer, Answer::Refused(r) if PoolError::of(r) == PoolError::ImmediatelyDropped)
        {
            self.room = self.ledger.count(State::Pooled).max(LEAST_ROOM);
        }
        match self.ledger.answer(number, answer) {
            Next::Wait => {}
            Next::Again(refusals) => self.later(number, back_off(refusals)),
            Next::Dead => self.dead[number as usize % self.setup.senders] = true,
        }
    }

    fn later(&mut self, number: u32, pause: Duration) {
        let due = self.ms_of(Instant::now() + pause);
        self.again.push(Reverse((due, number)));
    }

    fn block(&mut self, event: Event) {
        match event {
            Event::Best { joined, left, at } => {
                self.last_block = Instant::now();
                let mut moved = !left.is_empty();
                self.retracted += left.len();
                for block in left {
                    self.ledger.retracted(&block.extrinsics);
                }
                let now = self.ms_of(at);
                for block in joined {
                    moved |= self.ledger.best(&block.extrinsics, now) > 0;
                    // Others' transactions leave the pool too: see whether there is more room.
                    self.room = self.room.saturating_add(self.room / 20 + 1);
                }
                self.idle_heads = if moved { 0 } else { self.idle_heads + 1 };
                self.suspected &= !moved;
            }
            Event::Final { blocks, left, at } => {
                let now = self.ms_of(at);
                for block in blocks {
                    let ours = self.ledger.finalised(&block.extrinsics, now);
                    if ours > 0 {
                        self.progress = Instant::now();
                    }
                    self.last = Block {
                        number: block.number,
                        hash: block.hash,
                    };
                    let row = Row {
                        number: block.number,
                        made_ms: block.timestamp_ms.unwrap_or(self.began_ms + u64::from(now)),
                        ours,
                        extrinsics: u32::try_from(block.extrinsics.len()).unwrap_or(u32::MAX),
                        bytes: block.bytes,
                        final_ms: now,
                    };
                    self.rows.insert(block.number, row);
                }
                self.retracted += left.len();
                for block in left {
                    self.ledger.retracted(&block.extrinsics);
                }
            }
            Event::Over(error) => self.trouble = Some(error),
        }
    }

    /// Blocks pass without ours: either the pool has lost them, or it waits for an earlier one.
    async fn look_for_missing(&mut self) {
        self.idle_heads = 0;
        let waiting = self.ledger.count(State::Pooled);
        if waiting == 0 {
            return;
        }
        // A pool that cannot be asked now is asked again a few blocks later.
        let Ok(pool) = blocks::pool(self.setup.rpc).await else {
            return;
        };
        let missing = self.ledger.missing(&pool);
        if self.setup.resubmit {
            for number in missing {
                self.ledger.evict(number);
                self.later(number, Duration::ZERO);
            }
        } else if missing.len() == waiting && !self.still_offering() && self.again.is_empty() {
            // Nothing of it will come any more: if the pool says so twice. It follows the chain some
            // time after the head is known, and after a reorganisation it first looks empty.
            self.hopeless = self.suspected;
            self.suspected = true;
        } else {
            self.suspected = false;
        }
    }
}

/// Asks the node for its health all the time, on a connection of its own.
struct Probe {
    task: JoinHandle<(Vec<u32>, u32)>,
    stop: tokio::sync::watch::Sender<bool>,
}

impl Probe {
    async fn start(url: &str) -> Result<Self> {
        let rpc = Rpc::connect(url, Limits::default()).await?;
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let task = tokio::spawn(async move {
            let (mut took, mut failed) = (Vec::new(), 0);
            while !*stopped.borrow() {
                let asked = Instant::now();
                let health = rpc.call::<IgnoredAny>("system_health", rpc_params![]);
                match health.await {
                    Ok(_) => {
                        took.push(u32::try_from(asked.elapsed().as_micros()).unwrap_or(u32::MAX))
                    }
                    Err(_) => failed += 1,
                }
                tokio::time::sleep(PROBE).await;
            }
            (took, failed)
        });
        Ok(Self { task, stop })
    }

    async fn stop(self) -> (Percentiles, u32) {
        let _ = self.stop.send(true);
        // A question on its way has a deadline of its own; it is not waited for here.
        let limit = Duration::from_secs(10);
        match tokio::time::timeout(limit, self.task).await {
            Ok(Ok((mut took, failed))) => (Percentiles::of(&mut took), failed),
            _ => (Percentiles::default(), 1),
        }
    }
}
