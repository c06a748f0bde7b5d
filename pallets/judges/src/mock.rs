// SPDX-License-Identifier: Apache-2.0

//! A runtime of this pallet, with a settable world around it.

use crate as pallet_judges;
use crate::{Judge, Pallet, Scores, Vote as Ballot};
use codec::Encode;
use frame_support::{assert_ok, traits::ConstU64};
use polkadot_sdk::*;
use sp_io::hashing::blake2_256;
use sp_runtime::{DispatchError, DispatchResult};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};
use tos_formulas::reputation::Performance;
use tos_interfaces::{
    Draw, MinerRegistry, PanelRequest, Panels, Randomness, Reputation, RevealedAnswer, Seed,
    TaskPhases, VotingStage,
};
use tos_pallet_support::testing::{checked, endowed, first_block};
use tos_types::{
    commitment::{self, Salt},
    join_error::JoinError,
    offence::Severity,
    randomness::RandomnessRequest,
    rules::{JudgeStakes, LevelTable, MemberRules, MinerStakes, TaskRules},
    task::{Certification, Level},
    vote::Tally,
    AnswerScore, Balance, Bp, ContentHash, PhaseLengths, Report, TaskId, TaskType, Tick, Verdict,
    TOS,
};

pub use tos_pallet_support::testing::TestClock;

tos_pallet_support::test_runtime! {
    Judges: pallet_judges, existential_deposit: ED, holds;
    type Phases = World;
    type Miners = World;
    type Reputation = World;
    type Randomness = World;
    type Rules = Rules;
    type Treasury = ConstU64<TREASURY>;
}

pub const ED: Balance = TOS / 1_000;
pub const TREASURY: u64 = 999;
/// Funds of every judge at genesis.
pub const FUNDS: Balance = 1_000 * TOS;
pub const TASK: TaskId = TaskId([1; 16]);
pub const OTHER_TASK: TaskId = TaskId([2; 16]);
/// The tick in which [`TASK`] was published.
pub const PUBLISHED: Tick = 20;
pub const PUBLISHER: u64 = 900;
pub const SUBMITTERS: [u64; 3] = [901, 902, 903];
pub const TYPE: TaskType = TaskType::General;
/// The stake that [`TYPE`] asks for.
pub const STAKE: Balance = 100 * TOS;

/// What registrations ask for, which a test can change.
pub struct Rules;

impl MemberRules for Rules {
    fn miner_stakes() -> MinerStakes {
        MinerStakes::STANDARD
    }
    fn judge_stakes() -> JudgeStakes {
        world(|w| w.stakes)
    }
    fn levels() -> LevelTable {
        LevelTable::STANDARD
    }
}

/// Everything outside the pallet.
#[derive(Default)]
pub struct World {
    pub seed: Option<[u8; 32]>,
    /// Randomness requests made; each is known by its number.
    pub requests: u32,
    /// The last randomness request that has expired.
    pub expired: u32,
    pub stages: BTreeMap<TaskId, VotingStage>,
    pub completed: Vec<TaskId>,
    pub tool: Option<ContentHash>,
    /// The rules of every task.
    pub rules: TaskRules,
    /// What registrations ask for.
    pub stakes: JudgeStakes,
    /// Answers whose task has a result that is not settled.
    pub judged: BTreeMap<(TaskId, u64), RevealedAnswer>,
    pub certifications: BTreeMap<u64, Certification>,
    /// Weights of votes in tenths, where they are not ten.
    pub tenths: BTreeMap<u64, u64>,
    pub suspended: BTreeSet<u64>,
    /// Who must keep away from whom, and in which tick it said so.
    pub recused: BTreeMap<(u64, u64), Tick>,
    pub domains: BTreeMap<(u64, TaskType), Bp>,
    pub settled: BTreeMap<u64, u32>,
    pub records: Vec<(u64, TaskType, Performance)>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| change(&mut world.borrow_mut()))
}

impl Randomness for World {
    fn request() -> RandomnessRequest {
        world(|w| {
            w.requests += 1;
            RandomnessRequest {
                slot: 0,
                block: w.requests,
            }
        })
    }
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed {
        if world(|w| w.expired >= randomness.block) {
            return Seed::Expired;
        }
        world(|w| w.seed).map_or(Seed::Pending, |seed| Seed::Ready {
            seed: (seed, subject).using_encoded(blake2_256),
            degraded: false,
        })
    }
    fn degraded() -> bool {
        false
    }
}

impl TaskPhases<u64> for World {
    fn stage(task: &TaskId) -> Option<VotingStage> {
        world(|w| w.stages.get(task).copied())
    }
    fn deadline(task: &TaskId) -> Option<Tick> {
        Self::stage(task).map(|_| 77)
    }
    fn rules(_: &TaskId) -> TaskRules {
        world(|w| w.rules)
    }
    fn tool(_: &TaskId) -> Option<ContentHash> {
        world(|w| w.tool)
    }
    fn judged_answer(task: &TaskId, who: &u64) -> Option<RevealedAnswer> {
        world(|w| w.judged.get(&(*task, *who)).copied())
    }
    fn phase_complete(task: &TaskId) {
        world(|w| w.completed.push(*task))
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_stage(task: &TaskId, stage: VotingStage) {
        world(|w| w.stages.insert(*task, stage));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_judged(task: &TaskId, who: &u64, content: ContentHash, salt: Salt) {
        let answer = RevealedAnswer {
            index: tos_types::MAX_PARTICIPANTS - 1,
            content,
            salt,
            round: 0,
        };
        world(|w| w.judged.insert((*task, *who), answer));
    }
}

impl MinerRegistry<u64> for World {
    fn may_work(_: &u64, _: TaskType) -> Result<(), JoinError> {
        Ok(())
    }
    fn is_suspended(who: &u64) -> bool {
        world(|w| w.suspended.contains(who))
    }
    fn suspended_until(who: &u64) -> Option<Tick> {
        Self::is_suspended(who).then_some(1_000)
    }
    fn certification(who: &u64) -> Certification {
        world(|w| w.certifications.get(who).copied().unwrap_or_default())
    }
    fn stake_percent(who: &u64) -> u128 {
        LevelTable::STANDARD.stake_percent(Level::Standard, Self::certification(who))
    }
    fn vote_tenths(who: &u64) -> u64 {
        world(|w| w.tenths.get(who).copied().unwrap_or(10))
    }
    fn recuses(who: &u64, parties: &[u64], since: Tick) -> bool {
        world(|w| {
            let declared = |party: &u64| w.recused.get(&(*who, *party));
            parties
                .iter()
                .any(|party| who == party || declared(party).is_some_and(|at| *at < since))
        })
    }
    fn start_task(_: &u64, _: TaskType) -> DispatchResult {
        Err(DispatchError::Other("not a miner's test"))
    }
    fn finish_task(_: &u64, _: bool) {}
    fn suspend(who: &u64, _: Tick) {
        world(|w| w.suspended.insert(*who));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(_: &u64, _: TaskType) {}
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(who: &u64, level: Certification) {
        world(|w| w.certifications.insert(*who, level));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(_: &u64) {}
}

impl Reputation<u64> for World {
    fn global(_: &u64) -> Bp {
        tos_formulas::reputation::START
    }
    fn domain(who: &u64, task_type: TaskType) -> Bp {
        world(|w| w.domains.get(&(*who, task_type)).copied())
            .unwrap_or(tos_formulas::reputation::START)
    }
    fn settled(who: &u64) -> u32 {
        world(|w| w.settled.get(who).copied().unwrap_or(0))
    }
    fn record(who: &u64, task_type: TaskType, performance: &Performance) {
        world(|w| w.records.push((*who, task_type, *performance)));
    }
    fn penalise(who: &u64, _: TaskType, _: Severity) {
        world(|w| w.domains.retain(|(account, _), _| account != who));
    }
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &u64, task_type: TaskType, score: Bp, settled: u32) {
        world(|w| {
            w.domains.insert((*who, task_type), score);
            w.settled.insert(*who, settled);
        });
    }
}

/// Genesis: accounts 1 to 100 with [`FUNDS`], the treasury, and some of the accounts as judges.
pub struct ExtBuilder {
    judges: Vec<(u64, Vec<TaskType>)>,
    treasury: bool,
}

impl Default for ExtBuilder {
    fn default() -> Self {
        Self {
            judges: Vec::new(),
            treasury: true,
        }
    }
}

impl ExtBuilder {
    /// Accounts 1 to `count` judge [`TYPE`], with equal weight.
    pub fn judges(count: u64) -> Self {
        Self {
            judges: (1..=count).map(|who| (who, vec![TYPE])).collect(),
            treasury: true,
        }
    }

    pub fn with(judges: Vec<(u64, Vec<TaskType>)>) -> Self {
        Self {
            judges,
            treasury: true,
        }
    }

    pub fn without_treasury(self) -> Self {
        Self {
            treasury: false,
            ..self
        }
    }

    pub fn build(self) -> sp_io::TestExternalities {
        TestClock::start(0, PhaseLengths::development());
        world(|w| {
            *w = World {
                seed: Some([9; 32]),
                ..World::default()
            };
            w.settled = (1..=100).map(|who| (who, 3)).collect();
        });
        let mut balances: Vec<(u64, Balance)> = (1..=100).map(|who| (who, FUNDS)).collect();
        balances.extend(self.treasury.then_some((TREASURY, ED)));
        first_block::<Test>(&RuntimeGenesisConfig {
            balances: endowed::<Test>(balances),
            judges: pallet_judges::GenesisConfig {
                judges: self.judges,
            },
            ..Default::default()
        })
    }

    pub fn execute(self, test: impl FnOnce()) {
        checked(self.build(), test, Pallet::<Test>::do_try_state);
    }
}

pub fn origin(who: u64) -> RuntimeOrigin {
    RuntimeOrigin::signed(who)
}

pub fn judge(who: u64) -> Judge {
    crate::Judges::<Test>::get(who).unwrap()
}

pub fn free(who: u64) -> Balance {
    Balances::free_balance(who)
}

pub fn weigh(who: u64, weight: Bp) {
    world(|w| w.domains.insert((who, TYPE), weight));
}

/// A panel wanted for [`TASK`], with one answer per submitter.
pub fn request(round: u32, size: u32) -> PanelRequest<u64> {
    PanelRequest {
        task: TASK,
        task_type: TYPE,
        since: PUBLISHED,
        round,
        size,
        expert: false,
        publisher: PUBLISHER,
        submitters: SUBMITTERS.to_vec(),
        answers: 3,
        automatic: world(|w| w.tool.is_some()),
    }
}

/// The members of a round, in the order of drawing.
pub fn members(round: u32) -> Vec<u64> {
    let round = crate::Rounds::<Test>::get(TASK, round).unwrap();
    round.members.iter().map(|member| member.who).collect()
}

/// Draws a panel, whatever the number of candidates that were looked at.
pub fn draw(request: &PanelRequest<u64>) -> Draw {
    Judges::draw(request).0
}

/// Draws a round of `size` and opens it for commitments.
pub fn open_round(round: u32, size: u32) -> Vec<u64> {
    assert_eq!(draw(&request(round, size)), Draw::Seated(size));
    set_stage(VotingStage::Commit { round });
    members(round)
}

pub fn set_stage(stage: VotingStage) {
    world(|w| w.stages.insert(TASK, stage));
}

pub fn score(quality: u8) -> AnswerScore {
    AnswerScore {
        quality,
        innovation: 50,
        verdict: Verdict::Valid,
    }
}

/// A vote that gives every answer of [`TASK`] the same quality.
pub fn flat(quality: u8) -> Scores {
    vec![score(quality); 3].try_into().unwrap()
}

pub fn salt(who: u64) -> Salt {
    (who, b"salt").using_encoded(blake2_256)
}

pub fn commit(who: u64, round: u32, scores: &Scores) {
    commit_with(who, round, scores, None);
}

pub fn commit_with(who: u64, round: u32, scores: &Scores, report: Option<Report>) {
    let commitment = commitment::vote(&TASK, round, &who, scores, report.as_ref(), &salt(who));
    assert_ok!(Judges::commit_vote(origin(who), TASK, commitment));
}

pub fn reveal(who: u64, scores: &Scores) {
    reveal_with(who, scores, None);
}

pub fn reveal_with(who: u64, scores: &Scores, report: Option<Report>) {
    assert_ok!(Judges::reveal_vote(
        origin(who),
        TASK,
        scores.clone(),
        report,
        salt(who)
    ));
}

/// A vote without a report, as it is stored.
pub fn stored(scores: Scores) -> Ballot {
    Ballot {
        scores,
        report: None,
    }
}

/// What a member does in a whole round.
#[derive(Clone, Debug)]
pub enum Vote {
    /// Commits and reveals.
    Full(Scores),
    /// Commits and reveals, with what a tool found.
    Reported(Scores, Report),
    /// Commits and hides.
    Hidden,
    /// Does nothing.
    Absent,
}

/// Plays and counts a round of `votes.len()` members, votes in the order of drawing.
pub fn play_round(round: u32, votes: &[Vote]) -> (Vec<u64>, Tally) {
    let members = open_round(round, votes.len() as u32);
    (members, play_votes(round, votes))
}

/// Plays and counts a round that is open for commitments.
pub fn play_votes(round: u32, votes: &[Vote]) -> Tally {
    let members = members(round);
    for (who, vote) in members.iter().zip(votes) {
        match vote {
            Vote::Full(scores) => commit(*who, round, scores),
            Vote::Reported(scores, report) => commit_with(*who, round, scores, Some(*report)),
            Vote::Hidden => commit(*who, round, &flat(1)),
            Vote::Absent => {}
        }
    }
    set_stage(VotingStage::Reveal { round });
    for (who, vote) in members.iter().zip(votes) {
        match vote {
            Vote::Full(scores) => reveal(*who, scores),
            Vote::Reported(scores, report) => reveal_with(*who, scores, Some(*report)),
            Vote::Hidden | Vote::Absent => {}
        }
    }
    world(|w| w.stages.clear());
    Judges::tally(&TASK)
}
