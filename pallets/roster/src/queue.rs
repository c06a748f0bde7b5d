// SPDX-License-Identifier: Apache-2.0

//! The hook, and the draws in the order of their tickets.
//!
//! Everything here runs in the hook, and nothing else draws. A ticket fixes the seats, their stake and its place
//! among the draws; its seed is one that no account knows then. What a draw reads was there before the
//! ticket and stays until it is done: the trees, because they change at the begin of a period and a seed of an
//! earlier one is not used; locks, because those that become free wait for the tickets before them; and what
//! else speaks against a judge, because it counts as of the ticket or of the publication.

use crate::{
    Agenda, Config, Event, Locked, Pallet, Place, Settings, Terms, Ticket, TicketEnds, Tickets,
    Waiting, WaitingCase, WeightInfo, LOG_TARGET,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::weights::{Weight, WeightMeter};
use polkadot_sdk::*;
use tos_formulas::{
    roster::takes_tickets,
    stream::{Points, Stream},
};
use tos_interfaces::{Clock, Randomness, Seating, Seed};
use tos_pallet_support::agenda::{self, retry_delay};
use tos_types::{
    roster::{SeatKind, SeatRequest, Seated, DRAWS_PER_SEAT},
    CaseId, Tick,
};

impl<T: Config> Pallet<T> {
    /// The work of a block: changes of the period, tickets, draws, then cases that are due. With changes
    /// left to make, there are neither tickets nor draws.
    pub(crate) fn work(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::hook_base()).is_err() {
            return;
        }
        if Self::make_changes(meter) {
            Self::give_tickets(meter);
            Self::draw_all(meter);
        }
        agenda::run::<Self>(meter);
    }

    /// Draws for the tickets, in order, as far as there are seeds and the meter goes.
    pub(crate) fn draw_all(meter: &mut WeightMeter) {
        loop {
            let ends = TicketEnds::<T>::get();
            if ends.is_empty() || meter.try_consume(T::WeightInfo::ticket_head()).is_err() {
                return;
            }
            let number = ends.head;
            let Some(ticket) = Tickets::<T>::get(number) else {
                // It is done, or its case waits no more.
                if !Self::release_after(number, meter) {
                    return;
                }
                TicketEnds::<T>::mutate(|ends| ends.advance());
                continue;
            };
            let waiting = Waiting::<T>::get(ticket.case);
            let terms = waiting.as_ref().and_then(|waiting| waiting.terms);
            let (Some(waiting), Some(terms)) = (waiting, terms) else {
                log::error!(target: LOG_TARGET, "ticket {number} is of no case that waits");
                Tickets::<T>::remove(number);
                continue;
            };
            let seed = match Self::seed_of(number, &ticket, waiting.request.round) {
                Seed::Pending => return,
                Seed::Ready {
                    seed,
                    degraded: false,
                } => seed,
                Seed::Ready { degraded: true, .. } | Seed::Expired => {
                    return Self::ask_again(number, ticket);
                }
            };
            if !meter.can_consume(Self::heaviest_draw(&waiting.request, &terms)) {
                return;
            }
            // The trees are those of the ticket: nothing is drawn while changes are left, and a seed of
            // another period has been replaced.
            let mut points = Stream::new(*b"tos/roster/v1", seed);
            let used = Self::draw_for(number, waiting, terms, &mut points);
            meter.consume(used);
        }
    }

    /// The seed of a ticket, if it comes within the ticket's period.
    fn seed_of(number: u64, ticket: &Ticket, round: u32) -> Seed {
        if ticket.period != Self::current_period() {
            return Seed::Expired;
        }
        let subject = (b"seats", ticket.case, round, number).encode();
        T::Randomness::seed(&ticket.randomness, &subject)
    }

    /// Asks for another seed of a ticket, which keeps its number: a new one would let the author of a block
    /// change the order of draws by withholding it.
    fn ask_again(number: u64, mut ticket: Ticket) {
        let (now, times) = (T::Clock::now(), Settings::<T>::get());
        if !takes_tickets(now, times.period, times.quiet) {
            return;
        }
        ticket.randomness = T::Randomness::request();
        ticket.period = Self::current_period();
        Tickets::<T>::insert(number, ticket);
        Self::deposit_event(Event::SeedReplaced {
            case: ticket.case,
            number,
        });
    }

    /// The most that a draw may weigh: all draws made, and all seats taken.
    pub(crate) fn heaviest_draw(request: &SeatRequest<T::AccountId>, terms: &Terms) -> Weight {
        let void = terms.seats.saturating_mul(DRAWS_PER_SEAT.saturating_sub(1));
        T::WeightInfo::draw(terms.seats, void.saturating_add(holders(request)))
    }

    /// Draws for a ticket, and tells those who wait for it, or lets the case wait for another one. Returns the
    /// weight of what was done.
    pub(crate) fn draw_for(
        number: u64,
        waiting: WaitingCase<T::AccountId>,
        terms: Terms,
        points: &mut impl Points,
    ) -> Weight {
        Tickets::<T>::remove(number);
        let drawn = Self::draw_seats(&waiting.request, &terms, number, points);
        let (used, seats) = match drawn {
            Ok(sitting) => {
                let void = sitting.draws.saturating_sub(sitting.seats);
                let void = void.saturating_add(holders(&waiting.request));
                let used = T::WeightInfo::draw(sitting.seats, void);
                for who in &sitting.stale {
                    Self::schedule(waiting.request.task_type, who);
                }
                let done = sitting.seats == terms.seats || waiting.is_vacancy();
                (used, done.then(|| sitting.lock_seats()))
            }
            Err(error) => {
                let task_type = waiting.request.task_type;
                log::error!(target: LOG_TARGET, "a draw of {task_type:?}: {error:?}");
                (Self::heaviest_draw(&waiting.request, &terms), None)
            }
        };
        match seats {
            Some(seats) => Self::seat(waiting, terms, seats),
            None => Self::pause(waiting),
        }
        used
    }

    fn seat(waiting: WaitingCase<T::AccountId>, terms: Terms, seats: Vec<Seated<T::AccountId>>) {
        let (case, round) = (waiting.request.case, waiting.request.round);
        let task_type = waiting.request.task_type;
        let number = seats
            .iter()
            .fold(0u32, |sum, one| sum.saturating_add(one.seats));
        let stake = terms.lock.saturating_mul(number.into());
        Locked::<T>::mutate(task_type, |taken| {
            taken.seats = taken.seats.saturating_add(stake);
            taken.reserved = taken.reserved.saturating_sub(waiting.reserved());
        });
        Agenda::<T>::remove(waiting.due, case);
        Waiting::<T>::remove(case);
        Self::deposit_event(Event::Drawn {
            case,
            round,
            lock: terms.lock,
            seats: seats
                .iter()
                .map(|one| (one.who.clone(), one.seats, one.certified))
                .collect(),
        });
        T::Seating::seated(&case, round, terms.lock, seats);
    }

    /// Lets a case whose draw came to nothing wait for another ticket, longer each time. It keeps its room,
    /// and nothing else of that draw.
    fn pause(mut waiting: WaitingCase<T::AccountId>) {
        let case = waiting.request.case;
        let retry_at = T::Clock::now().saturating_add(retry_delay(waiting.tries));
        waiting.tries = waiting.tries.saturating_add(1);
        waiting.place = Place::Pause;
        Self::reschedule(case, &mut waiting, retry_at);
        let (round, retry_at) = (waiting.request.round, waiting.due);
        Waiting::<T>::insert(case, waiting);
        Self::deposit_event(Event::DrawFailed {
            case,
            round,
            retry_at,
        });
    }

    /// The tick in which a case is given up.
    pub(crate) fn expiry(waiting: &WaitingCase<T::AccountId>) -> Tick {
        waiting.since.saturating_add(Settings::<T>::get().wait)
    }

    /// Moves the entry of a case in the agenda to a later tick, but not beyond that in which it is given up.
    pub(crate) fn reschedule(case: CaseId, waiting: &mut WaitingCase<T::AccountId>, at: Tick) {
        Agenda::<T>::remove(waiting.due, case);
        waiting.due = at.min(Self::expiry(waiting));
        Agenda::<T>::insert(waiting.due, case, ());
    }
}

/// The judges that a vacancy looks up before it draws; each costs less than a void candidate.
fn holders<AccountId>(request: &SeatRequest<AccountId>) -> u32 {
    match &request.kind {
        SeatKind::Vacancy { holders, .. } => u32::try_from(holders.len()).unwrap_or(u32::MAX),
        SeatKind::Panel | SeatKind::Court => 0,
    }
}
