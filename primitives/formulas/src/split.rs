// SPDX-License-Identifier: Apache-2.0

//! Splitting an escrow into rewards, exact to the wei.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cmp::Reverse;
use polkadot_sdk::sp_core::U256;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{task::Difficulty, Balance, Bp, TaskType};

/// The four classes' shares of an escrow; they sum to 10,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SplitProfile {
    /// To the winners.
    pub winners: Bp,
    /// To everyone whose answer was good enough to take part.
    pub participants: Bp,
    /// To the judges, by accuracy.
    pub judges: Bp,
    /// To the treasury.
    pub network: Bp,
}

/// The number of winners of a task of a type: one per `per` answers, at least 1, at most `cap`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WinnerRule {
    /// Answers per winner.
    pub per: u8,
    /// The most winners.
    pub cap: u8,
}

/// An answer as the panel judged it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct JudgedAnswer {
    /// Weighted median quality, 0 to 100.
    pub quality: u8,
    /// Weighted median innovation, 0 to 100.
    pub innovation: u8,
    /// The timeliness of the commitment, 0 to 10,000.
    pub timeliness: Bp,
    /// `true` if it may earn at all; false for duplicates and for verdicts other than valid.
    pub eligible: bool,
}

/// The parts of an escrow. They sum to the escrow exactly.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Allocation {
    /// Indices of the winning answers, best first.
    pub winners: Vec<u32>,
    /// Earnings of each answer, in answer order, in wei.
    pub answers: Vec<Balance>,
    /// Earnings of each judge, in the order of the points, in wei.
    pub judges: Vec<Balance>,
    /// To the treasury, empty classes included.
    pub network: Balance,
    /// Back to the publisher.
    pub refund: Balance,
}

/// Weights of the winners by rank. Further winners, where a rule allows more, get the last weight.
const RANK_WEIGHTS: [u128; 4] = [10, 6, 4, 2];
/// Weights of the quality, the innovation and the time part of the winners' share.
const PART_WEIGHTS: [u128; 3] = [4, 2, 1];

impl SplitProfile {
    /// 65/15/15/5.
    pub const DEFAULT: Self = Self {
        winners: 6_500,
        participants: 1_500,
        judges: 1_500,
        network: 500,
    };

    /// The shares a task starts with unless governance has set others.
    pub const fn for_task(task_type: TaskType, difficulty: Difficulty) -> Self {
        match (task_type, difficulty) {
            (TaskType::SecurityAudit, Difficulty::Expert) => Self {
                winners: 7_000,
                participants: 1_000,
                ..Self::DEFAULT
            },
            (TaskType::CodeAnalysis, Difficulty::Beginner) => Self {
                winners: 6_000,
                participants: 2_000,
                ..Self::DEFAULT
            },
            _ => Self::DEFAULT,
        }
    }

    /// `true` if the shares sum to 10,000 and lie within what governance may set: winners 60–70 %,
    /// participants 10–20 %, judges 10–15 %, network 5–10 %.
    pub fn is_within_bounds(&self) -> bool {
        let sum = [self.winners, self.participants, self.judges, self.network]
            .into_iter()
            .fold(0u32, |sum, share| sum.saturating_add(u32::from(share)));
        sum == 10_000
            && (6_000..=7_000).contains(&self.winners)
            && (1_000..=2_000).contains(&self.participants)
            && (1_000..=1_500).contains(&self.judges)
            && (500..=1_000).contains(&self.network)
    }
}

impl Default for SplitProfile {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl WinnerRule {
    /// The rule of a type unless governance has set another.
    pub const fn for_type(task_type: TaskType) -> Self {
        match task_type {
            TaskType::CodeAnalysis | TaskType::AlgorithmOptimization => Self { per: 3, cap: 3 },
            TaskType::SecurityAudit => Self { per: 1, cap: 1 },
            TaskType::DataAnalysis
            | TaskType::LogicReasoning
            | TaskType::General
            | TaskType::Custom(_) => Self { per: 4, cap: 2 },
        }
    }

    /// The most winners among so many answers; at least 1. Zeros in the rule count as 1.
    pub fn winners(&self, answers: u32) -> u32 {
        let per = u32::from(self.per.max(1));
        answers
            .checked_div(per)
            .unwrap_or(answers)
            .clamp(1, u32::from(self.cap.max(1)))
    }
}

/// Divides `total` in proportion to `weights`, exactly: each gets the whole part of the quota, and
/// what is left goes one by one to the largest remainders, to the earlier index where they are
/// equal. Without any weight none gets anything. Weights of zero get nothing.
pub fn largest_remainder(total: u128, weights: &[u128]) -> Vec<u128> {
    let sum = weights
        .iter()
        .fold(U256::zero(), |sum, w| sum.saturating_add(U256::from(*w)));
    let mut rest = total;
    let mut shares: Vec<(u128, U256)> = Vec::with_capacity(weights.len());
    for weight in weights {
        // Two factors below 2^128: the product fits. The quota is at most `total`.
        let product = U256::from(total).saturating_mul(U256::from(*weight));
        let quota = product.checked_div(sum).unwrap_or_default();
        let remainder = product.checked_rem(sum).unwrap_or_default();
        let quota = u128::try_from(quota).unwrap_or(total);
        rest = rest.saturating_sub(quota);
        shares.push((quota, remainder));
    }
    if !sum.is_zero() {
        // Fewer are left over than there are remainders above zero, so no weight of zero gets one.
        let mut order: Vec<&mut (u128, U256)> = shares.iter_mut().collect();
        order.sort_by_key(|(_, remainder)| Reverse(*remainder));
        for (quota, _) in order {
            if rest == 0 {
                break;
            }
            *quota = quota.saturating_add(1);
            rest = rest.saturating_sub(1);
        }
    }
    shares.into_iter().map(|(quota, _)| quota).collect()
}

/// The final score of an answer in basis points, rounded down:
/// `(4·quality + 2·innovation + timeliness) / 7`.
pub fn final_score(answer: &JudgedAnswer) -> u32 {
    let [quality, innovation, time] = [
        u32::from(answer.quality).saturating_mul(400),
        u32::from(answer.innovation).saturating_mul(200),
        u32::from(answer.timeliness),
    ];
    quality.saturating_add(innovation).saturating_add(time) / 7
}

/// The median qualities that an answer needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QualityBars {
    /// To win.
    pub win: u8,
    /// To get a share for taking part.
    pub take_part: u8,
}

/// Splits an escrow among the answers (in order of commitment), the judges, the network and,
/// where no one has earned it, the publisher. All parts sum to `escrow`.
pub fn allocate(
    escrow: Balance,
    profile: &SplitProfile,
    rule: WinnerRule,
    bars: QualityBars,
    answers: &[JudgedAnswer],
    judge_points: &[Bp],
) -> Allocation {
    let classes = [
        profile.winners,
        profile.participants,
        profile.judges,
        profile.network,
    ];
    let classes = largest_remainder(escrow, &classes.map(u128::from));
    let mut classes = classes.into_iter();
    let mut class = || classes.next().unwrap_or(0);
    let (for_winners, for_participants, for_judges) = (class(), class(), class());

    let winners = rank(rule, bars.win, answers);
    let mut earned = alloc::vec![0; answers.len()];
    let mut refund: Balance = 0;

    let prizes = prizes(for_winners, &winners);
    refund = refund.saturating_add(unspent(for_winners, &prizes));
    for ((index, _), prize) in winners.iter().zip(&prizes) {
        if let Some(earned) = earned.get_mut(*index) {
            *earned = prize.saturating_add(*earned);
        }
    }

    let merits: Vec<u128> = answers
        .iter()
        .map(|a| {
            if a.eligible && a.quality >= bars.take_part {
                a.quality
            } else {
                0
            }
        })
        .map(u128::from)
        .collect();
    let participations = largest_remainder(for_participants, &merits);
    if winners.is_empty() {
        refund = refund.saturating_add(unspent(for_participants, &participations));
    }
    for (earned, share) in earned.iter_mut().zip(&participations) {
        *earned = share.saturating_add(*earned);
    }

    let points: Vec<u128> = judge_points
        .iter()
        .map(|points| u128::from(*points))
        .collect();
    let judges = largest_remainder(for_judges, &points);

    // The treasury's own class, and every class left over that is not the publisher's.
    let network = unspent(unspent(escrow.saturating_sub(refund), &earned), &judges);
    let winners = winners
        .iter()
        .filter_map(|(index, _)| u32::try_from(*index).ok())
        .collect();
    Allocation {
        winners,
        answers: earned,
        judges,
        network,
        refund,
    }
}

/// The winners and their indices, best first.
pub(crate) fn rank(
    rule: WinnerRule,
    min_quality: u8,
    answers: &[JudgedAnswer],
) -> Vec<(usize, JudgedAnswer)> {
    let places = rule.winners(u32::try_from(answers.len()).unwrap_or(u32::MAX));
    let mut ranked: Vec<(usize, JudgedAnswer)> = answers
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, a)| a.eligible && a.quality >= min_quality)
        .collect();
    // Stable: of equal scores the earlier commitment comes first.
    ranked.sort_by_key(|(_, answer)| Reverse(final_score(answer)));
    ranked.truncate(usize::try_from(places).unwrap_or(usize::MAX));
    ranked
}

/// The prize of each winner out of the winners' share, best first.
pub(crate) fn prizes(total: Balance, winners: &[(usize, JudgedAnswer)]) -> Vec<Balance> {
    let [.., last] = RANK_WEIGHTS;
    let ranks = || {
        RANK_WEIGHTS
            .into_iter()
            .chain(core::iter::repeat(last))
            .take(winners.len())
    };
    let by = |merit: fn(&JudgedAnswer) -> u128| -> Vec<u128> {
        let merits = winners.iter().map(|(_, answer)| merit(answer));
        let weights: Vec<u128> = ranks()
            .zip(merits)
            .map(|(r, m)| r.saturating_mul(m))
            .collect();
        if weights.iter().all(|weight| *weight == 0) {
            ranks().collect()
        } else {
            weights
        }
    };
    let parts = [
        by(|_| 1),
        by(|a| u128::from(a.innovation)),
        by(|a| u128::from(a.timeliness)),
    ];
    let mut prizes = alloc::vec![0; winners.len()];
    for (part, weights) in largest_remainder(total, &PART_WEIGHTS)
        .into_iter()
        .zip(parts)
    {
        for (prize, share) in prizes.iter_mut().zip(largest_remainder(part, &weights)) {
            *prize = share.saturating_add(*prize);
        }
    }
    prizes
}

/// The rest of `total` when the shares are paid.
pub(crate) fn unspent(total: Balance, shares: &[Balance]) -> Balance {
    shares
        .iter()
        .fold(total, |left, share| left.saturating_sub(*share))
}

#[cfg(test)]
mod tests;
