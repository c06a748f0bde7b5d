// SPDX-License-Identifier: Apache-2.0

//! Drives a worker: a step for every best block and every finished job, over a connection that
//! may come and go.

use super::{Live, Progress, Role};
use crate::{
    error::{Error, Result},
    keys::Keypair,
};
use futures::{FutureExt, StreamExt};
use std::time::Duration;

/// Pause before the first reconnection; it doubles up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// Without a new block for this long the connection counts as lost.
const SILENCE: Duration = Duration::from_secs(120);

/// When a worker stops by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// When nothing can be done right now.
    pub once: bool,
    /// When every task taken on is over, after at least one.
    pub until_idle: bool,
    /// When this many tasks have been taken on and are over.
    pub max_tasks: Option<u64>,
}

impl Mode {
    fn is_over(&self, progress: &Progress) -> bool {
        let still = progress.jobs == 0 && progress.sent == 0;
        let over = still && progress.open == 0;
        (self.once && still)
            || (self.until_idle && over && progress.handled > 0)
            || (over && self.max_tasks.is_some_and(|most| progress.handled >= most))
    }
}

/// Runs a worker until its mode says that it is done, or it is interrupted. A lost connection is
/// sought again; a runtime that does not fit, at the first connection, is an error.
pub(crate) async fn run<R: Role<Live>>(
    url: &str,
    key: &Keypair,
    role: &mut R,
    mode: Mode,
) -> Result<()> {
    let mut interrupt = std::pin::pin!(interrupted());
    let mut pause = PAUSE;
    let mut connected_before = false;
    loop {
        let error = match Live::open(url, key.clone(), R::INCLUSION_TIME).await {
            Ok(live) => {
                tracing::info!(url, "connected");
                (pause, connected_before) = (PAUSE, true);
                tokio::select! {
                    done = follow(&live, role, mode) => match done {
                        Ok(()) => return Ok(()),
                        Err(error) => error,
                    },
                    () = &mut interrupt => return Ok(()),
                }
            }
            Err(error @ Error::Unreachable { .. }) => error,
            Err(error) if connected_before => error,
            Err(error) => return Err(error),
        };
        tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "reconnecting");
        tokio::select! {
            () = tokio::time::sleep(pause) => {},
            () = &mut interrupt => return Ok(()),
        }
        pause = (pause * 2).min(MAX_PAUSE);
    }
}

/// Follows one connection. `Ok` when the mode says that the work is done.
async fn follow(live: &Live, role: &mut impl Role<Live>, mode: Mode) -> Result<()> {
    let mut blocks = live.connection.best_blocks().await?;
    loop {
        let progress = role.step(live).await?;
        tracing::debug!(?progress, "step");
        if mode.is_over(&progress) {
            return Ok(());
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
async fn interrupted() {
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
    fn a_worker_stops_when_it_was_asked_to() {
        let idle = Progress {
            handled: 2,
            ..Default::default()
        };
        let waiting = Progress { open: 1, ..idle };
        let fresh = Progress::default();
        let once = Mode {
            once: true,
            ..Default::default()
        };
        assert!(once.is_over(&fresh) && once.is_over(&waiting));
        assert!(!once.is_over(&Progress { jobs: 1, ..fresh }));
        assert!(!once.is_over(&Progress { sent: 1, ..fresh }));
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
