// SPDX-License-Identifier: Apache-2.0

//! The end of a task for its panels: slashes, accuracy, reputation, freedom.

use crate::mock::*;
use crate::{CurrentRound, Duties, Event, Results, Rounds, Scores, Votes};
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_formulas::reputation::Performance;
use tos_interfaces::{Draw, PanelRequest, Panels, VotingStage};
use tos_types::{AnswerScore, Bp, TaskId, Verdict, MAX_PANEL, MAX_PARTICIPANTS, MAX_ROUNDS, TOS};
use tos_views::JudgeStatus;

fn full(quality: u8) -> Vote {
    Vote::Full(flat(quality))
}

fn performance(completion: i16, accuracy: i16) -> Performance {
    Performance {
        completion,
        accuracy,
        ..Performance::default()
    }
}

fn record_of(who: u64) -> Performance {
    let all = world(|w| w.records.clone());
    let mine: Vec<_> = all
        .iter()
        .filter(|(account, _, _)| *account == who)
        .collect();
    assert_eq!(mine.len(), 1, "one record per account and task");
    assert_eq!(mine[0].1, TYPE);
    mine[0].2
}

#[test]
fn not_voting_costs_five_and_not_revealing_ten_per_cent_to_the_wei() {
    ExtBuilder::judges(9).execute(|| {
        let issuance = Balances::total_issuance();
        let mut votes = vec![full(50); 7];
        (votes[1], votes[2]) = (Vote::Absent, Vote::Hidden);
        let (m, _) = play_round(0, &votes);
        let points = Judges::conclude(&TASK, TYPE, true);
        assert_eq!(judge(m[0]).stake, STAKE);
        assert_eq!(judge(m[1]).stake, 95 * TOS);
        assert_eq!(judge(m[2]).stake, 90 * TOS);
        assert_eq!(free(TREASURY), ED + 15 * TOS);
        assert_eq!(Balances::total_issuance(), issuance);
        let slash = |who, amount| Event::Slashed {
            who,
            task: TASK,
            round: 0,
            amount,
        };
        System::assert_has_event(slash(m[1], 5 * TOS).into());
        System::assert_has_event(slash(m[2], 10 * TOS).into());
        let earned = |who: &u64| {
            if [m[1], m[2]].contains(who) {
                0
            } else {
                10_000
            }
        };
        let expected: Vec<(u64, Bp)> = m.iter().map(|who| (*who, earned(who))).collect();
        assert_eq!(points, expected);
        assert_eq!(record_of(m[0]), performance(10_000, 10_000));
        assert_eq!(record_of(m[1]), performance(-10_000, 0));
        assert_eq!(record_of(m[2]), performance(-10_000, 0));
    });
}

#[test]
fn concluding_frees_everybody_and_a_second_time_changes_nothing() {
    ExtBuilder::judges(9).execute(|| {
        let (m, _) = play_round(0, &[full(50), full(50), Vote::Absent]);
        Judges::conclude(&TASK, TYPE, true);
        assert!(m.iter().all(|who| judge(*who).panels == 0));
        assert!(m.iter().all(|who| !Duties::<Test>::contains_key(who)));
        let (stake, records) = (judge(m[2]).stake, world(|w| w.records.len()));
        assert!(Judges::conclude(&TASK, TYPE, true).is_empty());
        assert_eq!(judge(m[2]).stake, stake);
        assert_eq!(world(|w| w.records.len()), records);
        // The rounds stay readable until they are forgotten.
        assert!(Rounds::<Test>::contains_key(TASK, 0));
        assert_eq!(Judges::results(&TASK).len(), 3);
    });
}

#[test]
fn forgetting_removes_every_record_of_the_task_and_of_no_other() {
    ExtBuilder::judges(9).execute(|| {
        let other = PanelRequest {
            task: OTHER_TASK,
            ..request(0, 3)
        };
        assert_eq!(draw(&other), Draw::Seated(3));
        play_round(0, &[full(10), full(50), full(90)]);
        play_round(1, &vec![full(50); 5]);
        Judges::conclude(&TASK, TYPE, true);
        Judges::forget(&TASK);
        assert_eq!(Rounds::<Test>::iter_prefix(TASK).count(), 0);
        assert_eq!(Votes::<Test>::iter().count(), 0);
        assert!(!Results::<Test>::contains_key(TASK));
        assert!(!CurrentRound::<Test>::contains_key(TASK));
        assert!(Rounds::<Test>::contains_key(OTHER_TASK, 0));
        assert!(CurrentRound::<Test>::contains_key(OTHER_TASK));
    });
}

#[test]
fn accuracy_is_closeness_to_the_result_however_high_it_is() {
    let mut outcomes = Vec::new();
    for base in [0u8, 40, 70] {
        ExtBuilder::judges(5).execute(|| {
            let votes = [
                full(base),
                full(base + 6),
                full(base + 6),
                full(base + 6),
                full(base + 30),
            ];
            let (m, _) = play_round(0, &votes);
            let points: Vec<Bp> = Judges::conclude(&TASK, TYPE, true)
                .into_iter()
                .map(|(_, p)| p)
                .collect();
            let running: Vec<Bp> = m.iter().map(|who| judge(*who).accuracy).collect();
            outcomes.push((points, running));
        });
    }
    // 6 of 30 points away: 80 %. 24 of 30 away: 20 %, which is below the mark and earns nothing.
    let expected = (
        vec![8_000, 10_000, 10_000, 10_000, 0],
        vec![7_100, 7_300, 7_300, 7_300, 6_500],
    );
    assert!(
        outcomes.iter().all(|outcome| *outcome == expected),
        "{outcomes:?}"
    );
}

#[test]
fn accuracy_earns_from_exactly_a_half_on() {
    for (away, points) in [(15, 5_000), (16, 0)] {
        ExtBuilder::judges(5).execute(|| {
            let votes = [full(50 + away), full(50), full(50), full(50), full(50)];
            let (m, _) = play_round(0, &votes);
            let all = Judges::conclude(&TASK, TYPE, true);
            assert!(all.contains(&(m[0], points)), "{all:?}");
        });
    }
}

#[test]
fn accuracy_is_recorded_around_its_neutral_point() {
    ExtBuilder::judges(5).execute(|| {
        let votes = [full(90), full(65), full(50), full(50), full(50)];
        let (m, _) = play_round(0, &votes);
        Judges::conclude(&TASK, TYPE, true);
        assert_eq!(record_of(m[0]), performance(10_000, -10_000));
        assert_eq!(record_of(m[1]), performance(10_000, 0));
        assert_eq!(record_of(m[2]), performance(10_000, 10_000));
        System::assert_has_event(
            Event::Judged {
                who: m[0],
                task: TASK,
                accuracy: 0,
                running: 6_300,
            }
            .into(),
        );
    });
}

#[test]
fn a_verdict_is_measured_as_a_quality_of_zero() {
    ExtBuilder::judges(3).execute(|| {
        let stolen = AnswerScore {
            quality: 95,
            innovation: 95,
            verdict: Verdict::Plagiarised,
        };
        let stolen: Scores = vec![stolen; 3].try_into().unwrap();
        let (m, _) = play_round(
            0,
            &[Vote::Full(stolen.clone()), Vote::Full(stolen), full(95)],
        );
        let points = Judges::conclude(&TASK, TYPE, true);
        assert_eq!(points, [(m[0], 10_000), (m[1], 10_000), (m[2], 0)]);
    });
}

#[test]
fn without_a_result_nobody_is_judged_but_silence_still_costs() {
    ExtBuilder::judges(5).execute(|| {
        let votes = [
            full(10),
            Vote::Absent,
            Vote::Absent,
            Vote::Absent,
            Vote::Hidden,
        ];
        let (m, _) = play_round(0, &votes);
        let points = Judges::conclude(&TASK, TYPE, false);
        assert!(points.iter().all(|(_, points)| *points == 0));
        assert_eq!(judge(m[0]).accuracy, 7_000);
        assert_eq!(record_of(m[0]), performance(10_000, 0));
        assert_eq!(judge(m[1]).stake, 95 * TOS);
        assert_eq!(judge(m[4]).stake, 90 * TOS);
    });
}

#[test]
fn asked_to_judge_without_any_result_it_judges_nobody() {
    ExtBuilder::judges(3).execute(|| {
        let (m, _) = play_round(0, &[full(10), Vote::Absent, Vote::Absent]);
        let points = Judges::conclude(&TASK, TYPE, true);
        assert!(points.iter().all(|(_, points)| *points == 0));
        assert_eq!(record_of(m[0]), performance(10_000, 0));
    });
}

#[test]
fn members_of_all_rounds_are_judged_against_the_final_result() {
    ExtBuilder::judges(8).execute(|| {
        let (first, _) = play_round(0, &[full(20), full(50), full(80)]);
        let (second, _) = play_round(1, &vec![full(80); 5]);
        let points = Judges::conclude(&TASK, TYPE, true);
        assert_eq!(points.len(), 8);
        assert_eq!(
            points[..3],
            [(first[0], 0), (first[1], 0), (first[2], 10_000)]
        );
        assert!(points[3..]
            .iter()
            .all(|(who, p)| second.contains(who) && *p == 10_000));
    });
}

#[test]
fn sitting_twice_counts_once_with_the_mean_and_is_slashed_for_each_silence() {
    ExtBuilder::judges(3).execute(|| {
        let first = open_round(0, 3);
        play_votes(0, &[full(50), full(62), Vote::Absent]);
        open_round(1, 3);
        let votes: Vec<Vote> = members(1)
            .iter()
            .map(|who| {
                if *who == first[2] {
                    Vote::Hidden
                } else {
                    full(50)
                }
            })
            .collect();
        play_votes(1, &votes);
        let points = Judges::conclude(&TASK, TYPE, true);
        // 12 of 30 away once, exact once.
        assert_eq!(
            points,
            [(first[0], 10_000), (first[1], 8_000), (first[2], 0)]
        );
        assert_eq!(judge(first[1]).accuracy, 7_100);
        // 5 % of 100, then 10 % of the 95 left.
        assert_eq!(judge(first[2]).stake, 95 * TOS - 95 * TOS / 10);
        assert_eq!(record_of(first[2]).completion, -10_000);
    });
}

#[test]
fn a_task_can_end_while_its_last_round_was_never_counted() {
    ExtBuilder::judges(8).execute(|| {
        play_round(0, &[full(50), full(50), full(50)]);
        let silent = open_round(1, 5);
        Judges::conclude(&TASK, TYPE, true);
        assert!(silent.iter().all(|who| judge(*who).stake == 95 * TOS));
    });
}

#[test]
fn a_treasury_that_cannot_take_a_slash_stops_nothing() {
    ExtBuilder::judges(3).without_treasury().execute(|| {
        // What is left of a stake after many slashes: five per cent of it are below the deposit.
        let (m, _) = play_round(0, &[full(50), full(50), Vote::Absent]);
        let poor = m[2];
        let left = ED * 10;
        assert_ok!(<Balances as frame_support::traits::fungible::MutateHold<
            u64,
        >>::release(
            &crate::HoldReason::JudgeStake.into(),
            &poor,
            STAKE - left,
            frame_support::traits::tokens::Precision::Exact,
        ));
        crate::Judges::<Test>::mutate_extant(poor, |v| {
            v.stake = left;
            v.settle_status(STAKE);
        });
        Judges::conclude(&TASK, TYPE, true);
        let amount = left / 20;
        System::assert_has_event(
            Event::SlashFailed {
                who: poor,
                task: TASK,
                round: 0,
                amount,
            }
            .into(),
        );
        assert_eq!(judge(poor).stake, left);
        assert_eq!(judge(poor).panels, 0);
    });
}

#[test]
fn the_first_slash_can_create_the_treasury() {
    ExtBuilder::judges(3).without_treasury().execute(|| {
        play_round(0, &[full(50), full(50), Vote::Absent]);
        Judges::conclude(&TASK, TYPE, true);
        assert_eq!(free(TREASURY), 5 * TOS);
    });
}

#[test]
fn the_largest_task_concludes_all_its_seats() {
    ExtBuilder::judges(64).execute(|| {
        let largest = |round| PanelRequest {
            answers: MAX_PARTICIPANTS,
            ..request(round, MAX_PANEL)
        };
        let scores: Scores = vec![score(42); 32].try_into().unwrap();
        for round in 0..MAX_ROUNDS {
            assert_eq!(draw(&largest(round)), Draw::Seated(MAX_PANEL));
            set_stage(VotingStage::Commit { round });
            members(round)
                .iter()
                .for_each(|who| commit(*who, round, &scores));
            set_stage(VotingStage::Reveal { round });
            members(round).iter().for_each(|who| reveal(*who, &scores));
            Judges::tally(&TASK);
        }
        let points = Judges::conclude(&TASK, TYPE, true);
        assert_eq!(points.len(), 60);
        assert!(points.iter().all(|(_, points)| *points == 10_000));
        Judges::forget(&TASK);
        assert_eq!(Rounds::<Test>::iter().count(), 0);
    });
}

#[test]
fn duties_of_other_tasks_stay() {
    ExtBuilder::judges(3).execute(|| {
        let other = TaskId([77; 16]);
        draw(&PanelRequest {
            task: other,
            ..request(0, 3)
        });
        play_round(0, &[full(50), full(50), full(50)]);
        Judges::conclude(&TASK, TYPE, true);
        assert!((1..=3).all(|who| Duties::<Test>::get(who).to_vec() == [other]));
        assert_eq!(judge(1).panels, 1);
    });
}

#[test]
fn who_loses_nothing_stays_in_when_more_is_asked_for_and_who_is_slashed_fills_up_to_it() {
    ExtBuilder::judges(3).execute(|| {
        let (m, _) = play_round(0, &[full(50), full(50), Vote::Absent]);
        world(|w| w.stakes.general = 400 * TOS);
        Judges::conclude(&TASK, TYPE, true);
        assert_eq!(judge(m[0]).status, JudgeStatus::Active);
        assert_eq!(judge(m[0]).stake, STAKE);
        let slashed = judge(m[2]);
        assert_eq!(slashed.status, JudgeStatus::Understaked);
        System::assert_has_event(
            Event::Understaked {
                who: m[2],
                stake: slashed.stake,
                required: 400 * TOS,
            }
            .into(),
        );
        assert_ok!(Judges::top_up(origin(m[2])));
        assert_eq!(judge(m[2]).stake, 400 * TOS);
        assert_eq!(judge(m[2]).status, JudgeStatus::Active);
        // Changing its types is a registration anew.
        assert_ok!(Judges::set_types(
            origin(m[0]),
            vec![TYPE].try_into().unwrap()
        ));
        assert_eq!(judge(m[0]).stake, 400 * TOS);
    });
}

#[test]
fn less_asked_for_brings_back_who_was_slashed_without_taking_more() {
    ExtBuilder::judges(3).execute(|| {
        let (m, _) = play_round(0, &[full(50), full(50), Vote::Absent]);
        Judges::conclude(&TASK, TYPE, true);
        let left = judge(m[2]).stake;
        assert_eq!(judge(m[2]).status, JudgeStatus::Understaked);
        world(|w| w.stakes.general = 50 * TOS);
        assert_ok!(Judges::top_up(origin(m[2])));
        assert_eq!(judge(m[2]).stake, left);
        assert_eq!(judge(m[2]).status, JudgeStatus::Active);
    });
}
