//! What the pallet stores, and the numbers only it needs.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_primitives::{
    commitment::Commitment,
    params::MAX_CONCURRENT_PANELS,
    traits::{AnswerResult, Tally},
    views::ValidatorStatus,
    AnswerScore, Balance, Bp, TaskId, TaskType, MAX_PANEL, MAX_PARTICIPANTS, TOS,
};

/// The most task types one validator may judge.
pub const MAX_TYPES: u32 = 8;
/// The accuracy every validator starts with.
pub const START_ACCURACY: Bp = 7_000;
/// Accuracy below this earns nothing.
pub const MIN_REWARDED_ACCURACY: Bp = 5_000;

/// The stake that judging tasks of this type takes.
pub const fn min_stake(task_type: TaskType) -> Balance {
    match task_type {
        TaskType::CodeAnalysis => 50 * TOS,
        TaskType::SecurityAudit => 300 * TOS,
        TaskType::DataAnalysis => 150 * TOS,
        TaskType::AlgorithmOptimization
        | TaskType::LogicReasoning
        | TaskType::General
        | TaskType::Custom(_) => 100 * TOS,
    }
}

/// The stake a validator of these types needs: the greatest of theirs, not the sum.
pub fn required_stake(types: &[TaskType]) -> Balance {
    types.iter().copied().map(min_stake).max().unwrap_or(0)
}

/// The task types one validator judges.
pub type Types = BoundedVec<TaskType, ConstU32<MAX_TYPES>>;
/// One vote: a score per answer, in the order of commitment.
pub type Scores = BoundedVec<AnswerScore, ConstU32<MAX_PARTICIPANTS>>;
/// One result per answer, in the order of commitment.
pub type Answers = BoundedVec<AnswerResult, ConstU32<MAX_PARTICIPANTS>>;
/// The tasks one validator has seats in.
pub type DutyList = BoundedVec<TaskId, ConstU32<MAX_CONCURRENT_PANELS>>;
/// The accounts of one panel.
pub type PanelMembers<AccountId> = BoundedVec<AccountId, ConstU32<MAX_PANEL>>;

/// A registered validator.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Validator {
    /// What it has on hold.
    pub stake: Balance,
    /// What it judges.
    pub types: Types,
    /// Its running accuracy.
    pub accuracy: Bp,
    /// Tasks it has a seat in that are not concluded; the length of its duty list.
    pub panels: u32,
    /// Whether it can be drawn.
    pub status: ValidatorStatus,
}

impl Validator {
    /// The stake its types ask for.
    pub fn required(&self) -> Balance {
        required_stake(&self.types)
    }

    /// Whether it is on its way out.
    pub fn is_leaving(&self) -> bool {
        matches!(self.status, ValidatorStatus::Leaving { .. })
    }

    /// Sets the status that the stake asks for, unless the validator is leaving.
    pub fn settle_status(&mut self) {
        if !self.is_leaving() {
            self.status = if self.stake < self.required() {
                ValidatorStatus::Understaked
            } else {
                ValidatorStatus::Active
            };
        }
    }
}

/// What a member of a panel has done so far.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Ballot {
    /// Nothing.
    #[codec(index = 0)]
    Awaited,
    /// It committed to a vote.
    #[codec(index = 1)]
    Committed(Commitment),
    /// It revealed its vote.
    #[codec(index = 2)]
    Revealed,
}

/// A seat in a panel.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Member<AccountId> {
    /// Who sits in it.
    pub who: AccountId,
    /// The weight of its vote, fixed when the panel was drawn.
    pub weight: u64,
    /// What it has done.
    pub ballot: Ballot,
}

/// One round of voting on a task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Round<AccountId> {
    /// The panel.
    pub members: BoundedVec<Member<AccountId>, ConstU32<MAX_PANEL>>,
    /// Number of answers every vote scores.
    pub answers: u32,
    /// Whether the panel consists of experts.
    pub expert: bool,
    /// What the count gave; `None` before it.
    pub tally: Option<Tally>,
}

impl<AccountId> Round<AccountId> {
    /// Whether no commitment is outstanding.
    pub fn all_committed(&self) -> bool {
        self.members.iter().all(|m| m.ballot != Ballot::Awaited)
    }

    /// Whether there is no commitment at all.
    pub fn none_committed(&self) -> bool {
        self.members.iter().all(|m| m.ballot == Ballot::Awaited)
    }

    /// Whether no commitment is left unrevealed.
    pub fn all_revealed(&self) -> bool {
        !self
            .members
            .iter()
            .any(|m| matches!(m.ballot, Ballot::Committed(_)))
    }

    /// The weight of the whole panel.
    pub fn weight(&self) -> u64 {
        self.members
            .iter()
            .fold(0, |sum, m| sum.saturating_add(m.weight))
    }
}

/// The result of a task so far.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Findings {
    /// The round it comes from.
    pub round: u32,
    /// One result per answer.
    pub answers: Answers,
}

/// What one account did over all rounds of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Conduct<AccountId> {
    pub who: AccountId,
    /// Rounds in which it did not vote or not reveal, and the share of its stake that costs.
    pub failures: Vec<(u32, Bp)>,
    /// The accuracy of each vote it revealed, where there is a result to compare with.
    pub accuracies: Vec<Bp>,
}

impl<AccountId> Conduct<AccountId> {
    /// The mean accuracy of its votes, rounded down; `None` when none was measured.
    pub fn accuracy(&self) -> Option<Bp> {
        let sum = self
            .accuracies
            .iter()
            .fold(0u32, |sum, a| sum.saturating_add(u32::from(*a)));
        let count = u32::try_from(self.accuracies.len()).unwrap_or(u32::MAX);
        sum.checked_div(count)
            .and_then(|mean| Bp::try_from(mean).ok())
    }
}

/// Reward points for a given accuracy.
pub(crate) fn points(accuracy: Bp) -> Bp {
    if accuracy < MIN_REWARDED_ACCURACY {
        0
    } else {
        accuracy
    }
}

/// The running accuracy after one more task: `(9·old + new)/10`.
pub(crate) fn blend(old: Bp, new: Bp) -> Bp {
    let sum = u32::from(old)
        .saturating_mul(9)
        .saturating_add(u32::from(new));
    Bp::try_from(sum / 10).unwrap_or(tos_primitives::BP)
}
