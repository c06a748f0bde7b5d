// SPDX-License-Identifier: Apache-2.0

//! Escrows: in from the publisher, and the rest of them out to publisher and treasury.

use crate::{pallet::*, types::*};
use frame_support::{ensure, traits::Get};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_pallet_support::holds;
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
        let (amount, fee) = Self::close(task, &publisher, rest, fee)?;
        Self::deposit_event(Event::Refunded {
            task: *task,
            publisher,
            amount,
            fee,
        });
        Ok(())
    }

    /// Empties an escrow: `refund` to its publisher, `network` to the treasury, each to the other
    /// where it cannot be delivered. Returns the amounts that they really got.
    pub(crate) fn close(
        task: &TaskId,
        publisher: &T::AccountId,
        refund: Balance,
        network: Balance,
    ) -> Result<(Balance, Balance), DispatchError> {
        let (mut back, mut kept) = (0, 0);
        let refunded = Self::to_publisher(task, publisher, refund)?;
        let share = if refunded { &mut back } else { &mut kept };
        *share = refund;
        let taken = Self::to_treasury(task, publisher, network)?;
        let share = if taken { &mut kept } else { &mut back };
        *share = network.saturating_add(*share);
        Ok((back, kept))
    }

    /// Moves a part of an escrow to the treasury, or gives it back to its publisher when the
    /// treasury cannot receive it. Returns `true` if the treasury got it.
    fn to_treasury(
        task: &TaskId,
        from: &T::AccountId,
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        Self::to_first(task, from, [&T::Treasury::get(), from], amount)
    }

    /// Releases a part of an escrow to its publisher, or sends it to the treasury when the
    /// publisher's account cannot receive it. Returns `true` if the publisher got it.
    fn to_publisher(
        task: &TaskId,
        publisher: &T::AccountId,
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        Self::to_first(task, publisher, [publisher, &T::Treasury::get()], amount)
    }

    /// Moves a part of an escrow to the first of two who can receive it. Returns `true` if that was
    /// the first one.
    fn to_first(
        task: &TaskId,
        from: &T::AccountId,
        recipients: [&T::AccountId; 2],
        amount: Balance,
    ) -> Result<bool, DispatchError> {
        let [first, _] = recipients;
        let to = holds::deliver::<T::Currency, _>(HoldReason::Escrow, from, &recipients, amount)?;
        if to == *first {
            return Ok(true);
        }
        Self::undeliverable(task, first.clone(), amount, to);
        Ok(false)
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
