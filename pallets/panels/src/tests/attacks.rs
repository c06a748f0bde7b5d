// SPDX-License-Identifier: Apache-2.0

//! Attacks on judging, and what they come to. Names are those of the audit in
//! `docs/decisions/026-judging-by-roster.md`, numbers those of the table in `028-judging-work.md`.

use super::settle::{as_it_stands, settle};
use crate::mock::*;
use crate::{count, Event, Stage, Vote};
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_formulas::rounds::outcome;
use tos_interfaces::{Case, Rounds};
use tos_types::{
    rounds::Say,
    vote::{Ballot, Outcome},
    Balance, Report,
};

/// Runs a test in which the settlement of [`CASE`] brings its pay from outside.
fn paying(run: impl FnOnce()) {
    chain().execute_with(|| {
        let issued = Balances::total_issuance();
        run();
        check(issued + PAY);
    });
}

#[test]
fn c_1_seats_that_force_a_round_without_result_pay_for_it_and_the_task_is_not_over() {
    test(|| {
        open();
        // Three of five are the publisher's friends, and hide.
        play_all(&[full(60), full(60), Act::Hidden, Act::Hidden, Act::Hidden]);
        // The case goes on with another panel: no end in which the publisher has its money back.
        assert_eq!(docket().stage, Stage::Waiting);
        assert!(!told()
            .iter()
            .any(|t| matches!(t, Told::Stands(_) | Told::Abandoned)));
        // Each of them lost half of its lock, and those that voted have a fee of it.
        assert!((3..=5).all(|who| BOND - judge(who).bond == LOCK / 2));
        assert!((1..=2).all(|who| judge(who).earned == FEE && judge(who).bond == BOND));
    });
}

#[test]
fn h_7_one_of_three_members_cannot_veto() {
    let one = [
        Act::Hidden,
        Act::Absent,
        full(0),
        full(100),
        Act::Full(UNJUDGEABLE),
    ];
    for act in one {
        test(|| {
            assert_ok!(Panels::open(case()));
            draw(&[(1, 1), (2, 1), (3, 1)]);
            play_all(&[full(60), full(70), act.clone()]);
            assert_eq!(standing().outcome, Outcome::Scored, "{act:?}");
            assert!(
                (60..=70).contains(&standing().answers[0].quality),
                "{act:?}"
            );
        });
    }
}

#[test]
fn m_10_two_false_reports_cannot_make_honest_judges_lose() {
    let said = |failed| Report {
        output: [failed as u8; 32],
        failed,
    };
    paying(|| {
        open_with(Case {
            tool: Some([7; 32]),
            ..case()
        });
        // Two say that all fails, and agree on it; the three honest ones report what the tool found.
        play_all(&[
            Act::Reported(flat(80), said(0)),
            Act::Reported(flat(80), said(0)),
            Act::Reported(flat(80), said(0)),
            Act::Reported(flat(0), said(0b111)),
            Act::Reported(flat(0), said(0b111)),
        ]);
        assert!(standing().answers.iter().all(|a| a.quality == 80));
        settle(&as_it_stands(PAY));
        let earned: Balance = (1..=3).map(|who| judge(who).earned).sum();
        assert_eq!(earned, PAY);
        assert!((1..=3).all(|who| judge(who).bond == BOND));
    });
    // The same where an honest one has no report at all: none is agreed, and none counts.
    paying(|| {
        open_with(Case {
            tool: Some([7; 32]),
            ..case()
        });
        play_all(&[
            Act::Reported(flat(80), said(0)),
            Act::Reported(flat(80), said(0)),
            full(80),
            Act::Reported(flat(0), said(0b111)),
            Act::Reported(flat(0), said(0b111)),
        ]);
        assert_eq!(standing().report, None);
        settle(&as_it_stands(PAY));
        let earned: Balance = (1..=3).map(|who| judge(who).earned).sum();
        assert_eq!(earned, PAY);
    });
}

#[test]
fn m_10_content_served_to_some_judges_alone_costs_the_others_nothing() {
    use tos_types::Verdict;
    paying(|| {
        open();
        // Two of five could not fetch the first answer, and say so.
        let missing = ballot(&[verdict(Verdict::Unavailable), score(80), score(80)]);
        let full_view = ballot(&[score(80); 3]);
        play_all(&[
            Act::Full(full_view.clone()),
            Act::Full(full_view.clone()),
            Act::Full(full_view),
            Act::Full(missing.clone()),
            Act::Full(missing),
        ]);
        assert_eq!(standing().answers[0].quality, 80);
        let result = tos_types::rounds::FinalResult {
            moved: 0b111,
            ..as_it_stands(PAY)
        };
        settle(&result);
        assert!((1..=5).all(|who| judge(who).bond == BOND));
        // They are paid by the answers that they saw.
        let part = PAY * 60 / (3 * 90 + 2 * 60);
        assert!((part..=part + 1).contains(&judge(4).earned));
    });
}

#[test]
fn row_6_a_task_that_an_honest_panel_cannot_judge_is_faulty_and_its_seats_are_known() {
    test(|| {
        open();
        play_all(&vec![Act::Full(UNJUDGEABLE); 5]);
        assert_eq!(standing().outcome, Outcome::Faulty);
        assert_eq!(told().last(), Some(&Told::Stands(Outcome::Faulty)));
        // Half of the pay is for them; who reported scores would be none of them.
        let all: Vec<(u64, u32)> = (1..=5).map(|who| (who, 1)).collect();
        assert_eq!(Panels::revealed_seats(&CASE, Say::Unjudgeable), all);
        assert!(Panels::revealed_seats(&CASE, Say::Scores).is_empty());
    });
}

/// Number of seats of `attackers` in every panel of five, with its weight: each seat is theirs with this
/// chance in thousandths, and weights are in 10^15ths.
fn panels(thousandths: u64) -> impl Iterator<Item = (u32, u64)> {
    let choose = [1u64, 5, 10, 10, 5, 1];
    (0..=5u32).map(move |seats| {
        let theirs = thousandths.pow(seats);
        let others = (1_000 - thousandths).pow(5 - seats);
        (seats, choose[seats as usize] * theirs * others)
    })
}

#[test]
fn row_10_silent_attackers_with_30_per_cent_stop_few_panels_and_lose_a_tenth_a_seat() {
    test(|| {
        assert_ok!(Panels::open(case()));
        // Judge 1 has two seats, and is silent in both.
        draw(&[(1, 2), (2, 1), (3, 1), (4, 1)]);
        play(&[(2, full(80)), (3, full(80)), (4, full(80))]);
        assert_eq!(standing().outcome, Outcome::Scored);
        settle(&as_it_stands(0));
        assert_eq!(BOND - judge(1).bond, 2 * LOCK / 10);
    });
    test(|| {
        assert_ok!(Panels::open(case()));
        draw(&[(1, 2), (2, 1), (3, 1), (4, 1)]);
        play(&[
            (1, Act::Hidden),
            (2, full(80)),
            (3, full(80)),
            (4, full(80)),
        ]);
        settle(&as_it_stands(0));
        assert_eq!(BOND - judge(1).bond, LOCK);
    });
    // Vacant seats are drawn for once more, with the same chances: three of five stay silent where of the
    // seats that were theirs at first so many are theirs again.
    let mut stopped = 0u128;
    for (first, weight) in panels(300) {
        for again in 0..=first {
            let ways = (0..again).fold(1u128, |ways, i| {
                ways * u128::from(first - i) / u128::from(i + 1)
            });
            let chance =
                ways * 300u128.pow(again) * 700u128.pow(first - again) * 1_000u128.pow(5 - first);
            if outcome(5, 5 - again, 0) == Outcome::None {
                stopped += u128::from(weight) * chance;
            }
        }
    }
    // In 10^30ths: 0.63 % of panels, no more than the 1.2 % and half a point of the table.
    let hundredths_of_per_cent = stopped / 10u128.pow(26);
    assert_eq!(hundredths_of_per_cent, 63);
}

/// Pay of an attacker with a seat of five that always says the same of every answer, over tasks of these
/// qualities, in hundredths of the fees that it could have earned; the others find the quality exactly. The
/// same for an honest seat.
fn constant(says: u8, tasks: &[[u8; 3]]) -> (i64, i64) {
    let mut net = (0i64, 0i64);
    for task in tasks {
        chain().execute_with(|| {
            let issued = Balances::total_issuance();
            // The type's median is that of its tasks.
            crate::Baselines::<Test>::insert(TYPE, 65);
            open();
            let honest = Act::Full(ballot(&task.map(score)));
            play_all(&[
                full(says),
                honest.clone(),
                honest.clone(),
                honest.clone(),
                honest,
            ]);
            settle(&as_it_stands(PAY));
            let gain = |who: u64| {
                let (earned, lost) = (judge(who).earned, BOND - judge(who).bond);
                let hundredths = |amount: Balance| i64::try_from(amount * 100 / FEE).unwrap();
                hundredths(earned) - hundredths(lost)
            };
            net.0 += gain(1);
            net.1 += gain(2);
            check(issued + PAY);
        });
    }
    let all = i64::try_from(tasks.len()).unwrap();
    (net.0 / all, net.1 / all)
}

/// Tasks whose qualities have a mean of 65 and a deviation of 15.
const TASKS: [[u8; 3]; 8] = [
    [65, 80, 50],
    [50, 65, 80],
    [40, 65, 90],
    [80, 55, 60],
    [65, 75, 55],
    [85, 45, 65],
    [70, 60, 65],
    [90, 65, 40],
];

#[test]
fn row_11_a_judge_that_always_says_the_median_earns_nothing() {
    let (constant, honest) = constant(65, &TASKS);
    assert_eq!(constant, 0);
    assert!(honest >= 60, "{honest}");
}

#[test]
fn row_11_a_judge_that_always_says_70_earns_little() {
    let (constant, honest) = constant(70, &TASKS);
    assert!(constant <= 35, "{constant}");
    assert!(honest >= 60, "{honest}");
}

#[test]
fn row_12_a_fifth_that_always_calls_tasks_unjudgeable_earns_nothing_and_makes_few_faulty() {
    paying(|| {
        open();
        play_all(&[
            Act::Full(UNJUDGEABLE),
            full(80),
            full(80),
            full(80),
            full(80),
        ]);
        assert_eq!(standing().outcome, Outcome::Scored);
        settle(&as_it_stands(PAY));
        assert_eq!((judge(1).earned, judge(1).bond), (0, BOND));
        // Nothing is earned with its seat: the others share the pay within their caps.
        assert_eq!((2..=5).map(|who| judge(who).earned).sum::<Balance>(), PAY);
    });
    // Four of five seats are needed: 0.67 % of panels at a fifth of the stake.
    let faulty: u64 = panels(200)
        .filter(|(seats, _)| outcome(5, 5 - seats, *seats) == Outcome::Faulty)
        .map(|(_, weight)| weight)
        .sum();
    let hundredths_of_per_cent = faulty / 10u64.pow(11);
    assert!(
        (40..=100).contains(&hundredths_of_per_cent),
        "{hundredths_of_per_cent}"
    );
}

#[test]
fn a_minority_of_seats_has_no_effect_on_who_is_told_what() {
    // Two of five seats, in any mixture, never make another outcome.
    for first in [full(0), Act::Hidden, Act::Full(UNJUDGEABLE)] {
        for second in [full(100), Act::Absent, Act::Full(UNJUDGEABLE)] {
            test(|| {
                open();
                play_all(&[full(60), full(60), full(60), first.clone(), second.clone()]);
                assert_eq!(told().last(), Some(&Told::Stands(Outcome::Scored)));
                assert_eq!(standing().answers[0].quality, 60);
            });
        }
    }
}

#[test]
fn a_report_of_seats_that_did_not_reveal_counts_for_nothing() {
    let vote = |failed| Vote {
        ballot: Ballot::Scores(Default::default()),
        report: Some(Report {
            output: [1; 32],
            failed,
        }),
    };
    assert_eq!(count::agreed(&[]), None);
    let alike = count::agreed(&[(2, vote(1)), (1, vote(0))]);
    assert_eq!(alike.map(|report| report.failed), Some(1));
    assert_eq!(count::agreed(&[(1, vote(1)), (1, vote(0))]), None);
}

#[test]
fn a_step_of_the_queue_draws_no_judges() {
    test(|| {
        open();
        run(30);
        // Vacancies wait in the roster until its hook draws, however many steps are asked for.
        TestClock::set(61);
        assert_ok!(Panels::crank(origin(9), CASE));
        let seated = System::read_events_for_pallet::<Event<Test>>();
        let drawn = seated
            .iter()
            .filter(|event| matches!(event, Event::VacanciesDrawn { .. }));
        assert_eq!(drawn.count(), 0);
    });
}
