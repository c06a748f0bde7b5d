// SPDX-License-Identifier: Apache-2.0

//! One record of reputation, and how it changes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tos_formulas::reputation::{apply, change, idle_decay, Performance, FREE_IDLE_DAYS, START};
use tos_types::Bp;
use tos_views::StandingView;

/// The most points one record can gain in one day.
pub const MAX_DAILY_GAIN: Bp = 300;

/// The reputation of one account, over all types or in one.
///
/// Only work and penalties write a record. Its value on a day follows from the record and the day
/// alone, so it makes no difference who looks at it and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Record {
    /// The reputation when it last changed; idle decay counts from it.
    pub score: Bp,
    /// The day idle days are counted from: that of the last work. A penalty can move it closer,
    /// but never so close that decay would stop.
    pub last_active_day: u32,
    /// Points gained on `gain_day`; losses of that day do not give them back.
    pub gained_today: Bp,
    /// The day that `gained_today` speaks of.
    pub gain_day: u32,
    /// Settled tasks and votes with work delivered.
    pub settled: u32,
}

impl Record {
    /// The record of an account that has done nothing yet. Where it is not stored it does not
    /// decay either: nothing has been earned.
    pub const fn fresh(today: u32) -> Self {
        Self {
            score: START,
            last_active_day: today,
            gained_today: 0,
            gain_day: 0,
            settled: 0,
        }
    }

    /// Its value on day `today`, with idle decay applied.
    pub fn value(&self, today: u32) -> Bp {
        idle_decay(self.score, self.idle_days(today))
    }

    /// Points that can still be gained on day `today`.
    pub fn gain_left(&self, today: u32) -> Bp {
        let gained = if self.gain_day == today {
            self.gained_today
        } else {
            0
        };
        MAX_DAILY_GAIN.saturating_sub(gained)
    }

    /// Returns `true` if it says no more than a missing record, so that it need not be stored.
    pub fn is_blank(&self, today: u32) -> bool {
        self.score == START && self.settled == 0 && self.gain_left(today) == MAX_DAILY_GAIN
    }

    /// Applies the outcome of one settled task; returns by how much the value changed.
    pub fn perform(&mut self, today: u32, performance: &Performance) -> i16 {
        let before = self.value(today);
        let gain_left = self.gain_left(today);
        let allowed = i16::try_from(gain_left).unwrap_or(i16::MAX);
        self.score = apply(before, change(before, performance).min(allowed));
        let gained = self.score.saturating_sub(before);
        self.gained_today = MAX_DAILY_GAIN
            .saturating_sub(gain_left)
            .saturating_add(gained);
        self.gain_day = today;
        self.last_active_day = today;
        if performance.completion > 0 {
            self.settled = self.settled.saturating_add(1);
        }
        difference(before, self.score)
    }

    /// Takes `loss` points; returns by how much the value changed. The loss is taken from what the
    /// record is worth now. A penalty is no work: it neither ends idleness nor buys free idle
    /// days.
    pub fn penalise(&mut self, today: u32, loss: Bp) -> i16 {
        let before = self.value(today);
        let idle = self.idle_days(today).min(FREE_IDLE_DAYS);
        self.score = before.saturating_sub(loss);
        self.last_active_day = today.saturating_sub(idle);
        difference(before, self.score)
    }

    /// The record for readers.
    pub fn view(&self, today: u32) -> StandingView {
        StandingView {
            score: self.value(today),
            earned: self.score,
            gain_left: self.gain_left(today),
            settled: self.settled,
        }
    }

    fn idle_days(&self, today: u32) -> u32 {
        today.saturating_sub(self.last_active_day)
    }
}

/// `after − before`. Both are at most 10,000, so it always fits.
fn difference(before: Bp, after: Bp) -> i16 {
    let difference = i32::from(after).saturating_sub(i32::from(before));
    i16::try_from(difference).unwrap_or(if after < before { i16::MIN } else { i16::MAX })
}
