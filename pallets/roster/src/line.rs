// SPDX-License-Identifier: Apache-2.0

//! Lines of cases that wait for a ticket, one for each class of premium, and the room for their seats.

use crate::{
    Agenda, Bootstrap, Config, Counts, Error, Event, InLine, LastTicket, Line, LineEnds, Locked,
    Pallet, Place, Settings, Terms, Ticket, TicketEnds, Tickets, Waiting, WaitingCase, WeightInfo,
    LINES, LOG_TARGET, MAX_HOLES, MAX_LOOKS, MAX_TICKETS, VACANCIES,
};
use frame_support::{
    ensure,
    weights::{Weight, WeightMeter},
};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_formulas::roster::{has_room, lock_of, seats_in_bootstrap, takes_tickets};
use tos_interfaces::{Clock, Randomness};
use tos_types::{
    roster::{SeatKind, SeatRequest, MAX_SEATS},
    rules::JudgeRules,
    Balance, CaseId, TaskType,
};

/// The finding of a look at the lines of a type.
enum Look {
    /// A case has taken a ticket.
    Taken,
    /// Cases wait, and none of those that may go first has room.
    NoRoom,
    /// None waits.
    Empty,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_enqueue(request: SeatRequest<T::AccountId>, class: u8) -> DispatchResult {
        let (case, round, task_type) = (request.case, request.round, request.task_type);
        let known = Waiting::<T>::contains_key(case);
        ensure!(!known, Error::<T>::AlreadyWaiting);
        let seats = 1..=MAX_SEATS;
        ensure!(seats.contains(&request.seats), Error::<T>::WrongSeats);
        let class = match request.kind {
            SeatKind::Vacancy { .. } => VACANCIES,
            SeatKind::Panel | SeatKind::Court => class.min(VACANCIES.saturating_sub(1)),
        };
        let now = T::Clock::now();
        let due = now.saturating_add(Settings::<T>::get().wait);
        Agenda::<T>::insert(due, case, ());
        let place = Self::join_line(task_type, class, case);
        Waiting::<T>::insert(
            case,
            WaitingCase {
                request,
                class,
                place,
                since: now,
                at_head_since: None,
                terms: None,
                tries: 0,
                due,
            },
        );
        Self::deposit_event(Event::Enqueued { case, round, class });
        Ok(())
    }

    /// Puts a case at the end of a line.
    pub(crate) fn join_line(task_type: TaskType, class: u8, case: CaseId) -> Place {
        let position = LineEnds::<T>::mutate(task_type, |lines| {
            let ends = lines.get_mut(usize::from(class));
            ends.map_or(0, |ends| ends.push())
        });
        Line::<T>::insert((task_type, class, position), case);
        InLine::<T>::mutate(|types| {
            if !types.contains(&task_type) && types.try_push(task_type).is_err() {
                log::error!(target: LOG_TARGET, "there are more types than there can be");
            }
        });
        Place::Line(position)
    }

    pub(crate) fn do_raise(case: &CaseId, class: u8) -> DispatchResult {
        let mut waiting = Waiting::<T>::get(case).ok_or(Error::<T>::NotWaiting)?;
        let class = class.min(VACANCIES.saturating_sub(1));
        if class <= waiting.class {
            return Ok(());
        }
        let task_type = waiting.request.task_type;
        if let Place::Line(position) = waiting.place {
            Line::<T>::remove((task_type, waiting.class, position));
            waiting.place = Self::join_line(task_type, class, *case);
            waiting.at_head_since = None;
        }
        waiting.class = class;
        Waiting::<T>::insert(case, waiting);
        Self::deposit_event(Event::Raised { case: *case, class });
        Ok(())
    }

    /// Takes a case out of wherever it waits, with its room.
    pub(crate) fn remove_waiting(case: &CaseId) -> Option<WaitingCase<T::AccountId>> {
        let waiting = Waiting::<T>::take(case)?;
        let task_type = waiting.request.task_type;
        match waiting.place {
            Place::Line(position) => Line::<T>::remove((task_type, waiting.class, position)),
            Place::Ticket(number) => Tickets::<T>::remove(number),
            Place::Pause => {}
        }
        Agenda::<T>::remove(waiting.due, case);
        Self::unreserve(task_type, waiting.reserved());
        Some(waiting)
    }

    pub(crate) fn unreserve(task_type: TaskType, amount: Balance) {
        if amount > 0 {
            Locked::<T>::mutate(task_type, |taken| {
                taken.reserved = taken.reserved.saturating_sub(amount);
            });
        }
    }

    /// The seats that a request gets now; `None` where there are too few certified judges for any panel.
    pub(crate) fn terms_of(request: &SeatRequest<T::AccountId>) -> Option<Terms> {
        let task_type = request.task_type;
        let (seats, certified) = match &request.kind {
            SeatKind::Panel if Bootstrap::<T>::contains_key(task_type) => {
                let count = Counts::<T>::get(task_type);
                let seats = seats_in_bootstrap(request.seats, count.certified)?;
                (seats.all, seats.certified)
            }
            SeatKind::Panel | SeatKind::Court => (request.seats, 0),
            SeatKind::Vacancy { certified, .. } => (request.seats, *certified),
        };
        Some(Terms {
            seats,
            certified: certified.min(seats),
            lock: lock_of(&request.stake, seats),
        })
    }

    /// `true` if there is room for these seats besides all that is locked and reserved. A vacancy has the
    /// room that its seats had.
    pub(crate) fn is_room_for(request: &SeatRequest<T::AccountId>, terms: &Terms) -> bool {
        let rules = T::Rules::seats();
        let share = match request.kind {
            SeatKind::Panel => rules.panel_locks,
            SeatKind::Court => rules.court_locks,
            SeatKind::Vacancy { .. } => return true,
        };
        let task_type = request.task_type;
        let taken = Locked::<T>::get(task_type).all();
        has_room(Self::total(task_type), taken, terms.stake(), share)
    }

    /// Gives tickets to the cases that are first in their lines and have room, type by type, as far as the
    /// meter and the looks of a block go.
    pub(crate) fn give_tickets(meter: &mut WeightMeter) {
        let times = Settings::<T>::get();
        if !takes_tickets(T::Clock::now(), times.period, times.quiet) {
            return;
        }
        let mut types = InLine::<T>::get();
        let before = types.clone();
        let mut idle = 0usize;
        for _ in 0..MAX_LOOKS {
            let full = TicketEnds::<T>::get().len() >= MAX_TICKETS;
            if full || idle >= types.len() || !meter.can_consume(Self::heaviest_look()) {
                break;
            }
            let task_type = types.remove(0);
            let (look, entries) = Self::look(task_type);
            meter.consume(T::WeightInfo::look(entries));
            match look {
                Look::Empty => continue,
                Look::NoRoom => idle = idle.saturating_add(1),
                Look::Taken => {
                    idle = 0;
                    meter.consume(T::WeightInfo::ticket());
                }
            }
            // There was room for it before.
            let _ = types.try_push(task_type);
        }
        if types != before {
            InLine::<T>::put(types);
        }
    }

    /// The most that a look may weigh, with the ticket that comes of it.
    pub(crate) fn heaviest_look() -> Weight {
        let lines = u32::try_from(LINES).unwrap_or(u32::MAX);
        let entries = lines.saturating_mul(MAX_HOLES.saturating_add(1));
        T::WeightInfo::look(entries).saturating_add(T::WeightInfo::ticket())
    }

    /// Looks at the first cases of a type's lines, the highest class first, and gives the first that has room a
    /// ticket. Returns as well how many places of lines it has looked at.
    ///
    /// A lower class may pass one that has no room, until that has waited so long at its head that room is
    /// kept for it.
    fn look(task_type: TaskType) -> (Look, u32) {
        let (now, reserve) = (T::Clock::now(), Settings::<T>::get().reserve);
        let mut lines = LineEnds::<T>::get(task_type);
        let before = lines;
        let (mut entries, mut empty, mut taken) = (0u32, true, None);
        for (class, ends) in lines.iter_mut().enumerate().rev() {
            let class = u8::try_from(class).unwrap_or(VACANCIES);
            let mut holes = 0u32;
            let case = loop {
                if ends.is_empty() {
                    break None;
                }
                entries = entries.saturating_add(1);
                let case = Line::<T>::get((task_type, class, ends.head));
                if case.is_some() || holes >= MAX_HOLES {
                    break case;
                }
                ends.advance();
                holes = holes.saturating_add(1);
            };
            empty &= ends.is_empty();
            let Some(case) = case else {
                if ends.is_empty() {
                    continue;
                }
                // More holes than a look passes: this class comes first in the next one.
                break;
            };
            let Some(mut waiting) = Waiting::<T>::get(case) else {
                log::error!(target: LOG_TARGET, "case {case} is in line and does not wait");
                Line::<T>::remove((task_type, class, ends.head));
                ends.advance();
                continue;
            };
            let terms = Self::terms_of(&waiting.request);
            if let Some(terms) = terms.filter(|terms| Self::is_room_for(&waiting.request, terms)) {
                Line::<T>::remove((task_type, class, ends.head));
                ends.advance();
                taken = Some((case, waiting, terms));
                break;
            }
            let since = *waiting.at_head_since.get_or_insert(now);
            if since == now {
                Waiting::<T>::insert(case, waiting);
            }
            if now.saturating_sub(since) >= reserve {
                break;
            }
        }
        if lines != before {
            LineEnds::<T>::insert(task_type, lines);
        }
        let look = match taken {
            Some((case, waiting, terms)) => {
                Self::reserve(task_type, &waiting, terms);
                Self::give_ticket(case, waiting, terms);
                Look::Taken
            }
            None if empty => Look::Empty,
            None => Look::NoRoom,
        };
        (look, entries)
    }

    /// Reserves the room of a case, instead of that which it has reserved.
    pub(crate) fn reserve(task_type: TaskType, waiting: &WaitingCase<T::AccountId>, terms: Terms) {
        let wanted = match waiting.is_vacancy() {
            true => 0,
            false => terms.stake(),
        };
        let had = waiting.reserved();
        if wanted != had {
            Locked::<T>::mutate(task_type, |taken| {
                let others = taken.reserved.saturating_sub(had);
                taken.reserved = others.saturating_add(wanted);
            });
        }
    }

    /// Gives a case whose room is reserved the next ticket.
    pub(crate) fn give_ticket(case: CaseId, mut waiting: WaitingCase<T::AccountId>, terms: Terms) {
        let number = TicketEnds::<T>::mutate(|ends| ends.push());
        LastTicket::<T>::insert(waiting.request.task_type, number);
        Tickets::<T>::insert(
            number,
            Ticket {
                case,
                randomness: T::Randomness::request(),
                period: Self::current_period(),
            },
        );
        waiting.place = Place::Ticket(number);
        waiting.at_head_since = None;
        waiting.terms = Some(terms);
        Waiting::<T>::insert(case, waiting);
        Self::deposit_event(Event::TicketTaken {
            case,
            number,
            terms,
        });
    }
}
