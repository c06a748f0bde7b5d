// SPDX-License-Identifier: Apache-2.0

//! The provider: accepts deals, seals, answers audits and challenges, submits group roots,
//! settles, and gives back what is over.
//!
//! What is due soonest is sent first: answers and roots have deadlines, the rest has time.

use super::{
    blocking,
    declined::Declined,
    jobs::{Done, Job, Jobs},
    model::{StorageChain, StorageSnapshot},
    policy::Policy,
    prover::{ProverError, ReplicaProver},
    tidy::Tidy,
};
use crate::tasks::{CallBackoff, Role, StepReport};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tos_sdk::{
    chain::Call,
    content::Pace,
    error::{Error, Result},
    http::Http,
};
use tos_storage_proofs::Hash;
use tos_types::{
    storage::{ChallengeKind, SealAnswer, SignedRoot, Window},
    DealId, ReplicaId,
};
use tos_views::{
    AuditView, DealView, GroupView, ProviderView, ReplicaChallengeView, ReplicaView, WindowStage,
};

/// A replica of the account.
pub(super) type Held = ReplicaView<AccountId32>;

/// Work of a provider.
#[derive(Clone, Copy, Debug)]
pub struct ProviderOptions {
    /// Only what carries its own authorisation is sent: answers and roots. Nothing is accepted, sealed or settled.
    pub answers_only: bool,
    /// Offers to accept; none when missing.
    pub accept: Option<Policy>,
    /// Replicas sealed at the same time, each in memory of its own.
    pub sealing: usize,
    /// Settle a replica whenever so many windows are earned and not paid; never when missing.
    pub settle: Option<u32>,
    /// Rebuild damaged chunks by itself.
    pub repair: bool,
    /// Bytes of the disk that are left free, in addition to what windows take.
    pub keep_free: u64,
    /// Pace that servers of content must keep up with.
    pub pace: Pace,
}

/// The worker of a storage provider.
pub struct Provider {
    pub(super) options: ProviderOptions,
    pub(super) prover: Arc<ReplicaProver>,
    pub(super) http: Http,
    pub(super) jobs: Jobs,
    /// Offers that failed.
    pub(super) declined: Declined,
    /// The servers of the contents that are being fetched.
    pub(super) fetched_from: HashMap<DealId, String>,
    /// Answers to seal challenges, by replica and seed.
    opened: HashMap<(ReplicaId, Hash), SealAnswer>,
    /// Windows that each replica is known to be paid for: what the chain said when they were last asked about.
    paid: HashMap<ReplicaId, u32>,
    handled: HashSet<ReplicaId>,
    backoff: CallBackoff,
    pub(super) tidy: Tidy,
    /// `true` once it was told that the account is no provider.
    unregistered: bool,
}

impl Provider {
    /// A provider over a store.
    pub fn new(options: ProviderOptions, prover: Arc<ReplicaProver>, http: Http) -> Self {
        Self {
            options,
            declined: Declined::open(prover.folder()),
            tidy: Tidy::new(prover.clone()),
            prover,
            http,
            jobs: Jobs::default(),
            fetched_from: HashMap::new(),
            opened: HashMap::new(),
            paid: HashMap::new(),
            handled: HashSet::new(),
            backoff: CallBackoff::default(),
            unregistered: false,
        }
    }

    /// Sets the time that what is over lies in the store's trash, instead of seven days.
    pub fn keep_trash(mut self, time: Duration) -> Self {
        self.tidy.keep(time);
        self
    }

    /// Answers to audits: read from disk, on a thread that may wait for it.
    async fn answer_audits(&mut self, audits: Vec<AuditView>) -> Result<Vec<Call>> {
        let prover = self.prover.clone();
        let answers = blocking(move || {
            let answer =
                |asked: &AuditView| prover.compact(asked.replica, &asked.seed, asked.moment);
            let answers = audits.iter().map(|asked| (asked.replica, answer(asked)));
            Ok(answers.collect::<Vec<_>>())
        });
        let mut calls = Vec::new();
        for (replica, answer) in answers.await? {
            if let Some(proof) = self.usable(replica, answer) {
                calls.push(Call::RespondAudit { proof });
            }
        }
        Ok(calls)
    }

    /// Answers to challenges. Opening a seal takes a fill of memory for every word: a job.
    async fn answer_challenges(
        &mut self,
        at: &impl StorageSnapshot,
        challenges: Vec<ReplicaChallengeView<AccountId32>>,
    ) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        let asked = |replica: ReplicaId, seed: Hash| {
            challenges
                .iter()
                .any(|c| c.replica == replica && c.seed.is_some_and(|s| s.0 == seed))
        };
        self.opened
            .retain(|(replica, seed), _| asked(*replica, *seed));
        for challenge in &challenges {
            let (replica, words) = (challenge.replica, challenge.words);
            let prover = self.prover.clone();
            match (challenge.kind, challenge.seed) {
                // The beacon has not drawn it yet.
                (ChallengeKind::Seal, None) => {}
                (ChallengeKind::Seal, Some(seed)) => {
                    if let Some(answer) = self.opened.get(&(replica, seed.0)) {
                        let answer = answer.clone();
                        calls.push(Call::RespondSeal { answer });
                    } else {
                        self.jobs.start(Job::Open(replica), async move {
                            let open = move || prover.open_seal(replica, &seed.0, words);
                            Done::Opened(seed.0, blocking(open).await)
                        });
                    }
                }
                (ChallengeKind::Window(window), _) => {
                    let held = at.replica(replica).await?;
                    let Some(position) = held.and_then(|held| held.position) else {
                        continue;
                    };
                    let answer = move || Ok(prover.window_answer(replica, window, position.group));
                    let answer = blocking(answer).await?;
                    if let Some(answer) = self.usable(replica, answer) {
                        calls.push(Call::RespondWindow { answer });
                    }
                }
            }
        }
        Ok(calls)
    }

    /// Roots of the groups that are due. The store keeps each before it is signed.
    async fn submit_groups(
        &mut self,
        at: &impl StorageSnapshot,
        provider: &ProviderView,
    ) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        let window = at.window().await?;
        let Some(seed) = window.seed else {
            return Ok(calls);
        };
        self.prover.seeds().opened(window.number, seed.0);
        if window.stage != WindowStage::Open {
            return Ok(calls);
        }
        for group in &provider.groups {
            let Some(view) = at.group(*group).await? else {
                continue;
            };
            if view.root.is_some() || !view.members.iter().any(|member| member.due) {
                continue;
            }
            if let Some(signed) = self.fold(window.number, seed.0, view).await? {
                calls.push(Call::SubmitGroup {
                    window: window.number,
                    group: *group,
                    signed,
                });
            }
        }
        Ok(calls)
    }

    /// The signed root of a group in a window.
    async fn fold(
        &mut self,
        window: Window,
        seed: Hash,
        view: GroupView<AccountId32>,
    ) -> Result<Option<SignedRoot>> {
        let (prover, group) = (self.prover.clone(), view.group);
        let folded = blocking(move || Ok(prover.group(window, &seed, &view))).await?;
        Ok(match folded {
            Ok((signed, damaged)) => {
                for replica in damaged {
                    self.damaged(replica);
                }
                signed
            }
            Err(error) => {
                tracing::error!(group, window, %error, "no root");
                if matches!(error, ProverError::Room(_)) {
                    self.tidy.make_room();
                }
                None
            }
        })
    }

    /// An answer that can be sent. Damage is noticed here, and repaired if that is wanted.
    fn usable<T>(&mut self, replica: ReplicaId, answer: Result<T, ProverError>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(ProverError::Damaged) => self.damaged(replica),
            Err(error) => tracing::error!(%replica, %error, "no answer"),
        }
        None
    }

    fn damaged(&mut self, replica: ReplicaId) {
        if !self.options.repair {
            tracing::error!(%replica, "damaged on disk; run `tos storage verify --repair`");
            return;
        }
        if !self.jobs.waits(Job::Repair(replica)) {
            tracing::warn!(%replica, "damaged on disk; rebuilding from the code");
            let prover = self.prover.clone();
            self.jobs.start(Job::Repair(replica), async move {
                let repair = move || prover.repair(replica, &mut |_| {});
                Done::Repaired(blocking(repair).await)
            });
        }
    }

    /// Settles what has earned enough that is not paid. What is paid is the chain's to say: a provider that is restarted
    /// often would otherwise begin to count anew each time, and never settle.
    async fn settle(&mut self, at: &impl StorageSnapshot, replicas: &[Held]) -> Result<Vec<Call>> {
        let Some(every) = self.options.settle else {
            return Ok(Vec::new());
        };
        self.paid
            .retain(|id, _| replicas.iter().any(|replica| replica.id == *id));
        let enough =
            |replica: &Held, paid: u32| replica.earned.saturating_sub(paid) >= every.max(1);
        let mut calls = Vec::new();
        for replica in replicas.iter().filter(|r| !r.status.is_over()) {
            let known = self.paid.get(&replica.id).copied().unwrap_or(0);
            if !enough(replica, known) {
                continue;
            }
            let Some(deal) = at.deal(replica.deal).await? else {
                continue;
            };
            let paid = paid_windows(&deal);
            self.paid.insert(replica.id, paid);
            if enough(replica, paid) {
                calls.push(Call::SettleReplica {
                    replica: replica.id,
                });
            }
        }
        Ok(calls)
    }
}

/// Windows of a deal that are paid for: the fewest for which ⌊escrow · windows / all windows⌋ is what was paid.
pub(super) fn paid_windows(deal: &DealView<AccountId32>) -> u32 {
    let whole = deal.paid.saturating_mul(deal.windows.into());
    let windows = whole.div_ceil(deal.escrow.max(1));
    u32::try_from(windows).unwrap_or(u32::MAX)
}

impl Drop for Provider {
    /// Threads that work on files cannot be aborted; they are asked to end.
    fn drop(&mut self) {
        for job in self.jobs.running() {
            match job {
                Job::Stage(deal) => self.prover.stop(&deal.0),
                Job::Seal(id) | Job::Repair(id) | Job::Open(id) => self.prover.stop(&id.0),
            }
        }
    }
}

/// `true` if something works on a replica's files.
fn is_busy(jobs: &Jobs, replica: ReplicaId) -> bool {
    [Job::Seal(replica), Job::Repair(replica), Job::Open(replica)]
        .iter()
        .any(|job| jobs.is_running(*job))
}

impl<C: StorageChain> Role<C> for Provider {
    // A window lasts seconds where tests run, so what the pool lost is sent again soon.
    const INCLUSION_TIME: Duration = Duration::from_secs(10);

    async fn step(&mut self, chain: &C) -> Result<StepReport> {
        self.jobs.next_step();
        self.backoff.next_step();
        let at = chain.best().await?;
        let provider = at.provider().await?;
        let Some(provider) = provider else {
            // On a new chain, or behind: it goes on by itself once the account is one.
            if !std::mem::replace(&mut self.unregistered, true) {
                tracing::warn!(
                    "not a storage provider on this chain: `tos storage init` makes it one"
                );
            }
            return Ok(StepReport::default());
        };
        self.unregistered = false;
        if !self.prover.sign_with(provider.proof_key) {
            return Err(Error::Usage(
                "the proof key that the chain knows is not here: say --proof-key, or `tos storage set`; a node needs it in \
                 its keystore, as a key of type `tosp`"
                    .into(),
            ));
        }
        self.prover
            .keep_free(self.options.keep_free, provider.groups.len());
        let replicas = at.replicas().await?;
        self.stop_needless(&replicas);
        let live = replicas.iter().filter(|r| !r.status.is_over());
        self.handled.extend(live.clone().map(|r| r.id));
        let open = live.count();

        let mut calls = self.answer_audits(at.audits().await?).await?;
        calls.extend(self.submit_groups(&at, &provider).await?);
        calls.extend(self.answer_challenges(&at, at.challenges().await?).await?);
        let mut accepted = Ok(());
        if !self.options.answers_only {
            for replica in &replicas {
                self.attend(&at, replica, &mut calls).await?;
            }
            calls.extend(self.settle(&at, &replicas).await?);
            let accepts = self.accept(&at, &provider, &replicas).await;
            accepted = accepts.map(|accepts| calls.extend(accepts));
        }
        let sent = self.backoff.submit(chain, calls).await?.len();
        let (finalised, jobs) = (chain.finalised().await?, &self.jobs);
        let busy = |replica| is_busy(jobs, replica);
        self.tidy.run(&replicas, &finalised, busy).await;
        // After what has a deadline: a fault of the staged contents must not keep that back.
        accepted?;
        Ok(StepReport {
            sent,
            jobs: self.jobs.running().count(),
            open: open.max(sent),
            handled: self.handled.len() as u64,
        })
    }

    async fn finish_job(&mut self) -> Result<()> {
        let (job, done) = self.jobs.finish().await;
        let result = match (job, done) {
            (Job::Stage(deal), Done::Staged(result)) => {
                self.staged(deal, result);
                return Ok(());
            }
            (Job::Open(replica), Done::Opened(seed, opened)) => opened.map(|answer| {
                self.opened.insert((replica, seed), answer);
                "ready to open the seal".into()
            }),
            (_, Done::Sealed(sealed)) => sealed.map(|_| "sealed".into()),
            (_, Done::Repaired(rebuilt)) => {
                rebuilt.map(|count| format!("rebuilt {count} damaged chunks"))
            }
            (_, Done::Panicked(error)) => Err(error),
            (_, Done::Staged(_) | Done::Opened(..)) => {
                Err(Error::Failed("a job ended as another".into()))
            }
        };
        match result {
            Ok(what) => {
                self.jobs.forget(job);
                tracing::info!(?job, what, "done");
            }
            Err(error) => self.jobs.failed(job, &error),
        }
        Ok(())
    }

    fn gave_up(&self) -> Option<String> {
        None
    }
}
