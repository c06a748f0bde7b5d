// SPDX-License-Identifier: Apache-2.0

//! Requests for seats, and those whom the roster seats.

use crate::{
    Accounts, Baselines, Cases, Config, Docket, DrawnSeats, Due, Error, Event, Order, Pallet,
    Parties, Progress, Round, Seat, Seats, Stage, Stakes, Step, VoteState, LOG_TARGET,
    START_BASELINE,
};
use alloc::vec::Vec;
use frame_support::{storage::with_storage_layer, traits::Get, BoundedVec};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Cases as _, Clock, Roster, Seating};
use tos_types::{
    roster::{SeatKind, SeatRequest, SeatStake, Seated},
    Balance, CaseId, Phase, TaskType, MAX_PANEL,
};

impl<T: Config> Seating<T::AccountId> for Pallet<T> {
    fn seated(case: &CaseId, round: u32, lock: Balance, seats: Vec<Seated<T::AccountId>>) {
        let docket = Cases::<T>::get(case).filter(|docket| docket.round == round);
        match docket {
            Some(docket) if docket.stage == Stage::Waiting => {
                Self::seat_panel(case, docket, lock, seats);
            }
            Some(docket)
                if docket.stage == Stage::Commit && Self::awaits_vacancies(case, round) =>
            {
                Self::fill_vacancies(case, docket, lock, seats);
            }
            docket => {
                log::error!(target: LOG_TARGET, "seats of {case}, round {round}, that no case waits for");
                if let Some(docket) = docket.or_else(|| Cases::<T>::get(case)) {
                    for drawn in seats {
                        Self::give_back(docket.task_type, lock, &drawn.who, drawn.seats);
                    }
                }
            }
        }
    }

    fn expired(case: &CaseId, round: u32) {
        let Some(mut docket) = Cases::<T>::get(case).filter(|docket| docket.round == round) else {
            return;
        };
        match docket.stage {
            Stage::Waiting => {
                docket.stage = Stage::Abandoned;
                Cases::<T>::insert(case, docket);
                Self::tell_abandoned(case);
            }
            // No judges were found for the vacant seats.
            Stage::Commit if Self::awaits_vacancies(case, round) => {
                let lock = Progress::<T>::get(case, round).map_or(0, |round| round.lock);
                Self::fill_vacancies(case, docket, lock, Vec::new());
            }
            _ => {}
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Asks the roster for a new panel.
    pub(crate) fn request_panel(case: &CaseId, docket: &Docket) -> DispatchResult {
        let (kind, seats) = (SeatKind::Panel, docket.seats);
        Self::enqueue(case, docket, kind, docket.stake, seats)
    }

    /// Asks the roster for judges of vacant seats, `certified` of which are for certified judges, none
    /// of the `holders`. Returns `true` if it will draw.
    pub(crate) fn request_vacancies(
        case: &CaseId,
        docket: &Docket,
        round: &Round,
        certified: u32,
        holders: BoundedVec<T::AccountId, frame_support::traits::ConstU32<MAX_PANEL>>,
    ) -> bool {
        let kind = SeatKind::Vacancy { certified, holders };
        let stake = SeatStake::Each(round.lock);
        let asked = with_storage_layer(|| Self::enqueue(case, docket, kind, stake, round.vacant));
        if let Err(error) = asked {
            log::error!(target: LOG_TARGET, "vacancies of {case} are not drawn: {error:?}");
        }
        asked.is_ok()
    }

    fn enqueue(
        case: &CaseId,
        docket: &Docket,
        kind: SeatKind<T::AccountId>,
        stake: SeatStake,
        seats: u32,
    ) -> DispatchResult {
        let request = SeatRequest {
            case: *case,
            round: docket.round,
            task_type: docket.task_type,
            seats,
            kind,
            stake,
            since: docket.since,
            parties: Parties::<T>::get(case),
        };
        T::Roster::enqueue(request, docket.class)
    }

    /// `true` if a draw for vacant seats of this round is waited for.
    fn awaits_vacancies(case: &CaseId, round: u32) -> bool {
        Progress::<T>::get(case, round).is_some_and(|round| round.waits)
    }

    /// Tells that a case has found no result.
    pub(crate) fn tell_abandoned(case: &CaseId) {
        Self::deposit_event(Event::Abandoned { case: *case });
        T::Cases::abandoned(case);
    }

    fn seat_panel(
        case: &CaseId,
        mut docket: Docket,
        lock: Balance,
        drawn: Vec<Seated<T::AccountId>>,
    ) {
        let number = docket.round;
        let mut round = Round {
            task_type: docket.task_type,
            lock,
            seats: drawn
                .iter()
                .fold(0, |sum: u32, drawn| sum.saturating_add(drawn.seats)),
            vacant: 0,
            waits: false,
            committed: 0,
            scoring: 0,
            unjudgeable: 0,
            stakes: Stakes::Locked,
        };
        round.vacant = round.seats;
        let seats = Self::take_seats(case, number, &mut round, drawn);
        Progress::<T>::insert(case, number, &round);

        let now = T::Clock::now();
        let window = T::Clock::phase_lengths().vote_commit;
        docket.baseline = docket
            .baseline
            .or_else(|| Some(Self::baseline(docket.task_type)));
        docket.stage = Stage::Commit;
        docket.deadline = now.saturating_add(window);
        let half = Due {
            // Never in this tick, whose steps may have been taken.
            at: now.saturating_add((window / 2).max(1)),
            step: Step::Half,
        };
        Self::schedule(case, &mut docket, Some(half));
        let deadline = docket.deadline;
        Cases::<T>::insert(case, docket);
        Self::deposit_event(Event::PanelSeated {
            case: *case,
            round: number,
            lock,
            seats,
            deadline,
        });
        T::Cases::entered(case, Phase::VoteCommit, number, deadline);
    }

    fn fill_vacancies(
        case: &CaseId,
        docket: Docket,
        lock: Balance,
        drawn: Vec<Seated<T::AccountId>>,
    ) {
        let number = docket.round;
        let Some(mut round) = Progress::<T>::get(case, number) else {
            return;
        };
        if round.lock != lock {
            log::error!(target: LOG_TARGET, "seats of {case} lock {lock}, and not {}", round.lock);
        }
        round.waits = false;
        let seats = Self::take_seats(case, number, &mut round, drawn);
        Progress::<T>::insert(case, number, &round);
        Self::deposit_event(Event::VacanciesDrawn {
            case: *case,
            round: number,
            seats,
        });
        if round.all_committed() {
            Self::hasten(case, docket, Step::Reveal);
        }
    }

    /// Gives judges the vacant seats of a round; seats that are too many are given back at once. The
    /// vote of an account that sits already counts for its new seats too.
    fn take_seats(
        case: &CaseId,
        number: u32,
        round: &mut Round,
        drawn: Vec<Seated<T::AccountId>>,
    ) -> DrawnSeats<T::AccountId> {
        let mut order: Accounts<T::AccountId> = Order::<T>::get(case, number);
        let mut all = DrawnSeats::new();
        for Seated {
            who,
            seats,
            certified,
        } in drawn
        {
            let known = Seats::<T>::get((case, number, &who));
            let wanted = seats.min(round.vacant);
            let room = wanted > 0 && (known.is_some() || order.try_push(who.clone()).is_ok());
            let taken = if room { wanted } else { 0 };
            let surplus = seats.saturating_sub(taken);
            if surplus > 0 {
                log::error!(target: LOG_TARGET, "{surplus} seats of {case} are too many");
                Self::give_back(round.task_type, round.lock, &who, surplus);
            }
            if taken == 0 {
                continue;
            }
            round.vacant = round.vacant.saturating_sub(taken);
            let seat = match known {
                None => Seat::of(taken, certified),
                Some(mut seat) => {
                    seat.seats = seat.seats.saturating_add(taken);
                    seat.certified |= certified;
                    if seat.vote != VoteState::Awaited {
                        round.committed = round.committed.saturating_add(taken);
                    }
                    seat
                }
            };
            Seats::<T>::insert((case, number, &who), seat);
            // Cannot fail: no more accounts are seated than there is room for in the order.
            let _ = all.try_push((who, taken));
        }
        Order::<T>::insert(case, number, order);
        all
    }

    /// Unlocks the stake of seats that no case has.
    fn give_back(task_type: TaskType, lock: Balance, who: &T::AccountId, seats: u32) {
        T::Roster::free(who, task_type, lock.saturating_mul(seats.into()));
    }

    /// The baseline of a type.
    pub(crate) fn baseline(task_type: TaskType) -> u8 {
        Baselines::<T>::get(task_type).unwrap_or(START_BASELINE)
    }

    /// Lets a case wait for its next panel, or gives it up where it has gone without a result for the
    /// longest time.
    pub(crate) fn wait_again(case: &CaseId, mut docket: Docket) -> Result<(), DispatchError> {
        let now = T::Clock::now();
        let wait = T::Times::get().wait;
        let since = *docket.failed_since.get_or_insert(now);
        Self::schedule(case, &mut docket, None);
        if now >= since.saturating_add(wait) {
            docket.stage = Stage::Abandoned;
            Cases::<T>::insert(case, docket);
            Self::tell_abandoned(case);
            return Ok(());
        }
        docket.round = docket
            .round
            .checked_add(1)
            .ok_or(Error::<T>::Inconsistent)?;
        docket.stage = Stage::Waiting;
        docket.deadline = now.saturating_add(wait);
        Self::request_panel(case, &docket)?;
        let (round, deadline) = (docket.round, docket.deadline);
        Cases::<T>::insert(case, docket);
        T::Cases::entered(case, Phase::PanelDraw, round, deadline);
        Ok(())
    }
}
