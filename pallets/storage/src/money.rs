// SPDX-License-Identifier: Apache-2.0

//! Money: escrow, bonds, slashes. What goes in comes out, to the wei.

use crate::*;
use frame_support::traits::Get;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, DispatchResult, Rounding};
use tos_pallet_support::holds::{self, Delivery};
use tos_types::{Balance, ReplicaId};

impl<T: Config> Pallet<T> {
    /// Holds funds of an account.
    pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
        holds::hold::<T::Currency, _>(reason, who, amount, Error::<T>::InsufficientFunds)
    }

    /// Gives held funds back to their owner, or to the treasury when the owner's account cannot
    /// receive them. Succeeds also where neither can: no account holds up the others of a replica.
    pub(crate) fn give_back(reason: HoldReason, who: &T::AccountId, amount: Balance) {
        let returned = holds::give_back::<T::Currency, _>(reason, who, &T::Treasury::get(), amount);
        Self::tell(who, who, amount, returned);
    }

    /// Moves held funds of `from` to `to`; to the treasury when `to` cannot receive them, and back to
    /// `from` when the treasury cannot either. Succeeds also where none of them can.
    pub(crate) fn pay(reason: HoldReason, from: &T::AccountId, to: &T::AccountId, amount: Balance) {
        let paid = holds::pay::<T::Currency, _>(reason, from, to, &T::Treasury::get(), amount);
        Self::tell(from, to, amount, paid);
    }

    /// Tells when an amount held on `from` did not reach the account that it was for. Returns `true`
    /// if it left its hold.
    fn tell(
        from: &T::AccountId,
        who: &T::AccountId,
        amount: Balance,
        delivery: Delivery<T::AccountId>,
    ) -> bool {
        let (to, moved) = match delivery {
            Delivery::Made => return true,
            Delivery::Diverted(to) => (to, true),
            Delivery::Refused(error) => {
                log::error!(target: LOG_TARGET, "{amount} wei stay on hold: {error:?}");
                (from.clone(), false)
            }
        };
        let who = who.clone();
        Self::deposit_event(Event::Undeliverable { who, amount, to });
        moved
    }

    /// Takes a part of a provider's bond for `to`, or for the treasury when `to` cannot receive it.
    /// Returns what was taken: all or nothing.
    fn take_bond(who: &T::AccountId, to: &T::AccountId, amount: Balance) -> Balance {
        let (reason, treasury) = (HoldReason::ProviderBond, T::Treasury::get());
        let taken = holds::slash::<T::Currency, _>(reason, who, to, &treasury, amount);
        if Self::tell(who, to, amount, taken) {
            amount
        } else {
            0
        }
    }

    /// Takes up to `amount` of a provider's bond: half to the reporter, the rest, or without a
    /// reporter all of it, to the treasury. What neither can receive stays in the bond. Returns what
    /// was taken. The caller stores the provider.
    pub(crate) fn slash(
        who: &T::AccountId,
        provider: &mut Provider,
        amount: Balance,
        reporter: Option<&T::AccountId>,
        replica: Option<ReplicaId>,
        fault: Fault,
    ) -> Balance {
        let all = amount.min(provider.bond);
        let half = reporter.map_or(0, |_| all >> 1);
        let rest = all.saturating_sub(half);
        let shared = reporter.map_or(0, |reporter| Self::take_bond(who, reporter, half));
        let taken = Self::take_bond(who, &T::Treasury::get(), rest).saturating_add(shared);
        provider.bond = provider.bond.saturating_sub(taken);
        Counters::<T>::mutate(|totals| totals.slashed = totals.slashed.saturating_add(taken));
        Self::deposit_event(Event::Slashed {
            provider: who.clone(),
            replica,
            fault,
            amount: taken,
            reporter: reporter.cloned(),
        });
        taken
    }

    /// ⌊escrow · windows / all windows⌋.
    pub(crate) fn earned(escrow: Balance, windows: u32, all: u32) -> Option<Balance> {
        multiply_by_rational_with_rounding(escrow, windows.into(), all.into(), Rounding::Down)
    }

    /// Pays out of a deal's escrow what its replica has earned by now. Returns how much that was.
    pub(crate) fn settle_into(
        id: ReplicaId,
        replica: &Replica<T::AccountId>,
        deal: &mut Deal<T::AccountId>,
    ) -> Result<Balance, sp_runtime::DispatchError> {
        let windows = replica.paid_windows(
            Folded::<T>::get(),
            Settings::<T>::get().proof_window,
            deal.windows,
        );
        let earned =
            Self::earned(deal.escrow, windows, deal.windows).ok_or(Error::<T>::Inconsistent)?;
        // Never negative: windows paid for only grow.
        let due = earned.saturating_sub(deal.paid);
        if due == 0 {
            return Ok(0);
        }
        Self::pay(HoldReason::DealEscrow, &deal.client, &replica.provider, due);
        deal.paid = deal.paid.saturating_add(due);
        Counters::<T>::mutate(|totals| totals.paid = totals.paid.saturating_add(due));
        Self::deposit_event(Event::Settled {
            replica: id,
            provider: replica.provider.clone(),
            amount: due,
            windows,
        });
        Ok(due)
    }
}
