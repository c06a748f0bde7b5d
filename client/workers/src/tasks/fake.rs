// SPDX-License-Identifier: Apache-2.0

//! A chain in memory, as strict as the real one about what a worker may do, that can "kill" the
//! worker at any point where it touches the chain.

use super::{
    process::Limits, JobContext, MinerOptions, Program, Retention, Submit, TaskChain, TaskSnapshot,
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};
pub use tos_sdk::testing::views::{reveal, task_view, ME, OPEN_UNTIL};
use tos_sdk::{
    chain::{Block, Call, Hash, Heads},
    content::Store,
    error::{Error, Result},
    http::Http,
};
use tos_types::{
    commitment, join_error::JoinError, AnswerScore, Balance, Closure, ContentHash, Phase, Report,
    TaskId, TaskType, Tick, TOS,
};
use tos_views::{
    Action, AssignmentView, ClaimView, CommitmentView, JoinErrorView, Role, SubmissionView,
    TaskSummary, TaskView,
};

/// Last ticks of the phases of every task.
const REVEAL_UNTIL: Tick = 45;
const VOTE_UNTIL: Tick = 60;
const VOTE_REVEAL_UNTIL: Tick = 75;
const CHALLENGE_UNTIL: Tick = 85;
/// Blocks by which finality lags.
const LAG: usize = 3;

/// A place to work in, without a server.
pub fn workshop() -> (tempfile::TempDir, JobContext) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("content")).unwrap();
    let http = Http::new().unwrap();
    let limits = Limits {
        time: Duration::from_secs(20),
        memory_mib: 0,
        output: 1_000_000,
    };
    let workshop = JobContext {
        chain: [9; 8],
        retention: Retention::new(Duration::from_secs(24 * 3_600)),
        ..JobContext::new(store, http, Duration::from_millis(200), limits)
    };
    (folder, workshop)
}

/// Options of a miner on the account of the fake chain.
pub fn miner_options(solver: Program) -> MinerOptions {
    MinerOptions {
        account: ME,
        solver,
        types: Vec::new(),
        concurrency: 3,
        attempts: 2,
        headroom: 2,
        max_tasks: None,
        claim: true,
        bounds: Default::default(),
        reporter: Default::default(),
    }
}

/// A vote as the chain sees it.
#[derive(Clone, Default)]
struct Ballot {
    commitment: Option<[u8; 32]>,
    revealed: Option<Vec<AnswerScore>>,
    report: Option<Report>,
}

/// The state after one block.
#[derive(Clone, Default)]
pub struct State {
    /// The number of the block.
    number: u64,
    tick: Tick,
    tasks: Vec<TaskView<AccountId32>>,
    /// `true` if the account sits on the panels.
    panellist: bool,
    ballots: Vec<(TaskId, Ballot)>,
    claims: Vec<ClaimView>,
    /// The tool whose report the panels want.
    tool: Option<ContentHash>,
    /// The salts of revealed answers.
    salts: Vec<(TaskId, [u8; 32])>,
    /// Tasks of which it was told that the answer was a check.
    told: Vec<TaskId>,
    /// Reason for which the account may join nothing.
    refusal: Option<JoinError>,
    /// Stake that the account has lost as a judge.
    slashed: Balance,
    /// Questions about tasks that were asked of all states.
    questions: Rc<Cell<usize>>,
}

/// See the [module](self).
#[derive(Default)]
pub struct FakeChain {
    states: RefCell<Vec<State>>,
    /// Tag that tells chains with the same genesis apart.
    pub tag: u8,
    accepted: RefCell<Vec<Call>>,
    refused: RefCell<Vec<Call>>,
    touched: Cell<usize>,
    kill_at: Cell<Option<usize>>,
}

impl FakeChain {
    /// A chain with these tasks. With `panellist`, the account is to judge them.
    pub fn new(tasks: Vec<TaskView<AccountId32>>, panellist: bool) -> Self {
        let ballots = tasks
            .iter()
            .map(|t| (t.summary.id, Ballot::default()))
            .collect();
        let claims = Vec::new();
        let genesis = State {
            tick: 0,
            tasks,
            panellist,
            ballots,
            claims,
            ..State::default()
        };
        let chain = Self::default();
        chain.states.borrow_mut().push(genesis);
        chain
    }

    /// A chain with one task, and the task's identifier.
    pub fn one_task() -> (Self, TaskId) {
        let task = task_view(1);
        let id = task.summary.id;
        (Self::new(vec![task], false), id)
    }

    /// The same chain as a node knows it that is behind: as if no block after `number` had been
    /// made.
    pub fn behind(&self, number: usize) -> Self {
        let all = self.states.borrow();
        let states = all.iter().take(number + 1).cloned().collect();
        Self {
            states: RefCell::new(states),
            tag: self.tag,
            ..Self::default()
        }
    }

    fn finalised_number(&self) -> usize {
        self.states.borrow().len().saturating_sub(1 + LAG)
    }

    /// Kills the worker when it touches the chain for the `count`-th time.
    pub fn kill_at(self, count: usize) -> Self {
        self.kill_at.set(Some(count));
        self
    }

    /// Asks the account for reports of this tool.
    pub fn with_tool(self, tool: ContentHash) -> Self {
        self.states
            .borrow_mut()
            .iter_mut()
            .for_each(|state| state.tool = Some(tool));
        self
    }

    /// Lets the account join nothing, for this reason, until told otherwise.
    pub fn refuse(&self, reason: Option<JoinError>) {
        let mut state = self.state();
        state.refusal = reason;
        self.push(state);
    }

    /// Takes from the account's stake as a judge.
    pub fn slash(&self, amount: Balance) {
        let mut state = self.state();
        state.slashed += amount;
        self.push(state);
    }

    /// Questions about single tasks that were asked so far.
    pub fn questions(&self) -> usize {
        self.state().questions.get()
    }

    /// The reports revealed, by task.
    pub fn reports(&self) -> Vec<Option<Report>> {
        self.state()
            .ballots
            .into_iter()
            .map(|(_, ballot)| ballot.report)
            .collect()
    }

    /// `true` once the worker has been killed.
    pub fn has_killed(&self) -> bool {
        self.kill_at.get().is_none()
    }

    /// Returns `true` if all tasks are closed and that is final.
    pub fn is_over(&self) -> bool {
        let states = self.states.borrow();
        let finalised = &states[states.len().saturating_sub(1 + LAG)];
        finalised.tick > CHALLENGE_UNTIL
    }

    /// The calls that took effect.
    pub fn accepted(&self) -> Vec<Call> {
        self.accepted.borrow().clone()
    }

    /// The calls that failed.
    pub fn refused(&self) -> Vec<Call> {
        self.refused.borrow().clone()
    }

    /// A point at which the worker may be killed.
    pub fn touch(&self) -> Result<()> {
        self.touched.set(self.touched.get() + 1);
        if self.kill_at.get() == Some(self.touched.get()) {
            self.kill_at.set(None);
            return Err(Error::Failed("killed".into()));
        }
        Ok(())
    }

    /// Makes a block without calls.
    pub fn advance(&self) {
        let mut state = self.state();
        state.tick += 1;
        for task in &mut state.tasks {
            let (phase, deadline) = match state.tick {
                tick if tick <= OPEN_UNTIL => (Phase::Open, OPEN_UNTIL),
                tick if tick <= REVEAL_UNTIL => (Phase::AnswerReveal, REVEAL_UNTIL),
                tick if tick <= VOTE_UNTIL => (Phase::VoteCommit, VOTE_UNTIL),
                tick if tick <= VOTE_REVEAL_UNTIL => (Phase::VoteReveal, VOTE_REVEAL_UNTIL),
                tick if tick <= CHALLENGE_UNTIL => (Phase::Challenge, CHALLENGE_UNTIL),
                _ => (Phase::Closed(Closure::Settled), Tick::MAX),
            };
            let closes = matches!(phase, Phase::Closed(_)) && task.summary.phase != phase;
            let revealed =
                |s: &&mut SubmissionView<AccountId32>| s.miner == ME && s.content.is_some();
            if let (true, Some(mine)) = (closes, task.submissions.iter_mut().find(revealed)) {
                mine.earned = TOS;
            }
            if closes && !state.panellist && task.summary.revealed > 0 {
                let (task, amount) = (task.summary.id, TOS);
                state.claims.push(ClaimView {
                    task,
                    amount,
                    expires: Tick::MAX,
                });
            }
            (task.summary.phase, task.summary.deadline) = (phase, deadline);
        }
        self.push(state);
    }

    fn push(&self, mut state: State) {
        state.number += 1;
        self.states.borrow_mut().push(state);
    }

    /// Publishes a task, in a block of its own.
    pub fn publish(&self, task: TaskView<AccountId32>) {
        let mut state = self.state();
        state.ballots.push((task.summary.id, Ballot::default()));
        state.tasks.push(task);
        self.push(state);
    }

    /// Undoes the last blocks, which are not final.
    pub fn undo(&self, blocks: usize) {
        let mut states = self.states.borrow_mut();
        let left = states.len().saturating_sub(blocks.min(LAG));
        states.truncate(left);
    }

    fn state(&self) -> State {
        self.states.borrow().last().cloned().unwrap()
    }

    fn apply(&self, call: &Call) -> Result<()> {
        let mut state = self.state();
        let done = state.apply(call);
        match done {
            Some(()) => self.accepted.borrow_mut().push(call.clone()),
            None => self.refused.borrow_mut().push(call.clone()),
        }
        self.push(state);
        let known = matches!(call, Call::RevealControl { .. });
        done.ok_or_else(|| match known {
            true => Error::refused(super::miner::ALREADY_KNOWN),
            false => Error::refused(format!("{call:?}")),
        })
    }
}

impl State {
    fn task(&mut self, id: TaskId, phase: Phase) -> Option<&mut TaskView<AccountId32>> {
        self.tasks
            .iter_mut()
            .find(|t| t.summary.id == id && t.summary.phase == phase)
    }

    /// `None` when the chain refuses.
    fn apply(&mut self, call: &Call) -> Option<()> {
        match call.clone() {
            Call::Join { task } => {
                let task = self.task(task, Phase::Open)?;
                let joined = task.submissions.iter().any(|s| s.miner == ME);
                (!joined).then_some(())?;
                task.summary.joined += 1;
                task.submissions.push(SubmissionView {
                    id: [0; 16],
                    miner: ME,
                    stake: TOS,
                    commitment: None,
                    content: None,
                    simhash: None,
                    duplicate: false,
                    result: None,
                    earned: 0,
                    lost: 0,
                });
            }
            Call::Commit { task, commitment } => {
                let tick = self.tick;
                let task = self.task(task, Phase::Open)?;
                let mine = task.submissions.iter_mut().find(|s| s.miner == ME)?;
                mine.commitment.is_none().then_some(())?;
                mine.commitment = Some(CommitmentView {
                    hash: commitment,
                    tick,
                    number: 0,
                });
                task.summary.committed += 1;
            }
            Call::Reveal {
                task: id,
                content,
                simhash,
                salt,
            } => {
                let task = self.task(id, Phase::AnswerReveal)?;
                let mine = task.submissions.iter_mut().find(|s| s.miner == ME)?;
                let opened = commitment::answer(&id, &ME, &content.hash, simhash, &salt);
                let matches = mine.commitment.map(|c| c.hash) == Some(opened);
                (matches && mine.content.is_none() && content.check().is_ok()).then_some(())?;
                mine.content = Some(content);
                task.summary.revealed += 1;
                self.salts.push((id, salt));
            }
            Call::CommitVote { task, commitment } => {
                self.task(task, Phase::VoteCommit)?;
                let ballot = self.ballot(task)?;
                ballot.commitment.is_none().then_some(())?;
                ballot.commitment = Some(commitment);
            }
            Call::RevealVote {
                task,
                scores,
                report,
                salt,
            } => {
                self.task(task, Phase::VoteReveal)?;
                let opened = commitment::vote(&task, 0, &ME, &scores, report.as_ref(), &salt);
                let ballot = self.ballot(task)?;
                let matches = ballot.commitment == Some(opened) && ballot.revealed.is_none();
                matches.then_some(())?;
                ballot.revealed = Some(scores.into_inner());
                ballot.report = report;
            }
            Call::RevealControl {
                task: id,
                quality,
                secret,
            } => {
                let task = self.task(id, Phase::Challenge)?;
                let mine = task.submissions.iter().find(|s| s.miner == ME)?;
                let hash = mine.content.as_ref()?.hash;
                let salt = commitment::control_answer(&id, &ME, &hash, quality, &secret);
                let fits = self.salts.contains(&(id, salt)) && !self.told.contains(&id);
                fits.then_some(())?;
                self.told.push(id);
            }
            Call::ClaimAll {} => {
                (!self.claims.is_empty()).then_some(())?;
                self.claims.clear();
            }
            _ => return None,
        }
        Some(())
    }

    fn ballot(&mut self, task: TaskId) -> Option<&mut Ballot> {
        self.ballots
            .iter_mut()
            .find(|(id, _)| *id == task)
            .map(|(_, ballot)| ballot)
    }
}

impl Submit for FakeChain {
    async fn submit(&self, calls: &[Call]) -> Result<Vec<Result<()>>> {
        // Killed before anything is sent, or before the worker learns what came of it.
        self.touch()?;
        let results = calls.iter().map(|call| self.apply(call)).collect();
        self.touch()?;
        Ok(results)
    }
}

impl Heads for FakeChain {
    fn genesis(&self) -> Hash {
        [9; 32]
    }

    async fn finalised_block(&self) -> Result<Block> {
        let number = self.finalised_number() as u64;
        let hash = block_hash(self.tag, number);
        Ok(Block { number, hash })
    }

    async fn best_number(&self) -> Result<u64> {
        Ok(self.states.borrow().len() as u64 - 1)
    }

    async fn hash_at(&self, number: u64) -> Result<Option<Hash>> {
        let known = number < self.states.borrow().len() as u64;
        Ok(known.then(|| block_hash(self.tag, number)))
    }
}

/// The hash of a block; that of block 0 is the same on all chains.
fn block_hash(tag: u8, number: u64) -> Hash {
    match number {
        0 => [9; 32],
        _ => tos_types::content::content_hash(format!("{tag} {number}").as_bytes()),
    }
}

impl TaskChain for FakeChain {
    type Snapshot = State;

    async fn best(&self) -> Result<State> {
        self.touch()?;
        Ok(self.state())
    }

    async fn finalised(&self) -> Result<State> {
        let states = self.states.borrow();
        Ok(states[states.len().saturating_sub(1 + LAG)].clone())
    }
}

impl TaskSnapshot for State {
    fn number(&self) -> u64 {
        self.number
    }

    async fn time(&self) -> Result<(Tick, Tick)> {
        Ok((self.tick, 43_200))
    }

    async fn assignments(&self) -> Result<Vec<AssignmentView>> {
        let mut all = Vec::new();
        for task in &self.tasks {
            let mine = task.submissions.iter().find(|s| s.miner == ME);
            let ballot = self.ballots.iter().find(|(id, _)| *id == task.summary.id);
            let ballot = ballot.filter(|_| self.panellist).map(|(_, ballot)| ballot);
            let action = match (task.summary.phase, mine, ballot) {
                (Phase::Open, Some(mine), _) if mine.commitment.is_none() => Action::CommitAnswer,
                (Phase::AnswerReveal, Some(mine), _)
                    if mine.commitment.is_some() && mine.content.is_none() =>
                {
                    Action::RevealAnswer
                }
                (Phase::VoteCommit, _, Some(ballot)) if ballot.commitment.is_none() => {
                    Action::CommitVote { round: 0 }
                }
                (Phase::VoteReveal, _, Some(ballot))
                    if ballot.commitment.is_some() && ballot.revealed.is_none() =>
                {
                    Action::RevealVote { round: 0 }
                }
                _ => continue,
            };
            let miner = matches!(action, Action::CommitAnswer | Action::RevealAnswer);
            all.push(AssignmentView {
                task: task.summary.id,
                task_type: task.summary.task_type,
                role: if miner { Role::Miner } else { Role::Judge },
                action,
                deadline: task.summary.deadline,
            });
        }
        Ok(all)
    }

    async fn open_tasks(
        &self,
        task_type: Option<TaskType>,
    ) -> Result<Vec<TaskSummary<AccountId32>>> {
        let open = self.tasks.iter().map(|task| &task.summary).filter(|task| {
            task.phase == Phase::Open && task_type.is_none_or(|wanted| wanted == task.task_type)
        });
        Ok(open.cloned().collect())
    }

    async fn can_submit(&self, task: TaskId) -> Result<Result<(), JoinErrorView>> {
        let refusal = |reason| {
            Ok(Err(JoinErrorView {
                reason,
                retry_at: None,
            }))
        };
        self.questions.set(self.questions.get() + 1);
        let Some(task) = self.tasks.iter().find(|t| t.summary.id == task) else {
            return refusal(JoinError::UnknownTask);
        };
        if let Some(reason) = self.refusal {
            return refusal(reason);
        }
        if task.submissions.iter().any(|s| s.miner == ME) {
            return refusal(JoinError::AlreadyJoined);
        }
        Ok(Ok(()))
    }

    async fn task(&self, task: TaskId) -> Result<Option<TaskView<AccountId32>>> {
        self.questions.set(self.questions.get() + 1);
        Ok(self.tasks.iter().find(|t| t.summary.id == task).cloned())
    }

    async fn tool(&self, _: TaskId) -> Result<Option<ContentHash>> {
        Ok(self.tool)
    }

    async fn stake(&self) -> Result<Option<Balance>> {
        Ok(self.panellist.then(|| 100 * TOS - self.slashed))
    }

    async fn claimable(&self) -> Result<Vec<ClaimView>> {
        Ok(self.claims.clone())
    }
}
