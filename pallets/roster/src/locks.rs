// SPDX-License-Identifier: Apache-2.0

//! Stake of seats: it is fined, freed, and earns pay.

use crate::{
    Config, Event, HoldReason, Judges, LastTicket, Locked, Pallet, Releases, Silence, TicketEnds,
    WeightInfo, LOG_TARGET,
};
use frame_support::{storage::with_storage_layer, traits::Get, weights::WeightMeter};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_interfaces::Clock;
use tos_pallet_support::holds::{self, Delivery};
use tos_types::{rules::JudgeRules, Balance, TaskType};

impl<T: Config> Pallet<T> {
    /// Takes a fine out of what is locked of a judge's bond; the amount taken. What a draw can lock of it
    /// stays the same, and its weight does until the next period.
    pub(crate) fn do_fine(
        who: &T::AccountId,
        task_type: TaskType,
        amount: Balance,
        to: &T::AccountId,
    ) -> Balance {
        let Some(mut judge) = Judges::<T>::get(task_type, who) else {
            return 0;
        };
        let amount = amount.min(judge.locked).min(judge.bond);
        if amount == 0 {
            return 0;
        }
        let (reason, treasury) = (HoldReason::JudgeStake, T::Treasury::get());
        let delivery = holds::slash::<T::Currency, _>(reason, who, to, &treasury, amount);
        if let Delivery::Refused(error) = &delivery {
            log::error!(target: LOG_TARGET, "a fine of {amount} goes nowhere: {error:?}");
            Self::deposit_event(Event::FineFailed {
                who: who.clone(),
                to: to.clone(),
                amount,
            });
            return 0;
        }
        judge.bond = judge.bond.saturating_sub(amount);
        judge.locked = judge.locked.saturating_sub(amount);
        if judge.weight != judge.due_weight(T::Rules::roster().stay) {
            Self::schedule(task_type, who);
        }
        Judges::<T>::insert(task_type, who, judge);
        Locked::<T>::mutate(task_type, |taken| {
            taken.seats = taken.seats.saturating_sub(amount);
        });
        Self::deposit_event(Event::Fined {
            who: who.clone(),
            task_type,
            amount,
            to: to.clone(),
        });
        if let Delivery::Diverted(beneficiary) = delivery {
            Self::deposit_event(Event::FineDiverted {
                to: to.clone(),
                beneficiary,
                amount,
            });
        }
        amount
    }

    /// Takes a judge off the roster until it reports back.
    pub(crate) fn do_silence(who: &T::AccountId, task_type: TaskType) {
        let Some(mut judge) = Judges::<T>::get(task_type, who) else {
            return;
        };
        if judge.silent.is_some() && !judge.returning {
            return;
        }
        judge.silent = judge.silent.or(Some(Silence {
            since: T::Clock::now(),
            tickets: TicketEnds::<T>::get().tail,
        }));
        judge.returning = false;
        Judges::<T>::insert(task_type, who, judge);
        Self::schedule(task_type, who);
        Self::deposit_event(Event::Silenced {
            who: who.clone(),
            task_type,
        });
    }

    /// Frees stake of a judge's seats: at once, or when the last ticket of the type that is outstanding is
    /// done. So a lock that a draw finds is one that its ticket found, however late the draw.
    pub(crate) fn do_free(who: &T::AccountId, task_type: TaskType, amount: Balance) {
        let last = LastTicket::<T>::get(task_type);
        match last.filter(|last| *last >= TicketEnds::<T>::get().head) {
            Some(last) => Releases::<T>::mutate(last, (task_type, who), |sum| {
                *sum = sum.saturating_add(amount);
            }),
            None => Self::unlock(who, task_type, amount),
        }
    }

    fn unlock(who: &T::AccountId, task_type: TaskType, amount: Balance) {
        let Some(mut judge) = Judges::<T>::get(task_type, who) else {
            return;
        };
        let amount = amount.min(judge.locked);
        if amount == 0 {
            return;
        }
        judge.locked = judge.locked.saturating_sub(amount);
        Judges::<T>::insert(task_type, who, judge);
        Locked::<T>::mutate(task_type, |taken| {
            taken.seats = taken.seats.saturating_sub(amount);
        });
        Self::deposit_event(Event::Freed {
            who: who.clone(),
            task_type,
            amount,
        });
    }

    /// Frees what waited for a ticket that is done, as far as the meter goes. Returns `true` if that is all.
    pub(crate) fn release_after(number: u64, meter: &mut WeightMeter) -> bool {
        let mut entries = Releases::<T>::iter_prefix(number);
        loop {
            if !meter.can_consume(T::WeightInfo::release()) {
                return false;
            }
            let Some(((task_type, who), amount)) = entries.next() else {
                meter.consume(T::WeightInfo::agenda_tick());
                return true;
            };
            meter.consume(T::WeightInfo::release());
            Self::unlock(&who, task_type, amount);
            Releases::<T>::remove(number, (task_type, who));
        }
    }

    /// Books pay that has come to the pot. An account whose record is gone is paid at once; where it cannot
    /// receive, the treasury is, and where that cannot either, it stays in the pot.
    pub(crate) fn do_credit(who: &T::AccountId, task_type: TaskType, amount: Balance) {
        if amount == 0 {
            return;
        }
        let Some(mut judge) = Judges::<T>::get(task_type, who) else {
            if Self::try_pay_out(who, amount).is_ok() {
                return;
            }
            let treasury = T::Treasury::get();
            let beneficiary = match Self::try_pay_out(&treasury, amount) {
                Ok(()) => treasury,
                Err(error) => {
                    log::error!(target: LOG_TARGET, "pay of {amount} stays in the pot: {error:?}");
                    T::Pot::get()
                }
            };
            Self::deposit_event(Event::PayDiverted {
                who: who.clone(),
                beneficiary,
                amount,
            });
            return;
        };
        judge.earned = judge.earned.saturating_add(amount);
        Judges::<T>::insert(task_type, who, judge);
        Self::deposit_event(Event::PayBooked {
            who: who.clone(),
            task_type,
            amount,
        });
    }

    /// Pays out of the pot, or changes nothing.
    fn try_pay_out(to: &T::AccountId, amount: Balance) -> DispatchResult {
        with_storage_layer(|| Self::pay_out(to, amount))
    }
}
