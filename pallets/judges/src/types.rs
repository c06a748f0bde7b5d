// SPDX-License-Identifier: Apache-2.0

//! The records of the pallet, and the numbers only it needs.

use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_types::{
    commitment::Commitment,
    params::{AGREEING_REPORTS, MAX_CONCURRENT_PANELS},
    rules::JudgingRules,
    vote::{AnswerResult, Tally},
    AnswerScore, Balance, Bp, Report, TaskId, TaskType, BP, MAX_PANEL, MAX_PARTICIPANTS,
};
use tos_views::JudgeStatus;

/// The most task types of one judge.
pub const MAX_TYPES: u32 = 8;

/// The task types of one judge.
pub type Types = BoundedVec<TaskType, ConstU32<MAX_TYPES>>;
/// A score per answer, in the order of commitment.
pub type Scores = BoundedVec<AnswerScore, ConstU32<MAX_PARTICIPANTS>>;
/// One result per answer, in the order of commitment.
pub type Answers = BoundedVec<AnswerResult, ConstU32<MAX_PARTICIPANTS>>;
/// The tasks one judge has seats in.
pub type DutyList = BoundedVec<TaskId, ConstU32<MAX_CONCURRENT_PANELS>>;
/// The accounts of one panel.
pub type PanelMembers<AccountId> = BoundedVec<AccountId, ConstU32<MAX_PANEL>>;

/// The answers of one task whose quality was known beforehand.
pub type ControlAnswers = BoundedVec<ControlAnswer, ConstU32<MAX_PARTICIPANTS>>;

/// An answer whose quality was known before anyone voted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ControlAnswer {
    /// Its place among the task's answers.
    pub index: u32,
    /// The quality a vote should give it, 0 to 100.
    pub quality: u8,
    /// The last round of voting when this was told: later votes could know it.
    pub round: u32,
}

/// A revealed vote.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vote {
    /// The scores.
    pub scores: Scores,
    /// The finding of the pinned tool, from a member with an automatic seat.
    pub report: Option<Report>,
}

/// A registered judge.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Judge {
    /// The stake on hold, in wei.
    pub stake: Balance,
    /// The task types it judges.
    pub types: Types,
    /// Its running accuracy, by the results of panels.
    pub accuracy: Bp,
    /// Its running accuracy, by answers whose quality was known beforehand.
    pub known: Bp,
    /// Tasks with such answers it has voted in.
    pub checks: u32,
    /// Tasks it has a seat in that are not concluded; the length of its duty list.
    pub panels: u32,
    /// The status, which says if it can be drawn.
    pub status: JudgeStatus,
}

impl Judge {
    /// `true` if it is accurate enough to sit as an expert, by both measures it has.
    pub fn is_accurate(&self, least: Bp) -> bool {
        self.accuracy >= least && (self.checks == 0 || self.known >= least)
    }

    /// Takes in how accurate it was in one more task with control answers.
    pub fn check(&mut self, accuracy: Bp) {
        self.known = blend(self.known, accuracy);
        self.checks = self.checks.saturating_add(1);
    }

    /// Reward points for a task in which its accuracy was this. Once it has met control answers,
    /// its running accuracy on them decides `rules.known_share` of the points.
    pub fn points(&self, accuracy: Bp, rules: &JudgingRules) -> Bp {
        let points = |accuracy: Bp| {
            if accuracy < rules.rewarded_accuracy {
                0
            } else {
                accuracy
            }
        };
        if self.checks == 0 {
            return points(accuracy);
        }
        if points(accuracy) == 0 || points(self.known) == 0 {
            return 0;
        }
        let share = rules.known_share;
        let by_panel = u32::from(accuracy).saturating_mul(u32::from(BP.saturating_sub(share)));
        let by_known = u32::from(self.known).saturating_mul(u32::from(share));
        let sum = by_panel.saturating_add(by_known);
        let points = sum.checked_div(u32::from(BP));
        points.and_then(|p| Bp::try_from(p).ok()).unwrap_or(BP)
    }

    /// `true` if it is on its way out.
    pub fn is_leaving(&self) -> bool {
        matches!(self.status, JudgeStatus::Leaving { .. })
    }

    /// Sets the status that the stake gives it where `required` is asked for, unless it is leaving.
    pub fn settle_status(&mut self, required: Balance) {
        if !self.is_leaving() {
            self.status = if self.stake < required {
                JudgeStatus::Understaked
            } else {
                JudgeStatus::Active
            };
        }
    }
}

/// The progress of a member of a panel in its round.
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
    /// The judge that sits in it.
    pub who: AccountId,
    /// The weight of its vote, fixed when the panel was drawn.
    pub weight: u64,
    /// `true` if it runs the task's pinned tool and reports what that found.
    pub automatic: bool,
    /// Its progress in the round.
    pub ballot: Ballot,
}

/// One round of voting on a task.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Round<AccountId> {
    /// The panel.
    pub members: BoundedVec<Member<AccountId>, ConstU32<MAX_PANEL>>,
    /// Number of answers every vote scores.
    pub answers: u32,
    /// `true` if the panel consists of experts.
    pub expert: bool,
    /// The outcome of the count; `None` before it.
    pub tally: Option<Tally>,
    /// The report that automatic members agree on; `None` before the count and without one.
    pub report: Option<Report>,
}

impl<AccountId> Round<AccountId> {
    /// `true` if no commitment is outstanding.
    pub fn all_committed(&self) -> bool {
        self.members.iter().all(|m| m.ballot != Ballot::Awaited)
    }

    /// `true` if there is no commitment at all.
    pub fn none_committed(&self) -> bool {
        self.members.iter().all(|m| m.ballot == Ballot::Awaited)
    }

    /// `true` if no commitment is left unrevealed.
    pub fn all_revealed(&self) -> bool {
        !self
            .members
            .iter()
            .any(|m| matches!(m.ballot, Ballot::Committed(_)))
    }

    /// `true` if some members have to report what a tool found.
    pub fn is_automatic(&self) -> bool {
        self.members.iter().any(|m| m.automatic)
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

/// The conduct of one account over all rounds of a task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Conduct<AccountId> {
    pub who: AccountId,
    /// Rounds in which it did not vote or not reveal, and the share of its stake that costs.
    pub failures: Vec<(u32, Bp)>,
    /// The accuracy of each vote it revealed, where there is a result to compare with.
    pub accuracies: Vec<Bp>,
    /// The same, by the control answers alone.
    pub checks: Vec<Bp>,
}

impl<AccountId> Conduct<AccountId> {
    /// An account of which nothing is known yet.
    pub fn of(who: AccountId) -> Self {
        Self {
            who,
            failures: Vec::new(),
            accuracies: Vec::new(),
            checks: Vec::new(),
        }
    }

    /// The mean accuracy of its votes.
    pub fn accuracy(&self) -> Option<Bp> {
        mean(&self.accuracies)
    }

    /// The mean accuracy of its votes on control answers.
    pub fn known_accuracy(&self) -> Option<Bp> {
        mean(&self.checks)
    }
}

/// The mean, rounded down; `None` of nothing.
fn mean(values: &[Bp]) -> Option<Bp> {
    let sum = values
        .iter()
        .fold(0u32, |sum, a| sum.saturating_add(u32::from(*a)));
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    sum.checked_div(count)
        .and_then(|mean| Bp::try_from(mean).ok())
}

/// The report that at least [`AGREEING_REPORTS`] of these are. There are at most
/// [`tos_types::params::AUTOMATIC_SEATS`], so at most one is.
pub(crate) fn agreed(reports: &[Report]) -> Option<Report> {
    let same = |report: &Report| reports.iter().filter(|other| *other == report).count();
    let agreeing = reports
        .iter()
        .find(|report| same(report) >= AGREEING_REPORTS as usize);
    agreeing.copied()
}

/// The running accuracy after one more task: `(9·old + new)/10`.
pub(crate) fn blend(old: Bp, new: Bp) -> Bp {
    let sum = u32::from(old)
        .saturating_mul(9)
        .saturating_add(u32::from(new));
    Bp::try_from(sum / 10).unwrap_or(tos_types::BP)
}
