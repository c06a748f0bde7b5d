// SPDX-License-Identifier: Apache-2.0

//! The steps of a round: its half, its reveals, its count, and the unlocking of its seats.

use crate::{
    count, Agenda, Cases, Config, Docket, Due, Error, Event, Job, Order, Pallet, Progress, Results,
    Round, Seat, Seats, Stage, Stakes, Step, VoteState, Votes, WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
    traits::{ConstU32, Get},
    weights::Weight,
    BoundedVec,
};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_formulas::{losses::SeatLock, points, rounds::outcome};
use tos_interfaces::{Cases as _, Clock, MinerRegistry, Roster};
use tos_types::{
    rounds::Standing,
    rules::SeatRules,
    vote::{AnswerOutcomes, Outcome},
    Balance, CaseId, Phase, TaskType, Tick, MAX_PANEL,
};

impl<T: Config> Pallet<T> {
    /// Takes the due step of a case, and returns its weight.
    pub(crate) fn take_step(case: &CaseId) -> Result<Weight, DispatchError> {
        let mut docket = Self::docket(case)?;
        let due = docket.due.ok_or(Error::<T>::Inconsistent)?;
        docket.failures = 0;
        match due.step {
            Step::Half => Self::step_half(case, docket),
            Step::Reveal => Self::step_reveal(case, docket),
            Step::Count => Self::step_count(case, docket),
        }
    }

    /// Vacates the seats of those that have not committed, and asks for others, once.
    fn step_half(case: &CaseId, mut docket: Docket) -> Result<Weight, DispatchError> {
        let number = docket.round;
        let order = Order::<T>::get(case, number);
        let mut round = Self::round(case, number)?;
        let mut certified = 0u32;
        let mut holders: BoundedVec<T::AccountId, ConstU32<MAX_PANEL>> = BoundedVec::new();
        for who in &order {
            let Some(seat) = Seats::<T>::get((case, number, who)) else {
                continue;
            };
            if seat.is_awaited() {
                certified = certified.saturating_add(seat.certified.into());
                Self::vacate(case, number, who, seat, &mut round);
            } else if seat.certified {
                // Cannot fail: a panel has no more seats.
                let _ = holders.try_push(who.clone());
            }
        }
        // Where the queue is behind, those that were drawn now would have no time to commit.
        round.waits = round.vacant > 0
            && T::Clock::now() < docket.deadline
            && Self::request_vacancies(case, &docket, &round, certified, holders);
        Progress::<T>::insert(case, number, &round);
        // In a later tick than this one, whose steps are being taken, also where the queue is behind.
        let soon = T::Clock::now().saturating_add(1);
        let at = if round.all_committed() {
            soon
        } else {
            soon.max(docket.deadline.saturating_add(1))
        };
        let step = Step::Reveal;
        Self::schedule(case, &mut docket, Some(Due { at, step }));
        Cases::<T>::insert(case, docket);
        Ok(T::WeightInfo::step_half(Self::length(order.len())))
    }

    /// Ends the commitments of a round, and begins its reveals.
    fn step_reveal(case: &CaseId, mut docket: Docket) -> Result<Weight, DispatchError> {
        let number = docket.round;
        let order = Order::<T>::get(case, number);
        let mut round = Self::round(case, number)?;
        if round.waits {
            T::Roster::withdraw(case);
            round.waits = false;
        }
        for who in &order {
            let seat = Seats::<T>::get((case, number, who)).filter(Seat::is_awaited);
            if let Some(seat) = seat {
                Self::vacate(case, number, who, seat, &mut round);
            }
        }
        Progress::<T>::insert(case, number, &round);
        let now = T::Clock::now();
        docket.stage = Stage::Reveal;
        docket.deadline = now.saturating_add(T::Clock::phase_lengths().vote_reveal);
        // Where none committed, there is nothing to wait for.
        let last = if round.all_revealed() {
            now
        } else {
            docket.deadline
        };
        let due = Due {
            at: last.saturating_add(1),
            step: Step::Count,
        };
        Self::schedule(case, &mut docket, Some(due));
        let deadline = docket.deadline;
        Cases::<T>::insert(case, docket);
        Self::deposit_event(Event::RevealBegan {
            case: *case,
            round: number,
            deadline,
        });
        T::Cases::entered(case, Phase::VoteReveal, number, deadline);
        Ok(T::WeightInfo::step_reveal(Self::length(order.len())))
    }

    /// Vacates the seats of a judge that did not commit: it is silent, unless it is suspended.
    fn vacate(case: &CaseId, number: u32, who: &T::AccountId, mut seat: Seat, round: &mut Round) {
        let seats = core::mem::take(&mut seat.seats);
        let excused = T::Miners::is_suspended(who);
        if excused {
            seat.excused = seat.excused.saturating_add(seats);
        } else {
            seat.vacated = seat.vacated.saturating_add(seats);
            T::Roster::silent(who, round.task_type);
        }
        seat.certified = false;
        round.vacant = round.vacant.saturating_add(seats);
        Seats::<T>::insert((case, number, who), seat);
        Self::deposit_event(Event::SeatsVacated {
            case: *case,
            round: number,
            who: who.clone(),
            seats,
            excused,
        });
    }

    /// Counts a round, and tells its result or begins another one.
    fn step_count(case: &CaseId, mut docket: Docket) -> Result<Weight, DispatchError> {
        let number = docket.round;
        let round = Self::round(case, number)?;
        let order = Order::<T>::get(case, number);
        let accounts = Self::length(order.len());
        let outcome = outcome(round.seats, round.scoring, round.unjudgeable);
        if outcome == Outcome::None {
            Self::tell_count(case, number, outcome, AnswerOutcomes::new());
            Self::drop_round(case, &docket, &round, &order);
            Self::wait_again(case, docket)?;
            return Ok(T::WeightInfo::step_count_failed(accounts));
        }
        let votes: Vec<_> = order
            .iter()
            .filter_map(|who| {
                let vote = Votes::<T>::get((case, number, who))?;
                let seat = Seats::<T>::get((case, number, who))?;
                Some((seat.seats, vote))
            })
            .collect();
        let report = docket.tool.and_then(|_| {
            let agreed = count::agreed(&votes);
            Self::deposit_event(match agreed {
                Some(report) => Event::ReportAgreed {
                    case: *case,
                    round: number,
                    report,
                },
                None => Event::ReportsDiffer {
                    case: *case,
                    round: number,
                },
            });
            agreed
        });
        let answers = match outcome {
            Outcome::Scored => count::results(&votes, docket.answers, report.as_ref()),
            Outcome::Faulty | Outcome::None => AnswerOutcomes::new(),
        };
        Self::tell_count(case, number, outcome, answers.clone());
        let standing = Standing {
            round: number,
            outcome,
            answers,
            report,
            revealed: round.revealed(),
        };
        Results::<T>::insert(case, standing);
        Self::schedule(case, &mut docket, None);
        docket.stage = Stage::Stands;
        let weight = T::WeightInfo::step_count(accounts, docket.answers);
        Cases::<T>::insert(case, docket);
        T::Cases::stands(case, outcome);
        Ok(weight)
    }

    fn tell_count(case: &CaseId, round: u32, outcome: Outcome, answers: AnswerOutcomes) {
        for (answer, _) in (0..).zip(&answers).filter(|(_, result)| result.contested) {
            Self::deposit_event(Event::Contested {
                case: *case,
                round,
                answer,
            });
        }
        Self::deposit_event(Event::RoundCounted {
            case: *case,
            round,
            outcome,
            answers,
        });
    }

    /// Drops the votes of a round without result. Its revealed seats share its fines, at most the fee
    /// each; the rest goes to the treasury. Its seats are freed after the cool-down.
    fn drop_round(case: &CaseId, docket: &Docket, round: &Round, order: &[T::AccountId]) {
        let (number, task_type) = (docket.round, round.task_type);
        let rules = T::Cases::seat_rules(docket.rules);
        let fee = Self::fee(docket, round);
        let most = fee.saturating_mul(round.revealed().into());
        let (pot, treasury) = (T::Roster::pot(), T::Treasury::get());
        let mut collected: Balance = 0;
        let mut revealed: Vec<(&T::AccountId, u32)> = Vec::new();
        for who in order {
            Votes::<T>::remove((case, number, who));
            let Some(mut seat) = Seats::<T>::get((case, number, who)) else {
                continue;
            };
            if seat.seats > 0 && seat.vote == VoteState::Revealed {
                revealed.push((who, seat.seats));
            }
            let (gone, live) = Self::silence(&seat, round.lock, &rules);
            let fine = gone.lost().saturating_add(live.lost());
            if fine == 0 {
                continue;
            }
            let shared = fine.min(most.saturating_sub(collected));
            let to_pot = Self::fine(who, task_type, shared, &pot);
            collected = collected.saturating_add(to_pot);
            let rest = fine.saturating_sub(shared);
            let lost = to_pot.saturating_add(Self::fine(who, task_type, rest, &treasury));
            seat.lost = seat.lost.saturating_add(lost);
            Seats::<T>::insert((case, number, who), seat);
            Self::tell_fine(case, number, who, lost);
        }
        let seats: Vec<u32> = revealed.iter().map(|(_, seats)| *seats).collect();
        let pay = points::fines(collected, fee, &seats);
        for ((who, _), amount) in revealed.into_iter().zip(pay.credits) {
            Self::pay(case, number, who, task_type, 0, amount);
        }
        if pay.rest > 0 {
            Self::to_treasury(case, pay.rest);
        }
        Self::free_later(case, number);
    }

    /// The pay of one seat of a round, without premium.
    pub(crate) fn fee(docket: &Docket, round: &Round) -> Balance {
        docket.pay.checked_div(round.seats.into()).unwrap_or(0)
    }

    /// The stakes of seats that an account lost, and of those that it has, after what no commitment and
    /// no reveal cost.
    pub(crate) fn silence(seat: &Seat, lock: Balance, rules: &SeatRules) -> (SeatLock, SeatLock) {
        let of = |seats: u32| SeatLock::new(lock.saturating_mul(seats.into()));
        let (mut gone, mut live) = (of(seat.vacated), of(seat.seats));
        gone.silence(rules.silence);
        if matches!(seat.vote, VoteState::Committed(_)) {
            live.silence(rules.hiding);
        }
        (gone, live)
    }

    /// Takes stake of a judge; the amount taken.
    pub(crate) fn fine(
        who: &T::AccountId,
        task_type: TaskType,
        amount: Balance,
        to: &T::AccountId,
    ) -> Balance {
        if amount == 0 {
            return 0;
        }
        T::Roster::fine(who, task_type, amount, to)
    }

    pub(crate) fn tell_fine(case: &CaseId, round: u32, who: &T::AccountId, amount: Balance) {
        if amount > 0 {
            Self::deposit_event(Event::SeatFined {
                case: *case,
                round,
                who: who.clone(),
                amount,
            });
        }
    }

    /// Books pay of a judge.
    pub(crate) fn pay(
        case: &CaseId,
        round: u32,
        who: &T::AccountId,
        task_type: TaskType,
        points: i32,
        amount: Balance,
    ) {
        if amount == 0 {
            return;
        }
        T::Roster::credit(who, task_type, amount);
        Self::deposit_event(Event::SeatPaid {
            case: *case,
            round,
            who: who.clone(),
            points,
            amount,
        });
    }

    /// Lets the seats of a round be freed after the cool-down, once.
    pub(crate) fn free_later(case: &CaseId, number: u32) {
        let Some(mut round) = Progress::<T>::get(case, number) else {
            return;
        };
        if round.stakes != Stakes::Locked {
            return;
        }
        // Never in this tick, whose steps may have been taken.
        let cool_down = T::Times::get().cool_down.max(1);
        Self::free_at(
            case,
            number,
            &mut round,
            T::Clock::now().saturating_add(cool_down),
        );
    }

    /// Puts the unlocking of a round's seats into the queue, or moves it.
    pub(crate) fn free_at(case: &CaseId, number: u32, round: &mut Round, at: Tick) {
        let job = Job::Free(*case, number);
        if let Stakes::Until(before) = round.stakes {
            Agenda::<T>::remove(before, job);
        }
        Agenda::<T>::insert(at, job, ());
        round.stakes = Stakes::Until(at);
        Progress::<T>::insert(case, number, round);
    }

    /// Unlocks the stakes of a round's seats, and removes its records unless it is the last one of a
    /// closed case, which forgets them. Returns the weight.
    pub(crate) fn free_seats(case: &CaseId, number: u32) -> Result<Weight, Error<T>> {
        let mut round = Self::round(case, number)?;
        let order = Order::<T>::get(case, number);
        let kept = Cases::<T>::get(case)
            .is_some_and(|docket| docket.round == number && docket.stage == Stage::Closed);
        for who in &order {
            let Some(seat) = Seats::<T>::get((case, number, who)) else {
                continue;
            };
            let locked = seat.locked(round.lock);
            if locked > 0 {
                T::Roster::free(who, round.task_type, locked);
            }
            if !kept {
                Seats::<T>::remove((case, number, who));
            }
        }
        if let Stakes::Until(at) = round.stakes {
            Agenda::<T>::remove(at, Job::Free(*case, number));
        }
        if kept {
            round.stakes = Stakes::Free;
            Progress::<T>::insert(case, number, round);
        } else {
            Progress::<T>::remove(case, number);
            Order::<T>::remove(case, number);
        }
        Self::deposit_event(Event::SeatsFreed {
            case: *case,
            round: number,
        });
        Ok(T::WeightInfo::step_free(Self::length(order.len())))
    }

    /// A number of accounts.
    pub(crate) fn length(accounts: usize) -> u32 {
        u32::try_from(accounts).unwrap_or(u32::MAX)
    }
}
