// SPDX-License-Identifier: Apache-2.0

//! Random walks: after each step every invariant holds, and no wei came or went.

use super::settle::qualities;
use crate::mock::*;
use crate::{Cases, Event, Progress, Seats, Stage};
use frame_support::{
    assert_ok, storage::with_storage_layer, traits::fungible::Mutate, weights::Weight,
};
use polkadot_sdk::*;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet};
use tos_interfaces::{Case, Rounds, Seating};
use tos_types::{
    rounds::{Cursor, FinalResult},
    vote::{AnswerOutcomes, Outcome},
    Balance, Report, Verdict,
};

#[derive(Clone, Debug)]
enum Action {
    Open {
        seats: u32,
        tool: bool,
        inline: u32,
    },
    /// The roster finds judges, as far as there are any.
    Draw {
        first: u64,
        seats: u32,
    },
    /// It finds none.
    Expire,
    /// A judge commits, with the ballot of this number.
    Commit(u64, u8),
    /// It reveals, what it committed to or something else.
    Reveal(u64, bool),
    Suspend(u64),
    Pardon(u64),
    Pass(u32),
    /// The settlement goes on, by an appeal's result or as it stands.
    Settle {
        ruled: Option<u8>,
        pay: Balance,
        steps: u8,
    },
    Close,
    Forget,
    /// The roster takes no requests, or does again.
    Refuse(bool),
}

fn action() -> impl Strategy<Value = Action> {
    let judge = || 1..=8u64;
    prop_oneof![
        3 => (prop::sample::select(vec![3u32, 5, 7, 13]), any::<bool>(), 0..8u32)
            .prop_map(|(seats, tool, inline)| Action::Open { seats, tool, inline }),
        4 => (judge(), 1..=13u32).prop_map(|(first, seats)| Action::Draw { first, seats }),
        1 => Just(Action::Expire),
        12 => (judge(), 0..6u8).prop_map(|(who, ballot)| Action::Commit(who, ballot)),
        12 => (judge(), prop::bool::weighted(0.8)).prop_map(|(who, true_one)| Action::Reveal(who, true_one)),
        1 => judge().prop_map(Action::Suspend),
        2 => judge().prop_map(Action::Pardon),
        8 => (0..40u32).prop_map(Action::Pass),
        3 => (prop::option::of(0..=100u8), 0..4 * PAY, 0..4u8)
            .prop_map(|(ruled, pay, steps)| Action::Settle { ruled, pay, steps }),
        1 => Just(Action::Close),
        1 => Just(Action::Forget),
        1 => any::<bool>().prop_map(Action::Refuse),
    ]
}

/// A way on that random actions rarely take: a whole round, one whose seats are filled again, one that
/// cannot be dropped at first, a settlement, an end.
fn scene() -> impl Strategy<Value = Vec<Action>> {
    let begin = (any::<bool>(), 0..8u32).prop_map(|(tool, inline)| {
        let pardons = (1..=8).map(Action::Pardon);
        let open = Action::Open {
            seats: 5,
            tool,
            inline,
        };
        let draw = Action::Draw { first: 1, seats: 5 };
        pardons
            .chain([Action::Refuse(false), open, draw])
            .collect::<Vec<_>>()
    });
    let ballots = prop::collection::vec(prop::sample::select(vec![4u8, 4, 4, 3, 5, 2, 1, 0]), 7);
    let commits = |ballots: &[u8], from: u64| {
        let all = (from..).zip(ballots);
        all.map(|(who, ballot)| Action::Commit(who, *ballot))
            .collect::<Vec<_>>()
    };
    let reveals = || (1..=7).map(|who| Action::Reveal(who, true));
    prop_oneof![
        3 => (begin.clone(), ballots.clone()).prop_map(move |(mut all, ballots)| {
            all.extend(commits(&ballots, 1));
            all.push(Action::Pass(1));
            all.extend(reveals());
            all.push(Action::Pass(1));
            all
        }),
        1 => (begin.clone(), ballots).prop_map(move |(mut all, ballots)| {
            all.push(Action::Commit(1, 4));
            all.push(Action::Pass(30));
            all.push(Action::Draw { first: 4, seats: 4 });
            all.extend(commits(&ballots, 4));
            all.push(Action::Pass(31));
            all.extend(reveals());
            all.push(Action::Pass(31));
            all
        }),
        1 => begin.prop_map(|mut all| {
            let rest = [Action::Refuse(true), Action::Pass(40), Action::Refuse(false), Action::Pass(70)];
            all.extend(rest);
            all
        }),
        2 => (prop::option::of(0..=100u8), PAY..2 * PAY).prop_map(|(ruled, pay)| {
            vec![Action::Settle { ruled, pay, steps: 2 }; 5]
        }),
        1 => Just([vec![Action::Close, Action::Pass(13)], vec![Action::Forget; 8]].concat()),
        1 => Just(vec![Action::Refuse(false), Action::Expire]),
    ]
}

/// Scenes, with random actions between them.
fn actions() -> impl Strategy<Value = Vec<Action>> {
    let chunk = prop_oneof![scene(), prop::collection::vec(action(), 1..10)];
    prop::collection::vec(chunk, 1..20).prop_map(|chunks| chunks.concat())
}

/// The ballot of a number, with a report where a tool is pinned.
fn vote(number: u8, tool: bool) -> (tos_types::vote::Ballot, Option<Report>) {
    let ballot = match number {
        0 => UNJUDGEABLE,
        1 => flat(0),
        2 => ballot(&[verdict(Verdict::Unavailable), score(70), score(20)]),
        3 => ballot(&[verdict(Verdict::Malformed), score(55), score(90)]),
        4 => flat(80),
        _ => flat(100),
    };
    let report = Report {
        output: [number; 32],
        failed: u32::from(number) & 1,
    };
    (ballot, (tool && number != 5).then_some(report))
}

/// The walk's own memory: how far a settlement is, and with which result.
#[derive(Default)]
struct Walk {
    settling: Option<(FinalResult, Cursor)>,
    /// The numbers of the ballots that judges committed to last.
    committed: BTreeMap<u64, u8>,
    brought: Balance,
    forgotten: Cursor,
}

impl Walk {
    /// Does it, whether or not it is allowed.
    fn act(&mut self, action: &Action) {
        let docket = Cases::<Test>::get(CASE);
        let tool = docket.as_ref().is_some_and(|d| d.tool.is_some());
        match action {
            Action::Open {
                seats,
                tool,
                inline,
            } => {
                let case = Case {
                    seats: *seats,
                    tool: tool.then_some([7; 32]),
                    inline: *inline,
                    ..case()
                };
                // No identifier of a task comes twice; here it does, when all of it is gone.
                let gone = Progress::<Test>::iter_prefix(CASE).next().is_none();
                if gone && with_storage_layer(|| Panels::open(case)).is_ok() {
                    (self.settling, self.forgotten) = (None, Cursor::default());
                }
            }
            Action::Draw { first, seats } => self.draw(*first, *seats),
            Action::Expire => {
                if let Some((request, _)) = Line::take(CASE) {
                    Panels::expired(&CASE, request.round);
                }
            }
            Action::Commit(who, number) => {
                let round = docket.map_or(0, |d| d.round);
                let (ballot, report) = vote(*number, tool);
                let made = tos_types::commitment::ballot(
                    &CASE,
                    round,
                    who,
                    &ballot,
                    report.as_ref(),
                    &salt(*who),
                );
                if Panels::commit_vote(origin(*who), CASE, made).is_ok() {
                    self.committed.insert(*who, *number);
                }
            }
            Action::Reveal(who, true_one) => {
                let number = self.committed.get(who).copied().unwrap_or(4);
                let number = if *true_one { number } else { 5 - number };
                let (ballot, report) = vote(number, tool);
                let _ = try_reveal(*who, &ballot, report);
            }
            Action::Suspend(who) => {
                world(|w| w.suspended.insert(*who));
            }
            Action::Pardon(who) => {
                world(|w| w.suspended.remove(who));
            }
            Action::Pass(ticks) => run(*ticks),
            Action::Settle { ruled, pay, steps } => self.settle(*ruled, *pay, *steps),
            Action::Close => {
                // Tasks close what they have begun to settle only when it is settled.
                if self.settling.is_none() {
                    Panels::close(&CASE);
                }
            }
            Action::Forget => {
                if docket.is_some_and(|d| d.stage == Stage::Closed) {
                    let done = Panels::forget(&CASE, self.forgotten, Weight::zero());
                    self.forgotten = done.next.unwrap_or_default();
                }
            }
            Action::Refuse(refuse) => world(|w| w.refuses = *refuse),
        }
    }

    /// Judges from `first` on, two seats each, until so many seats are taken.
    fn draw(&mut self, first: u64, seats: u32) {
        let Some((request, _)) = Line::get(CASE) else {
            return;
        };
        let wanted = seats.min(request.seats);
        let mut drawn = Vec::new();
        let mut left = wanted;
        let mut who = first;
        while left > 0 {
            let taken = left.min(2);
            if who > 60 {
                break;
            }
            drawn.push((who, taken));
            (left, who) = (left - taken, who + 1);
        }
        draw(&drawn);
    }

    fn settle(&mut self, ruled: Option<u8>, pay: Balance, steps: u8) {
        let Some(standing) = Panels::result(&CASE) else {
            return;
        };
        let open = Cases::<Test>::get(CASE).is_some_and(|d| d.stage == Stage::Stands && !d.settled);
        if !open {
            return;
        }
        let brought = &mut self.brought;
        let (result, mut from) = self.settling.take().unwrap_or_else(|| {
            assert_ok!(Balances::mint_into(&POT, pay));
            *brought += pay;
            let result = match ruled {
                Some(0) => FinalResult {
                    outcome: Outcome::Faulty,
                    answers: AnswerOutcomes::new(),
                    moved: 0,
                    pay,
                },
                Some(quality) => FinalResult {
                    outcome: Outcome::Scored,
                    answers: qualities([quality; 3]),
                    moved: u32::from(quality) & 0b111,
                    pay,
                },
                None => FinalResult {
                    outcome: standing.outcome,
                    answers: standing.answers,
                    moved: 0,
                    pay,
                },
            };
            (result, Cursor::default())
        });
        for _ in 0..=steps {
            match Panels::settle(&CASE, &result, from, Weight::zero()).next {
                Some(next) => from = next,
                None => return,
            }
        }
        self.settling = Some((result, from));
    }
}

/// Walks a chain, checks it after each step, and brings it to its end; the stages that the case was in
/// after its steps, and the events that were told.
fn walk(actions: &[Action]) -> (BTreeSet<Stage>, Vec<Event<Test>>) {
    let mut stages = BTreeSet::new();
    chain().execute_with(|| {
        let issued = Balances::total_issuance();
        let mut walk = Walk::default();
        for action in actions {
            walk.act(action);
            check(issued + walk.brought);
            stages.extend(Cases::<Test>::get(CASE).map(|docket| docket.stage));
        }
        // All comes to an end: the case is closed, its stakes are free, and it is forgotten.
        world(|w| w.refuses = false);
        while walk.settling.is_some() {
            walk.settle(None, 0, 3);
            check(issued + walk.brought);
        }
        Panels::close(&CASE);
        run(13);
        assert!((1..=60).all(|who| judge(who).locked == 0));
        if Cases::<Test>::contains_key(CASE) {
            let done = Panels::forget(&CASE, Cursor::default(), Weight::MAX);
            assert_eq!(done.next, None);
        }
        assert_eq!(Seats::<Test>::iter().count(), 0);
        check(issued + walk.brought);
        (stages, System::read_events_for_pallet())
    })
}

#[test]
fn no_walk_breaks_an_invariant_or_moves_a_wei_out_of_sight() {
    let mut runner = TestRunner::new(Config {
        rng_seed: RngSeed::Fixed(0x705),
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = actions();
    let (mut stages, mut told) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..96 {
        let actions = strategy.new_tree(&mut runner).unwrap().current();
        let (reached, events) = walk(&actions);
        stages.extend(reached);
        // The name of an event is what comes before its fields.
        told.extend(events.iter().map(|event| {
            let text = format!("{event:?}");
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        }));
    }
    // The walks get far enough to be worth something.
    let all = [
        Stage::Waiting,
        Stage::Commit,
        Stage::Reveal,
        Stage::Stands,
        Stage::Abandoned,
        Stage::Closed,
    ];
    assert_eq!(stages, BTreeSet::from(all));
    for name in [
        "SeatsVacated",
        "VacanciesDrawn",
        "RoundCounted",
        "SeatFined",
        "SeatPaid",
        "Settled",
        "SeatsFreed",
        "StepFailed",
        "ReportsDiffer",
    ] {
        assert!(
            told.iter().any(|event| event.ends_with(name)),
            "{name} of {told:?}"
        );
    }
}
