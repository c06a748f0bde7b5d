// SPDX-License-Identifier: Apache-2.0

//! Sends transactions over several connections, many at a time on each. No transaction is watched
//! by itself: blocks say what became of it.

use crate::{error::Result, pool_error::bounded};
use futures::{stream::FuturesUnordered, StreamExt};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::{unbounded_channel, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
};
use tos_sdk::{
    any_chain,
    rpc::{Limits, Refusal, RequestError, Rpc},
};

/// Answer of the node to a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is in the pool.
    Accepted,
    /// It is not.
    Refused(Refusal),
    /// Nothing: the connection broke, or the answer took too long.
    None(String),
}

/// A transaction to send: its number in the run, and its bytes.
pub type Job = (u32, Arc<[u8]>);

/// The connections; dropping it closes them.
pub struct Submitter {
    lanes: Vec<UnboundedSender<Job>>,
    _tasks: JoinSet<()>,
}

/// Attempts to connect again, and the pause before each.
const ATTEMPTS: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

impl Submitter {
    /// Connects `connections` times to each of the nodes in turn. Answers come out of the channel.
    pub async fn connect(
        urls: &[String],
        connections: usize,
        depth: usize,
    ) -> Result<(Self, UnboundedReceiver<(u32, Answer)>)> {
        let (answers, receiver) = unbounded_channel();
        let mut lanes = Vec::new();
        let mut tasks = JoinSet::new();
        for url in urls.iter().cycle().take(connections) {
            let rpc = connect(url, depth).await?;
            let (lane, jobs) = unbounded_channel();
            lanes.push(lane);
            tasks.spawn(run(rpc, depth, jobs, answers.clone()));
        }
        let this = Self {
            lanes,
            _tasks: tasks,
        };
        Ok((this, receiver))
    }

    /// Sends one. Transactions of one `sender` go over one connection, in order.
    pub fn send(&self, sender: usize, job: Job) {
        if let Some(lane) = self.lanes.get(sender % self.lanes.len().max(1)) {
            // A lane ends after everything else; what is on it then is reported as open.
            let _ = lane.send(job);
        }
    }
}

async fn connect(url: &str, depth: usize) -> Result<Rpc> {
    let limits = Limits {
        in_flight: depth,
        ..Limits::default()
    };
    Ok(Rpc::connect(url, limits).await?)
}

async fn run(
    mut rpc: Rpc,
    depth: usize,
    mut jobs: UnboundedReceiver<Job>,
    answers: UnboundedSender<(u32, Answer)>,
) {
    let mut waiting = FuturesUnordered::new();
    let mut gone = false;
    loop {
        if gone && waiting.is_empty() {
            let url = rpc.url().to_owned();
            gone = false;
            for _ in 0..ATTEMPTS {
                tokio::time::sleep(PAUSE).await;
                if let Ok(again) = connect(&url, depth).await {
                    rpc = again;
                    break;
                }
            }
        }
        tokio::select! {
            Some((number, answer, lost)) = waiting.next() => {
                gone |= lost;
                if answers.send((number, answer)).is_err() {
                    return;
                }
            }
            job = jobs.recv(), if !gone && waiting.len() < depth => match job {
                Some(job) => waiting.push(submit(rpc.clone(), job)),
                None => return,
            },
        }
    }
}

async fn submit(rpc: Rpc, (number, bytes): Job) -> (u32, Answer, bool) {
    match any_chain::submit(&rpc, &bytes).await {
        Ok(()) => (number, Answer::Accepted, false),
        Err(RequestError::Refused(refusal)) => (number, Answer::Refused(bounded(refusal)), false),
        Err(RequestError::Gone(reason)) => (number, Answer::None(reason), true),
        Err(RequestError::Unanswered(reason)) => (number, Answer::None(reason), false),
    }
}
