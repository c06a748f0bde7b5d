// SPDX-License-Identifier: Apache-2.0

//! C-2: fresh accounts of one operator earn the right to vote by own tasks and take the panels over.

use super::cast::{begun, honest, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::{Agent, Miner, Sybil},
    error::Result,
    ledger::Ledger,
    report::{shown, tos, Report, Table},
    world::{Offer, Who, World, Worth},
};
use std::collections::BTreeSet;
use tos_runtime::AccountId;
use tos_types::{TaskId, TaskType, TOS};

/// Accounts of the operator: as many as a task has places.
const ACCOUNTS: usize = 32;
/// Its own tasks: after as many an account without a certificate has a vote.
const OWN_TASKS: usize = 3;
/// Tasks of others afterwards.
const TASKS: usize = 10;
/// Of them at once.
const AT_ONCE: usize = 4;

/// The types that everyone works on.
const TYPES: [TaskType; 2] = [TaskType::LogicReasoning, TaskType::General];

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let (mut report, mut founding) = begun("takeover", Some("C-2"), seed);
    let publisher = founding.account(FUNDS);
    let accounts = founding.accounts(ACCOUNTS, FUNDS);
    let outsider = founding.account(FUNDS);
    let able = founding.accounts(AT_ONCE, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut able_miners = miners(&mut world, &able)?;
    let mut experts = honest(&mut world, &seated, &TYPES, CAREFUL)?;
    let operator = [&[publisher][..], &accounts].concat();
    let ledger = Ledger::open(&mut world, &[("operator", &operator), ("judges", &seated)]);

    let mut sybil = Sybil::new(&accounts);
    sybil.register_miners(&mut world, &TYPES)?;
    earn(&mut world, publisher, &mut sybil, &mut experts)?;
    sybil.register_judges(&mut world, &TYPES)?;
    report.note("spent on weight", -ledger.change(&mut world, "operator"));
    let title = "Three own tasks of 5 TOS, and registration as miners and judges";
    ledger.tell(&mut world, &mut report, title);

    let ledger = Ledger::open(
        &mut world,
        &[
            ("operator", &operator),
            ("outsider", &[outsider]),
            ("able miners", &able),
            ("judges", &seated),
        ],
    );
    let mut tasks: Vec<(TaskId, Who, Who)> = Vec::new();
    while tasks.len() < TASKS {
        let wave = take_wave(
            &mut world,
            outsider,
            TASKS - tasks.len(),
            &mut able_miners,
            &mut sybil,
        )?;
        let ids: Vec<TaskId> = wave.iter().map(|(task, _)| *task).collect();
        // The operator answers and votes with the others; all are honest but its accounts.
        play_out(
            &mut world,
            &mut [&mut able_miners, &mut sybil, &mut experts],
            &ids,
        )?;
        for (number, (task, able)) in wave.into_iter().enumerate() {
            tasks.push((task, able, accounts[number]));
        }
    }
    let names = ["operator", "outsider", "able miners", "judges"];
    ledger.note(&mut world, &mut report, &names);
    let title = "Ten tasks of 15 TOS of an outsider, each with one honest and one junk answer";
    ledger.tell(&mut world, &mut report, title);
    let panels = panels(&mut world, &tasks, &accounts, &mut report)?;
    report.tables.push(panels);
    world.check()?;
    report.took(world.time());
    Ok(report)
}

/// The operator's own tasks: a trivial question, one answer under all names, judged honestly.
fn earn(
    world: &mut World,
    publisher: Who,
    sybil: &mut Sybil,
    experts: &mut dyn Agent,
) -> Result<()> {
    let mut own = Vec::new();
    for number in 0..OWN_TASKS {
        let offer = Offer {
            task_type: TaskType::LogicReasoning,
            ..Offer::beginner(5 * TOS, ACCOUNTS as u32)
        };
        let task = world.publish(publisher, &offer)?;
        let text = format!("two and {number} make {} in words", 2 + number);
        let answer = world.answer_of(&text, Worth::valid(100))?;
        sybil.flood(task, &answer);
        own.push(task);
    }
    play_out(world, &mut [sybil, experts], &own)
}

/// Tasks of the outsider, with an honest miner and an account of the operator in each. Returns them
/// with their honest miners.
fn take_wave(
    world: &mut World,
    outsider: Who,
    left: usize,
    able: &mut [Miner],
    sybil: &mut Sybil,
) -> Result<Vec<(TaskId, Who)>> {
    let mut wave = Vec::new();
    for (number, miner) in able.iter_mut().enumerate().take(left) {
        let task = world.publish(outsider, &Offer::beginner(REWARD, 2))?;
        miner.take(task, world.answer(Worth::valid(95))?);
        sybil.answer(number, task, world.answer(Worth::JUNK)?);
        wave.push((task, miner.who()));
    }
    Ok(wave)
}

/// The first panels of the tasks and what the two answers of each earned.
fn panels(
    world: &mut World,
    tasks: &[(TaskId, Who, Who)],
    accounts: &[Who],
    report: &mut Report,
) -> Result<Table> {
    let own: BTreeSet<AccountId> = accounts.iter().map(|who| world.account(*who)).collect();
    let columns = ["task", "panel", "of the operator", "honest", "junk"];
    let mut table = Table::new("First panels, and what the answers earned", &columns);
    let (mut seats, mut taken, mut majorities, mut wins) = (0usize, 0usize, 0usize, 0usize);
    for (number, (task, able, junk)) in tasks.iter().enumerate() {
        let first = world
            .watch()
            .task(task)
            .and_then(|seen| seen.panels.get(&0));
        let panel = first.cloned().unwrap_or_default();
        let mine = panel.iter().filter(|who| own.contains(*who)).count();
        let honest = world.submission(*task, *able)?.earned;
        let bought = world.submission(*task, *junk)?.earned;
        seats += panel.len();
        taken += mine;
        majorities += usize::from(2 * mine > panel.len());
        wins += usize::from(bought > honest);
        table.row([
            (number + 1).to_string(),
            panel.len().to_string(),
            mine.to_string(),
            shown(tos(honest)),
            shown(tos(bought)),
        ]);
    }
    report.note("share of first seats", taken as f64 / seats.max(1) as f64);
    report.note("majorities", majorities as f64);
    report.note("junk paid more", wins as f64);
    Ok(table)
}
