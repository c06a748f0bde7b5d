// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The TOS node.

#![warn(missing_docs)]

mod background;
mod beacon;
mod chain_spec;
mod cli;
mod client;
mod command;
mod executor;
mod finality;
mod genesis;
mod host_functions;
mod logging;
mod metrics;
mod offchain;
mod offers;
mod pool;
mod prover;
mod rpc;
mod service;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

fn main() -> sc_cli::Result<()> {
    command::run()
}
