// SPDX-License-Identifier: Apache-2.0

//! H-1: seats come back a day after the votes, so a judge judges five tasks a day; the next task finds
//! no panel, and after an hour it is unresolved.

use super::cast::{honest, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::play,
    error::Result,
    ledger::Ledger,
    report::{Report, Table},
    world::{Founding, Offer, Who, World, Worth},
};
use tos_runtime::{AccountId, Runtime};
use tos_types::{
    params::{MAX_CONCURRENT_PANELS, MAX_CONCURRENT_TASKS, MIN_PANEL},
    Closure, Phase, TaskId, TaskType, TOS,
};

/// Tasks of the attacker: as many as five judges have seats for.
const TASKS: usize = 26;

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let mut report = Report::new("seats", Some("H-1"), seed);
    let at_once = MAX_CONCURRENT_TASKS as usize;
    let mut founding = Founding::new(seed);
    let publisher = founding.account(2 * FUNDS);
    let own = founding.accounts(TASKS.div_ceil(at_once), FUNDS);
    let outsider = founding.account(FUNDS);
    let able = founding.accounts(3, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut own_miners = miners(&mut world, &own)?;
    let mut able_miners = miners(&mut world, &able)?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let attacker = [&[publisher][..], &own].concat();
    let ledger = Ledger::open(
        &mut world,
        &[
            ("attacker", &attacker),
            ("outsider", &[outsider]),
            ("able miners", &able),
            ("judges", &seated),
        ],
    );

    let mut tasks = Vec::new();
    for number in 0..TASKS {
        let task = world.publish(publisher, &Offer::beginner(5 * TOS, 1))?;
        let answer = world.answer(Worth::valid(60))?;
        if let Some(miner) = own_miners.get_mut(number / at_once) {
            miner.take(task, answer);
        }
        tasks.push(task);
    }
    let seats = seated.clone();
    let waiting = tasks.clone();
    play(&mut world, &mut [&mut own_miners, &mut judges], |world| {
        seats_are_taken(world, &waiting, &seats)
    })?;
    let in_window = |world: &World| {
        let watch = world.watch();
        let window = |task: &&TaskId| watch.phase(task) == Some(Phase::Challenge);
        tasks.iter().filter(window).count()
    };
    let seated_tasks = in_window(&world);

    let honest_task = world.publish(outsider, &Offer::beginner(REWARD, 3))?;
    for miner in &mut able_miners {
        miner.take(honest_task, world.answer(Worth::valid(85))?);
    }
    play_out(
        &mut world,
        &mut [&mut own_miners, &mut able_miners, &mut judges],
        &[honest_task],
    )?;
    let outsiders = ledger.change(&mut world, "outsider");
    let ables = ledger.change(&mut world, "able miners");
    let closure = world.watch().closure(&honest_task);
    let panels = world.watch().rounds(&honest_task);

    play_out(&mut world, &mut [&mut own_miners, &mut judges], &tasks)?;
    let mut settled = 0u32;
    for task in &tasks {
        settled += u32::from(world.watch().closure(task) == Some(Closure::Settled));
    }
    report.note("attacker", ledger.change(&mut world, "attacker"));
    report.note("outsider", outsiders);
    report.note("able miners", ables);
    report.note("judges", ledger.change(&mut world, "judges"));
    report.note("tasks seated", seated_tasks as f64);
    report.note("tasks settled", f64::from(settled));
    let per_judge = f64::from(settled) / seated.len() as f64;
    report.note("tasks a day and judge", per_judge);
    let unresolved = closure == Some(Closure::Unresolved);
    report.note("unresolved: outsider's", f64::from(u8::from(unresolved)));
    report.note("panels: outsider's", panels as f64);
    let title = "26 cheap tasks, then an outsider's honest one";
    ledger.tell(&mut world, &mut report, title);
    let mut ends = Table::new("Tasks of the attacker", &["settled", "of"]);
    ends.row([settled.to_string(), TASKS.to_string()]);
    report.tables.push(ends);
    world.check()?;
    report.took(world.time());
    Ok(report)
}

/// `true` if every task is judged and waits out its challenge window, or fewer judges than a panel
/// needs have a free seat.
fn seats_are_taken(world: &mut World, tasks: &[TaskId], judges: &[Who]) -> bool {
    let watch = world.watch();
    let judged = |task: &&TaskId| watch.phase(task) == Some(Phase::Challenge);
    let waits = |task: &&TaskId| watch.phase(task) == Some(Phase::PanelDraw);
    let (judged, waits) = (
        tasks.iter().filter(judged).count(),
        tasks.iter().filter(waits).count(),
    );
    if judged == tasks.len() {
        return true;
    }
    let accounts: Vec<AccountId> = judges.iter().map(|who| world.account(*who)).collect();
    let free = world.read(|| {
        let panels = |who: &AccountId| pallet_judges::Judges::<Runtime>::get(who).map(|j| j.panels);
        let seats = accounts.iter().filter_map(panels);
        seats.filter(|taken| *taken < MAX_CONCURRENT_PANELS).count()
    });
    judged + waits == tasks.len() && free < MIN_PANEL as usize
}
