// SPDX-License-Identifier: Apache-2.0

//! Sybils: one operator with many fresh accounts.

use super::{judges, Agent, Honest, Judge, Miner, Ring};
use crate::{
    dice::Dice,
    error::Result,
    world::{Answer, Who, World},
};
use tos_types::{TaskId, TaskType};

/// The operator of many accounts, which mine and judge for one another.
pub struct Sybil {
    accounts: Vec<Who>,
    miners: Vec<Miner>,
    judges: Vec<Judge>,
}

impl Sybil {
    /// An operator of these accounts, none of which is registered.
    pub fn new(accounts: &[Who]) -> Self {
        Self {
            accounts: accounts.to_vec(),
            miners: Miner::diligent(accounts),
            judges: Vec::new(),
        }
    }

    /// Registers every account as a miner of these types.
    ///
    /// # Errors
    /// A call is refused.
    pub fn register_miners(&self, world: &mut World, types: &[TaskType]) -> Result<()> {
        let mut all = self.accounts.iter();
        all.try_for_each(|who| world.register_miner(*who, types))
    }

    /// Registers every account as a judge of these types. From now on they vote as a ring.
    ///
    /// # Errors
    /// A call is refused.
    pub fn register_judges(&mut self, world: &mut World, types: &[TaskType]) -> Result<()> {
        for who in &self.accounts {
            world.register_judge(*who, types)?;
        }
        let own: Vec<_> = self
            .accounts
            .iter()
            .map(|who| world.account(*who))
            .collect();
        let seed = world.seed();
        self.judges = judges(&self.accounts, |who| {
            let dice = Dice::new(seed, (b"sybil", world.account(who)));
            Ring::new(own.clone(), Honest::new(3.0, dice))
        });
        Ok(())
    }

    /// Gives the same answer under every name.
    pub fn flood(&mut self, task: TaskId, answer: &Answer) {
        for miner in &mut self.miners {
            miner.take(task, answer.clone());
        }
    }

    /// Gives an answer under one name, by number.
    pub fn answer(&mut self, number: usize, task: TaskId, answer: Answer) {
        if let Some(miner) = self.miners.get_mut(number) {
            miner.take(task, answer);
        }
    }
}

impl Agent for Sybil {
    fn act(&mut self, world: &mut World) -> Result<bool> {
        let mined = self.miners.act(world)?;
        let judged = self.judges.act(world)?;
        Ok(mined | judged)
    }
}
