// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The TOS node: its command line, and what that starts.

#![warn(missing_docs)]

mod cli;
mod command;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

fn main() -> sc_cli::Result<()> {
    command::run()
}
