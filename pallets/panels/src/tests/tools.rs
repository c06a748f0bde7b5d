// SPDX-License-Identifier: Apache-2.0

//! Pinned tools: every seat runs them, and the report rides with the vote.

use super::settle::{as_it_stands, settle};
use crate::mock::*;
use crate::{Error, Event, Stage};
use frame_support::{assert_noop, assert_ok};
use polkadot_sdk::*;
use tos_interfaces::{Case, Rounds};
use tos_types::{Balance, Report};

/// A report that these answers fail.
fn report(failed: u32) -> Report {
    Report {
        output: [failed as u8; 32],
        failed,
    }
}

fn reported(quality: u8, failed: u32) -> Act {
    Act::Reported(flat(quality), report(failed))
}

fn open_with_tool() {
    open_with(Case {
        tool: Some([7; 32]),
        ..case()
    });
}

#[test]
fn what_more_than_half_of_the_seats_report_to_fail_has_too_little_quality_for_a_reward() {
    test(|| {
        open_with_tool();
        play_all(&[
            reported(80, 0b010),
            reported(80, 0b010),
            reported(80, 0b010),
            reported(80, 0),
            full(80),
        ]);
        let qualities: Vec<u8> = standing().answers.iter().map(|a| a.quality).collect();
        assert_eq!(qualities, [80, 19, 80]);
        assert_eq!(standing().report, Some(report(0b010)));
        let event = Event::ReportAgreed {
            case: CASE,
            round: 0,
            report: report(0b010),
        };
        System::assert_has_event(event.into());
        // What is worse anyway stays so.
        assert!(standing().answers.iter().all(|a| !a.contested));
    });
    test(|| {
        open_with_tool();
        play_all(&vec![reported(7, 0b010); 5]);
        assert_eq!(standing().answers[1].quality, 7);
    });
}

#[test]
fn half_of_the_seats_are_not_more_than_half() {
    test(|| {
        open_with_tool();
        play_all(&[
            reported(80, 0b010),
            reported(80, 0b010),
            reported(80, 0),
            full(80),
        ]);
        assert_eq!(
            (standing().report, standing().answers[1].quality),
            (None, 80)
        );
        System::assert_has_event(
            Event::ReportsDiffer {
                case: CASE,
                round: 0,
            }
            .into(),
        );
    });
}

#[test]
fn seats_count_for_a_report_as_for_a_score() {
    test(|| {
        assert_ok!(Panels::open(Case {
            tool: Some([7; 32]),
            ..case()
        }));
        draw(&[(1, 3), (2, 1), (3, 1)]);
        play_all(&[reported(80, 0b001), reported(80, 0), reported(80, 0)]);
        assert_eq!(standing().report, Some(report(0b001)));
    });
}

#[test]
fn a_seat_that_reported_otherwise_gets_no_points_and_loses_none() {
    chain().execute_with(|| {
        let issued = Balances::total_issuance();
        open_with_tool();
        play_all(&[
            reported(80, 0),
            reported(80, 0),
            reported(80, 0),
            reported(80, 0b111),
            reported(10, 0b111),
        ]);
        settle(&as_it_stands(PAY));
        let earned: Balance = (1..=3).map(|who| judge(who).earned).sum();
        assert_eq!(earned, PAY);
        assert!((4..=5).all(|who| judge(who).earned == 0 && judge(who).bond == BOND));
        check(issued + PAY);
    });
}

#[test]
fn reports_are_bound_by_the_commitment_and_speak_of_no_other_answers() {
    test(|| {
        open_with_tool();
        commit_with(1, &flat(60), Some(report(0b1000)));
        (2..=5).for_each(|who| commit_with(who, &flat(60), Some(report(0))));
        run(1);
        assert_noop!(
            try_reveal(1, &flat(60), Some(report(0b1000))),
            Error::<Test>::ReportOutOfRange
        );
        assert_noop!(
            try_reveal(2, &flat(60), Some(report(1))),
            Error::<Test>::WrongPreimage
        );
        assert_noop!(try_reveal(2, &flat(60), None), Error::<Test>::WrongPreimage);
        assert_ok!(try_reveal(2, &flat(60), Some(report(0))));
    });
}

#[test]
fn a_case_without_a_tool_tells_of_no_reports() {
    test(|| {
        open();
        play_all(&vec![full(60); 5]);
        assert_eq!((standing().report, docket().stage), (None, Stage::Stands));
        let told = System::read_events_for_pallet::<Event<Test>>();
        assert!(!told.iter().any(|event| matches!(
            event,
            Event::ReportsDiffer { .. } | Event::ReportAgreed { .. }
        )));
    });
}
