// SPDX-License-Identifier: Apache-2.0

//! Miner levels: what long good work is worth, and how it is lost.
//!
//! A miner rises when four conditions hold (tasks, success, endorsements, reputation) and go on to
//! hold through a probation, and falls when it fails and does not recover within a grace period.
//! All of it is computed from [`LevelRecord`] and a few facts, by the functions here, so that the
//! chain, its clients and the tests agree.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
pub use tos_types::task::MAX_ENDORSEMENTS;
use tos_types::{
    rules::{LevelTable, LevelTerms},
    task::Level,
    Bp, BP,
};

/// The outcomes that success is computed from: the last so many.
pub const OUTCOMES: u8 = 100;
/// Outcomes below which no miner falls for its success.
pub const MIN_OUTCOMES: u8 = 10;
/// Miners one account can endorse.
pub const MAX_ENDORSED: u32 = 10;

/// A probation that goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Probation {
    /// The day it began.
    pub since: u32,
    /// Tasks with a valid answer since.
    pub completed: u16,
    /// Tasks without one.
    pub failed: u16,
}

/// The record that a miner's level rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct LevelRecord {
    /// The level now.
    pub level: Level,
    /// The last outcomes, the latest in bit 0; set where the answer was valid.
    pub outcomes: u128,
    /// The number of those outcomes, at most [`OUTCOMES`].
    pub count: u8,
    /// Tasks in a row without a valid answer.
    pub failures: u8,
    /// The probation for the next level, if one goes on.
    pub probation: Option<Probation>,
    /// The day since which the level is in danger, if it is.
    pub grace: Option<u32>,
}

/// The facts that a promotion rests on besides the record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// Tasks with a valid answer, ever.
    pub completed: u32,
    /// Reputation over all types.
    pub reputation: Bp,
    /// Endorsements that count now.
    pub endorsements: u32,
}

/// A change of a level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum LevelChange {
    /// The conditions of the next level hold: now they must go on to hold.
    #[codec(index = 0)]
    ProbationStarted,
    /// They hold no more, or the work of the probation was not good enough.
    #[codec(index = 1)]
    ProbationFailed,
    /// One level up.
    #[codec(index = 2)]
    Promoted,
    /// The level is lost unless the miner recovers in time.
    #[codec(index = 3)]
    GraceStarted,
    /// It has recovered.
    #[codec(index = 4)]
    GraceEnded,
    /// One level down.
    #[codec(index = 5)]
    Demoted,
}

impl LevelRecord {
    /// Share of the last outcomes that were valid answers; all of none.
    pub fn success(&self) -> Bp {
        share(self.outcomes.count_ones(), u32::from(self.count)).unwrap_or(BP)
    }

    /// Takes in the outcome of one more task. Looks at nothing but the record and the rules, so
    /// that it costs a settlement little.
    pub fn note(&mut self, completed: bool, today: u32, rules: &LevelTable) -> Option<LevelChange> {
        const WINDOW: u128 = (1 << OUTCOMES) - 1;
        self.outcomes = (self.outcomes << 1 | u128::from(completed)) & WINDOW;
        self.count = self.count.saturating_add(1).min(OUTCOMES);
        self.failures = if completed {
            0
        } else {
            self.failures.saturating_add(1)
        };
        if let Some(probation) = &mut self.probation {
            let counter = if completed {
                &mut probation.completed
            } else {
                &mut probation.failed
            };
            *counter = counter.saturating_add(1);
        }
        self.watch(today, rules)
    }

    /// Looks at everything, on a day on which nothing need have happened; `None` when nothing
    /// changes. Asks for the facts only when they can decide.
    pub fn review(
        &mut self,
        today: u32,
        rules: &LevelTable,
        facts: impl FnOnce() -> Facts,
    ) -> Option<LevelChange> {
        if let Some(change) = self.watch(today, rules) {
            return Some(change);
        }
        let wanted = rules.terms(self.level.next()?)?;
        if self.probation.is_none() && !self.may_rise(wanted) {
            return None;
        }
        let holds = self.may_rise(wanted) && facts().reach(wanted);
        let Some(probation) = self.probation else {
            return holds.then(|| {
                self.probation = Some(Probation {
                    since: today,
                    completed: 0,
                    failed: 0,
                });
                LevelChange::ProbationStarted
            });
        };
        if !holds {
            self.probation = None;
            return Some(LevelChange::ProbationFailed);
        }
        let over = today.saturating_sub(probation.since) >= wanted.probation;
        // Without any work there is nothing to go by: it goes on.
        let consistency = share(
            u32::from(probation.completed),
            u32::from(probation.completed).saturating_add(u32::from(probation.failed)),
        );
        let consistency = consistency.filter(|_| over)?;
        self.probation = None;
        if consistency < wanted.consistency {
            return Some(LevelChange::ProbationFailed);
        }
        self.level = self.level.next()?;
        Some(LevelChange::Promoted)
    }

    /// One level down at once, as a suspension costs. `None` at the lowest, without a probation.
    pub fn set_back(&mut self) -> Option<LevelChange> {
        let probation = self.probation.take();
        self.grace = None;
        if self.level == Level::Standard {
            return probation.map(|_| LevelChange::ProbationFailed);
        }
        self.level = self.level.lower();
        Some(LevelChange::Demoted)
    }

    /// The day on which the probation is over.
    pub fn probation_until(&self, rules: &LevelTable) -> Option<u32> {
        let days = rules.terms(self.level.next()?)?.probation;
        Some(self.probation?.since.saturating_add(days))
    }

    /// The day on which the level is lost.
    pub fn grace_until(&self, rules: &LevelTable) -> Option<u32> {
        let days = rules.terms(self.level)?.grace;
        Some(self.grace?.saturating_add(days))
    }

    /// The conditions of a rise that the record alone can tell.
    fn may_rise(&self, wanted: &LevelTerms) -> bool {
        self.grace.is_none() && self.success() >= wanted.success
    }

    /// Begins, ends or enforces the grace period.
    fn watch(&mut self, today: u32, rules: &LevelTable) -> Option<LevelChange> {
        let bound = rules.terms(self.level)?;
        let poor = self.count >= MIN_OUTCOMES && self.success() < bound.least_success;
        let endangered = poor || self.failures >= bound.failures;
        match (endangered, self.grace) {
            (true, None) => {
                self.grace = Some(today);
                self.probation = None;
                Some(LevelChange::GraceStarted)
            }
            (true, Some(since)) if today.saturating_sub(since) >= bound.grace => {
                self.grace = None;
                self.level = self.level.lower();
                Some(LevelChange::Demoted)
            }
            (false, Some(_)) => {
                self.grace = None;
                Some(LevelChange::GraceEnded)
            }
            _ => None,
        }
    }
}

impl Facts {
    /// `true` if they are good enough for a level.
    fn reach(&self, wanted: &LevelTerms) -> bool {
        self.completed >= wanted.tasks
            && self.reputation >= wanted.reputation
            && self.endorsements >= wanted.endorsements
    }
}

/// `part` of `whole` in basis points, rounded down; `None` of nothing.
fn share(part: u32, whole: u32) -> Option<Bp> {
    let scaled = part.saturating_mul(u32::from(BP)).checked_div(whole)?;
    Bp::try_from(scaled).ok()
}

#[cfg(test)]
mod tests;
