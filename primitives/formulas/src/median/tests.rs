// SPDX-License-Identifier: Apache-2.0

use super::*;
use alloc::vec;
use proptest::prelude::*;

fn seed(n: u32) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&n.to_le_bytes());
    seed
}

#[test]
fn the_median_is_the_lower_weighted_one() {
    assert_eq!(weighted_median(&[]), None);
    assert_eq!(weighted_median(&[(50, 0)]), None);
    assert_eq!(weighted_median(&[(80, 1)]), Some(80));
    assert_eq!(weighted_median(&[(90, 1), (10, 1)]), Some(10));
    assert_eq!(weighted_median(&[(90, 2), (10, 1)]), Some(90));
    assert_eq!(weighted_median(&[(90, 1), (10, 1), (40, 1)]), Some(40));
    // Votes without weight do not count, even at the ends.
    assert_eq!(weighted_median(&[(0, 0), (70, 1), (100, 0)]), Some(70));
    assert_eq!(
        weighted_median(&[(1, u64::MAX), (2, u64::MAX), (3, u64::MAX)]),
        Some(2)
    );
}

#[test]
fn agreement_counts_votes_within_the_points_on_both_sides() {
    let votes = [(0, 1), (44, 2), (45, 4), (60, 8), (75, 16), (76, 32)];
    assert_eq!(agreeing_weight(&votes, 60, 15), 4 + 8 + 16);
    assert_eq!(agreeing_weight(&votes, 60, 0), 8);
    assert_eq!(agreeing_weight(&[(1, u64::MAX), (1, 1)], 1, 0), u64::MAX);
}

#[test]
fn quorum_is_two_thirds_of_the_weight() {
    assert!(has_quorum(2, 3));
    assert!(!has_quorum(1_999, 3_000));
    assert!(has_quorum(2_000, 3_000));
    assert!(!has_quorum(0, 0));
    assert!(has_quorum(u64::MAX, u64::MAX));
    assert!(!has_quorum(u64::MAX / 2, u64::MAX));
}

#[test]
fn a_verdict_needs_two_thirds_of_the_weight() {
    use Verdict::*;
    assert_eq!(majority_verdict(&[]), Valid);
    assert_eq!(majority_verdict(&[(Plagiarised, 0)]), Valid);
    assert_eq!(
        majority_verdict(&[(Plagiarised, 2), (Valid, 1)]),
        Plagiarised
    );
    assert_eq!(
        majority_verdict(&[(Plagiarised, 1), (Malformed, 1), (Valid, 1)]),
        Valid
    );
    assert_eq!(majority_verdict(&[(Malformed, 199), (Valid, 101)]), Valid);
    assert_eq!(
        majority_verdict(&[(Malformed, 1), (Malformed, 199), (Valid, 100)]),
        Malformed
    );
    assert_eq!(
        majority_verdict(&[(Unavailable, u64::MAX), (Unavailable, u64::MAX)]),
        Unavailable
    );
}

#[test]
fn accuracy_falls_by_distance_to_nothing_at_thirty_points() {
    assert_eq!(accuracy(&[]), 0);
    assert_eq!(accuracy(&[(70, 70)]), 10_000);
    assert_eq!(accuracy(&[(70, 85)]), 5_000);
    assert_eq!(accuracy(&[(100, 70), (0, 30), (0, 255)]), 0);
    assert_eq!(accuracy(&[(71, 70)]), 9_666);
    // One exact, one half, one lost: the mean of all three.
    assert_eq!(accuracy(&[(50, 50), (35, 50), (0, 100)]), 5_000);
}

#[test]
fn weights_are_lowered_to_the_highest_fair_level() {
    let capped = |mut weights: Vec<u64>| {
        cap_weights(&mut weights);
        weights
    };
    assert!(capped(vec![]).is_empty());
    assert_eq!(capped(vec![0, 0]), [0, 0]);
    assert_eq!(capped(vec![7]), [7]);
    assert_eq!(capped(vec![7, 9_000]), [7, 7]);
    // 34 % of three: c ≤ 0.34·(2,000 + c) gives 1,030.
    assert_eq!(capped(vec![1_000, 10_000, 1_000]), [1_000, 1_030, 1_000]);
    assert_eq!(capped(vec![10_000, 1_000, 10_000]), [1_062, 1_000, 1_062]);
    // Within the cap already: untouched.
    assert_eq!(capped(vec![33, 33, 34]), [33, 33, 34]);
    // Only members count as members.
    assert_eq!(
        capped(vec![0, 1_000, 10_000, 0, 1_000, 0]),
        [0, 1_000, 1_030, 0, 1_000, 0]
    );
    assert_eq!(capped(vec![u64::MAX; 15]), [u64::MAX; 15]);
}

#[test]
fn a_draw_is_repeatable_and_takes_only_those_with_weight() {
    let weights = [5, 0, 9, 1, 0, 7];
    let drawn = weighted_sample(&weights, 3, seed(1));
    assert_eq!(drawn, weighted_sample(&weights, 3, seed(1)));
    assert_eq!(drawn.len(), 3);
    let mut all = weighted_sample(&weights, 10, seed(2));
    all.sort_unstable();
    assert_eq!(all, [0, 2, 3, 5]);
    assert!(weighted_sample(&weights, 0, seed(3)).is_empty());
    assert!(weighted_sample(&[0, 0], 2, seed(3)).is_empty());
    assert_eq!(weighted_sample(&[u64::MAX; 64], 64, seed(4)).len(), 64);
}

#[test]
fn draws_follow_the_weights() {
    // First draws go by weight; second draws by weight among those left.
    const DRAWS: u32 = 20_000;
    let weights = [1u64, 2, 3, 4];
    let mut pairs = [[0u32; 4]; 4];
    for n in 0..DRAWS {
        let drawn = weighted_sample(&weights, 2, seed(n));
        pairs[drawn[0]][drawn[1]] += 1;
    }
    for (i, row) in pairs.iter().enumerate() {
        assert_eq!(row[i], 0);
        for (j, seen) in row.iter().enumerate().filter(|(j, _)| *j != i) {
            let chance = weights[i] as f64 / 10.0 * weights[j] as f64 / (10 - weights[i]) as f64;
            let expected = f64::from(DRAWS) * chance;
            let deviation = (expected * (1.0 - chance)).sqrt();
            assert!(
                (f64::from(*seen) - expected).abs() < 4.0 * deviation,
                "{i} {j} {seen}"
            );
        }
    }
}

#[test]
fn distinct_indices_are_distinct_within_the_pool_and_complete_when_it_is_small() {
    assert_eq!(distinct_indices(5, 64, seed(0)), [0, 1, 2, 3, 4]);
    assert_eq!(distinct_indices(64, 64, seed(0)).len(), 64);
    assert!(distinct_indices(0, 64, seed(0)).is_empty());
    assert!(distinct_indices(9, 0, seed(0)).is_empty());
    for (pool, k) in [(65, 64), (1_000, 64), (u32::MAX, 64)] {
        for n in 0..50 {
            let drawn = distinct_indices(pool, k, seed(n));
            assert_eq!(drawn.len(), k as usize);
            assert!(drawn.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(drawn.iter().all(|index| *index < pool));
        }
    }
}

#[test]
fn every_set_of_indices_has_the_same_chance() {
    const DRAWS: u32 = 20_000;
    let mut sets = alloc::collections::BTreeMap::<Vec<u32>, u32>::new();
    for n in 0..DRAWS {
        *sets.entry(distinct_indices(6, 3, seed(n))).or_default() += 1;
    }
    assert_eq!(sets.len(), 20);
    // 1,000 expected of each, deviation 31.
    assert!(
        sets.values().all(|seen| (875..1_125).contains(seen)),
        "{sets:?}"
    );
}

#[test]
fn the_two_draws_from_one_seed_are_unrelated() {
    let mut a = Stream::new(*b"tos/sample/v1", seed(0));
    let mut b = Stream::new(*b"tos/indices/v1", seed(0));
    assert_ne!(a.number(), b.number());
}

/// A panel: weights, which of them an adversary owns, and who reveals.
#[derive(Debug, Clone)]
struct Member {
    weight: u64,
    adversary: bool,
    reveals: bool,
    vote: u8,
}

fn panel() -> impl Strategy<Value = Vec<Member>> {
    let member = (
        1..1_000_000u64,
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.9),
        0..=100u8,
    );
    prop::collection::vec(member, 1..=15).prop_map(|members| {
        let member = |(weight, adversary, reveals, vote)| {
            // The adversary pulls as hard as it can, one way or the other.
            let vote = if adversary {
                if vote < 50 {
                    0
                } else {
                    100
                }
            } else {
                vote
            };
            Member {
                weight,
                adversary,
                reveals: reveals || adversary,
                vote,
            }
        };
        members.into_iter().map(member).collect()
    })
}

fn weight_of(panel: &[Member], of: impl Fn(&Member) -> bool) -> u64 {
    panel.iter().filter(|m| of(m)).map(|m| m.weight).sum()
}

proptest! {
    #![proptest_config(crate::testing::cases(5_000))]

    /// With less than a third of the panel's weight adversarial and a quorum revealed, however the
    /// absences fall, the median lies within the honest votes, and no verdict is the adversary's.
    #[test]
    fn less_than_a_third_cannot_move_the_median_out_of_the_honest_range(panel in panel()) {
        let assigned = weight_of(&panel, |_| true);
        let revealed = weight_of(&panel, |m| m.reveals);
        let adversary = weight_of(&panel, |m| m.adversary);
        prop_assume!(3 * adversary < assigned && has_quorum(revealed, assigned));
        prop_assert!(2 * adversary < revealed);
        let votes: Vec<(u8, u64)> =
            panel.iter().filter(|m| m.reveals).map(|m| (m.vote, m.weight)).collect();
        let honest = panel.iter().filter(|m| m.reveals && !m.adversary).map(|m| m.vote);
        let median = weighted_median(&votes).unwrap();
        prop_assert!(honest.clone().min().unwrap() <= median);
        prop_assert!(median <= honest.max().unwrap());

        let verdicts: Vec<(Verdict, u64)> = panel.iter().filter(|m| m.reveals)
            .map(|m| (if m.adversary { Verdict::Plagiarised } else { Verdict::Valid }, m.weight))
            .collect();
        prop_assert_eq!(majority_verdict(&verdicts), Verdict::Valid);
        // And when nobody is absent, it cannot prevent one either.
        let turned: Vec<(Verdict, u64)> = panel.iter()
            .map(|m| (if m.adversary { Verdict::Valid } else { Verdict::Malformed }, m.weight))
            .collect();
        prop_assert_eq!(majority_verdict(&turned), Verdict::Malformed);
    }

    #[test]
    fn with_everybody_revealed_less_than_half_cannot_either(panel in panel()) {
        let adversary = weight_of(&panel, |m| m.adversary);
        prop_assume!(2 * adversary < weight_of(&panel, |_| true));
        let votes: Vec<(u8, u64)> = panel.iter().map(|m| (m.vote, m.weight)).collect();
        let honest = panel.iter().filter(|m| !m.adversary).map(|m| m.vote);
        let median = weighted_median(&votes).unwrap();
        prop_assert!(honest.clone().min().unwrap() <= median && median <= honest.max().unwrap());
    }

    #[test]
    fn the_median_is_the_slow_definition(votes in prop::collection::vec((0..=100u8, 0..50u64), 0..20)) {
        let total: u64 = votes.iter().map(|(_, w)| w).sum();
        let upto = |v: u8| votes.iter().filter(|(x, _)| *x <= v).map(|(_, w)| w).sum::<u64>();
        let slow = (0..=100).find(|v| total > 0 && 2 * upto(*v) >= total);
        prop_assert_eq!(weighted_median(&votes), slow);
    }

    #[test]
    fn capped_weights_are_fair_and_as_high_as_can_be(
        weights in prop::collection::vec(prop_oneof![Just(0u64), 1..20u64, 1..=10_000u64, any::<u64>()], 0..=15),
    ) {
        let mut capped = weights.clone();
        cap_weights(&mut capped);
        let members = weights.iter().filter(|w| **w > 0).count();
        let share = u128::from(max_share(members));
        let level = capped.iter().copied().max().unwrap_or(0);
        for (before, after) in weights.iter().zip(&capped) {
            prop_assert_eq!(*after, (*before).min(level));
        }
        let fair = |level: u64| {
            let sum: u128 = weights.iter().map(|w| u128::from((*w).min(level))).sum();
            u128::from(level) * 10_000 <= sum * share
        };
        if members >= 3 {
            prop_assert!(fair(level));
            prop_assert!(capped == weights || !fair(level + 1));
        } else {
            prop_assert!(capped.iter().all(|w| *w == 0 || *w == level));
        }
    }

    #[test]
    fn draws_are_distinct_and_of_positive_weight(
        weights in prop::collection::vec(prop_oneof![Just(0u64), any::<u64>()], 0..=64),
        k in 0..=64usize,
        seed in any::<[u8; 32]>(),
    ) {
        let mut drawn = weighted_sample(&weights, k, seed);
        prop_assert_eq!(drawn.len(), k.min(weights.iter().filter(|w| **w > 0).count()));
        prop_assert!(drawn.iter().all(|i| weights[*i] > 0));
        drawn.sort_unstable();
        drawn.dedup();
        prop_assert_eq!(drawn.len(), k.min(weights.iter().filter(|w| **w > 0).count()));
    }
}
