// SPDX-License-Identifier: Apache-2.0

//! `tos chain`.

use super::{clock::Clock, Global};
use crate::output::Output;
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde_json::json;
use tos_sdk::{
    amount,
    chain::Event,
    clean,
    error::{Error, Result},
    keys::parse_account,
};
use tos_types::{json::to_hex, Balance};

/// See `tos chain --help`.
#[derive(clap::Subcommand)]
pub enum Chain {
    /// Show the chain's state and check that this program fits its runtime.
    Status,
    /// List the events of blocks.
    Events {
        /// The first block; the best one when missing.
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// The last block; the first one when missing.
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
        /// Only of this pallet, such as Tasks.
        #[arg(long, value_name = "NAME")]
        pallet: Option<String>,
    },
    /// Show an account's balance and what it should do now.
    Account {
        /// The account; the key's when missing.
        #[arg(value_parser = parse_account)]
        account: Option<AccountId32>,
    },
}

impl Chain {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let connection = global.connect().await?;
        let best = connection.best().await?;
        match self {
            Self::Status => {
                let (name, version) = connection.names().await?;
                let finalised = connection.finalised().await?;
                let chain = best.chain().await?;
                let value = json!({
                    "chain": name, "nodeVersion": version,
                    "genesis": to_hex(&connection.genesis()),
                    "specVersion": best.spec_version(),
                    "best": {"number": best.number(), "hash": to_hex(&best.hash())},
                    "finalised": {"number": finalised.number(), "hash": to_hex(&finalised.hash())},
                    "protocol": chain,
                });
                let (name, version) = (clean::line(&name), clean::line(&version));
                output.show(&value, || {
                    [
                        format!(
                            "chain       {name} (node {version}, runtime {})",
                            best.spec_version()
                        ),
                        format!("genesis     {}", to_hex(&connection.genesis())),
                        format!("best        {} {}", best.number(), to_hex(&best.hash())),
                        format!(
                            "finalised   {} {}",
                            finalised.number(),
                            to_hex(&finalised.hash())
                        ),
                        format!("tick        {}, day {}", chain.tick, chain.day),
                        format!("tasks       {}, {} open", chain.tasks, chain.open_tasks),
                        format!("miners      {}", chain.miners),
                        format!("judges      {}", chain.judges),
                    ]
                    .join("\n")
                });
            }
            Self::Events { from, to, pallet } => {
                let first = from.unwrap_or_else(|| best.number());
                let last = to.unwrap_or(first);
                if last < first || last > best.number() {
                    let most = best.number();
                    return Err(Error::Usage(format!(
                        "no blocks {first} to {last}: 0 to {most}"
                    )));
                }
                let mut events = Vec::new();
                for number in first..=last {
                    events.extend(connection.at_number(number).await?.events().await?);
                }
                events.retain(|event| pallet.as_ref().is_none_or(|name| *name == event.pallet));
                output.show(&events, || {
                    events.iter().map(event_line).collect::<Vec<_>>().join("\n")
                });
            }
            Self::Account { account } => {
                let who = global.account(&account)?;
                let balance = best.balance(&who).await?;
                let assignments = best.assignments(who.clone()).await?;
                let claims = best.claimable(who.clone()).await?;
                let clock = Clock::at(&best).await?;
                let waits: Balance = claims.iter().map(|claim| claim.amount).sum();
                let value = json!({
                    "account": who, "free": balance.free.to_string(),
                    "held": balance.reserved.to_string(), "assignments": assignments,
                    "claimable": claims,
                });
                output.show(&value, || {
                    let todo = assignments.iter().map(|a| {
                        let until = clock.by(a.deadline);
                        format!("to do  {:?} in {} until {until}", a.action, a.task)
                    });
                    let balance = [
                        format!("free   {}", amount::format(balance.free)),
                        format!("held   {}", amount::format(balance.reserved)),
                    ];
                    let claim = (!claims.is_empty()).then(|| {
                        format!(
                            "claim  {} wait (`tos rewards claim`), and count as held or free",
                            amount::format(waits)
                        )
                    });
                    balance
                        .into_iter()
                        .chain(claim)
                        .chain(todo)
                        .collect::<Vec<_>>()
                        .join("\n")
                });
            }
        }
        Ok(())
    }
}

/// An event in one line.
fn event_line(event: &Event) -> String {
    let Event {
        block,
        pallet,
        name,
        fields,
    } = event;
    clean::line(&format!("block {block}: {pallet}.{name} {fields}")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::{assert_clean, HOSTILE};

    #[test]
    fn an_event_with_a_strangers_text_is_one_clean_line() {
        let event = Event {
            block: 7,
            pallet: "Tasks".into(),
            name: "Published".into(),
            fields: json!({ "note": HOSTILE }),
        };
        let line = event_line(&event);
        assert_clean(&line);
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with("block 7: Tasks.Published {"), "{line}");
    }
}
