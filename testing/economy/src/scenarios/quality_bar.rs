// SPDX-License-Identifier: Apache-2.0

//! H-2: the highest quality bar gives the winners' share back to the publisher that set it.

use super::cast::{honest, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    error::Result,
    ledger::Ledger,
    report::{tos, Report},
    world::{Founding, Offer, Worth},
};
use tos_types::TaskType;

/// Plays it, and the same task with an ordinary bar.
pub fn run(seed: u64) -> Result<Report> {
    let mut report = Report::new("quality-bar", Some("H-2"), seed);
    for bar in [100, 50] {
        play_with(bar, seed, &mut report)?;
    }
    let of = |name: &str| report.figure(name).unwrap_or(0.0);
    let given_back = (of("publisher at 100") - of("publisher at 50")) / tos(REWARD);
    report.note("share given back", given_back);
    Ok(report)
}

/// Three honest answers, honest judges.
fn play_with(bar: u8, seed: u64, report: &mut Report) -> Result<()> {
    let mut founding = Founding::new(seed);
    let publisher = founding.account(FUNDS);
    let able = founding.accounts(3, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut miners = miners(&mut world, &able)?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let ledger = Ledger::open(
        &mut world,
        &[
            ("publisher", &[publisher]),
            ("first miner", &able[..1]),
            ("other miners", &able[1..]),
            ("judges", &seated),
        ],
    );
    let offer = Offer {
        min_quality: bar,
        ..Offer::beginner(REWARD, 3)
    };
    let task = world.publish(publisher, &offer)?;
    for (miner, quality) in miners.iter_mut().zip([90, 80, 75]) {
        miner.take(task, world.answer(Worth::valid(quality))?);
    }
    play_out(&mut world, &mut [&mut miners, &mut judges], &[task])?;
    for name in ["publisher", "first miner", "other miners", "judges"] {
        let change = ledger.change(&mut world, name);
        report.note(&format!("{name} at {bar}"), change);
    }
    let title = format!("min_quality {bar}: 15 TOS, three honest answers");
    ledger.tell(&mut world, report, &title);
    world.check()?;
    report.took(world.time());
    Ok(())
}
