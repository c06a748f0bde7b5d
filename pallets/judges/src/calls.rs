// SPDX-License-Identifier: Apache-2.0

//! The calls.

use crate::{
    Ballot, Config, Error, Event, HoldReason, Judge, JudgeCount, Judges, Member, Pallet, Rounds,
    Types, Vote, Votes,
};
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Clock, MinerRegistry, TaskPhases, VotingStage};
use tos_pallet_support::holds;
use tos_types::{
    commitment::{self, Commitment, Salt},
    params::START_ACCURACY,
    rules::MemberRules,
    AnswerScore, TaskId,
};
use tos_views::JudgeStatus;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(who: &T::AccountId, types: Types) -> DispatchResult {
        ensure!(
            !Judges::<T>::contains_key(who),
            Error::<T>::AlreadyRegistered
        );
        Self::check_types(&types)?;
        ensure!(!T::Miners::is_suspended(who), Error::<T>::Suspended);
        let mut judge = Judge {
            stake: 0,
            types,
            accuracy: START_ACCURACY,
            known: START_ACCURACY,
            checks: 0,
            panels: 0,
            status: JudgeStatus::Active,
        };
        Self::fund(who, &mut judge)?;
        Self::enter_pools(who, &judge.types);
        JudgeCount::<T>::mutate(|count| *count = count.saturating_add(1));
        Judges::<T>::insert(who, &judge);
        let Judge { types, stake, .. } = judge;
        Self::deposit_event(Event::Registered {
            who: who.clone(),
            types,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_set_types(who: &T::AccountId, types: Types) -> DispatchResult {
        let mut judge = Self::staying(who)?;
        Self::check_types(&types)?;
        Self::leave_pools(who, &judge.types);
        judge.types = types;
        Self::fund(who, &mut judge)?;
        Self::enter_pools(who, &judge.types);
        Judges::<T>::insert(who, &judge);
        let Judge { types, stake, .. } = judge;
        Self::deposit_event(Event::TypesChanged {
            who: who.clone(),
            types,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_top_up(who: &T::AccountId) -> DispatchResult {
        let mut judge = Self::staying(who)?;
        ensure!(
            judge.status == JudgeStatus::Understaked,
            Error::<T>::NotUnderstaked
        );
        Self::fund(who, &mut judge)?;
        Judges::<T>::insert(who, &judge);
        Self::deposit_event(Event::ToppedUp {
            who: who.clone(),
            stake: judge.stake,
        });
        Ok(())
    }

    pub(crate) fn do_leave(who: &T::AccountId) -> DispatchResult {
        let mut judge = Self::staying(who)?;
        let release_at = T::Clock::now().saturating_add(T::Clock::phase_lengths().unbonding);
        Self::leave_pools(who, &judge.types);
        judge.status = JudgeStatus::Leaving { release_at };
        Judges::<T>::insert(who, &judge);
        Self::deposit_event(Event::LeaveStarted {
            who: who.clone(),
            release_at,
        });
        Ok(())
    }

    pub(crate) fn do_rejoin(who: &T::AccountId) -> DispatchResult {
        let mut judge = Judges::<T>::get(who).ok_or(Error::<T>::NotJudge)?;
        ensure!(judge.is_leaving(), Error::<T>::NotLeaving);
        ensure!(!T::Miners::is_suspended(who), Error::<T>::Suspended);
        judge.status = JudgeStatus::Active;
        Self::fund(who, &mut judge)?;
        Self::enter_pools(who, &judge.types);
        Judges::<T>::insert(who, &judge);
        Self::deposit_event(Event::Rejoined {
            who: who.clone(),
            stake: judge.stake,
        });
        Ok(())
    }

    pub(crate) fn do_withdraw(who: &T::AccountId) -> DispatchResult {
        let judge = Judges::<T>::get(who).ok_or(Error::<T>::NotJudge)?;
        let JudgeStatus::Leaving { release_at } = judge.status else {
            return Err(Error::<T>::NotLeaving.into());
        };
        ensure!(T::Clock::now() >= release_at, Error::<T>::StillUnbonding);
        ensure!(judge.panels == 0, Error::<T>::StillOnPanels);
        let amount = judge.stake;
        holds::withdraw::<T::Currency, _>(HoldReason::JudgeStake, who, who, amount)?;
        Judges::<T>::remove(who);
        JudgeCount::<T>::mutate(|count| *count = count.saturating_sub(1));
        Self::deposit_event(Event::Withdrawn {
            who: who.clone(),
            amount,
        });
        Ok(())
    }

    pub(crate) fn do_commit_vote(
        who: &T::AccountId,
        task: TaskId,
        commitment: Commitment,
    ) -> DispatchResult {
        ensure!(Judges::<T>::contains_key(who), Error::<T>::NotJudge);
        let Some(VotingStage::Commit { round }) = T::Phases::stage(&task) else {
            return Err(Error::<T>::NoVoteNow.into());
        };
        let complete = Self::mutate_seat(task, round, who, |seat, _| {
            ensure!(seat.ballot == Ballot::Awaited, Error::<T>::AlreadyCommitted);
            seat.ballot = Ballot::Committed(commitment);
            Ok(())
        })?;
        Self::deposit_event(Event::VoteCommitted {
            task,
            round,
            who: who.clone(),
        });
        if complete {
            T::Phases::phase_complete(&task);
        }
        Ok(())
    }

    pub(crate) fn do_reveal_vote(
        who: &T::AccountId,
        task: TaskId,
        vote: Vote,
        salt: Salt,
    ) -> DispatchResult {
        ensure!(Judges::<T>::contains_key(who), Error::<T>::NotJudge);
        let Some(VotingStage::Reveal { round }) = T::Phases::stage(&task) else {
            return Err(Error::<T>::NoVoteNow.into());
        };
        let complete = Self::mutate_seat(task, round, who, |seat, answers| {
            let committed = match seat.ballot {
                Ballot::Awaited => return Err(Error::<T>::NotCommitted.into()),
                Ballot::Revealed => return Err(Error::<T>::AlreadyRevealed.into()),
                Ballot::Committed(commitment) => commitment,
            };
            let Vote { scores, report } = &vote;
            ensure!(
                u32::try_from(scores.len()) == Ok(answers),
                Error::<T>::WrongScoreCount
            );
            ensure!(
                scores.iter().all(AnswerScore::in_range),
                Error::<T>::ScoreOutOfRange
            );
            ensure!(
                seat.automatic || report.is_none(),
                Error::<T>::ReportNotWanted
            );
            ensure!(
                report.is_none_or(|report| report.in_range(answers)),
                Error::<T>::ReportOutOfRange
            );
            let opened = commitment::vote(&task, round, who, scores, report.as_ref(), &salt);
            ensure!(opened == committed, Error::<T>::WrongPreimage);
            seat.ballot = Ballot::Revealed;
            Ok(())
        })?;
        Votes::<T>::insert((task, round, who), &vote);
        let Vote { scores, report } = vote;
        Self::deposit_event(Event::VoteRevealed {
            task,
            round,
            who: who.clone(),
            scores,
            report,
        });
        if complete {
            T::Phases::phase_complete(&task);
        }
        Ok(())
    }

    /// Changes the seat of `who` in a round, given the number of answers, and tells whether the
    /// panel now has nothing more to do in this phase.
    fn mutate_seat(
        task: TaskId,
        round: u32,
        who: &T::AccountId,
        change: impl FnOnce(&mut Member<T::AccountId>, u32) -> DispatchResult,
    ) -> Result<bool, DispatchError> {
        Rounds::<T>::try_mutate(task, round, |slot| {
            let round = slot.as_mut().ok_or(Error::<T>::NotOnPanel)?;
            let member = round.members.iter_mut().find(|m| m.who == *who);
            let member = member.ok_or(Error::<T>::NotOnPanel)?;
            change(member, round.answers)?;
            Ok(match member.ballot {
                Ballot::Revealed => round.all_revealed(),
                _ => round.all_committed(),
            })
        })
    }

    /// A judge that is not leaving.
    fn staying(who: &T::AccountId) -> Result<Judge, DispatchError> {
        let judge = Judges::<T>::get(who).ok_or(Error::<T>::NotJudge)?;
        ensure!(!judge.is_leaving(), Error::<T>::Leaving);
        Ok(judge)
    }

    /// Holds what is missing of the stake that the judge's types ask for.
    fn fund(who: &T::AccountId, judge: &mut Judge) -> DispatchResult {
        let required = T::Rules::judge_stakes().required(&judge.types);
        let missing = required.saturating_sub(judge.stake);
        if missing > 0 {
            let (reason, short) = (HoldReason::JudgeStake, Error::<T>::InsufficientStake);
            holds::hold::<T::Currency, _>(reason, who, missing, short)?;
            judge.stake = judge.stake.saturating_add(missing);
        }
        judge.settle_status(required);
        Ok(())
    }

    fn check_types(types: &Types) -> DispatchResult {
        ensure!(!types.is_empty(), Error::<T>::NoTypes);
        let repeated = types
            .iter()
            .enumerate()
            .any(|(i, t)| types.iter().skip(i).skip(1).any(|u| u == t));
        ensure!(!repeated, Error::<T>::DuplicateType);
        Ok(())
    }
}
