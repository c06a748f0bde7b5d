// SPDX-License-Identifier: Apache-2.0

//! Plays all parts: reads the events of each block and sends what follows from them.

use super::{
    actors,
    events::TaskEvent,
    set_up::{set_up, Cast},
    Numbers, Report, Tasks,
};
use crate::{
    blocks::{Block, Event, Follower},
    error::{Error, Result},
    pace::back_off,
    pool_error::Meaning,
    submit::{Answer, Submitter},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::{interval, MissedTickBehavior};
use tos_sdk::any_chain::{Chain, Hash, Head};
use tos_types::{params::MAX_CONCURRENT_TASKS, Phase, TaskId};

/// A chain that makes no block for so long stands still.
const STILL: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(50);
/// The index of module errors among dispatch errors.
const MODULE_ERROR: u8 = 3;

/// `tos-load tasks`
pub async fn run(it: &Tasks) -> Result<Report> {
    let no_url = || Error::Usage("--url: at least one".into());
    let url = it.common.url.first().ok_or_else(no_url)?;
    let chain = Chain::open(url).await?;
    let cast = set_up(&chain, it).await?;
    let from = chain.head(Head::Final).await?;
    let timestamp = chain.call_index("Timestamp", "set");
    let mut follower = Follower::start(url, timestamp, from).await?;
    let connections = it.common.connections.into();
    let (submitter, mut answers) =
        Submitter::connect(&it.common.url, connections, it.common.depth.into()).await?;
    let mut runner = Runner::new(it, &chain, cast, submitter);
    runner.publish()?;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_block = Instant::now();
    while runner.closed < it.tasks {
        if runner.began.elapsed() > Duration::from_secs(it.limit) {
            let open = it.tasks - runner.closed;
            let limit = it.limit;
            runner
                .problems
                .push(format!("{open} tasks are not closed after {limit} s"));
            break;
        }
        if last_block.elapsed() > STILL {
            return Err(Error::TimedOut {
                what: "the chain makes a block".into(),
                seconds: STILL.as_secs(),
            });
        }
        tokio::select! {
            _ = tick.tick() => runner.again(),
            Some((number, answer)) = answers.recv() => runner.answered(number, answer),
            event = follower.events.recv() => match event {
                Some(Event::Best { joined, .. }) => {
                    last_block = Instant::now();
                    for block in joined {
                        runner.block(&block).await?;
                    }
                }
                Some(Event::Final { .. }) => {}
                Some(Event::Over(error)) => return Err(error),
                None => break,
            },
        }
    }
    let names = chain.names().await?;
    Ok(runner.report(names))
}

/// A task that is not closed.
#[derive(Default)]
struct Job {
    /// Miners that answer, by place among the actors.
    miners: Vec<usize>,
    revealed: u32,
    /// Judges of the current round, by place among the actors.
    seats: Vec<usize>,
}

/// A transaction without a final answer of the pool.
struct Pending {
    actor: usize,
    bytes: Arc<[u8]>,
    refusals: u32,
}

struct Runner<'a> {
    it: &'a Tasks,
    chain: &'a Chain,
    cast: Cast,
    submitter: Submitter,
    places: HashMap<Hash, usize>,
    jobs: HashMap<TaskId, Job>,
    /// Tasks for which no miner is free.
    waiting: VecDeque<TaskId>,
    /// Tasks that each miner is in.
    busy: Vec<u32>,
    next_miner: usize,
    pending: HashMap<u32, Pending>,
    retries: BinaryHeap<Reverse<(Instant, u32)>>,
    next_number: u32,
    /// Actors whose nonce is to be read again.
    confused: BTreeSet<usize>,
    published: u32,
    closed: u32,
    began: Instant,
    ended: Instant,
    numbers: Numbers,
    closures: BTreeMap<String, u32>,
    failures: BTreeMap<String, u32>,
    refusals: BTreeMap<String, u32>,
    problems: Vec<String>,
}

impl<'a> Runner<'a> {
    fn new(it: &'a Tasks, chain: &'a Chain, cast: Cast, submitter: Submitter) -> Self {
        let places = cast.actors.iter().enumerate();
        let began = Instant::now();
        Self {
            it,
            chain,
            submitter,
            places: places.map(|(place, actor)| (actor.who, place)).collect(),
            jobs: HashMap::new(),
            waiting: VecDeque::new(),
            busy: vec![0; cast.miners],
            cast,
            next_miner: 0,
            pending: HashMap::new(),
            retries: BinaryHeap::new(),
            next_number: 0,
            confused: BTreeSet::new(),
            published: 0,
            closed: 0,
            began,
            ended: began,
            numbers: Numbers::default(),
            closures: BTreeMap::new(),
            failures: BTreeMap::new(),
            refusals: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    /// Publishes as many as may be open at once.
    fn publish(&mut self) -> Result<()> {
        let room = self.closed + self.it.in_flight;
        while self.published < self.it.tasks.min(room) {
            let publisher = self.published as usize % self.cast.publishers;
            let call = actors::publish(self.published, self.it.open_for, self.it.answers);
            self.send(publisher, "Tasks", "publish", call)?;
            self.published += 1;
        }
        Ok(())
    }

    fn send(
        &mut self,
        place: usize,
        pallet: &'static str,
        name: &'static str,
        arguments: Option<Vec<u8>>,
    ) -> Result<()> {
        let too_long = || Error::Usage("a call of this load does not fit its bounds".into());
        let call = self
            .chain
            .call(pallet, name, arguments.ok_or_else(too_long)?)?;
        let Some(actor) = self.cast.actors.get_mut(place) else {
            return Ok(());
        };
        let signed = self.chain.sign(&actor.key, &call, actor.nonce, None)?;
        actor.nonce += 1;
        let number = self.next_number;
        self.next_number = self.next_number.wrapping_add(1);
        let pending = Pending {
            actor: place,
            bytes: Arc::clone(&signed.bytes),
            refusals: 0,
        };
        self.pending.insert(number, pending);
        self.submitter.send(place, (number, signed.bytes));
        Ok(())
    }

    fn again(&mut self) {
        let now = Instant::now();
        while self
            .retries
            .peek()
            .is_some_and(|Reverse((due, _))| *due <= now)
        {
            let Some(Reverse((_, number))) = self.retries.pop() else {
                return;
            };
            if let Some(pending) = self.pending.get(&number) {
                let job = (number, Arc::clone(&pending.bytes));
                self.submitter.send(pending.actor, job);
            }
        }
    }

    fn answered(&mut self, number: u32, answer: Answer) {
        let (meaning, words) = match answer {
            Answer::Accepted => (Meaning::Known, String::new()),
            Answer::Refused(refusal) => (Meaning::of(&refusal), refusal.message),
            Answer::None(reason) => (Meaning::NoRoom, reason),
        };
        match meaning {
            Meaning::Known | Meaning::Stale => {
                self.pending.remove(&number);
            }
            Meaning::NoRoom => {
                if let Some(pending) = self.pending.get_mut(&number) {
                    pending.refusals += 1;
                    let due = Instant::now() + back_off(pending.refusals);
                    self.retries.push(Reverse((due, number)));
                }
            }
            Meaning::Never => {
                if let Some(pending) = self.pending.remove(&number) {
                    self.confused.insert(pending.actor);
                    *self.refusals.entry(words).or_default() += 1;
                }
            }
        }
    }

    async fn block(&mut self, block: &Block) -> Result<()> {
        self.numbers.blocks += 1;
        if !self.confused.is_empty() {
            let places: Vec<_> = std::mem::take(&mut self.confused).into_iter().collect();
            let who: Vec<_> = places.iter().map(|at| self.cast.actors[*at].who).collect();
            let states = self.chain.accounts(&who, &block.hash).await?;
            for (place, state) in places.into_iter().zip(states) {
                self.cast.actors[place].nonce = state.nonce;
            }
        }
        let events = self.chain.events(&block.hash, TaskEvent::read).await?;
        for event in events {
            self.event(event)?;
        }
        self.assign()?;
        self.publish()
    }

    fn event(&mut self, event: TaskEvent) -> Result<()> {
        let n = &mut self.numbers;
        let called = !matches!(
            event,
            TaskEvent::Phase(..)
                | TaskEvent::Seated(..)
                | TaskEvent::Closed(..)
                | TaskEvent::Failed(_)
        );
        n.calls += u32::from(called);
        match event {
            TaskEvent::Published(task, publisher) => {
                let ours = self.places.get(&publisher);
                if ours.is_some_and(|place| *place < self.cast.publishers) {
                    n.tasks += 1;
                    self.jobs.insert(task, Job::default());
                    n.most_open = n
                        .most_open
                        .max(u32::try_from(self.jobs.len()).unwrap_or(u32::MAX));
                    self.waiting.push_back(task);
                }
            }
            TaskEvent::Joined | TaskEvent::Committed | TaskEvent::VoteCommitted => {}
            TaskEvent::VoteRevealed => n.votes += 1,
            TaskEvent::Revealed(task) => {
                n.answers += 1;
                if let Some(job) = self.jobs.get_mut(&task) {
                    job.revealed += 1;
                }
            }
            TaskEvent::Phase(task, Phase::AnswerReveal, _) => self.reveal_answers(task)?,
            TaskEvent::Phase(task, Phase::VoteReveal, round) => self.reveal_votes(task, round)?,
            TaskEvent::Phase(..) => {}
            TaskEvent::Seated(task, round, members) => self.commit_votes(task, round, &members)?,
            TaskEvent::Closed(task, closure) => {
                if let Some(job) = self.jobs.remove(&task) {
                    self.closed += 1;
                    self.ended = Instant::now();
                    *self.closures.entry(format!("{closure:?}")).or_default() += 1;
                    for place in job.miners {
                        let miner = place - self.cast.publishers;
                        self.busy[miner] = self.busy[miner].saturating_sub(1);
                    }
                }
            }
            TaskEvent::Failed(error) => {
                n.failed += 1;
                let name = match error[..] {
                    [MODULE_ERROR, pallet, error, ..] => self.chain.error_name(pallet, error),
                    _ => None,
                };
                let name = name.unwrap_or_else(|| "not by a pallet".into());
                *self.failures.entry(name).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Gives tasks their miners, as far as any are free; each joins and commits at once.
    fn assign(&mut self) -> Result<()> {
        while let Some(task) = self.waiting.pop_front() {
            let Some(miners) = self.free_miners(self.it.answers as usize) else {
                self.waiting.push_front(task);
                return Ok(());
            };
            for place in &miners {
                let who = self.cast.actors[*place].who;
                self.send(*place, "Tasks", "join", Some(codec::Encode::encode(&task)))?;
                self.send(*place, "Tasks", "commit", actors::commit(&task, &who))?;
            }
            if let Some(job) = self.jobs.get_mut(&task) {
                job.miners = miners;
            }
        }
        Ok(())
    }

    /// The next miners in turn that may be in one more task.
    fn free_miners(&mut self, count: usize) -> Option<Vec<usize>> {
        let all = self.busy.len();
        let mut found = Vec::with_capacity(count);
        for step in 0..all {
            let miner = (self.next_miner + step) % all;
            if self.busy[miner] < MAX_CONCURRENT_TASKS {
                found.push(miner);
                if found.len() == count {
                    break;
                }
            }
        }
        if found.len() < count {
            return None;
        }
        for miner in &mut found {
            self.next_miner = (*miner + 1) % all;
            self.busy[*miner] += 1;
            *miner += self.cast.publishers;
        }
        Some(found)
    }

    fn reveal_answers(&mut self, task: TaskId) -> Result<()> {
        let miners = self.jobs.get(&task).map(|job| job.miners.clone());
        for place in miners.unwrap_or_default() {
            let who = self.cast.actors[place].who;
            self.send(place, "Tasks", "reveal", actors::reveal(&task, &who))?;
        }
        Ok(())
    }

    fn commit_votes(&mut self, task: TaskId, round: u32, members: &[Hash]) -> Result<()> {
        let Some(job) = self.jobs.get_mut(&task) else {
            return Ok(());
        };
        let seats = members.iter().filter_map(|who| self.places.get(who));
        job.seats = seats.copied().collect();
        let (seats, answers) = (job.seats.clone(), job.revealed);
        for place in seats {
            let who = self.cast.actors[place].who;
            let vote = actors::commit_vote(&task, round, &who, answers);
            self.send(place, "Judges", "commit_vote", Some(vote))?;
        }
        Ok(())
    }

    fn reveal_votes(&mut self, task: TaskId, round: u32) -> Result<()> {
        let job = self.jobs.get(&task);
        let found = job.map(|job| (job.seats.clone(), job.revealed));
        let (seats, answers) = found.unwrap_or_default();
        for place in seats {
            let who = self.cast.actors[place].who;
            let vote = actors::reveal_vote(&task, round, &who, answers);
            self.send(place, "Judges", "reveal_vote", Some(vote))?;
        }
        Ok(())
    }

    fn report(mut self, chain: [String; 3]) -> Report {
        let mut numbers = self.numbers;
        numbers.settled = self.closures.get("Settled").copied().unwrap_or_default();
        numbers.seconds = self.ended.duration_since(self.began).as_secs_f64();
        if numbers.seconds > 0.0 {
            numbers.calls_per_second = f64::from(numbers.calls) / numbers.seconds;
            numbers.settled_per_second = f64::from(numbers.settled) / numbers.seconds;
        }
        if numbers.settled == 0 {
            self.problems.push("no task was settled".into());
        }
        Report {
            chain,
            numbers,
            closures: self.closures,
            failures: self.failures,
            refusals: self.refusals,
            problems: self.problems,
        }
    }
}
