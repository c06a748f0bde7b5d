// SPDX-License-Identifier: Apache-2.0

//! Opinions: the strategies by which judges score answers.

use crate::{
    dice::Dice,
    world::{Case, Found, Worth},
};
use std::collections::BTreeSet;
use tos_runtime::AccountId;
use tos_types::{AnswerScore, Verdict};

/// A strategy to score answers.
pub trait Opinion {
    /// A score for every answer, or none where the judge does not vote.
    fn scores(&mut self, case: &Case) -> Option<Vec<AnswerScore>>;
}

/// The score of an answer of this worth by a judge that errs by `error` points.
fn score(worth: &Worth, error: f64) -> AnswerScore {
    let erring = |points: u8| (f64::from(points) + error).round().clamp(0.0, 100.0) as u8;
    match worth.verdict {
        Verdict::Valid => AnswerScore {
            quality: erring(worth.quality),
            innovation: worth.innovation,
            verdict: Verdict::Valid,
        },
        verdict => AnswerScore {
            quality: 0,
            innovation: 0,
            verdict,
        },
    }
}

/// An honest judge with an error of its own on every answer: normal, with a standard deviation. It
/// does not vote where it cannot judge.
#[derive(Clone, Debug)]
pub struct Honest {
    sd: f64,
    dice: Dice,
}

impl Honest {
    /// A judge with this standard deviation, in points.
    pub fn new(sd: f64, dice: Dice) -> Self {
        Self { sd, dice }
    }
}

impl Opinion for Honest {
    fn scores(&mut self, case: &Case) -> Option<Vec<AnswerScore>> {
        let (sd, dice) = (self.sd, &mut self.dice);
        let scores = case
            .answers
            .iter()
            .map(|found| score(&found.worth, sd * dice.normal()));
        case.judgeable.then(|| scores.collect())
    }
}

/// An honest judge that shares a part of its error with all others of its kind, as judges do that ask
/// the same model.
#[derive(Clone, Debug)]
pub struct Correlated {
    sd: f64,
    shared: f64,
    seed: u64,
    dice: Dice,
}

impl Correlated {
    /// A judge with this standard deviation, of whose variance a part from 0 to 1 is shared by all with
    /// the same `seed`.
    pub fn new(sd: f64, shared: f64, seed: u64, dice: Dice) -> Self {
        Self {
            sd,
            shared,
            seed,
            dice,
        }
    }

    fn error(&mut self, found: &Found) -> f64 {
        let common = Dice::new(self.seed, (b"common", found.hash)).normal();
        let own = self.dice.normal();
        self.sd * (self.shared.sqrt() * common + (1.0 - self.shared).sqrt() * own)
    }
}

impl Opinion for Correlated {
    fn scores(&mut self, case: &Case) -> Option<Vec<AnswerScore>> {
        let scores: Vec<_> = case
            .answers
            .iter()
            .map(|found| {
                let error = self.error(found);
                score(&found.worth, error)
            })
            .collect();
        case.judgeable.then_some(scores)
    }
}

/// A judge that looks at nothing and gives all answers the same quality.
#[derive(Clone, Copy, Debug)]
pub struct Lazy {
    /// The quality.
    pub quality: u8,
}

impl Opinion for Lazy {
    fn scores(&mut self, case: &Case) -> Option<Vec<AnswerScore>> {
        let scores = case
            .answers
            .iter()
            .map(|_| score(&Worth::valid(self.quality), 0.0));
        Some(scores.collect())
    }
}

/// A judge of a ring: the best score for the ring's own answers and no chance for those of others. In
/// tasks without an answer of the ring it judges honestly.
#[derive(Clone, Debug)]
pub struct Ring {
    own: BTreeSet<AccountId>,
    otherwise: Honest,
}

impl Ring {
    /// A judge of the ring of these accounts.
    pub fn new(own: impl IntoIterator<Item = AccountId>, otherwise: Honest) -> Self {
        Self {
            own: own.into_iter().collect(),
            otherwise,
        }
    }
}

impl Opinion for Ring {
    fn scores(&mut self, case: &Case) -> Option<Vec<AnswerScore>> {
        let is_own = |found: &Found| self.own.contains(&found.author);
        if !case.answers.iter().any(is_own) {
            return self.otherwise.scores(case);
        }
        let best = Worth {
            innovation: 100,
            ..Worth::valid(100)
        };
        let scores = case.answers.iter().map(|found| {
            let worth = if is_own(found) { best } else { Worth::JUNK };
            score(&worth, 0.0)
        });
        Some(scores.collect())
    }
}

/// A judge that never votes.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Opinion for Silent {
    fn scores(&mut self, _: &Case) -> Option<Vec<AnswerScore>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::TaskId;

    /// Many answers of middling quality, by as many authors.
    fn case(judgeable: bool) -> Case {
        let found = |number: u8| Found {
            author: AccountId::new([number; 32]),
            hash: [number; 32],
            worth: Worth::valid(50),
        };
        Case {
            task: TaskId([1; 16]),
            judgeable,
            answers: (0..200).map(found).collect(),
        }
    }

    fn errors(opinion: &mut impl Opinion) -> Vec<f64> {
        let scores = opinion.scores(&case(true)).expect("it votes");
        scores
            .iter()
            .map(|score| f64::from(score.quality) - 50.0)
            .collect()
    }

    fn correlation(one: &[f64], other: &[f64]) -> f64 {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        product(one, other) / (product(one, one) * product(other, other)).sqrt()
    }

    #[test]
    fn honest_judges_err_apart_and_correlated_ones_together() {
        let honest = |label: u8| errors(&mut Honest::new(8.0, Dice::new(1, label)));
        let (one, other) = (honest(1), honest(2));
        let variance = one.iter().map(|x| x * x).sum::<f64>() / one.len() as f64;
        assert!((5.0..11.0).contains(&variance.sqrt()), "{variance}");
        assert!(correlation(&one, &other).abs() < 0.3);
        let correlated = |label: u8| errors(&mut Correlated::new(8.0, 0.8, 1, Dice::new(1, label)));
        let shared = correlation(&correlated(1), &correlated(2));
        assert!(shared > 0.6, "{shared}");
    }

    #[test]
    fn only_careless_judges_vote_on_what_cannot_be_judged() {
        let case = case(false);
        assert_eq!(Honest::new(8.0, Dice::new(1, 1u8)).scores(&case), None);
        assert_eq!(
            Correlated::new(8.0, 0.5, 1, Dice::new(1, 1u8)).scores(&case),
            None
        );
        assert_eq!(Silent.scores(&case), None);
        let lazy = Lazy { quality: 60 }.scores(&case).expect("it votes");
        assert!(lazy.iter().all(|score| score.quality == 60));
    }

    #[test]
    fn a_ring_raises_its_own_and_condemns_others_and_is_honest_elsewhere() {
        let honest = || Honest::new(0.0, Dice::new(1, 1u8));
        let case = case(true);
        let own = AccountId::new([7; 32]);
        let scores = Ring::new([own], honest()).scores(&case).expect("it votes");
        assert_eq!(scores[7].quality, 100);
        assert_eq!(scores[8].verdict, Verdict::Malformed);
        let stranger = AccountId::new([255; 32]);
        let scores = Ring::new([stranger], honest()).scores(&case);
        assert_eq!(scores, honest().scores(&case));
    }
}
