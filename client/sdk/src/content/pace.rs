// SPDX-License-Identifier: Apache-2.0

//! Least pace of a server. A deadline for everything would have to allow for the longest content
//! at the slowest line; a limit on silence alone lets a server hold a transfer for days with a
//! byte now and then. So what a server sends buys it time, and silence uses time up. The same holds
//! the other way round for those who read from a server here.

use crate::error::{Error, Result};
use std::{future::Future, time::Duration};
use tokio::time::{timeout, Instant};

/// Pace that a server must keep up with. A transfer of N bytes waits `silence` + N / `rate` for it
/// at most, and never longer than `silence` at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest wait for anything: the head of an answer, or more of it.
    pub silence: Duration,
    /// Bytes a second on the whole, at least one.
    pub rate: u64,
}

impl Default for Pace {
    /// 30 seconds, and 128 KiB (a megabit) a second.
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            rate: 128 * 1024,
        }
    }
}

impl Pace {
    /// The time that so many bytes may take.
    pub fn time(&self, bytes: u64) -> Duration {
        Duration::from_micros(bytes.saturating_mul(1_000_000) / self.rate.max(1))
    }
}

/// The time that a server has left. Only waiting for the server uses it up.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pace: Pace,
    left: Duration,
}

impl Clock {
    /// A clock at the beginning of a transfer.
    pub fn start(pace: Pace) -> Self {
        let left = pace.silence;
        Self { pace, left }
    }

    /// Waits for the server; `doing` is for the error.
    ///
    /// # Errors
    /// [`Error::TimedOut`] when its time is used up.
    pub async fn wait<T>(&mut self, doing: &str, what: impl Future<Output = T>) -> Result<T> {
        let from = Instant::now();
        let done = timeout(self.left, what).await;
        self.spent(from.elapsed());
        done.map_err(|_| {
            let (silence, rate) = (self.pace.silence, self.pace.rate);
            Error::TimedOut(format!(
                "{doing}: the server is silent for {silence:?}, or slower than {rate} bytes a second"
            ))
        })
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.left
    }

    /// So long the server was waited for.
    pub(super) fn spent(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// The server has sent so many bytes.
    pub fn received(&mut self, bytes: u64) {
        let left = self.left.saturating_add(self.pace.time(bytes));
        self.left = left.min(self.pace.silence);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        silence: Duration::from_secs(30),
        rate: 1_000,
    };

    /// Lets a server send `bytes` every `pause`. How long it may, and how much comes.
    fn send(bytes: u64, pause: Duration, total: u64) -> (Duration, u64) {
        let (mut clock, mut took, mut sent) = (Clock::start(PACE), Duration::ZERO, 0);
        while sent < total {
            if pause > clock.left {
                return (took + clock.left, sent);
            }
            clock.spent(pause);
            clock.received(bytes);
            (took, sent) = (took + pause, sent + bytes);
        }
        (took, sent)
    }

    #[test]
    fn a_byte_now_and_then_holds_nothing() {
        let (took, sent) = send(1, Duration::from_secs(29), 1 << 30);
        assert_eq!((took, sent), (Duration::from_millis(30_001), 1));
    }

    #[test]
    fn what_came_fast_buys_no_long_silence() {
        let mut clock = Clock::start(PACE);
        clock.received(1 << 40);
        assert_eq!(clock.left, PACE.silence);
    }

    #[test]
    fn a_server_at_the_least_rate_is_heard_to_the_end_and_one_below_is_not() {
        let pause = Duration::from_secs(10);
        let whole = send(10_000, pause, 1_000_000);
        assert_eq!(whole, (Duration::from_secs(1_000), 1_000_000));
        // Nine tenths of it: every ten seconds use up one too many.
        let (took, sent) = send(9_000, pause, 1_000_000);
        assert_eq!((took, sent), (Duration::from_secs(219), 189_000));
    }

    #[tokio::test]
    async fn only_waiting_uses_up_time_and_used_up_it_is_over() {
        let mut clock = Clock::start(Pace {
            silence: Duration::from_millis(50),
            rate: 1_000,
        });
        assert_eq!(clock.wait("fetching", async { 7 }).await.unwrap(), 7);
        let silent = clock.wait("fetching", std::future::pending::<()>()).await;
        assert!(matches!(silent, Err(Error::TimedOut(_))));
        assert_eq!(clock.left, Duration::ZERO);
        clock.received(10);
        assert_eq!(clock.left, Duration::from_millis(10));
    }
}
