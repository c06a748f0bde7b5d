// SPDX-License-Identifier: Apache-2.0

//! The command line.

use crate::{
    args::{Burst, Fund, Transfers},
    commands::{self, Ending},
    error::Result,
    tasks,
};
use clap::{Parser, Subcommand};
use serde::Serialize;
use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};
use tos_sdk::error::Context;

/// Drives a Substrate node with signed transactions and accounts for every one of them.
///
/// Exit codes: 0 all went as it should; 1 something did not, such as lost transactions; 2 the command
/// line makes no sense; 3 the node cannot be reached.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make accounts and give each what a run needs; leaves alone those that have it. The other
    /// commands do this by themselves.
    Fund(Fund),
    /// Send transfers at a steady rate, or as many as the chain takes.
    Transfers(Transfers),
    /// Send many transfers at once, try again those that find no room, and prove that none is lost.
    Burst(Burst),
    /// Send more than the pool holds, and show that the node stays alive and recovers.
    Flood(Burst),
    /// Take tasks of a TOS chain through their whole lives.
    Tasks(tasks::Tasks),
}

/// Parses the command line, runs, and says how it went.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("tos-load: {error}");
            return ExitCode::from(1);
        }
    };
    let ended = runtime.block_on(run(cli.command));
    // A request to a dead node must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tos-load: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Fund(fund) => {
            let done = commands::fund(&fund).await?;
            let text = format!(
                "{} accounts funded by {} transactions in {:.1} s, {} had enough",
                done.funded, done.transactions, done.seconds, done.skipped
            );
            show(fund.common.json, &done, &text)
        }
        Command::Transfers(it) => {
            let began = Instant::now();
            let ended = commands::transfers(&it).await?;
            finish(it.common.json, ended, began)
        }
        Command::Burst(it) => {
            let began = Instant::now();
            let ended = commands::burst("burst", &it).await?;
            finish(it.common.json, ended, began)
        }
        Command::Flood(it) => {
            let began = Instant::now();
            let ended = commands::burst("flood", &it).await?;
            finish(it.common.json, ended, began)
        }
        Command::Tasks(it) => {
            let report = tasks::run(&it).await?;
            show(it.common.json, &report, &report.text())?;
            report.verdict()
        }
    }
}

/// Shows the report even where something went wrong: it says what.
fn finish(json: bool, ended: Ending, began: Instant) -> Result<()> {
    let Ending { mut report, error } = ended;
    report.seconds = began.elapsed().as_secs_f64();
    show(json, &report, &report.text())?;
    match error {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

fn show<T: Serialize>(json: bool, value: &T, text: &str) -> Result<()> {
    let line = match json {
        true => serde_json::to_string(value).context("writing the report")?,
        false => text.to_owned(),
    };
    // A closed pipe (`tos-load … | head -1`) is the reader's choice, not a failure.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(parse("tos-load transfers --rate max --seconds 10 --json").is_ok());
        assert!(parse("tos-load transfers --rate 500 --url ws://a --url ws://b").is_ok());
        assert!(parse("tos-load burst --count 1000 --mortality 64").is_ok());
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_as_usage() {
        for line in [
            "tos-load",
            "tos-load transfers",
            "tos-load transfers --rate 0",
            "tos-load transfers --rate 10 --seconds 0",
            "tos-load transfers --rate 10 --accounts 0",
            "tos-load burst --count 0",
            "tos-load burst --count 10 --mortality 65",
            "tos-load burst --count 10 --amount 0",
            "tos-load flood --count 99999999999",
        ] {
            let error = parse(line).err().map(|error| error.exit_code());
            assert_eq!(error, Some(2), "{line}");
        }
    }
}
