// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The TOS node: its command line, and what that starts.

#![warn(missing_docs)]

mod cli;
mod command;
mod failure;
mod interrupt;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;

use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The SDK's log is written by another thread, but at once, with all that waits, from an error on:
            // so nothing comes after the last words.
            log::error!("This ends with an error:");
            eprintln!("Error: {}", failure::line(&error));
            ExitCode::FAILURE
        }
    }
}
