// SPDX-License-Identifier: Apache-2.0

//! Agents: accounts that act by a strategy, and the loop in which they act.

mod judge;
mod miner;
mod opinions;
mod sybil;

pub use judge::{judges, Judge};
pub use miner::{Conduct, Miner};
pub use opinions::{Correlated, Honest, Lazy, Opinion, Ring, Silent};
pub use sybil::Sybil;

use crate::{
    error::{Error, Result},
    world::World,
};

/// Blocks after which a run that goes nowhere is given up. A panel may be looked for for an hour.
const PATIENCE: u32 = 6_000;

/// Accounts that act by a strategy.
pub trait Agent {
    /// Makes the calls that are due in this block. Returns `true` if there were any.
    ///
    /// # Errors
    /// A call is refused.
    fn act(&mut self, world: &mut World) -> Result<bool>;
}

impl<A: Agent> Agent for Vec<A> {
    fn act(&mut self, world: &mut World) -> Result<bool> {
        let mut acted = false;
        for agent in self {
            acted |= agent.act(world)?;
        }
        Ok(acted)
    }
}

/// Lets agents act, block by block, until `done`. Time in which no agent acts and the chain does nothing
/// is skipped.
///
/// # Errors
/// [`Error::Stuck`] if that takes too many blocks; else those of the agents.
pub fn play(
    world: &mut World,
    agents: &mut [&mut dyn Agent],
    mut done: impl FnMut(&mut World) -> bool,
) -> Result<()> {
    for _ in 0..PATIENCE {
        if done(world) {
            return Ok(());
        }
        let mut acted = false;
        for agent in agents.iter_mut() {
            acted |= agent.act(world)?;
        }
        world.end_block();
        if !acted && !world.watch().stirred() {
            world.skip();
        }
    }
    Err(Error::Stuck(PATIENCE))
}
