// SPDX-License-Identifier: Apache-2.0

//! `tos-economy` plays scenarios on the real runtime in memory and prints what each account gains or
//! loses.

use clap::Parser;
use std::{
    io::{self, Write},
    process::ExitCode,
};
use tos_economy::scenarios::Scenario;

/// Plays agents against the real TOS runtime in memory, with the windows, deposits and rates of a real
/// network, and prints what each of them gains or loses.
///
/// Exit codes: 0 all scenarios were played; 1 one was not; 2 the command line makes no sense.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    /// The scenario to play; all of them where none is given.
    scenario: Option<Scenario>,
    /// The seed that chance follows from. The same seed gives the same report.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print each report as one line of JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let chosen = match cli.scenario {
        Some(scenario) => vec![scenario],
        None => Scenario::ALL.to_vec(),
    };
    for scenario in chosen {
        if let Err(error) = show(scenario, cli.seed, cli.json) {
            eprintln!("tos-economy: {scenario:?}: {error}");
            return ExitCode::from(1);
        }
    }
    ExitCode::SUCCESS
}

fn show(scenario: Scenario, seed: u64, json: bool) -> Result<(), Box<dyn std::error::Error>> {
    let report = scenario.run(seed)?;
    let mut out = io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        writeln!(out, "{report}")?;
    }
    Ok(())
}
