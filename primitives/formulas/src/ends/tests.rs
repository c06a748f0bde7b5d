// SPDX-License-Identifier: Apache-2.0

use super::*;
use alloc::vec;
use proptest::prelude::*;
use tos_types::TOS;

const RULE: WinnerRule = WinnerRule { per: 3, cap: 3 };

fn bars(win: u8) -> QualityBars {
    QualityBars { win, take_part: 20 }
}

fn answer(quality: u8) -> JudgedAnswer {
    JudgedAnswer {
        quality,
        eligible: true,
        ..JudgedAnswer::default()
    }
}

fn invalid() -> JudgedAnswer {
    JudgedAnswer {
        eligible: false,
        ..answer(0)
    }
}

/// Every answer is its own original.
fn apart(answers: usize) -> Vec<u32> {
    (0..u32::try_from(answers).unwrap()).collect()
}

/// Both classes of a task of 100 TOS.
fn hundred() -> Classes {
    classes(100 * TOS, &SplitProfile::DEFAULT)
}

fn divide(bar: u8, answers: &[JudgedAnswer], originals: &[u32]) -> Settled {
    let settled = settled(&hundred(), RULE, bars(bar), answers, originals);
    let paid: Balance = settled.answers.iter().sum();
    assert_eq!(paid + settled.publisher + settled.lost, 80 * TOS);
    settled
}

#[test]
fn classes_are_the_shares_of_the_profile_to_the_wei() {
    let all = hundred();
    assert_eq!([all.winners, all.participants], [65 * TOS, 15 * TOS]);
    assert_eq!([all.judges, all.network], [15 * TOS, 5 * TOS]);
    let dust = classes(7, &SplitProfile::DEFAULT);
    assert_eq!(
        dust.winners + dust.participants + dust.judges + dust.network,
        7
    );
}

#[test]
fn a_winner_gets_what_it_gets_in_a_plain_split() {
    let answers = [answer(90), answer(70), answer(30)];
    let plain = crate::split::allocate(
        100 * TOS,
        &SplitProfile::DEFAULT,
        RULE,
        bars(60),
        &answers,
        &[1],
    );
    let settled = divide(60, &answers, &apart(3));
    assert_eq!(settled.answers, plain.answers);
    assert_eq!(settled.winners, [0]);
    assert_eq!((settled.publisher, settled.lost), (0, 0));
}

#[test]
fn a_bar_that_no_answer_reaches_gives_the_publisher_little() {
    // At 20 under a bar of 60: a third of W to the answer, of the rest half back: 0.2167 of R.
    let low = divide(60, &[answer(20)], &[0]);
    assert_eq!(low.winners, [] as [u32; 0]);
    let prize = 65 * TOS / 3;
    let back = (65 * TOS - prize) / 2;
    assert_eq!(low.answers, [prize + 15 * TOS]);
    assert_eq!((low.publisher, low.lost), (back, 65 * TOS - prize - back));
    assert_eq!(low.publisher * 10_000 / (100 * TOS), 2_166);
    // One point less is not eligible: W and T return.
    let none = divide(60, &[answer(19)], &[0]);
    assert_eq!((none.publisher, none.lost), (80 * TOS, 0));
    assert_eq!(none.answers, [0]);
}

#[test]
fn without_a_winner_the_best_eligible_original_is_paid_and_the_earlier_of_equals() {
    let late = JudgedAnswer {
        innovation: 90,
        ..answer(50)
    };
    let settled = divide(60, &[answer(55), late, invalid()], &apart(3));
    assert!(settled.answers[1] > settled.answers[0] && settled.answers[2] == 0);
    let equal = divide(60, &[answer(40), answer(40)], &apart(2));
    assert_eq!(equal.answers[0] - equal.answers[1], 65 * TOS * 40 / 60);
    // An answer of high quality that may not earn is no winner.
    let barred = JudgedAnswer {
        eligible: false,
        ..answer(100)
    };
    let settled = divide(60, &[barred, answer(30)], &apart(2));
    assert_eq!((settled.winners.len(), settled.answers[0]), (0, 0));
}

#[test]
fn copies_share_the_part_of_their_original_and_win_nothing() {
    let alone = divide(60, &[answer(80), answer(40)], &apart(2));
    let copied = divide(60, &[answer(80), answer(40), answer(95)], &[0, 1, 0]);
    assert_eq!(copied.winners, [0]);
    assert_eq!(copied.answers[1], alone.answers[1]);
    assert_eq!(copied.answers[2], 5 * TOS);
    assert_eq!(copied.answers[0] + copied.answers[2], alone.answers[0]);
    // A copy that is not eligible leaves its original's part alone.
    let barred = divide(60, &[answer(80), answer(40), invalid()], &[0, 1, 0]);
    assert_eq!(barred.answers, [alone.answers[0], alone.answers[1], 0]);
    // Twenty copies take no more from others than one answer.
    let mut many = vec![answer(80), answer(40)];
    many.extend(vec![answer(80); 20]);
    let mut of = vec![0, 1];
    of.extend(vec![0; 20]);
    assert_eq!(divide(60, &many, &of).answers[1], alone.answers[1]);
}

#[test]
fn a_faulty_task_returns_nothing_to_its_publisher() {
    let faulty = faulty(100 * TOS, 15 * TOS, 3, 5);
    assert_eq!(faulty.answer, 50 * TOS / 3);
    assert_eq!(faulty.seat, 15 * TOS / 10);
    assert_eq!(faulty.answer * 3 + faulty.seat * 5 + faulty.lost, 100 * TOS);
    let empty = super::faulty(101, 15, 0, 0);
    assert_eq!((empty.answer, empty.seat, empty.lost), (0, 0, 101));
}

#[test]
fn an_abandoned_task_pays_half_to_its_answers() {
    let two = abandoned(81, 3);
    assert_eq!((two.answer, two.publisher, two.lost), (13, 41, 1));
    let none = abandoned(81, 0);
    assert_eq!((none.answer, none.publisher, none.lost), (0, 81, 0));
}

proptest! {
    #![proptest_config(crate::testing::cases(3_000))]

    #[test]
    fn every_wei_of_both_classes_goes_somewhere(
        winners in any::<u64>(),
        participants in any::<u64>(),
        win in 1..=60u8,
        drawn in prop::collection::vec(
            (0..=100u8, 0..=100u8, 0..=10_000u16, any::<bool>(), 0..32u32),
            0..32,
        ),
    ) {
        let classes = Classes {
            winners: winners.into(),
            participants: participants.into(),
            ..Classes::default()
        };
        let answers: Vec<JudgedAnswer> = drawn
            .iter()
            .map(|(quality, innovation, timeliness, eligible, _)| JudgedAnswer {
                quality: *quality,
                innovation: *innovation,
                timeliness: *timeliness,
                eligible: *eligible,
            })
            .collect();
        // Each is its own original or a copy of an earlier eligible one.
        let mut originals: Vec<u32> = Vec::new();
        for (index, (.., of)) in drawn.iter().enumerate() {
            let of = *of as usize;
            let copy = of < index && originals[of] as usize == of && answers[of].quality >= 20
                && answers[of].eligible;
            originals.push(if copy { of as u32 } else { index as u32 });
        }
        let settled = settled(&classes, RULE, bars(win), &answers, &originals);
        let paid: Balance = settled.answers.iter().sum();
        let both = classes.winners + classes.participants;
        prop_assert_eq!(paid + settled.publisher + settled.lost, both);
        let eligible = answers.iter().any(|answer| answer.eligible && answer.quality >= 20);
        if !eligible {
            prop_assert_eq!(settled.publisher, both);
        } else if !settled.winners.is_empty() {
            prop_assert_eq!((settled.publisher, settled.lost), (0, 0));
        } else {
            prop_assert!(settled.publisher <= settled.lost);
            prop_assert!(settled.lost - settled.publisher <= 1);
        }
        for (answer, earned) in answers.iter().zip(&settled.answers) {
            prop_assert!(*earned == 0 || answer.eligible && answer.quality >= 20);
        }
    }

    #[test]
    fn parts_of_the_other_ends_are_conserved(
        reward in any::<u128>(),
        judges in any::<u128>(),
        answers in 1..33u32,
        seats in 1..64u32,
    ) {
        let end = faulty(reward, judges, answers, seats);
        let paid = end.answer * u128::from(answers) + end.seat * u128::from(seats);
        prop_assert_eq!(paid + end.lost, reward);
        let end = abandoned(reward, answers);
        let paid = end.answer * u128::from(answers);
        prop_assert_eq!(paid + end.lost + end.publisher, reward);
        prop_assert!(end.lost < u128::from(answers));
    }
}
