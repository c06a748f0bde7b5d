// SPDX-License-Identifier: Apache-2.0

//! The reads of clients.

use crate::{Ballot, Config, CurrentRound, Duties, Judges, Pallet, Rounds, Votes};
use alloc::vec::Vec;
use tos_interfaces::{MinerRegistry, TaskPhases, VotingStage};
use tos_types::{rules::MemberRules, TaskId};
use tos_views::{Action, DutyView, JudgeView, MemberView, RoundView};

impl<T: Config> Pallet<T> {
    pub(crate) fn judge_view(who: &T::AccountId) -> Option<JudgeView> {
        let judge = Judges::<T>::get(who)?;
        Some(JudgeView {
            stake: judge.stake,
            required: T::Rules::judge_stakes().required(&judge.types),
            types: judge.types.into_inner(),
            accuracy: judge.accuracy,
            known: judge.known,
            checks: judge.checks,
            panels: judge.panels,
            status: judge.status,
            suspended_until: T::Miners::suspended_until(who),
        })
    }

    pub(crate) fn duty_views(who: &T::AccountId) -> Vec<DutyView> {
        Duties::<T>::get(who)
            .into_iter()
            .filter_map(|task| Self::duty_view(who, task))
            .collect()
    }

    fn duty_view(who: &T::AccountId, task: TaskId) -> Option<DutyView> {
        let current = CurrentRound::<T>::get(task)?;
        let round = Rounds::<T>::get(task, current)?;
        let seat = round.members.iter().find(|member| member.who == *who);
        let action = match (T::Phases::stage(&task), seat.map(|member| &member.ballot)) {
            (Some(VotingStage::Commit { round }), Some(Ballot::Awaited)) => {
                Some(Action::CommitVote { round })
            }
            (Some(VotingStage::Reveal { round }), Some(Ballot::Committed(_))) => {
                Some(Action::RevealVote { round })
            }
            _ => None,
        };
        Some(DutyView {
            task,
            round: current,
            answers: round.answers,
            action,
            deadline: T::Phases::deadline(&task),
            tool: seat
                .filter(|seat| seat.automatic)
                .and_then(|_| T::Phases::tool(&task)),
        })
    }

    pub(crate) fn round_view(task: &TaskId, number: u32) -> Option<RoundView<T::AccountId>> {
        let round = Rounds::<T>::get(task, number)?;
        let members = round.members.into_iter().map(|member| {
            let vote = Votes::<T>::get((task, number, &member.who));
            MemberView {
                automatic: member.automatic,
                committed: member.ballot != Ballot::Awaited,
                report: vote.as_ref().and_then(|vote| vote.report),
                vote: vote.map(|vote| vote.scores.into_inner()),
                weight: member.weight,
                who: member.who,
            }
        });
        Some(RoundView {
            members: members.collect(),
            answers: round.answers,
            expert: round.expert,
            tally: round.tally,
            report: round.report,
        })
    }
}
