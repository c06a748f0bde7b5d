// SPDX-License-Identifier: Apache-2.0

//! `tos-load` drives a node with signed transactions and accounts for every one of them: what the
//! node took, what it refused and why, what came into blocks, what became final, and how long each
//! of that took. It reads the runtime's metadata from the node, so any Substrate node will do.

mod accounts;
mod args;
mod blocks;
mod chain;
mod cli;
mod commands;
mod engine;
mod error;
#[cfg(test)]
mod fake;
mod fund;
mod ledger;
mod pace;
mod refusal;
mod report;
mod rpc;
mod sign;
mod stats;
mod submit;
mod tasks;
mod transaction;

fn main() -> std::process::ExitCode {
    cli::main()
}
