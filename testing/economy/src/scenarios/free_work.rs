// SPDX-License-Identifier: Apache-2.0

//! C-1: *Unresolved* is free for the publisher, and honest judges pay for it.

use super::cast::{begun, honest, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    error::Result,
    ledger::Ledger,
    report::{Report, Table},
    world::{Offer, Worth},
};
use tos_types::{Closure, TaskType, TOS};

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let (mut report, mut founding) = begun("free-work", Some("C-1"), seed);
    let [publisher, accomplice, outsider] = founding.each(FUNDS);
    let able = founding.accounts(3, FUNDS);
    let late = founding.accounts(3, FUNDS);
    let mut seated = founding.experts();
    seated.extend(founding.certified(10, FUNDS));
    let mut world = founding.world()?;
    let mut able_miners = miners(&mut world, &able)?;
    let mut late_miners = miners(&mut world, &late)?;
    let mut own_miner = miners(&mut world, &[accomplice])?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;

    // The specification lies with the publisher, who stops serving it when the answers are public.
    let ledger = Ledger::open(
        &mut world,
        &[
            ("publisher", &[publisher]),
            ("miners", &able),
            ("judges", &seated),
        ],
    );
    let offer = Offer {
        located: true,
        ..Offer::beginner(REWARD, 3)
    };
    let withheld = world.publish(publisher, &offer)?;
    world.withhold(withheld);
    for (miner, quality) in able_miners.iter_mut().zip([90, 85, 80]) {
        miner.take(withheld, world.answer(Worth::valid(quality))?);
    }
    play_out(
        &mut world,
        &mut [&mut able_miners, &mut judges],
        &[withheld],
    )?;
    let names = ["publisher", "miners", "judges"];
    ledger.note(&mut world, &mut report, &names);
    let title = "A specification withheld: 15 TOS, three honest answers public";
    ledger.tell(&mut world, &mut report, title);

    // The judges are understaked now: the next honest task finds no panel.
    let ledger = Ledger::open(
        &mut world,
        &[("outsider", &[outsider]), ("late miners", &late)],
    );
    let next = world.publish(outsider, &Offer::beginner(REWARD, 3))?;
    for miner in &mut late_miners {
        miner.take(next, world.answer(Worth::valid(85))?);
    }
    play_out(&mut world, &mut [&mut late_miners, &mut judges], &[next])?;
    report.note("outsider", ledger.change(&mut world, "outsider"));
    report.note("late_miners", ledger.change(&mut world, "late miners"));
    let title = "An outsider's honest task right after";
    ledger.tell(&mut world, &mut report, title);

    // A griefer does the same with an unreadable specification and an answer of its own.
    for who in &seated {
        world.top_up(*who)?;
    }
    let ledger = Ledger::open(
        &mut world,
        &[("griefer", &[publisher, accomplice]), ("judges", &seated)],
    );
    let unreadable = world.publish(publisher, &Offer::beginner(5 * TOS, 1))?;
    world.withhold(unreadable);
    for miner in &mut own_miner {
        miner.take(unreadable, world.answer(Worth::JUNK)?);
    }
    play_out(
        &mut world,
        &mut [&mut own_miner, &mut judges],
        &[unreadable],
    )?;
    report.note("griefer", ledger.change(&mut world, "griefer"));
    report.note("judges_of_the_griefer", ledger.change(&mut world, "judges"));
    let title = "An unreadable specification: 5 TOS, one answer of its own";
    ledger.tell(&mut world, &mut report, title);

    let mut ends = Table::new("Ends", &["task", "closure", "panels"]);
    for (name, task) in [
        ("withheld", withheld),
        ("outsider's", next),
        ("unreadable", unreadable),
    ] {
        let (closure, panels) = (world.watch().closure(&task), world.watch().rounds(&task));
        let told = closure.map_or_else(|| "open".into(), |closure| format!("{closure:?}"));
        ends.row([name.into(), told, panels.to_string()]);
        let unresolved = closure == Some(Closure::Unresolved);
        report.note(
            &format!("unresolved: {name}"),
            f64::from(u8::from(unresolved)),
        );
        report.note(&format!("panels: {name}"), panels as f64);
    }
    report.tables.push(ends);
    world.check()?;
    report.took(world.time());
    Ok(report)
}
