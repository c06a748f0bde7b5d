// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Limit of the messages that this node hears from each peer: a token bucket.

use std::time::Instant;

/// Messages that a peer may send at once: all that it knows beyond our head, and some questions.
const BURST: f64 = 128.0;
/// Messages that a peer may send per second, in the long run. The fastest configuration has 20
/// slots.
const PER_SECOND: f64 = 24.0;

/// Token bucket of one peer.
#[derive(Debug)]
pub struct TokenBucket {
    tokens: f64,
    refilled: Instant,
}

impl TokenBucket {
    /// A full one.
    pub fn new(now: Instant) -> Self {
        Self {
            tokens: BURST,
            refilled: now,
        }
    }

    /// Pays for what costs as much as `messages` messages, or says that the peer has sent too much.
    pub fn take(&mut self, messages: u32, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + passed * PER_SECOND).min(BURST);
        self.refilled = now;
        let cost = f64::from(messages);
        if self.tokens < cost {
            return false;
        }
        self.tokens -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_flood_is_cut_off_at_the_burst() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(now);
        let heard = (0..10_000).filter(|_| bucket.take(1, now)).count();
        assert_eq!(heard, 128);
    }

    #[test]
    fn silence_earns_it_back_up_to_the_burst() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(start);
        while bucket.take(1, start) {}
        let later = start + Duration::from_millis(500);
        assert_eq!((0..100).filter(|_| bucket.take(1, later)).count(), 12);
        let much_later = start + Duration::from_secs(3_600);
        assert_eq!(
            (0..1_000).filter(|_| bucket.take(1, much_later)).count(),
            128
        );
    }

    #[test]
    fn a_question_costs_what_its_answer_does() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new(now);
        assert_eq!((0..100).filter(|_| bucket.take(8, now)).count(), 16);
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing() {
        let now = Instant::now() + Duration::from_secs(10);
        let mut bucket = TokenBucket::new(now);
        while bucket.take(1, now) {}
        assert!(!bucket.take(1, now - Duration::from_secs(5)));
    }
}
