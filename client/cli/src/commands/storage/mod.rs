// SPDX-License-Identifier: Apache-2.0

//! `tos storage`.

mod deals;
mod local;
mod provide;
mod run;
mod show;

use super::{help, run::span, Global};
use crate::output::Output;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::path::PathBuf;
use tos_sdk::{amount, error::Result, keys::parse_account};
use tos_types::{Balance, DealId, ReplicaId};
use tracing::Instrument;

/// See `tos storage --help`.
#[derive(clap::Subcommand)]
pub enum Storage {
    /// Become a provider: make the store and the proof key, and hold a bond.
    Init(Box<provide::Init>),
    /// Change the proof key or the address where content and proofs are served.
    Set(provide::Set),
    /// Provide storage: accept deals, seal, prove, settle and serve, until interrupted.
    #[command(after_help = help::PROVIDER)]
    Run(Box<run::Run>),
    /// Accept a deal.
    Accept {
        /// The deal.
        #[arg(value_parser = deal_id)]
        deal: DealId,
    },
    /// Fetch the content of an accepted deal, seal it and commit to it. `run` does this too.
    Seal(Box<local::Seal>),
    /// Show a provider, its replicas and what it must do now.
    Status {
        /// The account; the key's when missing.
        #[arg(value_parser = parse_account)]
        account: Option<AccountId32>,
    },
    /// Check replicas on disk against their commitments, chunk by chunk.
    Verify(Box<local::Verify>),
    /// Add to the bond.
    TopUp {
        /// The amount, such as 100 (TOS).
        #[arg(value_parser = amount::parse)]
        amount: Balance,
    },
    /// Take what the replicas' collateral does not need out of the bond.
    Withdraw {
        /// The amount, such as 100 (TOS).
        #[arg(value_parser = amount::parse)]
        amount: Balance,
    },
    /// Stop proving a replica for a while: not paid, not slashed, and the streak ends.
    Pause(One),
    /// Prove a paused replica again.
    Resume(One),
    /// End a replica early, after notice; the client gets the rest of the escrow back.
    Remove(One),
    /// Take no new deals.
    Exit,
    /// Get the bond back: after `exit`, when no replica is left and the unbonding time is over.
    Leave,
    /// Pay a replica's provider what it has earned. Anyone may.
    Settle(One),

    /// Pay to have a file kept: code it, commit to it, and offer a deal.
    Publish(Box<deals::Publish>),
    /// Withdraw an offer that no provider has accepted.
    Cancel {
        /// The deal.
        #[arg(value_parser = deal_id)]
        deal: DealId,
    },
    /// List offers that wait for a provider.
    Offers,
    /// List an account's deals, or all.
    Deals {
        /// The client; the key's when there is one, otherwise those of all clients.
        #[arg(value_parser = parse_account)]
        client: Option<AccountId32>,
    },
    /// Show a deal or a replica.
    Show(One),
    /// Get a file back from its provider, verified bit by bit.
    Retrieve(Box<deals::Retrieve>),

    /// As a member of the committees: fetch and verify proofs, measure, attest, challenge.
    Audit(Box<run::Audit>),
    /// Demand that a replica's provider opens its sealing or a window, under a bond.
    Challenge(provide::Challenge),
    /// Take the next step of a deal or a replica, when it is due and the chain has been too full to.
    Crank(One),
}

/// A deal or a replica.
#[derive(clap::Args)]
pub struct One {
    /// The deal, or the replica.
    #[arg(value_parser = any_id)]
    id: [u8; 16],
}

/// The store a command works in.
#[derive(clap::Args)]
pub struct Folder {
    /// The folder of the store. [default: storage in the data folder]
    #[arg(long = "dir", value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

impl Folder {
    /// The folder.
    fn path(&self, global: &Global) -> Result<PathBuf> {
        match &self.dir {
            Some(dir) => Ok(dir.clone()),
            None => Ok(global.folder()?.join("storage")),
        }
    }
}

fn any_id(text: &str) -> Result<[u8; 16], String> {
    match (DealId::parse(text), text.trim()) {
        (Some(id), _) => Ok(id.0),
        // Mostly `"$DEAL"` where the command that was to set it failed.
        (None, "") => {
            Err("it is empty: expected the UUID that `tos storage publish` prints".into())
        }
        (None, _) => {
            Err("expected a UUID, as `tos storage publish` and `tos storage deals` print it".into())
        }
    }
}

fn deal_id(text: &str) -> Result<DealId, String> {
    any_id(text).map(DealId)
}

fn replica_id(text: &str) -> Result<ReplicaId, String> {
    any_id(text).map(ReplicaId)
}

impl Storage {
    /// Returns `true` if it works until interrupted.
    pub(super) fn works(&self) -> bool {
        matches!(self, Self::Run(_) | Self::Audit(_) | Self::Seal(_))
            || matches!(self, Self::Publish(publish) if publish.serves())
    }

    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        match self {
            Self::Init(init) => init.run(global, output).await,
            Self::Run(run) => run.run(global, output).instrument(span(global)).await,
            Self::Seal(seal) => seal.run(global, output).await,
            Self::Verify(verify) => verify.run(global, output).await,
            Self::Status { account } => show::status_of(global, output, account).await,
            Self::Publish(publish) => publish.run(global, output).await,
            Self::Retrieve(retrieve) => retrieve.run(global, output).await,
            Self::Offers => show::offers(global, output).await,
            Self::Deals { client } => show::deals(global, output, client).await,
            Self::Show(One { id }) => show::one(global, output, id).await,
            Self::Audit(audit) => audit.run(global, output).instrument(span(global)).await,
            other => provide::submit(other, global, output).await,
        }
    }
}
