// SPDX-License-Identifier: Apache-2.0

//! Money: escrow, bonds, slashes. What goes in comes out, to the wei.

use crate::*;
use frame_support::traits::Get;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, DispatchResult, Rounding};
use tos_pallet_support::holds;
use tos_types::{Balance, ReplicaId};

impl<T: Config> Pallet<T> {
    /// Holds funds of an account.
    pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
        holds::hold::<T::Currency, _>(reason, who, amount, Error::<T>::InsufficientFunds)
    }

    /// Gives held funds back to their owner, or to the treasury when the owner's account cannot
    /// receive them.
    pub(crate) fn give_back(
        reason: HoldReason,
        who: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        Self::deliver(reason, who, &[who, &T::Treasury::get()], amount)
    }

    /// Moves held funds of `from` to `to`; to the treasury when `to` cannot receive them, and back to
    /// `from` when the treasury cannot either.
    pub(crate) fn pay(
        reason: HoldReason,
        from: &T::AccountId,
        to: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        Self::deliver(reason, from, &[to, &T::Treasury::get(), from], amount)
    }

    /// Moves held funds of `from` to the first of `recipients` who can receive them, and tells when
    /// that is not the first one.
    fn deliver(
        reason: HoldReason,
        from: &T::AccountId,
        recipients: &[&T::AccountId],
        amount: Balance,
    ) -> DispatchResult {
        let to = holds::deliver::<T::Currency, _>(reason, from, recipients, amount)?;
        if let Some(who) = recipients.first().filter(|first| **first != &to) {
            let who = (*who).clone();
            Self::deposit_event(Event::Undeliverable { who, amount, to });
        }
        Ok(())
    }

    /// Takes up to `amount` of a provider's bond: half to the reporter, the rest, or without a
    /// reporter all of it, to the treasury. Returns what was taken. The caller stores the provider.
    pub(crate) fn slash(
        who: &T::AccountId,
        provider: &mut Provider,
        amount: Balance,
        reporter: Option<&T::AccountId>,
        replica: Option<ReplicaId>,
        fault: Fault,
    ) -> Result<Balance, sp_runtime::DispatchError> {
        let taken = amount.min(provider.bond);
        let half = reporter.map_or(0, |_| taken >> 1);
        if let Some(reporter) = reporter {
            Self::pay(HoldReason::ProviderBond, who, reporter, half)?;
        }
        let rest = taken.saturating_sub(half);
        Self::pay(HoldReason::ProviderBond, who, &T::Treasury::get(), rest)?;
        provider.bond = provider.bond.saturating_sub(taken);
        Counters::<T>::mutate(|totals| totals.slashed = totals.slashed.saturating_add(taken));
        Self::deposit_event(Event::Slashed {
            provider: who.clone(),
            replica,
            fault,
            amount: taken,
            reporter: reporter.cloned(),
        });
        Ok(taken)
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
        Self::pay(HoldReason::DealEscrow, &deal.client, &replica.provider, due)?;
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
