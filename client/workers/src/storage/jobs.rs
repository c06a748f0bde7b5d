// SPDX-License-Identifier: Apache-2.0

//! Work that the provider does while it follows blocks. Nothing that failed is given up as long as
//! it is needed, for the reason may pass, a full disk above all; but it is tried less and less
//! often, so that it does not keep others from their places.

use super::staging::Unstaged;
use crate::job_pool::JobPool;
use std::{collections::HashMap, fmt::Display, future::Future};
use tos_sdk::error::{Error, Result};
use tos_storage_proofs::{Commitment, Hash};
use tos_types::{storage::SealAnswer, DealId, ReplicaId};

/// Steps before a failed job is tried again, the first time; they double six times.
const PAUSE: u64 = 8;
/// Steps after which a failure counts no more.
const FORGOTTEN_AFTER: u64 = 4_096;

/// Purpose of a job: no two with the same one run at a time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Job {
    /// To fetch and check the content of an offer.
    Stage(DealId),
    /// To seal a replica.
    Seal(ReplicaId),
    /// To check and rebuild a replica.
    Repair(ReplicaId),
    /// To make the answer to a seal challenge.
    Open(ReplicaId),
}

/// Result of a job.
pub enum Done {
    /// The content of an offer is here, or why not.
    Staged(Result<(), Unstaged>),
    /// A replica was sealed.
    Sealed(Result<Commitment>),
    /// A replica was checked and rebuilt; so many chunks were damaged.
    Repaired(Result<u64>),
    /// The answer to a seal challenge with this seed.
    Opened(Hash, Result<SealAnswer>),
    /// A fault of this program.
    Panicked(Error),
}

/// Failures of a job.
#[derive(Default)]
struct Failure {
    times: u32,
    /// The step before which it is not tried again.
    until: u64,
}

/// See the [module](self).
#[derive(Default)]
pub struct Jobs {
    pool: JobPool<Job, (), Done>,
    failed: HashMap<Job, Failure>,
    step: u64,
}

impl Jobs {
    /// Failed jobs wait for steps.
    pub fn next_step(&mut self) {
        self.step += 1;
        let now = self.step;
        self.failed
            .retain(|_, failure| failure.until.saturating_add(FORGOTTEN_AFTER) > now);
    }

    /// Jobs that are being done.
    pub fn running(&self) -> impl Iterator<Item = Job> + '_ {
        self.pool.keys()
    }

    /// `true` if this is being done.
    pub fn is_running(&self, job: Job) -> bool {
        self.pool.is_running(job)
    }

    /// `true` if a job runs already or failed lately.
    pub fn waits(&self, job: Job) -> bool {
        let failed = |failure: &Failure| failure.until > self.step;
        self.is_running(job) || self.failed.get(&job).is_some_and(failed)
    }

    /// Starts a job that does not wait.
    pub fn start(&mut self, job: Job, work: impl Future<Output = Done> + Send + 'static) {
        if !self.waits(job) {
            self.pool.start(job, (), work);
        }
    }

    /// Waits until a job is done, for ever if there is none.
    pub async fn finish(&mut self) -> (Job, Done) {
        let (job, done) = self.pool.finish().await;
        (job, done.unwrap_or_else(Done::Panicked))
    }

    /// It succeeded, or is not needed any more.
    pub fn forget(&mut self, job: Job) {
        self.failed.remove(&job);
    }

    /// It failed: it waits before it is tried again.
    pub fn failed(&mut self, job: Job, error: &dyn Display) {
        let failure = self.failed.entry(job).or_default();
        failure.times = failure.times.saturating_add(1);
        failure.until = self.step + (PAUSE << failure.times.saturating_sub(1).min(6));
        let (times, steps) = (failure.times, failure.until - self.step);
        tracing::warn!(?job, %error, times, steps, "failed; tried again after some steps");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: Job = Job::Seal(ReplicaId([1; 16]));

    #[tokio::test]
    async fn what_fails_is_tried_less_and_less_often_and_never_given_up() {
        let mut jobs = Jobs::default();
        let mut pauses = Vec::new();
        for _ in 0..12 {
            let error = Error::Failed("no room".into());
            jobs.start(JOB, async { Done::Sealed(Err(error)) });
            assert!(jobs.is_running(JOB) && jobs.waits(JOB));
            let (job, done) = jobs.finish().await;
            assert!(job == JOB && matches!(done, Done::Sealed(Err(_))));
            jobs.failed(job, &"no room");
            let from = jobs.step;
            while jobs.waits(JOB) {
                jobs.next_step();
            }
            pauses.push(jobs.step - from);
        }
        assert_eq!(pauses[..8], [8, 16, 32, 64, 128, 256, 512, 512]);
        assert_eq!(pauses[11], 512);
        jobs.failed(JOB, &"no room");
        jobs.forget(JOB);
        assert!(!jobs.waits(JOB));
    }

    #[tokio::test]
    async fn a_job_that_panics_gives_its_place_back() {
        let mut jobs = Jobs::default();
        jobs.start(JOB, async { panic!("a fault") });
        let (job, done) = jobs.finish().await;
        assert!(job == JOB && matches!(done, Done::Panicked(_)));
        assert_eq!(jobs.running().count(), 0);
    }
}
