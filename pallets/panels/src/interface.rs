// SPDX-License-Identifier: Apache-2.0

//! Rounds as the pallet of tasks uses them.

use crate::{
    Cases, Config, Controls, Docket, Error, Event, Order, Pallet, Parties, PartyList, Progress,
    Results, Seats, Settling, Stage, Stakes, VoteState, Votes, WeightInfo, LOG_TARGET,
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get as _, weights::Weight};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_interfaces::{Case, Cases as _, Clock, Done, Roster, Rounds};
use tos_types::{
    params::share_of,
    roster::SeatStake,
    rounds::{Cursor, FinalResult, Say, Standing},
    vote::Ballot,
    CaseId, MAX_PANEL, MAX_PARTICIPANTS,
};

impl<T: Config> Rounds<T::AccountId> for Pallet<T> {
    fn open(case: Case<T::AccountId>) -> DispatchResult {
        let id = case.id;
        ensure!(!Cases::<T>::contains_key(id), Error::<T>::AlreadyOpen);
        let bounded = case.answers <= MAX_PARTICIPANTS && (1..=MAX_PANEL).contains(&case.seats);
        ensure!(bounded, Error::<T>::OutOfBounds);
        let parties = PartyList::try_from(case.parties).map_err(|_| Error::<T>::OutOfBounds)?;
        let rules = T::Cases::seat_rules(case.rules);
        let docket = Docket {
            task_type: case.task_type,
            seats: case.seats,
            stake: SeatStake::PartOf {
                all: share_of(case.reward, rules.seat_stake),
                least: rules.least_seat_stake,
            },
            pay: case.pay,
            class: case.class,
            answers: case.answers,
            inline: case.inline,
            rules: case.rules,
            tool: case.tool,
            since: case.since,
            stage: Stage::Waiting,
            round: 0,
            deadline: T::Clock::now().saturating_add(T::Times::get().wait),
            due: None,
            failures: 0,
            failed_since: None,
            baseline: None,
            settled: false,
        };
        Parties::<T>::insert(id, parties);
        Self::request_panel(&id, &docket)?;
        let seats = docket.seats;
        Cases::<T>::insert(id, docket);
        Self::deposit_event(Event::Opened { case: id, seats });
        Ok(())
    }

    fn raise(case: &CaseId, class: u8) -> DispatchResult {
        let mut docket = Self::docket(case)?;
        ensure!(docket.stage == Stage::Waiting, Error::<T>::NotWaiting);
        T::Roster::raise(case, class)?;
        // Later panels of the case wait in this class too.
        docket.class = class;
        Cases::<T>::insert(case, docket);
        Ok(())
    }

    fn result(case: &CaseId) -> Option<Standing> {
        Results::<T>::get(case)
    }

    fn revealed_seats(case: &CaseId, say: Say) -> Vec<(T::AccountId, u32)> {
        let Some(Standing { round, .. }) = Results::<T>::get(case) else {
            return Vec::new();
        };
        Order::<T>::get(case, round)
            .into_iter()
            .filter_map(|who| {
                let seat = Seats::<T>::get((case, round, &who))?;
                let vote = Votes::<T>::get((case, round, &who))?;
                let said = match vote.ballot {
                    Ballot::Scores(_) => Say::Scores,
                    Ballot::Unjudgeable(_) => Say::Unjudgeable,
                };
                let counts = seat.vote == VoteState::Revealed && said == say;
                counts.then_some((who, seat.seats))
            })
            .collect()
    }

    fn settle(case: &CaseId, result: &FinalResult, from: Cursor, budget: Weight) -> Done {
        Self::do_settle(case, result, from, budget)
    }

    fn close(case: &CaseId) {
        let Some(mut docket) = Cases::<T>::get(case) else {
            return;
        };
        let number = docket.round;
        let mut waits = docket.stage == Stage::Waiting;
        if let Some(mut round) = Progress::<T>::get(case, number).filter(|round| round.waits) {
            waits = true;
            round.waits = false;
            Progress::<T>::insert(case, number, round);
        }
        if waits {
            T::Roster::withdraw(case);
        }
        Self::schedule(case, &mut docket, None);
        docket.stage = Stage::Closed;
        Cases::<T>::insert(case, docket);
        Settling::<T>::remove(case);
        Self::free_later(case, number);
    }

    fn forget(case: &CaseId, from: Cursor, budget: Weight) -> Done {
        let begin = T::WeightInfo::forget_begin();
        let Some(docket) = Cases::<T>::get(case).filter(|docket| docket.stage == Stage::Closed)
        else {
            log::error!(target: LOG_TARGET, "{case} is to be forgotten, and is not closed");
            return Done {
                next: None,
                used: begin,
            };
        };
        Self::forget_round(case, &docket, from, budget, begin)
    }
}

impl<T: Config> Pallet<T> {
    /// Removes what is left of the last round of a case, and then the case. Stakes that are still locked
    /// are unlocked by the queue, which removes their seats.
    fn forget_round(
        case: &CaseId,
        docket: &Docket,
        from: Cursor,
        budget: Weight,
        mut used: Weight,
    ) -> Done {
        let number = docket.round;
        let free = Progress::<T>::get(case, number).is_some_and(|r| r.stakes == Stakes::Free);
        let order = Order::<T>::get(case, number);
        let accounts = Self::length(order.len());
        let (vote, end) = (
            T::WeightInfo::forget_vote(),
            T::WeightInfo::forget_end(accounts),
        );
        let fits = |used: Weight, more: Weight| used.saturating_add(more).all_lte(budget);
        let mut next = from;
        let mut removed = false;
        while let Some(who) = order.get(next.0 as usize) {
            if removed && !fits(used, vote) {
                break;
            }
            Votes::<T>::remove((case, number, who));
            used = used.saturating_add(vote);
            next = Cursor(next.0.saturating_add(1));
            removed = true;
        }
        if next.0 < accounts || (removed && !fits(used, end)) {
            return Done {
                next: Some(next),
                used,
            };
        }
        if free {
            for who in &order {
                Seats::<T>::remove((case, number, who));
            }
            Progress::<T>::remove(case, number);
            Order::<T>::remove(case, number);
        }
        Cases::<T>::remove(case);
        Parties::<T>::remove(case);
        Results::<T>::remove(case);
        Controls::<T>::remove(case);
        Done {
            next: None,
            used: used.saturating_add(end),
        }
    }
}
