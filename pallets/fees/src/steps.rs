// SPDX-License-Identifier: Apache-2.0

//! Steps of a block: its author is noted at its beginning, the fees are paid at its end.

use crate::*;
use frame_support::traits::{fungible::Balanced, Get, Imbalance};

impl<T: Config> Pallet<T> {
    /// Notes the author of the block. Known at its beginning; a session that ends in this block
    /// changes the answer.
    pub(crate) fn note_author() {
        Author::<T>::set(T::Author::get());
    }

    /// Pays the fees due. A part too small to open its account is lost: no other account has a
    /// claim to it.
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
}
