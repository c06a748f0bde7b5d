// SPDX-License-Identifier: Apache-2.0

//! `tos task watch`: a task's life as it happens.

use super::{
    clock::Clock,
    names::Names,
    progress::{self, Event, Shares},
    show, Global,
};
use crate::output::Output;
use futures::StreamExt;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;
use tos_sdk::{
    chain::{At, Connection, Heads},
    duration,
    error::{Error, Result},
};
use tos_types::{Closure, Phase, TaskId};
use tos_views::TaskView;

/// The longest time without a line.
const QUIET: Duration = Duration::from_secs(10);
/// Between two looks for a node that is gone.
const RETRY: Duration = Duration::from_secs(2);

/// Follows a task. Fails when it closes without a settlement.
pub async fn watch(
    global: &Global,
    output: Output,
    task: TaskId,
    limit: Option<u64>,
) -> Result<()> {
    let mut watch = Watch {
        global,
        output,
        task,
        names: Names::new(global),
        told: BTreeSet::new(),
        chain: None,
        known: false,
        number: 0,
        last_block: Instant::now(),
        first_seen: None,
        shares: None,
        standing: "has not been seen yet".into(),
        spoke: Instant::now(),
    };
    let view = match limit {
        None => watch.follow().await?,
        Some(seconds) => {
            let limited = tokio::time::timeout(Duration::from_secs(seconds), watch.follow()).await;
            match limited {
                Ok(view) => view?,
                Err(_) => {
                    let standing = &watch.standing;
                    return Err(Error::TimedOut(format!(
                        "task {task} is not closed and final yet: {standing}"
                    )));
                }
            }
        }
    };
    conclude(&view, watch.shares, &watch.names, output)
}

struct Watch<'a> {
    global: &'a Global,
    output: Output,
    task: TaskId,
    names: Names,
    told: BTreeSet<Event>,
    /// The hashes of blocks 0 and, where the node knows it, 1 of the chain that is watched.
    chain: Option<([u8; 32], Option<[u8; 32]>)>,
    /// `true` if the node of this connection is known to be on that chain.
    known: bool,
    /// The number of the best block that was looked at last.
    number: u64,
    /// Time of the last block.
    last_block: Instant,
    /// The number of the best block in which the task was first seen.
    first_seen: Option<u64>,
    /// Shares of the reward, once it is settled.
    shares: Option<Shares>,
    /// The task's next step in words.
    standing: String,
    /// Time of the last line.
    spoke: Instant,
}

impl Watch<'_> {
    /// Follows the task until it is closed and that is final. Outlives restarts of the node.
    async fn follow(&mut self) -> Result<TaskView<AccountId32>> {
        let mut gone = false;
        loop {
            match self.on_one_connection(&mut gone).await {
                Err(Error::Unreachable { reason, .. }) if self.chain.is_some() => {
                    if !gone {
                        tracing::warn!(reason, "the node is gone; waiting for it");
                        gone = true;
                    } else if self.spoke.elapsed() >= QUIET {
                        self.remark(None, "waiting for the node");
                    }
                    tokio::time::sleep(RETRY).await;
                }
                done => return done,
            }
        }
    }

    async fn on_one_connection(&mut self, gone: &mut bool) -> Result<TaskView<AccountId32>> {
        let connection = self.connect().await?;
        match self.on(&connection, gone).await {
            Ok(view) => Ok(view),
            Err(error) => Err(connection.or_lost(error).await),
        }
    }

    /// Connects, and says so while that takes long.
    async fn connect(&mut self) -> Result<Connection> {
        let global = self.global;
        let mut connecting = Box::pin(global.connect());
        loop {
            match tokio::time::timeout_at(self.spoke + QUIET, &mut connecting).await {
                Ok(connection) => return connection,
                Err(_) => self.remark(None, "waiting for the node"),
            }
        }
    }

    async fn on(
        &mut self,
        connection: &Connection,
        gone: &mut bool,
    ) -> Result<TaskView<AccountId32>> {
        self.known = false;
        self.last_block = Instant::now();
        if std::mem::take(gone) {
            tracing::warn!("the node is back");
        }
        let milliseconds = connection.best().await?.block_time().await?;
        let mut blocks = connection.best_blocks().await?;
        loop {
            if let Some(view) = self.look(connection, milliseconds).await? {
                return Ok(view);
            }
            loop {
                match tokio::time::timeout_at(self.spoke + QUIET, blocks.next()).await {
                    Ok(Some(block)) => {
                        block?;
                        self.last_block = Instant::now();
                        break;
                    }
                    Ok(None) => return Err(connection.gone("the subscription ended")),
                    Err(_) => self.remind(),
                }
            }
        }
    }

    /// Makes sure that the node is on the chain that is watched. `false` if that cannot be told yet: a
    /// chain is known by its first block, and this one, at `number`, may have none.
    async fn recognise(&mut self, connection: &Connection, number: u64) -> Result<bool> {
        let now = (connection.genesis(), connection.hash_at(1).await?);
        match self.chain {
            Some(before) if differ(before, now) => {
                return Err(Error::Failed(format!(
                    "the node is on another chain now, and task {} is not of it",
                    self.task
                )))
            }
            Some((_, Some(_))) => {}
            // Block 1 may have been unknown before.
            _ => self.chain = Some(now),
        }
        // A node that synchronised by `--sync warp` has no history, and is past block 1.
        Ok(now.1.is_some() || number > 1)
    }

    /// Tells what is new. Returns the task once it is closed and that is final.
    async fn look(
        &mut self,
        connection: &Connection,
        milliseconds: u64,
    ) -> Result<Option<TaskView<AccountId32>>> {
        let at = connection.best().await?;
        self.number = at.number();
        if !self.known {
            self.known = self.recognise(connection, at.number()).await?;
        }
        let Some(view) = at.task(self.task).await? else {
            // A chain without blocks may be another one.
            if self.known || self.first_seen.is_none() {
                self.missing(connection).await?;
            }
            return Ok(None);
        };
        self.first_seen.get_or_insert(at.number());
        self.tell(&at, &view, milliseconds).await?;
        if !matches!(view.summary.phase, Phase::Closed(_)) {
            return Ok(None);
        }
        let last = connection.finalised().await?.task(self.task).await?;
        if last.is_some() {
            self.shares = Shares::of(connection, &at, self.task).await;
        }
        Ok(last.filter(|view| matches!(view.summary.phase, Phase::Closed(_))))
    }

    /// A reorganisation can take a young task away for a moment, and a node that was restarted may
    /// be behind. Fails where that is not it.
    async fn missing(&mut self, connection: &Connection) -> Result<()> {
        let Some(first_seen) = self.first_seen else {
            return Err(show::unknown(self.task));
        };
        let last = connection.finalised().await?;
        if last.number() >= first_seen && last.task(self.task).await?.is_none() {
            return Err(Error::Failed(format!(
                "task {} is not on the chain any more: a reorganisation undid it, or its record \
                 was pruned",
                self.task
            )));
        }
        self.standing = "the node does not have the task yet; waiting for later blocks".into();
        self.remind();
        Ok(())
    }

    async fn tell(
        &mut self,
        at: &At,
        view: &TaskView<AccountId32>,
        milliseconds: u64,
    ) -> Result<()> {
        let (id, block) = (self.task, at.number());
        let timeline = at.timeline(id).await?;
        let round = at.round(id, view.summary.round).await?;
        let tick = at.chain().await?.tick;
        let clock = Clock { tick, milliseconds };
        self.standing = progress::next(view, round.as_ref(), clock);
        let phase = timeline.last().map(progress::began);
        for event in progress::events(view, &timeline, round.as_ref()) {
            if self.told.contains(&event) {
                continue;
            }
            let closed = matches!(view.summary.phase, Phase::Closed(_));
            let begins = !closed && phase.as_ref() == Some(&event.what);
            let mut value = serde_json::json!({"block": block, "task": id, "event": event});
            if begins {
                value["waiting"] = self.standing.as_str().into();
            }
            self.output.show(&value, || {
                let who = event.who.as_ref().map(|who| self.names.of(who) + " ");
                let next = match begins {
                    true => format!("; {}", self.standing),
                    false => String::new(),
                };
                let who = who.unwrap_or_default();
                format!("block {block}: {who}{}{next}", event.what)
            });
            self.told.insert(event);
            self.spoke = Instant::now();
        }
        self.remind();
        Ok(())
    }

    /// Says again what the task waits for, where nothing was said for long.
    fn remind(&mut self) {
        if self.spoke.elapsed() < QUIET {
            return;
        }
        let standing = match self.last_block.elapsed() {
            silence if silence >= QUIET => {
                let silence = duration::words(silence);
                format!("no block for {silence}; {}", self.standing)
            }
            _ => self.standing.clone(),
        };
        self.remark(Some(self.number), &standing);
    }

    /// A line where there is nothing new.
    fn remark(&mut self, block: Option<u64>, what: &str) {
        let value = serde_json::json!({"block": block, "task": self.task, "waiting": what});
        self.output.show(&value, || match block {
            Some(block) => format!("block {block}: {what}"),
            None => what.to_owned(),
        });
        self.spoke = Instant::now();
    }
}

/// Returns `true` if two chains, told by their blocks 0 and 1 as far as these are known, are not the
/// same.
fn differ(
    (genesis, first): ([u8; 32], Option<[u8; 32]>),
    (other_genesis, other_first): ([u8; 32], Option<[u8; 32]>),
) -> bool {
    genesis != other_genesis || first.zip(other_first).is_some_and(|(a, b)| a != b)
}

fn conclude(
    view: &TaskView<AccountId32>,
    shares: Option<Shares>,
    names: &Names,
    output: Output,
) -> Result<()> {
    let task = view.summary.id;
    let text = show::phase(view.summary.phase);
    let Phase::Closed(closure) = view.summary.phase else {
        return Err(Error::Failed(format!("task {task} is {text}")));
    };
    let value = serde_json::json!({
        "task": task, "closure": closure, "finalised": true,
        "publisher": view.summary.publisher.to_ss58check(),
        "reward": view.summary.reward.to_string(), "answers": progress::parts(view),
        "shares": shares,
    });
    output.show(&value, || {
        let first = format!("{text}, and that is final");
        let lines = progress::ending(view, shares, names).into_iter();
        std::iter::once(first)
            .chain(lines.map(|line| format!("  {line}")))
            .collect::<Vec<_>>()
            .join("\n")
    });
    match closure {
        Closure::Settled | Closure::Cancelled => Ok(()),
        Closure::Expired => Err(Error::Failed(format!(
            "task {task} expired: there was no answer to judge"
        ))),
        Closure::Unresolved => Err(Error::Failed(format!(
            "task {task} was not resolved: no panel came to a result"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::views;

    #[test]
    fn only_a_good_end_is_a_success() {
        let output = Output { json: true };
        let end = |closure| {
            let mut view = views::task_view(1);
            view.summary.phase = Phase::Closed(closure);
            conclude(&view, None, &Names::default(), output)
        };
        assert!(end(Closure::Settled).is_ok());
        assert_eq!(end(Closure::Expired).err().unwrap().exit_code(), 1);
    }

    #[test]
    fn a_chain_that_began_anew_is_another_one() {
        let (genesis, first) = ([1; 32], Some([2; 32]));
        assert!(!differ((genesis, first), (genesis, first)));
        assert!(!differ((genesis, None), (genesis, first)));
        assert!(differ((genesis, first), (genesis, Some([3; 32]))));
        assert!(differ((genesis, first), ([4; 32], first)));
    }
}
