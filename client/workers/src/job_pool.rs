// SPDX-License-Identifier: Apache-2.0

//! Work that a worker does while it follows blocks.

use std::{collections::HashMap, future::Future, hash::Hash, time::Duration};
use tokio::{
    task::{AbortHandle, Id, JoinSet},
    time::Instant,
};
use tos_sdk::error::{Error, Result};
use tracing::Instrument;

/// Jobs that run at the same time, each for a purpose of its own (`K`) and with a note (`N`), and what they give (`T`).
pub struct JobPool<K, N, T> {
    set: JoinSet<T>,
    running: HashMap<Id, Running<K, N>>,
}

struct Running<K, N> {
    key: K,
    note: N,
    begun: Instant,
    job: AbortHandle,
}

/// A job that was stopped.
pub struct Stopped<K, N> {
    /// Its purpose.
    pub key: K,
    /// Its note.
    pub note: N,
    /// Time that it ran.
    pub took: Duration,
}

impl<K, N, T> Default for JobPool<K, N, T> {
    fn default() -> Self {
        Self {
            set: JoinSet::new(),
            running: HashMap::new(),
        }
    }
}

impl<K: Copy + Eq + Hash, N, T: Send + 'static> JobPool<K, N, T> {
    /// Starts a job. The caller sees to it that none with this purpose runs.
    pub fn start(&mut self, key: K, note: N, work: impl Future<Output = T> + Send + 'static) {
        let job = self.set.spawn(work.in_current_span());
        let running = Running {
            key,
            note,
            begun: Instant::now(),
            job: job.clone(),
        };
        self.running.insert(job.id(), running);
    }

    /// Purposes of the jobs that run.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.running.values().map(|running| running.key)
    }

    /// `true` if a job with this purpose runs.
    pub fn is_running(&self, key: K) -> bool {
        self.keys().any(|running| running == key)
    }

    /// Number of jobs that run.
    pub fn len(&self) -> usize {
        self.running.len()
    }

    /// Stops the jobs that are not to be kept. Nothing is heard of them any more.
    pub fn stop_unless(&mut self, mut keep: impl FnMut(K) -> bool) -> Vec<Stopped<K, N>> {
        let stopped = self.running.extract_if(|_, running| !keep(running.key));
        stopped
            .map(|(_, running)| {
                running.job.abort();
                Stopped {
                    key: running.key,
                    note: running.note,
                    took: running.begun.elapsed(),
                }
            })
            .collect()
    }

    /// Waits until a job is done, for ever if there is none. A job that panicked gives an error, and its place back.
    pub async fn finish(&mut self) -> (K, Result<T>) {
        loop {
            let (id, done) = match self.set.join_next_with_id().await {
                None => std::future::pending().await,
                Some(Ok((id, done))) => (id, Ok(done)),
                Some(Err(error)) => {
                    let id = error.id();
                    (id, Err(Error::Failed(format!("job: {error}"))))
                }
            };
            // Stopped ones are not known any more.
            if let Some(running) = self.running.remove(&id) {
                return (running.key, done);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_job_is_known_until_it_is_done() {
        let mut pool = JobPool::default();
        pool.start(1, "one", async { 10 });
        assert!(pool.is_running(1) && !pool.is_running(2) && pool.len() == 1);
        let (key, done) = pool.finish().await;
        assert_eq!((key, done.unwrap()), (1, 10));
        assert_eq!(pool.len(), 0);
    }

    #[tokio::test]
    async fn a_job_logs_in_the_span_that_it_was_started_in() {
        let log = tracing_subscriber::fmt().with_writer(std::io::sink);
        let _log = tracing::subscriber::set_default(log.finish());
        let name = || tracing::Span::current().metadata().map(|span| span.name());
        let mut pool = JobPool::default();
        pool.start(1, (), async move { name() });
        assert_eq!(pool.finish().await.1.unwrap(), None);
        let worker = tracing::info_span!("worker");
        worker.in_scope(|| pool.start(2, (), async move { name() }));
        assert_eq!(pool.finish().await.1.unwrap(), Some("worker"));
        // Work that another thread is given, and a task of its own.
        let carried = worker.in_scope(|| tos_sdk::span::carried(name));
        assert_eq!((name(), carried()), (None, Some("worker")));
        let task = worker.in_scope(|| tos_sdk::span::spawn(async move { name() }));
        assert_eq!(task.await.unwrap(), Some("worker"));
    }

    #[tokio::test]
    async fn a_job_that_panics_gives_its_place_back() {
        let mut pool = JobPool::<_, _, ()>::default();
        pool.start(1, (), async { panic!("a fault") });
        let (key, done) = pool.finish().await;
        assert!(key == 1 && done.is_err() && !pool.is_running(1));
    }

    #[tokio::test]
    async fn nothing_is_heard_of_a_job_that_was_stopped_even_if_it_was_done() {
        let mut pool = JobPool::default();
        pool.start(1, "gone", async { 1 });
        pool.start(2, "kept", async { 2 });
        // Both are done by now.
        tokio::task::yield_now().await;
        let stopped = pool.stop_unless(|key| key == 2);
        let stopped: Vec<_> = stopped.iter().map(|job| (job.key, job.note)).collect();
        assert_eq!(stopped, [(1, "gone")]);
        assert_eq!(pool.finish().await.0, 2);
        let rest = tokio::time::timeout(Duration::from_millis(20), pool.finish()).await;
        assert!(rest.is_err(), "something was heard of it");
    }
}
