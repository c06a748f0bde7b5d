// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The beacon in the node (`docs/beacon.md`).
//!
//! [`chain`] follows the best block and tells [`state`] what it says of the slots to come. Slots
//! come into [`cache`] from the [`timekeeper`] or from peers ([`gossip`], [`desk`]), each verified
//! exactly; [`inherents`] puts them into blocks, and [`import`] sets blocks with false ones [`aside`].
//! Blocks that were not checked then are by [`audit`]; before, this node does not vote for them
//! ([`checks`]).

mod aside;
mod audit;
mod cache;
mod chain;
mod checks;
mod claims;
mod desk;
mod gossip;
mod import;
mod inherents;
mod launch;
mod limits;
mod marks;
mod metrics;
mod outlook;
mod pending;
mod slot;
mod state;
mod statistics;
mod timekeeper;

#[cfg(test)]
mod testing;

pub use aside::Aside;
pub use checks::{OnlyChecked, Readiness};
pub use gossip::Gossip;
pub use import::BeaconBlockImport;
pub use inherents::Slots;
pub use launch::{launch, new, Launch};
pub use state::{Beacon, Events};
pub use statistics::Statistics;

/// Where the beacon's log lines belong.
const LOG: &str = "beacon";
