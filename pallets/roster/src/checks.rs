// SPDX-License-Identifier: Apache-2.0

//! The invariants that hold at any time, in small checks.

use crate::{
    Agenda, AgendaCursor, Applied, Changes, Config, Count, Counts, HoldReason, InLine, Judge,
    Judges, LastTicket, Leaves, Line, LineEnds, Locked, Pallet, Place, Releases, RosterNodes,
    Settings, Taken, TicketEnds, Tickets, Waiting, WeightInfo, LINES, MAX_LOOKS, MAX_TICKETS,
    VACANCIES,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
    ensure,
    traits::{fungible::Inspect, Get},
};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_interfaces::Clock;
use tos_pallet_support::{
    holds::{add, are_exact},
    sum_tree,
};
use tos_types::{
    roster::{RosterId, DRAWS_PER_SEAT, MAX_SEATS, ROSTER_ARITY, ROSTER_DEPTH},
    rules::RosterRules,
    Balance, CaseId, TaskType, TOS,
};

const _: () = {
    assert!(
        LINES == VACANCIES as usize + 1,
        "the line of vacancies is above all others"
    );
    assert!(
        RosterRules::STANDARD.stay >= TOS,
        "every judge that stays has a weight"
    );
};

/// Checks that the steps of a block fit into the work that it may do.
pub(crate) fn check_constants<T: Config>() {
    let void = MAX_SEATS.saturating_mul(DRAWS_PER_SEAT.saturating_sub(1));
    let largest = T::WeightInfo::draw(MAX_SEATS, void);
    let looks = Pallet::<T>::heaviest_look().saturating_mul(MAX_LOOKS.into());
    let least = T::WeightInfo::hook_base()
        .saturating_add(T::WeightInfo::change())
        .saturating_add(looks)
        .saturating_add(T::WeightInfo::ticket_head())
        .saturating_add(largest)
        .saturating_add(T::WeightInfo::agenda_start())
        .saturating_add(T::WeightInfo::agenda_tick())
        .saturating_add(T::WeightInfo::expire().max(T::WeightInfo::retry()));
    assert!(
        least.all_lte(T::MaxWork::get()),
        "the work of a block has room for all looks and the largest draw: {least:?}"
    );
}

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::times_are_sound()?;
        Self::money_is_there()?;
        Self::judges_are_sound()?;
        Self::trees_are_exact()?;
        Self::changes_are_scheduled()?;
        Self::locks_are_exact()?;
        Self::lines_are_exact()?;
        Self::tickets_are_exact()?;
        Self::agenda_is_exact()
    }

    fn times_are_sound() -> Result<(), TryRuntimeError> {
        let times = Settings::<T>::get();
        ensure!(times.is_sound(), "times of rosters are not sound");
        ensure!(
            T::Clock::phase_lengths().max_open <= times.warm_up,
            "a bond made after a publication may be warm while the task is open"
        );
        Ok(())
    }

    /// Bonds are on hold, and claims lie in the pot.
    fn money_is_there() -> Result<(), TryRuntimeError> {
        let (mut held, mut earned) = (BTreeMap::new(), 0);
        for (_, who, judge) in Judges::<T>::iter() {
            add(&mut held, who, judge.held());
            earned = judge.earned.saturating_add(earned);
        }
        ensure!(
            are_exact::<T::Currency, _>(HoldReason::JudgeStake, &held),
            "hold and bonds of a judge differ"
        );
        ensure!(
            T::Currency::balance(&T::Pot::get()) >= earned,
            "the pot holds less than can be claimed"
        );
        Ok(())
    }

    fn judges_are_sound() -> Result<(), TryRuntimeError> {
        for judge in Judges::<T>::iter_values() {
            ensure!(judge.locked <= judge.bond, "more is locked than bonded");
            ensure!(judge.bond <= judge.warm, "a bond counts that is not warm");
            ensure!(
                judge.bond.saturating_add(judge.restoring) <= judge.warm,
                "more is restored than there was"
            );
            ensure!(
                judge.pending.is_none_or(|addition| addition.amount > 0),
                "nothing warms up"
            );
            ensure!(
                !judge.returning || judge.silent.is_some(),
                "a judge returns that was not away"
            );
            let ticks = judge.rises.iter().map(|rise| rise.at);
            ensure!(ticks.is_sorted(), "rises are not in order");
            ensure!(
                judge.leaf.is_some() == (judge.weight > 0),
                "a weight without a leaf, or the reverse"
            );
            ensure!(
                judge.certified_leaf.is_none() || judge.leaf.is_some(),
                "a certified judge is not among all"
            );
        }
        Ok(())
    }

    /// Leaves and judges point to each other, weights are those of the judges, and counts are exact.
    fn trees_are_exact() -> Result<(), TryRuntimeError> {
        let mut leaves: BTreeMap<RosterId, (u32, u64)> = BTreeMap::new();
        let mut counts: BTreeMap<TaskType, Count> = BTreeMap::new();
        for (task_type, who, judge) in Judges::<T>::iter() {
            let count = counts.entry(task_type).or_default();
            count.bonds = count.bonds.saturating_add(1);
            let both = [
                (RosterId::open(task_type), judge.leaf, &mut count.judges),
                (
                    RosterId::certified(task_type),
                    judge.certified_leaf,
                    &mut count.certified,
                ),
            ];
            for (id, leaf, number) in both {
                let Some(leaf) = leaf else { continue };
                *number = number.saturating_add(1);
                let there = Leaves::<T>::get(id, leaf);
                ensure!(there.as_ref() == Some(&who), "another judge is on a leaf");
                let weight = Self::tree(id).weight(leaf);
                ensure!(
                    weight == Some(judge.weight.into()),
                    "a leaf has another weight than its judge"
                );
                let (number, sum) = leaves.entry(id).or_default();
                *number = number.saturating_add(1);
                *sum = sum.saturating_add(judge.weight.into());
            }
        }
        let nodes: BTreeSet<RosterId> = RosterNodes::<T>::iter_keys().map(|(id, _)| id).collect();
        for id in nodes.iter().chain(leaves.keys()) {
            let census =
                sum_tree::check::<RosterNodes<T>, RosterId, ROSTER_ARITY, ROSTER_DEPTH>(*id);
            let census = census.map_err(|_| "a tree contradicts itself")?;
            let expected = leaves.get(id).copied().unwrap_or_default();
            ensure!(
                (census.leaves, census.total) == expected,
                "a tree has other leaves than its judges"
            );
        }
        let all = leaves.values().fold(0usize, |sum, (number, _)| {
            sum.saturating_add(*number as usize)
        });
        ensure!(
            Leaves::<T>::iter_keys().count() == all,
            "leaves of no judge"
        );
        let stored: BTreeMap<_, _> = Counts::<T>::iter()
            .filter(|(_, count)| *count != Count::default())
            .collect();
        ensure!(stored == counts, "numbers of judges are wrong");
        Ok(())
    }

    /// Every change to come is scheduled, and none for a period that is over.
    fn changes_are_scheduled() -> Result<(), TryRuntimeError> {
        let applied = Applied::<T>::get();
        let current = Self::current_period();
        ensure!(applied <= current, "changes of a period to come are made");
        let mut planned: BTreeMap<(TaskType, T::AccountId), BTreeSet<u32>> = BTreeMap::new();
        for (number, key, ()) in Changes::<T>::iter() {
            ensure!(number > applied, "a change was forgotten");
            planned.entry(key).or_default().insert(number);
        }
        for (task_type, who, judge) in Judges::<T>::iter() {
            let planned = planned.remove(&(task_type, who)).unwrap_or_default();
            // Suspensions, certificates and other rules come to the roster by a call, or by a draw.
            let left = judge.leaving.is_some() || (judge.silent.is_some() && !judge.returning);
            let differs = judge.restoring > 0 || judge.returning || (left && judge.leaf.is_some());
            let smaller = judge.weight > judge.due_weight(0);
            let next = current.saturating_add(1);
            ensure!(
                !(differs || smaller) || planned.iter().any(|number| *number <= next),
                "a change of a judge is not scheduled"
            );
            if let Some(addition) = judge.pending {
                let at = Self::first_period_from(addition.at);
                ensure!(
                    planned.contains(&at),
                    "a bond that warms up is not scheduled"
                );
            }
        }
        Ok(())
    }

    /// Stakes of seats and reserved room are those of the judges and of the cases.
    fn locks_are_exact() -> Result<(), TryRuntimeError> {
        let mut taken: BTreeMap<TaskType, Taken> = BTreeMap::new();
        for (task_type, _, judge) in Judges::<T>::iter() {
            let taken = taken.entry(task_type).or_default();
            taken.seats = taken.seats.saturating_add(judge.locked);
        }
        for waiting in Waiting::<T>::iter_values() {
            let taken = taken.entry(waiting.request.task_type).or_default();
            taken.reserved = taken.reserved.saturating_add(waiting.reserved());
        }
        let nothing = |taken: &Taken| *taken == Taken::default();
        taken.retain(|_, taken| !nothing(taken));
        let stored: BTreeMap<_, _> = Locked::<T>::iter()
            .filter(|(_, taken)| !nothing(taken))
            .collect();
        ensure!(stored == taken, "stakes of seats are not those locked");

        let ends = TicketEnds::<T>::get();
        let mut sums: BTreeMap<(TaskType, T::AccountId), Balance> = BTreeMap::new();
        for (number, key, amount) in Releases::<T>::iter() {
            ensure!(
                (ends.head..ends.tail).contains(&number),
                "a release waits for a ticket that is done"
            );
            add(&mut sums, key, amount);
        }
        ensure!(
            sums.iter().all(|((task_type, who), sum)| {
                let judge = Judges::<T>::get(task_type, who);
                judge.is_some_and(|judge: Judge| judge.locked >= *sum)
            }),
            "more waits to be free than is locked"
        );
        Ok(())
    }

    /// Every place of a line is that of a case, and every case that waits in line has one.
    fn lines_are_exact() -> Result<(), TryRuntimeError> {
        let types = InLine::<T>::get();
        let distinct: BTreeSet<&TaskType> = types.iter().collect();
        ensure!(distinct.len() == types.len(), "a type is in line twice");
        let mut places = 0usize;
        for ((task_type, class, position), case) in Line::<T>::iter() {
            let waiting = Waiting::<T>::get(case).ok_or("a case in line does not wait")?;
            ensure!(
                waiting.place == Place::Line(position)
                    && waiting.class == class
                    && waiting.request.task_type == task_type,
                "a case is in another place than it says"
            );
            let lines = LineEnds::<T>::get(task_type);
            let ends = lines.get(usize::from(class)).ok_or("a line of no class")?;
            ensure!(
                (ends.head..ends.tail).contains(&position),
                "a case is beyond the ends of its line"
            );
            ensure!(distinct.contains(&task_type), "a line that none looks at");
            places = places.saturating_add(1);
        }
        let waiting = Waiting::<T>::iter_values();
        let in_line = waiting.filter(|waiting| matches!(waiting.place, Place::Line(_)));
        ensure!(in_line.count() == places, "a case is in no line");
        Ok(())
    }

    fn tickets_are_exact() -> Result<(), TryRuntimeError> {
        let ends = TicketEnds::<T>::get();
        ensure!(
            ends.head <= ends.tail,
            "tickets are done that were not taken"
        );
        ensure!(ends.len() <= MAX_TICKETS, "too many tickets");
        let mut tickets = 0usize;
        for (number, ticket) in Tickets::<T>::iter() {
            let waiting = Waiting::<T>::get(ticket.case).ok_or("a ticket of no case")?;
            ensure!(
                (ends.head..ends.tail).contains(&number) && waiting.place == Place::Ticket(number),
                "a case has another ticket than it says"
            );
            let last = LastTicket::<T>::get(waiting.request.task_type);
            ensure!(last >= Some(number), "a ticket after the last one");
            tickets = tickets.saturating_add(1);
        }
        for waiting in Waiting::<T>::iter_values() {
            let fixed = waiting.place != Place::Pause && !matches!(waiting.place, Place::Ticket(_));
            ensure!(
                fixed == waiting.terms.is_none(),
                "seats of a case are fixed without a ticket, or the reverse"
            );
        }
        let waiting = Waiting::<T>::iter_values();
        let with = waiting.filter(|waiting| matches!(waiting.place, Place::Ticket(_)));
        ensure!(with.count() == tickets, "a case has no ticket");
        Ok(())
    }

    /// Every case that waits has exactly one entry in the agenda, where it says, and not after its end.
    fn agenda_is_exact() -> Result<(), TryRuntimeError> {
        let cursor = AgendaCursor::<T>::get();
        let mut entries = 0u32;
        for (due, case, ()) in Agenda::<T>::iter() {
            let case: CaseId = case;
            let waiting = Waiting::<T>::get(case).ok_or("the agenda names an unknown case")?;
            ensure!(
                waiting.due == due,
                "an entry of the agenda is not where its case says"
            );
            ensure!(due >= cursor, "the cursor has passed an entry");
            ensure!(
                due <= Self::expiry(&waiting),
                "a case waits longer than it may"
            );
            entries = entries.saturating_add(1);
        }
        ensure!(
            entries == Waiting::<T>::count(),
            "a case is not in the agenda"
        );
        Ok(())
    }
}
