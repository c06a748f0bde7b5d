// SPDX-License-Identifier: Apache-2.0

//! Protocol constants that more than one pallet, or a client, needs.
//!
//! Those that are fields of [`crate::rules`] are only what a network is born with: governance can
//! change them. The others shape what is stored or how much work a block may hold, and change with
//! the code alone.

use crate::{Balance, Bp, Tick, TOS};

/// Publisher's stake as a share of the reward, released when the task closes.
pub const PUBLISHER_STAKE_BP: Bp = 1_000;
/// Fee for cancelling, as a share of the reward, to the treasury.
pub const CANCEL_FEE_BP: Bp = 10;
/// Share of its stake a miner loses for joining and not committing ("late", 5–15 %).
pub const NO_SHOW_SLASH_BP: Bp = 1_000;
/// Share of its stake a miner loses for committing and not revealing.
pub const NON_REVEAL_SLASH_BP: Bp = 2_000;
/// Share of its stake a miner loses for an answer below [`MIN_PARTICIPATION_QUALITY`] ("wrong", 10–30 %).
pub const LOW_QUALITY_SLASH_BP: Bp = 2_000;
/// Share of its stake a miner loses for content that is malformed or cannot be fetched ("malicious", 50–100 %).
pub const MALFORMED_SLASH_BP: Bp = 5_000;
/// Share of its stake a miner loses for plagiarism found by the panel.
pub const PLAGIARISM_SLASH_BP: Bp = 8_000;
/// Share of its stake a judge loses for not committing a vote.
pub const NO_VOTE_SLASH_BP: Bp = 500;
/// Share of its stake a judge loses for committing a vote and not revealing it.
pub const NO_VOTE_REVEAL_SLASH_BP: Bp = 1_000;
/// Bond of a challenge as a share of the reward.
pub const CHALLENGE_BOND_BP: Bp = 500;

/// A challenge is upheld when its round moves a median quality by more than this many points.
pub const CHALLENGE_POINTS: u8 = 15;

/// Answers below this median quality get no participation reward.
pub const MIN_PARTICIPATION_QUALITY: u8 = 20;
/// A vote agrees with the median when it lies within this many points.
pub const AGREEMENT_POINTS: u8 = 15;
/// Members of a panel, the first in the order of drawing, who run the pinned tool.
pub const AUTOMATIC_SEATS: u32 = 3;
/// Automatic members whose reports must be the same.
pub const AGREEING_REPORTS: u32 = 2;
/// Accounts that governance may approve for writing control answers.
pub const MAX_CONTROL_AUTHORS: u32 = 256;
/// Share of a judge's reward points that control answers decide, once it has met one.
pub const KNOWN_SHARE_BP: Bp = 3_000;
/// Share of the revealed weight that must agree.
pub const AGREEMENT_BP: Bp = 7_500;
/// Escalations after the first round.
pub const MAX_ESCALATIONS: u32 = 2;
/// Further members per escalated round.
pub const ESCALATION_STEP: u32 = 2;
/// The fewest members a panel may have when judges are scarce.
pub const MIN_PANEL: u32 = 3;
/// Candidates looked at in one draw; bounds its weight.
pub const MAX_CANDIDATES: u32 = 64;
/// Reward above which the first panel is already an expert panel.
pub const EXPERT_PANEL_REWARD: Balance = 200 * TOS;
/// Accuracy that a judge starts with.
pub const START_ACCURACY: Bp = 7_000;
/// Accuracy below which a judge earns nothing for a task.
pub const MIN_REWARDED_ACCURACY: Bp = 5_000;
/// Accuracy an expert judge must have.
pub const EXPERT_ACCURACY: Bp = 8_500;
/// Settled tasks or votes after which an uncertified account has a vote weight.
pub const MIN_SETTLED_TO_VOTE: u32 = 3;
/// Answers whose SimHashes differ in at most this many bits are near-duplicates.
pub const DUPLICATE_DISTANCE: u32 = 3;
/// Share of the open window within which an answer counts as fully timely.
pub const TIMELY_BP: Bp = 2_000;

/// Tasks a miner may be in at once.
pub const MAX_CONCURRENT_TASKS: u32 = 3;
/// Panels a judge may sit on at once.
pub const MAX_CONCURRENT_PANELS: u32 = 16;

/// `share` of `amount`, rounded down.
pub fn share_of(amount: Balance, share: Bp) -> Balance {
    // Split so that the product cannot overflow for any u128.
    let (whole, rest) = (amount / 10_000, amount % 10_000);
    whole
        .saturating_mul(u128::from(share))
        .saturating_add(rest.saturating_mul(u128::from(share)) / 10_000)
}

/// The timeliness of an answer committed at `committed`, in basis points: full within the first
/// `timely` basis points of the window `[opened, deadline]`, then falling linearly to nothing at
/// the end.
pub fn timeliness(opened: Tick, committed: Tick, deadline: Tick, timely: Bp) -> Bp {
    let window = u64::from(deadline.saturating_sub(opened));
    let used = u64::from(committed.saturating_sub(opened)).min(window);
    let free = window.saturating_mul(u64::from(timely)) / 10_000;
    let slope = window.saturating_sub(free);
    if used <= free || slope == 0 {
        return 10_000;
    }
    let left = window.saturating_sub(used).saturating_mul(10_000);
    u16::try_from(left.checked_div(slope).unwrap_or(0)).unwrap_or(10_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_exact_and_never_overflow() {
        assert_eq!(share_of(10_000, 1), 1);
        assert_eq!(share_of(9_999, 1), 0);
        assert_eq!(share_of(u128::MAX, 10_000), u128::MAX);
        assert_eq!(share_of(12_345, 2_500), 3_086);
    }

    #[test]
    fn timeliness_is_full_early_and_nothing_at_the_deadline() {
        assert_eq!(timeliness(100, 100, 200, TIMELY_BP), 10_000);
        assert_eq!(timeliness(100, 120, 200, TIMELY_BP), 10_000);
        assert_eq!(timeliness(100, 160, 200, TIMELY_BP), 5_000);
        assert_eq!(timeliness(100, 200, 200, TIMELY_BP), 0);
        assert_eq!(timeliness(100, 100, 100, TIMELY_BP), 10_000);
    }
}
