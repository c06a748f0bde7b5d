// SPDX-License-Identifier: Apache-2.0

//! The way from phase to phase.

use crate::*;
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, weights::Weight};
use sp_runtime::DispatchError;
use tos_formulas::simhash;
use tos_interfaces::{Clock, Draw, PanelRequest, Panels};
use tos_types::{
    vote::{AnswerResult, Tally},
    Phase, TaskId, Tick,
};

/// The way that a task went from a count or a settlement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    /// On, as it should.
    On,
    /// It was closed without a result, which costs more.
    Unresolved,
}

impl<T: Config> Pallet<T> {
    /// Ticks from a phase change by the queue to the first draw: the seed must not have existed
    /// when the last reveal came in, so never in the same block.
    const AFTER_THE_QUEUE: Tick = 1;
    /// The same after a call: the author of this block must not know the seed either.
    pub(crate) const AFTER_A_CALL: Tick = 2;

    /// The next step of a task. Fixed by what is stored, so that its weight is known before it is
    /// taken.
    pub(crate) fn step_of(task: &TaskOf<T>) -> Step {
        match task.phase {
            Phase::Open if task.committed == 0 => Step::Expire,
            Phase::Open => Step::Advance,
            Phase::AnswerReveal if task.revealed == 0 => Step::Expire,
            Phase::AnswerReveal => Step::Collect,
            // Only a draw without effect is put off beyond the deadline.
            Phase::PanelDraw if task.due > task.deadline => Step::GiveUp,
            Phase::PanelDraw => Step::Draw,
            Phase::VoteCommit => Step::Advance,
            Phase::VoteReveal if Self::may_escalate(task) => Step::Tally,
            Phase::VoteReveal => Step::LastTally,
            Phase::Challenge => Step::Settle,
            Phase::Closed(_) => Step::Prune,
        }
    }

    /// Takes the next step of a task if it is due. Everything that happens by itself happens here.
    /// Returns the weight that the step used, in what it turned out to be.
    ///
    /// # Errors
    /// There is no such task, nothing is due, or the step cannot be taken now.
    pub fn advance(id: TaskId) -> Result<Weight, DispatchError> {
        let mut task = Self::find(&id)?;
        Self::ensure_due(&task)?;
        task.failures = 0;
        let (miners, seats) = (task.joined, task.seats());
        let unresolved = || T::WeightInfo::step_unresolve(miners, seats);
        Ok(match Self::step_of(&task) {
            Step::Advance => Self::begin_reveals(&id, task)?,
            Step::Expire => {
                Self::expire(&id, task)?;
                T::WeightInfo::step_expire(miners)
            }
            Step::Collect => {
                Self::collect(&id, task)?;
                T::WeightInfo::step_collect(miners)
            }
            Step::Draw => T::WeightInfo::step_draw(Self::draw(&id, task)?),
            Step::GiveUp => {
                Self::fall_back(&id, task)?;
                unresolved()
            }
            Step::Tally | Step::LastTally => {
                let counted = T::WeightInfo::step_tally(miners);
                match Self::tally(&id, task)? {
                    Way::On => counted,
                    Way::Unresolved => counted.saturating_add(unresolved()),
                }
            }
            Step::Settle => {
                let settled = T::WeightInfo::step_settle(miners, seats);
                match Self::settle(&id, task)? {
                    Way::On => settled,
                    Way::Unresolved => settled.max(unresolved()),
                }
            }
            Step::Prune => {
                Self::prune(&id, &task)?;
                T::WeightInfo::step_prune(miners, seats)
            }
        })
    }

    /// From commitments to reveals, of answers or of votes. Returns the weight of the one that it
    /// was.
    fn begin_reveals(id: &TaskId, mut task: TaskOf<T>) -> Result<Weight, DispatchError> {
        let phase_lengths = T::Clock::phase_lengths();
        let used = if task.phase == Phase::Open {
            Self::leave_open(id, &task);
            Self::enter(
                id,
                &mut task,
                Phase::AnswerReveal,
                phase_lengths.answer_reveal,
            )?;
            T::WeightInfo::step_advance()
        } else {
            Self::enter(id, &mut task, Phase::VoteReveal, phase_lengths.vote_reveal)?;
            // There is nothing to wait for.
            if T::Panels::none_committed(id) {
                Self::hasten(id, &mut task);
            }
            T::WeightInfo::step_advance_votes()
        };
        Tasks::<T>::insert(id, task);
        Ok(used)
    }

    /// Orders the answers by commitment and marks those too close to an earlier one.
    fn collect(id: &TaskId, mut task: TaskOf<T>) -> DispatchResult {
        let mut answers: Vec<(u32, T::AccountId, Revealed)> = Vec::new();
        for miner in Participants::<T>::get(id) {
            let submission = Self::submission(id, &miner)?;
            if let (Some(committed), Some(revealed)) = (submission.commitment, submission.revealed)
            {
                answers.push((committed.number, miner, revealed));
            }
        }
        answers.sort_by_key(|(number, ..)| *number);
        if !task.equal_answers_allowed {
            Self::mark_duplicates(id, &answers, task.rules.judging.duplicate_distance)?;
        }
        let authors: Vec<_> = answers.into_iter().map(|(_, miner, _)| miner).collect();
        let authors = AccountsOf::<T>::try_from(authors).map_err(|_| Error::<T>::Inconsistent)?;
        Answers::<T>::insert(id, authors);
        Self::begin_draw(id, &mut task, Self::AFTER_THE_QUEUE)?;
        Tasks::<T>::insert(id, task);
        Ok(())
    }

    fn mark_duplicates(
        id: &TaskId,
        answers: &[(u32, T::AccountId, Revealed)],
        most: u32,
    ) -> DispatchResult {
        for (index, (_, miner, answer)) in answers.iter().enumerate() {
            let original = answers.iter().take(index).find(|(_, _, earlier)| {
                earlier.hash == answer.hash
                    || simhash::near_duplicate(earlier.simhash, answer.simhash, most)
            });
            if let Some((_, original, _)) = original {
                let mut submission = Self::submission(id, miner)?;
                submission.duplicate = true;
                Submissions::<T>::insert(id, miner, submission);
                Self::deposit_event(Event::DuplicateFound {
                    task: *id,
                    miner: miner.clone(),
                    original: original.clone(),
                });
            }
        }
        Ok(())
    }

    /// Brings the task into `PanelDraw`, with the first try after `delay` ticks.
    fn begin_draw(id: &TaskId, task: &mut TaskOf<T>, delay: Tick) -> DispatchResult {
        let window = T::Clock::phase_lengths().panel_draw.max(delay);
        Self::enter(id, task, Phase::PanelDraw, window)?;
        Self::schedule(id, task, T::Clock::now().saturating_add(delay));
        Ok(())
    }

    /// One more round of voting.
    pub(crate) fn next_round(id: &TaskId, mut task: TaskOf<T>, delay: Tick) -> DispatchResult {
        task.round = task.round.saturating_add(1);
        Self::begin_draw(id, &mut task, delay)?;
        Tasks::<T>::insert(id, task);
        Ok(())
    }

    /// Tries to seat a panel; if there is none, it tries again in the next tick. Returns the number of
    /// candidates that were looked at.
    fn draw(id: &TaskId, mut task: TaskOf<T>) -> Result<u32, DispatchError> {
        let (draw, candidates) = T::Panels::draw(&Self::panel_request(id, &task));
        match draw {
            Draw::Seated(_) => {
                let window = T::Clock::phase_lengths().vote_commit;
                Self::enter(id, &mut task, Phase::VoteCommit, window)?;
            }
            Draw::Retry => {
                Self::schedule(id, &mut task, T::Clock::now().saturating_add(1));
            }
        }
        Tasks::<T>::insert(id, task);
        Ok(candidates)
    }

    pub(crate) fn panel_request(id: &TaskId, task: &TaskOf<T>) -> PanelRequest<T::AccountId> {
        PanelRequest {
            task: *id,
            task_type: task.task_type(),
            since: task.opened,
            round: task.round,
            size: task.panel_size(),
            expert: task.wants_experts(),
            publisher: task.publisher.clone(),
            submitters: Answers::<T>::get(id).into_inner(),
            answers: task.revealed,
            automatic: task.tool.is_some(),
        }
    }

    /// `true` if a round that does not agree is followed by another.
    fn may_escalate(task: &TaskOf<T>) -> bool {
        !task.challenged && task.escalations < task.rules.judging.escalations
    }

    /// Counts the votes of the round.
    fn tally(id: &TaskId, mut task: TaskOf<T>) -> Result<Way, DispatchError> {
        let tally = T::Panels::tally(id);
        Self::deposit_event(Event::RoundTallied {
            task: *id,
            round: task.round,
            tally,
        });
        match tally {
            Tally::NoQuorum if !Self::may_escalate(&task) => return Self::fall_back(id, task),
            _ if task.challenged => Self::decide_challenge(id, task, true),
            Tally::Split | Tally::NoQuorum if Self::may_escalate(&task) => {
                task.escalations = task.escalations.saturating_add(1);
                Self::next_round(id, task, Self::AFTER_THE_QUEUE)
            }
            _ => Self::await_challenge(id, task),
        }?;
        Ok(Way::On)
    }

    /// The last round came to nothing: an earlier result stands, if there is one.
    fn fall_back(id: &TaskId, task: TaskOf<T>) -> Result<Way, DispatchError> {
        if task.challenged {
            Self::decide_challenge(id, task, false)?;
        } else if T::Panels::results(id).is_empty() {
            Self::unresolve(id, task)?;
            return Ok(Way::Unresolved);
        } else {
            Self::await_challenge(id, task)?;
        }
        Ok(Way::On)
    }

    /// The result is known: it may be challenged now.
    fn await_challenge(id: &TaskId, mut task: TaskOf<T>) -> DispatchResult {
        Self::enter(
            id,
            &mut task,
            Phase::Challenge,
            T::Clock::phase_lengths().challenge,
        )?;
        Tasks::<T>::insert(id, task);
        Ok(())
    }

    /// Releases or takes the bond, and lets the task settle in the next tick. `counted` tells
    /// whether the challenge's round had a quorum.
    fn decide_challenge(id: &TaskId, mut task: TaskOf<T>, counted: bool) -> DispatchResult {
        let mut challenge = Challenges::<T>::get(id).ok_or(Error::<T>::Inconsistent)?;
        let points = task.rules.judging.challenge_points;
        let upheld = counted && moved(&challenge.before, &T::Panels::results(id), points);
        let lost = counted && !upheld;
        challenge.upheld = Some(upheld);
        Self::free_hold(
            id,
            &challenge.challenger,
            HoldReason::ChallengeBond,
            challenge.bond,
            lost.then(|| SlashReason::ChallengeRejected.by(&task.rules.slashes)),
        );
        Challenges::<T>::insert(id, challenge);
        Self::deposit_event(Event::ChallengeDecided {
            task: *id,
            upheld,
            bond_released: !lost,
        });
        Self::enter(id, &mut task, Phase::Challenge, 0)?;
        Tasks::<T>::insert(id, task);
        Ok(())
    }
}

/// `true` if a result differs from an earlier one by more than `points`, or in a verdict, so that
/// challenging that was right.
fn moved(before: &[AnswerResult], after: &[AnswerResult], points: u8) -> bool {
    before
        .iter()
        .zip(after)
        .any(|(old, new)| old.verdict != new.verdict || old.quality.abs_diff(new.quality) > points)
}
