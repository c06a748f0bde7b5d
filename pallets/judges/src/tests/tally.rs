// SPDX-License-Identifier: Apache-2.0

//! Counting a round.

use crate::mock::*;
use crate::{panels::count, Event, Results, Rounds, Scores};
use tos_interfaces::Panels;
use tos_types::{rules::JudgingRules, vote::Tally, AnswerScore, Verdict};

fn full(quality: u8) -> Vote {
    Vote::Full(flat(quality))
}

fn votes(given: &[(u8, u64)]) -> Vec<(Scores, u64)> {
    given
        .iter()
        .map(|(quality, weight)| (vec![score(*quality)].try_into().unwrap(), *weight))
        .collect()
}

fn verdicts(given: &[(Verdict, u64)]) -> Vec<(Scores, u64)> {
    given
        .iter()
        .map(|(verdict, weight)| {
            let score = AnswerScore {
                quality: 80,
                innovation: 60,
                verdict: *verdict,
            };
            (vec![score].try_into().unwrap(), *weight)
        })
        .collect()
}

#[test]
fn a_panel_that_agrees_gives_a_consensus_on_its_medians() {
    ExtBuilder::judges(9).execute(|| {
        let (_, tally) = play_round(0, &[full(60), full(64), full(70)]);
        assert_eq!(tally, Tally::Consensus);
        let results = Judges::results(&TASK);
        assert_eq!(results.len(), 3);
        assert!(results
            .iter()
            .all(|r| (r.quality, r.innovation) == (64, 50)));
        assert!(results.iter().all(|r| r.verdict == Verdict::Valid));
        let results = results.try_into().unwrap();
        System::assert_last_event(
            Event::RoundCounted {
                task: TASK,
                round: 0,
                tally,
                results,
            }
            .into(),
        );
        // Counting again tells the same and writes nothing.
        let events = System::event_count();
        assert_eq!(Judges::tally(&TASK), Tally::Consensus);
        assert_eq!(System::event_count(), events);
    });
}

#[test]
fn opinions_apart_on_a_single_answer_split_the_round_which_keeps_its_medians() {
    ExtBuilder::judges(9).execute(|| {
        let mixed =
            |first| Vote::Full(vec![score(first), score(50), score(50)].try_into().unwrap());
        let (_, tally) = play_round(0, &[mixed(0), mixed(50), mixed(100)]);
        assert_eq!(tally, Tally::Split);
        assert_eq!(Judges::results(&TASK)[0].quality, 50);
        assert_eq!(
            Rounds::<Test>::get(TASK, 0).unwrap().tally,
            Some(Tally::Split)
        );
    });
}

#[test]
fn quorum_is_two_thirds_of_the_assigned_weight_to_the_unit() {
    ExtBuilder::judges(3).execute(|| {
        let (_, tally) = play_round(0, &[full(50), full(50), Vote::Absent]);
        assert_eq!(tally, Tally::Consensus);
    });
    // The absent one weighs a single unit more than a third.
    ExtBuilder::judges(3).execute(|| {
        weigh(1, 1_001);
        let members = open_round(0, 3);
        let all: Vec<_> = members
            .iter()
            .map(|who| if *who == 1 { Vote::Absent } else { full(50) })
            .collect();
        assert_eq!(play_votes(0, &all), Tally::NoQuorum);
        assert!(Judges::results(&TASK).is_empty());
    });
    assert_eq!(
        count(&votes(&[(50, 2_000)]), 3_000, 1, &JudgingRules::STANDARD).0,
        Tally::Consensus
    );
    assert_eq!(
        count(&votes(&[(50, 1_999)]), 3_000, 1, &JudgingRules::STANDARD).0,
        Tally::NoQuorum
    );
    assert_eq!(
        count(&votes(&[(50, 2_000)]), 3_001, 1, &JudgingRules::STANDARD).0,
        Tally::NoQuorum
    );
}

#[test]
fn a_hidden_vote_does_not_count_towards_the_quorum() {
    ExtBuilder::judges(3).execute(|| {
        let (_, tally) = play_round(0, &[full(50), Vote::Hidden, Vote::Hidden]);
        assert_eq!(tally, Tally::NoQuorum);
    });
}

#[test]
fn nobody_voting_is_no_quorum_and_not_a_crash() {
    ExtBuilder::judges(3).execute(|| {
        let (_, tally) = play_round(0, &[Vote::Absent, Vote::Absent, Vote::Absent]);
        assert_eq!(tally, Tally::NoQuorum);
        assert_eq!(Judges::tally(&OTHER_TASK), Tally::NoQuorum);
    });
}

#[test]
fn agreement_is_three_quarters_of_the_revealed_weight_to_the_unit() {
    let agree = |near, far| {
        count(
            &votes(&[(50, near), (90, far)]),
            4_000,
            1,
            &JudgingRules::STANDARD,
        )
        .0
    };
    assert_eq!(agree(3_000, 1_000), Tally::Consensus);
    assert_eq!(agree(2_999, 1_001), Tally::Split);
    // Of what was revealed, not of what was assigned.
    assert_eq!(
        count(
            &votes(&[(50, 2_250), (90, 750)]),
            4_000,
            1,
            &JudgingRules::STANDARD
        )
        .0,
        Tally::Consensus
    );
}

#[test]
fn agreement_reaches_fifteen_points_from_the_median() {
    let spread = |away: u8| {
        count(
            &votes(&[(50, 200), (50, 100), (50 + away, 200)]),
            500,
            1,
            &JudgingRules::STANDARD,
        )
        .0
    };
    assert_eq!(spread(15), Tally::Consensus);
    assert_eq!(spread(16), Tally::Split);
}

#[test]
fn outliers_do_not_move_a_result() {
    let honest = [(60, 100), (61, 100), (62, 100), (63, 100)];
    for extreme in [0, 100] {
        let mut all = honest.to_vec();
        all.push((extreme, 100));
        let (tally, results) = count(&votes(&all), 500, 1, &JudgingRules::STANDARD);
        assert_eq!(tally, Tally::Consensus);
        assert!((60..=63).contains(&results[0].quality));
    }
}

#[test]
fn an_answer_is_disqualified_by_two_thirds_of_the_revealed_weight_to_the_unit() {
    use Verdict::{Malformed, Plagiarised, Valid};
    let verdict =
        |given: &[(Verdict, u64)]| count(&verdicts(given), 3_000, 1, &JudgingRules::STANDARD).1[0];
    let result = verdict(&[(Plagiarised, 2_000), (Valid, 1_000)]);
    assert_eq!(
        (result.verdict, result.quality, result.innovation),
        (Plagiarised, 0, 0)
    );
    let result = verdict(&[(Plagiarised, 1_999), (Valid, 1_001)]);
    assert_eq!((result.verdict, result.quality), (Valid, 0));
    // Different reasons do not add up.
    assert_eq!(
        verdict(&[(Plagiarised, 1_500), (Malformed, 1_500)]).verdict,
        Valid
    );
}

#[test]
fn a_round_without_a_quorum_leaves_the_earlier_result() {
    ExtBuilder::judges(9).execute(|| {
        play_round(0, &[full(10), full(50), full(90)]);
        let before = Results::<Test>::get(TASK).unwrap();
        assert_eq!(before.round, 0);
        let silent = vec![Vote::Absent; 5];
        let (_, tally) = play_round(1, &silent);
        assert_eq!(tally, Tally::NoQuorum);
        assert_eq!(Results::<Test>::get(TASK), Some(before));
    });
}

#[test]
fn a_later_round_with_a_quorum_replaces_the_result() {
    ExtBuilder::judges(9).execute(|| {
        play_round(0, &[full(10), full(50), full(90)]);
        play_round(1, &vec![full(70); 5]);
        let now = Results::<Test>::get(TASK).unwrap();
        assert_eq!((now.round, now.answers[0].quality), (1, 70));
    });
}
