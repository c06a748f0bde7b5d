// SPDX-License-Identifier: Apache-2.0

use super::*;
use alloc::vec;
use proptest::prelude::*;
use tos_types::TOS;

#[test]
fn points_tell_how_much_better_than_the_baseline_a_seat_foretold_the_result() {
    assert_eq!(points(50, 80, 80, 30), 30);
    assert_eq!(points(50, 75, 80, 30), 25);
    assert_eq!(points(50, 40, 55, 30), -10);
    assert_eq!(points(50, 60, 60, 30), 10);
    // Each is cut on its own: one answer neither makes nor ruins a judge.
    assert_eq!(points(0, 100, 100, 30), 30);
    assert_eq!(points(100, 0, 100, 30), -30);
    assert_eq!(points(255, 0, 255, 50), -50);
}

#[test]
fn a_seat_that_always_says_the_baseline_earns_nothing() {
    for result in 0..=100 {
        for baseline in 0..=100 {
            assert_eq!(points(baseline, baseline, result, 30), 0);
        }
    }
}

#[test]
fn honest_seats_share_the_pay_and_a_false_one_pays_by_the_same_rate() {
    let fee = TOS * 15 / 100;
    let total = 5 * fee;
    // Four of five with 20 points: a quarter each, which is below twice the fee.
    let four = pay(total, 5, &[(20, 1), (20, 1), (20, 1), (20, 1), (-8, 1)]);
    assert_eq!(four.credits, [vec![total / 4; 4], vec![0]].concat());
    assert_eq!(four.debits, [0, 0, 0, 0, total / 10]);
    assert_eq!(four.rest, 0);
    // One account with two of the seats has what two accounts with one each have.
    let joined = pay(total, 5, &[(20, 2), (20, 1), (20, 1), (-8, 1)]);
    assert_eq!(joined.credits, [total / 2, total / 4, total / 4, 0]);
}

#[test]
fn a_seat_gets_at_most_two_fees_and_loses_at_most_one() {
    let pay = |accounts: &[(i32, u32)]| pay(1_000, 5, accounts);
    let alone = pay(&[(1, 1), (-500, 1), (0, 1)]);
    assert_eq!(
        (alone.credits, alone.debits),
        (vec![400, 0, 0], vec![0, 200, 0])
    );
    assert_eq!(alone.rest, 600);
    let two = pay(&[(1, 2), (-500, 3)]);
    assert_eq!(
        (two.credits, two.debits, two.rest),
        (vec![800, 0], vec![0, 600], 200)
    );
}

#[test]
fn without_positive_points_no_seat_is_paid_and_none_loses() {
    let none = pay(1_000, 5, &[(0, 2), (-30, 3)]);
    assert_eq!((none.credits, none.debits), (vec![0, 0], vec![0, 0]));
    assert_eq!(none.rest, 1_000);
    assert_eq!(pay(1_000, 5, &[]).rest, 1_000);
    assert_eq!(pay(1_000, 0, &[(30, 1)]).rest, 1_000);
}

#[test]
fn dust_goes_to_the_largest_remainder_and_then_to_the_earlier_seat() {
    assert_eq!(pay(10, 5, &[(1, 1), (1, 1), (1, 1)]).credits, [4, 3, 3]);
    assert_eq!(pay(7, 1, &[(2, 1), (1, 1)]).credits, [5, 2]);
}

#[test]
fn fines_go_to_those_who_revealed_up_to_a_fee_a_seat() {
    let shared = fines(100, 60, &[1, 2]);
    assert_eq!((shared.credits, shared.rest), (vec![33, 67], 0));
    let much = fines(1_000, 60, &[1, 2]);
    assert_eq!((much.credits, much.rest), (vec![60, 120], 820));
    assert_eq!(fines(1_000, 60, &[]).rest, 1_000);
    assert_eq!(shared.debits, [0, 0]);
}

proptest! {
    #![proptest_config(crate::testing::cases(3_000))]

    #[test]
    fn what_is_paid_and_what_is_left_are_the_whole(
        total in prop_oneof![0..1_000u128, any::<u128>()],
        seats in 1..64u32,
        accounts in prop::collection::vec((-960..=960i32, 1..6u32), 0..16),
    ) {
        let paid = pay(total, seats, &accounts);
        prop_assert_eq!(paid.credits.iter().sum::<u128>() + paid.rest, total);
        prop_assert_eq!(paid.credits.len(), accounts.len());
        for ((points, held), (credit, debit)) in
            accounts.iter().zip(paid.credits.iter().zip(&paid.debits))
        {
            prop_assert!(*points > 0 || *credit == 0);
            prop_assert!(*points < 0 || *debit == 0);
            prop_assert!(*debit <= fraction(total, u128::from(*held), u128::from(seats)));
            prop_assert!(*credit <= fraction(total, 2 * u128::from(*held), u128::from(seats)));
        }
    }

    #[test]
    fn one_account_with_all_its_seats_earns_what_many_with_one_each_earn(
        total in 0..1_000 * TOS,
        own in 1..=960i32,
        split in 2..6u32,
        others in prop::collection::vec(-960..=960i32, 0..8),
    ) {
        let with = |first: Vec<(i32, u32)>| {
            let all: Vec<(i32, u32)> =
                first.into_iter().chain(others.iter().map(|points| (*points, 1))).collect();
            pay(total, 13, &all)
        };
        let one = with(vec![(own, split)]);
        let many = with(vec![(own, 1); split as usize]);
        let sum: u128 = many.credits[..split as usize].iter().sum();
        // Up to the wei of each that is rounded.
        prop_assert!(one.credits[0].abs_diff(sum) <= u128::from(split));
        prop_assert_eq!(&one.debits[1..], &many.debits[split as usize..]);
    }

    #[test]
    fn fines_are_conserved(
        total in any::<u128>(),
        fee in any::<u128>(),
        seats in prop::collection::vec(1..6u32, 0..16),
    ) {
        let shared = fines(total, fee, &seats);
        prop_assert_eq!(shared.credits.iter().sum::<u128>() + shared.rest, total);
        prop_assert!(shared
            .credits
            .iter()
            .zip(&seats)
            .all(|(credit, held)| *credit <= fee.saturating_mul((*held).into())));
    }
}
