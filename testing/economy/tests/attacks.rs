// SPDX-License-Identifier: Apache-2.0

//! Attacks on the rules of today, as numbers. Each test is named after what happens today: a rule that
//! changes it has to change the test.

use std::ops::RangeInclusive;
use tos_economy::{report::Report, scenarios::Scenario};

fn played(scenario: Scenario) -> Report {
    let report = scenario.run(1).expect("the scenario can be played");
    println!("{report}");
    report
}

fn assert_in(report: &Report, name: &str, band: RangeInclusive<f64>) {
    let value = report.figure(name);
    let value = value.unwrap_or_else(|| panic!("no figure {name}"));
    assert!(band.contains(&value), "{name}: {value} is not in {band:?}");
}

#[test]
fn a_publisher_gets_answers_for_nothing_and_fifteen_honest_judges_pay() {
    let report = played(Scenario::FreeWork);
    assert_in(&report, "unresolved: withheld", 1.0..=1.0);
    assert_in(&report, "panels: withheld", 3.0..=3.0);
    // A fee, for three answers of a task of 15 TOS.
    assert_in(&report, "publisher", -0.02..=-0.001);
    assert_in(&report, "miners", -0.09..=-0.005);
    // 5 % of 100 TOS, fifteen times.
    assert_in(&report, "judges", -75.0..=-75.0);
    // The next honest task finds no judge that may sit.
    assert_in(&report, "unresolved: outsider's", 1.0..=1.0);
    assert_in(&report, "panels: outsider's", 0.0..=0.0);
    assert_in(&report, "late_miners", -0.09..=-0.005);
    // A griefer does the same to the judges alone.
    assert_in(&report, "unresolved: unreadable", 1.0..=1.0);
    assert_in(&report, "griefer", -0.05..=-0.005);
    assert_in(&report, "judges_of_the_griefer", -75.0..=-75.0);
}

#[test]
fn thirty_two_fresh_accounts_take_the_panels_over_for_five_tos() {
    let report = played(Scenario::Takeover);
    assert_in(&report, "spent on weight", 3.3..=7.0);
    assert_in(&report, "share of first seats", 0.7..=1.0);
    assert_in(&report, "majorities", 8.0..=10.0);
    assert_in(&report, "junk paid more", 8.0..=10.0);
    assert_in(&report, "operator", 100.0..=150.0);
    assert_in(&report, "outsider", -151.0..=-150.0);
    assert_in(&report, "able miners", -8.0..=30.0);
}

#[test]
fn a_judge_judges_five_tasks_a_day_and_the_next_one_is_unresolved_and_unpaid() {
    let report = played(Scenario::Seats);
    // 16 seats of five judges, three a task, each taken for a day.
    assert_in(&report, "tasks settled", 20.0..=26.0);
    assert_in(&report, "tasks a day and judge", 4.0..=5.3);
    assert_in(&report, "unresolved: outsider's", 1.0..=1.0);
    assert_in(&report, "panels: outsider's", 0.0..=0.0);
    assert_in(&report, "outsider", -0.02..=-0.001);
    assert_in(&report, "able miners", -0.09..=-0.005);
    // N and V of its own tasks are the price.
    assert_in(&report, "attacker", -30.0..=-18.0);
}

#[test]
fn a_publisher_that_asks_for_quality_100_gets_65_per_cent_back() {
    let report = played(Scenario::QualityBar);
    assert_in(&report, "publisher at 100", -5.3..=-5.25);
    assert_in(&report, "publisher at 50", -15.05..=-15.0);
    assert_in(&report, "share given back", 0.649..=0.651);
    assert_in(&report, "first miner at 100", 0.5..=1.0);
    assert_in(&report, "first miner at 50", 10.0..=11.0);
}

#[test]
fn a_false_simhash_takes_two_honest_answers_for_a_quarter_of_the_reward() {
    let report = played(Scenario::FalseSimhash);
    // The junk is found out, and still disqualifies what came after it.
    assert_in(&report, "malformed: its miner, attacked", 1.0..=1.0);
    assert_in(&report, "duplicate: first miner, attacked", 1.0..=1.0);
    assert_in(&report, "duplicate: second miner, attacked", 1.0..=1.0);
    assert_in(&report, "publisher, attacked", -3.05..=-3.0);
    assert_in(&report, "its miner, attacked", -0.8..=-0.75);
    assert_in(&report, "attacker, attacked", -3.85..=-3.75);
    assert_in(&report, "first miner, attacked", -0.05..=0.0);
    // Without it the first of the two has nearly all.
    assert_in(&report, "duplicate: first miner, untouched", 0.0..=0.0);
    assert_in(&report, "first miner, untouched", 11.5..=12.0);
}

#[test]
fn three_friends_that_wait_outside_overturn_every_consensus_of_honest_judges() {
    let report = played(Scenario::Challenge);
    assert_in(&report, "consensus in the first round", 6.0..=6.0);
    assert_in(&report, "overturned", 6.0..=6.0);
    assert_in(&report, "bonds released", 6.0..=6.0);
    assert_in(&report, "junk miner", 60.0..=75.0);
    assert_in(&report, "honest miner", -3.0..=-1.8);
    assert_in(&report, "friends", 5.0..=14.0);
}

#[test]
fn governance_that_changes_the_split_moves_no_wei_of_a_task_that_is_being_judged() {
    let report = played(Scenario::Resplit);
    for who in ["publisher", "first miner", "other miners", "judges"] {
        assert_in(&report, &format!("moved meanwhile: {who}"), 0.0..=0.0);
    }
    // A task that is published afterwards is under the new split: 5 % of 15 TOS less for the judges and
    // for the winner, of which the winner has its part as one of three who took part.
    assert_in(&report, "moved before: publisher", 0.0..=0.0);
    assert_in(&report, "moved before: judges", -0.7501..=-0.7499);
    assert_in(&report, "moved before: first miner", -0.55..=-0.4);
    assert_in(&report, "moved before: other miners", 0.4..=0.55);
}

#[test]
fn an_answer_bought_for_1_75_tos_wins_a_task_of_15_tos() {
    let report = played(Scenario::Copying);
    assert_in(&report, "duplicate", 0.0..=0.0);
    assert_in(&report, "thief's publisher", -1.8..=-1.75);
    assert_in(&report, "thief's miner", 10.0..=12.0);
    assert_in(&report, "thief", 8.0..=10.5);
    assert_in(&report, "able miner", 0.5..=1.0);
    assert_in(&report, "its own miner", 0.5..=1.5);
    assert_in(&report, "rich publisher", -15.05..=-15.0);
}

#[test]
fn a_judge_that_looks_at_nothing_earns_a_third_of_an_honest_one_and_more() {
    let report = played(Scenario::Lazy);
    let of = |name: &str| report.figure(&format!("{name}: a seat")).unwrap();
    assert!(of("honest") > 0.0, "{}", of("honest"));
    assert!(of("lazy") > of("honest") / 3.0, "{}", of("lazy"));
    // A noisy judge looks at the answers too, and earns less than a careful one; with this seed less than the lazy one.
    assert!(of("honest") > of("noisy"), "{}", of("noisy"));
}

#[test]
fn a_seed_gives_one_report() {
    let figures = |seed| {
        let report = Scenario::QualityBar.run(seed);
        report.expect("the scenario can be played").figures
    };
    assert_eq!(figures(5), figures(5));
    assert_ne!(figures(5), figures(6));
}
