// SPDX-License-Identifier: Apache-2.0

//! Counts: outcomes, medians, verdicts and what is contested.

use crate::mock::*;
use crate::{count, Event, Stage, Vote};
use frame_support::assert_ok;
use polkadot_sdk::*;
use proptest::prelude::*;
use tos_formulas::rounds;
use tos_interfaces::Rounds;
use tos_types::{
    vote::{AnswerOutcomes, Ballot, Outcome},
    AnswerScore, Verdict,
};

#[test]
fn the_result_is_the_median_of_equal_seats() {
    test(|| {
        open();
        play_all(&[full(10), full(60), full(64), full(70), full(100)]);
        let answers = standing().answers;
        assert!(answers
            .iter()
            .all(|a| (a.quality, a.innovation) == (64, 50)));
        assert!(answers.iter().all(|a| a.verdict == Verdict::Valid));
        let event = Event::RoundCounted {
            case: CASE,
            round: 0,
            outcome: Outcome::Scored,
            answers,
        };
        System::assert_last_event(event.into());
    });
}

#[test]
fn of_an_even_number_of_seats_it_is_the_mean_of_the_middle_two_rounded_down() {
    test(|| {
        open();
        play_all(&[full(10), full(60), full(65), full(70), Act::Absent]);
        assert_eq!(standing().answers[0].quality, 62);
    });
}

#[test]
fn more_than_half_of_all_seats_must_reveal_to_the_seat() {
    for (acts, outcome) in [
        (vec![full(60), full(60), Act::Hidden], None),
        (vec![full(60), full(60), full(60)], Some(Outcome::Scored)),
        (vec![Act::Full(UNJUDGEABLE), Act::Full(UNJUDGEABLE)], None),
    ] {
        test(|| {
            open();
            play_all(&acts);
            assert_eq!(
                Panels::result(&CASE).map(|s| s.outcome),
                outcome,
                "{acts:?}"
            );
        });
    }
}

#[test]
fn two_thirds_make_a_task_faulty_half_of_it_score_and_between_them_is_no_outcome() {
    let unjudgeable = |count: usize, of: usize| -> Vec<Act> {
        (0..of)
            .map(|i| {
                if i < count {
                    Act::Full(UNJUDGEABLE)
                } else {
                    full(60)
                }
            })
            .collect()
    };
    for (count, of, outcome) in [
        (0, 5, Some(Outcome::Scored)),
        (2, 5, Some(Outcome::Scored)),
        (2, 4, Some(Outcome::Scored)),
        (3, 5, None),
        (4, 5, Some(Outcome::Faulty)),
        (2, 3, Some(Outcome::Faulty)),
        (5, 5, Some(Outcome::Faulty)),
    ] {
        test(|| {
            open();
            play_all(&unjudgeable(count, of));
            let standing = Panels::result(&CASE);
            assert_eq!(
                standing.as_ref().map(|s| s.outcome),
                outcome,
                "{count}/{of}"
            );
            if outcome == Some(Outcome::Faulty) {
                assert_eq!(standing.unwrap().answers, AnswerOutcomes::new());
                assert_eq!(told().last(), Some(&Told::Stands(Outcome::Faulty)));
            }
        });
    }
}

#[test]
fn a_verdict_counts_as_quality_0_and_needs_two_thirds_to_be_the_answers() {
    for (malformed, verdict_is, quality) in [
        (2, Verdict::Valid, 80),
        (3, Verdict::Valid, 0),
        (4, Verdict::Malformed, 0),
    ] {
        test(|| {
            open();
            let acts: Vec<Act> = (0..5)
                .map(|i| {
                    let bad = i < malformed;
                    let first = if bad {
                        verdict(Verdict::Malformed)
                    } else {
                        score(80)
                    };
                    Act::Full(ballot(&[first, score(80), score(80)]))
                })
                .collect();
            play_all(&acts);
            let first = standing().answers[0];
            assert_eq!((first.verdict, first.quality), (verdict_is, quality));
            assert_eq!(standing().answers[1].quality, 80);
        });
    }
}

#[test]
fn a_third_of_the_seats_far_from_the_median_contests_an_answer_without_effect() {
    test(|| {
        open();
        play_all(&[full(60), full(60), full(60), full(91), full(29)]);
        assert_eq!(docket().stage, Stage::Stands);
        assert!(standing()
            .answers
            .iter()
            .all(|a| a.contested && a.quality == 60));
        for answer in 0..3 {
            let event = Event::Contested {
                case: CASE,
                round: 0,
                answer,
            };
            System::assert_has_event(event.into());
        }
    });
    test(|| {
        open();
        play_all(&[full(60), full(60), full(60), full(90), full(29)]);
        assert!(standing().answers.iter().all(|a| !a.contested));
    });
}

fn any_score() -> impl Strategy<Value = AnswerScore> {
    (0..=100u8, 0..=100u8, 0..4u8).prop_map(|(quality, innovation, kind)| AnswerScore {
        quality,
        innovation,
        verdict: match kind {
            0 => Verdict::Malformed,
            1 => Verdict::Unavailable,
            _ => Verdict::Valid,
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_vote_with_several_seats_counts_as_so_many_votes_of_one(
        given in prop::collection::vec((1..=4u32, any_score()), 1..=13),
    ) {
        let vote = |score| Vote { ballot: ballot(&[score]), report: None };
        let joint: Vec<_> = given.iter().map(|(seats, score)| (*seats, vote(*score))).collect();
        let single: Vec<_> = given
            .iter()
            .flat_map(|(seats, score)| vec![(1, vote(*score)); *seats as usize])
            .collect();
        prop_assert_eq!(count::results(&joint, 1, None), count::results(&single, 1, None));
    }

    #[test]
    fn less_than_half_of_the_seats_cannot_move_a_result_out_of_the_honest_range(
        honest in prop::collection::vec(0..=100u8, 1..=7),
        attack in any_score(),
        fewer in 1..=7usize,
    ) {
        let attackers = honest.len().saturating_sub(fewer);
        let votes: Vec<(u32, Vote)> = honest
            .iter()
            .map(|quality| score(*quality))
            .chain(vec![attack; attackers])
            .map(|score| (1, Vote { ballot: ballot(&[score]), report: None }))
            .collect();
        let result = count::results(&votes, 1, None)[0];
        let (low, high) = (honest.iter().min().unwrap(), honest.iter().max().unwrap());
        prop_assert!((low..=high).contains(&&result.quality));
        prop_assert_eq!(result.verdict, Verdict::Valid);
    }
}

#[test]
fn counts_of_every_small_panel_are_those_of_the_formula() {
    for scoring in 0..=5u32 {
        for unjudgeable in 0..=5 - scoring {
            test(|| {
                assert_ok!(Panels::open(case()));
                draw(&[(1, 1), (2, 1), (3, 1), (4, 1), (5, 1)]);
                let acts: Vec<Act> = (0..5)
                    .map(|i| match i {
                        i if i < scoring => full(60),
                        i if i < scoring + unjudgeable => {
                            Act::Full(Ballot::Unjudgeable(tos_types::vote::Unjudgeable::TooLarge))
                        }
                        _ => Act::Absent,
                    })
                    .collect();
                play_all(&acts);
                let expected = rounds::outcome(5, scoring, unjudgeable);
                let outcome = Panels::result(&CASE).map_or(Outcome::None, |s| s.outcome);
                assert_eq!(outcome, expected, "{scoring} score, {unjudgeable} cannot");
                let waits = docket().stage == Stage::Waiting;
                assert_eq!(waits, expected == Outcome::None);
            });
        }
    }
}
