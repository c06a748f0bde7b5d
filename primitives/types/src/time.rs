// SPDX-License-Identifier: Apache-2.0

//! Protocol time.
//!
//! Deadlines are counted in *ticks*: blocks in which users could get a transaction in. A block
//! that is crammed full, or that only runs a migration, does not advance the tick, so neither
//! spam nor an upgrade can make anyone miss a deadline.

use crate::Difficulty;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// A moment or a duration in ticks.
pub type Tick = u32;

/// The lengths of all phases of the protocol, in ticks. Genesis data, so that one runtime serves
/// networks and tests of every speed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PhaseLengths {
    /// A day, the unit of reputation decay and of idleness.
    pub day: Tick,
    /// Shortest time a task may stay open.
    pub min_open: Tick,
    /// Longest time a task may stay open.
    pub max_open: Tick,
    /// Time to reveal answers.
    pub answer_reveal: Tick,
    /// Time within which a panel must be found.
    pub panel_draw: Tick,
    /// Time to commit votes.
    pub vote_commit: Tick,
    /// Time to reveal votes.
    pub vote_reveal: Tick,
    /// Time to challenge a result before it is settled.
    pub challenge: Tick,
    /// Time for which a closed task is kept before it is pruned.
    pub retention: Tick,
    /// Time for which a reward may stay unclaimed before the chain pays it to its owner by itself.
    pub claim: Tick,
    /// Cooldown before a leaving miner or judge gets its stake back.
    pub unbonding: Tick,
}

impl PhaseLengths {
    /// Phase lengths of a network with `per_day` ticks a day: votes 24 h each, challenge 24 h,
    /// answers up to 30 days, claims 90 days.
    pub const fn per_day(per_day: Tick) -> Self {
        let hour = if per_day < 24 { 1 } else { per_day / 24 };
        Self {
            day: per_day,
            min_open: hour,
            max_open: per_day.saturating_mul(30),
            answer_reveal: hour.saturating_mul(12),
            panel_draw: hour,
            vote_commit: per_day,
            vote_reveal: per_day,
            challenge: per_day,
            retention: per_day.saturating_mul(30),
            claim: per_day.saturating_mul(90),
            unbonding: per_day.saturating_mul(14),
        }
    }

    /// Short phases for development chains and tests: a whole life cycle in about two hundred
    /// ticks even when every window runs out, much less when all act at once.
    pub const fn development() -> Self {
        Self {
            day: 43_200,
            min_open: 3,
            max_open: 43_200,
            answer_reveal: 30,
            panel_draw: 20,
            vote_commit: 60,
            vote_reveal: 30,
            challenge: 6,
            retention: 7_200,
            claim: 14_400,
            unbonding: 20,
        }
    }

    /// `true` if every window is usable: none is zero and the bounds are in order.
    pub fn is_sound(&self) -> bool {
        let all = [
            self.day,
            self.min_open,
            self.max_open,
            self.answer_reveal,
            self.panel_draw,
            self.vote_commit,
            self.vote_reveal,
            self.challenge,
            self.retention,
            self.claim,
            self.unbonding,
        ];
        all.iter().all(|w| *w > 0) && self.min_open <= self.max_open
    }
}

impl Default for PhaseLengths {
    /// Phase lengths at 2-second blocks.
    fn default() -> Self {
        Self::per_day(43_200)
    }
}

/// Times within which a result can be appealed, by difficulty, in ticks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Windows {
    /// For beginners' tasks.
    pub beginner: Tick,
    /// For intermediate ones.
    pub intermediate: Tick,
    /// For advanced ones.
    pub advanced: Tick,
    /// For experts' tasks.
    pub expert: Tick,
}

impl Windows {
    /// Windows of a network with `per_day` ticks a day: a day, and two for what takes longer to check.
    pub const fn per_day(per_day: Tick) -> Self {
        Self {
            beginner: per_day,
            intermediate: per_day,
            advanced: per_day.saturating_mul(2),
            expert: per_day.saturating_mul(2),
        }
    }

    /// Short windows for development chains and tests.
    pub const fn development() -> Self {
        Self {
            beginner: 6,
            intermediate: 6,
            advanced: 6,
            expert: 6,
        }
    }

    /// The window of a difficulty.
    pub const fn of(&self, difficulty: Difficulty) -> Tick {
        match difficulty {
            Difficulty::Beginner => self.beginner,
            Difficulty::Intermediate => self.intermediate,
            Difficulty::Advanced => self.advanced,
            Difficulty::Expert => self.expert,
        }
    }

    /// `true` if none is zero.
    pub fn is_sound(&self) -> bool {
        Difficulty::ALL
            .iter()
            .all(|difficulty| self.of(*difficulty) > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_longer_to_check_has_a_longer_window() {
        let windows = Windows::per_day(43_200);
        let hours = Difficulty::ALL.map(|difficulty| windows.of(difficulty) / 1_800);
        assert_eq!(hours, [24, 24, 48, 48]);
        assert!(windows.is_sound() && Windows::development().is_sound());
        let short = Windows {
            advanced: 0,
            ..windows
        };
        assert!(!short.is_sound());
    }
}
