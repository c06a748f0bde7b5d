// SPDX-License-Identifier: Apache-2.0

use super::*;
use proptest::prelude::*;
use tos_types::TOS;

const RULE: WinnerRule = WinnerRule { per: 3, cap: 3 };

fn bars(win: u8) -> QualityBars {
    QualityBars {
        win,
        take_part: tos_types::params::MIN_PARTICIPATION_QUALITY,
    }
}

fn answer(quality: u8, innovation: u8, timeliness: Bp) -> JudgedAnswer {
    JudgedAnswer {
        quality,
        innovation,
        timeliness,
        eligible: true,
    }
}

fn duplicate(quality: u8) -> JudgedAnswer {
    JudgedAnswer {
        eligible: false,
        ..answer(quality, 50, 10_000)
    }
}

fn total(allocation: &Allocation) -> Balance {
    allocation.answers.iter().sum::<Balance>()
        + allocation.judges.iter().sum::<Balance>()
        + allocation.network
        + allocation.refund
}

fn default_split(escrow: Balance, answers: &[JudgedAnswer], points: &[Bp]) -> Allocation {
    let allocation = allocate(
        escrow,
        &SplitProfile::DEFAULT,
        RULE,
        bars(60),
        answers,
        points,
    );
    assert_eq!(total(&allocation), escrow);
    allocation
}

#[test]
fn the_profiles_tasks_start_with_are_within_bounds() {
    for task_type in TaskType::BUILT_IN.into_iter().chain([TaskType::Custom(7)]) {
        for difficulty in Difficulty::ALL {
            assert!(SplitProfile::for_task(task_type, difficulty).is_within_bounds());
        }
    }
    let of = |p: SplitProfile| [p.winners, p.participants, p.judges, p.network];
    let audit = SplitProfile::for_task(TaskType::SecurityAudit, Difficulty::Expert);
    assert_eq!(of(audit), [7_000, 1_000, 1_500, 500]);
    let easy = SplitProfile::for_task(TaskType::CodeAnalysis, Difficulty::Beginner);
    assert_eq!(of(easy), [6_000, 2_000, 1_500, 500]);
    let other = SplitProfile::for_task(TaskType::SecurityAudit, Difficulty::Advanced);
    assert_eq!(of(other), [6_500, 1_500, 1_500, 500]);
}

#[test]
fn profiles_outside_the_bounds_are_refused() {
    for (winners, participants, judges, network) in [
        (6_500, 1_500, 1_500, 499),
        (6_500, 1_500, 1_500, 501),
        (7_100, 1_000, 1_400, 500),
        (5_900, 2_000, 1_500, 600),
        (6_500, 2_100, 900, 500),
        (6_500, 900, 1_600, 1_000),
        (6_900, 1_200, 1_500, 400),
        (6_400, 1_300, 1_200, 1_100),
        (60_000, 5_536, 0, 10_000),
    ] {
        let profile = SplitProfile {
            winners,
            participants,
            judges,
            network,
        };
        assert!(!profile.is_within_bounds(), "{profile:?}");
    }
}

#[test]
fn the_number_of_winners_follows_the_type_and_is_at_least_one() {
    let of = |t, answers: [u32; 5]| answers.map(|n| WinnerRule::for_type(t).winners(n));
    for t in [TaskType::CodeAnalysis, TaskType::AlgorithmOptimization] {
        assert_eq!(of(t, [0, 5, 6, 9, 32]), [1, 1, 2, 3, 3]);
    }
    assert_eq!(
        of(TaskType::SecurityAudit, [0, 1, 2, 9, 32]),
        [1, 1, 1, 1, 1]
    );
    for t in [
        TaskType::DataAnalysis,
        TaskType::LogicReasoning,
        TaskType::General,
        TaskType::Custom(0),
    ] {
        assert_eq!(of(t, [0, 3, 7, 8, 32]), [1, 1, 1, 2, 2]);
    }
    assert_eq!(WinnerRule { per: 0, cap: 0 }.winners(9), 1);
    assert_eq!(WinnerRule { per: 0, cap: 4 }.winners(9), 4);
}

#[test]
fn dust_goes_to_the_largest_remainders_then_to_the_earlier() {
    assert_eq!(largest_remainder(10, &[1, 1, 1]), [4, 3, 3]);
    assert_eq!(largest_remainder(11, &[1, 1, 1]), [4, 4, 3]);
    assert_eq!(largest_remainder(100, &[1, 2, 4]), [14, 29, 57]);
    assert_eq!(largest_remainder(1, &[0, 1, 1]), [0, 1, 0]);
    assert_eq!(largest_remainder(0, &[3, 4]), [0, 0]);
    assert_eq!(largest_remainder(7, &[0, 0]), [0, 0]);
    assert_eq!(largest_remainder(7, &[]), Vec::<u128>::new());
}

#[test]
fn the_largest_amounts_and_weights_do_not_overflow() {
    assert_eq!(
        largest_remainder(u128::MAX, &[u128::MAX; 3])
            .iter()
            .sum::<u128>(),
        u128::MAX
    );
    assert_eq!(
        largest_remainder(u128::MAX, &[1, u128::MAX]),
        [1, u128::MAX - 1]
    );
    let answers = [answer(255, 255, u16::MAX); 40];
    let all = SplitProfile {
        winners: u16::MAX,
        ..SplitProfile::DEFAULT
    };
    let split = allocate(u128::MAX, &all, RULE, bars(0), &answers, &[u16::MAX; 40]);
    let parts = [
        split.answers,
        split.judges,
        alloc::vec![split.network, split.refund],
    ];
    assert_eq!(unspent(u128::MAX, &parts.concat()), 0);
}

#[test]
fn the_final_score_weighs_quality_innovation_and_time_four_two_one() {
    assert_eq!(final_score(&answer(100, 100, 10_000)), 10_000);
    assert_eq!(final_score(&answer(0, 0, 0)), 0);
    assert_eq!(
        final_score(&answer(80, 40, 5_000)),
        (32_000 + 8_000 + 5_000) / 7
    );
}

#[test]
fn a_sole_winner_gets_the_winners_and_the_participants_share() {
    let split = default_split(100 * TOS, &[answer(90, 10, 0)], &[10_000, 5_000, 0]);
    assert_eq!(split.winners, [0]);
    assert_eq!(split.answers, [80 * TOS]);
    assert_eq!(split.judges, [10 * TOS, 5 * TOS, 0]);
    assert_eq!((split.network, split.refund), (5 * TOS, 0));
}

#[test]
fn three_winners_share_by_rank_innovation_and_time() {
    let mut answers = alloc::vec![answer(10, 0, 0); 9];
    answers[4] = answer(90, 0, 0);
    answers[2] = answer(80, 0, 0);
    answers[7] = answer(70, 0, 0);
    answers[8] = answer(61, 0, 0);
    // Nobody innovative and nobody early: all three parts by rank, 10:6:4 of 65.
    let split = default_split(20_000, &answers, &[1]);
    assert_eq!(split.winners, [4, 2, 7]);
    // Participation: 3,000 by quality 90:80:70:61 of 301.
    assert_eq!(
        split.answers,
        [0, 0, 3_900 + 797, 0, 6_500 + 897, 0, 0, 2_600 + 698, 608]
    );
    assert_eq!((split.network, split.refund), (1_000, 0));

    // All innovation is the third's, all earliness the second's; 7,000 to win is 4,000 by rank,
    // 2,000 to the third and 1,000 to the second.
    answers[7].innovation = 5;
    answers[2].timeliness = 9;
    let profile = SplitProfile {
        winners: 7_000,
        participants: 0,
        judges: 0,
        network: 3_000,
    };
    let split = allocate(10_000, &profile, RULE, bars(60), &answers, &[]);
    assert_eq!(split.winners, [4, 2, 7]);
    assert_eq!(
        split.answers,
        [0, 0, 1_200 + 1_000, 0, 2_000, 0, 0, 800 + 2_000, 0]
    );
}

#[test]
fn equal_scores_are_ranked_by_commitment() {
    let answers = [
        answer(50, 0, 0),
        answer(80, 0, 0),
        answer(80, 0, 0),
        answer(80, 0, 0),
    ];
    assert_eq!(default_split(TOS, &answers, &[1]).winners, [1]);
    let six = [answer(80, 5, 7); 6];
    assert_eq!(default_split(TOS, &six, &[1]).winners, [0, 1]);
}

#[test]
fn without_a_winner_the_publisher_gets_the_winners_share_back() {
    let split = default_split(
        100 * TOS,
        &[answer(59, 100, 10_000), answer(20, 0, 0)],
        &[1],
    );
    assert!(split.winners.is_empty());
    assert_eq!(split.refund, 65 * TOS);
    assert_eq!(split.answers.iter().sum::<Balance>(), 15 * TOS);
    assert_eq!(split.network, 5 * TOS);

    // Nobody good enough to take part either: that share goes back as well.
    let split = default_split(100 * TOS, &[answer(19, 100, 10_000), duplicate(90)], &[1]);
    assert_eq!((split.refund, split.network), (80 * TOS, 5 * TOS));
    let split = default_split(100 * TOS, &[], &[]);
    assert_eq!((split.refund, split.network), (80 * TOS, 20 * TOS));
}

#[test]
fn shares_nobody_earned_beside_a_winner_go_to_the_treasury() {
    // A threshold below the participation quality: a winner, but nobody for T.
    let split = allocate(
        100,
        &SplitProfile::DEFAULT,
        RULE,
        bars(0),
        &[answer(0, 0, 0)],
        &[0, 0],
    );
    assert_eq!(split.winners, [0]);
    assert_eq!(
        (split.answers, split.judges),
        (alloc::vec![65], alloc::vec![0, 0])
    );
    assert_eq!((split.network, split.refund), (35, 0));
}

#[test]
fn duplicates_count_as_answers_and_earn_nothing() {
    let answers = [answer(70, 0, 0), duplicate(100), duplicate(100)];
    let split = default_split(100 * TOS, &answers, &[1]);
    assert_eq!(split.winners, [0]);
    assert_eq!(split.answers, [80 * TOS, 0, 0]);
}

#[test]
fn a_profile_without_shares_loses_no_money() {
    let none = SplitProfile {
        winners: 0,
        participants: 0,
        judges: 0,
        network: 0,
    };
    let split = allocate(100, &none, RULE, bars(60), &[answer(90, 0, 0)], &[1]);
    assert_eq!((total(&split), split.network), (100, 100));
}

#[test]
fn more_winners_than_rank_weights_share_the_last_weight() {
    let profile = SplitProfile {
        winners: 10_000,
        participants: 0,
        judges: 0,
        network: 0,
    };
    let rule = WinnerRule { per: 1, cap: 6 };
    let split = allocate(18_200, &profile, rule, bars(0), &[answer(90, 0, 0); 7], &[]);
    assert_eq!(split.answers, [7_000, 4_200, 2_800, 1_400, 1_400, 1_400, 0]);
}

prop_compose! {
    fn any_answer()(
        quality in 0..=100u8,
        innovation in prop_oneof![Just(0u8), 0..=100u8],
        timeliness in prop_oneof![Just(0), Just(10_000), 0..=10_000u16],
        eligible in prop::bool::weighted(0.8),
    ) -> JudgedAnswer {
        JudgedAnswer { quality, innovation, timeliness, eligible }
    }
}

fn any_profile() -> impl Strategy<Value = SplitProfile> {
    (6_000..=7_000u16, 1_000..=2_000u16, 1_000..=1_500u16)
        .prop_map(|(winners, participants, judges)| SplitProfile {
            winners,
            participants,
            judges,
            network: 10_000u16.saturating_sub(winners + participants + judges),
        })
        .prop_filter("within bounds", SplitProfile::is_within_bounds)
}

fn any_escrow() -> impl Strategy<Value = Balance> {
    prop_oneof![0..1_000u128, 5 * TOS..=500 * TOS, any::<u128>()]
}

proptest! {
    #![proptest_config(crate::testing::cases(20_000))]

    #[test]
    fn every_split_is_exact_and_fair(
        escrow in any_escrow(),
        profile in any_profile(),
        (per, cap) in (0..6u8, 0..6u8),
        min_quality in prop_oneof![Just(60u8), 0..=100u8],
        answers in prop::collection::vec(any_answer(), 0..=32),
        points in prop::collection::vec(0..=10_000u16, 0..=15),
    ) {
        let rule = WinnerRule { per, cap };
        let split = allocate(escrow, &profile, rule, bars(min_quality), &answers, &points);
        prop_assert_eq!(split.answers.len(), answers.len());
        prop_assert_eq!(split.judges.len(), points.len());
        prop_assert_eq!(total(&split), escrow);
        prop_assert!(split.winners.len() as u32 <= rule.winners(answers.len() as u32));

        for (answer, earned) in answers.iter().zip(&split.answers) {
            prop_assert!(answer.eligible || *earned == 0);
        }
        for index in &split.winners {
            let winner = &answers[*index as usize];
            prop_assert!(winner.eligible && winner.quality >= min_quality);
        }
        // No winner exactly when nobody may win, and then at least W goes back.
        let may_win = answers.iter().filter(|a| a.eligible && a.quality >= min_quality).count();
        prop_assert_eq!(split.winners.is_empty(), may_win == 0);
        let w = largest_remainder(
            escrow,
            &[profile.winners, profile.participants, profile.judges, profile.network]
                .map(u128::from),
        )[0];
        let right = if may_win == 0 { split.refund >= w } else { split.refund == 0 };
        prop_assert!(right);

        // Whoever is ahead in rank and behind in nothing never earns less, but for a wei of dust
        // in the participants' share.
        for (place, better) in split.winners.iter().enumerate() {
            for worse in &split.winners[place + 1..] {
                let (a, b) = (&answers[*better as usize], &answers[*worse as usize]);
                prop_assert!(final_score(a) >= final_score(b));
                if a.quality >= b.quality
                    && a.innovation >= b.innovation
                    && a.timeliness >= b.timeliness
                {
                    let earned = |i: &u32| split.answers[*i as usize];
                    prop_assert!(earned(better) + 1 >= earned(worse));
                }
            }
        }
        // Judges: by points, whatever the scores were.
        for (i, a) in points.iter().enumerate() {
            for (j, b) in points.iter().enumerate() {
                if a > b || (a == b && i < j) {
                    prop_assert!(split.judges[i] >= split.judges[j]);
                }
            }
        }
    }

    #[test]
    fn largest_remainders_are_within_one_of_the_quota_and_monotone(
        total in any::<u128>(),
        weights in prop::collection::vec(prop_oneof![Just(0u64), 0..20u64, any::<u64>()], 0..40),
    ) {
        let weights: Vec<u128> = weights.into_iter().map(u128::from).collect();
        let shares = largest_remainder(total, &weights);
        let sum: u128 = weights.iter().sum();
        prop_assert_eq!(shares.iter().sum::<u128>(), if sum > 0 { total } else { 0 });
        for (i, (w, share)) in weights.iter().zip(&shares).enumerate() {
            prop_assert!(*w > 0 || *share == 0);
            let quota = (U256::from(total) * U256::from(*w)).checked_div(sum.into());
            let quota = quota.unwrap_or_default().as_u128();
            prop_assert!(*share == quota || *share == quota + 1);
            for (j, (v, other)) in weights.iter().zip(&shares).enumerate() {
                if w > v || (w == v && i < j) {
                    prop_assert!(share >= other);
                }
            }
        }
    }
}

#[test]
fn a_hundred_thousand_random_escrows_are_split_to_the_wei() {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut next = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    for _ in 0..100_000 {
        let escrow = u128::from(next(500_000_000_000)) * 1_000_000_007 + u128::from(next(1 << 30));
        let answers: Vec<JudgedAnswer> = (0..next(9))
            .map(|_| JudgedAnswer {
                quality: next(101) as u8,
                innovation: next(101) as u8,
                timeliness: next(10_001) as u16,
                eligible: next(5) > 0,
            })
            .collect();
        let points: Vec<Bp> = (0..next(10)).map(|_| next(10_001) as u16).collect();
        default_split(escrow, &answers, &points);
    }
}
