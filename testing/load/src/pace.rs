// SPDX-License-Identifier: Apache-2.0

//! Pace at which transactions are offered.

use std::time::Duration;

/// Way in which a run offers its transactions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// So many a second, whatever the node does.
    Rate(f64),
    /// As many as keep this number outside blocks.
    Fill(usize),
    /// All at once.
    AtOnce,
}

/// The most transactions a second that can be asked for.
pub const MAX_RATE: f64 = 100_000.0;

impl Pace {
    /// The number of transactions to offer now, when `offered` were offered since the beginning,
    /// which was `elapsed` ago, and `outside` of them are not in blocks.
    pub fn due(self, elapsed: Duration, offered: usize, outside: usize) -> usize {
        match self {
            Self::Rate(rate) => {
                // Bounded by MAX_RATE and by the length of a run, so it fits.
                let planned = (elapsed.as_secs_f64() * rate) as usize;
                planned.saturating_sub(offered)
            }
            Self::Fill(level) => level.saturating_sub(outside),
            Self::AtOnce => usize::MAX,
        }
    }
}

/// Reads `--rate`: a number, or `max`.
pub fn parse_rate(text: &str) -> Result<Option<f64>, String> {
    if text == "max" {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 && rate <= MAX_RATE => Ok(Some(rate)),
        _ => Err(format!("a number above 0 and up to {MAX_RATE}, or 'max'")),
    }
}

/// Time to wait before a transaction is offered again, after so many refusals.
pub fn back_off(refusals: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const LAST: Duration = Duration::from_secs(4);
    FIRST
        .saturating_mul(1 << refusals.saturating_sub(1).min(5))
        .min(LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_loop_keeps_its_rate_and_makes_up_for_a_late_tick() {
        let pace = Pace::Rate(500.0);
        assert_eq!(pace.due(Duration::ZERO, 0, 0), 0);
        assert_eq!(pace.due(Duration::from_millis(10), 0, 0), 5);
        assert_eq!(pace.due(Duration::from_millis(20), 5, 5), 5);
        assert_eq!(pace.due(Duration::from_millis(100), 10, 10), 40);
        // It never takes back what it offered.
        assert_eq!(pace.due(Duration::from_millis(1), 100, 100), 0);
    }

    #[test]
    fn a_closed_loop_offers_what_blocks_took() {
        assert_eq!(Pace::Fill(100).due(Duration::ZERO, 0, 0), 100);
        assert_eq!(Pace::Fill(100).due(Duration::ZERO, 5_000, 70), 30);
        assert_eq!(Pace::Fill(100).due(Duration::ZERO, 5_000, 130), 0);
    }

    #[test]
    fn rates_are_bounded() {
        assert_eq!(parse_rate("max"), Ok(None));
        assert_eq!(parse_rate("12.5"), Ok(Some(12.5)));
        for bad in ["0", "-1", "nan", "inf", "1e9", "fast", ""] {
            assert!(parse_rate(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn back_off_grows_and_ends() {
        assert_eq!(back_off(1), Duration::from_millis(250));
        assert_eq!(back_off(2), Duration::from_millis(500));
        assert_eq!(back_off(100), Duration::from_secs(4));
    }
}
