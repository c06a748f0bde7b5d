// SPDX-License-Identifier: Apache-2.0

//! The reputation formula.

use crate::{fraction::fraction, split::largest_remainder};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{Balance, Bp, TOS};

/// A score around its neutral point: −10,000 (worst) to 10,000 (best).
pub type SignedBp = i16;

/// The performance of one account in one settlement. Values outside −10,000 to 10,000 count as the
/// nearer end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Performance {
    /// The delivery of the work. Weight 40 %.
    pub completion: SignedBp,
    /// The quality of the work. Weight 30 %.
    pub quality: SignedBp,
    /// The closeness of the account's votes to the result. Weight 15 %.
    pub accuracy: SignedBp,
    /// The opinion of its peers. Weight 10 %.
    pub peer: SignedBp,
    /// The novelty of the work. Weight 5 %; a positive value also multiplies by up to 1.05.
    pub innovation: SignedBp,
}

/// The reputation every account starts with.
pub const START: Bp = 1_000;
/// The largest change of one settlement, either way.
pub const MAX_CHANGE: i16 = 100;
/// The most reputation an account can have.
pub const MAX: Bp = tos_types::BP;
/// Idle days that cost nothing.
pub const FREE_IDLE_DAYS: u32 = 7;

/// The change of a reputation by one settlement:
/// `(Σ weightᵢ · scoreᵢ) × innovation multiplier × decay factor × 100`, exact, rounded once, half
/// away from zero, and clamped to [`MAX_CHANGE`].
///
/// The multiplier is `1 + 0.05 · max(0, innovation)`; the decay factor is `1 − 0.1 · reputation` for
/// gains, so that the last steps to the top are the hardest, and 1 for losses.
pub fn change(reputation: Bp, performance: &Performance) -> i16 {
    let weighted = [
        (40i128, performance.completion),
        (30, performance.quality),
        (15, performance.accuracy),
        (10, performance.peer),
        (5, performance.innovation),
    ]
    .into_iter()
    .fold(0i128, |sum, (weight, score)| {
        sum.saturating_add(weight.saturating_mul(i128::from(clamp_score(score))))
    });
    let innovation = i128::from(clamp_score(performance.innovation).max(0));
    let lost = if weighted > 0 {
        i128::from(reputation.min(MAX))
    } else {
        0
    };
    // The sum is in millionths, the multiplier in 200,000ths and the factor in 100,000ths; one point
    // is a hundredth of the sum's range. At most 10^6 · 2.1·10^5 · 10^5: far below the limit.
    let product = weighted
        .saturating_mul(200_000i128.saturating_add(innovation))
        .saturating_mul(100_000i128.saturating_sub(lost));
    const POINT: i128 = 1_000_000 * 200_000 * 100_000 / 100;
    let magnitude = product.abs().saturating_add(POINT / 2) / POINT;
    let limit = i128::from(MAX_CHANGE);
    let rounded = magnitude.min(limit).saturating_mul(product.signum());
    i16::try_from(rounded).unwrap_or(MAX_CHANGE)
}

/// The reputation after a change, kept within 0 and [`MAX`].
pub fn apply(reputation: Bp, change: i16) -> Bp {
    reputation.min(MAX).saturating_add_signed(change).min(MAX)
}

/// The changes of one settlement, with the gains cut to what it may give: together at most `per_tos` points for each
/// TOS of the network's share `paid` (in wei), in proportion and by largest remainder. Losses stay.
///
/// So reputation costs money that does not come back, however many tasks and accounts one party has.
pub fn capped(changes: &[i16], paid: Balance, per_tos: u32) -> Vec<i16> {
    let gains: Vec<u128> = changes
        .iter()
        .map(|change| u128::from(change.max(&0).unsigned_abs()))
        .collect();
    let sum = gains
        .iter()
        .fold(0u128, |sum, gain| sum.saturating_add(*gain));
    let most = fraction(paid, per_tos.into(), TOS);
    if sum <= most {
        return changes.to_vec();
    }
    largest_remainder(most, &gains)
        .into_iter()
        .zip(changes)
        .map(|(gain, change)| match i16::try_from(gain) {
            Ok(gain) if *change > 0 => gain,
            _ => *change,
        })
        .collect()
}

/// The rest of `score` after so many idle days: nothing lost for [`FREE_IDLE_DAYS`], then 1 % a
/// day, rounded down each day, but never less than half (rounded up).
pub fn idle_decay(score: Bp, idle_days: u32) -> Bp {
    let least = u32::from(score).div_ceil(2);
    let mut left = u32::from(score);
    // 69 days at 1 % halve any score, so the loop ends there at the latest.
    for _ in 0..idle_days.saturating_sub(FREE_IDLE_DAYS) {
        left = (left.saturating_mul(99) / 100).max(least);
        if left == least {
            break;
        }
    }
    Bp::try_from(left).unwrap_or(score)
}

/// A score of 0 to 100 around its neutral point 50: `(score − 50) / 50`.
pub fn signed(score: u8) -> SignedBp {
    i16::from(score.min(100))
        .saturating_sub(50)
        .saturating_mul(200)
}

fn clamp_score(score: SignedBp) -> SignedBp {
    score.clamp(-10_000, 10_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tos_types::{offence::Severity, Difficulty};

    fn performance(scores: [i16; 5]) -> Performance {
        let [completion, quality, accuracy, peer, innovation] = scores;
        Performance {
            completion,
            quality,
            accuracy,
            peer,
            innovation,
        }
    }

    const ONE: i16 = 10_000;

    #[test]
    fn the_published_cases_give_what_the_signed_formula_says() {
        // 0.95 × 0.99 = 94.05
        assert_eq!(change(1_000, &performance([ONE, ONE, ONE, ONE, 0])), 94);
        // 1 × 1.05 × 0.99 = 103.95
        assert_eq!(change(1_000, &performance([ONE; 5])), 100);
        // 0.95 × 0.9 = 85.5, away from zero
        assert_eq!(change(10_000, &performance([ONE, ONE, ONE, ONE, 0])), 86);
        // 0.745 × 1.015 × 0.95 = 71.836…
        assert_eq!(
            change(5_000, &performance([8_000, 7_500, 9_000, 5_000, 3_000])),
            72
        );
        assert_eq!(change(1_000, &performance([0; 5])), 0);
    }

    #[test]
    fn halves_are_rounded_away_from_zero() {
        // 0.05 × 0.1 = half a point.
        assert_eq!(change(0, &performance([0, 0, 0, 0, -1_000])), -1);
        assert_eq!(change(0, &performance([0, 0, 0, 500, 0])), 1);
        assert_eq!(change(0, &performance([0, 0, 0, -500, 0])), -1);
        assert_eq!(change(0, &performance([0, 0, 0, 499, 0])), 0);
        assert_eq!(change(0, &performance([0, 0, 0, -499, 0])), 0);
    }

    #[test]
    fn bad_work_lowers_and_the_fall_is_not_softened_by_reputation() {
        let worst = performance([-ONE; 5]);
        assert_eq!(change(0, &worst), -100);
        assert_eq!(change(10_000, &worst), -100);
        let bad = performance([-ONE, -ONE, 0, 0, 0]);
        assert_eq!(change(10_000, &bad), -70);
        assert_eq!(change(10_000, &performance([ONE, ONE, 0, 0, 0])), 63);
    }

    #[test]
    fn neither_one_loss_nor_idleness_locks_a_newcomer_out() {
        let gate = Difficulty::Beginner.reputation_gate();
        assert!(apply(START, -MAX_CHANGE) >= gate);
        assert!(idle_decay(START, u32::MAX) >= gate);
    }

    #[test]
    fn perfect_work_reaches_the_top_and_stays_there() {
        let best = performance([ONE; 5]);
        let mut reputation = START;
        let mut steps = 0;
        while reputation < MAX {
            reputation = apply(reputation, change(reputation, &best));
            steps += 1;
        }
        assert!((90..=100).contains(&steps), "{steps}");
        assert_eq!(apply(reputation, change(reputation, &best)), MAX);
    }

    #[test]
    fn reputation_stays_within_its_bounds() {
        assert_eq!(apply(50, -100), 0);
        assert_eq!(apply(9_950, 100), 10_000);
        assert_eq!(apply(u16::MAX, 0), 10_000);
        assert_eq!(apply(0, i16::MIN), 0);
    }

    #[test]
    fn idleness_costs_nothing_for_a_week_then_one_per_cent_a_day_down_to_half() {
        assert_eq!(idle_decay(10_000, 7), 10_000);
        assert_eq!(idle_decay(10_000, 8), 9_900);
        assert_eq!(idle_decay(10_000, 9), 9_801);
        assert_eq!(idle_decay(10_000, 10), 9_702);
        assert_eq!(idle_decay(10_000, u32::MAX), 5_000);
        assert_eq!(idle_decay(1, u32::MAX), 1);
        assert_eq!(idle_decay(3, u32::MAX), 2);
        assert_eq!(idle_decay(0, u32::MAX), 0);
    }

    #[test]
    fn every_score_is_at_its_floor_after_69_days_of_decay() {
        for score in 0..=10_000u16 {
            assert_eq!(idle_decay(score, FREE_IDLE_DAYS + 69), score.div_ceil(2));
        }
    }

    #[test]
    fn scores_are_signed_around_fifty() {
        assert_eq!(
            [0, 25, 50, 100, 255].map(signed),
            [-10_000, -5_000, 0, 10_000, 10_000]
        );
    }

    #[test]
    fn one_task_gives_no_more_reputation_than_its_network_share_pays_for() {
        // A task of 5 TOS pays 0.25 to the network: 70 points, those of one perfect answer.
        let quarter = TOS / 4;
        assert_eq!(capped(&[70, -100], quarter, 280), [70, -100]);
        assert_eq!(capped(&[94, -100], quarter, 280), [70, -100]);
        assert_eq!(
            capped(&[100, 50, 0, 30, -7], quarter, 280),
            [39, 19, 0, 12, -7]
        );
        // Thirty-two accounts of one party share what one of them gets.
        assert_eq!(capped(&[90; 32], quarter, 280).iter().sum::<i16>(), 70);
        assert_eq!(capped(&[1, 2, -3], 0, 280), [0, 0, -3]);
        assert_eq!(capped(&[], TOS, 280), [] as [i16; 0]);
        assert_eq!(capped(&[100, -5], u128::MAX, 1_000), [100, -5]);
    }

    #[test]
    fn losses_for_offences_are_fixed() {
        let all = [Severity::Minor, Severity::Major, Severity::Critical];
        assert_eq!(all.map(|s| s.loss()), [200, 1_000, 3_000]);
        assert_eq!(all.map(|s| s.suspension_days()), [0, 7, 30]);
    }

    proptest! {
        #![proptest_config(crate::testing::cases(5_000))]

        #[test]
        fn changes_are_bounded_and_follow_each_score(
            reputation in any::<u16>(),
            scores in any::<[i16; 5]>(),
            which in 0..5usize,
            more in 0..20_000i16,
        ) {
            let base = change(reputation, &performance(scores));
            prop_assert!((-MAX_CHANGE..=MAX_CHANGE).contains(&base));
            // Doing better in anything but innovation, which also multiplies, never costs.
            let mut better = scores;
            better[which] = better[which].saturating_add(more);
            if which < 4 {
                prop_assert!(change(reputation, &performance(better)) >= base);
            }
            prop_assert!(apply(reputation, base) <= MAX);
        }

        #[test]
        fn gains_shrink_with_reputation_and_losses_do_not(
            low in 0..=10_000u16,
            high in 0..=10_000u16,
            scores in prop::array::uniform5(-10_000..=10_000i16),
        ) {
            let (low, high) = (low.min(high), low.max(high));
            let (a, b) = (change(low, &performance(scores)), change(high, &performance(scores)));
            if a > 0 { prop_assert!(a >= b && b >= 0); } else { prop_assert_eq!(a, b); }
        }

        #[test]
        fn capped_gains_never_grow_and_losses_stay(
            changes in prop::collection::vec(-100..=100i16, 0..32),
            paid in 0..40 * TOS,
            per_tos in 50..=1_000u32,
        ) {
            let left = capped(&changes, paid, per_tos);
            prop_assert_eq!(left.len(), changes.len());
            let gains = |all: &[i16]| all.iter().map(|c| u128::from(c.max(&0).unsigned_abs())).sum::<u128>();
            let most = paid * u128::from(per_tos) / TOS;
            // All that may be given is given.
            prop_assert_eq!(gains(&left), gains(&changes).min(most));
            for (before, after) in changes.iter().zip(&left) {
                let most = (*before).max(0);
                prop_assert!(after == before || (0..most).contains(after));
            }
        }

        #[test]
        fn decay_falls_by_day_and_by_score(score in 0..10_000u16, days in 0..200u32) {
            prop_assert!(idle_decay(score, days + 1) <= idle_decay(score, days));
            prop_assert!(idle_decay(score, days) <= idle_decay(score + 1, days));
            prop_assert!(idle_decay(score, days) >= score.div_ceil(2));
        }
    }
}
