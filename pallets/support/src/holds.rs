// SPDX-License-Identifier: Apache-2.0

//! Funds on hold, and the one policy for where they go.
//!
//! An account can refuse a payment: an amount below the existential deposit does not open an account,
//! and an account can be full. Each verb has its recipients in a fixed order, and the first that can
//! receive the whole amount gets it:
//!
//! | verb | recipients, in order | where all of them refuse |
//! |---|---|---|
//! | [`withdraw`] | the owner | an error: it stays on hold, as it is booked |
//! | [`give_back`] | the owner, the treasury | it stays on hold, unbooked |
//! | [`pay`] | the receiver, the treasury, the account that it lies on | it stays on hold, unbooked |
//! | [`slash`] | the receiver, the treasury | it stays on hold, and the pallet keeps it booked or gives it back |
//! | [`entrust`] | the receiver on hold, the receiver, the treasury on hold for the receiver | an error: the pallet adds it to the treasury's share |
//!
//! [`withdraw`] is for calls about the money of one account, which may be refused. The others are for
//! steps about several accounts: they never fail, so that no account can hold up the others, and
//! return a [`Delivery`] that the pallet turns into its own event.
//!
//! Every verb is exact: the whole amount moves, or nothing has changed. An amount of 0 moves nothing
//! and succeeds. [`hold`] checks before it changes anything, and has no storage layer of its own: a
//! caller that goes on after its error brings one.

use alloc::collections::BTreeMap;
use frame_support::{
    ensure,
    storage::with_storage_layer,
    traits::{
        fungible::{InspectHold, Mutate, MutateHold},
        tokens::{Fortitude, Precision, Preservation, Restriction},
    },
};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult, TokenError};
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

/// Adds an amount to what an account should have on hold.
pub fn add<A: Ord>(sums: &mut BTreeMap<A, Balance>, who: A, amount: Balance) {
    let sum = sums.entry(who).or_default();
    *sum = sum.saturating_add(amount);
}

/// `true` if every account has exactly its sum on hold for this reason.
pub fn are_exact<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    sums: &BTreeMap<A, Balance>,
) -> bool
where
    C: MutateHold<A, Balance = Balance>,
{
    let reason = reason.into();
    sums.iter()
        .all(|(who, sum)| C::balance_on_hold(&reason, who) == *sum)
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

/// End of an amount that was to leave its hold.
#[must_use = "the pallet tells by its event where the money went"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delivery<A> {
    /// The first recipient has it.
    Made,
    /// This account has it, because those before it cannot receive it.
    Diverted(A),
    /// No recipient can receive it, or less is on hold: it is where it was.
    Refused(DispatchError),
}

/// Moves held funds to the free balance of their owner; `keeper` is the account that they lie on.
///
/// # Errors
/// Less is on hold, or the owner cannot receive the amount.
pub fn withdraw<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    keeper: &A,
    owner: &A,
    amount: Balance,
) -> DispatchResult
where
    C: MutateHold<A, Balance = Balance>,
    A: Eq,
{
    transfer::<C, A>(reason, keeper, owner, amount)
}

/// Makes held funds of `owner` free again.
pub fn give_back<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason> + Copy,
    owner: &A,
    treasury: &A,
    amount: Balance,
) -> Delivery<A>
where
    C: MutateHold<A, Balance = Balance>,
    A: Clone + Eq,
{
    deliver::<C, A>(reason, owner, &[owner, treasury], amount)
}

/// Moves held funds of `from` to the free balance of `to`. A fee is a payment to the treasury.
pub fn pay<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason> + Copy,
    from: &A,
    to: &A,
    treasury: &A,
    amount: Balance,
) -> Delivery<A>
where
    C: MutateHold<A, Balance = Balance>,
    A: Clone + Eq,
{
    deliver::<C, A>(reason, from, &[to, treasury, from], amount)
}

/// Takes a part of what is on hold from its owner, for `to`: the treasury, or who reported the fault.
pub fn slash<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason> + Copy,
    owner: &A,
    to: &A,
    treasury: &A,
    amount: Balance,
) -> Delivery<A>
where
    C: MutateHold<A, Balance = Balance>,
    A: Clone + Eq,
{
    deliver::<C, A>(reason, owner, &[to, treasury], amount)
}

/// A payment that its receiver claims later: it goes from one hold to another.
pub struct Entrusted<'a, A, R> {
    /// The account that it lies on.
    pub from: &'a A,
    /// The reason of the hold that it is on.
    pub reason: R,
    /// The account that it is for.
    pub to: &'a A,
    /// The account that keeps it where the receiver cannot.
    pub treasury: &'a A,
    /// The reason of the hold in which it waits to be claimed.
    pub claimable: R,
    /// The amount in wei.
    pub amount: Balance,
}

/// Place of a payment that was entrusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kept {
    /// On hold on the account of its receiver.
    Receiver,
    /// In the free balance of its receiver, who need not claim it.
    Paid,
    /// On hold on the treasury's account, for its receiver.
    Treasury,
}

/// Puts a payment on hold for its receiver to claim, or pays it `at_once`. It is also paid at once
/// where the receiver's account cannot carry a hold. `book` records what is on hold, as a part of
/// the movement: where it fails, nothing has moved to that place.
///
/// # Errors
/// Neither the receiver nor the treasury can take it, or less is on hold.
pub fn entrust<C, A, R>(
    payment: &Entrusted<'_, A, R>,
    at_once: bool,
    book: impl Fn(Kept) -> DispatchResult,
) -> Result<Kept, DispatchError>
where
    C: MutateHold<A, Balance = Balance>,
    A: Eq,
    R: Into<<C as InspectHold<A>>::Reason> + Copy,
{
    let Entrusted {
        from,
        reason,
        to,
        treasury,
        claimable,
        amount,
    } = *payment;
    if amount == 0 {
        return Ok(Kept::Paid);
    }
    let keep = |keeper: &A, place: Kept| {
        with_storage_layer::<_, DispatchError, _>(|| {
            transfer::<C, A>(reason, from, keeper, amount)?;
            // Beyond the existential deposit, or what stays free could be burned as dust.
            let spare = C::reducible_balance(keeper, Preservation::Preserve, Fortitude::Force);
            ensure!(spare >= amount, TokenError::FundsUnavailable);
            C::hold(&claimable.into(), keeper, amount)?;
            book(place)
        })
        .map(|()| place)
    };
    let kept = (!at_once).then(|| keep(to, Kept::Receiver));
    if let Some(Ok(place)) = kept {
        return Ok(place);
    }
    // An account that did not exist cannot hold all it gets, because it must keep the existential
    // deposit free.
    if transfer::<C, A>(reason, from, to, amount).is_ok() {
        return Ok(Kept::Paid);
    }
    keep(treasury, Kept::Treasury)
}

/// Moves held funds of `from` to the free balance of the first of `recipients` that can receive
/// them.
fn deliver<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason> + Copy,
    from: &A,
    recipients: &[&A],
    amount: Balance,
) -> Delivery<A>
where
    C: MutateHold<A, Balance = Balance>,
    A: Clone + Eq,
{
    let mut last = DispatchError::CannotLookup;
    for to in recipients {
        match transfer::<C, A>(reason, from, to, amount) {
            Ok(()) if recipients.first() == Some(to) => return Delivery::Made,
            Ok(()) => return Delivery::Diverted((*to).clone()),
            Err(error) => last = error,
        }
    }
    Delivery::Refused(last)
}

/// Moves held funds of `from` to the free balance of `to`; for `from` itself the hold is released.
/// Atomic: where it fails, nothing has changed, and its caller may go on.
fn transfer<C, A>(
    reason: impl Into<<C as InspectHold<A>>::Reason>,
    from: &A,
    to: &A,
    amount: Balance,
) -> DispatchResult
where
    C: MutateHold<A, Balance = Balance>,
    A: Eq,
{
    if amount == 0 {
        return Ok(());
    }
    let reason = reason.into();
    with_storage_layer(|| {
        if from == to {
            C::release(&reason, from, amount, Precision::Exact)
        } else {
            C::transfer_on_hold(
                &reason,
                from,
                to,
                amount,
                Precision::Exact,
                Restriction::Free,
                Fortitude::Force,
            )
        }
    })
    .map(|_| ())
}
