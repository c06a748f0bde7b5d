// SPDX-License-Identifier: Apache-2.0

//! Lengths of time in words.

use std::time::Duration;

/// A length of time, rounded up, in the largest unit that leaves a number of two or three digits.
pub fn words(time: Duration) -> String {
    let seconds = u64::try_from(time.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX);
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds.div_ceil(60)),
        7_200..172_800 => format!("{} h", seconds.div_ceil(3_600)),
        _ => format!("{} days", seconds.div_ceil(86_400)),
    }
}

/// Time that so many ticks of `milliseconds` take when no block is missed, as [`words`] has it.
pub fn ticks(count: u64, milliseconds: u64) -> String {
    words(Duration::from_millis(count.saturating_mul(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_in_the_unit_that_fits() {
        let text = |seconds| words(Duration::from_secs(seconds));
        assert_eq!(words(Duration::from_millis(1)), "1 s");
        assert_eq!(text(119), "119 s");
        assert_eq!(text(121), "3 min");
        assert_eq!(text(7_201), "3 h");
        assert_eq!(text(172_800), "2 days");
        assert_eq!(ticks(90, 2_000), "3 min");
        assert_eq!(ticks(u64::MAX, 2), words(Duration::from_millis(u64::MAX)));
    }
}
