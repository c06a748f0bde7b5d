// SPDX-License-Identifier: Apache-2.0

//! Escrows: in from the publisher, and the rest of them out to publisher and treasury.

use crate::{pallet::*, types::*, LOG_TARGET};
use frame_support::{ensure, traits::Get};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_pallet_support::holds::{self, Delivery};
use tos_types::{Balance, TaskId};

impl<T: Config> Pallet<T> {
    /// Holds a reward on its publisher's account.
    pub(crate) fn do_deposit(
        task: &TaskId,
        publisher: &T::AccountId,
        amount: Balance,
    ) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::EmptyDeposit);
        ensure!(!Escrows::<T>::contains_key(task), Error::<T>::EscrowExists);
        holds::hold::<T::Currency, _>(
            HoldReason::Escrow,
            publisher,
            amount,
            Error::<T>::InsufficientFunds,
        )?;
        Escrows::<T>::insert(
            task,
            Escrow {
                publisher: publisher.clone(),
                amount,
            },
        );
        Self::deposit_event(Event::Deposited {
            task: *task,
            publisher: publisher.clone(),
            amount,
        });
        Ok(())
    }

    /// Gives an escrow back to its publisher, less a fee to the treasury.
    pub(crate) fn do_refund(task: &TaskId, fee: Balance) -> DispatchResult {
        let Escrow { publisher, amount } = Escrows::<T>::take(task).ok_or(Error::<T>::NoEscrow)?;
        let fee = fee.min(amount);
        let rest = amount.saturating_sub(fee);
        let (amount, fee) = Self::close(task, &publisher, rest, fee);
        Self::deposit_event(Event::Refunded {
            task: *task,
            publisher,
            amount,
            fee,
        });
        Ok(())
    }

    /// Empties an escrow: `refund` to its publisher, `network` to the treasury, each to the other
    /// where it cannot be delivered. Returns the amounts that they really got; what neither can
    /// receive stays on the publisher's account and is the publisher's.
    pub(crate) fn close(
        task: &TaskId,
        publisher: &T::AccountId,
        refund: Balance,
        network: Balance,
    ) -> (Balance, Balance) {
        let (mut back, mut kept) = (0, 0);
        let (reason, treasury) = (HoldReason::Escrow, T::Treasury::get());
        let returned = holds::give_back::<T::Currency, _>(reason, publisher, &treasury, refund);
        let share = match returned {
            Delivery::Diverted(_) => &mut kept,
            _ => &mut back,
        };
        *share = refund;
        Self::tell(task, publisher, publisher, refund, returned);
        let taken = holds::pay::<T::Currency, _>(reason, publisher, &treasury, &treasury, network);
        let share = match taken {
            Delivery::Made => &mut kept,
            _ => &mut back,
        };
        *share = network.saturating_add(*share);
        Self::tell(task, publisher, &treasury, network, taken);
        (back, kept)
    }

    /// Tells when an amount out of an escrow did not reach the account that it was for.
    fn tell(
        task: &TaskId,
        publisher: &T::AccountId,
        who: &T::AccountId,
        amount: Balance,
        delivery: Delivery<T::AccountId>,
    ) {
        let to = match delivery {
            Delivery::Made => return,
            Delivery::Diverted(to) => to,
            Delivery::Refused(error) => {
                log::error!(target: LOG_TARGET, "{amount} of {task:?} stay on hold: {error:?}");
                publisher.clone()
            }
        };
        Self::undeliverable(task, who.clone(), amount, to);
    }

    /// Emits the event of an amount that went to another account than it should.
    pub(crate) fn undeliverable(
        task: &TaskId,
        who: T::AccountId,
        amount: Balance,
        to: T::AccountId,
    ) {
        Self::deposit_event(Event::Undeliverable {
            task: *task,
            who,
            amount,
            to,
        });
    }
}
