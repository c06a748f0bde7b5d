// SPDX-License-Identifier: Apache-2.0

//! The invariants that hold at any time, in small checks.

use crate::{
    Agenda, AgendaCursor, Baselines, Cases, Config, ControlAuthors, Controls, Docket, Job, Order,
    Pallet, Parties, Progress, Results, Round, Seat, Seats, Settling, Stage, Stakes, Step,
    VoteState, Votes,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::Get};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_types::{
    params::MAX_CONTROL_AUTHORS,
    roster::{MAX_PARTIES, MAX_SEATS},
    vote::{Ballot, Outcome, MAX_SCORE},
    Balance, CaseId, Difficulty, TaskType, MAX_PANEL, MAX_PARTICIPANTS,
};

const _: () = assert!(
    MAX_PANEL * 2 <= MAX_SEATS,
    "the accounts of a panel and those that fill its vacancies must have room in its order"
);
const _: () = assert!(
    MAX_PARTIES == MAX_PARTICIPANTS + 1,
    "the parties are the publisher and all authors"
);

/// Checks what the pallet relies on in panel sizes and in its configuration.
pub(crate) fn check_parameters<T: Config>() {
    for difficulty in Difficulty::ALL {
        let seats = difficulty.seats();
        assert!(
            seats % 2 == 1 && seats <= MAX_PANEL,
            "{difficulty:?}: panel of {seats}"
        );
    }
    let heaviest = Pallet::<T>::heaviest_step();
    assert!(
        heaviest.all_lte(T::MaxWork::get()),
        "MaxWork must cover the heaviest step, or the queue could stall: {heaviest:?}"
    );
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet.
    ///
    /// # Errors
    /// Names the first that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::queue_is_exact()?;
        for (case, docket) in Cases::<T>::iter() {
            Self::case_is_sound(&case, &docket)?;
        }
        for (case, number, round) in Progress::<T>::iter() {
            Self::round_is_sound(&case, number, &round)?;
        }
        Self::records_have_rounds()?;
        Self::settlements_are_sound()?;
        Self::control_answers_are_judged()
    }

    /// Stakes (in wei) that this pallet holds locked, by judge and type. The roster's records say the
    /// same.
    pub fn locks() -> BTreeMap<(T::AccountId, TaskType), Balance> {
        let mut locks = BTreeMap::new();
        for ((case, number, who), seat) in Seats::<T>::iter() {
            let round = Progress::<T>::get(case, number);
            let Some(round) = round.filter(|round| round.stakes != Stakes::Free) else {
                continue;
            };
            let sum: &mut Balance = locks.entry((who, round.task_type)).or_default();
            *sum = sum.saturating_add(seat.locked(round.lock));
        }
        locks.retain(|_, locked| *locked > 0);
        locks
    }

    /// Entries of the queue are those of the records, and none is before the cursor.
    fn queue_is_exact() -> Result<(), TryRuntimeError> {
        let cursor = AgendaCursor::<T>::get();
        let mut entries = 0usize;
        for (at, job, ()) in Agenda::<T>::iter() {
            ensure!(at >= cursor, "the cursor has passed an entry of the queue");
            let there = match job {
                Job::Case(case) => Cases::<T>::get(case)
                    .and_then(|docket| docket.due)
                    .is_some_and(|due| due.at == at),
                Job::Free(case, number) => Progress::<T>::get(case, number)
                    .is_some_and(|round| round.stakes == Stakes::Until(at)),
            };
            ensure!(there, "an entry of the queue that no record names");
            entries = entries.saturating_add(1);
        }
        let due = Cases::<T>::iter_values().filter(|docket| docket.due.is_some());
        let until =
            Progress::<T>::iter_values().filter(|round| matches!(round.stakes, Stakes::Until(_)));
        ensure!(
            due.count().saturating_add(until.count()) == entries,
            "a record names an entry that the queue has not"
        );
        Ok(())
    }

    fn case_is_sound(case: &CaseId, docket: &Docket) -> Result<(), TryRuntimeError> {
        let step = docket.due.map(|due| due.step);
        let fits = match docket.stage {
            Stage::Commit => matches!(step, Some(Step::Half | Step::Reveal)),
            Stage::Reveal => step == Some(Step::Count),
            Stage::Waiting | Stage::Stands | Stage::Abandoned | Stage::Closed => step.is_none(),
        };
        ensure!(fits, "case: its step does not fit its stage");
        ensure!(
            docket.answers <= MAX_PARTICIPANTS && docket.seats <= MAX_PANEL,
            "case: out of bounds"
        );
        ensure!(Parties::<T>::contains_key(case), "case: no parties");
        let round = Progress::<T>::get(case, docket.round);
        let sits = round.is_some_and(|round| round.stakes == Stakes::Locked);
        let votes = matches!(docket.stage, Stage::Commit | Stage::Reveal | Stage::Stands);
        ensure!(sits == votes, "case: its panel does not fit its stage");
        ensure!(!votes || docket.baseline.is_some(), "case: no baseline");
        let result = Results::<T>::get(case);
        ensure!(
            result.is_some() || docket.stage != Stage::Stands,
            "case: stands without a result"
        );
        let Some(result) = result else {
            return Ok(());
        };
        ensure!(
            matches!(docket.stage, Stage::Stands | Stage::Closed) && result.round == docket.round,
            "case: a result of another round"
        );
        let expected = match result.outcome {
            Outcome::Scored => docket.answers as usize,
            Outcome::Faulty => 0,
            Outcome::None => return Err("case: a result without an outcome".into()),
        };
        ensure!(
            result.answers.len() == expected,
            "case: wrong number of results"
        );
        ensure!(
            result.report.is_none() || docket.tool.is_some(),
            "case: a report that was not asked for"
        );
        Ok(())
    }

    fn round_is_sound(case: &CaseId, number: u32, round: &Round) -> Result<(), TryRuntimeError> {
        let docket = Cases::<T>::get(case);
        let last = docket.filter(|docket| docket.round == number);
        let stage = last.as_ref().map(|docket| docket.stage);
        ensure!(
            round.stakes != Stakes::Locked
                || matches!(stage, Some(Stage::Commit | Stage::Reveal | Stage::Stands)),
            "round: its stakes stay locked for ever"
        );
        ensure!(
            round.stakes != Stakes::Free || stage == Some(Stage::Closed),
            "round: kept without a case"
        );
        ensure!(
            !round.waits || stage == Some(Stage::Commit),
            "round: waits for judges at the wrong time"
        );
        let order = Order::<T>::get(case, number);
        let names: BTreeSet<_> = order.iter().collect();
        ensure!(names.len() == order.len(), "round: an account sits twice");
        let (mut seats, mut committed) = (round.vacant, 0u32);
        let (mut scoring, mut unjudgeable) = (0u32, 0u32);
        for who in &order {
            let seat =
                Seats::<T>::get((case, number, who)).ok_or("round: an account without seats")?;
            Self::seat_is_sound(&seat, round)?;
            seats = seats.saturating_add(seat.seats);
            if seat.vote != VoteState::Awaited {
                committed = committed.saturating_add(seat.seats);
            }
            let vote = Votes::<T>::get((case, number, who));
            ensure!(
                vote.is_none() || seat.vote == VoteState::Revealed,
                "vote: stored without a reveal"
            );
            match vote.map(|vote| vote.ballot) {
                Some(Ballot::Scores(scores)) => {
                    let wanted = last.as_ref().map_or(0, |docket| docket.answers);
                    ensure!(scores.len() == wanted as usize, "vote: wrong length");
                    scoring = scoring.saturating_add(seat.seats);
                }
                Some(Ballot::Unjudgeable(_)) => {
                    unjudgeable = unjudgeable.saturating_add(seat.seats);
                }
                None => {}
            }
        }
        ensure!(seats == round.seats, "round: wrong number of seats");
        ensure!(
            committed == round.committed && round.revealed() <= committed,
            "round: wrong number of commitments"
        );
        // Votes of other rounds are dropped, or being forgotten.
        if matches!(stage, Some(Stage::Commit | Stage::Reveal | Stage::Stands)) {
            ensure!(
                (scoring, unjudgeable) == (round.scoring, round.unjudgeable),
                "round: wrong number of votes"
            );
        }
        Ok(())
    }

    fn seat_is_sound(seat: &Seat, round: &Round) -> Result<(), TryRuntimeError> {
        ensure!(
            seat.lost <= seat.stake(round.lock),
            "seat: more lost than was locked"
        );
        ensure!(
            seat.seats > 0 || (seat.vote == VoteState::Awaited && !seat.certified),
            "seat: a vote of none"
        );
        ensure!(seat.stake(1) > 0, "seat: there never was one");
        Ok(())
    }

    /// No seat, vote or order is without its round.
    fn records_have_rounds() -> Result<(), TryRuntimeError> {
        for (case, number, who) in Seats::<T>::iter_keys() {
            ensure!(
                Order::<T>::get(case, number).contains(&who),
                "a seat of no round"
            );
        }
        for (case, number, who) in Votes::<T>::iter_keys() {
            ensure!(
                Seats::<T>::contains_key((case, number, who)),
                "a vote without a seat"
            );
        }
        for (case, number) in Order::<T>::iter_keys() {
            ensure!(
                Progress::<T>::contains_key(case, number),
                "an order of no round"
            );
        }
        let known = |case: CaseId| Cases::<T>::contains_key(case);
        ensure!(Parties::<T>::iter_keys().all(known), "parties of no case");
        ensure!(Results::<T>::iter_keys().all(known), "a result of no case");
        Ok(())
    }

    fn settlements_are_sound() -> Result<(), TryRuntimeError> {
        for (case, plan) in Settling::<T>::iter() {
            let docket = Cases::<T>::get(case).ok_or("a settlement of no case")?;
            ensure!(
                docket.stage == Stage::Stands && !docket.settled,
                "settlement: at the wrong time"
            );
            let accounts = Self::accounts(&case, docket.round);
            ensure!(
                plan.shares.len() == accounts as usize && plan.next <= accounts,
                "settlement: not of its panel"
            );
        }
        ensure!(
            Baselines::<T>::iter_values().all(|baseline| baseline <= MAX_SCORE),
            "a baseline out of range"
        );
        Ok(())
    }

    fn control_answers_are_judged() -> Result<(), TryRuntimeError> {
        ensure!(
            ControlAuthors::<T>::count() <= MAX_CONTROL_AUTHORS,
            "too many control authors"
        );
        Controls::<T>::iter().try_for_each(|(case, known)| {
            let docket = Cases::<T>::get(case).ok_or("control answers of no case")?;
            let places: BTreeSet<u32> = known.iter().map(|known| known.index).collect();
            ensure!(places.len() == known.len(), "an answer is known twice");
            ensure!(
                places.iter().all(|index| *index < docket.answers),
                "a control answer that is none"
            );
            Ok(())
        })
    }
}
