// SPDX-License-Identifier: Apache-2.0

//! Layer one: members who run the pinned tool and must report the same.

use crate::mock::*;
use crate::{Error, Event, Rounds, Votes};
use frame_support::assert_noop;
use polkadot_sdk::*;
use tos_interfaces::{Panels, VotingStage};
use tos_types::{commitment, vote::Tally, Report, Verdict};

const TOOL: [u8; 32] = [7; 32];

fn report(output: u8, failed: u32) -> Report {
    Report {
        output: [output; 32],
        failed,
    }
}

/// A vote of the same quality for all, with a report.
fn found(quality: u8, report: Report) -> Vote {
    Vote::Reported(flat(quality), report)
}

fn full(quality: u8) -> Vote {
    Vote::Full(flat(quality))
}

fn with_tool(test: impl FnOnce()) {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.tool = Some(TOOL));
        test();
    });
}

fn agreed(round: u32) -> Option<Report> {
    Rounds::<Test>::get(TASK, round).unwrap().report
}

#[test]
fn the_first_three_members_run_the_tool_and_are_told_which() {
    with_tool(|| {
        let m = open_round(0, 5);
        let round = Rounds::<Test>::get(TASK, 0).unwrap();
        let automatic: Vec<bool> = round.members.iter().map(|m| m.automatic).collect();
        assert_eq!(automatic, [true, true, true, false, false]);
        assert_eq!(Judges::duty_views(&m[0])[0].tool, Some(TOOL));
        assert_eq!(Judges::duty_views(&m[3])[0].tool, None);
    });
}

#[test]
fn without_a_pinned_tool_nobody_is_asked_and_nobody_may_report() {
    ExtBuilder::judges(9).execute(|| {
        let m = open_round(0, 3);
        assert!(!Rounds::<Test>::get(TASK, 0).unwrap().is_automatic());
        assert_eq!(Judges::duty_views(&m[0])[0].tool, None);
        let (who, scores, said) = (m[0], flat(50), report(1, 0));
        commit_with(who, 0, &scores, Some(said));
        set_stage(VotingStage::Reveal { round: 0 });
        assert_noop!(
            Judges::reveal_vote(origin(who), TASK, scores, Some(said), salt(who)),
            Error::<Test>::ReportNotWanted
        );
    });
}

#[test]
fn two_of_three_who_report_the_same_agree_and_the_panel_may_be_of_one_mind() {
    with_tool(|| {
        let said = report(1, 0);
        let votes = [
            found(60, said),
            found(60, report(2, 0)),
            found(60, said),
            full(60),
            full(60),
        ];
        let (m, tally) = play_round(0, &votes);
        assert_eq!(tally, Tally::Consensus);
        assert_eq!(agreed(0), Some(said));
        let event = Event::ReportAgreed {
            task: TASK,
            round: 0,
            report: said,
        };
        System::assert_has_event(event.into());
        let view = Judges::round_view(&TASK, 0).unwrap();
        assert_eq!(view.report, Some(said));
        assert_eq!(view.members[1].report, Some(report(2, 0)));
        assert_eq!(view.members[3].report, None);
        // Whoever found something else was not close, whatever it scored.
        let points = Judges::conclude(&TASK, TYPE, true);
        let expected = [10_000, 0, 10_000, 10_000, 10_000];
        assert_eq!(points, m.into_iter().zip(expected).collect::<Vec<_>>());
    });
}

#[test]
fn a_member_that_does_not_report_is_no_closer_than_one_that_reports_something_else() {
    with_tool(|| {
        let said = report(1, 0);
        let (m, tally) = play_round(0, &[found(60, said), full(60), found(60, said)]);
        assert_eq!(tally, Tally::Consensus);
        let points = Judges::conclude(&TASK, TYPE, true);
        assert_eq!(points, [(m[0], 10_000), (m[1], 0), (m[2], 10_000)]);
    });
}

#[test]
fn reports_that_all_differ_split_the_round_and_nobody_is_blamed() {
    with_tool(|| {
        let votes = [
            found(60, report(1, 0)),
            found(60, report(2, 0)),
            found(60, report(1, 1)),
        ];
        let (_, tally) = play_round(0, &votes);
        assert_eq!(tally, Tally::Split);
        assert_eq!(agreed(0), None);
        let event = Event::ReportsDiffer {
            task: TASK,
            round: 0,
        };
        System::assert_has_event(event.into());
        // The medians stand in case no further round comes about.
        assert_eq!(Judges::results(&TASK)[0].quality, 60);
        let points = Judges::conclude(&TASK, TYPE, true);
        assert!(points.iter().all(|(_, points)| *points == 10_000));
    });
}

#[test]
fn a_panel_of_which_only_one_ran_the_tool_comes_to_no_consensus() {
    with_tool(|| {
        let votes = [found(60, report(1, 0)), full(60), full(60)];
        assert_eq!(play_round(0, &votes).1, Tally::Split);
    });
}

#[test]
fn an_agreed_report_against_an_answer_that_the_panel_lets_take_part_splits_the_round() {
    with_tool(|| {
        let said = report(1, 0b010);
        let votes = [found(60, said), found(60, said), full(60)];
        assert_eq!(play_round(0, &votes).1, Tally::Split);
        assert_eq!(agreed(0), Some(said));
    });
}

#[test]
fn an_agreed_report_against_an_answer_that_the_panel_refuses_too_changes_nothing() {
    let said = report(1, 0b110);
    let mut scores = flat(60);
    scores[1].verdict = Verdict::Malformed;
    scores[2].quality = 5;
    with_tool(|| {
        let votes = vec![Vote::Reported(scores, said); 3];
        assert_eq!(play_round(0, &votes).1, Tally::Consensus);
    });
}

#[test]
fn a_report_never_makes_a_consensus_or_a_quorum_of_its_own() {
    with_tool(|| {
        let said = report(1, 0);
        let apart = [found(0, said), found(50, said), found(100, said)];
        assert_eq!(play_round(0, &apart).1, Tally::Split);
    });
    with_tool(|| {
        let said = report(1, 0);
        let votes = [found(60, said), Vote::Absent, Vote::Hidden];
        assert_eq!(play_round(0, &votes).1, Tally::NoQuorum);
    });
}

#[test]
fn later_rounds_have_automatic_members_of_their_own() {
    with_tool(|| {
        let (first, _) = play_round(0, &[full(60), full(60), full(60)]);
        let said = report(1, 0);
        let votes = [
            found(60, said),
            found(60, said),
            found(60, said),
            full(60),
            full(60),
        ];
        let (second, tally) = play_round(1, &votes);
        assert_eq!(tally, Tally::Consensus);
        assert!(second.iter().all(|who| !first.contains(who)));
        assert_eq!((agreed(0), agreed(1)), (None, Some(said)));
    });
}

#[test]
fn a_report_is_bound_by_the_commitment_and_speaks_only_of_answers_there_are() {
    with_tool(|| {
        let m = open_round(0, 3);
        let (who, scores, said) = (m[0], flat(60), report(1, 0b001));
        let (wide, other) = (report(1, 0b1000), m[1]);
        commit_with(who, 0, &scores, Some(said));
        let commitment = commitment::vote(&TASK, 0, &other, &scores, Some(&wide), &salt(other));
        Judges::commit_vote(origin(other), TASK, commitment).unwrap();
        set_stage(VotingStage::Reveal { round: 0 });
        let reveal =
            |who, report| Judges::reveal_vote(origin(who), TASK, flat(60), report, salt(who));
        // Nobody can wait for the reports of others and then take theirs.
        assert_noop!(reveal(who, None), Error::<Test>::WrongPreimage);
        assert_noop!(
            reveal(who, Some(report(1, 0b011))),
            Error::<Test>::WrongPreimage
        );
        assert_noop!(reveal(other, Some(wide)), Error::<Test>::ReportOutOfRange);
        reveal_with(who, &scores, Some(said));
        let vote = Votes::<Test>::get((TASK, 0, who)).unwrap();
        assert_eq!((vote.scores, vote.report), (scores, Some(said)));
    });
}
