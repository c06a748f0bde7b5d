// SPDX-License-Identifier: Apache-2.0

use super::*;
use alloc::vec;
use proptest::prelude::*;

/// The most seats of a round.
const MOST: u32 = tos_types::roster::MAX_SEATS;

#[test]
fn the_median_is_the_middle_score_or_the_mean_of_the_middle_two_rounded_down() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[80]), Some(80));
    assert_eq!(median(&[90, 10]), Some(50));
    assert_eq!(median(&[91, 10]), Some(50));
    assert_eq!(median(&[90, 10, 40]), Some(40));
    assert_eq!(median(&[0, 100, 71, 70]), Some(70));
    assert_eq!(median(&[255, 255]), Some(255));
}

#[test]
fn a_verdict_needs_two_thirds_of_the_scoring_seats() {
    use Verdict::{Malformed, Unavailable, Valid};
    assert_eq!(majority(&[]), Valid);
    assert_eq!(majority(&[Malformed]), Malformed);
    assert_eq!(majority(&[Malformed, Malformed, Valid]), Malformed);
    assert_eq!(majority(&[Malformed, Unavailable, Valid]), Valid);
    let five = |bad| {
        let seats = (0..5).map(|seat| if seat < bad { Unavailable } else { Valid });
        majority(&seats.collect::<Vec<_>>())
    };
    assert_eq!([five(3), five(4)], [Valid, Unavailable]);
    // Two kinds of bad verdicts do not add up.
    assert_eq!(
        majority(&[Malformed, Malformed, Unavailable, Unavailable]),
        Valid
    );
}

#[test]
fn every_count_of_seats_has_the_outcome_that_the_rule_says() {
    for seats in 0..=MOST {
        for scoring in 0..=seats {
            for unjudgeable in 0..=seats - scoring {
                let revealed = scoring + unjudgeable;
                let quorum = 2 * revealed > seats;
                let faulty = quorum && 3 * unjudgeable >= 2 * revealed;
                let scored = quorum && 2 * scoring >= revealed;
                assert!(!(faulty && scored));
                let expected = match (faulty, scored) {
                    (true, _) => Outcome::Faulty,
                    (_, true) => Outcome::Scored,
                    _ => Outcome::None,
                };
                let at = (seats, scoring, unjudgeable);
                assert_eq!(outcome(seats, scoring, unjudgeable), expected, "{at:?}");
            }
        }
    }
    assert_eq!(outcome(u32::MAX, u32::MAX, 0), Outcome::Scored);
    assert_eq!(outcome(u32::MAX, 0, u32::MAX), Outcome::Faulty);
}

#[test]
fn a_veto_takes_as_many_seats_as_a_decision() {
    for seats in (1..=MOST).step_by(2) {
        let half = seats / 2;
        // So many silent seats stop nothing, and one more does.
        assert_eq!(outcome(seats, seats - half, 0), Outcome::Scored);
        assert_eq!(outcome(seats, seats - half - 1, 0), Outcome::None);
        // A minority that calls the task unjudgeable neither ends nor stops it.
        assert_eq!(outcome(seats, seats - half, half), Outcome::Scored);
    }
}

#[test]
fn an_answer_is_contested_when_a_third_of_the_scores_is_far_off() {
    assert!(!contested(&[], 0));
    assert!(!contested(&[50, 50, 80], 50));
    assert!(contested(&[50, 50, 81], 50) && contested(&[50, 50, 19], 50));
    assert!(!contested(&[50, 50, 50, 81], 50));
    assert!(contested(&[10, 90, 50, 50, 50], 50));
    assert!(!contested(&[20, 80, 50, 50, 50], 50));
}

#[test]
fn a_baseline_moves_by_a_step_towards_what_was_settled() {
    assert_eq!(baseline(50, &[], 1), 50);
    assert_eq!(baseline(50, &[90], 1), 51);
    assert_eq!(baseline(50, &[10, 90, 20], 1), 49);
    assert_eq!(baseline(50, &[50], 5), 50);
    assert_eq!(baseline(50, &[52], 5), 52);
    assert_eq!(baseline(50, &[40, 41], 5), 45);
    // No author chooses it: 25 tasks that all say 75 take it there, and one takes it a step.
    let moved = (0..25).fold(50, |before, _| baseline(before, &[75, 75, 75], 1));
    assert_eq!(moved, 75);
    assert_eq!(baseline(255, &[255], 1), 255);
    assert_eq!(baseline(0, &[0], 1), 0);
}

proptest! {
    #![proptest_config(crate::testing::cases(3_000))]

    #[test]
    fn an_adversary_without_half_of_the_scores_leaves_the_median_among_the_honest_ones(
        honest in prop::collection::vec(0..=100u8, 1..32),
        bad in prop::collection::vec(0..=100u8, 0..32),
    ) {
        let bad = &bad[..bad.len().min(honest.len() - 1)];
        let all: Vec<u8> = honest.iter().chain(bad).copied().collect();
        let result = median(&all).unwrap();
        let low = honest.iter().copied().min().unwrap();
        let high = honest.iter().copied().max().unwrap();
        prop_assert!((low..=high).contains(&result), "{result} of {all:?}");
    }

    #[test]
    fn an_adversary_without_two_thirds_of_the_scores_carries_no_verdict(
        honest in 1..32usize,
        bad in 0..64usize,
    ) {
        let bad = bad.min(2 * honest - 1);
        let mut verdicts = vec![Verdict::Valid; honest];
        verdicts.extend(vec![Verdict::Malformed; bad]);
        prop_assert_eq!(majority(&verdicts), Verdict::Valid);
    }

    #[test]
    fn a_median_does_not_depend_on_the_order_of_seats(
        scores in prop::collection::vec(0..=100u8, 1..64),
        turn in 0..64usize,
    ) {
        let mut turned = scores.clone();
        turned.rotate_left(turn % scores.len());
        turned.reverse();
        prop_assert_eq!(median(&turned), median(&scores));
        let middle = median(&scores).unwrap();
        let below = scores.iter().filter(|score| **score < middle).count();
        let above = scores.iter().filter(|score| **score > middle).count();
        prop_assert!(2 * below <= scores.len());
        prop_assert!(2 * above <= scores.len());
    }
}
