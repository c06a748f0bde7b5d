//! Money: escrow, bonds, slashes. What goes in comes out, to the wei.

use crate::*;
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{InspectHold, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
        Get,
    },
};
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, DispatchResult, Rounding};
use tos_primitives::{Balance, ReplicaId};

impl<T: Config> Pallet<T> {
    /// Holds funds of an account.
    pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
        let reason = reason.into();
        ensure!(
            T::Currency::can_hold(&reason, who, amount),
            Error::<T>::InsufficientFunds
        );
        T::Currency::hold(&reason, who, amount)
    }

    /// Gives held funds back to their owner, or to the treasury when the owner's account cannot
    /// receive them.
    pub(crate) fn give_back(
        reason: HoldReason,
        who: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        if amount == 0 || Self::release(reason, who, amount).is_ok() {
            return Ok(());
        }
        Self::transfer(reason, who, &T::Treasury::get(), amount)?;
        Self::undeliverable(who.clone(), amount, T::Treasury::get());
        Ok(())
    }

    /// Moves held funds of `from` to `to`; to the treasury when `to` cannot receive them, and back to
    /// `from` when the treasury cannot either.
    pub(crate) fn pay(
        reason: HoldReason,
        from: &T::AccountId,
        to: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        if amount == 0 || Self::transfer(reason, from, to, amount).is_ok() {
            return Ok(());
        }
        let treasury = T::Treasury::get();
        if *to != treasury && Self::transfer(reason, from, &treasury, amount).is_ok() {
            Self::undeliverable(to.clone(), amount, treasury);
            return Ok(());
        }
        Self::release(reason, from, amount)?;
        Self::undeliverable(to.clone(), amount, from.clone());
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
            Scale::<T>::get().proof_window,
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

    fn undeliverable(who: T::AccountId, amount: Balance, to: T::AccountId) {
        Self::deposit_event(Event::Undeliverable { who, amount, to });
    }

    /// Moves held funds into the free balance of `to`. On failure nothing changes.
    fn transfer(
        reason: HoldReason,
        from: &T::AccountId,
        to: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        with_storage_layer(|| {
            T::Currency::transfer_on_hold(
                &reason.into(),
                from,
                to,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        })
        .map(|_| ())
    }

    /// Frees held funds. On failure nothing changes.
    fn release(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
        with_storage_layer(|| T::Currency::release(&reason.into(), who, amount, Precision::Exact))
            .map(|_| ())
    }
}
