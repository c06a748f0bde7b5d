// SPDX-License-Identifier: Apache-2.0

//! Rosters of judges: their trees, their times, requests for seats, and who took them.
//!
//! A roster has a tree of sums per task type, in which a judge weighs the whole TOS that it bonded for
//! that type.

use crate::{ids::CaseId, Balance, TaskType, Tick, MAX_PANEL, MAX_PARTICIPANTS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Children of a node of every roster's tree.
pub const ROSTER_ARITY: u32 = 64;
/// Levels of every roster's tree: with [`ROSTER_ARITY`] there is room for 262,144 judges.
pub const ROSTER_DEPTH: u8 = 3;
/// The most seats that are drawn at once: those of the second court of the largest panel.
pub const MAX_SEATS: u32 = 63;
/// Draws for each open seat, void ones included, after which the case waits for another seed.
pub const DRAWS_PER_SEAT: u32 = 4;
/// The most parties of a case: its publisher and its authors.
pub const MAX_PARTIES: u32 = MAX_PARTICIPANTS + 1;

/// Seats of the first and of the second court over a panel of `seats`: 2n + 1 and 4n + 3.
pub const fn courts(seats: u32) -> [u32; 2] {
    let first = seats.saturating_mul(2).saturating_add(1);
    [first, first.saturating_mul(2).saturating_add(1)]
}

const _: () = {
    let [_, second] = courts(MAX_PANEL);
    assert!(second <= MAX_SEATS, "every court fits");
};

/// Name of a tree: all judges of a type, or those of them that are certified.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct RosterId {
    /// The type that they judge.
    pub task_type: TaskType,
    /// `true` if only certified judges are in it.
    pub certified: bool,
}

impl RosterId {
    /// The tree of all judges of a type.
    pub const fn open(task_type: TaskType) -> Self {
        Self {
            task_type,
            certified: false,
        }
    }

    /// The tree of the certified judges of a type.
    pub const fn certified(task_type: TaskType) -> Self {
        Self {
            task_type,
            certified: true,
        }
    }
}

/// Lengths of the rosters' times, in ticks. Genesis data, as all lengths.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RosterTimes {
    /// Time between two changes of a roster.
    pub period: Tick,
    /// Time at the end of a period in which no draw is asked for, so that its seed is there before the
    /// roster changes.
    pub quiet: Tick,
    /// Time after which new or added stake counts. At least the longest time a task may stay open: else an
    /// account that bonds after publication could sit.
    pub warm_up: Tick,
    /// Time after which a leaving judge gets its bond back, if it has no open seat.
    pub unbonding: Tick,
    /// Time after its close for which the stakes of a case's seats stay locked. At least the delay of a
    /// seed: else a party could rearrange a draw whose seed it knows.
    pub cool_down: Tick,
    /// Time without panel or result after which a case is abandoned.
    pub wait: Tick,
    /// Time at the head of its line after which no smaller case passes.
    pub reserve: Tick,
}

impl RosterTimes {
    /// Times of a network with `per_day` ticks a day, at least 96: periods of an hour with quiet in the last
    /// fifteenth, warm-up 7 days, unbonding 14, waiting 30.
    pub const fn per_day(per_day: Tick) -> Self {
        let period = if per_day < 96 { 4 } else { per_day / 24 };
        let quiet = if period < 15 { 1 } else { period / 15 };
        Self {
            period,
            quiet,
            warm_up: per_day.saturating_mul(7),
            unbonding: per_day.saturating_mul(14),
            cool_down: quiet,
            wait: per_day.saturating_mul(30),
            reserve: per_day,
        }
    }

    /// Short times for development chains and tests.
    pub const fn development() -> Self {
        Self {
            period: 300,
            quiet: 12,
            warm_up: 600,
            unbonding: 20,
            cool_down: 12,
            wait: 7_200,
            reserve: 30,
        }
    }

    /// `true` if every time is usable: none is zero, and draws may be asked for in at least three quarters
    /// of a period.
    pub fn is_sound(&self) -> bool {
        let all = [
            self.period,
            self.quiet,
            self.warm_up,
            self.unbonding,
            self.cool_down,
            self.wait,
            self.reserve,
        ];
        all.iter().all(|time| *time > 0) && self.quiet <= self.period / 4
    }

    /// `true` if a seed that is known `seed_delay` ticks after its request comes well within the quiet ticks,
    /// which are at least three times as many.
    pub const fn outlasts(&self, seed_delay: Tick) -> bool {
        self.quiet >= seed_delay.saturating_mul(3)
    }
}

impl Default for RosterTimes {
    /// Times at 2-second blocks.
    fn default() -> Self {
        Self::per_day(43_200)
    }
}

/// Stake that each seat of a request locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum SeatStake {
    /// So much, in wei: that of the case's panel, for its courts and vacancies.
    #[codec(index = 0)]
    Each(Balance),
    /// An equal part of a stake, for a panel, whose number of seats is fixed with its ticket alone.
    #[codec(index = 1)]
    PartOf {
        /// The stake of all seats, in wei.
        all: Balance,
        /// The least of each, in wei.
        least: Balance,
    },
}

/// The body that a request's seats belong to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum SeatKind<AccountId> {
    /// A new panel. Bootstrap lowers its seats to what there are certified judges for.
    #[codec(index = 0)]
    Panel,
    /// Seats of a panel whose judges did not act: before all lines, in the room that they had.
    #[codec(index = 1)]
    Vacancy {
        /// Those among them that only certified judges may take.
        certified: u32,
        /// The judges with certified seats in the round; none of them takes another one.
        holders: BoundedVec<AccountId, ConstU32<MAX_PANEL>>,
    },
    /// A court, which has more room than a panel.
    #[codec(index = 2)]
    Court,
}

/// Request for seats.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SeatRequest<AccountId> {
    /// The case.
    pub case: CaseId,
    /// The round of it, from 0.
    pub round: u32,
    /// The type whose judges are drawn.
    pub task_type: TaskType,
    /// The seats wanted, at most [`MAX_SEATS`].
    pub seats: u32,
    /// The body that they belong to.
    pub kind: SeatKind<AccountId>,
    /// The stake that they lock.
    pub stake: SeatStake,
    /// Time of publication: declarations count as they stood then, and so do weights that rose later.
    pub since: Tick,
    /// The publisher and the authors, none of whom may sit, nor a judge that declared one of them; sorted.
    pub parties: BoundedVec<AccountId, ConstU32<MAX_PARTIES>>,
}

/// Judge that was drawn, with its seats.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seated<AccountId> {
    /// The judge.
    pub who: AccountId,
    /// The number of its seats, at least 1.
    pub seats: u32,
    /// `true` if one of them is for certified judges only.
    pub certified: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Difficulty;

    #[test]
    fn courts_of_every_panel_are_odd_and_fit() {
        assert_eq!([5, 7].map(courts), [[11, 23], [15, 31]]);
        assert_eq!([9, 13, 15].map(courts), [[19, 39], [27, 55], [31, 63]]);
        for difficulty in Difficulty::ALL {
            let [first, second] = courts(difficulty.seats());
            assert!(difficulty.seats() <= MAX_PANEL && second <= MAX_SEATS);
            assert!(first % 2 == 1 && second % 2 == 1);
        }
    }

    #[test]
    fn trees_of_a_type_have_names_of_their_own() {
        let types = TaskType::BUILT_IN.into_iter().chain([TaskType::Custom(6)]);
        let mut names: alloc::vec::Vec<RosterId> = types
            .flat_map(|t| [RosterId::open(t), RosterId::certified(t)])
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 14);
    }

    #[test]
    fn times_of_every_preset_are_sound() {
        for per_day in [1, 95, 96, 1_000, 43_200, Tick::MAX] {
            let times = RosterTimes::per_day(per_day);
            assert!(times.is_sound(), "{per_day}: {times:?}");
        }
        let (production, development) = (RosterTimes::per_day(43_200), RosterTimes::development());
        assert_eq!((production.period, production.quiet), (1_800, 120));
        assert!(development.is_sound());
        // A seed is known 40 ticks after its request at most, on a development chain 4.
        assert!(production.outlasts(40) && !production.outlasts(41));
        assert!(development.outlasts(4) && !development.outlasts(5));
        assert!(!production.outlasts(Tick::MAX));
        // Moving stake from one type to another takes three weeks.
        assert_eq!(production.unbonding + production.warm_up, 21 * 43_200);
    }

    #[test]
    fn times_that_leave_no_room_for_draws_or_are_nothing_are_refused() {
        let sound = RosterTimes::development();
        type Change = fn(&mut RosterTimes);
        let changes: [Change; 8] = [
            |times| times.period = 0,
            |times| times.quiet = 0,
            |times| times.warm_up = 0,
            |times| times.unbonding = 0,
            |times| times.cool_down = 0,
            |times| times.wait = 0,
            |times| times.reserve = 0,
            |times| times.quiet = times.period / 4 + 1,
        ];
        for (at, change) in changes.into_iter().enumerate() {
            let mut times = sound;
            change(&mut times);
            assert!(!times.is_sound(), "{at}");
        }
        let quarter = RosterTimes {
            quiet: sound.period / 4,
            ..sound
        };
        assert!(quarter.is_sound());
    }
}
