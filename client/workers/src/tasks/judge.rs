// SPDX-License-Identifier: Apache-2.0

//! The judge: has answers judged, commits to the scores and reveals them.

use super::{
    claims,
    jobs::{JobContext, Judgement, Program},
    later,
    report::{Report, Reporter},
    state::{Unwritten, WorkerState},
    tools::{Tool, Tools},
    Outcome, Role, StepReport, TaskChain, TaskSnapshot,
};
use crate::{
    commitments::{CommitmentStore, Vote},
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
    chain::{Call, Scores},
    error::{Error, Result},
};
use tos_types::{commitment, json::to_hex, Balance, TaskId, Tick};
use tos_views::{Action, AssignmentView, Role as TaskRole};

/// Options of a judge's worker.
#[derive(Clone)]
pub struct JudgeOptions {
    /// The account.
    pub account: AccountId32,
    /// The judge.
    pub judge: Program,
    /// The pinned tools it can run.
    pub tools: Tools,
    /// Panels in work at the same time.
    pub concurrency: usize,
    /// Most failures of the judge on one vote.
    pub attempts: u32,
    /// Claim rewards as they come.
    pub claim: bool,
    /// Destination of news.
    pub reporter: Reporter,
}

/// Ticks after which a specification that could not be fetched is tried again.
const FETCH_PAUSE: Tick = 3;

/// One vote.
type Ballot = (TaskId, u32);

/// Reason for which there is no vote.
enum NoVote {
    /// The specification cannot be fetched: its publisher's fault.
    Specification(Error),
    /// The judge gives no scores.
    Judge(Error),
}

/// Failures on one vote.
#[derive(Default)]
struct Failures {
    count: u32,
    /// The last one in words.
    why: String,
    /// The tick in which to try again.
    retry_at: Tick,
}

/// The worker of a judge.
pub struct JudgeWorker {
    options: JudgeOptions,
    journal: CommitmentStore,
    workshop: JobContext,
    /// Judges at work, each with its deadline.
    jobs: JobPool<Ballot, Tick, (Result<Judgement, NoVote>, Duration)>,
    unwritten: Unwritten<Ballot, Vote>,
    failures: HashMap<Ballot, Failures>,
    stuck: HashSet<Ballot>,
    state: WorkerState,
    /// The account's stake as it was last seen in a final block.
    stake: Option<Balance>,
}

impl JudgeWorker {
    /// A judge that goes on where `journal` ends.
    pub fn new(options: JudgeOptions, journal: CommitmentStore, workshop: JobContext) -> Self {
        Self {
            state: WorkerState::new(journal.seen_until()),
            options,
            journal,
            workshop,
            jobs: JobPool::default(),
            unwritten: Unwritten::default(),
            failures: HashMap::new(),
            stuck: HashSet::new(),
            stake: None,
        }
    }

    /// Counts failures on a vote. The next try comes after `pause` ticks.
    fn failed(&mut self, (task, round): Ballot, count: u32, error: &Error, pause: Tick) {
        let failures = self.failures.entry((task, round)).or_default();
        failures.count = failures.count.saturating_add(count);
        failures.why = error.to_string();
        failures.retry_at = self.state.tick.saturating_add(pause);
        tracing::warn!(%task, round = shown(round), %error, "no vote");
    }

    /// Tells of a stake that has become smaller.
    fn stake_is(&mut self, now: Option<Balance>) {
        if let (Some(before), Some(left)) = (self.stake, now) {
            if let Some(lost) = before.checked_sub(left).filter(|lost| *lost > 0) {
                self.options.reporter.tell(&Report::Slashed { lost, left });
            }
        }
        self.stake = now;
    }

    async fn attend(
        &mut self,
        at: &impl TaskSnapshot,
        assignment: &AssignmentView,
    ) -> Result<Option<Call>> {
        let (task, deadline) = (assignment.task, assignment.deadline);
        match assignment.action {
            Action::CommitVote { round } => {
                if let Some(vote) = self.journal.vote(task, round)? {
                    return Ok(Some(Call::CommitVote {
                        task,
                        commitment: vote.commitment,
                    }));
                }
                let ballot = (task, round);
                let failures = self.failures.get(&ballot);
                if let Some(failed) = failures.filter(|f| f.count >= self.options.attempts) {
                    let why = format!("no vote, stake will suffer: {}", failed.why);
                    self.stuck(ballot, Some(deadline), &why);
                    return Ok(None);
                }
                let pauses = failures.is_some_and(|failed| self.state.tick < failed.retry_at);
                let waits = pauses || self.jobs.is_running(ballot) || self.unwritten.holds(ballot);
                let (state, running) = (&self.state, self.jobs.len());
                if !waits && state.health.may_start(state.tick, deadline, running) {
                    self.start(at, ballot, deadline).await?;
                }
                Ok(None)
            }
            Action::RevealVote { round } => {
                let Some(vote) = self.journal.vote(task, round)? else {
                    self.stuck(
                        (task, round),
                        Some(deadline),
                        "voted elsewhere: this journal cannot open the vote",
                    );
                    return Ok(None);
                };
                let scores = Scores::try_from(vote.scores)
                    .map_err(|_| Error::Failed("a vote with too many scores".into()))?;
                Ok(Some(Call::RevealVote {
                    task,
                    scores,
                    report: vote.report,
                    salt: vote.salt,
                }))
            }
            Action::CommitAnswer | Action::RevealAnswer => Ok(None),
        }
    }

    async fn start(
        &mut self,
        at: &impl TaskSnapshot,
        ballot: Ballot,
        deadline: Tick,
    ) -> Result<()> {
        if self.jobs.len() >= self.options.concurrency {
            return Ok(());
        }
        let (task, round) = ballot;
        let Some(view) = at.task(task).await? else {
            return Ok(());
        };
        let tool = self.tool(at, ballot).await?;
        let answers = view.answers.len();
        tracing::info!(%task, round = shown(round), answers, "judging");
        // What cannot be fetched is voted unavailable, and that vote must be in time too.
        let left = self.state.pace.left(self.state.tick, deadline);
        let workshop = self.workshop.clone().within(left, tool.is_some());
        let judge = self.options.judge.clone();
        let job = async move {
            let begun = Instant::now();
            let result = match workshop.fetch_spec(&view).await {
                Ok(()) => {
                    let judged = workshop.judge(judge, tool, Arc::new(view)).await;
                    judged.map_err(NoVote::Judge)
                }
                Err(error) => Err(NoVote::Specification(error)),
            };
            (result, begun.elapsed())
        };
        self.jobs.start(ballot, deadline, job);
        Ok(())
    }

    /// The tool to run for a ballot, if the seat is an automatic one and the tool is there.
    async fn tool(&self, at: &impl TaskSnapshot, (task, round): Ballot) -> Result<Option<Tool>> {
        let Some(hash) = at.tool(task).await? else {
            return Ok(None);
        };
        let tool = self.options.tools.get(&hash);
        if tool.is_none() {
            let hash = to_hex(&hash);
            tracing::error!(%task, round = shown(round), hash, "the pinned tool is missing, so this vote has no \
                report and will count as inaccurate: get the file with this BLAKE3 hash and start \
                with --tool FILE");
        }
        Ok(tool)
    }

    fn stuck(&mut self, ballot: Ballot, deadline: Option<Tick>, why: &str) {
        if self.stuck.insert(ballot) {
            self.options.reporter.tell(&Report::Deadline {
                task: ballot.0,
                deadline,
                why: format!("round {}: {why}", shown(ballot.1)),
            });
        }
    }

    /// Writes the votes that could not be written before.
    fn write(&mut self) {
        let journal = &self.journal;
        self.unwritten.write(|(task, round), vote| {
            let written = journal.seal_vote(task, round, vote.clone());
            match &written {
                Ok(_) => tracing::info!(%task, round = shown(round), "vote ready"),
                Err(error) => tracing::error!(%task, round = shown(round), %error,
                    "the vote is in memory only; give the disk room"),
            }
            written.is_ok()
        });
    }

    /// Gives a vote a fresh salt.
    fn seal(&mut self, (task, round): Ballot, judgement: Judgement) {
        let Judgement { scores, report } = judgement;
        let mut salt = [0; 32];
        OsRng.fill_bytes(&mut salt);
        let account = &self.options.account;
        let commitment = commitment::vote(&task, round, account, &scores, report.as_ref(), &salt);
        let vote = Vote {
            commitment,
            salt,
            scores,
            report,
            done: false,
        };
        self.unwritten.push((task, round), vote);
    }
}

/// Rounds are counted from 1 where people read them.
fn shown(round: u32) -> u32 {
    round.saturating_add(1)
}

impl<C: TaskChain> Role<C> for JudgeWorker {
    async fn step(&mut self, chain: &C) -> Result<StepReport> {
        self.write();
        let (at, assignments) = self.state.begin(chain, TaskRole::Judge).await?;
        let mut calls = Vec::new();
        for assignment in &assignments {
            calls.extend(self.attend(&at, assignment).await?);
        }
        // What takes no vote any more need not be judged.
        let takes_votes: HashSet<Ballot> = assignments
            .iter()
            .filter_map(|assignment| match assignment.action {
                Action::CommitVote { round } => Some((assignment.task, round)),
                _ => None,
            })
            .collect();
        for stopped in self
            .jobs
            .stop_unless(|ballot| takes_votes.contains(&ballot))
        {
            let deadline = stopped.note;
            // Otherwise a reorganisation took the seat away, or another program with this key voted.
            if self.state.tick > deadline {
                let why = "the judge was still at work when voting ended; stake will suffer";
                self.stuck(stopped.key, Some(deadline), why);
            }
        }
        self.unwritten
            .retain(|ballot| takes_votes.contains(&ballot));

        let finalised = chain.finalised().await?;
        self.stake_is(finalised.stake().await?);
        let workshop = &self.workshop;
        workshop
            .tidy(&at, &finalised, &mut self.state.sightings)
            .await;
        let mut open: HashSet<_> = assignments.iter().map(|a| a.task).collect();
        for (task, round, _) in self.journal.open_votes()? {
            self.state.handled.insert(task);
            if open.contains(&task) {
                continue;
            }
            if self.state.sightings.is_over(task, &at, &finalised).await? {
                later(self.journal.finish_vote(task, round));
            } else {
                open.insert(task);
            }
        }
        let (rewards, claim) = claims(&at, self.options.claim).await?;
        calls.extend(claim);
        let outcomes = self.state.backoff.submit(chain, calls).await?;
        let sent = outcomes.len();
        for (call, outcome) in outcomes {
            if outcome == Outcome::Done {
                self.options.reporter.done(&call, &rewards);
            }
        }
        let jobs = self.jobs.len() + self.unwritten.len();
        Ok(self.state.end(sent, jobs, open.len() + rewards.len()))
    }

    async fn finish_job(&mut self) -> Result<()> {
        let (ballot, done) = self.jobs.finish().await;
        let (result, took) = done?;
        match result {
            Ok(judgement) => {
                self.state.succeeded(took, &self.options.reporter);
                self.seal(ballot, judgement);
                self.write();
            }
            // Says nothing about the judge, which may go on with other tasks.
            Err(NoVote::Specification(error)) => {
                self.failed(ballot, 1, &error, FETCH_PAUSE);
            }
            Err(NoVote::Judge(error)) => {
                if matches!(error, Error::Declined(_)) {
                    // Another attempt would cost as much and end the same. It says nothing about
                    // other tasks: a stranger could word one so that it is declined.
                    self.failed(ballot, self.options.attempts, &error, 0);
                    return Ok(());
                }
                self.failed(ballot, 1, &error, 0);
                self.state.failed(&error, &self.options.reporter);
            }
        }
        Ok(())
    }

    fn gave_up(&self) -> Option<String> {
        None
    }
}
