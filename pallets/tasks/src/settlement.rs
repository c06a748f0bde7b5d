// SPDX-License-Identifier: Apache-2.0

//! The ends of tasks: settled, expired or unresolved, and finally pruned.

use crate::{steps::Way, *};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_support::dispatch::DispatchResult;
use sp_runtime::DispatchError;
use tos_formulas::{
    reputation::{self, Performance, SignedBp},
    split::{self, JudgedAnswer, QualityBars},
};
use tos_interfaces::{MinerRegistry, Panels, Reputation, Settlement, Vault};
use tos_types::{params, rules::JudgingRules, Closure, TaskId, Verdict};

/// The consequences of a closed task for one miner.
struct Outcome {
    /// The reason to slash it, if there is one.
    slash: Option<SlashReason>,
    /// `true` if it delivered a valid answer.
    completed: bool,
    /// The change of its reputation; none when no panel judged.
    performance: Option<Performance>,
}

impl Outcome {
    /// The miner did not deliver.
    fn failed(reason: SlashReason) -> Self {
        let performance = Performance {
            completion: -10_000,
            ..Default::default()
        };
        Self {
            slash: Some(reason),
            completed: false,
            performance: Some(performance),
        }
    }

    /// The miner's answer was judged. `mean` is the mean final score of the eligible answers.
    fn judged(scored: &Scored, mean: Option<u32>, rules: &JudgingRules) -> Self {
        let Scored {
            judged,
            result,
            duplicate,
        } = scored;
        let slash = SlashReason::of(result, rules);
        let completed = judged.eligible && slash.is_none();
        let completion = match slash {
            Some(_) => -10_000,
            None if *duplicate => 0,
            None => 10_000,
        };
        let innovation = if judged.eligible {
            reputation::signed(result.innovation)
        } else {
            0
        };
        let peer = mean.map_or(0, |mean| {
            signed_difference(split::final_score(judged), mean)
        });
        // The merit of a copy is another's; its faults are the copier's own.
        let merit = |score: SignedBp| if *duplicate { score.min(0) } else { score };
        let (quality, peer) = (merit(reputation::signed(result.quality)), merit(peer));
        let performance = Performance {
            completion,
            quality,
            accuracy: 0,
            peer,
            innovation,
        };
        Self {
            slash,
            completed,
            performance: Some(performance),
        }
    }

    /// No panel could judge: no blame and no merit.
    fn unjudged(delivered: bool) -> Self {
        Self {
            slash: None,
            completed: delivered,
            performance: None,
        }
    }
}

/// The difference of two scores in basis points.
fn signed_difference(score: u32, mean: u32) -> SignedBp {
    let magnitude = SignedBp::try_from(score.abs_diff(mean).min(10_000)).unwrap_or(10_000);
    if score < mean {
        magnitude.saturating_neg()
    } else {
        magnitude
    }
}

/// The mean final score of the eligible answers; `None` when there are none.
fn mean_score<'a>(answers: impl Iterator<Item = &'a JudgedAnswer>) -> Option<u32> {
    let (sum, count) =
        answers
            .filter(|answer| answer.eligible)
            .fold((0u32, 0u32), |acc, answer| {
                (
                    acc.0.saturating_add(split::final_score(answer)),
                    acc.1.saturating_add(1),
                )
            });
    sum.checked_div(count)
}

impl<T: Config> Pallet<T> {
    /// Pays, slashes, records, and closes the task.
    pub(crate) fn settle(id: &TaskId, task: TaskOf<T>) -> Result<Way, DispatchError> {
        let authors = Answers::<T>::get(id);
        let results = T::Panels::results(id);
        if authors.is_empty() || results.len() != authors.len() {
            // No result that could be paid by. All get their own back rather than wait.
            log::error!(target: LOG_TARGET, "task {id} has no usable result");
            Self::unresolve(id, task)?;
            return Ok(Way::Unresolved);
        }
        let mut scored = BTreeMap::new();
        let mut answers = Vec::new();
        for (miner, result) in authors.into_iter().zip(results) {
            let mut submission = Self::submission(id, &miner)?;
            let committed = submission.commitment.ok_or(Error::<T>::Inconsistent)?;
            let duplicate = submission.duplicate;
            let judged = JudgedAnswer {
                quality: result.quality,
                innovation: result.innovation,
                timeliness: params::timeliness(
                    task.opened,
                    committed.tick,
                    task.open_until,
                    task.rules.publishing.timely,
                ),
                eligible: !duplicate && result.verdict == Verdict::Valid,
            };
            submission.result = Some(result);
            Submissions::<T>::insert(id, &miner, submission);
            Self::deposit_event(Event::AnswerJudged {
                task: *id,
                miner: miner.clone(),
                quality: result.quality,
                innovation: result.innovation,
                verdict: result.verdict,
                duplicate,
            });
            scored.insert(
                miner.clone(),
                Scored {
                    judged,
                    result,
                    duplicate,
                },
            );
            answers.push((miner, judged));
        }
        let mean = mean_score(answers.iter().map(|(_, judged)| judged));
        let judges = T::Panels::conclude(id, task.task_type(), true);
        let settlement = Settlement {
            task: *id,
            task_type: task.task_type(),
            difficulty: task.difficulty,
            bars: QualityBars {
                win: task.min_quality,
                take_part: task.rules.judging.participation_quality,
            },
            answers,
            judges,
        };
        let allocation = T::Vault::settle(&settlement)?;
        for ((miner, _), earned) in settlement.answers.iter().zip(allocation.answers) {
            let mut submission = Self::submission(id, miner)?;
            submission.earned = earned;
            Submissions::<T>::insert(id, miner, submission);
        }
        Self::finish_miners(id, &task, |miner, submission| match scored.get(miner) {
            Some(scored) => Outcome::judged(scored, mean, &task.rules.judging),
            None => Outcome::failed(undelivered(submission)),
        })?;
        Self::close(id, task, Closure::Settled)?;
        Ok(Way::On)
    }

    /// Closes a task that no miner answered: one that promised to and did not loses some stake.
    pub(crate) fn expire(id: &TaskId, task: TaskOf<T>) -> DispatchResult {
        if task.phase == tos_types::Phase::Open {
            Self::leave_open(id, &task);
        }
        T::Vault::refund(id, 0)?;
        Self::finish_miners(id, &task, |_, submission| {
            Outcome::failed(undelivered(submission))
        })?;
        Self::close(id, task, Closure::Expired)
    }

    /// Closes a task that no panel could judge: all get their own back.
    pub(crate) fn unresolve(id: &TaskId, task: TaskOf<T>) -> DispatchResult {
        // Frees the members of earlier panels and slashes those who did not vote.
        let _ = T::Panels::conclude(id, task.task_type(), false);
        T::Vault::refund(id, 0)?;
        Self::finish_miners(id, &task, |_, submission| {
            Outcome::unjudged(submission.revealed.is_some())
        })?;
        Self::close(id, task, Closure::Unresolved)
    }

    /// Ends the task for each of its miners.
    fn finish_miners(
        id: &TaskId,
        task: &TaskOf<T>,
        outcome: impl Fn(&T::AccountId, &Submission) -> Outcome,
    ) -> DispatchResult {
        for miner in Participants::<T>::get(id) {
            let mut submission = Self::submission(id, &miner)?;
            let Outcome {
                slash,
                completed,
                performance,
            } = outcome(&miner, &submission);
            let stake = submission.stake;
            let slash = slash.map(|reason| reason.by(&task.rules.slashes));
            submission.lost = Self::free_hold(id, &miner, HoldReason::AnswerStake, stake, slash);
            Submissions::<T>::insert(id, &miner, submission);
            ActiveOf::<T>::mutate_exists(&miner, |active| {
                let mut left = active.take().unwrap_or_default();
                left.retain(|other| other != id);
                *active = (!left.is_empty()).then_some(left);
            });
            T::Miners::finish_task(&miner, completed);
            if let Some(performance) = performance {
                T::Reputation::record(&miner, task.task_type(), &performance);
            }
        }
        Ok(())
    }

    /// Removes every record of a closed task.
    pub(crate) fn prune(id: &TaskId, task: &TaskOf<T>) -> DispatchResult {
        for miner in Participants::<T>::take(id) {
            Submissions::<T>::remove(id, &miner);
            Contents::<T>::remove(id, &miner);
        }
        Specs::<T>::remove(id);
        Answers::<T>::remove(id);
        Challenges::<T>::remove(id);
        Timeline::<T>::remove(id);
        if let Some(reference) = task.reference {
            References::<T>::remove(&task.publisher, reference);
        }
        T::Panels::forget(id);
        Agenda::<T>::remove(task.due, id);
        Tasks::<T>::remove(id);
        Self::deposit_event(Event::Pruned { task: *id });
        Ok(())
    }
}

/// The reason to slash a miner without a revealed answer.
fn undelivered(submission: &Submission) -> SlashReason {
    if submission.commitment.is_some() {
        SlashReason::NonReveal
    } else {
        SlashReason::NoShow
    }
}
