// SPDX-License-Identifier: Apache-2.0

//! `tos miner` and `tos judge`, without the workers themselves.

use super::{clock::Clock, help, run, show, Global};
use crate::output::Output;
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde_json::json;
use std::future::Future;
use tos_sdk::task_type;
use tos_sdk::{
    chain::{At, Call},
    error::{Error, Result},
    keys::parse_account,
};
use tos_types::TaskType;
use tracing::Instrument;

/// The types an account registers for.
#[derive(clap::Args)]
pub struct Types {
    /// The task types, separated by commas, such as code-analysis,general.
    #[arg(long, value_name = "TYPES", value_delimiter = ',', required = true,
        value_parser = task_type::parse)]
    types: Vec<TaskType>,
}

/// Whom a reading command is about.
#[derive(clap::Args)]
pub struct Whose {
    /// The account; the key's when missing.
    #[arg(value_parser = parse_account)]
    account: Option<AccountId32>,
}

/// See `tos miner --help`.
#[derive(clap::Subcommand)]
pub enum Miner {
    /// Become a miner. A stake is held until you have left.
    Register(Types),
    /// Work on other task types from now on.
    SetTypes(Types),
    /// Show a miner's standing.
    Status(Whose),
    /// Join tasks, solve them, commit and reveal, until interrupted.
    #[command(after_help = help::MINER)]
    Run(Box<run::MinerArgs>),
    /// Stop mining, to get the stake back after the cooldown.
    Leave,
    /// Stay after all.
    Rejoin,
    /// Get the stake back after the cooldown.
    Withdraw,
    /// Work again after more than 90 days without work.
    Reactivate,
    /// Speak for a miner that wants to reach the next level.
    Endorse {
        /// The miner.
        #[arg(value_parser = parse_account)]
        miner: AccountId32,
    },
    /// Take an endorsement back that you gave or, with --by, one that you have.
    Unendorse {
        /// The miner that is endorsed; the key's account with --by.
        #[arg(value_parser = parse_account, required_unless_present = "by", conflicts_with = "by")]
        miner: Option<AccountId32>,
        /// The account that endorses you.
        #[arg(long, value_name = "ACCOUNT", value_parser = parse_account)]
        by: Option<AccountId32>,
    },
    /// Have a miner's level looked at: begin or end a probation, or a period of grace.
    Review(Whose),
}

/// See `tos judge --help`.
#[derive(clap::Subcommand)]
pub enum Judge {
    /// Become a judge. A stake is held until you have left.
    Register(Types),
    /// Judge other task types from now on.
    SetTypes(Types),
    /// Show a judge's standing.
    Status(Whose),
    /// Judge answers and vote, until interrupted.
    #[command(after_help = help::JUDGE)]
    Run(Box<run::JudgeArgs>),
    /// Stop being drawn, to get the stake back after the cooldown.
    Leave,
    /// Stay after all.
    Rejoin,
    /// Hold again what slashes took, to be drawn again.
    TopUp,
    /// Get the stake back after the cooldown.
    Withdraw,
}

/// The registration that was found of an account in a role.
///
/// # Errors
/// There is none.
fn registered<T>(found: Option<T>, who: &AccountId32, role: &str) -> Result<T> {
    found.ok_or_else(|| Error::Refused {
        name: format!("not a registered {role}"),
        docs: Some(format!("{who}; `tos {role} register` makes it one")),
        fee: None,
    })
}

/// The account that a command is about, and the best block, to read of it.
async fn look_up(global: &Global, account: &Option<AccountId32>) -> Result<(AccountId32, At)> {
    let who = global.account(account)?;
    Ok((who, global.connect().await?.best().await?))
}

/// Runs a worker, whose account is named in every line of its log.
async fn traced(global: &Global, worker: impl Future<Output = Result<()>>) -> Result<()> {
    worker.instrument(run::span(global)).await
}

impl Miner {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let call = match self {
            Self::Register(Types { types }) => Call::RegisterMiner {
                specialisations: types,
            },
            Self::SetTypes(Types { types }) => Call::SetSpecialisations {
                specialisations: types,
            },
            Self::Leave => Call::LeaveMiner {},
            Self::Rejoin => Call::RejoinMiner {},
            Self::Withdraw => Call::WithdrawMiner {},
            Self::Reactivate => Call::Reactivate {},
            Self::Endorse { miner } => Call::Endorse { who: miner },
            Self::Unendorse { miner, by } => {
                let own = global.signer()?.account();
                Call::RetractEndorsement {
                    endorser: by.unwrap_or_else(|| own.clone()),
                    who: miner.unwrap_or(own),
                }
            }
            Self::Review(Whose { account }) => Call::ReviewLevel {
                who: global.account(&account)?,
            },
            Self::Run(arguments) => return traced(global, arguments.run(global)).await,
            Self::Status(Whose { account }) => {
                let (who, at) = look_up(global, &account).await?;
                let miner = registered(at.miner(who.clone()).await?, &who, "miner")?;
                let reputation = at.reputation(who.clone()).await?;
                let clock = Clock::at(&at).await?;
                let value = json!({"account": who, "miner": miner, "reputation": reputation});
                output.show(&value, || {
                    format!(
                        "{}\n\n{}",
                        show::miner(&miner, clock),
                        show::reputation(&reputation)
                    )
                });
                return Ok(());
            }
        };
        global.submit_and_show(call, output).await
    }
}

impl Judge {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let call = match self {
            Self::Register(Types { types }) => Call::RegisterJudge { types },
            Self::SetTypes(Types { types }) => Call::SetTypes { types },
            Self::Leave => Call::LeaveJudge {},
            Self::Rejoin => Call::RejoinJudge {},
            Self::TopUp => Call::TopUp {},
            Self::Withdraw => Call::WithdrawJudge {},
            Self::Run(arguments) => return traced(global, arguments.run(global)).await,
            Self::Status(Whose { account }) => {
                let (who, at) = look_up(global, &account).await?;
                let judge = registered(at.judge(who.clone()).await?, &who, "judge")?;
                let duties = at.duties(who.clone()).await?;
                let reputation = at.reputation(who.clone()).await?;
                let clock = Clock::at(&at).await?;
                let value = json!({
                    "account": who, "judge": judge, "duties": duties,
                    "reputation": reputation,
                });
                output.show(&value, || {
                    let seats: Vec<_> = duties
                        .iter()
                        .map(|duty| format!("seat in   {}", duty.task))
                        .collect();
                    let blocks = [
                        show::judge(&judge, clock),
                        seats.join("\n"),
                        show::reputation(&reputation),
                    ];
                    blocks
                        .into_iter()
                        .filter(|b| !b.is_empty())
                        .collect::<Vec<_>>()
                        .join("\n\n")
                });
                return Ok(());
            }
        };
        global.submit_and_show(call, output).await
    }
}
