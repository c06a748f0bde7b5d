// SPDX-License-Identifier: Apache-2.0

//! Conformance tests of [`holds`], for each pallet that uses it to run on its own mock: the currency
//! and the reason are that pallet's.

use crate::holds::{self, HeldCurrency};
use frame_support::{assert_noop, assert_ok, assert_storage_noop, traits::fungible::InspectHold};
use polkadot_sdk::*;
use sp_runtime::DispatchError;

/// The account that is given what the test needs.
const OWNER: u64 = 9_001;
/// An account that does not exist, and has no other account's funds.
const NOBODY: u64 = 9_002;

/// Checks that held money moves exactly, to whom it may, and is never lost. The account `other`
/// exists.
///
/// # Panics
/// The currency does not behave so.
pub fn held_money_conforms<C: HeldCurrency<u64>>(
    reason: impl Into<<C as InspectHold<u64>>::Reason> + Copy,
    other: u64,
) {
    let (owner, other, nobody) = (&OWNER, &other, &NOBODY);
    let unit = C::minimum_balance();
    assert!(
        unit > 1,
        "the test needs amounts that are too small to exist"
    );
    assert_ok!(C::mint_into(owner, 1_000 * unit));
    let issued = C::total_issuance();
    let held = |who: &u64| C::balance_on_hold(&reason.into(), who);
    let before = held(owner);

    // Holding: exact, or the caller's own error and no change.
    let short = DispatchError::Other("short");
    let all = C::total_balance(owner) + 1;
    assert_noop!(holds::hold::<C, u64>(reason, owner, all, short), short);
    assert_ok!(holds::hold::<C, u64>(reason, owner, 100 * unit, short));
    assert_eq!(held(owner) - before, 100 * unit);
    // Also of an account that can hold nothing.
    let nothing = || holds::hold::<C, u64>(reason, nobody, 0, short);
    assert_storage_noop!(assert_eq!(nothing(), Ok(())));

    // More than is held moves nowhere.
    let more = held(owner) + 1;
    assert!(holds::release::<C, u64>(reason, owner, more).is_err());
    assert!(holds::transfer::<C, u64>(reason, owner, other, more).is_err());
    assert!(holds::deliver::<C, u64>(reason, owner, &[other, owner], more).is_err());
    assert_eq!(held(owner), more - 1);

    // What an account cannot receive goes to the next one; 0 goes anywhere.
    let dust = unit - 1;
    let refused = holds::transfer::<C, u64>(reason, owner, nobody, dust);
    assert!(matches!(refused, Err(DispatchError::Token(_))));
    let deliver = |to: &[&u64], amount| holds::deliver::<C, u64>(reason, owner, to, amount);
    let (free, others) = (C::balance(owner), C::balance(other));
    assert_eq!(deliver(&[nobody, other, owner], dust), Ok(*other));
    assert_eq!(C::balance(other), others + dust);
    assert_eq!(deliver(&[nobody, owner, other], dust), Ok(OWNER));
    assert_eq!(C::balance(owner), free + dust);
    assert_eq!(deliver(&[nobody, owner], 0), Ok(NOBODY));
    assert_eq!(deliver(&[nobody], dust).err(), refused.err());
    assert_eq!(held(owner) - before, 100 * unit - 2 * dust);

    // An amount that can exist opens an account.
    assert_eq!(deliver(&[nobody, owner], unit), Ok(NOBODY));
    assert_eq!(C::balance(nobody), unit);

    assert_ok!(holds::release::<C, u64>(
        reason,
        owner,
        held(owner) - before
    ));
    assert_eq!(held(owner), before);
    assert_eq!(C::total_issuance(), issued);
}
