// SPDX-License-Identifier: Apache-2.0

//! Ends of a task that was judged by a roster's panel, and of one that none could judge. The parts of each sum to
//! what is divided, to the wei.

use crate::{
    fraction::fraction,
    split::{
        largest_remainder, prizes, rank, unspent, JudgedAnswer, QualityBars, SplitProfile,
        WinnerRule,
    },
};
use alloc::vec::Vec;
use tos_types::Balance;

/// The four classes of a reward, in wei.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Classes {
    /// To the winners: W.
    pub winners: Balance,
    /// To those who took part: T.
    pub participants: Balance,
    /// To the judges: V.
    pub judges: Balance,
    /// To the network: N.
    pub network: Balance,
}

/// Division of the winners' and the participants' class of a settled task.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settled {
    /// Indices of the winning answers, best first; none where no answer reaches the publisher's bar.
    pub winners: Vec<u32>,
    /// Earnings of each answer, in the order of commitment, in wei.
    pub answers: Vec<Balance>,
    /// Back to the publisher, in wei.
    pub publisher: Balance,
    /// To the treasury, in wei.
    pub lost: Balance,
}

/// Division of a reward where the task could not be judged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faulty {
    /// To each distinct answer, in wei.
    pub answer: Balance,
    /// To each seat that said so, in wei.
    pub seat: Balance,
    /// To the treasury, in wei.
    pub lost: Balance,
}

/// Division of the winners' and the participants' class of an abandoned task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Abandoned {
    /// To each distinct answer, in wei.
    pub answer: Balance,
    /// Back to the publisher, in wei.
    pub publisher: Balance,
    /// To the treasury, in wei.
    pub lost: Balance,
}

/// Divides a reward (in wei) into its classes, by largest remainder.
pub fn classes(reward: Balance, profile: &SplitProfile) -> Classes {
    let shares = [
        profile.winners,
        profile.participants,
        profile.judges,
        profile.network,
    ];
    match largest_remainder(reward, &shares.map(u128::from)).as_slice() {
        [winners, participants, judges, network] => Classes {
            winners: *winners,
            participants: *participants,
            judges: *judges,
            network: *network,
        },
        _ => Classes::default(),
    }
}

/// Divides the winners' and the participants' class (in wei) among answers in the order of commitment, with the
/// index of the original of each ([`crate::copies::originals`]).
///
/// An answer is eligible if it may earn and its quality reaches `bars.take_part`. Winners are originals that reach
/// `bars.win`, ranked by [`crate::split::final_score`]. Where there is none, the best eligible original gets
/// `quality / bar` of the winners' class, rounded down, and the publisher half of its rest, rounded down; the
/// remainder is lost. The participants' class goes to eligible originals by quality, and each one's part
/// equally to it and its eligible copies. Without any eligible answer the publisher gets both classes.
pub fn settled(
    classes: &Classes,
    rule: WinnerRule,
    bars: QualityBars,
    answers: &[JudgedAnswer],
    originals: &[u32],
) -> Settled {
    let eligible = |answer: &JudgedAnswer| answer.eligible && answer.quality >= bars.take_part;
    let own = |index: usize| originals.get(index).and_then(|o| usize::try_from(*o).ok());
    let firsts: Vec<JudgedAnswer> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| JudgedAnswer {
            eligible: eligible(answer) && own(index) == Some(index),
            ..*answer
        })
        .collect();
    let both = classes.winners.saturating_add(classes.participants);
    let mut earned = alloc::vec![0; answers.len()];

    let mut paid = rank(rule, bars.win, &firsts);
    let winners = paid
        .iter()
        .filter_map(|(index, _)| u32::try_from(*index).ok())
        .collect();
    let mut publisher = 0;
    let prizes = if paid.is_empty() {
        paid = rank(WinnerRule { per: 1, cap: 1 }, 0, &firsts);
        let Some((_, best)) = paid.first() else {
            return Settled {
                answers: earned,
                publisher: both,
                ..Settled::default()
            };
        };
        let prize = fraction(classes.winners, best.quality.into(), bars.win.into());
        publisher = classes.winners.saturating_sub(prize) / 2;
        alloc::vec![prize]
    } else {
        prizes(classes.winners, &paid)
    };
    for ((index, _), prize) in paid.iter().zip(prizes) {
        add(&mut earned, *index, prize);
    }

    let merits: Vec<u128> = firsts
        .iter()
        .map(|answer| if answer.eligible { answer.quality } else { 0 })
        .map(u128::from)
        .collect();
    let parts = largest_remainder(classes.participants, &merits);
    for (original, part) in parts.into_iter().enumerate() {
        let cluster: Vec<usize> = answers
            .iter()
            .enumerate()
            .filter(|(index, answer)| eligible(answer) && own(*index) == Some(original))
            .map(|(index, _)| index)
            .collect();
        let equal = alloc::vec![1u128; cluster.len()];
        for (index, share) in cluster.into_iter().zip(largest_remainder(part, &equal)) {
            add(&mut earned, index, share);
        }
    }
    Settled {
        winners,
        lost: unspent(both.saturating_sub(publisher), &earned),
        answers: earned,
        publisher,
    }
}

/// Adds to the earnings of one answer.
fn add(earned: &mut [Balance], index: usize, amount: Balance) {
    if let Some(earned) = earned.get_mut(index) {
        *earned = amount.saturating_add(*earned);
    }
}

/// Divides a reward (in wei) of which `judges` is the judges' class: half of all goes to distinct answers, half of
/// the judges' class to the seats that called the task unjudgeable, each in equal parts, rounded down. The rest is
/// lost: nothing returns to the publisher.
pub fn faulty(reward: Balance, judges: Balance, answers: u32, seats: u32) -> Faulty {
    let [answers, seats] = [answers, seats].map(Balance::from);
    let answer = (reward / 2).checked_div(answers).unwrap_or(0);
    let seat = (judges.min(reward) / 2).checked_div(seats).unwrap_or(0);
    let paid = [answer.saturating_mul(answers), seat.saturating_mul(seats)];
    Faulty {
        answer,
        seat,
        lost: unspent(reward, &paid),
    }
}

/// Divides the winners' and the participants' class together (in wei): half of them goes to distinct answers in equal
/// parts, rounded down, the remainder of that half is lost, and the other half returns to the publisher. Without
/// answers all of it returns.
pub fn abandoned(both: Balance, answers: u32) -> Abandoned {
    let answers = Balance::from(answers);
    let half = both / 2;
    let Some(answer) = half.checked_div(answers) else {
        return Abandoned {
            answer: 0,
            publisher: both,
            lost: 0,
        };
    };
    Abandoned {
        answer,
        publisher: both.saturating_sub(half),
        lost: half.saturating_sub(answer.saturating_mul(answers)),
    }
}

#[cfg(test)]
mod tests;
