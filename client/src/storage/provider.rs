// SPDX-License-Identifier: Apache-2.0

//! The provider: accepts deals, seals, answers audits and challenges, submits group roots,
//! settles, and gives back what is over.
//!
//! What is due soonest is sent first: answers and roots have deadlines, the rest has time.

use super::{
    model::{Chain, Snapshot},
    serve::Seeds,
    shelf::{spec, Shelf, ShelfError},
    Bar,
};
use crate::{
    chain::Call,
    content,
    error::{Error, Result},
    http::Http,
    worker::{Patience, Progress, Role},
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;
use tos_primitives::{
    storage::{ChallengeKind, ReplicaStatus, SealAnswer, SignedRoot, StoredContent, Window},
    views::{
        AuditView, DealView, GroupView, ProviderView, ReplicaChallengeView, ReplicaView,
        WindowStage,
    },
    Balance, ReplicaId,
};
use tos_storage_proofs::{Commitment, Hash};

/// A replica of the account.
type Held = ReplicaView<AccountId32>;

/// How often a replica's sealing is tried before the provider leaves it.
const ATTEMPTS: u32 = 5;

/// Which offers a provider accepts by itself.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Least price in wei per GiB-epoch.
    pub min_price: Balance,
    /// Most sealed bytes of one replica.
    pub max_bytes: u64,
    /// Most sealed bytes of all replicas.
    pub capacity: u64,
    /// Only offers that name this provider.
    pub named_only: bool,
}

/// What a provider is to do.
#[derive(Clone, Copy, Debug)]
pub struct ProviderOptions {
    /// What to accept; nothing when missing.
    pub accept: Option<Policy>,
    /// Replicas sealed at the same time, each in memory of its own.
    pub sealing: usize,
    /// Settle a replica whenever so many more windows are earned; never when missing.
    pub settle: Option<u32>,
    /// Rebuild damaged chunks by itself.
    pub repair: bool,
}

/// A job's end.
enum Done {
    /// A replica was sealed.
    Sealed(ReplicaId, Result<Commitment>),
    /// A replica was checked and rebuilt; so many chunks were damaged.
    Repaired(ReplicaId, Result<u64>),
    /// The answer to a seal challenge with this seed.
    Opened(ReplicaId, Hash, Result<SealAnswer>),
}

/// What a job is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Job {
    Seal(ReplicaId),
    Repair(ReplicaId),
    Open(ReplicaId),
}

/// See the [module](self).
pub struct Provider {
    options: ProviderOptions,
    shelf: Arc<Shelf>,
    seeds: Seeds,
    http: Http,
    jobs: JoinSet<Done>,
    running: HashSet<Job>,
    /// Failures of jobs, and the step before which each is not tried again.
    failed: HashMap<Job, (u32, u64)>,
    /// Answers to seal challenges, by replica and seed.
    opened: HashMap<(ReplicaId, Hash), SealAnswer>,
    /// Windows each replica had earned when it was last settled, as far as this run knows.
    settled: HashMap<ReplicaId, u32>,
    step: u64,
    handled: HashSet<ReplicaId>,
    patience: Patience,
}

impl Provider {
    /// A provider over a store. `seeds` is what its server knows.
    pub fn new(options: ProviderOptions, shelf: Arc<Shelf>, seeds: Seeds, http: Http) -> Self {
        Self {
            options,
            shelf,
            seeds,
            http,
            jobs: JoinSet::new(),
            running: HashSet::new(),
            failed: HashMap::new(),
            opened: HashMap::new(),
            settled: HashMap::new(),
            step: 0,
            handled: HashSet::new(),
            patience: Patience::default(),
        }
    }

    /// Answers to audits: read from disk, on a thread that may wait for it.
    async fn answer_audits(&mut self, audits: Vec<AuditView>) -> Result<Vec<Call>> {
        let shelf = self.shelf.clone();
        let answers = blocking(move || {
            let answer =
                |asked: &AuditView| shelf.compact(asked.replica, &asked.seed, asked.moment);
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
        at: &impl Snapshot,
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
            let shelf = self.shelf.clone();
            match (challenge.kind, challenge.seed) {
                // The beacon has not drawn it yet.
                (ChallengeKind::Seal, None) => {}
                (ChallengeKind::Seal, Some(seed)) => {
                    if let Some(answer) = self.opened.get(&(replica, seed.0)) {
                        let answer = answer.clone();
                        calls.push(Call::RespondSeal { answer });
                    } else if self.may_start(Job::Open(replica)) {
                        self.jobs.spawn(async move {
                            let open = move || shelf.open_seal(replica, &seed.0, words);
                            Done::Opened(replica, seed.0, blocking(open).await)
                        });
                    }
                }
                (ChallengeKind::Window(window), _) => {
                    let held = at.replica(replica).await?;
                    let Some(position) = held.and_then(|held| held.position) else {
                        continue;
                    };
                    let answer = move || Ok(shelf.window_answer(replica, window, position.group));
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
        at: &impl Snapshot,
        provider: &ProviderView,
    ) -> Result<Vec<Call>> {
        let mut calls = Vec::new();
        let window = at.window().await?;
        let Some(seed) = window.seed else {
            return Ok(calls);
        };
        self.seeds.opened(window.number, seed.0);
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
        let (shelf, group) = (self.shelf.clone(), view.group);
        let folded = blocking(move || Ok(shelf.group(window, &seed, &view))).await?;
        Ok(match folded {
            Ok((signed, damaged)) => {
                for replica in damaged {
                    self.damaged(replica);
                }
                signed
            }
            Err(error) => {
                tracing::error!(group, window, %error, "no root");
                None
            }
        })
    }

    /// Seals what is to be sealed, and commits to what is.
    async fn attend(
        &mut self,
        at: &impl Snapshot,
        replica: &Held,
        calls: &mut Vec<Call>,
    ) -> Result<()> {
        let id = replica.id;
        match (self.shelf.sealed(id), replica.status) {
            (Some(sealed), ReplicaStatus::Sealing) => {
                calls.push(Call::CommitSeal {
                    replica: id,
                    sealed,
                });
            }
            (None, ReplicaStatus::Sealing) => {
                if let Some(deal) = self.may_seal(id).then_some(replica.deal) {
                    match at.deal(deal).await? {
                        Some(deal) => self.start_sealing(replica, deal.content),
                        None => tracing::error!(replica = %id, "its deal is not on record"),
                    }
                }
            }
            (_, status) if status.is_over() => {}
            (None, _) => tracing::error!(replica = %id, "this store does not have it"),
            (Some(sealed), _) if replica.sealed.is_some_and(|on_chain| on_chain != sealed) => {
                tracing::error!(replica = %id, "sealed otherwise than the chain says");
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a replica may be sealed now.
    fn may_seal(&self, replica: ReplicaId) -> bool {
        let sealing = |job: &&Job| matches!(job, Job::Seal(_));
        let places = self.running.iter().filter(sealing).count() < self.options.sealing;
        places && !self.waits(Job::Seal(replica))
    }

    fn start_sealing(&mut self, replica: &Held, content: StoredContent) {
        if !self.may_start(Job::Seal(replica.id)) {
            return;
        }
        tracing::info!(replica = %replica.id, length = content.length, "sealing");
        let (shelf, http, replica) = (self.shelf.clone(), self.http.clone(), replica.clone());
        self.jobs.spawn(async move {
            let sealed = seal(shelf, http, &replica, &content).await;
            Done::Sealed(replica.id, sealed)
        });
    }

    /// Whether a job runs already, failed lately, or failed too often.
    fn waits(&self, job: Job) -> bool {
        let failed = |(times, until): &(u32, u64)| *times >= ATTEMPTS || *until > self.step;
        self.running.contains(&job) || self.failed.get(&job).is_some_and(failed)
    }

    /// Whether a job may start now; if so it counts as running.
    fn may_start(&mut self, job: Job) -> bool {
        !self.waits(job) && self.running.insert(job)
    }

    fn job_failed(&mut self, job: Job, error: &Error) {
        let entry = self.failed.entry(job).or_default();
        entry.0 += 1;
        entry.1 = self.step + (4 << entry.0.min(6));
        let (attempt, last) = (entry.0, entry.0 >= ATTEMPTS);
        tracing::warn!(?job, %error, attempt, last, "failed");
    }

    /// An answer that can be sent. Damage is noticed here, and repaired if that is wanted.
    fn usable<T>(&mut self, replica: ReplicaId, answer: Result<T, ShelfError>) -> Option<T> {
        match answer {
            Ok(answer) => return Some(answer),
            Err(ShelfError::Damaged) => self.damaged(replica),
            Err(ShelfError::Failed(error)) => tracing::error!(%replica, %error, "no answer"),
        }
        None
    }

    fn damaged(&mut self, replica: ReplicaId) {
        if !self.options.repair {
            tracing::error!(%replica, "damaged on disk; run `tos storage verify --repair`");
            return;
        }
        if self.may_start(Job::Repair(replica)) {
            tracing::warn!(%replica, "damaged on disk; rebuilding from the code");
            let shelf = self.shelf.clone();
            self.jobs.spawn(async move {
                let repair = move || shelf.repair(replica, &mut |_| {});
                Done::Repaired(replica, blocking(repair).await)
            });
        }
    }

    /// Offers that the policy wants and the bond covers.
    async fn accept(
        &self,
        at: &impl Snapshot,
        provider: &ProviderView,
        replicas: &[Held],
    ) -> Result<Vec<Call>> {
        let Some(policy) = self.options.accept.filter(|_| !provider.exiting) else {
            return Ok(Vec::new());
        };
        let waiting = replicas
            .iter()
            .filter(|r| r.status == ReplicaStatus::Sealing);
        let places = self.options.sealing.saturating_sub(waiting.count());
        let mut room = Room {
            free: provider.bond.saturating_sub(provider.tied),
            used: replicas
                .iter()
                .filter(|r| !r.status.is_over())
                .fold(0, |sum, r| sum.saturating_add(bytes(&r.coded))),
        };
        if places == 0 {
            return Ok(Vec::new());
        }
        let mut offers = at.offers().await?;
        offers.retain(|deal| policy.wants(deal, self.shelf.account(), &mut room));
        offers.truncate(places);
        Ok(offers
            .into_iter()
            .map(|deal| Call::AcceptDeal { deal: deal.id })
            .collect())
    }

    /// Settles what has earned enough since this run settled it last.
    fn settle(&mut self, replicas: &[Held]) -> Vec<Call> {
        let Some(every) = self.options.settle else {
            return Vec::new();
        };
        let mut calls = Vec::new();
        for replica in replicas.iter().filter(|r| !r.status.is_over()) {
            let before = self.settled.entry(replica.id).or_insert(replica.earned);
            if replica.earned.saturating_sub(*before) >= every.max(1) {
                *before = replica.earned;
                calls.push(Call::SettleReplica {
                    replica: replica.id,
                });
            }
        }
        calls
    }

    /// Removes from disk what is over in a finalised block.
    async fn tidy(&mut self, replicas: &[Held], finalised: &impl Snapshot) -> Result<()> {
        let live = |of: &[Held], id| of.iter().any(|r| r.id == id && !r.status.is_over());
        let mut gone = self.shelf.replicas()?;
        gone.retain(|id| !live(replicas, *id) && !self.is_busy(*id));
        if gone.is_empty() {
            return Ok(());
        }
        let known = finalised.replicas().await?;
        // What the best block alone calls over may come back; what a finalised one does, not.
        gone.retain(|id| !live(&known, *id));
        for replica in gone {
            let shelf = self.shelf.clone();
            blocking(move || shelf.remove(replica)).await?;
            tracing::info!(%replica, "over; removed from disk");
        }
        Ok(())
    }

    fn is_busy(&self, replica: ReplicaId) -> bool {
        [Job::Seal(replica), Job::Repair(replica), Job::Open(replica)]
            .iter()
            .any(|job| self.running.contains(job))
    }
}

/// What is left to accept with.
struct Room {
    /// Bond that no collateral is taken from.
    free: Balance,
    /// Sealed bytes of all replicas.
    used: u64,
}

impl Policy {
    /// Whether to accept a deal; takes the room for it.
    fn wants(&self, deal: &DealView<AccountId32>, me: &AccountId32, room: &mut Room) -> bool {
        let size = bytes(&deal.coded);
        let after = room.used.saturating_add(size);
        let named = match &deal.provider {
            Some(named) => named == me,
            None => !self.named_only,
        };
        let wanted = named
            && deal.price >= self.min_price
            && size <= self.max_bytes
            && after <= self.capacity
            && deal.collateral <= room.free;
        if wanted {
            room.used = after;
            room.free = room.free.saturating_sub(deal.collateral);
        }
        wanted
    }
}

/// The bytes of a sequence.
fn bytes(of: &Commitment) -> u64 {
    of.words.saturating_mul(64)
}

/// Fetches the content of a replica and seals it. Goes on where it was interrupted; what is coded
/// already is not fetched again.
pub(crate) async fn seal(
    shelf: Arc<Shelf>,
    http: Http,
    replica: &Held,
    stored: &StoredContent,
) -> Result<Commitment> {
    let mut bar = Bar::new(replica.id.to_string());
    let spec = spec(replica, stored);
    if shelf.is_coded(replica.id) {
        return blocking(move || shelf.ingest(&spec, std::io::empty(), &mut |p| bar.watch(p)))
            .await;
    }
    let locator = String::from_utf8_lossy(&stored.locator);
    let uri = content::parse_locator(&locator, Some(&stored.hash))?;
    let (length, reader) = content::open(&http, uri).await?;
    if length.is_some_and(|length| length != stored.length) {
        return Err(Error::Failed(
            "the server's content has another length".into(),
        ));
    }
    blocking(move || shelf.ingest(&spec, reader, &mut |p| bar.watch(p))).await
}

/// Runs what waits for the disk on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Failed(format!("storage: {error}")))?
}

impl<C: Chain> Role<C> for Provider {
    // A window lasts seconds where tests run, so what the pool lost is sent again soon.
    const INCLUSION_TIME: Duration = Duration::from_secs(10);

    async fn step(&mut self, chain: &C) -> Result<Progress> {
        self.step += 1;
        self.patience.next_step();
        let at = chain.best().await?;
        let provider = at.provider().await?;
        let provider = provider
            .ok_or_else(|| Error::refused("not a storage provider: run `tos storage init`"))?;
        if provider.proof_key != self.shelf.proof_key() {
            return Err(Error::Usage(
                "the chain knows another proof key: say --proof-key, or `tos storage set`".into(),
            ));
        }
        let replicas = at.replicas().await?;
        let live = replicas.iter().filter(|r| !r.status.is_over());
        self.handled.extend(live.clone().map(|r| r.id));
        let open = live.count();

        let mut calls = self.answer_audits(at.audits().await?).await?;
        calls.extend(self.submit_groups(&at, &provider).await?);
        calls.extend(self.answer_challenges(&at, at.challenges().await?).await?);
        for replica in &replicas {
            self.attend(&at, replica, &mut calls).await?;
        }
        calls.extend(self.settle(&replicas));
        calls.extend(self.accept(&at, &provider, &replicas).await?);
        let sent = self.patience.submit(chain, calls).await?.len();
        self.tidy(&replicas, &chain.finalised().await?).await?;
        Ok(Progress {
            sent,
            jobs: self.running.len(),
            open: open.max(sent),
            handled: self.handled.len() as u64,
        })
    }

    async fn finish_job(&mut self) -> Result<()> {
        let done = match self.jobs.join_next().await {
            None => std::future::pending().await,
            Some(done) => done.map_err(|error| Error::Failed(format!("storage job: {error}")))?,
        };
        let (job, result) = match done {
            Done::Sealed(replica, sealed) => (Job::Seal(replica), sealed.map(|_| "sealed".into())),
            Done::Repaired(replica, rebuilt) => (
                Job::Repair(replica),
                rebuilt.map(|count| format!("rebuilt {count} damaged chunks")),
            ),
            Done::Opened(replica, seed, opened) => (
                Job::Open(replica),
                opened.map(|answer| {
                    self.opened.insert((replica, seed), answer);
                    "ready to open the seal".into()
                }),
            ),
        };
        self.running.remove(&job);
        match result {
            Ok(what) => {
                self.failed.remove(&job);
                tracing::info!(?job, what, "done");
            }
            Err(error) => self.job_failed(job, &error),
        }
        Ok(())
    }
}
