// SPDX-License-Identifier: Apache-2.0

//! Drawing a panel.
//!
//! At most [`MAX_CANDIDATES`] candidates are looked at, whatever the size of the pool. The cheap
//! questions come first (status, seats, suspension, weight), and only who passes them is asked
//! whether it must recuse itself from the publisher or a submitter: two reads, for all of them
//! together.

use crate::{
    Ballot, Config, CurrentRound, Duties, Event, Judges, Member, Pallet, PanelMembers, Pool,
    PoolSize, Round, Rounds,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{traits::Defensive, BoundedVec};
use polkadot_sdk::*;
use sp_io::hashing::blake2_256;
use tos_formulas::median::{cap_weights, distinct_indices, weighted_sample};
use tos_interfaces::{MinerRegistry, PanelRequest, Reputation, TaskPhases};
use tos_types::{
    params::{AUTOMATIC_SEATS, MAX_CANDIDATES, MAX_CONCURRENT_PANELS, MIN_PANEL},
    rules::JudgingRules,
    task::Certification,
    TaskType, MAX_PANEL,
};
use tos_views::JudgeStatus;

/// A judge that may sit on the panel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Candidate<AccountId> {
    pub who: AccountId,
    /// Weight before the cap; never zero.
    pub weight: u64,
    pub expert: bool,
    /// Has not sat in an earlier round of the task.
    pub fresh: bool,
}

/// The members to be seated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Choice<AccountId> {
    pub members: Vec<Candidate<AccountId>>,
    pub expert: bool,
}

impl<T: Config> Pallet<T> {
    /// Chooses a panel with the given seed and seats it. Returns the number of members, `None` when
    /// too few may sit, and the number of candidates that were looked at.
    pub(crate) fn draw_with(
        request: &PanelRequest<T::AccountId>,
        seed: [u8; 32],
    ) -> (Option<u32>, u32) {
        let (candidates, looked_at) = Self::candidates(request, seed);
        let seats = request.size.min(MAX_PANEL);
        let choice = choose(candidates, request.expert, seats, seed);
        (choice.map(|choice| Self::seat(request, choice)), looked_at)
    }

    /// Up to [`MAX_CANDIDATES`] judges from the pool of the type, those that may sit, and how many
    /// were looked at.
    fn candidates(
        request: &PanelRequest<T::AccountId>,
        seed: [u8; 32],
    ) -> (Vec<Candidate<T::AccountId>>, u32) {
        let earlier: Vec<T::AccountId> = (0..request.round)
            .filter_map(|number| Rounds::<T>::get(request.task, number))
            .flat_map(|round| round.members)
            .map(|member| member.who)
            .collect();
        let rules = T::Phases::rules(&request.task).judging;
        let publisher = core::iter::once(&request.publisher);
        let parties: Vec<_> = publisher.chain(&request.submitters).cloned().collect();
        let pool = PoolSize::<T>::get(request.task_type);
        let indices = distinct_indices(pool, MAX_CANDIDATES, derive(&seed, b"pool"));
        let looked_at = u32::try_from(indices.len()).unwrap_or(MAX_CANDIDATES);
        let candidates = indices
            .into_iter()
            .filter_map(|index| Pool::<T>::get(request.task_type, index))
            .filter_map(|who| Self::candidate(request, who, &parties, &earlier, &rules))
            .collect();
        (candidates, looked_at)
    }

    /// `who` as a candidate, unless something speaks against it. Cheap questions come first.
    fn candidate(
        request: &PanelRequest<T::AccountId>,
        who: T::AccountId,
        parties: &[T::AccountId],
        earlier: &[T::AccountId],
        rules: &JudgingRules,
    ) -> Option<Candidate<T::AccountId>> {
        let judge = Judges::<T>::get(&who)?;
        if judge.status != JudgeStatus::Active {
            return None;
        }
        // A member of an earlier round has this task among its duties already.
        let fresh = !earlier.contains(&who);
        if fresh && judge.panels >= MAX_CONCURRENT_PANELS {
            return None;
        }
        if T::Miners::is_suspended(&who) {
            return None;
        }
        let certification = T::Miners::certification(&who);
        let weight = Self::vote_weight(&who, request.task_type, certification, rules);
        if weight == 0 {
            return None;
        }
        // Asked of the candidate: what a party declares must not choose its judges. And as of the
        // publication: what the candidate declares when it knows the seed must not either.
        if T::Miners::recuses(&who, parties, request.since) {
            return None;
        }
        let expert =
            certification >= Certification::Expert && judge.is_accurate(rules.expert_accuracy);
        Some(Candidate {
            who,
            weight,
            expert,
            fresh,
        })
    }

    /// Reputation in the type times the level's factor, for those who have shown anything yet.
    fn vote_weight(
        who: &T::AccountId,
        task_type: TaskType,
        certification: Certification,
        rules: &JudgingRules,
    ) -> u64 {
        let proven = certification >= Certification::Professional
            || T::Reputation::settled(who) >= rules.settled_to_vote;
        if proven {
            let reputation = u64::from(T::Reputation::domain(who, task_type));
            reputation.saturating_mul(T::Miners::vote_tenths(who)) / 10
        } else {
            0
        }
    }

    /// Seats the members with capped weights.
    pub(crate) fn seat(request: &PanelRequest<T::AccountId>, choice: Choice<T::AccountId>) -> u32 {
        let Choice { members, expert } = choice;
        let mut weights: Vec<u64> = members.iter().map(|m| m.weight).collect();
        cap_weights(&mut weights);
        let seats =
            members
                .into_iter()
                .zip(weights)
                .enumerate()
                .map(|(place, (member, weight))| Member {
                    who: member.who,
                    weight,
                    automatic: request.automatic && place < AUTOMATIC_SEATS as usize,
                    ballot: Ballot::Awaited,
                });
        let members = BoundedVec::truncate_from(seats.collect());
        for member in &members {
            Self::take_on(&member.who, request);
        }
        let count = u32::try_from(members.len()).unwrap_or(MAX_PANEL);
        let names = PanelMembers::truncate_from(members.iter().map(|m| m.who.clone()).collect());
        let round = Round {
            members,
            answers: request.answers,
            expert,
            tally: None,
            report: None,
        };
        Rounds::<T>::insert(request.task, request.round, round);
        CurrentRound::<T>::insert(request.task, request.round);
        Self::deposit_event(Event::PanelSeated {
            task: request.task,
            round: request.round,
            members: names,
            expert,
        });
        count
    }

    /// Notes the task among the duties of `who`.
    fn take_on(who: &T::AccountId, request: &PanelRequest<T::AccountId>) {
        let panels = Duties::<T>::mutate(who, |duties| {
            if !duties.contains(&request.task) {
                let _ = duties
                    .try_push(request.task)
                    .defensive_proof("candidates with a full list are passed over; qed");
            }
            u32::try_from(duties.len()).unwrap_or(u32::MAX)
        });
        Judges::<T>::mutate_extant(who, |judge| judge.panels = panels);
    }
}

/// Chooses the members of a panel of `size`, or of the largest odd number below it for which there
/// are enough; `None` below [`MIN_PANEL`]. Those who have not sat in the task yet come first and,
/// where they are enough, alone; among those who come into question, experts where they are wanted
/// and enough.
pub(crate) fn choose<AccountId: Clone>(
    candidates: Vec<Candidate<AccountId>>,
    expert: bool,
    size: u32,
    seed: [u8; 32],
) -> Option<Choice<AccountId>> {
    let enough = |group: &[Candidate<AccountId>]| group.len() >= MIN_PANEL as usize;
    let (fresh, earlier): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|c| c.fresh);
    let group = if enough(&fresh) {
        fresh
    } else {
        fresh.into_iter().chain(earlier).collect()
    };
    let experts: Vec<_> = group.iter().filter(|c| c.expert).cloned().collect();
    let expert = expert && enough(&experts);
    let group = if expert { experts } else { group };
    if !enough(&group) {
        return None;
    }

    let seats = largest_odd(group.len().min(size as usize));
    let (fresh, earlier): (Vec<_>, Vec<_>) = group.into_iter().partition(|c| c.fresh);
    let mut members = sample(fresh, seats, derive(&seed, b"fresh"));
    let left = seats.saturating_sub(members.len());
    members.extend(sample(earlier, left, derive(&seed, b"earlier")));
    (members.len() >= MIN_PANEL as usize).then_some(Choice { members, expert })
}

/// Up to `count` of the group, by weight and without replacement, in the order of drawing.
fn sample<AccountId: Clone>(
    group: Vec<Candidate<AccountId>>,
    count: usize,
    seed: [u8; 32],
) -> Vec<Candidate<AccountId>> {
    let weights: Vec<u64> = group.iter().map(|c| c.weight).collect();
    weighted_sample(&weights, count, seed)
        .into_iter()
        .filter_map(|index| group.get(index).cloned())
        .collect()
}

/// `count`, or one less when it is even.
fn largest_odd(count: usize) -> usize {
    if count.is_multiple_of(2) {
        count.saturating_sub(1)
    } else {
        count
    }
}

/// An independent seed for one purpose.
fn derive<const N: usize>(seed: &[u8; 32], purpose: &[u8; N]) -> [u8; 32] {
    (b"tos/panel/v1", purpose, seed).using_encoded(blake2_256)
}
