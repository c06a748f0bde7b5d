// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The beacon in the node (`docs/beacon.md`), for any chain whose runtime has its API and any client that can be asked for it.
//!
//! `follow` follows the best block and puts its `tip` into the `store`: what it says of the slots to come. Slots come there from the `timekeeper` or from peers (`gossip`, `protocol`), each verified
//! exactly; `inherents` puts them into blocks, and `import` keeps blocks with false ones off the best
//! chain (`fork_choice`). Blocks that were not checked then are by `audit`; before, this node does not
//! vote for them (`checks`).
//!
//! # A chain without a beacon
//!
//! The node also runs chains that have none: the yardstick of load runs is one. Each block's runtime is asked for the API
//! (`ApiExt::api_version`) before it is called. The answer comes from the version of the runtime, which the executor reads once for
//! each code and keeps.
//!
//! No block of a chain with a beacon passes for one of another kind. What the runtime offers is written in its code; the code that
//! counts for a block is in the state of the block's parent, and the node has that state from executing the chain, not from the
//! block's author. Only an upgrade of the runtime, which the chain itself decides, changes the answer. The *version* of the API is
//! not compared, as `ApiExt::has_api` would: a runtime with a newer one is called all the same, and a call that then fails is an
//! error, not a leave to go without.

#![warn(missing_docs)]

mod audit;
mod cache;
mod checks;
mod claims;
mod client;
mod clock;
mod evaluator;
mod follow;
mod fork_choice;
mod gossip;
mod import;
mod inherents;
mod launch;
mod marks;
mod metrics;
mod pending;
mod protocol;
mod rate_limit;
mod slot;
mod state;
mod statistics;
mod store;
mod sync_gate;
mod timekeeper;
mod tip;

#[cfg(test)]
mod testing;

pub use checks::{OnlyChecked, Readiness};
pub use client::BeaconClient;
pub use fork_choice::ForkChoiceFilter;
pub use gossip::Gossip;
pub use import::BeaconBlockImport;
pub use inherents::Slots;
pub use launch::{launch, new, Launch};
pub use slot::{Message, SlotId, SlotMessage};
pub use state::{Beacon, Events};
pub use statistics::Statistics;

/// Target of the beacon's log lines.
const LOG: &str = "beacon";
