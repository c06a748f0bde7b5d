// SPDX-License-Identifier: Apache-2.0

//! The reads of clients.

use crate::{Bootstrap, Config, Counts, Judge, Judges, LineEnds, Locked, Pallet, Place, Waiting};
use alloc::vec::Vec;
use tos_interfaces::{MinerRegistry, Roster};
use tos_types::{CaseId, TaskType, Tick};
use tos_views::{BondView, RosterView, WaitingView};

impl<T: Config> Pallet<T> {
    pub(crate) fn bond_view(task_type: TaskType, who: &T::AccountId) -> Option<BondView> {
        let suspended_until = T::Miners::suspended_until(who);
        Judges::<T>::get(task_type, who).map(|judge| view(&judge, suspended_until))
    }

    pub(crate) fn bond_views(who: &T::AccountId) -> Vec<(TaskType, BondView)> {
        let custom = (0..=u8::MAX).map(TaskType::Custom);
        let types = TaskType::BUILT_IN.into_iter().chain(custom);
        types
            .filter_map(|task_type| Some((task_type, Self::bond_view(task_type, who)?)))
            .collect()
    }

    pub(crate) fn waiting_view(case: &CaseId) -> Option<WaitingView> {
        let waiting = Waiting::<T>::get(case)?;
        let task_type = waiting.request.task_type;
        let ahead = match waiting.place {
            Place::Line(position) => {
                let lines = LineEnds::<T>::get(task_type);
                let ends = lines.get(usize::from(waiting.class));
                ends.map(|ends| position.saturating_sub(ends.head))
            }
            Place::Ticket(_) | Place::Pause => None,
        };
        Some(WaitingView {
            task_type,
            round: waiting.request.round,
            seats: waiting
                .terms
                .map_or(waiting.request.seats, |terms| terms.seats),
            fixed: waiting.terms.is_some(),
            class: waiting.class,
            ahead,
            tries: waiting.tries,
            since: waiting.since,
            expires: Self::expiry(&waiting),
        })
    }

    pub(crate) fn roster_view(task_type: TaskType) -> RosterView {
        let (count, taken) = (Counts::<T>::get(task_type), Locked::<T>::get(task_type));
        RosterView {
            bonds: count.bonds,
            judges: count.judges,
            certified: count.certified,
            stake: Self::stake(task_type),
            locked: taken.seats,
            reserved: taken.reserved,
            bootstrap: Bootstrap::<T>::contains_key(task_type),
        }
    }
}

fn view(judge: &Judge, suspended_until: Option<Tick>) -> BondView {
    BondView {
        bond: judge.bond,
        locked: judge.locked,
        restoring: judge.restoring,
        pending: judge.pending.map_or(0, |addition| addition.amount),
        pending_until: judge.pending.map(|addition| addition.at),
        earned: judge.earned,
        weight: judge.weight,
        certified: judge.certified_leaf.is_some(),
        status: judge.status(),
        suspended_until,
    }
}
