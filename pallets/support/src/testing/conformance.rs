// SPDX-License-Identifier: Apache-2.0

//! Conformance tests of [`holds`], for each pallet that uses it to run on its own mock: the currency
//! and the reason are that pallet's.

use crate::holds::{self, Delivery, Entrusted, HeldCurrency, Kept};
use frame_support::{assert_noop, assert_ok, assert_storage_noop, traits::fungible::InspectHold};
use polkadot_sdk::*;
use sp_runtime::DispatchError;

/// The account that is given what the test needs.
const OWNER: u64 = 9_001;
/// An account that does not exist, and has no other account's funds.
const NOBODY: u64 = 9_002;
/// Another one.
const NOWHERE: u64 = 9_003;

/// Checks that held money moves exactly, to whom it may, and is never lost. The account `other`
/// exists.
///
/// # Panics
/// The currency does not behave so.
pub fn held_money_conforms<C: HeldCurrency<u64>>(
    reason: impl Into<<C as InspectHold<u64>>::Reason> + Copy,
    other: u64,
) {
    let (owner, other, nobody, nowhere) = (&OWNER, &other, &NOBODY, &NOWHERE);
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

    let withdraw = |to: &u64, amount| holds::withdraw::<C, u64>(reason, owner, to, amount);
    let give_back =
        |treasury: &u64, amount| holds::give_back::<C, u64>(reason, owner, treasury, amount);
    let pay = |to: &u64, treasury: &u64, amount| {
        holds::pay::<C, u64>(reason, owner, to, treasury, amount)
    };
    let slash = |to: &u64, treasury: &u64, amount| {
        holds::slash::<C, u64>(reason, owner, to, treasury, amount)
    };
    let entrust = |to, treasury, at_once, amount| {
        let payment = Entrusted {
            from: owner,
            reason,
            to,
            treasury,
            claimable: reason,
            amount,
        };
        holds::entrust::<C, u64, _>(&payment, at_once, |_| Ok(()))
    };
    let refused = |delivery| matches!(delivery, Delivery::Refused(_));

    // More than is held moves nowhere.
    let more = held(owner) + 1;
    assert_storage_noop!({
        assert!(withdraw(owner, more).is_err());
        assert!(withdraw(other, more).is_err());
        assert!(refused(give_back(other, more)));
        assert!(refused(pay(other, owner, more)));
        assert!(refused(slash(other, other, more)));
        assert!(entrust(other, other, false, more).is_err());
    });

    // An amount of 0 goes anywhere.
    assert_storage_noop!({
        assert_ok!(withdraw(nobody, 0));
        assert_eq!(give_back(nobody, 0), Delivery::Made);
        assert_eq!(pay(nobody, nobody, 0), Delivery::Made);
        assert_eq!(slash(nobody, nobody, 0), Delivery::Made);
        assert_eq!(entrust(nobody, nobody, false, 0), Ok(Kept::Paid));
    });

    // Dust that an account cannot receive goes to the next one, or stays where it is.
    let dust = unit - 1;
    assert_storage_noop!({
        let error = withdraw(nobody, dust);
        assert!(matches!(error, Err(DispatchError::Token(_))));
        assert!(refused(slash(nobody, nowhere, dust)));
        assert!(entrust(nobody, nowhere, true, dust).is_err());
        assert!(entrust(nobody, nowhere, false, dust).is_err());
    });
    let (free, others) = (C::balance(owner), C::balance(other));
    assert_eq!(pay(nobody, other, dust), Delivery::Diverted(*other));
    assert_eq!(slash(nobody, other, dust), Delivery::Diverted(*other));
    assert_eq!(slash(other, nobody, dust), Delivery::Made);
    assert_eq!(C::balance(other), others + 3 * dust);
    assert_eq!(pay(nobody, nowhere, dust), Delivery::Diverted(OWNER));
    assert_eq!(give_back(nobody, dust), Delivery::Made);
    assert_eq!(C::balance(owner), free + 2 * dust);
    assert_eq!(held(owner) - before, 100 * unit - 5 * dust);

    // What is entrusted waits on hold: with its receiver, or for it with the treasury.
    let (held_of_other, others) = (held(other), C::balance(other));
    assert_eq!(entrust(other, nobody, false, unit), Ok(Kept::Receiver));
    assert_eq!(entrust(nobody, other, false, dust), Ok(Kept::Treasury));
    assert_eq!(held(other) - held_of_other, unit + dust);
    assert_eq!(C::balance(other), others);
    assert_ok!(holds::withdraw::<C, u64>(reason, other, other, unit + dust));
    assert_eq!(entrust(other, nobody, true, dust), Ok(Kept::Paid));
    assert_eq!(C::balance(other), others + unit + 2 * dust);

    // An amount that can exist opens an account, which cannot carry a hold with it.
    assert_eq!(entrust(nobody, other, false, unit), Ok(Kept::Paid));
    assert_eq!(C::balance(nobody), unit);
    assert_eq!(pay(nowhere, other, unit), Delivery::Made);
    assert_eq!(C::balance(nowhere), unit);

    let left = held(owner) - before;
    assert_ok!(withdraw(owner, left));
    assert_eq!(held(owner), before);
    assert_eq!(C::total_issuance(), issued);
}
