// SPDX-License-Identifier: Apache-2.0

//! The command line.

mod accounts;
mod chain;
mod clock;
mod config;
mod content;
mod global;
mod governance;
mod help;
mod keys;
mod lint;
mod listen;
mod log;
mod model;
mod multisig;
mod names;
pub(crate) mod node;
mod notify;
mod page;
mod parse;
mod progress;
mod publish;
mod quote;
mod rewards;
mod roles;
mod run;
mod show;
mod storage;
mod task;
mod watch;

pub(crate) use global::Global;

use crate::{config::Failure, output::Output};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::{process::ExitCode, time::Duration};
use tos_sdk::error::{Context, Result};

/// Publish tasks, solve them, judge the answers, store files and get paid, on a TOS chain.
///
/// Exit codes: 0 success; 1 failure; 2 the command line or a file it names makes no sense;
/// 3 refused by the chain; 4 no node answers; 5 timed out.
#[derive(Parser)]
#[command(name = "tos", version, propagate_version = true)]
struct Cli {
    #[command(flatten, next_help_heading = help::GLOBAL_OPTIONS)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Keys: make, import, list, show, export and remove them.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Tasks: publish, list, show, follow, cancel and challenge them.
    #[command(subcommand)]
    Task(task::Task),
    /// Mine: register, run a solver, leave.
    #[command(subcommand)]
    Miner(roles::Miner),
    /// Judge: register, run a judge, leave.
    #[command(subcommand)]
    Judge(roles::Judge),
    /// Rewards: list and claim them.
    #[command(subcommand)]
    Rewards(rewards::Rewards),
    /// Accounts that act for others: list, appoint and dismiss proxies.
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// The chain and its accounts.
    #[command(subcommand)]
    Chain(chain::Chain),
    /// Checks of panels: tools of task types, and authors of control answers.
    #[command(subcommand)]
    Governance(governance::Governance),
    /// Content by hash: keep, get and serve it.
    #[command(subcommand)]
    Content(content::Content),
    /// Storage: pay to have files kept, or keep them, prove it and be paid.
    #[command(subcommand)]
    Storage(storage::Storage),
    /// The configuration file: write one, check it, show which values are in effect.
    #[command(subcommand)]
    Config(config::Config),
    /// Notices of the workers: try where they go.
    #[command(subcommand)]
    Notify(notify::Notify),
    /// Print a completion-friendly list of all commands.
    #[command(hide = true)]
    Commands,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let parsed = crate::config::parse(
        command(),
        std::env::args_os().collect(),
        &crate::config::places(),
    );
    let parsed = parsed.and_then(|parsed| {
        let cli = Cli::from_arg_matches(&parsed.matches)?;
        Ok((cli, parsed))
    });
    let (cli, parsed) = match parsed {
        Ok(parsed) => parsed,
        Err(Failure::Clap(error, note)) => {
            // Help and version are successes; anything else is a usage error, code 2.
            let _ = error.print();
            if let Some(note) = note {
                eprintln!("\n{note}");
            }
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
        Err(Failure::File(error, json)) => {
            Output { json }.error(&error);
            return ExitCode::from(error.exit_code());
        }
    };
    let output = Output {
        json: cli.global.json,
    };
    let done = match &cli.command {
        Command::Config(command) => command.run(&cli.global, &parsed, output),
        _ => start(cli, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn start(cli: Cli, output: Output) -> Result<()> {
    log::to_stderr(&cli.global, works(&cli.command))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting")?;
    let done = runtime.block_on(dispatch(cli, output));
    // A thread that waits for a password or a pipe must not keep the program.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn dispatch(cli: Cli, output: Output) -> Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Keys(command) => command.run(global, output),
        Command::Task(command) => command.run(global, output).await,
        Command::Miner(command) => command.run(global, output).await,
        Command::Judge(command) => command.run(global, output).await,
        Command::Rewards(command) => command.run(global, output).await,
        Command::Accounts(command) => command.run(global, output).await,
        Command::Chain(command) => command.run(global, output).await,
        Command::Governance(command) => command.run(global, output).await,
        Command::Content(command) => command.run(global, output).await,
        Command::Storage(command) => command.run(global, output).await,
        Command::Notify(command) => command.run(output).await,
        // Done before: it needs to know where values come from.
        Command::Config(_) => Ok(()),
        Command::Commands => {
            let list = command_list(&command(), "tos");
            output.show(&list, || list.join("\n"));
            Ok(())
        }
    }
}

/// The definition of the command line.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

fn command_list(command: &clap::Command, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() {
            all.extend(command_list(sub, &path));
        } else {
            all.push(path);
        }
    }
    all
}

/// Returns `true` for a command that goes on working and logs its progress.
fn works(command: &Command) -> bool {
    matches!(
        command,
        Command::Miner(roles::Miner::Run(_))
            | Command::Judge(roles::Judge::Run(_))
            | Command::Content(content::Content::Serve { .. })
    ) || matches!(command, Command::Storage(command) if command.works())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                let builtin = ["help", "version"].contains(&argument.get_id().as_str());
                assert!(
                    builtin || argument.get_help().is_some(),
                    "{path} {}",
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(|sub| check(sub, &path));
        }
        check(&Cli::command(), "");
    }

    #[test]
    fn all_documented_commands_exist() {
        let commands = command_list(&Cli::command(), "tos");
        for wanted in [
            "keys new",
            "keys import",
            "keys list",
            "keys show",
            "keys export",
            "keys remove",
            "task publish",
            "task quote",
            "task lint",
            "task list",
            "task show",
            "task watch",
            "task cancel",
            "task challenge",
            "task crank",
            "miner register",
            "miner status",
            "miner run",
            "miner leave",
            "miner withdraw",
            "miner endorse",
            "miner unendorse",
            "miner review",
            "judge register",
            "judge status",
            "judge run",
            "judge leave",
            "judge withdraw",
            "rewards list",
            "rewards claim",
            "rewards auto-claim",
            "accounts proxies",
            "accounts add-proxy",
            "accounts remove-proxy",
            "accounts multisig address",
            "accounts multisig show",
            "accounts multisig propose",
            "accounts multisig approve",
            "accounts multisig cancel",
            "chain status",
            "chain account",
            "chain events",
            "governance parameters",
            "governance set-parameter",
            "governance set-type",
            "governance control-author",
            "notify test",
            "config show",
            "config check",
            "config init",
            "content put",
            "content get",
            "content list",
            "content remove",
            "content serve",
            "storage init",
            "storage publish",
            "storage offers",
            "storage deals",
            "storage show",
            "storage status",
            "storage accept",
            "storage seal",
            "storage run",
            "storage audit",
            "storage retrieve",
            "storage verify",
            "storage exit",
            "storage leave",
            "storage top-up",
            "storage withdraw",
            "storage pause",
            "storage resume",
            "storage settle",
            "storage challenge",
        ] {
            assert!(commands.contains(&format!("tos {wanted}")), "{wanted}");
        }
    }

    #[test]
    fn every_command_that_a_refusal_names_exists() {
        let commands = command_list(&Cli::command(), "tos");
        let mut named = 0;
        for (error, advice) in tos_sdk::chain::ADVICE {
            for quoted in advice.split('`').skip(1).step_by(2) {
                let words = quoted.split(' ').filter(|word| !word.starts_with("--"));
                let command = words.collect::<Vec<_>>().join(" ");
                if !command.is_empty() {
                    assert!(commands.contains(&command), "{error}: {quoted}");
                    named += 1;
                }
            }
        }
        assert!(named > 40, "{named}");
    }

    #[test]
    fn every_signing_command_takes_a_tip() {
        for command in [
            "task publish --type general --difficulty beginner --reward 1 --spec f --open-for 9",
            "rewards claim",
            "miner run --solver-cmd true",
            "judge run --judge-cmd true",
            "storage run",
            "storage audit",
        ] {
            let line = format!("tos {command} --suri //Alice --tip 0.5");
            let global = Cli::try_parse_from(line.split(' ')).unwrap().global;
            assert_eq!(global.signer().unwrap().tip, tos_types::TOS / 2);
        }
    }

    #[tokio::test]
    async fn a_worker_whose_program_is_not_there_does_not_start() {
        for option in ["miner run --solver-cmd", "judge run --judge-cmd"] {
            let line = format!("tos {option} /no/such/program --suri //Alice");
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let error = dispatch(cli, Output { json: false }).await.unwrap_err();
            assert_eq!(error.exit_code(), 2, "{error}");
            let told = error.to_string();
            assert!(told.contains("-cmd: /no/such/program: "), "{told}");
        }
    }

    #[test]
    fn every_worker_can_forget_the_height_it_has_seen() {
        for command in [
            "miner run --solver-cmd true",
            "judge run --judge-cmd true",
            "storage run",
            "storage audit",
        ] {
            let line = format!("tos {command} --forget-height");
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{command}");
        }
    }

    #[test]
    fn lines_of_a_worker_s_start_are_in_its_span_where_the_account_is_known() {
        let log = tracing_subscriber::fmt().with_writer(std::io::sink);
        let _log = tracing::subscriber::set_default(log.finish());
        let span = |key: &str| {
            let line = format!("tos miner run --solver-cmd true --data-dir /nonexistent{key}");
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            run::span(&cli.global)
        };
        let name = |span: &tracing::Span| span.metadata().map(|span| span.name());
        assert_eq!(name(&span(" --suri //Alice")), Some("worker"));
        assert_eq!(name(&span(" --key missing")), None);
    }

    #[test]
    fn a_call_of_a_multisig_is_given_once() {
        let parse = |end: &str| {
            let line = format!("tos accounts multisig approve --threshold 2 --signatory a{end}");
            Cli::try_parse_from(line.split(' ')).is_ok()
        };
        assert!(parse(" --signatory b --call 0x00"));
        assert!(parse(" --signatory b --call-file f"));
        assert!(!parse(" --signatory b"));
        assert!(!parse(" --call 0x00 --call-file f"));
        assert!(!parse(" --call-hash 0x00"));
    }
}
