// SPDX-License-Identifier: Apache-2.0

//! How the pallets meet. Each trait is implemented by one pallet and used by others through their
//! `Config`; no pallet depends on another pallet's crate.
//!
//! | trait | implemented by | used by |
//! |---|---|---|
//! | [`Clock`] | clock | all |
//! | [`MinerRegistry`] | miners | tasks, validation |
//! | [`ReputationBook`] | reputation | tasks, validation, miners |
//! | [`Panels`] | validation | tasks |
//! | [`VotingAgenda`] | tasks | validation |
//! | [`Vault`] | rewards | tasks |
//! | [`Randomness`] | beacon | validation, storage |

use crate::{
    commitment::Salt,
    reputation::Performance,
    rules::TaskRules,
    split::{Allocation, JudgedAnswer, QualityBars},
    task::Certification,
    Balance, Bp, ContentHash, Difficulty, TaskId, TaskType, Tick, Windows,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_runtime::{DispatchError, DispatchResult};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Protocol time.
pub trait Clock {
    /// The current tick. Constant within a block.
    fn now() -> Tick;
    /// The lengths of the protocol's windows; fixed at genesis.
    fn windows() -> Windows;
    /// The current day, the unit of reputation decay.
    fn today() -> u32 {
        Self::now().checked_div(Self::windows().day).unwrap_or(0)
    }
    /// Makes `now` the current tick. For benchmarks only; a clock that cannot be set ignores it.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set_now(_now: Tick) {}
}

/// The moment after which nobody may know a random seed: the beacon's output for `slot`, mixed with
/// the VRF output of `block`'s author. Which slot it is does not depend on what that author does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Ticket {
    /// The beacon slot whose output goes in.
    pub slot: u64,
    /// The block whose author's VRF output goes in.
    pub block: u32,
}

/// What a ticket is worth now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seed {
    /// The seed.
    Ready([u8; 32]),
    /// Not yet; ask again in a later block.
    Pending,
    /// The records no longer reach back so far: take a new ticket.
    Expired,
}

/// Randomness that nobody could know when its ticket was taken (`docs/beacon.md`).
pub trait Randomness {
    /// Takes a ticket. The same for everybody within a block.
    fn request() -> Ticket;
    /// The seed of `subject` for a ticket. Once ready it stays the same until it expires.
    fn seed(ticket: &Ticket, subject: &[u8]) -> Seed;
    /// Whether time cannot be trusted now, because the beacon stands still. Nobody may be punished
    /// for being late meanwhile.
    fn degraded() -> bool;
    /// Makes every ticket's seed ready. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(_ticket: &Ticket) {}
}

/// Why an account may not act now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Refusal {
    /// Not a registered miner.
    #[codec(index = 0)]
    NotRegistered,
    /// Registered, but leaving.
    #[codec(index = 1)]
    Leaving,
    /// Suspended until the retry tick.
    #[codec(index = 2)]
    Suspended,
    /// Idle for more than 90 days: reactivate first.
    #[codec(index = 3)]
    Dormant,
    /// Already in as many tasks as allowed.
    #[codec(index = 4)]
    TooManyTasks,
    /// The task's type is not among the miner's specialisations.
    #[codec(index = 5)]
    NotSpecialised,
    /// Reputation below the difficulty's gate.
    #[codec(index = 6)]
    ReputationTooLow,
    /// Not enough free balance for the answer stake.
    #[codec(index = 7)]
    StakeUnaffordable,
    /// No such task.
    #[codec(index = 8)]
    UnknownTask,
    /// The task takes no more answers.
    #[codec(index = 9)]
    TaskClosed,
    /// All places are taken.
    #[codec(index = 10)]
    TaskFull,
    /// The account published the task, or has to keep away from who did.
    #[codec(index = 11)]
    OwnTask,
    /// Already joined.
    #[codec(index = 12)]
    AlreadyJoined,
}

/// Who mines, with what standing.
pub trait MinerRegistry<AccountId> {
    /// Whether `who` may take on a task of this type now.
    fn may_work(who: &AccountId, task_type: TaskType) -> Result<(), Refusal>;
    /// Whether `who` is suspended now. Holds for every account, miner or not.
    fn is_suspended(who: &AccountId) -> bool;
    /// The tick at which the suspension of `who` ends, if there is one now.
    fn suspended_until(who: &AccountId) -> Option<Tick>;
    /// The certification of `who`, `Unverified` when it has none or it has expired.
    fn certification(who: &AccountId) -> Certification;
    /// Stake per answer, in per cent of the difficulty's: the lower one of what the certification
    /// and the level of `who` ask for.
    fn stake_percent(who: &AccountId) -> u128;
    /// Weight of a vote of `who`, in tenths of that of a miner of the lowest level, or of no miner.
    fn vote_tenths(who: &AccountId) -> u64;
    /// Whether `who` must keep away from a task in which `party` has a stake: because they are the
    /// same, or because `who`, or the owner that `who` named, said so. Nothing that `party` or
    /// any other account does can make it true, or whoever has a stake could choose its judges.
    fn must_recuse(who: &AccountId, party: &AccountId) -> bool;
    /// `who` takes on a task. Fails when it may not (see `may_work`).
    fn start_task(who: &AccountId, task_type: TaskType) -> DispatchResult;
    /// `who` is done with a task; `completed` tells whether it delivered a valid answer.
    fn finish_task(who: &AccountId, completed: bool);
    /// Excludes `who` from all work for `duration` ticks.
    fn suspend(who: &AccountId, duration: Tick);
    /// Makes `who` a registered miner of `task_type` able to join a task. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(who: &AccountId, task_type: TaskType);
    /// Gives `who` a certification. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(who: &AccountId, level: Certification);
}

/// How bad a proven offence is. The loss is fixed, never a multiple of good performance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// −200.
    #[codec(index = 0)]
    Minor,
    /// −1,000 and a suspension of 7 days.
    #[codec(index = 1)]
    Major,
    /// −3,000 and a suspension of 30 days.
    #[codec(index = 2)]
    Critical,
}

impl Severity {
    /// The reputation lost.
    pub const fn loss(self) -> Bp {
        match self {
            Self::Minor => 200,
            Self::Major => 1_000,
            Self::Critical => 3_000,
        }
    }

    /// The days of suspension; 0 for none.
    pub const fn suspension_days(self) -> u32 {
        match self {
            Self::Minor => 0,
            Self::Major => 7,
            Self::Critical => 30,
        }
    }
}

/// What an account's work has been worth.
pub trait ReputationBook<AccountId> {
    /// Reputation over all types, with idle decay applied.
    fn global(who: &AccountId) -> Bp;
    /// Reputation in one type, with idle decay applied.
    fn domain(who: &AccountId, task_type: TaskType) -> Bp;
    /// Settled tasks and votes `who` has earned its standing with.
    fn settled(who: &AccountId) -> u32;
    /// Applies the formula to the outcome of one settled task.
    fn record(who: &AccountId, task_type: TaskType, performance: &Performance);
    /// Takes the fixed loss for a proven offence and suspends where the severity says so.
    fn penalise(who: &AccountId, task_type: TaskType, severity: Severity);
    /// Sets both reputations and the settled count. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_set(who: &AccountId, task_type: TaskType, score: Bp, settled: u32);
}

/// What a panel is asked to judge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PanelRequest<AccountId> {
    /// The task.
    pub task: TaskId,
    /// Its type; weights come from reputation in it.
    pub task_type: TaskType,
    /// 0 for the first round.
    pub round: u32,
    /// Members wanted.
    pub size: u32,
    /// Whether experts are wanted. Where there are fewer than [`crate::params::MIN_PANEL`], peers sit.
    pub expert: bool,
    /// The publisher; neither it nor who must recuse itself from it may sit.
    pub publisher: AccountId,
    /// The submitters; neither they nor who must recuse itself from one may sit.
    pub submitters: Vec<AccountId>,
    /// Number of answers; every vote scores all of them, in the order of commitment.
    pub answers: u32,
    /// Whether the first [`crate::params::AUTOMATIC_SEATS`] members run a pinned tool.
    pub automatic: bool,
}

/// What came of drawing a panel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Draw {
    /// A panel of this many members sits.
    Seated(u32),
    /// No randomness or too few eligible validators now; try again in the next block.
    Retry,
}

/// What came of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Tally {
    /// Quorum, and enough weight agrees on every answer.
    #[codec(index = 0)]
    Consensus,
    /// Quorum, but opinions are apart.
    #[codec(index = 1)]
    Split,
    /// Too little weight revealed.
    #[codec(index = 2)]
    NoQuorum,
}

/// The result for one answer: weighted medians and the verdict of a 2/3 majority of weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct AnswerResult {
    /// Weighted median quality, 0 to 100.
    pub quality: u8,
    /// Weighted median innovation, 0 to 100.
    pub innovation: u8,
    /// A verdict other than `Valid` needs 2/3 of the revealed weight.
    pub verdict: crate::Verdict,
}

/// Panels: draw, vote, tally.
pub trait Panels<AccountId> {
    /// Draws a panel. Members of earlier rounds of the task sit again only when others are too few.
    fn draw(request: &PanelRequest<AccountId>) -> Draw;
    /// Whether every member of the current round has committed.
    fn all_committed(task: &TaskId) -> bool;
    /// Whether nobody has committed.
    fn none_committed(task: &TaskId) -> bool;
    /// Whether every member who committed has revealed.
    fn all_revealed(task: &TaskId) -> bool;
    /// Counts the current round and keeps the result.
    fn tally(task: &TaskId) -> Tally;
    /// The results of the latest counted round that had a quorum, in answer order.
    fn results(task: &TaskId) -> Vec<AnswerResult>;
    /// Ends the task for its panels: slashes who did not vote or reveal, records accuracy and
    /// reputation of who did, frees all members, and returns everyone's accuracy points (0 to
    /// 10,000, by closeness to the final result) for the reward. With `judge` false nobody is
    /// judged by accuracy, because there is no result to be measured against.
    fn conclude(task: &TaskId, task_type: TaskType, judge: bool) -> Vec<(AccountId, Bp)>;
    /// Removes every record of the task.
    fn forget(task: &TaskId);
    /// Registers a full pool of validators of the type, all of whom may sit as experts (without
    /// `seats` that is all: the worst case of a draw), makes the next draw's seed ready, and fills
    /// `seats` seats in rounds of `size` each, the last one smaller. Everybody has revealed a vote
    /// that earns or, where they are `silent`, done nothing; the rounds are not counted yet. For
    /// benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_rounds(request: &PanelRequest<AccountId>, seats: u32, silent: bool);
}

/// Which votes a task takes now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VotingStage {
    /// Commitments for this round.
    Commit {
        /// The round.
        round: u32,
    },
    /// Reveals for this round.
    Reveal {
        /// The round.
        round: u32,
    },
}

/// A revealed answer, as somebody who planted it must open it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RevealedAnswer {
    /// Its place among the task's answers, in the order of commitment.
    pub index: u32,
    /// The hash of its content.
    pub content: ContentHash,
    /// The salt of its commitment.
    pub salt: Salt,
    /// The last round of voting so far.
    pub round: u32,
}

/// The task side of a vote.
pub trait VotingAgenda<AccountId> {
    /// What votes the task takes now, if any. `None` also when the deadline has passed.
    fn stage(task: &TaskId) -> Option<VotingStage>;
    /// Deadline of the current phase, if the task exists.
    fn deadline(task: &TaskId) -> Option<Tick>;
    /// The rules the task was published with; those of a new network if there is no such task.
    fn rules(task: &TaskId) -> TaskRules;
    /// The tool that the task's automatic validators run, by the BLAKE3 hash of its file.
    fn tool(task: &TaskId) -> Option<ContentHash>;
    /// The answer of `who`, while the task has a result that is not settled and no vote is open.
    fn judged_answer(task: &TaskId, who: &AccountId) -> Option<RevealedAnswer>;
    /// Nothing more is to come in this phase: let the next one begin in the next block.
    fn phase_complete(task: &TaskId);
    /// Puts the task into the given stage. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_stage(task: &TaskId, stage: VotingStage);
    /// Puts the task into the phase in which known answers are told, with the most answers, the last
    /// of which is by `who` with this content and salt. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_judged(task: &TaskId, who: &AccountId, content: ContentHash, salt: Salt);
}

/// What is to be settled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settlement<AccountId> {
    /// The task.
    pub task: TaskId,
    /// Its type.
    pub task_type: TaskType,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// The qualities an answer needs to win and to take part.
    pub bars: QualityBars,
    /// The judged answers, in order of commitment.
    pub answers: Vec<(AccountId, JudgedAnswer)>,
    /// Accuracy points of the validators.
    pub validators: Vec<(AccountId, Bp)>,
}

/// The escrow vault and payer of rewards. A task's reward lies in it from publication until it is
/// refunded or settled; what goes in comes out, to the wei.
pub trait Vault<AccountId> {
    /// Holds `reward` of the publisher's balance for the task.
    fn deposit(task: &TaskId, publisher: &AccountId, reward: Balance) -> DispatchResult;
    /// Gives all of the task's escrow back to the publisher, less `fee` to the treasury.
    fn refund(task: &TaskId, fee: Balance) -> DispatchResult;
    /// Splits the escrow, books every share as claimable (or pays it at once where the
    /// beneficiary wants that) and tells who won what.
    fn settle(settlement: &Settlement<AccountId>) -> Result<Allocation, DispatchError>;
    /// What lies in escrow for the task.
    fn escrowed(task: &TaskId) -> Balance;
}
