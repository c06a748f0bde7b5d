// SPDX-License-Identifier: Apache-2.0

//! The reads of tasks.

use crate::*;
use alloc::vec::Vec;
use frame_support::traits::fungible::InspectHold;
use tos_interfaces::{Clock, MinerRegistry, Reputation, RevealedAnswer, TaskPhases, VotingStage};
#[cfg(feature = "runtime-benchmarks")]
use tos_types::commitment::Salt;
use tos_types::{
    join_error::JoinError, rules::TaskRules, ContentHash, Phase, TaskId, TaskType, Tick,
};
use tos_views::{
    Action, AssignmentView, ChallengeView, CommitmentView, Role, SubmissionView, TaskSummary,
    TaskView,
};

/// The most tasks one page holds.
pub(crate) const MAX_PAGE: usize = tos_views::MAX_PAGE as usize;

impl<T: Config> Pallet<T> {
    /// Says that `who` could join, or why not: the same questions as the call asks, and what
    /// waiting would do.
    pub(crate) fn check_join(
        who: &T::AccountId,
        id: &TaskId,
    ) -> Result<(), (JoinError, Option<Tick>)> {
        let refuse = |reason| Err((reason, None));
        let known = Tasks::<T>::get(id)
            .and_then(|task| Some((RuleSets::<T>::get(task.rules)?.terms, task)));
        let Some((terms, task)) = known else {
            return refuse(JoinError::UnknownTask);
        };
        if !task.accepts(Phase::Open, T::Clock::now()) {
            return refuse(JoinError::TaskClosed);
        }
        if Submissions::<T>::contains_key(id, who) {
            return refuse(JoinError::AlreadyJoined);
        }
        if Self::is_own(&task, who) {
            return refuse(JoinError::OwnTask);
        }
        if task.joined >= task.max_participants {
            return refuse(JoinError::TaskFull);
        }
        if T::Reputation::global(who) < terms.gate {
            return refuse(JoinError::ReputationTooLow);
        }
        T::Miners::may_work(who, task.task_type()).map_err(|reason| match reason {
            JoinError::Suspended => (reason, T::Miners::suspended_until(who)),
            _ => (reason, None),
        })?;
        if ActiveOf::<T>::decode_len(who) >= Some(ActiveTasks::bound()) {
            return refuse(JoinError::TooManyTasks);
        }
        let stake = terms.answer_stake(T::Miners::stake_percent(who));
        if !T::Currency::can_hold(&HoldReason::AnswerStake.into(), who, stake) {
            return refuse(JoinError::StakeUnaffordable);
        }
        Ok(())
    }

    pub(crate) fn page_of_open(
        task_type: Option<TaskType>,
        after: Option<TaskId>,
        limit: u32,
    ) -> Vec<TaskSummary<T::AccountId>> {
        let limit = page(limit);
        let ids: Vec<TaskId> = match (task_type, after) {
            (Some(of), None) => OpenByType::<T>::iter_key_prefix(of).take(limit).collect(),
            (Some(of), Some(id)) => {
                let from = OpenByType::<T>::hashed_key_for(of, id);
                OpenByType::<T>::iter_key_prefix_from(of, from)
                    .take(limit)
                    .collect()
            }
            (None, None) => OpenTasks::<T>::iter_keys().take(limit).collect(),
            (None, Some(id)) => {
                let from = OpenTasks::<T>::hashed_key_for(id);
                OpenTasks::<T>::iter_from(from)
                    .map(|(id, ())| id)
                    .take(limit)
                    .collect()
            }
        };
        ids.into_iter()
            .filter_map(|id| Tasks::<T>::get(id).map(|t| summary::<T>(id, &t)))
            .collect()
    }

    pub(crate) fn page_of_all(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<T::AccountId>> {
        let tasks = match after {
            Some(id) => Tasks::<T>::iter_from(Tasks::<T>::hashed_key_for(id)),
            None => Tasks::<T>::iter(),
        };
        tasks
            .take(page(limit))
            .map(|(id, task)| summary::<T>(id, &task))
            .collect()
    }

    pub(crate) fn view_of(id: TaskId) -> Option<TaskView<T::AccountId>> {
        let task = Tasks::<T>::get(id)?;
        let set = RuleSets::<T>::get(task.rules)?;
        let submissions = Participants::<T>::get(id)
            .into_iter()
            .filter_map(|miner| {
                let submission = Submissions::<T>::get(id, &miner)?;
                Some(SubmissionView {
                    id: id.submission(&miner),
                    stake: submission.stake,
                    commitment: submission.commitment.map(|committed| CommitmentView {
                        hash: committed.hash,
                        tick: committed.tick,
                        number: committed.number,
                    }),
                    content: Contents::<T>::get(id, &miner),
                    simhash: submission.revealed.map(|revealed| revealed.simhash),
                    duplicate: submission.duplicate,
                    result: submission.result,
                    earned: submission.earned,
                    lost: submission.lost,
                    miner,
                })
            })
            .collect();
        Some(TaskView {
            summary: summary::<T>(id, &task),
            spec: Specs::<T>::get(id)?,
            publisher_stake: task.publisher_stake,
            submissions,
            answers: Answers::<T>::get(id).into_inner(),
            challenge: Challenges::<T>::get(id).map(|challenge| ChallengeView {
                challenger: challenge.challenger,
                bond: challenge.bond,
                upheld: challenge.upheld,
            }),
            terms: set.terms,
            rules: set.rules,
            rule_set: task.rules,
            split: set.split,
            winners: set.winners,
            params: task.params,
        })
    }

    /// The actions that `who` must take as a miner now, or lose stake.
    pub fn assignments(who: &T::AccountId) -> Vec<AssignmentView> {
        let now = T::Clock::now();
        ActiveOf::<T>::get(who)
            .into_iter()
            .filter_map(|id| {
                let task = Tasks::<T>::get(id)?;
                let submission = Submissions::<T>::get(id, who)?;
                let (committed, revealed) = (
                    submission.commitment.is_some(),
                    submission.revealed.is_some(),
                );
                let action = if task.accepts(Phase::Open, now) && !committed {
                    Action::CommitAnswer
                } else if task.accepts(Phase::AnswerReveal, now) && committed && !revealed {
                    Action::RevealAnswer
                } else {
                    return None;
                };
                Some(AssignmentView {
                    task: id,
                    task_type: task.task_type(),
                    role: Role::Miner,
                    action,
                    deadline: task.deadline,
                })
            })
            .collect()
    }

    /// The number of tasks on chain and of those in the phase `Open`.
    pub fn counts() -> (u32, u32) {
        (Tasks::<T>::count(), OpenTasks::<T>::count())
    }
}

fn page(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(MAX_PAGE).min(MAX_PAGE)
}

fn summary<T: Config>(id: TaskId, task: &TaskOf<T>) -> TaskSummary<T::AccountId> {
    TaskSummary {
        id,
        publisher: task.publisher.clone(),
        task_type: task.task_type(),
        difficulty: task.difficulty,
        reward: task.reward,
        min_quality: task.min_quality,
        max_participants: task.max_participants,
        joined: task.joined,
        committed: task.committed,
        revealed: task.revealed,
        phase: task.phase,
        round: task.round,
        opened: task.opened,
        open_until: task.open_until,
        deadline: task.deadline,
    }
}

impl<T: Config> TaskPhases<T::AccountId> for Pallet<T> {
    fn stage(id: &TaskId) -> Option<VotingStage> {
        let task = Tasks::<T>::get(id)?;
        let round = task.round;
        let in_time = T::Clock::now() <= task.deadline;
        match task.phase {
            Phase::VoteCommit if in_time => Some(VotingStage::Commit { round }),
            Phase::VoteReveal if in_time => Some(VotingStage::Reveal { round }),
            _ => None,
        }
    }

    fn deadline(id: &TaskId) -> Option<Tick> {
        Tasks::<T>::get(id).map(|task| task.deadline)
    }

    fn rules(id: &TaskId) -> TaskRules {
        Tasks::<T>::get(id)
            .and_then(|task| RuleSets::<T>::get(task.rules))
            .map_or(TaskRules::STANDARD, |set| set.rules)
    }

    fn tool(id: &TaskId) -> Option<ContentHash> {
        RuleSets::<T>::get(Tasks::<T>::get(id)?.rules)?.profile.tool
    }

    fn judged_answer(id: &TaskId, who: &T::AccountId) -> Option<RevealedAnswer> {
        let task = Tasks::<T>::get(id)?;
        if task.phase != Phase::Challenge {
            return None;
        }
        let index = Answers::<T>::get(id)
            .iter()
            .position(|miner| miner == who)?;
        let revealed = Submissions::<T>::get(id, who)?.revealed?;
        Some(RevealedAnswer {
            index: u32::try_from(index).ok()?,
            content: revealed.hash,
            salt: revealed.salt,
            round: task.round,
        })
    }

    fn phase_complete(id: &TaskId) {
        let Some(mut task) = Tasks::<T>::get(id) else {
            return;
        };
        if matches!(task.phase, Phase::VoteCommit | Phase::VoteReveal) {
            Self::hasten(id, &mut task);
            Tasks::<T>::insert(id, task);
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_stage(id: &TaskId, stage: VotingStage) {
        let (phase, round) = match stage {
            VotingStage::Commit { round } => (Phase::VoteCommit, round),
            VotingStage::Reveal { round } => (Phase::VoteReveal, round),
        };
        let mut task =
            Tasks::<T>::get(id).unwrap_or_else(|| benchmarking::synthetic_task::<T>(*id));
        task.round = round;
        Self::enter(id, &mut task, phase, T::Clock::phase_lengths().vote_commit)
            .expect("a timeline has room for the phases of a benchmark");
        Tasks::<T>::insert(id, task);
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_judged(id: &TaskId, who: &T::AccountId, content: ContentHash, salt: Salt) {
        let mut task =
            Tasks::<T>::get(id).unwrap_or_else(|| benchmarking::synthetic_task::<T>(*id));
        Self::enter(
            id,
            &mut task,
            Phase::Challenge,
            T::Clock::phase_lengths().challenge,
        )
        .expect("a timeline has room for the phases of a benchmark");
        Tasks::<T>::insert(id, task);
        let others = (1..tos_types::MAX_PARTICIPANTS)
            .map(|index| frame_benchmarking::v2::account("author", index, 0));
        let authors = others.chain(core::iter::once(who.clone())).collect();
        Answers::<T>::insert(id, AccountsOf::<T>::truncate_from(authors));
        let submission = Submission {
            stake: 0,
            commitment: None,
            revealed: Some(Revealed {
                hash: content,
                simhash: 0,
                salt,
            }),
            duplicate: false,
            result: None,
            earned: 0,
            lost: 0,
        };
        Submissions::<T>::insert(id, who, submission);
    }
}
