// SPDX-License-Identifier: Apache-2.0

//! M-2: an answer bought by a cheap copy of a task wins the dear one.

use super::cast::{begun, honest, miner, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::play,
    error::{Error, Result},
    ledger::Ledger,
    report::Report,
    world::{Answer, Offer, World, Worth},
};
use tos_types::{Phase, TaskId, TaskType, TOS};

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let (mut report, mut founding) = begun("copying", Some("M-2"), seed);
    let [rich, thief, copyist] = founding.each(FUNDS);
    let able = founding.accounts(1, FUNDS);
    let fair = founding.accounts(1, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut copyists = miner(&mut world, copyist)?;
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
    play_out(
        &mut world,
        &mut [
            &mut copyists,
            &mut fair_miners,
            &mut able_miners,
            &mut judges,
        ],
        &[cheap, dear],
    )?;
    let names = [
        "rich publisher",
        "its own miner",
        "thief's publisher",
        "thief's miner",
        "thief",
        "able miner",
    ];
    ledger.note(&mut world, &mut report, &names);
    let duplicate = world.submission(dear, copyist)?.duplicate;
    report.note("duplicate", f64::from(u8::from(duplicate)));
    let title = "A dear task of 15 TOS and its cheap copy of 5 TOS";
    ledger.tell(&mut world, &mut report, title);
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
