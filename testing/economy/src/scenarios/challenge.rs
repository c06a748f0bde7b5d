// SPDX-License-Identifier: Apache-2.0

//! H-6: a challenge is a second lottery, and friends that stayed out of the first one win it.

use super::cast::{begun, honest, miner, miners, play_out, CAREFUL, FUNDS, REWARD};
use crate::{
    agents::{judges, play, Honest, Judge, Ring},
    dice::Dice,
    error::Result,
    ledger::Ledger,
    report::{shown, tos, Report, Table},
    world::{Offer, Who, World, Worth},
};
use tos_types::{vote::Tally, Phase, TaskId, TaskType};

/// Tasks, one after the other.
const TASKS: usize = 6;

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let (mut report, mut founding) = begun("challenge", Some("H-6"), seed);
    let [outsider, able, loser] = founding.each(FUNDS);
    // Certified here; takeover shows the price of the same weight.
    let friends = founding.certified(3, FUNDS);
    let seated = founding.experts();
    let mut world = founding.world()?;
    let mut able_miners = miners(&mut world, &[able])?;
    let mut junk_miner = miner(&mut world, loser)?;
    let mut honest_judges = honest(&mut world, &seated, &[TaskType::General], CAREFUL)?;
    let mut ring = befriend(&mut world, &friends, loser)?;
    let ledger = Ledger::open(
        &mut world,
        &[
            ("junk miner", &[loser]),
            ("friends", &friends),
            ("honest miner", &[able]),
            ("honest judges", &seated),
            ("outsider", &[outsider]),
        ],
    );

    let columns = ["task", "first round", "challenge", "honest", "junk", "bond"];
    let mut table = Table::new("Six tasks", &columns);
    let (mut agreed, mut overturned, mut bonds) = (0u32, 0u32, 0u32);
    for number in 1..=TASKS {
        for who in &friends {
            world.leave(*who)?;
        }
        let task = world.publish(outsider, &Offer::beginner(REWARD, 2))?;
        for miner in &mut able_miners {
            miner.take(task, world.answer(Worth::valid(90))?);
        }
        junk_miner.take(task, world.answer(Worth::JUNK)?);
        play(
            &mut world,
            &mut [
                &mut able_miners,
                &mut junk_miner,
                &mut honest_judges,
                &mut ring,
            ],
            |world| world.watch().phase(&task) == Some(Phase::Challenge),
        )?;
        for who in &friends {
            world.rejoin(*who)?;
        }
        world.challenge(loser, task)?;
        play_out(&mut world, &mut [&mut honest_judges, &mut ring], &[task])?;
        let (first, second) = tallies(&world, &task);
        let paid_honest = world.submission(task, able)?.earned;
        let paid_junk = world.submission(task, loser)?.earned;
        let upheld = world.read(|| {
            let challenge = pallet_tasks::Challenges::<tos_runtime::Runtime>::get(task);
            challenge.and_then(|challenge| challenge.upheld)
        });
        let released = upheld == Some(true);
        let bond = if released { "released" } else { "lost" };
        agreed += u32::from(first == Some(Tally::Consensus));
        overturned += u32::from(paid_junk > paid_honest);
        bonds += u32::from(released);
        table.row([
            number.to_string(),
            told(first),
            told(second),
            shown(tos(paid_honest)),
            shown(tos(paid_junk)),
            bond.into(),
        ]);
    }
    report.tables.push(table);
    report.note("consensus in the first round", f64::from(agreed));
    report.note("overturned", f64::from(overturned));
    report.note("bonds released", f64::from(bonds));
    let names = [
        "junk miner",
        "friends",
        "honest miner",
        "honest judges",
        "outsider",
    ];
    ledger.note(&mut world, &mut report, &names);
    let title = "Six tasks of 15 TOS, each challenged by its junk miner";
    ledger.tell(&mut world, &mut report, title);
    world.check()?;
    report.took(world.time());
    Ok(report)
}

/// Registers the friends of a miner as judges. They vote for its answers, and honestly elsewhere.
fn befriend(world: &mut World, friends: &[Who], miner: Who) -> Result<Vec<Judge>> {
    for who in friends {
        world.register_judge(*who, &[TaskType::General])?;
    }
    let (seed, own) = (world.seed(), world.account(miner));
    Ok(judges(friends, |who| {
        let dice = Dice::new(seed, (b"friend", world.account(who)));
        Ring::new([own.clone()], Honest::new(CAREFUL, dice))
    }))
}

/// The counts of the first round and of the last one.
fn tallies(world: &World, task: &TaskId) -> (Option<Tally>, Option<Tally>) {
    let seen = world.watch().task(task);
    let first = seen.and_then(|seen| seen.tallies.get(&0).copied());
    let last = seen.and_then(|seen| seen.tallies.values().last().copied());
    (first, last)
}

fn told(tally: Option<Tally>) -> String {
    tally.map_or_else(|| "none".into(), |tally| format!("{tally:?}"))
}
