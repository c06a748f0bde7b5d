// SPDX-License-Identifier: Apache-2.0

//! The invariants that hold at any time, in small checks.

use crate::{
    types::MAX_TYPES, Ballot, Config, ControlAuthors, Controls, CurrentRound, Duties, HoldReason,
    JudgeCount, Judges, Pallet, Pool, PoolIndex, PoolSize, Results, Rounds, Votes,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
    ensure,
    traits::fungible::{hold::Inspect as _, Inspect},
};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_formulas::median::{cap_weights, max_share};
use tos_types::{
    params::{
        share_of, AGREEING_REPORTS, AUTOMATIC_SEATS, ESCALATION_STEP, MAX_CANDIDATES,
        MAX_CONTROL_AUTHORS, MAX_ESCALATIONS, MIN_PANEL,
    },
    rules::{LEAST_REGISTRATION, LEAST_VOTE_SLASH, MOST_REGISTRATION},
    Difficulty, TaskId, TaskType, BP, MAX_PANEL, MAX_PARTICIPANTS, MAX_ROUNDS,
};
use tos_views::JudgeStatus;

// Relations among constants; those that need the runtime are in `check_parameters`.
const _: () = {
    assert!(
        MIN_PANEL % 2 == 1,
        "the smallest panel must be odd, so that its median is one vote"
    );
    assert!(
        max_share(MIN_PANEL as usize) as u32 * MIN_PANEL >= BP as u32,
        "the caps of the smallest panel must leave room for all of its weight",
    );
    assert!(
        MAX_ROUNDS == MAX_ESCALATIONS + 2,
        "the rounds are the first, the escalations and one challenge",
    );
    assert!(
        MAX_PANEL <= MAX_CANDIDATES,
        "a draw must see enough candidates for every seat"
    );
    assert!(
        MAX_TYPES as usize >= TaskType::BUILT_IN.len(),
        "one may judge all built-in types"
    );
};

const _: () = {
    assert!(
        AUTOMATIC_SEATS <= MIN_PANEL,
        "every panel must have room for the automatic seats"
    );
    assert!(
        AGREEING_REPORTS * 2 > AUTOMATIC_SEATS,
        "two different reports must not both be agreed on"
    );
};

/// Checks what the pallet relies on in panel sizes and in the runtime's currency.
pub(crate) fn check_parameters<T: Config>() {
    let growth = ESCALATION_STEP.saturating_mul(MAX_ROUNDS.saturating_sub(1));
    for difficulty in Difficulty::ALL {
        let size = difficulty.panel_size();
        assert!(
            size % 2 == 1 && size >= MIN_PANEL,
            "{difficulty:?}: panel of {size}"
        );
        assert!(
            size.saturating_add(growth) <= MAX_PANEL,
            "{difficulty:?}: a panel of {size} outgrows {MAX_PANEL}",
        );
    }
    assert!(
        share_of(LEAST_REGISTRATION, LEAST_VOTE_SLASH) >= T::Currency::minimum_balance(),
        "the smallest slash of a full stake must be able to create the treasury's account",
    );
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::stakes_are_on_hold()?;
        Self::judges_are_sound()?;
        Self::pools_are_exact()?;
        Self::duties_match_seats()?;
        Self::rounds_are_sound()?;
        Self::results_match_rounds()?;
        Self::control_answers_are_judged()
    }

    fn stakes_are_on_hold() -> Result<(), TryRuntimeError> {
        let reason = HoldReason::JudgeStake.into();
        Judges::<T>::iter().try_for_each(|(who, judge)| {
            let held = T::Currency::balance_on_hold(&reason, &who);
            ensure!(held == judge.stake, "judge: hold and recorded stake differ");
            Ok(())
        })
    }

    fn judges_are_sound() -> Result<(), TryRuntimeError> {
        let mut count = 0u32;
        for (_, judge) in Judges::<T>::iter() {
            count = count.saturating_add(1);
            let distinct: BTreeSet<_> = judge.types.iter().collect();
            ensure!(!judge.types.is_empty(), "judge: no types");
            ensure!(
                distinct.len() == judge.types.len(),
                "judge: duplicate types"
            );
            ensure!(
                judge.accuracy <= BP && judge.known <= BP,
                "judge: accuracy out of range"
            );
            // What was asked for when its status was set may have been more or less than now.
            let consistent = match judge.status {
                JudgeStatus::Active => judge.stake >= LEAST_REGISTRATION,
                JudgeStatus::Understaked => judge.stake < MOST_REGISTRATION,
                JudgeStatus::Leaving { .. } => true,
            };
            ensure!(consistent, "judge: status does not fit the stake");
        }
        ensure!(count == JudgeCount::<T>::get(), "judges: wrong count");
        Ok(())
    }

    fn pools_are_exact() -> Result<(), TryRuntimeError> {
        let mut sizes: BTreeMap<TaskType, u32> = BTreeMap::new();
        let mut places = 0usize;
        for (who, judge) in Judges::<T>::iter().filter(|(_, v)| !v.is_leaving()) {
            for task_type in &judge.types {
                let index = PoolIndex::<T>::get(task_type, &who);
                let index = index.ok_or("pool: a judge has no place")?;
                let there = Pool::<T>::get(task_type, index);
                ensure!(
                    there.as_ref() == Some(&who),
                    "pool: somebody else is in the place"
                );
                let size = sizes.entry(*task_type).or_default();
                *size = size.saturating_add(1);
                places = places.saturating_add(1);
            }
        }
        // With as many entries as places, every entry belongs to exactly one place.
        ensure!(
            Pool::<T>::iter().count() == places,
            "pool: entries of nobody"
        );
        ensure!(
            PoolIndex::<T>::iter().count() == places,
            "pool: positions of nobody"
        );
        ensure!(
            Pool::<T>::iter().all(|(t, i, _)| sizes.get(&t).is_some_and(|size| i < *size)),
            "pool: gaps",
        );
        ensure!(
            PoolSize::<T>::iter().collect::<BTreeMap<_, _>>() == sizes,
            "pool: wrong sizes"
        );
        Ok(())
    }

    fn duties_match_seats() -> Result<(), TryRuntimeError> {
        let mut seats: BTreeMap<T::AccountId, BTreeSet<TaskId>> = BTreeMap::new();
        for (task, last) in CurrentRound::<T>::iter() {
            ensure!(
                Rounds::<T>::contains_key(task, last),
                "the current round is missing"
            );
            for number in 0..=last {
                let members = Rounds::<T>::get(task, number).map(|round| round.members);
                for member in members.unwrap_or_default() {
                    seats.entry(member.who).or_default().insert(task);
                }
            }
        }
        let mut listed = 0usize;
        for (who, duties) in Duties::<T>::iter() {
            let tasks: BTreeSet<TaskId> = duties.iter().copied().collect();
            ensure!(
                tasks.len() == duties.len(),
                "duties: a task is listed twice"
            );
            ensure!(seats.get(&who) == Some(&tasks), "duties differ from seats");
            listed = listed.saturating_add(1);
        }
        ensure!(listed == seats.len(), "somebody has a seat and no duties");
        for (who, judge) in Judges::<T>::iter() {
            let duties = Duties::<T>::decode_len(&who).unwrap_or(0);
            ensure!(
                judge.panels as usize == duties,
                "judge: wrong number of panels"
            );
        }
        ensure!(
            seats.keys().all(Judges::<T>::contains_key),
            "a seat of no judge"
        );
        Ok(())
    }

    fn rounds_are_sound() -> Result<(), TryRuntimeError> {
        let mut revealed = 0usize;
        for (task, number, round) in Rounds::<T>::iter() {
            let size = round.members.len();
            ensure!(number < MAX_ROUNDS, "round: number out of range");
            ensure!(round.answers <= MAX_PARTICIPANTS, "round: too many answers");
            ensure!(
                size >= MIN_PANEL as usize && size % 2 == 1,
                "round: not a proper panel"
            );
            let names: BTreeSet<_> = round.members.iter().map(|m| &m.who).collect();
            ensure!(names.len() == size, "round: one member has two seats");
            let weights: alloc::vec::Vec<u64> = round.members.iter().map(|m| m.weight).collect();
            let mut capped = weights.clone();
            cap_weights(&mut capped);
            ensure!(capped == weights, "round: weights are not capped");
            ensure!(
                weights.iter().all(|w| *w > 0),
                "round: a member without weight"
            );
            let automatic = round.members.iter().filter(|m| m.automatic).count();
            ensure!(
                automatic == 0 || automatic == AUTOMATIC_SEATS as usize,
                "round: wrong number of automatic seats"
            );
            ensure!(
                round.members.iter().take(automatic).all(|m| m.automatic),
                "round: automatic seats are not the first"
            );
            ensure!(
                round.report.is_none() || (automatic > 0 && round.tally.is_some()),
                "round: a report nobody was asked for"
            );
            for member in &round.members {
                let vote = Votes::<T>::get((task, number, &member.who));
                let expected = member.ballot == Ballot::Revealed;
                ensure!(
                    vote.is_some() == expected,
                    "vote: stored without a reveal, or missing"
                );
                if let Some(vote) = vote {
                    let (scores, report) = (vote.scores, vote.report);
                    ensure!(scores.len() == round.answers as usize, "vote: wrong length");
                    ensure!(
                        report.is_none_or(|r| member.automatic && r.in_range(round.answers)),
                        "vote: a report that should not be there"
                    );
                    revealed = revealed.saturating_add(1);
                }
            }
        }
        ensure!(
            Votes::<T>::iter_keys().count() == revealed,
            "votes of no round"
        );
        Ok(())
    }

    fn results_match_rounds() -> Result<(), TryRuntimeError> {
        Results::<T>::iter().try_for_each(|(task, findings)| {
            let round = Rounds::<T>::get(task, findings.round);
            let round = round.ok_or("results of no round")?;
            ensure!(
                findings.answers.len() == round.answers as usize,
                "results: wrong length"
            );
            Ok(())
        })
    }

    fn control_answers_are_judged() -> Result<(), TryRuntimeError> {
        ensure!(
            ControlAuthors::<T>::count() <= MAX_CONTROL_AUTHORS,
            "too many control authors"
        );
        Controls::<T>::iter().try_for_each(|(task, known)| {
            let findings = Results::<T>::get(task).ok_or("control answers without a result")?;
            let places: BTreeSet<u32> = known.iter().map(|k| k.index).collect();
            ensure!(places.len() == known.len(), "an answer is known twice");
            ensure!(
                places
                    .iter()
                    .all(|index| (*index as usize) < findings.answers.len()),
                "a control answer that is none"
            );
            Ok(())
        })
    }
}
