// SPDX-License-Identifier: Apache-2.0

//! The pay of honest, noisy, correlated and lazy judges side by side, without any attack.

use super::cast::{begun, honest, miners, play_out, FUNDS, REWARD};
use crate::{
    agents::{judges, Correlated, Judge, Lazy},
    dice::Dice,
    error::Result,
    ledger::Ledger,
    report::{Report, Table},
    world::{Offer, Who, World, Worth},
};
use tos_runtime::AccountId;
use tos_types::TaskType;

/// Waves of tasks, one after the other.
const WAVES: usize = 6;
/// Tasks at once.
const AT_ONCE: usize = 6;
/// Answers of each.
const ANSWERS: usize = 3;
/// The standard deviations of honest judges and of noisy ones, in points.
const SD: (f64, f64) = (8.0, 25.0);
/// The part of their error that correlated judges share.
const SHARED: f64 = 0.8;
/// The constant of lazy judges: near the mean quality of answers.
const CONSTANT: u8 = 65;

const GENERAL: [TaskType; 1] = [TaskType::General];

/// Plays it.
pub fn run(seed: u64) -> Result<Report> {
    let (mut report, mut founding) = begun("lazy", None, seed);
    let publisher = founding.account(4 * FUNDS);
    let able = founding.accounts(AT_ONCE * ANSWERS, FUNDS);
    let mut groups: Vec<(&str, Vec<Who>)> = vec![("honest", founding.experts())];
    groups[0].1.extend(founding.certified(3, FUNDS));
    for name in ["noisy", "correlated", "lazy"] {
        groups.push((name, founding.certified(4, FUNDS)));
    }
    let mut world = founding.world()?;
    let mut able_miners = miners(&mut world, &able)?;
    let mut bench = Vec::new();
    for (name, group) in &groups {
        bench.extend(seat(&mut world, name, group)?);
    }
    let entries: Vec<(&str, &[Who])> = groups.iter().map(|(n, g)| (*n, &g[..])).collect();
    let ledger = Ledger::open(&mut world, &entries);

    let mut dice = Dice::new(seed, b"quality");
    let mut seats = vec![0usize; groups.len()];
    for _ in 0..WAVES {
        let mut wave = Vec::new();
        for answers in able_miners.chunks_mut(ANSWERS) {
            let task = world.publish(publisher, &Offer::beginner(REWARD, ANSWERS as u32))?;
            for miner in answers {
                let quality = (65.0 + 15.0 * dice.normal()).round().clamp(25.0, 100.0) as u8;
                miner.take(task, world.answer(Worth::valid(quality))?);
            }
            wave.push(task);
        }
        play_out(&mut world, &mut [&mut able_miners, &mut bench], &wave)?;
        for (count, (_, group)) in seats.iter_mut().zip(&groups) {
            let accounts: Vec<AccountId> = group.iter().map(|who| world.account(*who)).collect();
            *count += wave
                .iter()
                .filter_map(|task| world.watch().task(task))
                .flat_map(|seen| seen.panels.values().flatten())
                .filter(|member| accounts.contains(member))
                .count();
        }
    }

    let columns = ["judges", "accounts", "seats", "change", "a seat"];
    let mut table = Table::new("Pay of judges, fees of their votes taken off", &columns);
    for ((name, group), seats) in groups.iter().zip(&seats) {
        let change = ledger.change(&mut world, name);
        let each = change / (*seats).max(1) as f64;
        report.note(&format!("{name}: a seat"), each);
        report.note(&format!("{name}: seats"), *seats as f64);
        table.row([
            (*name).to_string(),
            group.len().to_string(),
            seats.to_string(),
            format!("{change:+.5}"),
            format!("{each:+.5}"),
        ]);
    }
    report.tables.push(table);
    world.check()?;
    report.took(world.time());
    Ok(report)
}

/// Registers a group of judges, each with the opinion that the group's name says.
fn seat(world: &mut World, name: &str, group: &[Who]) -> Result<Vec<Judge>> {
    let sd = match name {
        "honest" => return honest(world, group, &GENERAL, SD.0),
        "noisy" => return honest(world, group, &GENERAL, SD.1),
        _ => SD.0,
    };
    for who in group {
        world.register_judge(*who, &GENERAL)?;
    }
    let seed = world.seed();
    Ok(match name {
        "lazy" => judges(group, |_| Lazy { quality: CONSTANT }),
        _ => judges(group, |who| {
            let dice = Dice::new(seed, (b"judge", world.account(who)));
            Correlated::new(sd, SHARED, seed, dice)
        }),
    })
}
