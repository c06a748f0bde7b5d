// SPDX-License-Identifier: Apache-2.0

//! The miner: joins tasks, has them solved, commits to the answers and reveals them.

mod join;

use super::{
    claims,
    jobs::{Draft, JobContext, Program},
    later,
    limits::Bounds,
    outcome,
    refusals::Refusals,
    report::{Report, Reporter},
    state::{Unwritten, WorkerState},
    Outcome, Role, StepReport, TaskChain, TaskSnapshot,
};
use crate::{
    commitments::{Answer, CommitmentStore, ControlKey, Work},
    job_pool::JobPool,
};
use chacha20poly1305::aead::{rand_core::RngCore, OsRng};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;
use tos_sdk::{
    chain::Call,
    error::{Error, Result},
};
use tos_types::{commitment, Balance, Phase, TaskId, TaskType, Tick};
use tos_views::{Action, AssignmentView, Role as TaskRole, SubmissionView, TaskView};

/// Settings of a miner.
#[derive(Clone)]
pub struct MinerOptions {
    /// The account.
    pub account: AccountId32,
    /// Solver of its tasks.
    pub solver: Program,
    /// Types to take on; all that the account is registered for when empty.
    pub types: Vec<TaskType>,
    /// Tasks in work at the same time.
    pub concurrency: usize,
    /// Most failures of the solver on one task.
    pub attempts: u32,
    /// Ticks that must be left to commit in when a task is joined.
    pub headroom: Tick,
    /// Take on no more tasks than this in all.
    pub max_tasks: Option<u64>,
    /// Claim rewards as they come.
    pub claim: bool,
    /// Tasks to leave alone, and conditions under which to stop.
    pub bounds: Bounds,
    /// Destination of news.
    pub reporter: Reporter,
}

/// Result of a job on a joined task.
enum Done {
    /// The solver was asked, and how long it took.
    Solved(Result<Draft>, Duration),
    /// The specification could not be fetched.
    NoSpecification(Error),
}

/// The worker of a miner.
pub struct Miner {
    options: MinerOptions,
    journal: CommitmentStore,
    workshop: JobContext,
    /// Solvers at work, each with its deadline.
    solving: JobPool<TaskId, Tick, Done>,
    /// Specifications being fetched into the store before their tasks are joined.
    fetches: JobPool<TaskId, (), Result<()>>,
    unwritten: Unwritten<TaskId, Answer>,
    /// Failures that are not in the journal.
    uncounted: HashMap<TaskId, u32>,
    /// Tasks about which the log has been told already that they cannot go on.
    stuck: HashSet<TaskId>,
    /// The log has been told that the solver does not work.
    unfit: bool,
    state: WorkerState,
    refusals: Refusals,
    /// Joined tasks that wait for an answer that may still come.
    unanswered: usize,
    /// Specifications of tasks that take answers, as far as they are known.
    specs: HashMap<TaskId, join::Spec>,
    /// Stake in tasks the account is in.
    stakes: HashMap<TaskId, Balance>,
    /// Tasks whose outcome has been told.
    closed: HashSet<TaskId>,
    /// Losses in a row.
    losses: u32,
    warned: HashSet<&'static str>,
}

impl Miner {
    /// A miner that goes on where `journal` ends.
    pub fn new(options: MinerOptions, journal: CommitmentStore, workshop: JobContext) -> Self {
        Self {
            state: WorkerState::new(journal.seen_until()),
            options,
            journal,
            workshop,
            solving: JobPool::default(),
            fetches: JobPool::default(),
            unwritten: Unwritten::default(),
            uncounted: HashMap::new(),
            stuck: HashSet::new(),
            unfit: false,
            refusals: Refusals::default(),
            unanswered: 0,
            specs: HashMap::new(),
            stakes: HashMap::new(),
            closed: HashSet::new(),
            losses: 0,
            warned: HashSet::new(),
        }
    }

    /// The call that a task needs now which the account has joined.
    async fn attend(
        &mut self,
        at: &impl TaskSnapshot,
        assignment: &AssignmentView,
    ) -> Result<Option<Call>> {
        let task = assignment.task;
        let work = self.journal.accept(task)?;
        match (assignment.action, work.answer) {
            // From an earlier run: an answer that cannot be fetched would cost half of the stake.
            (Action::CommitAnswer, Some(answer))
                if !self.workshop.can_be_fetched(&answer.content) =>
            {
                Ok(None)
            }
            (Action::CommitAnswer, Some(answer)) => Ok(Some(Call::Commit {
                task,
                commitment: answer.commitment,
            })),
            (Action::CommitAnswer, None) => {
                let uncounted = self.uncounted.get(&task).copied().unwrap_or_default();
                let failures = work.failures.saturating_add(uncounted);
                if failures >= self.options.attempts {
                    self.stuck(
                        task,
                        assignment.deadline,
                        "the solver failed too often; the answer's stake will suffer",
                    );
                    return Ok(None);
                }
                self.unanswered += 1;
                let waits = self.solving.is_running(task)
                    || self.unwritten.holds(task)
                    || self.is_dead(task);
                let deadline = assignment.deadline;
                let (state, running) = (&self.state, self.solving.len());
                if !waits && state.health.may_start(state.tick, deadline, running) {
                    self.start(at, task, deadline).await?;
                }
                Ok(None)
            }
            (Action::RevealAnswer, Some(answer)) => {
                let submission = self.submission(at, task).await?;
                let commitment = submission.and_then(|s| s.commitment).map(|c| c.hash);
                if commitment != Some(answer.commitment) {
                    self.stuck(
                        task,
                        assignment.deadline,
                        "another commitment than this journal's is on chain",
                    );
                    return Ok(None);
                }
                let Answer {
                    content,
                    simhash,
                    salt,
                    ..
                } = answer;
                Ok(Some(Call::Reveal {
                    task,
                    content: self.workshop.located_now(content),
                    simhash,
                    salt,
                }))
            }
            (Action::RevealAnswer, None) => {
                self.stuck(
                    task,
                    assignment.deadline,
                    "committed elsewhere: this journal cannot open the commitment",
                );
                Ok(None)
            }
            (Action::CommitVote { .. } | Action::RevealVote { .. }, _) => Ok(None),
        }
    }

    /// This account's part in a task.
    async fn submission(
        &self,
        at: &impl TaskSnapshot,
        task: TaskId,
    ) -> Result<Option<SubmissionView<AccountId32>>> {
        let submissions = at
            .task(task)
            .await?
            .map(|view| view.submissions)
            .unwrap_or_default();
        Ok(submissions
            .into_iter()
            .find(|s| s.miner == self.options.account))
    }

    async fn start(&mut self, at: &impl TaskSnapshot, task: TaskId, deadline: Tick) -> Result<()> {
        if self.solving.len() >= self.options.concurrency {
            return Ok(());
        }
        let Some(view) = at.task(task).await? else {
            return Ok(());
        };
        tracing::info!(%task, "solving");
        let (workshop, solver) = (self.workshop.clone(), self.options.solver.clone());
        let job = async move {
            // A specification that cannot be fetched is not the solver's failure.
            if let Err(error) = workshop.fetch_spec(&view).await {
                return Done::NoSpecification(error);
            }
            let begun = Instant::now();
            let result = workshop.solve(solver, Arc::new(view)).await;
            Done::Solved(result, begun.elapsed())
        };
        self.solving.start(task, deadline, job);
        Ok(())
    }

    fn stuck(&mut self, task: TaskId, deadline: Tick, why: &str) {
        if self.stuck.insert(task) {
            let (deadline, why) = (Some(deadline), why.into());
            self.options.reporter.tell(&Report::Deadline {
                task,
                deadline,
                why,
            });
        }
    }

    /// Tells how a task ended for this account.
    fn conclude(&mut self, view: &TaskView<AccountId32>) {
        let Some((report, counts)) = outcome::of(view, &self.options.account) else {
            return;
        };
        if !self.closed.insert(view.summary.id) {
            return;
        }
        self.options.reporter.tell(&report);
        match report {
            Report::Won { .. } => self.losses = 0,
            _ if counts => self.losses = self.losses.saturating_add(1),
            _ => {}
        }
        if self.options.bounds.is_enough(self.losses) {
            self.warn_once(
                "stopAfterLosses",
                "as many tasks in a row were lost as --stop-after-losses allows; nothing more is \
                 joined",
            );
        }
    }

    /// Notes the stakes in these tasks, each of which is asked for once.
    async fn note_stakes(&mut self, at: &impl TaskSnapshot, open: &HashSet<TaskId>) -> Result<()> {
        self.stakes.retain(|task, _| open.contains(task));
        if self.options.bounds.max_at_stake.is_none() {
            return Ok(());
        }
        for task in open {
            if !self.stakes.contains_key(task) {
                if let Some(mine) = self.submission(at, *task).await? {
                    self.stakes.insert(*task, mine.stake);
                }
            }
        }
        Ok(())
    }

    /// Writes the answers that could not be written before.
    fn write(&mut self) {
        let journal = &self.journal;
        self.unwritten.write(|task, answer| {
            let written = journal.seal_answer(task, answer.clone());
            match &written {
                Ok(_) => tracing::info!(%task, "answer ready"),
                Err(error) => tracing::error!(%task, %error,
                    "the answer is in memory only; give the disk room"),
            }
            written.is_ok()
        });
    }

    /// Gives an answer a fresh salt.
    fn seal(&mut self, task: TaskId, draft: Draft) {
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        let Draft {
            content,
            simhash,
            control_quality,
        } = draft;
        let account = &self.options.account;
        let known = control_quality.map(|quality| {
            let mut secret = [0; 32];
            OsRng.fill_bytes(&mut secret);
            salt = commitment::control_answer(&task, account, &content.hash, quality, &secret);
            ControlKey {
                quality,
                secret,
                told: false,
            }
        });
        let commitment = commitment::answer(&task, account, &content.hash, simhash, &salt);
        let answer = Answer {
            commitment,
            salt,
            content,
            simhash,
            known,
        };
        self.unwritten.push(task, answer);
    }
}

/// The refusal of a control answer that the chain knows.
pub const ALREADY_KNOWN: &str = "Judges::AlreadyKnown";

/// Tells, once the votes are counted, that an answer was a check.
async fn tell(at: &impl TaskSnapshot, task: TaskId, work: &Work) -> Result<Option<Call>> {
    let known = work
        .answer
        .as_ref()
        .and_then(|answer| answer.known.as_ref());
    let Some(known) = known.filter(|known| !known.told) else {
        return Ok(None);
    };
    let view = at.task(task).await?;
    let counted = view.is_some_and(|view| view.summary.phase == Phase::Challenge);
    Ok(counted.then_some(Call::RevealControl {
        task,
        quality: known.quality,
        secret: known.secret,
    }))
}

impl<C: TaskChain> Role<C> for Miner {
    async fn step(&mut self, chain: &C) -> Result<StepReport> {
        self.write();
        self.unanswered = 0;
        let (at, assignments) = self.state.begin(chain, TaskRole::Miner).await?;
        let mut calls = Vec::new();
        for assignment in &assignments {
            calls.extend(self.attend(&at, assignment).await?);
        }
        // What no longer takes a commitment need not be solved.
        let wanted = |task| {
            let commits = |a: &AssignmentView| a.task == task && a.action == Action::CommitAnswer;
            assignments.iter().any(commits)
        };
        for stopped in self.solving.stop_unless(wanted) {
            let deadline = stopped.note;
            if self.state.tick > deadline {
                // It needs at least this long, which later tasks must leave it.
                self.state.health.took(stopped.took);
                self.options.reporter.tell(&Report::Deadline {
                    task: stopped.key,
                    deadline: Some(deadline),
                    why: "the solver was not done in time; the answer's stake will suffer".into(),
                });
            }
        }
        self.unwritten.retain(wanted);

        let finalised = chain.finalised().await?;
        let workshop = &self.workshop;
        workshop
            .tidy(&at, &finalised, &mut self.state.sightings)
            .await;
        // The tasks the account is in: those with something to do, and those that only go on.
        let mut open: HashSet<_> = assignments.iter().map(|a| a.task).collect();
        for (task, work) in self.journal.open_work()? {
            calls.extend(tell(&at, task, &work).await?);
            if open.contains(&task) {
                continue;
            }
            if self.state.sightings.is_over(task, &at, &finalised).await? {
                if let Some(view) = finalised.task(task).await? {
                    self.conclude(&view);
                }
                later(self.journal.finish_work(task));
            } else if self.submission(&at, task).await?.is_some() {
                self.state.handled.insert(task);
                open.insert(task);
            }
        }
        self.note_stakes(&at, &open).await?;
        calls.extend(self.take_on(&at, open.len()).await?);
        let (rewards, claim) = claims(&at, self.options.claim).await?;
        calls.extend(claim);
        let outcomes = self.state.backoff.submit(chain, calls).await?;
        let sent = outcomes.len();
        for (call, outcome) in outcomes {
            // Known already: told before a crash, and not noted.
            let told = match &outcome {
                Outcome::Done => true,
                Outcome::Refused(why) => why == ALREADY_KNOWN,
                Outcome::Waits => false,
            };
            if let (Call::RevealControl { task, .. }, true) = (&call, told) {
                later(self.journal.told(*task));
            }
            if outcome == Outcome::Done {
                self.options.reporter.done(&call, &rewards);
            }
        }
        let jobs = self.solving.len() + self.unwritten.len() + self.fetching();
        Ok(self.state.end(sent, jobs, open.len() + rewards.len()))
    }

    async fn finish_job(&mut self) -> Result<()> {
        let (task, done) = tokio::select! {
            (task, done) = self.solving.finish() => (task, done?),
            (task, fetched) = self.fetches.finish() => {
                // A job that panicked is a specification that could not be fetched.
                self.fetched(task, fetched.and_then(|result| result));
                return Ok(());
            }
        };
        let (result, took) = match done {
            Done::Solved(result, took) => (result, took),
            Done::NoSpecification(error) => {
                self.fetched(task, Err(error));
                return Ok(());
            }
        };
        match result {
            Ok(draft) => {
                self.state.succeeded(took, &self.options.reporter);
                self.seal(task, draft);
                self.write();
            }
            Err(error) => {
                let declined = matches!(error, Error::Declined(_));
                if declined {
                    // Another attempt would cost as much and end the same.
                    self.uncounted.insert(task, self.options.attempts);
                }
                let failures = match self.journal.count_failure(task) {
                    Ok(work) => work.failures,
                    Err(_) => {
                        let uncounted = self.uncounted.entry(task).or_default();
                        *uncounted = uncounted.saturating_add(1);
                        *uncounted
                    }
                };
                tracing::warn!(%task, %error, failures, "no answer");
                if declined {
                    // Says nothing about other tasks: a stranger could word one so that it is
                    // declined.
                    return Ok(());
                }
                self.state.failed(&error, &self.options.reporter);
            }
        }
        Ok(())
    }

    fn gave_up(&self) -> Option<String> {
        let enough = self.options.bounds.is_enough(self.losses);
        enough.then(|| format!("{} tasks in a row were lost: stopped joining", self.losses))
    }
}
