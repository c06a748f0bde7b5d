// SPDX-License-Identifier: Apache-2.0

//! `tos accounts multisig`.

use super::Global;
use crate::output::Output;
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use serde_json::json;
use std::path::PathBuf;
use tos_sdk::{
    chain::{At, Call, Group},
    error::{Error, Result},
};
use tos_types::json::{from_hex, to_hex};

/// Bytes a call may have, more than fit into a transaction.
const MAX_CALL: usize = 5 << 20;

/// See `tos accounts multisig --help`.
#[derive(clap::Subcommand)]
pub enum Multisig {
    /// Tell the account of a group.
    Address(Members),
    /// Show whether a call waits for approvals, and whose it has.
    Show(About),
    /// Propose a call, as the first signatory. A deposit is held until it is executed or cancelled.
    Propose(About),
    /// Approve a call. The last approval executes it, and needs the call itself, not its hash.
    Approve(About),
    /// Withdraw a call that the key has proposed.
    Cancel(About),
}

/// Group that acts together.
#[derive(clap::Args)]
pub struct Members {
    /// Number of them that must agree.
    #[arg(long, value_name = "COUNT")]
    threshold: u16,
    /// A signatory: an address, or a key's name. Once for each, the key's own account included.
    #[arg(long = "signatory", value_name = "ACCOUNT", required = true)]
    signatories: Vec<String>,
}

/// Call of a group.
#[derive(clap::Args)]
pub struct About {
    #[command(flatten)]
    members: Members,
    #[command(flatten)]
    call: Named,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Named {
    /// The encoded call, in hexadecimal: see --print-call.
    #[arg(long, value_name = "HEX")]
    call: Option<String>,
    /// A file with the encoded call, in hexadecimal.
    #[arg(long, value_name = "FILE")]
    call_file: Option<PathBuf>,
    /// The hash of the call.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    call_hash: Option<[u8; 32]>,
}

fn hash(text: &str) -> Result<[u8; 32], String> {
    tos_sdk::hex::parse_hex::<32>(text.strip_prefix("0x").unwrap_or(text))
}

impl Members {
    fn group(&self, global: &Global) -> Result<Group> {
        let all = self.signatories.iter();
        let all: Result<Vec<_>> = all.map(|name| global.named_account(name)).collect();
        Group::new(self.threshold, all?)
    }
}

impl Named {
    /// The hash of the call, and the call if it was given.
    fn read(&self) -> Result<([u8; 32], Option<Vec<u8>>)> {
        if let Some(hash) = self.call_hash {
            return Ok((hash, None));
        }
        let text = match (&self.call, &self.call_file) {
            (Some(text), _) => text.clone(),
            (None, Some(path)) => std::fs::read_to_string(path)
                .map_err(|error| Error::Usage(format!("{}: {error}", path.display())))?,
            (None, None) => {
                return Err(Error::Usage(
                    "say --call, --call-file or --call-hash".into(),
                ))
            }
        };
        let call = from_hex(text.trim()).filter(|call| !call.is_empty() && call.len() <= MAX_CALL);
        let call = call.ok_or_else(|| {
            Error::Usage(format!(
                "the call is not hexadecimal, is empty, or has more than {MAX_CALL} bytes"
            ))
        })?;
        Ok((blake2_256(&call), Some(call)))
    }
}

impl Multisig {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (about, step) = match self {
            Self::Address(members) => {
                let account = members.group(global)?.account();
                let value = json!({ "account": account.to_string() });
                output.show(&value, || account.to_string());
                return Ok(());
            }
            Self::Show(about) => {
                let group = about.members.group(global)?;
                let (hash, call) = about.call.read()?;
                let best = global.connect().await?.best().await?;
                return show(&best, &group, &hash, call.as_deref(), output).await;
            }
            Self::Propose(about) => (about, Step::Propose),
            Self::Approve(about) => (about, Step::Approve),
            Self::Cancel(about) => (about, Step::Cancel),
        };
        let group = about.members.group(global)?;
        let (hash, call) = about.call.read()?;
        let best = global.connect().await?.best().await?;
        let call = step.call(global, &best, &group, hash, call).await?;
        global.submit_and_show(call, output).await
    }
}

/// Step of a call on its way through a group.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Propose,
    Approve,
    Cancel,
}

impl Step {
    async fn call(
        self,
        global: &Global,
        best: &At,
        group: &Group,
        call_hash: [u8; 32],
        call: Option<Vec<u8>>,
    ) -> Result<Call> {
        let others = group.others(&global.account(&None)?)?;
        let threshold = group.threshold();
        let open = best.open_multisig(&group.account(), &call_hash).await?;
        let timepoint =
            match (self, &open) {
                (Self::Propose, None) => None,
                (Self::Propose, Some(_)) => return Err(Error::refused(
                    "this call was proposed before: `tos accounts multisig approve` approves it",
                )),
                (_, Some(open)) => Some(open.when),
                (_, None) => {
                    return Err(Error::refused(
                        "this call waits for no approvals: it was executed or cancelled, or never \
                     proposed by this group",
                    ))
                }
            };
        let last = open.is_some_and(|open| open.approvals.len() + 1 >= usize::from(threshold));
        match (self, call, timepoint) {
            (Self::Cancel, _, Some(timepoint)) => Ok(Call::CancelAsMulti {
                threshold,
                other_signatories: others,
                timepoint,
                call_hash,
            }),
            (_, Some(call), timepoint) => {
                best.call_name(&call)?;
                Ok(Call::AsMulti {
                    threshold,
                    others,
                    timepoint,
                    max_weight: best.weight(&call).await?,
                    call,
                })
            }
            (_, None, _) if last => Err(Error::Usage(
                "this approval executes the call: say --call or --call-file, not its hash".into(),
            )),
            (_, None, maybe_timepoint) => Ok(Call::ApproveAsMulti {
                threshold,
                other_signatories: others,
                maybe_timepoint,
                call_hash,
                max_weight: Default::default(),
            }),
        }
    }
}

async fn show(
    best: &At,
    group: &Group,
    hash: &[u8; 32],
    call: Option<&[u8]>,
    output: Output,
) -> Result<()> {
    let name = call.map(|call| best.call_name(call)).transpose()?;
    let open = best.open_multisig(&group.account(), hash).await?;
    let approvals: Vec<_> = open.iter().flat_map(|open| &open.approvals).collect();
    let approvals: Vec<_> = approvals.iter().map(|who| who.to_string()).collect();
    let value = json!({
        "account": group.account().to_string(), "call": name, "callHash": to_hex(hash),
        "waits": open.is_some(), "threshold": group.threshold(),
        "when": open.as_ref().map(|open| open.when), "approvals": approvals,
        "depositor": open.as_ref().map(|open| open.depositor.to_string()),
        "deposit": open.as_ref().map(|open| open.deposit.to_string()),
    });
    output.show(&value, || {
        let name = name.as_deref().unwrap_or("the call");
        match open.is_some() {
            true => format!(
                "{name} {} has {} of {} approvals:\n{}",
                to_hex(hash),
                approvals.len(),
                group.threshold(),
                approvals.join("\n")
            ),
            false => format!("{name} {} waits for no approvals", to_hex(hash)),
        }
    });
    Ok(())
}
