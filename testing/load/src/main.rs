// SPDX-License-Identifier: Apache-2.0

//! `tos-load` drives a node with signed transactions and accounts for every one of them: what the
//! node took, what it refused and why, what came into blocks, what became final, and how long each
//! of that took. It reads the runtime's metadata from the node, so any Substrate node will do.

mod accounts;
mod args;
mod blocks;
mod cli;
mod commands;
mod engine;
mod error;
#[cfg(test)]
mod fake;
mod fund;
mod ledger;
mod pace;
mod pool_error;
mod report;
mod sign;
mod stats;
mod submit;
mod tasks;

fn main() -> std::process::ExitCode {
    cli::main()
}
