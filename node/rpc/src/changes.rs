// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Tells a subscriber what changed in every block that becomes best, and again once it is final.
//!
//! Nothing is left out, however much changes in a block and however many blocks are final at once: what waits are names of blocks,
//! and their changes are read when the subscriber has room for them. It ends with an error that the subscriber sees and can go on
//! from, where it is too slow for the chain or this node no longer knows a block's state.

use std::{collections::VecDeque, sync::Arc};

use futures::{
    future::{self, Either},
    pin_mut, Stream, StreamExt,
};
use jsonrpsee::{
    core::async_trait, types::ErrorObjectOwned, PendingSubscriptionSink, SubscriptionCloseResponse,
    SubscriptionMessage, SubscriptionSink,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tos_runtime::{BlockNumber, Hash};
use tos_types::TaskId;
use tos_views::TaskChange;

/// Best blocks that a subscriber may be behind: eight and a half minutes of two seconds each.
const MOST_BEHIND: usize = 256;
/// The code of the error of a subscriber that is too slow.
pub const TOO_SLOW: i32 = 1_007;
/// The code of the error for a block whose state this node does not know.
pub const NO_STATE: i32 = 1_008;

/// A block by hash and height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef {
    pub hash: Hash,
    pub number: BlockNumber,
}

/// A change of the best chain or of its final part.
#[derive(Clone, Debug)]
pub enum Event {
    /// These blocks, the oldest first, are part of the best chain from now on.
    Best(Vec<BlockRef>),
    /// All blocks up to this height are final.
    Final(BlockNumber),
}

/// A change of a task, and whether it can still be undone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeNotice {
    /// The change.
    #[serde(flatten)]
    pub change: TaskChange,
    /// The block it happened in.
    pub at: Hash,
    /// Height of that block.
    pub block: BlockNumber,
    /// `true` if that block is final. Every change is told twice: when its block becomes the best
    /// one, and when it becomes final. Only the second cannot be undone.
    pub finalized: bool,
}

/// The chain that changes are read from.
#[async_trait]
pub trait Source: Send + Sync + 'static {
    /// The changes in a block, or why they cannot be told.
    async fn changes(&self, at: Hash) -> Result<Vec<TaskChange>, String>;
    /// The final block of a height that is final.
    fn final_block(&self, number: BlockNumber) -> Option<Hash>;
}

/// Blocks whose changes are to be told.
struct Backlog {
    best: VecDeque<BlockRef>,
    /// The blocks of `best` that were there from the beginning: they do not make the subscriber slow.
    owed: usize,
    /// Best blocks that were in the backlog from the beginning: an event may name them once more.
    initial: Vec<BlockRef>,
    /// The last block that was final at the beginning; until it is told, the subscriber catches up.
    catch_up: BlockNumber,
    /// The last final block whose turn has come.
    begun: BlockNumber,
    /// The last one that was told to its end.
    told: BlockNumber,
    is_final: BlockNumber,
}

/// The subscriber is too many blocks behind.
#[derive(Debug)]
struct TooSlow;

/// The next block, and whether to tell it as a final one.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Best(BlockRef),
    Final(BlockNumber),
}

impl Backlog {
    fn new(told: BlockNumber, is_final: BlockNumber, best: Vec<BlockRef>) -> Self {
        Self {
            owed: best.len(),
            best: best.iter().copied().collect(),
            initial: best,
            catch_up: is_final,
            begun: told,
            told,
            is_final,
        }
    }

    /// Fails when too many best blocks came that wait; final ones are only counted.
    fn add(&mut self, event: Event) -> Result<(), TooSlow> {
        match event {
            Event::Best(blocks) => {
                let initial = &self.initial;
                let new = blocks.into_iter().filter(|block| !initial.contains(block));
                self.best.extend(new);
            }
            Event::Final(number) => {
                self.is_final = self.is_final.max(number);
                self.initial.retain(|block| block.number > number);
                // Catching up may take longer than blocks take to become final. They are told once then.
                if self.begun < self.catch_up {
                    let before = self.best.len();
                    self.best.retain(|block| block.number > number);
                    let gone = before.saturating_sub(self.best.len());
                    self.owed = self.owed.saturating_sub(gone);
                }
            }
        }
        if self.best.len().saturating_sub(self.owed) > MOST_BEHIND {
            return Err(TooSlow);
        }
        Ok(())
    }

    /// By height, and a block as the best one before it is told as a final one.
    fn next(&mut self) -> Option<Next> {
        let after = self.begun.saturating_add(1);
        let is_final = after <= self.is_final;
        let first = |block: &BlockRef| !is_final || block.number <= after;
        if self.best.front().is_some_and(first) {
            self.owed = self.owed.saturating_sub(1);
            return self.best.pop_front().map(Next::Best);
        }
        if !is_final {
            return None;
        }
        self.begun = after;
        Some(Next::Final(after))
    }
}

/// The place where a subscriber begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// The last final block that it needs not be told.
    pub told: BlockNumber,
    /// The last final block.
    pub is_final: BlockNumber,
    /// Best blocks that it is told first, oldest first.
    pub best: Vec<BlockRef>,
}

/// A place to go on from, for a subscriber that was ended.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resume {
    /// Pass it as `from`.
    from: BlockNumber,
}

fn ended(code: i32, message: String, from: BlockNumber) -> SubscriptionCloseResponse {
    let error = ErrorObjectOwned::owned(code, message, Some(Resume { from }));
    match SubscriptionMessage::from_json(&error) {
        Ok(message) => SubscriptionCloseResponse::NotifErr(message),
        // A number and text always become JSON.
        Err(_) => SubscriptionCloseResponse::None,
    }
}

/// Serves one subscriber until it leaves, is too slow, or asks for what is not there. `task` is the only one it wants to hear of.
pub async fn serve(
    pending: PendingSubscriptionSink,
    source: Arc<impl Source>,
    events: impl Stream<Item = Event> + Send,
    start: Start,
    task: Option<TaskId>,
) -> SubscriptionCloseResponse {
    let Ok(sink) = pending.accept().await else {
        return SubscriptionCloseResponse::None;
    };
    let backlog = Mutex::new(Backlog::new(start.told, start.is_final, start.best));
    let more = Notify::new();
    let collect = async {
        pin_mut!(events);
        while let Some(event) = events.next().await {
            if backlog.lock().add(event).is_err() {
                return Some(());
            }
            more.notify_one();
        }
        // The node is ending.
        None
    };
    let tell = tell(&sink, &*source, &backlog, &more, task);
    pin_mut!(collect, tell);
    match future::select(collect, tell).await {
        Either::Left((None, _)) => SubscriptionCloseResponse::None,
        Either::Left((Some(()), _)) => ended(
            TOO_SLOW,
            format!(
                "this subscriber is more than {MOST_BEHIND} blocks behind; read faster, and subscribe again with `from`"
            ),
            backlog.lock().told.saturating_add(1),
        ),
        Either::Right((response, _)) => response,
    }
}

async fn tell(
    sink: &SubscriptionSink,
    source: &impl Source,
    backlog: &Mutex<Backlog>,
    more: &Notify,
    task: Option<TaskId>,
) -> SubscriptionCloseResponse {
    loop {
        let next = backlog.lock().next();
        let (number, finalized) = match &next {
            Some(Next::Best(block)) => (block.number, false),
            Some(Next::Final(number)) => (*number, true),
            None => {
                let event = more.notified();
                let closed = sink.closed();
                pin_mut!(event, closed);
                match future::select(event, closed).await {
                    Either::Left(_) => continue,
                    Either::Right(_) => return SubscriptionCloseResponse::None,
                }
            }
        };
        let at = match next {
            Some(Next::Best(block)) => Some(block.hash),
            _ => source.final_block(number),
        };
        let changes = match at {
            Some(at) => source.changes(at).await.map(|changes| (at, changes)),
            None => Err("it is not in the database".into()),
        };
        let (at, changes) = match changes {
            Ok(known) => known,
            // A block that was the best one for a moment may be gone; it is told when it is final, if it is ever.
            Err(_) if !finalized => continue,
            Err(cause) => {
                return ended(
                    NO_STATE,
                    format!(
                        "the changes of block {number} are not known to this node ({cause}); go on from a later block, or ask a node that keeps older states"
                    ),
                    number.saturating_add(1),
                )
            }
        };
        let wanted = |change: &TaskChange| task.is_none_or(|task| task == change.task);
        for change in changes.into_iter().filter(wanted) {
            let notice = ChangeNotice {
                change,
                at,
                block: number,
                finalized,
            };
            let Ok(message) = SubscriptionMessage::from_json(&notice) else {
                continue;
            };
            // Waits until there is room: what comes meanwhile stays in the backlog.
            if sink.send(message).await.is_err() {
                return SubscriptionCloseResponse::None;
            }
        }
        if finalized {
            backlog.lock().told = number;
        }
        if sink.is_closed() {
            return SubscriptionCloseResponse::None;
        }
    }
}

#[cfg(test)]
#[path = "changes_tests.rs"]
mod tests;
