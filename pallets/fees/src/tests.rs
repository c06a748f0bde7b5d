// SPDX-License-Identifier: Apache-2.0

//! Fees come together, are paid once, and none is lost.

use crate::{mock::*, *};
use frame_support::{
    traits::{
        fungible::{Balanced, Inspect},
        tokens::{Fortitude, Precision, Preservation},
        Hooks, OnUnbalanced,
    },
    weights::Weight,
};
use proptest::prelude::*;
use tos_pallet_support::testing::keeps_money;
use tos_types::Balance;

/// Takes fee and tip from the payer and hands them over, as a transaction does.
fn charge(fee: Balance, tip: Balance) {
    let take = |amount| {
        <Balances as Balanced<u64>>::withdraw(
            &PAYER,
            amount,
            Precision::Exact,
            Preservation::Preserve,
            Fortitude::Polite,
        )
        .unwrap()
    };
    let (fee, tip) = (take(fee), take(tip));
    Fees::on_unbalanceds([fee, tip].into_iter());
}

fn block(charges: &[(Balance, Balance)]) {
    assert_eq!(Fees::on_initialize(1), <() as WeightInfo>::on_finalize());
    for (fee, tip) in charges {
        charge(*fee, *tip);
    }
    Fees::on_finalize(1);
    Fees::do_try_state().unwrap();
}

fn owned(who: u64) -> Balance {
    Balances::total_balance(&who)
}

#[test]
fn four_fifths_go_to_the_treasury_the_rest_and_all_tips_to_the_author() {
    new_test_ext().execute_with(|| {
        keeps_money::<Balances>(|| block(&[(1_000, 0), (501, 7)]));
        assert_eq!(owned(TREASURY), ED + 800 + 400);
        assert_eq!(owned(AUTHOR), 200 + 101 + 7);
    });
}

#[test]
fn nothing_is_paid_before_the_end_and_nothing_is_left_after_it() {
    new_test_ext().execute_with(|| {
        Fees::on_initialize(1);
        charge(1_000, 0);
        assert_eq!((owned(TREASURY), owned(AUTHOR)), (ED, 0));
        assert_eq!(
            Due::<Test>::get(),
            Parts {
                treasury: 800,
                author: 200
            }
        );
        assert!(Fees::do_try_state().is_err());
        Fees::on_finalize(1);
        assert!(!Due::<Test>::exists() && !Author::<Test>::exists());
        // An empty block pays nobody.
        let events = System::event_count();
        block(&[]);
        assert_eq!(System::event_count(), events);
    });
}

#[test]
fn the_author_is_who_it_was_at_the_beginning_of_the_block() {
    new_test_ext().execute_with(|| {
        Fees::on_initialize(1);
        charge(1_000, 0);
        BlockAuthor::set(Some(PAYER));
        Fees::on_finalize(1);
        assert_eq!(owned(AUTHOR), 200);
    });
}

#[test]
fn without_an_author_everything_is_the_treasurys() {
    new_test_ext().execute_with(|| {
        BlockAuthor::set(None);
        keeps_money::<Balances>(|| block(&[(1_000, 50)]));
        assert_eq!(owned(TREASURY), ED + 1_050);
    });
}

#[test]
fn a_part_too_small_for_an_account_leaves_the_issuance_and_nothing_else() {
    new_test_ext().execute_with(|| {
        let issued = Balances::total_issuance();
        // The author would get 2, less than an account may hold.
        block(&[(10, 0)]);
        assert_eq!((owned(TREASURY), owned(AUTHOR)), (ED + 8, 0));
        assert_eq!(Balances::total_issuance(), issued - 2);
    });
}

#[test]
fn the_weight_of_paying_is_reserved_before_the_first_transaction() {
    new_test_ext().execute_with(|| {
        assert_ne!(Fees::on_initialize(1), Weight::zero());
        Fees::on_finalize(1);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(0x705), ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_paid_arrives_to_the_wei(
        charges in proptest::collection::vec((0..=u64::MAX, 0..=u64::MAX), 0..40),
    ) {
        new_test_ext().execute_with(|| {
            let charges: Vec<_> = charges.into_iter().map(|(f, t)| (f.into(), t.into())).collect();
            let paid: Balance = charges.iter().map(|(fee, tip)| fee + tip).sum();
            let (issued, before) = (Balances::total_issuance(), owned(PAYER));
            // An author that exists already can be paid any amount.
            let credit = <Balances as Balanced<u64>>::deposit(&AUTHOR, ED, Precision::Exact).unwrap();
            drop(credit);
            block(&charges);
            assert_eq!(before - owned(PAYER), paid);
            assert_eq!(owned(TREASURY) - ED + owned(AUTHOR) - ED, paid);
            assert_eq!(Balances::total_issuance(), issued + ED);
        });
    }
}
