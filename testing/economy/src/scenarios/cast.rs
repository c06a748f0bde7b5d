// SPDX-License-Identifier: Apache-2.0

//! Accounts that several scenarios have, registered and ready to act.

use crate::{
    agents::{judges, play, Agent, Conduct, Honest, Judge, Miner},
    dice::Dice,
    error::Result,
    report::Report,
    world::{Founding, Who, World},
};
use tos_types::{Balance, TaskId, TaskType, TOS};

/// The funds of an account that puts down one registration and a few stakes.
pub const FUNDS: Balance = 300 * TOS;
/// The reward of a task of the scenarios: the greatest for beginners.
pub const REWARD: Balance = 15 * TOS;
/// The standard deviation of a careful judge, in points.
pub const CAREFUL: f64 = 3.0;

/// Empty report of a scenario, about this finding if it is about one, and the world that it founds.
pub fn begun(scenario: &str, finding: Option<&str>, seed: u64) -> (Report, Founding) {
    (Report::new(scenario, finding, seed), Founding::new(seed))
}

/// Diligent miner of general tasks.
pub fn miner(world: &mut World, account: Who) -> Result<Miner> {
    world.register_miner(account, &[TaskType::General])?;
    Ok(Miner::new(account, Conduct::Diligent))
}

/// Diligent miners of general tasks.
pub fn miners(world: &mut World, accounts: &[Who]) -> Result<Vec<Miner>> {
    for who in accounts {
        world.register_miner(*who, &[TaskType::General])?;
    }
    Ok(Miner::diligent(accounts))
}

/// Honest judges of these types with this standard deviation.
pub fn honest(
    world: &mut World,
    accounts: &[Who],
    types: &[TaskType],
    sd: f64,
) -> Result<Vec<Judge>> {
    for who in accounts {
        world.register_judge(*who, types)?;
    }
    let seed = world.seed();
    Ok(judges(accounts, |who| {
        Honest::new(sd, Dice::new(seed, (b"judge", world.account(who))))
    }))
}

/// Lets agents act until all these tasks are closed.
pub fn play_out(world: &mut World, agents: &mut [&mut dyn Agent], tasks: &[TaskId]) -> Result<()> {
    play(world, agents, |world| closed(world, tasks))
}

/// `true` if all these tasks are closed.
fn closed(world: &World, tasks: &[TaskId]) -> bool {
    let watch = world.watch();
    tasks.iter().all(|task| watch.closure(task).is_some())
}
