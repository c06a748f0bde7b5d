// SPDX-License-Identifier: Apache-2.0

//! Health of a solver or a judge: when it may be tried, and how much may depend on it.
//!
//! Ticks are the clock, as for all deadlines. See docs/decisions/018-worker-health.md.

use super::report::Report;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tos_types::Tick;

/// Ticks between the first failure and the next try; they double with every failure in a row.
const PAUSE: Tick = 5;
/// Longest pause, in ticks.
const MAX_PAUSE: Tick = 100;

/// Record of how well a program works.
#[derive(Default)]
pub(super) struct Health {
    /// Failures in a row.
    failures: u32,
    /// Tick of the last of them.
    failed_at: Tick,
    /// Tick of the next try.
    until: Tick,
    /// Beginning of the row, in Unix seconds.
    since: u64,
    /// It has worked in this run.
    proven: bool,
    /// The longest time a success has taken, or that was not enough.
    longest: Option<Duration>,
}

impl Health {
    /// Notes a failure that is the program's own. `second` is the length of a tick in seconds.
    pub fn failed(&mut self, tick: Tick, second: f64, why: String) -> Report {
        if self.failures == 0 {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            self.since = now.map(|time| time.as_secs()).unwrap_or_default();
        }
        let pause = PAUSE
            .saturating_mul(1 << self.failures.min(8))
            .min(MAX_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.failed_at = tick;
        self.until = tick.saturating_add(pause);
        Report::SolverBroken {
            failures: self.failures,
            why,
            pause: (f64::from(pause) * second).ceil() as u64,
            since: self.since,
        }
    }

    /// Notes a success; the report says that a row of failures is over.
    pub fn succeeded(&mut self, took: Duration) -> Option<Report> {
        self.took(took);
        self.proven = true;
        let failures = std::mem::take(&mut self.failures);
        (failures > 0).then_some(Report::SolverWell {
            failures,
            since: self.since,
        })
    }

    /// Notes how long the program worked, whether or not that was enough.
    pub fn took(&mut self, took: Duration) {
        self.longest = Some(self.longest.map_or(took, |longest| longest.max(took)));
    }

    /// The longest time the program has been seen to need.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// `true` if the last thing it did was to fail.
    pub fn is_broken(&self) -> bool {
        self.failures > 0
    }

    /// `true` if work that is due by `deadline` may be started. A broken program is tried again
    /// after a pause, but never later than half way between its failure and the deadline, and
    /// with one piece of work at a time.
    pub fn may_start(&self, tick: Tick, deadline: Tick, running: usize) -> bool {
        if !self.is_broken() {
            return true;
        }
        let half = deadline.saturating_sub(self.failed_at) / 2;
        running == 0 && tick >= self.until.min(self.failed_at.saturating_add(half))
    }

    /// Number of tasks that may be joined while `unanswered` ones wait for an answer that may still come.
    /// A program that has not worked yet, or not lately, is trusted with one.
    pub fn room(&self, tick: Tick, unanswered: usize) -> usize {
        if self.proven && !self.is_broken() {
            return usize::MAX;
        }
        if self.is_broken() && tick < self.until {
            return 0;
        }
        1usize.saturating_sub(unanswered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pause(report: &Report) -> u64 {
        match report {
            Report::SolverBroken { pause, .. } => *pause,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_pause_grows_to_a_bound_and_a_success_ends_it() {
        let mut health = Health::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            pauses.push(pause(&health.failed(10, 6.0, "it is down".into())));
        }
        assert_eq!(pauses[..6], [30, 60, 120, 240, 480, 600]);
        assert_eq!(pauses.last(), Some(&600));
        let well = health.succeeded(Duration::from_secs(3)).unwrap();
        assert!(matches!(well, Report::SolverWell { failures: 40, .. }));
        assert_eq!(health.succeeded(Duration::from_secs(1)), None);
        assert_eq!(health.longest(), Some(Duration::from_secs(3)));
        assert_eq!(pause(&health.failed(10, 6.0, "again".into())), 30);
    }

    #[test]
    fn one_task_at_most_depends_on_a_program_that_has_not_worked_yet() {
        let mut health = Health::default();
        assert_eq!((health.room(1, 0), health.room(1, 1)), (1, 0));
        health.succeeded(Duration::from_secs(1));
        assert_eq!(health.room(1, 7), usize::MAX);
        health.failed(1, 6.0, "it is down".into());
        assert_eq!((health.room(2, 0), health.room(6, 0)), (0, 1));
        assert_eq!(health.room(6, 1), 0);
    }

    #[test]
    fn a_retry_comes_before_the_deadline_and_alone() {
        let mut health = Health::default();
        for _ in 0..9 {
            health.failed(10, 6.0, "it is down".into());
        }
        assert!(!health.may_start(14, 20, 0));
        assert!(health.may_start(15, 20, 0) && !health.may_start(15, 20, 1));
        assert!(!health.may_start(109, 1_000, 0) && health.may_start(110, 1_000, 0));
    }
}
