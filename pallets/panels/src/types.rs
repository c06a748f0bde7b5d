// SPDX-License-Identifier: Apache-2.0

//! The records of the pallet, and the numbers only it needs.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_types::{
    commitment::Commitment,
    roster::{SeatStake, MAX_PARTIES, MAX_SEATS},
    vote::Ballot,
    Balance, ContentHash, Report, TaskType, Tick, MAX_PARTICIPANTS,
};

/// The baseline of a type of which no task has been settled.
pub const START_BASELINE: u8 = 50;
/// The most quality of an answer that the pinned tool fails: too little for any reward.
pub const FAILED_QUALITY: u8 = 19;

/// The accounts of a round in the order of drawing, those that filled vacancies last.
pub type Accounts<AccountId> = BoundedVec<AccountId, ConstU32<MAX_SEATS>>;
/// Accounts that were drawn at once, each with the number of its seats.
pub type DrawnSeats<AccountId> = BoundedVec<(AccountId, u32), ConstU32<MAX_SEATS>>;
/// The publisher and the authors of a case, sorted.
pub type PartyList<AccountId> = BoundedVec<AccountId, ConstU32<MAX_PARTIES>>;
/// The answers of one case whose quality was known beforehand.
pub type ControlAnswers = BoundedVec<ControlAnswer, ConstU32<MAX_PARTICIPANTS>>;

/// An answer whose quality was known before any vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct ControlAnswer {
    /// Its place among the answers of the case.
    pub index: u32,
    /// The quality a vote should give it, 0 to 100.
    pub quality: u8,
    /// The last round of voting when this was told: later votes could know it.
    pub round: u32,
}

/// The stage of a case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Stage {
    /// It waits in the roster for a panel.
    #[codec(index = 0)]
    Waiting,
    /// Its panel commits to votes.
    #[codec(index = 1)]
    Commit,
    /// Its panel reveals votes.
    #[codec(index = 2)]
    Reveal,
    /// It has a result.
    #[codec(index = 3)]
    Stands,
    /// Neither a panel nor a result was found.
    #[codec(index = 4)]
    Abandoned,
    /// Nothing more is voted on; its records are kept until they are forgotten.
    #[codec(index = 5)]
    Closed,
}

/// A step of a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Step {
    /// Half of the time for commitments is over: seats without one are vacated.
    #[codec(index = 0)]
    Half,
    /// No more commitments come: reveals begin.
    #[codec(index = 1)]
    Reveal,
    /// No more reveals come: the votes are counted.
    #[codec(index = 2)]
    Count,
}

/// A step and its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Due {
    /// The tick in which it is taken.
    pub at: Tick,
    /// The step.
    pub step: Step,
}

/// An entry of the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Job {
    /// The next step of a case.
    #[codec(index = 0)]
    Case(tos_types::CaseId),
    /// Unlocking of the stakes of a round's seats.
    #[codec(index = 1)]
    Free(tos_types::CaseId, u32),
}

/// Record of a case.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Docket {
    /// The type whose judges sit.
    pub task_type: TaskType,
    /// The seats wanted in a panel; bootstrap may lower them.
    pub seats: u32,
    /// The stake of a panel's seats.
    pub stake: SeatStake,
    /// The pay of all seats of a panel without premium, in wei.
    pub pay: Balance,
    /// The class of its line.
    pub class: u8,
    /// The number of answers; every ballot scores all of them.
    pub answers: u32,
    /// Bit `i` is set where answer `i` is inline.
    pub inline: u32,
    /// The number of its rule set.
    pub rules: u32,
    /// The tool that every seat runs.
    pub tool: Option<ContentHash>,
    /// Time of publication.
    pub since: Tick,
    /// Its stage.
    pub stage: Stage,
    /// The round that is voted in, was voted in last, or is waited for.
    pub round: u32,
    /// The last tick of the stage, where there is one.
    pub deadline: Tick,
    /// Its entry in the queue: while votes are taken, and never else.
    pub due: Option<Due>,
    /// Attempts at the next step that failed.
    pub failures: u8,
    /// Time of the first round without result.
    pub failed_since: Option<Tick>,
    /// The baseline of the type at the first seating.
    pub baseline: Option<u8>,
    /// `true` if its seats are settled.
    pub settled: bool,
}

/// Record of a round. All numbers but the lock are of seats.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Round {
    /// The type whose judges sit.
    pub task_type: TaskType,
    /// The stake that each seat locks, in wei.
    pub lock: Balance,
    /// All seats, vacant ones included.
    pub seats: u32,
    /// Seats that were vacated and not filled again.
    pub vacant: u32,
    /// `true` while a draw for the vacant seats is waited for.
    pub waits: bool,
    /// Seats with a commitment, revealed ones included.
    pub committed: u32,
    /// Seats that revealed scores.
    pub scoring: u32,
    /// Seats that revealed that the task cannot be judged.
    pub unjudgeable: u32,
    /// The state of the stakes of all seats.
    pub stakes: Stakes,
}

/// State of the stakes of a round's seats.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Stakes {
    /// They are locked.
    #[codec(index = 0)]
    Locked,
    /// They are unlocked in this tick, by an entry of the queue.
    #[codec(index = 1)]
    Until(Tick),
    /// They are unlocked.
    #[codec(index = 2)]
    Free,
}

impl Round {
    /// Seats that revealed.
    pub fn revealed(&self) -> u32 {
        self.scoring.saturating_add(self.unjudgeable)
    }

    /// `true` if no commitment is to come.
    pub fn all_committed(&self) -> bool {
        !self.waits && self.committed >= self.seats.saturating_sub(self.vacant)
    }

    /// `true` if no commitment is left unrevealed.
    pub fn all_revealed(&self) -> bool {
        self.revealed() >= self.committed
    }
}

/// The progress of an account's vote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum VoteState {
    /// Nothing came yet.
    #[codec(index = 0)]
    Awaited,
    /// It committed to a vote.
    #[codec(index = 1)]
    Committed(Commitment),
    /// It revealed its vote.
    #[codec(index = 2)]
    Revealed,
}

/// The seats of one account in one round. They have one vote, which counts for each of them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Seat {
    /// Seats that it has.
    pub seats: u32,
    /// Seats that it lost because it did not commit in time.
    pub vacated: u32,
    /// Seats that it lost because it was suspended before it committed.
    pub excused: u32,
    /// `true` if one of those that it has is for certified judges only.
    pub certified: bool,
    /// The progress of its vote.
    pub vote: VoteState,
    /// Stake that was taken of what these seats lock, in wei.
    pub lost: Balance,
}

impl Seat {
    /// New seats.
    pub fn of(seats: u32, certified: bool) -> Self {
        Self {
            seats,
            vacated: 0,
            excused: 0,
            certified,
            vote: VoteState::Awaited,
            lost: 0,
        }
    }

    /// `true` if it has seats and has not committed to a vote.
    pub fn is_awaited(&self) -> bool {
        self.seats > 0 && self.vote == VoteState::Awaited
    }

    /// Stake that was locked for all seats that it ever had in the round, in wei, at `each`.
    pub fn stake(&self, each: Balance) -> Balance {
        let all = [self.seats, self.vacated, self.excused];
        let all = all
            .iter()
            .fold(0u32, |sum, seats| sum.saturating_add(*seats));
        each.saturating_mul(all.into())
    }

    /// The rest of it that is still locked, in wei.
    pub fn locked(&self, each: Balance) -> Balance {
        self.stake(each).saturating_sub(self.lost)
    }
}

/// A revealed vote.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Vote {
    /// The judgement.
    pub ballot: Ballot,
    /// The finding of the pinned tool.
    pub report: Option<Report>,
}

/// Pay of one account, as it was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Share {
    /// Points of each of its seats.
    pub points: i32,
    /// Pay of all its seats, in wei.
    pub credit: Balance,
    /// Loss of all its seats by bad points, in wei.
    pub debit: Balance,
}

/// Settlement of a panel that is under way.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Settlement {
    /// Accounts that are settled, from the first in the order of drawing.
    pub next: u32,
    /// Pay of each account, in the same order.
    pub shares: BoundedVec<Share, ConstU32<MAX_SEATS>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_that_every_vote_writes_are_small() {
        assert!(Round::max_encoded_len() <= 64);
        assert!(Seat::max_encoded_len() <= 64);
        assert!(Vote::max_encoded_len() <= 140);
    }
}
