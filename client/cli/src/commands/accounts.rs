// SPDX-License-Identifier: Apache-2.0

//! `tos accounts`.

use super::{multisig::Multisig, Global};
use crate::output::{table, Output};
use clap::ValueEnum;
use polkadot_sdk::{sp_core::crypto::AccountId32, sp_runtime::MultiAddress};
use tos_sdk::{
    amount,
    chain::{Call, ProxyKind},
    error::Result,
    keys::parse_account,
};

/// See `tos accounts --help`.
#[derive(clap::Subcommand)]
pub enum Accounts {
    /// List the proxies of an account.
    Proxies {
        /// The account; the key's when missing.
        #[arg(value_parser = parse_account)]
        account: Option<AccountId32>,
    },
    /// Appoint a proxy. A deposit is held for as long as it is one.
    AddProxy(Appointment),
    /// Dismiss a proxy. The deposit is free again.
    RemoveProxy(Appointment),
    /// Accounts that several others sign for.
    #[command(subcommand)]
    Multisig(Multisig),
}

/// Proxy to appoint or to dismiss.
#[derive(clap::Args)]
pub struct Appointment {
    /// The account that may act: an address, or a key's name.
    #[arg(value_name = "ACCOUNT")]
    delegate: String,
    /// Calls that it may make.
    #[arg(long, value_enum)]
    kind: ProxyKind,
    /// Blocks it has to announce a call before. `tos --for` makes no announcements: it works with 0.
    #[arg(long, default_value_t = 0, value_name = "BLOCKS")]
    delay: u32,
}

impl Accounts {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let call = match self {
            Self::Proxies { account } => {
                let who = global.account(&account)?;
                let all = global.connect().await?.best().await?.proxies(&who).await?;
                output.show(&all, || {
                    let row = |proxy: &tos_sdk::chain::Proxy| {
                        let kind = proxy.kind.to_possible_value();
                        let kind = kind.map(|kind| kind.get_name().to_owned());
                        vec![
                            proxy.delegate.to_string(),
                            kind.unwrap_or_default(),
                            proxy.delay.to_string(),
                        ]
                    };
                    let rows: Vec<_> = all.proxies.iter().map(row).collect();
                    format!(
                        "{}\nheld for them: {}",
                        table(&["ACCOUNT", "KIND", "DELAY"], &rows),
                        amount::format(all.deposit)
                    )
                });
                return Ok(());
            }
            Self::Multisig(command) => return command.run(global, output).await,
            Self::AddProxy(who) => Call::AddProxy {
                delegate: MultiAddress::Id(global.named_account(&who.delegate)?),
                proxy_type: who.kind,
                delay: who.delay,
            },
            Self::RemoveProxy(who) => Call::RemoveProxy {
                delegate: MultiAddress::Id(global.named_account(&who.delegate)?),
                proxy_type: who.kind,
                delay: who.delay,
            },
        };
        global.submit_and_show(call, output).await
    }
}
