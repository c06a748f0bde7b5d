// SPDX-License-Identifier: Apache-2.0

//! Panels, and the tasks they judge.

use alloc::vec::Vec;
use tos_types::{
    commitment::Salt,
    rules::TaskRules,
    vote::{AnswerResult, Tally},
    Bp, ContentHash, TaskId, TaskType, Tick,
};

/// Request for a panel that judges a task's answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PanelRequest<AccountId> {
    /// The task.
    pub task: TaskId,
    /// Its type; weights come from reputation in it.
    pub task_type: TaskType,
    /// The tick of its publication: what judges declared before it keeps them off the panel.
    pub since: Tick,
    /// 0 for the first round.
    pub round: u32,
    /// Members wanted.
    pub size: u32,
    /// `true` if experts are wanted. Where there are fewer than [`tos_types::params::MIN_PANEL`], peers sit.
    pub expert: bool,
    /// The publisher; neither it nor who must recuse itself from it may sit.
    pub publisher: AccountId,
    /// The submitters; neither they nor who must recuse itself from one may sit.
    pub submitters: Vec<AccountId>,
    /// Number of answers; every vote scores all of them, in the order of commitment.
    pub answers: u32,
    /// `true` if the first [`tos_types::params::AUTOMATIC_SEATS`] members run a pinned tool.
    pub automatic: bool,
}

/// Result of drawing a panel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Draw {
    /// A panel of this many members sits.
    Seated(u32),
    /// No randomness or too few eligible judges now; try again in the next block.
    Retry,
}

/// Panels: draw, vote, tally.
pub trait Panels<AccountId> {
    /// Draws a panel. Members of earlier rounds of the task sit again only when others are too few.
    /// Returns with it the number of candidates that were looked at, which is what a draw costs:
    /// at most [`tos_types::params::MAX_CANDIDATES`], none where there is no seed.
    fn draw(request: &PanelRequest<AccountId>) -> (Draw, u32);
    /// Returns `true` if every member of the current round has committed.
    fn all_committed(task: &TaskId) -> bool;
    /// Returns `true` if no member has committed.
    fn none_committed(task: &TaskId) -> bool;
    /// Returns `true` if every member who committed has revealed.
    fn all_revealed(task: &TaskId) -> bool;
    /// Counts the current round and keeps the result.
    fn tally(task: &TaskId) -> Tally;
    /// The results of the latest counted round that had a quorum, in answer order.
    fn results(task: &TaskId) -> Vec<AnswerResult>;
    /// Ends the task for its panels: slashes who did not vote or reveal, records accuracy and
    /// reputation of who did, frees all members, and returns everyone's accuracy points (0 to
    /// 10,000, by closeness to the final result) for the reward. With `judge` false no member is
    /// judged by accuracy, because there is no result to be measured against.
    fn conclude(task: &TaskId, task_type: TaskType, judge: bool) -> Vec<(AccountId, Bp)>;
    /// Removes every record of the task.
    fn forget(task: &TaskId);
    /// Registers a pool of so many judges of the type, all of whom may sit as experts (without
    /// `seats` that is all: the worst case of a draw), makes the next draw's seed ready, and fills
    /// `seats` seats in rounds of `size` each, the last one smaller. All have revealed a vote that
    /// earns or, where they are `silent`, done nothing; the rounds are not counted yet. For
    /// benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_rounds(request: &PanelRequest<AccountId>, pool: u32, seats: u32, silent: bool);
}

/// The votes that a task takes now.
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

/// A revealed answer, as the author of a control answer must open it.
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
pub trait TaskPhases<AccountId> {
    /// Kind of votes that the task takes now, if any. `None` also when the deadline has passed.
    fn stage(task: &TaskId) -> Option<VotingStage>;
    /// Deadline of the current phase, if the task exists.
    fn deadline(task: &TaskId) -> Option<Tick>;
    /// The rules the task was published with; those of a new network if there is no such task.
    fn rules(task: &TaskId) -> TaskRules;
    /// The tool that the task's automatic judges run, by the BLAKE3 hash of its file.
    fn tool(task: &TaskId) -> Option<ContentHash>;
    /// The answer of `who`, while the task has a result that is not settled and no vote is open.
    fn judged_answer(task: &TaskId, who: &AccountId) -> Option<RevealedAnswer>;
    /// Nothing more is to come in this phase: let the next one begin in the next block.
    fn phase_complete(task: &TaskId);
    /// Puts the task into the given stage. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_stage(task: &TaskId, stage: VotingStage);
    /// Puts the task into the phase in which control answers are told, with the most answers, the
    /// last of which is by `who` with this content and salt. For benchmarks only.
    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_judged(task: &TaskId, who: &AccountId, content: ContentHash, salt: Salt);
}
