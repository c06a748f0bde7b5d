// SPDX-License-Identifier: Apache-2.0

//! Miners: they take places in tasks and answer, or do not.

use super::Agent;
use crate::{
    error::Result,
    world::{Answer, Who, World},
};
use std::collections::BTreeMap;
use tos_types::{Phase, TaskId};

/// The conduct of a miner that has taken a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Conduct {
    /// It commits at once and reveals.
    Diligent,
    /// A griefer: it takes places and answers nothing.
    NoShow,
    /// A griefer: it commits and does not reveal.
    Mute,
}

/// The last thing that a miner did in a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    New,
    Joined,
    Committed,
    Revealed,
}

/// A miner with the answers that it has for tasks.
pub struct Miner {
    who: Who,
    conduct: Conduct,
    jobs: BTreeMap<TaskId, (Answer, Stage)>,
}

impl Miner {
    /// A miner without work.
    pub fn new(who: Who, conduct: Conduct) -> Self {
        Self {
            who,
            conduct,
            jobs: BTreeMap::new(),
        }
    }

    /// A diligent miner for each account.
    pub fn diligent(accounts: &[Who]) -> Vec<Self> {
        accounts
            .iter()
            .map(|who| Self::new(*who, Conduct::Diligent))
            .collect()
    }

    /// The account.
    pub fn who(&self) -> Who {
        self.who
    }

    /// Takes on a task with this answer. It joins in the next block that it can.
    pub fn take(&mut self, task: TaskId, answer: Answer) {
        self.jobs.insert(task, (answer, Stage::New));
    }
}

impl Agent for Miner {
    fn act(&mut self, world: &mut World) -> Result<bool> {
        let mut acted = false;
        for (task, (answer, stage)) in &mut self.jobs {
            let next = match (*stage, world.watch().phase(task)) {
                (Stage::New, Some(Phase::Open)) => {
                    world.join(self.who, *task)?;
                    match self.conduct {
                        Conduct::NoShow => Stage::Joined,
                        Conduct::Diligent | Conduct::Mute => {
                            world.commit(self.who, *task, answer)?;
                            Stage::Committed
                        }
                    }
                }
                (Stage::Committed, Some(Phase::AnswerReveal))
                    if self.conduct == Conduct::Diligent =>
                {
                    world.reveal(self.who, *task, answer)?;
                    Stage::Revealed
                }
                _ => continue,
            };
            *stage = next;
            acted = true;
        }
        Ok(acted)
    }
}
