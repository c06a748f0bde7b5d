// SPDX-License-Identifier: Apache-2.0

//! Conformance tests of [`holds`](crate::holds), for each pallet that uses it to run on its own
//! mock: the currency and the reason are that pallet's. In every native build, because a feature
//! of its own would have all pallets compiled twice.

#![allow(clippy::arithmetic_side_effects, reason = "test code")]

use crate::holds;
use frame_support::{
    assert_noop, assert_ok,
    traits::fungible::{Inspect, InspectHold, Mutate, MutateHold},
};
use polkadot_sdk::*;
use sp_runtime::DispatchError;
use tos_types::Balance;

/// The accounts that the tests use.
pub struct Accounts<A> {
    /// Exists. It is given what it needs.
    pub owner: A,
    /// Exists.
    pub other: A,
    /// Does not exist, and has no other account's funds.
    pub nobody: A,
}

/// Checks that held money moves exactly, to whom it may, and is never lost.
///
/// # Panics
/// The currency does not behave so.
pub fn held_money_conforms<C, R, A>(reason: R, accounts: &Accounts<A>)
where
    C: Mutate<A>
        + MutateHold<A, Balance = Balance>
        + InspectHold<A>
        + Inspect<A, Balance = Balance>,
    R: Into<<C as InspectHold<A>>::Reason> + Copy,
    A: Clone + Eq + core::fmt::Debug,
{
    let Accounts {
        owner,
        other,
        nobody,
    } = accounts;
    let unit = C::minimum_balance();
    assert!(
        unit > 1,
        "the test needs amounts that are too small to exist"
    );
    assert_ok!(C::mint_into(owner, 1_000 * unit));
    let issued = C::total_issuance();
    let held = |who: &A| C::balance_on_hold(&reason.into(), who);
    let before = held(owner);

    // Holding: exact, or the caller's own error and no change.
    let short = DispatchError::Other("short");
    let all = C::total_balance(owner) + 1;
    assert_noop!(holds::hold::<C, A>(reason, owner, all, short), short);
    assert_ok!(holds::hold::<C, A>(reason, owner, 100 * unit, short));
    assert_eq!(held(owner) - before, 100 * unit);

    // More than is held moves nowhere.
    let more = held(owner) + 1;
    assert!(holds::release::<C, A>(reason, owner, more).is_err());
    assert!(holds::transfer::<C, A>(reason, owner, other, more).is_err());
    assert!(holds::deliver::<C, A>(reason, owner, &[other, owner], more).is_err());
    assert_eq!(held(owner), more - 1);

    // What an account cannot receive goes to the next one; 0 goes anywhere.
    let dust = unit - 1;
    let refused = holds::transfer::<C, A>(reason, owner, nobody, dust);
    assert!(matches!(refused, Err(DispatchError::Token(_))));
    let deliver = |to: &[&A], amount| holds::deliver::<C, A>(reason, owner, to, amount);
    let (free, others) = (C::balance(owner), C::balance(other));
    assert_eq!(deliver(&[nobody, other, owner], dust), Ok(other.clone()));
    assert_eq!(C::balance(other), others + dust);
    assert_eq!(deliver(&[nobody, owner, other], dust), Ok(owner.clone()));
    assert_eq!(C::balance(owner), free + dust);
    assert_eq!(deliver(&[nobody, owner], 0), Ok(nobody.clone()));
    assert_eq!(deliver(&[nobody], dust).err(), refused.err());
    assert_eq!(held(owner) - before, 100 * unit - 2 * dust);

    // An amount that can exist opens an account.
    assert_eq!(deliver(&[nobody, owner], unit), Ok(nobody.clone()));
    assert_eq!(C::balance(nobody), unit);

    assert_ok!(holds::release::<C, A>(reason, owner, held(owner) - before));
    assert_eq!(held(owner), before);
    assert_eq!(C::total_issuance(), issued);
}
