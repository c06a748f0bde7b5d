// SPDX-License-Identifier: Apache-2.0

//! Drives a worker: a step for every best block and every finished job, over a connection that
//! may come and go, to a node that may be behind or on another chain than before.

use super::{tips::Tips, Identity, Live, Role, StepReport};
use crate::notify::{Absence, Notifier, Watched, FLUSH_TIME};
use futures::{FutureExt, StreamExt};
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};
use tos_sdk::{
    chain::{recognise, Endpoint, Guard, Hash, Heads, Memory, Reason, Sight},
    error::{Error, Result},
};
use tos_types::Balance;
use tracing::{Instrument, Span};

/// Pause before the first reconnection; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// Without a new block for this long the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(120);
/// A worker that is to do only what can be done right now waits this long to be told which chain
/// that is on.
const ONCE_TIME: Duration = Duration::from_secs(30);

/// Conditions under which a worker stops by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Stop when nothing can be done right now.
    pub once: bool,
    /// Stop when every task taken on is over, after at least one.
    pub until_idle: bool,
    /// Stop when this many tasks have been taken on and are over.
    pub max_tasks: Option<u64>,
    /// Not about stopping: what was seen of the chain's height is forgotten once, at the start.
    pub forget_height: bool,
    /// Not about stopping: the highest tip, in wei, of a call with a deadline that is not in a block yet;
    /// no tip is raised if it is 0.
    pub max_tip: Balance,
}

impl Mode {
    fn is_over(&self, progress: &StepReport) -> bool {
        let still = progress.jobs == 0 && progress.sent == 0;
        let over = still && progress.open == 0;
        (self.once && still)
            || (self.until_idle && over && progress.handled > 0)
            || (over && self.max_tasks.is_some_and(|most| progress.handled >= most))
    }
}

/// A worker, and what keeps it from acting on old views.
struct Post<M, R> {
    guard: Guard<M>,
    role: R,
}

/// Reasons for which a connection is not followed any more, other than errors that pass.
enum Ended {
    /// The mode says that the work is done.
    Done,
    /// The node is on another chain.
    OtherChain,
    /// There is nothing to do on the node's view, and no time to wait for a better one.
    Old(Reason),
    /// The worker cannot be set up.
    Unfit(Error),
}

/// Span of the log lines of an account's worker: the current one if that is a worker's, so that what is
/// done before [`run`] can be in it as well.
pub fn span(account: &AccountId32) -> Span {
    let current = Span::current();
    if current
        .metadata()
        .is_some_and(|span| span.name() == "worker")
    {
        return current;
    }
    let account = account.to_ss58check();
    let account = account.get(..6).unwrap_or_default();
    tracing::info_span!("worker", account)
}

/// Runs a worker until its mode says that it is done, or `interrupt` completes: [`interrupted`] does on a
/// signal that asks this program to end. What it keeps lies at `base`, which is told the genesis hash;
/// `make` sets it up for the chain that the node is on, and again when the node is on another one. A lost
/// connection is sought again; a runtime that does not fit, at the first connection, is an error.
pub async fn run<M: Memory, R: Role<Live>>(
    endpoint: impl Into<Endpoint>,
    identity: impl Into<Identity>,
    mode: Mode,
    notifier: &Notifier,
    base: impl Fn(&Hash) -> PathBuf,
    make: impl AsyncFnMut(&Live, &M) -> Result<R>,
    interrupt: impl Future<Output = ()>,
) -> Result<()> {
    // Several workers may write to one log.
    let identity = identity.into();
    let span = span(&identity.account());
    let endpoint = endpoint.into();
    run_on(&endpoint, &identity, mode, notifier, base, make, interrupt)
        .instrument(span)
        .await
}

async fn run_on<M: Memory, R: Role<Live>>(
    endpoint: &Endpoint,
    identity: &Identity,
    mut mode: Mode,
    notifier: &Notifier,
    base: impl Fn(&Hash) -> PathBuf,
    mut make: impl AsyncFnMut(&Live, &M) -> Result<R>,
    interrupt: impl Future<Output = ()>,
) -> Result<()> {
    let url = endpoint.to_string();
    let mut interrupt = std::pin::pin!(interrupt);
    let mut pause = PAUSE;
    let mut connected_before = false;
    let mut absence = Absence::default();
    let mut post: Option<Post<M, R>> = None;
    let time = R::INCLUSION_TIME;
    // For all connections: a node that ends them must not make this worker offer anew.
    let tips = Arc::new(Mutex::new(Tips::up_to(mode.max_tip, time)));
    loop {
        let error = match Live::open(endpoint, identity.clone(), time, tips.clone()).await {
            Ok(live) => {
                tracing::info!(url, "connected");
                absence.over(notifier, &url);
                (pause, connected_before) = (PAUSE, true);
                let ended = async {
                    if post.is_none() {
                        let path = base(&live.genesis());
                        match set_up(&live, mode, &path, &mut make).await {
                            Ok(made) => (post, mode.forget_height) = (Some(made), false),
                            Err(error) if passes(&error) && !mode.once => return Err(error),
                            Err(error) => return Ok(Ended::Unfit(error)),
                        }
                    }
                    match &mut post {
                        Some(post) => follow(&live, post, mode, notifier).await,
                        None => Ok(Ended::OtherChain),
                    }
                };
                let ended = tokio::select! {
                    ended = ended => ended,
                    () = &mut interrupt => return Ok(()),
                };
                match ended {
                    Ok(Ended::Done) => {
                        notifier.flush(FLUSH_TIME).await;
                        return Ok(());
                    }
                    Ok(Ended::Unfit(error)) => return Err(error),
                    Ok(Ended::Old(reason)) => return Err(Error::Failed(reason.to_string())),
                    // With a pause: nodes of two chains behind one address can take turns.
                    Ok(Ended::OtherChain) => {
                        post = None;
                        Error::Failed("the node is on another chain than before".into())
                    }
                    Err(error) => error,
                }
            }
            Err(error @ Error::Unreachable { .. }) => error,
            Err(error) if connected_before => error,
            Err(error) => return Err(error),
        };
        if connected_before {
            absence.goes_on(notifier, &url, &error);
        }
        tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "reconnecting");
        tokio::select! {
            () = tokio::time::sleep(pause) => {},
            () = &mut interrupt => return Ok(()),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// `true` if an error is the node's, and may not come again.
fn passes(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::TimedOut(_))
}

/// Finds out which chain the node is on, and sets the worker up for it.
async fn set_up<M: Memory, R>(
    live: &Live,
    mode: Mode,
    base: &Path,
    make: &mut impl AsyncFnMut(&Live, &M) -> Result<R>,
) -> Result<Post<M, R>> {
    let mut guard = recognise(live, base, mode.once.then_some(ONCE_TIME)).await?;
    if mode.forget_height {
        guard.forget_height(live).await?;
    }
    let role = make(live, guard.memory()).await?;
    Ok(Post { guard, role })
}

/// Result of a step.
pub enum Stepped {
    /// The worker did what there was to do.
    Did(StepReport),
    /// The node's view is not to be acted on.
    Old(Reason),
    /// The node is on another chain.
    OtherChain,
}

/// Lets a worker do what there is to do, if the node's view is at least as new as those before.
pub async fn step<C: Heads>(
    guard: &mut Guard<impl Memory>,
    role: &mut impl Role<C>,
    chain: &C,
) -> Result<Stepped> {
    Ok(match guard.check(chain).await? {
        Sight::Current => Stepped::Did(role.step(chain).await?),
        Sight::Old(reason) => Stepped::Old(reason),
        Sight::OtherChain => Stepped::OtherChain,
    })
}

/// Follows one connection. An error may pass.
async fn follow<M: Memory, R: Role<Live>>(
    live: &Live,
    post: &mut Post<M, R>,
    mode: Mode,
    notifier: &Notifier,
) -> Result<Ended> {
    let Post { guard, role } = post;
    let role = &mut Watched {
        role,
        notifier,
        steps: 0,
    };
    let mut blocks = live.connection.best_blocks().await?;
    loop {
        match step(guard, role, live).await? {
            Stepped::Did(progress) => {
                tracing::debug!(?progress, "step");
                let idle = progress.jobs == 0 && progress.sent == 0 && progress.open == 0;
                if let (true, Some(why)) = (idle, role.gave_up()) {
                    return Ok(Ended::Unfit(Error::Failed(why)));
                }
                if mode.is_over(&progress) {
                    return Ok(Ended::Done);
                }
            }
            Stepped::Old(reason) if mode.once => return Ok(Ended::Old(reason)),
            Stepped::Old(_) => {}
            Stepped::OtherChain => return Ok(Ended::OtherChain),
        }
        tokio::select! {
            block = tokio::time::timeout(SILENCE, blocks.next()) => match block {
                Ok(Some(block)) => { block?; },
                Ok(None) => return Err(Error::Failed("the node ended the subscription".into())),
                Err(_) => return Err(Error::TimedOut("no new block".into())),
            },
            done = role.finish_job() => done?,
        }
        // Blocks that came meanwhile are seen through the newest.
        while let Some(Some(block)) = blocks.next().now_or_never() {
            block?;
        }
    }
}

/// Completes on the first signal that asks this program to end.
pub async fn interrupted() {
    use tokio::signal::unix::{signal, SignalKind};
    let mut terminate = match signal(SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::warn!(%error, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {},
        _ = terminate.recv() => {},
    }
    tracing::info!("stopping; everything that matters is in the journal");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_begun_in_its_span_has_no_second_one() {
        let log = tracing_subscriber::fmt().with_writer(std::io::sink);
        let _log = tracing::subscriber::set_default(log.finish());
        let account = AccountId32::new([7; 32]);
        let outer = span(&account);
        assert_eq!(outer.metadata().map(|span| span.name()), Some("worker"));
        assert_eq!(outer.in_scope(|| span(&account)).id(), outer.id());
        let other = tracing::info_span!("other");
        assert_ne!(other.in_scope(|| span(&account)).id(), other.id());
    }

    #[test]
    fn a_worker_stops_when_it_was_asked_to() {
        let idle = StepReport {
            handled: 2,
            ..Default::default()
        };
        let waiting = StepReport { open: 1, ..idle };
        let fresh = StepReport::default();
        let once = Mode {
            once: true,
            ..Default::default()
        };
        assert!(once.is_over(&fresh) && once.is_over(&waiting));
        assert!(!once.is_over(&StepReport { jobs: 1, ..fresh }));
        assert!(!once.is_over(&StepReport { sent: 1, ..fresh }));
        let until_idle = Mode {
            until_idle: true,
            ..Default::default()
        };
        assert!(until_idle.is_over(&idle));
        assert!(!until_idle.is_over(&fresh) && !until_idle.is_over(&waiting));
        let most = Mode {
            max_tasks: Some(2),
            ..Default::default()
        };
        assert!(most.is_over(&idle) && !most.is_over(&waiting));
        assert!(!Mode {
            max_tasks: Some(3),
            ..Default::default()
        }
        .is_over(&idle));
        assert!(!Mode::default().is_over(&idle));
    }
}
