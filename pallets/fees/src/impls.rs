// SPDX-License-Identifier: Apache-2.0

//! Where fees go.

use crate::*;
use frame_support::{
    ensure,
    traits::{
        fungible::{Balanced, Credit},
        Get, Imbalance, OnUnbalanced,
    },
};
use sp_runtime::TryRuntimeError;
use tos_types::Balance;

impl<T: Config> Pallet<T> {
    /// Pays what is due. A part too small to open its account is lost; there is nobody to give it to.
    pub(crate) fn pay_out() {
        let author = Author::<T>::take();
        let Parts {
            treasury: rest,
            author: earned,
        } = Due::<T>::take();
        let treasury = T::Treasury::get();
        let author = author.unwrap_or_else(|| treasury.clone());
        for (who, amount) in [(treasury, rest), (author, earned)] {
            if amount > 0 {
                let issued = T::Currency::issue(amount);
                if let Err(lost) = T::Currency::resolve(&who, issued) {
                    log::warn!(target: LOG_TARGET, "fees of {} found no account", lost.peek());
                }
            }
        }
    }

    /// Checks what must hold between blocks.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(!Due::<T>::exists(), "fees were not paid out");
        ensure!(!Author::<T>::exists(), "an author outlived its block");
        Ok(())
    }
}

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

/// Takes a credit out of the issuance, and tells how much it was.
fn surrender<T: Config>(credit: Credit<T::AccountId, T::Currency>) -> Balance {
    let amount = credit.peek();
    drop(credit);
    amount
}
