// SPDX-License-Identifier: Apache-2.0

//! Tips of calls that must be in a block before their deadline: they grow as long as they are not.

use super::key;
use std::collections::HashMap;
use tos_sdk::{
    amount::format,
    chain::{Call, Included},
    error::{Error, Result},
};
use tos_types::{Balance, TOS};

/// Least tip, in wei, of a call that did not get into a block before.
const FIRST: Balance = TOS / 100;

/// Attempts of an account's calls that did not get into a block.
pub(super) struct Tips {
    /// The highest tip, in wei.
    most: Balance,
    waited: HashMap<Vec<u8>, u32>,
}

impl Tips {
    /// Tips that grow up to `most`, in wei.
    pub fn up_to(most: Balance) -> Self {
        Self {
            most,
            waited: HashMap::new(),
        }
    }

    /// The tips of calls, where `base` is that of a first attempt, in wei: twice as much with each
    /// attempt.
    pub fn of(&self, calls: &[Call], base: Balance) -> Vec<Balance> {
        let tip = |call: &Call| {
            let times = self.waited.get(&key(call)).copied();
            let tip = raised(base, times.unwrap_or_default(), self.most);
            if tip > base {
                let (pallet, name) = call.name();
                let (call, tip) = (format!("{pallet}.{name}"), format(tip));
                tracing::info!(call, tip, "not in a block yet: offering more");
            }
            tip
        };
        calls.iter().map(tip).collect()
    }

    /// Remembers which calls are not in a block after an attempt.
    pub fn learn(&mut self, calls: &[Call], results: &[Result<Included>]) {
        let before = std::mem::take(&mut self.waited);
        for (call, result) in calls.iter().zip(results) {
            if has_deadline(call) && result.as_ref().is_err_and(waits) {
                let key = key(call);
                let times = before.get(&key).copied().unwrap_or_default();
                self.waited.insert(key, times.saturating_add(1));
            }
        }
    }
}

/// Tip after so many attempts, no more than `most` unless `base` is.
fn raised(base: Balance, times: u32, most: Balance) -> Balance {
    let Some(doublings) = times.checked_sub(1) else {
        return base;
    };
    let factor = Balance::checked_pow(2, doublings).unwrap_or(Balance::MAX);
    let first = base.saturating_mul(2).max(FIRST);
    first.saturating_mul(factor).min(most).max(base)
}

/// `true` for a call that costs its account stake or pay if it comes too late.
fn has_deadline(call: &Call) -> bool {
    matches!(
        call,
        Call::Commit { .. }
            | Call::Reveal { .. }
            | Call::CommitVote { .. }
            | Call::RevealVote { .. }
            | Call::RevealControl { .. }
    )
}

/// `true` if a call may still get into a block, or another attempt of it may.
fn waits(error: &Error) -> bool {
    matches!(
        error,
        Error::Pending(_) | Error::Busy(_) | Error::TimedOut(_) | Error::Unsettled { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tip_doubles_with_each_attempt_and_stops_at_the_most() {
        let tips = |base, most| [0, 1, 2, 3, 200].map(|times| raised(base, times, most));
        let most = TOS / 10;
        assert_eq!(tips(0, most), [0, FIRST, 2 * FIRST, 4 * FIRST, most]);
        assert_eq!(tips(TOS / 40, most), [TOS / 40, TOS / 20, most, most, most]);
        // Nothing grows without a most, nor where the tip is higher anyway.
        assert_eq!(tips(0, 0), [0; 5]);
        assert_eq!(tips(TOS, most), [TOS; 5]);
    }
}
