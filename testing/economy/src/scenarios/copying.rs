// SPDX-License-Identifier: Apache-2.0

//! M-2: an answer bought by a cheap copy of a task wins the dear one.

use super::cast::{closed, honest, miners, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::{play, Conduct, Miner},
    error::{Error, Result},
    ledger::Ledger,
    report::Report,
    world::{Answer, Founding, Offer, World, Worth},
};
use tos_types::{Phase, TaskId, TaskType, TOS};

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let mut report = Report::new("copying", Some("M-2"), seed);
    let mut founding = Founding::new(seed);
    let rich = founding.account(FUNDS);
    let thief = founding.account(FUNDS);
    let copyist = founding.account(FUNDS);
    let able = founding.accounts(1, FUNDS);
    let fair = founding.accounts(1, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    world.register_miner(copyist, &[TaskType::General])?;
    let mut copyists = Miner::new(copyist, Conduct::Diligent);
    let mut able_miners = miners(&mut world, &able)?;
    let mut fair_miners = miners(&mut world, &fair)?;
    let mut judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let ledger = Ledger::open(
        &mut world,
        &[
            ("rich publisher", &[rich]),
            ("its own miner", &fair),
            ("thief's publisher", &[thief]),
            ("thief's miner", &[copyist]),
            ("thief", &[thief, copyist]),
            ("able miner", &able),
            ("judges", &seated),
        ],
    );
    // A day to answer; then the thief asks the same for an hour, at a bar that nothing reaches.
    let day = world.read(|| pallet_clock::Settings::<tos_runtime::Runtime>::get().day);
    let dear = world.publish(
        rich,
        &Offer {
            open_for: Some(day),
            ..Offer::beginner(REWARD, 2)
        },
    )?;
    let cheap = world.publish(
        thief,
        &Offer {
            min_quality: 100,
            ..Offer::beginner(5 * TOS, 1)
        },
    )?;
    for miner in &mut fair_miners {
        miner.take(dear, world.answer(Worth::valid(70))?);
    }
    for miner in &mut able_miners {
        miner.take(cheap, world.answer(Worth::valid(88))?);
    }
    // The answer is revealed, and public.
    play(
        &mut world,
        &mut [&mut fair_miners, &mut able_miners, &mut judges],
        |world| world.watch().phase(&cheap) == Some(Phase::PanelDraw),
    )?;
    let copy = public(&mut world, cheap)?;
    copyists.take(dear, copy);
    play(
        &mut world,
        &mut [
            &mut copyists,
            &mut fair_miners,
            &mut able_miners,
            &mut judges,
        ],
        |world| closed(world, &[cheap, dear]),
    )?;
    for name in [
        "rich publisher",
        "its own miner",
        "thief's publisher",
        "thief's miner",
        "thief",
        "able miner",
    ] {
        let change = ledger.change(&mut world, name);
        report.note(name, change);
    }
    let duplicate = world.submission(dear, copyist)?.duplicate;
    report.note("duplicate", f64::from(u8::from(duplicate)));
    let title = "A dear task of 15 TOS and its cheap copy of 5 TOS";
    report.tables.push(ledger.table(&mut world, title));
    world.check()?;
    report.took(world.time());
    Ok(report)
}

/// The first answer of a task, as anyone can read it.
fn public(world: &mut World, task: TaskId) -> Result<Answer> {
    world
        .read(|| {
            type Runtime = tos_runtime::Runtime;
            let author = pallet_tasks::Answers::<Runtime>::get(task)
                .into_iter()
                .next()?;
            let stated = pallet_tasks::Submissions::<Runtime>::get(task, &author)?.revealed?;
            let content = pallet_tasks::Contents::<Runtime>::get(task, &author)?;
            Some(Answer {
                content,
                simhash: stated.simhash,
            })
        })
        .ok_or(Error::Unknown(task))
}
