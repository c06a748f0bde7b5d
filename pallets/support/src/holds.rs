// SPDX-License-Identifier: Apache-2.0

//! Funds on hold: putting them there, releasing them, moving them to others.
//!
//! Every function is exact: the whole amount moves, or it fails. An amount of 0 moves nothing and
//! succeeds. What releases, transfers or delivers is atomic: where it fails, nothing has changed,
//! and its caller may go on. [`hold`] checks before it changes anything, and has no storage layer of
//! its own: a caller that goes on after its error brings one.

use frame_support::{
    storage::with_storage_layer,
    traits::{
        fungible::{InspectHold, Mutate, MutateHold},
        tokens::{Fortitude, Precision, Restriction},
    },
};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_types::Balance;

/// A currency of which pallets hold funds; `Reason` is the runtime's.
pub trait HeldCurrency<AccountId: Eq>:
    Mutate<AccountId, Balance = Balance> + MutateHold<AccountId>
{
}

impl<AccountId: Eq, Currency> HeldCurrency<AccountId> for Currency where
    Currency: Mutate<AccountId, Balance = Balance> + MutateHold<AccountId>
{
}

/// Puts free funds of `who` on hold.
///
/// # Errors
/// `short` if `who` does not have them to spare.
pub fn hold<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    who: &A,
    amount: Balance,
    short: impl Into<DispatchError>,
) -> DispatchResult
where
    C: MutateHold<A, Balance = Balance>,
{
    if amount == 0 {
        return Ok(());
    }
    C::hold(&reason.into(), who, amount).map_err(|error| match error {
        DispatchError::Token(_) => short.into(),
        other => other,
    })
}

/// Makes held funds of `who` free again.
///
/// # Errors
/// Less is on hold, or what becomes free is too little to exist on its own.
pub fn release<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    who: &A,
    amount: Balance,
) -> DispatchResult
where
    C: MutateHold<A, Balance = Balance>,
{
    if amount == 0 {
        return Ok(());
    }
    with_storage_layer(|| C::release(&reason.into(), who, amount, Precision::Exact)).map(|_| ())
}

/// Moves held funds of `from` to the free balance of `to`.
///
/// # Errors
/// Less is on hold, or `to` cannot receive the amount.
pub fn transfer<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    from: &A,
    to: &A,
    amount: Balance,
) -> DispatchResult
where
    C: MutateHold<A, Balance = Balance>,
{
    if amount == 0 {
        return Ok(());
    }
    with_storage_layer(|| {
        C::transfer_on_hold(
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

/// Moves held funds of `from` to the free balance of the first of `recipients` that can receive
/// them, and returns that one. For `from` itself the hold is released.
///
/// # Errors
/// None of them can receive the amount, or less is on hold.
pub fn deliver<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason> + Copy,
    from: &A,
    recipients: &[&A],
    amount: Balance,
) -> Result<A, DispatchError>
where
    C: MutateHold<A, Balance = Balance>,
    A: Clone + Eq,
{
    let mut last = DispatchError::CannotLookup;
    for to in recipients {
        let moved = if *to == from {
            release::<C, A>(reason, from, amount)
        } else {
            transfer::<C, A>(reason, from, to, amount)
        };
        match moved {
            Ok(()) => return Ok((*to).clone()),
            Err(error) => last = error,
        }
    }
    Err(last)
}
