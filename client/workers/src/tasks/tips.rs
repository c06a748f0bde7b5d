// SPDX-License-Identifier: Apache-2.0

//! Tips of calls that must be in a block before their deadline: they grow with time as long as they are
//! not, and no answer of a node renews what may be signed away for one call.

use super::key;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use tokio::time::Instant;
use tos_sdk::{
    amount::format,
    chain::{Call, Included},
    error::{Error, Result},
};
use tos_types::{Balance, TOS};

/// Least tip, in wei, of a call that did not get into a block before.
const FIRST: Balance = TOS / 100;
/// Times the highest tip that all raised tips of one call may come to.
const BUDGET: Balance = 2;
/// Time after which a call that is not sent any more, and for which no more than usual was offered, is
/// forgotten.
const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// Attempts of one call.
struct Attempts {
    /// Time of the last one.
    seen: Instant,
    /// Time of the first one or of the last raise; `None` once a node said what became of the call.
    since: Option<Instant>,
    raises: u32,
    /// Raised tips that were signed, in wei: the highest at each nonce, since no two transactions with
    /// one nonce get in.
    signed: BTreeMap<u64, Balance>,
}

/// Attempts of an account's calls that have a deadline. A node can say that the pool is full, that
/// blocks went by, that the nonce is another one or that a call is in a block, and can end the connection:
/// only this program's clock raises a tip, and what was signed stays counted as long as it runs.
pub(super) struct Tips {
    /// The highest tip, in wei.
    most: Balance,
    /// Least time between two raises of a call's tip.
    every: Duration,
    calls: HashMap<[u8; 32], Attempts>,
}

impl Tips {
    /// Tips that grow up to `most`, in wei, and no more often than `every` such time.
    pub fn up_to(most: Balance, every: Duration) -> Self {
        Self {
            most,
            every,
            calls: HashMap::new(),
        }
    }

    /// Tips, in wei, to offer for calls that are sent `now`, where `base` is that of a first attempt: twice
    /// as much with each attempt that comes long enough after the last raise.
    pub fn wanted(&mut self, calls: &[Call], base: Balance, now: Instant) -> Vec<Balance> {
        self.calls.retain(|_, one| {
            !one.signed.is_empty() || now.saturating_duration_since(one.seen) < KEPT
        });
        calls
            .iter()
            .map(|call| self.wanted_for(call, base, now))
            .collect()
    }

    fn wanted_for(&mut self, call: &Call, base: Balance, now: Instant) -> Balance {
        let (most, every) = (self.most, self.every);
        if !has_deadline(call) || most <= base {
            return base;
        }
        let one = self.calls.entry(name(call)).or_insert_with(|| Attempts {
            seen: now,
            since: None,
            raises: 0,
            signed: BTreeMap::new(),
        });
        one.seen = now;
        match one.since {
            None => one.since = Some(now),
            Some(since) if now.saturating_duration_since(since) >= every => {
                one.since = Some(now);
                one.raises = one.raises.saturating_add(1);
            }
            Some(_) => {}
        }
        raised(base, one.raises, most)
    }

    /// Tip, in wei, with which a call is signed at this nonce, where `wanted` is what [`Self::wanted`] gave:
    /// no more than the call's budget leaves, and `base` if that is less.
    pub fn at_nonce(&mut self, call: &Call, nonce: u64, wanted: Balance, base: Balance) -> Balance {
        if wanted <= base {
            return base;
        }
        let Some(one) = self.calls.get_mut(&name(call)) else {
            return base;
        };
        let others = one.signed.iter().filter(|(at, _)| **at != nonce);
        let others = others.fold(0, |sum: Balance, (_, tip)| sum.saturating_add(*tip));
        let left = self.most.saturating_mul(BUDGET).saturating_sub(others);
        let tip = wanted.min(left);
        let (pallet, variant) = call.name();
        let call = format!("{pallet}.{variant}");
        if tip <= base {
            tracing::warn!(call, "offered at too many nonces: its tip is not raised");
            return base;
        }
        let here = one.signed.entry(nonce).or_default();
        *here = tip.max(*here);
        let offered = format(tip);
        tracing::info!(call, tip = offered, "not in a block yet: offering more");
        tip
    }

    /// Remembers which calls are decided after an attempt, as far as the node says so.
    pub fn learn(&mut self, calls: &[Call], results: &[Result<Included>]) {
        for (call, result) in calls.iter().zip(results) {
            if !matches!(result, Ok(_) | Err(Error::Refused { .. })) {
                continue;
            }
            if let Some(one) = self.calls.get_mut(&name(call)) {
                (one.since, one.raises) = (None, 0);
            }
        }
    }
}

/// The calls with their places and tips in the order to send them in: the highest tip first, and what has
/// a deadline before what has none, since a transaction waits for all that have a lower nonce.
pub(super) fn in_order<'a>(calls: &'a [Call], tips: &[Balance]) -> Vec<(usize, &'a Call, Balance)> {
    let mut all: Vec<_> = calls
        .iter()
        .zip(tips)
        .enumerate()
        .map(|(place, (call, tip))| (place, call, *tip))
        .collect();
    all.sort_by_key(|(_, call, tip)| (Reverse(*tip), !has_deadline(call)));
    all
}

/// Tip after so many raises, no more than `most` unless `base` is.
fn raised(base: Balance, raises: u32, most: Balance) -> Balance {
    let Some(doublings) = raises.checked_sub(1) else {
        return base;
    };
    let factor = Balance::checked_pow(2, doublings).unwrap_or(Balance::MAX);
    let first = base.saturating_mul(2).max(FIRST);
    first.saturating_mul(factor).min(most).max(base)
}

/// A short name of a call with its arguments.
fn name(call: &Call) -> [u8; 32] {
    *blake3::hash(&key(call)).as_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::TaskId;

    const CENT: Balance = TOS / 100;
    const MINUTE: Duration = Duration::from_secs(60);

    fn commit(task: u8) -> Call {
        Call::Commit {
            task: TaskId([task; 16]),
            commitment: [task; 32],
        }
    }

    /// Tip of an attempt at this time and nonce, without a tip for the first one.
    fn attempt(tips: &mut Tips, call: &Call, nonce: u64, now: Instant) -> Balance {
        let wanted = tips.wanted(std::slice::from_ref(call), 0, now);
        tips.at_nonce(call, nonce, wanted[0], 0)
    }

    fn included() -> Included {
        Included {
            block: [1; 32],
            transaction: [2; 32],
            finalised: false,
            task: None,
            deal: None,
        }
    }

    #[test]
    fn a_tip_doubles_with_each_raise_and_stops_at_the_most() {
        let tips = |base, most| [0, 1, 2, 3, 200].map(|raises| raised(base, raises, most));
        let most = TOS / 10;
        assert_eq!(tips(0, most), [0, FIRST, 2 * FIRST, 4 * FIRST, most]);
        assert_eq!(tips(TOS / 40, most), [TOS / 40, TOS / 20, most, most, most]);
        // Nothing grows without a most, nor where the tip is higher anyway.
        assert_eq!(tips(0, 0), [0; 5]);
        assert_eq!(tips(TOS, most), [TOS; 5]);
    }

    #[test]
    fn a_full_pool_raises_no_tip_before_the_time_is_over_however_often_it_says_so() {
        let begin = Instant::now();
        let mut tips = Tips::up_to(10 * CENT, MINUTE);
        let call = commit(1);
        let mut offered = Vec::new();
        for second in 0..150 {
            let now = begin + Duration::from_secs(second);
            offered.push(attempt(&mut tips, &call, 0, now));
            tips.learn(
                std::slice::from_ref(&call),
                &[Err(Error::Busy("full".into()))],
            );
        }
        assert_eq!(offered[..60], [0; 60]);
        assert_eq!(offered[60..120], [CENT; 60]);
        assert_eq!(offered[120..], [2 * CENT; 30]);
        // A long pause is one attempt, not many.
        let late = begin + 100 * MINUTE;
        assert_eq!(attempt(&mut tips, &call, 0, late), 4 * CENT);
    }

    #[test]
    fn what_is_signed_at_other_nonces_counts_together_whatever_the_node_says() {
        let begin = Instant::now();
        let mut tips = Tips::up_to(10 * CENT, MINUTE);
        let call = commit(1);
        let mut total = 0;
        for minute in 0..100_u32 {
            let now = begin + minute * MINUTE;
            total += attempt(&mut tips, &call, u64::from(minute), now);
            // Now and then it is said to be in a block, or to be refused.
            let result = match minute % 7 {
                5 => Ok(included()),
                6 => Err(Error::Refused {
                    name: "Tasks::NotOpen".into(),
                    docs: None,
                    fee: None,
                }),
                _ => Err(Error::Busy("full".into())),
            };
            tips.learn(std::slice::from_ref(&call), &[result]);
        }
        assert_eq!(total, 20 * CENT);
        // Not at the expense of other calls.
        let other = commit(2);
        let late = begin + 200 * MINUTE;
        assert_eq!(attempt(&mut tips, &other, 200, late), 0);
        assert_eq!(attempt(&mut tips, &other, 200, late + MINUTE), CENT);
    }

    #[test]
    fn replacements_at_one_nonce_count_once() {
        let begin = Instant::now();
        let mut tips = Tips::up_to(10 * CENT, MINUTE);
        let call = commit(1);
        for minute in 0..100_u32 {
            let tip = attempt(&mut tips, &call, 7, begin + minute * MINUTE);
            assert!(minute < 5 || tip == 10 * CENT, "{minute}: {tip}");
        }
        // The other half is left for another nonce.
        let late = begin + 100 * MINUTE;
        assert_eq!(attempt(&mut tips, &call, 8, late), 10 * CENT);
        assert_eq!(attempt(&mut tips, &call, 9, late + MINUTE), 0);
    }
}
