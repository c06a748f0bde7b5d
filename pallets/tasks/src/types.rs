// SPDX-License-Identifier: Apache-2.0

//! The records of a task.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use polkadot_sdk::*;
use scale_info::TypeInfo;
use sp_core::ConstU32;
use tos_formulas::split::{JudgedAnswer, SplitProfile, WinnerRule};
use tos_types::{
    commitment::{Commitment, Salt},
    params::{ESCALATION_STEP, MAX_CONCURRENT_TASKS},
    rules::{DifficultyTerms, JudgingRules, PublishingRules, SlashRules, TaskRules},
    vote::AnswerResult,
    Balance, ContentHash, Difficulty, Phase, TaskId, TaskParams, TaskType, Tick, Verdict,
    MAX_PANEL, MAX_PARTICIPANTS, MAX_ROUNDS,
};
use tos_views::TimelineEntry;

/// Seats of all rounds of one task at most.
pub const MAX_SEATS: u32 = MAX_PANEL * MAX_ROUNDS;
/// Phases a task can go through at most: the first, the reveal, three per round, two challenge
/// windows and the end, with room to spare.
pub const MAX_TIMELINE: u32 = 24;

/// A task of the runtime.
pub type TaskOf<T> = Task<<T as frame_system::Config>::AccountId>;
/// Accounts of one task.
pub type AccountsOf<T> =
    BoundedVec<<T as frame_system::Config>::AccountId, ConstU32<MAX_PARTICIPANTS>>;
/// A challenge of the runtime.
pub type ChallengeOf<T> = Challenge<<T as frame_system::Config>::AccountId>;
/// The tasks one miner is in.
pub type ActiveTasks = BoundedVec<TaskId, ConstU32<MAX_CONCURRENT_TASKS>>;
/// The phases a task has been through.
pub type Timelines = BoundedVec<TimelineEntry, ConstU32<MAX_TIMELINE>>;
/// One result per answer.
pub type Results = BoundedVec<AnswerResult, ConstU32<MAX_PARTICIPANTS>>;

/// The rules of a task type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TypeProfile {
    /// `true` if equal answers may all earn, because the right answer is the same for everyone.
    pub equal_answers_allowed: bool,
    /// The tool that automatic judges run over the answers: the BLAKE3 hash of its file. None
    /// when answers of this type cannot be checked by a tool.
    #[serde(default, with = "tos_types::json::optional_hash")]
    pub tool: Option<ContentHash>,
}

impl TypeProfile {
    /// The profile a built-in type starts with.
    pub fn built_in(task_type: TaskType) -> Self {
        Self {
            equal_answers_allowed: task_type == TaskType::LogicReasoning,
            tool: None,
        }
    }
}

/// The rules of a task from its publication until it is pruned. A stored set never changes; tasks
/// that are published under equal rules share one.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RuleSet {
    /// The rules that hold for tasks of every type and difficulty.
    pub rules: TaskRules,
    /// The terms of the difficulty.
    pub terms: DifficultyTerms,
    /// The rules of the task type.
    pub profile: TypeProfile,
    /// The shares of the reward that each class gets.
    pub split: SplitProfile,
    /// The number of winners.
    pub winners: WinnerRule,
}

/// A stored rule set as those find it who publish under equal rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RuleSetUse {
    /// The number of the set.
    pub number: u32,
    /// The number of tasks that refer to it, at least 1.
    pub tasks: u32,
}

/// A task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Task<AccountId> {
    /// The publisher.
    pub publisher: AccountId,
    /// The publisher's own name for it, by which it is in `References`.
    pub reference: Option<[u8; 32]>,
    /// Its parameters, which fix its type.
    pub params: TaskParams,
    /// Its difficulty.
    pub difficulty: Difficulty,
    /// The reward in escrow until it is closed.
    pub reward: Balance,
    /// The publisher's stake, held until it is closed.
    pub publisher_stake: Balance,
    /// Lowest quality that can win.
    pub min_quality: u8,
    /// Places for miners.
    pub max_participants: u32,
    /// The number of the rule set it was published under; later changes do not touch it.
    pub rules: u32,
    /// The phase that it is in.
    pub phase: Phase,
    /// The current round of voting, from 0.
    pub round: u32,
    /// Rounds that may still follow because one does not agree. Kept here, and not looked up in the
    /// rules, because what the next step costs depends on it.
    pub escalations_left: u32,
    /// `true` if the result has been challenged.
    pub challenged: bool,
    /// The tick in which it was published.
    pub opened: Tick,
    /// The last tick to join and commit in.
    pub open_until: Tick,
    /// The last tick to act in, in the current phase.
    pub deadline: Tick,
    /// The tick in which the next step is due; the key of its entry in the agenda.
    pub due: Tick,
    /// Places taken.
    pub joined: u32,
    /// Answers committed.
    pub committed: u32,
    /// Answers revealed.
    pub revealed: u32,
    /// The number of failures of the next step in a row.
    pub failures: u8,
}

impl<AccountId> Task<AccountId> {
    /// The type of the task.
    pub fn task_type(&self) -> TaskType {
        self.params.task_type()
    }

    /// `true` if it is over.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed(_))
    }

    /// `true` if it is in `phase` and in time for what one does in it.
    pub fn accepts(&self, phase: Phase, now: Tick) -> bool {
        self.phase == phase && now <= self.deadline
    }

    /// `true` if experts are wanted in the current round, by these rules of the task.
    pub fn wants_experts(&self, rules: &PublishingRules) -> bool {
        self.difficulty == Difficulty::Expert || self.reward > rules.expert_reward || self.round > 0
    }

    /// Members wanted for the current round.
    pub fn panel_size(&self) -> u32 {
        self.size_of(self.round)
    }

    /// Seats of all rounds so far at most: what ending the task costs grows with them.
    pub fn seats(&self) -> u32 {
        (0..=self.round.min(MAX_ROUNDS.saturating_sub(1)))
            .map(|round| self.size_of(round).min(MAX_PANEL))
            .fold(0, u32::saturating_add)
    }

    fn size_of(&self, round: u32) -> u32 {
        self.difficulty
            .panel_size()
            .saturating_add(ESCALATION_STEP.saturating_mul(round))
    }
}

/// A commitment to an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Committed {
    /// The commitment.
    pub hash: Commitment,
    /// The tick in which it was made.
    pub tick: Tick,
    /// Its number among the task's commitments, from 0.
    pub number: u32,
}

/// A revealed answer; its content reference is kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Revealed {
    /// The hash of the content.
    pub hash: ContentHash,
    /// The SimHash the miner states for it.
    pub simhash: u64,
    /// The salt of the commitment. It shows whether the answer is a check of the judges.
    pub salt: Salt,
}

/// One miner's part in a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Submission {
    /// The stake, held until the task is closed.
    pub stake: Balance,
    /// The commitment, once made.
    pub commitment: Option<Committed>,
    /// The answer, once revealed.
    pub revealed: Option<Revealed>,
    /// `true` if it is too close to an earlier answer.
    pub duplicate: bool,
    /// The result that the panel gave it, once settled.
    pub result: Option<AnswerResult>,
    /// The earnings of the answer in wei, once settled.
    pub earned: Balance,
    /// The part of the stake that was lost, in wei, once closed.
    pub lost: Balance,
}

/// A challenge of a result.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Challenge<AccountId> {
    /// The challenger.
    pub challenger: AccountId,
    /// The bond, held until it is decided.
    pub bond: Balance,
    /// The results it challenges.
    pub before: Results,
    /// `true` if it moved the result; `None` until its round is over.
    pub upheld: Option<bool>,
}

/// The reasons to lose a stake or bond.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum SlashReason {
    /// Joined and did not commit an answer.
    #[codec(index = 0)]
    NoShow,
    /// Committed an answer and did not reveal it.
    #[codec(index = 1)]
    NonReveal,
    /// The answer's median quality is below the least that may take part.
    #[codec(index = 2)]
    LowQuality,
    /// The content is not an answer to the task.
    #[codec(index = 3)]
    Malformed,
    /// The content could not be fetched.
    #[codec(index = 4)]
    Unavailable,
    /// The content is another's work.
    #[codec(index = 5)]
    Plagiarised,
    /// The challenge did not move the result.
    #[codec(index = 6)]
    ChallengeRejected,
}

impl SlashReason {
    /// The reason for which the author of a judged answer loses stake, if there is one.
    pub fn of(result: &AnswerResult, rules: &JudgingRules) -> Option<Self> {
        match result.verdict {
            Verdict::Plagiarised => Some(Self::Plagiarised),
            Verdict::Malformed => Some(Self::Malformed),
            Verdict::Unavailable => Some(Self::Unavailable),
            Verdict::Valid if result.quality < rules.participation_quality => {
                Some(Self::LowQuality)
            }
            Verdict::Valid => None,
        }
    }

    /// The share of the stake that is lost.
    pub fn share(self, slashes: &SlashRules) -> tos_types::Bp {
        match self {
            Self::NoShow => slashes.no_show,
            Self::NonReveal => slashes.non_reveal,
            Self::LowQuality => slashes.low_quality,
            Self::Malformed | Self::Unavailable => slashes.malformed,
            Self::Plagiarised => slashes.plagiarism,
            Self::ChallengeRejected => tos_types::BP,
        }
    }
}

impl SlashReason {
    /// The slash for this reason under these rules.
    pub(crate) fn by(self, slashes: &SlashRules) -> Slash {
        Slash {
            reason: self,
            share: self.share(slashes),
        }
    }
}

/// A loss of stake: why, and which share of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slash {
    /// The reason.
    pub reason: SlashReason,
    /// The share that is lost, in basis points.
    pub share: tos_types::Bp,
}

/// The next step of a task, by what it costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Change the phase and nothing else.
    Advance,
    /// Close for want of answers.
    Expire,
    /// Order the answers and mark duplicates.
    Collect,
    /// Draw a panel.
    Draw,
    /// Give up drawing: fall back on an earlier result or close without one.
    GiveUp,
    /// Count votes.
    Tally,
    /// Count votes of a round after which there may be no other.
    LastTally,
    /// Pay, slash and record.
    Settle,
    /// Remove every record.
    Prune,
}

/// An answer with everything its settlement needs.
#[derive(Clone, Copy)]
pub(crate) struct Scored {
    /// As the split sees it.
    pub judged: JudgedAnswer,
    /// The result that the panel gave it.
    pub result: AnswerResult,
    /// `true` if it is too close to an earlier one.
    pub duplicate: bool,
}
