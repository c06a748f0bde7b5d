// SPDX-License-Identifier: Apache-2.0

//! Recipient of the fees that `pallet-transaction-payment` takes.

use crate::*;
use frame_support::traits::{fungible::Credit, Get, Imbalance, OnUnbalanced};
use tos_types::Balance;

impl<T: Config> OnUnbalanced<Credit<T::AccountId, T::Currency>> for Pallet<T> {
    /// Takes a transaction's fee, and then its tip.
    fn on_unbalanceds(mut fee_then_tip: impl Iterator<Item = Credit<T::AccountId, T::Currency>>) {
        let fee = fee_then_tip.next().map_or(0, surrender::<T>);
        let tip = fee_then_tip
            .map(surrender::<T>)
            .fold(0, Balance::saturating_add);
        let for_treasury = T::TreasuryShare::get().mul_floor(fee);
        Due::<T>::mutate(|due| {
            // Sums of what was in the issuance, which fits.
            due.treasury = due.treasury.saturating_add(for_treasury);
            due.author = due
                .author
                .saturating_add(fee.saturating_sub(for_treasury))
                .saturating_add(tip);
        });
    }
}

/// Takes a credit out of the issuance. Returns its amount.
fn surrender<T: Config>(credit: Credit<T::AccountId, T::Currency>) -> Balance {
    let amount = credit.peek();
    drop(credit);
    amount
}
