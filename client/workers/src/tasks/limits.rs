// SPDX-License-Identifier: Apache-2.0

//! Time, money and losses that a worker keeps to.

use super::JobContext;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;
use tos_sdk::error::Result;
use tos_types::{Balance, Tick};
use tos_views::{TaskSummary, TaskView};

/// Seconds in a day.
const DAY: f64 = 86_400.0;
/// Ticks that are measured before the measure counts, and as many as are remembered.
const MEASURED: (Tick, usize) = (8, 64);

/// Bounds of a miner: tasks to leave alone, and when to join no more.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bounds {
    /// Most wei of stake in open tasks.
    pub max_at_stake: Option<Balance>,
    /// Losses in a row after which nothing more is joined.
    pub stop_after_losses: Option<u32>,
    /// Least wei of the reward for each place of a task.
    pub min_reward: Balance,
    /// Highest quality a task may demand.
    pub max_min_quality: Option<u8>,
}

impl Bounds {
    /// `true` if a task pays enough and does not demand too much.
    pub(super) fn allow<A>(&self, task: &TaskSummary<A>) -> bool {
        let places = Balance::from(task.max_participants.max(1));
        let quality = self
            .max_min_quality
            .is_none_or(|most| task.min_quality <= most);
        quality && task.reward / places >= self.min_reward
    }

    /// `true` if `more` may be put at stake when `now` is.
    pub(super) fn allow_stake(&self, now: Balance, more: Balance) -> bool {
        self.max_at_stake
            .is_none_or(|most| now.checked_add(more).is_some_and(|sum| sum <= most))
    }

    /// `true` if so many losses in a row are enough.
    pub(super) fn is_enough(&self, losses: u32) -> bool {
        self.stop_after_losses.is_some_and(|most| losses >= most)
    }
}

/// The length of a tick: from the chain's day at first, later as measured.
#[derive(Default)]
pub(super) struct Pace {
    day: Tick,
    seen: VecDeque<(Tick, Instant)>,
}

impl Pace {
    /// Notes the tick of the best block, and the ticks of a day.
    pub fn saw(&mut self, tick: Tick, day: Tick) {
        self.saw_at(tick, day, Instant::now());
    }

    fn saw_at(&mut self, tick: Tick, day: Tick, now: Instant) {
        self.day = day;
        match self.seen.back() {
            Some((last, _)) if *last == tick => return,
            // A reorganisation.
            Some((last, _)) if *last > tick => self.seen.clear(),
            _ => {}
        }
        self.seen.push_back((tick, now));
        if self.seen.len() > MEASURED.1 {
            self.seen.pop_front();
        }
    }

    /// Seconds of a tick.
    pub fn seconds(&self) -> f64 {
        let nominal = DAY / f64::from(self.day.max(1));
        let (Some(first), Some(last)) = (self.seen.front(), self.seen.back()) else {
            return nominal;
        };
        let ticks = last.0.saturating_sub(first.0);
        if ticks < MEASURED.0 {
            return nominal;
        }
        (last.1 - first.1).as_secs_f64() / f64::from(ticks)
    }

    /// Time until the end of a tick that lies ahead.
    pub fn left(&self, tick: Tick, deadline: Tick) -> Duration {
        let seconds = f64::from(deadline.saturating_sub(tick)) * self.seconds();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// The time that must be left in a task when it is joined: half as much again as the solver has
/// needed at most. As long as that is not known, the time limit, but no more than a quarter of the
/// time that the task is open in all.
pub(super) fn time_to_solve(
    longest: Option<Duration>,
    limit: Duration,
    open: Duration,
) -> Duration {
    match longest {
        Some(longest) => longest.saturating_mul(3) / 2,
        None => limit.min(open / 4),
    }
}

impl JobContext {
    /// Fetches the specification of a task into the store.
    pub(super) async fn fetch_spec(&self, task: &TaskView<AccountId32>) -> Result<()> {
        self.spec(task).await.map(drop)
    }

    /// The same, for a vote that must be committed within `left`: a third of the time goes to
    /// fetching at most (the specification and the answers get a sixth each), half of it to the
    /// judge, and to the judge and the pinned tool together where there is one. The rest is for the
    /// commitment.
    pub(super) fn within(mut self, left: Duration, tool: bool) -> Self {
        let share = left / if tool { 4 } else { 2 };
        self.fetcher = self.fetcher.within(left / 6);
        self.limits.time = self.limits.time.min(share).max(Duration::from_secs(1));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tasks::fake;
    use tos_types::TOS;

    #[test]
    fn the_length_of_a_tick_is_measured_when_the_chain_runs_slower_than_it_says() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        for tick in 0..=20 {
            if tick < 8 {
                assert!((pace.seconds() - 2.0).abs() < 0.01 || tick == 0, "{tick}");
            }
            pace.saw_at(
                tick,
                43_200,
                start + Duration::from_secs(6 * u64::from(tick)),
            );
        }
        assert!((pace.seconds() - 6.0).abs() < 0.01);
        assert_eq!(pace.left(20, 30).as_secs(), 60);
        assert_eq!(pace.left(20, 10), Duration::ZERO);
    }

    #[test]
    fn a_vote_s_work_ends_before_its_window() {
        let (_folder, workshop) = fake::workshop();
        for (left, tool) in [(12, false), (24, true), (100_000, false)] {
            let left = Duration::from_secs(left);
            let bound = workshop.clone().within(left, tool);
            let fetches = bound.fetcher.patience() * 2;
            let runs = bound.limits.time * if tool { 2 } else { 1 };
            assert!(fetches <= left / 3 && fetches + runs < left, "{left:?}");
            assert!(bound.limits.time <= workshop.limits.time);
        }
    }

    #[test]
    fn tasks_that_pay_too_little_or_demand_too_much_are_left_alone() {
        let task = fake::task_view(1).summary;
        // 10 TOS for 4 places, from quality 50.
        let bounds = |min_reward, max_min_quality| Bounds {
            min_reward,
            max_min_quality,
            ..Bounds::default()
        };
        assert!(bounds(0, None).allow(&task));
        assert!(bounds(10 * TOS / 4, Some(50)).allow(&task));
        assert!(!bounds(10 * TOS / 4 + 1, None).allow(&task));
        assert!(!bounds(0, Some(49)).allow(&task));
    }

    #[test]
    fn a_solver_s_time_is_what_it_was_seen_to_need_once_that_is_known() {
        let seconds = Duration::from_secs;
        let time = |longest: Option<u64>, limit, open| {
            time_to_solve(longest.map(seconds), seconds(limit), seconds(open)).as_secs()
        };
        assert_eq!(time(None, 600, 100_000), 600);
        assert_eq!(time(None, 600, 120), 30);
        assert_eq!(time(Some(40), 600, 120), 60);
    }
}
