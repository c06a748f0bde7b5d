// SPDX-License-Identifier: Apache-2.0

//! `tos governance`: the calls by which a network decides what panels check with.

use super::Global;
use crate::output::Output;
use clap::builder::PossibleValuesParser;
use polkadot_sdk::{sp_core::crypto::AccountId32, sp_crypto_hashing::blake2_256};
use serde_json::{json, Value};
use std::path::PathBuf;
use tos_sdk::task_type;
use tos_sdk::{
    amount,
    chain::{Call, Parameter, TypeProfile, PARAMETER_NAMES},
    error::{Error, Result},
    keys::parse_account,
};
use tos_types::{content::content_hash, json::to_hex, TaskType};
use tos_views::ParametersView;

/// See `tos governance --help`.
#[derive(clap::Subcommand)]
pub enum Governance {
    /// Set the rules of a task type, with the tool that automatic judges run.
    SetType {
        /// The task type, such as code-analysis.
        #[arg(value_parser = task_type::parse)]
        task_type: TaskType,
        /// The tool to pin: a single file. Without it, tasks of the type are checked by no tool.
        #[arg(long, value_name = "FILE")]
        tool: Option<PathBuf>,
        /// Equal answers may all earn, because the right answer is the same for everyone.
        #[arg(long)]
        equal_answers: bool,
        #[command(flatten)]
        how: How,
    },
    /// Show the parameters of the protocol as they are now.
    Parameters,
    /// Set a parameter of the protocol.
    SetParameter {
        /// The parameter, such as tasks.slashes or fees.least-multiplier.
        #[arg(value_parser = PossibleValuesParser::new(PARAMETER_NAMES))]
        name: String,
        /// Its new value: a number, or JSON for a group of rules, as `tos governance parameters
        /// --json` shows it; an amount is in wei, or such as `0.5 TOS`. Without one, what a network is
        /// born with.
        value: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// Approve an account for writing control answers, which check judges.
    ControlAuthor {
        /// The account.
        #[arg(value_parser = parse_account)]
        account: AccountId32,
        /// Take the approval back.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        how: How,
    },
}

/// Options of a call that only governance may make.
#[derive(clap::Args)]
pub struct How {
    /// Send it by sudo, on a network that has it. Otherwise the encoded call is printed, to be the
    /// preimage of a referendum on the parameters track.
    #[arg(long)]
    sudo: bool,
}

impl Governance {
    /// Runs the command.
    pub(crate) async fn run(self, global: &Global, output: Output) -> Result<()> {
        let (call, how) = match self {
            Self::SetType {
                task_type,
                tool,
                equal_answers,
                how,
            } => {
                let tool = tool.map(|path| {
                    std::fs::read(&path)
                        .map(|bytes| content_hash(&bytes))
                        .map_err(|error| Error::Usage(format!("{}: {error}", path.display())))
                });
                let profile = Some(TypeProfile {
                    equal_answers_allowed: equal_answers,
                    tool: tool.transpose()?,
                });
                (Call::SetTaskType { task_type, profile }, how)
            }
            Self::Parameters => {
                let parameters = global.connect().await?.best().await?.parameters().await?;
                return show(&parameters, output);
            }
            Self::SetParameter { name, value, how } => {
                let key_value = Parameter::parse(&name, value.as_deref()).map_err(Error::Usage)?;
                (Call::SetParameter { key_value }, how)
            }
            Self::ControlAuthor {
                account,
                remove,
                how,
            } => {
                let (who, approved) = (account, !remove);
                (Call::SetControlAuthor { who, approved }, how)
            }
        };
        if how.sudo {
            let call = global.connect().await?.best().await?.sudo(&call)?;
            return global.submit_and_show(call, output).await;
        }
        let encoded = global.connect().await?.best().await?.encode(&call)?;
        let (pallet, name) = call.name();
        let value = json!({
            "call": format!("{pallet}.{name}"),
            "encoded": to_hex(&encoded),
            "hash": to_hex(&blake2_256(&encoded)),
        });
        output.show(&value, || {
            format!(
                "{pallet}.{name}\npreimage  {}\nhash      {}\nNote the preimage and open a \
                 referendum on the parameters track: docs/governance.md",
                to_hex(&encoded),
                to_hex(&blake2_256(&encoded)),
            )
        });
        Ok(())
    }
}

/// Shows parameters, a group of rules by its fields.
fn show(parameters: &ParametersView, output: Output) -> Result<()> {
    let value = serde_json::to_value(parameters)
        .map_err(|error| Error::Failed(format!("parameters: {error}")))?;
    output.show(&value, || {
        let mut lines = Vec::new();
        flatten("", &value, &mut lines);
        lines.join("\n")
    });
    Ok(())
}

fn flatten(prefix: &str, value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = match prefix {
                    "" => name.clone(),
                    _ => format!("{prefix}.{name}"),
                };
                flatten(&name, field, lines);
            }
        }
        // The only texts are amounts in wei, which exceed the numbers of JSON.
        Value::String(text) => {
            let amount = text.parse().map(amount::format);
            lines.push(format!("{prefix:<36} {}", amount.as_ref().unwrap_or(text)));
        }
        other => lines.push(format!("{prefix:<36} {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_sdk::testing::views::parameters_view;
    use tos_types::{Balance, TOS};

    #[test]
    fn parameters_are_listed_with_amounts_in_tos_and_nothing_in_wei() {
        let mut parameters = parameters_view();
        parameters.difficulties.advanced.least_reward = 31 * TOS;
        parameters.difficulties.advanced.most_reward = 99 * TOS + TOS / 2;
        parameters.byte_deposit = TOS / 1_000_000;
        let value = serde_json::to_value(parameters).unwrap();
        let mut lines = Vec::new();
        flatten("", &value, &mut lines);
        let shown = |name: &str| {
            let line = lines
                .iter()
                .find(|line| line.split(' ').next() == Some(name));
            let line = line.unwrap_or_else(|| panic!("{name}: {lines:?}"));
            line.split_once(' ')
                .map(|(_, value)| value.trim().to_owned())
        };
        for (name, expected) in [
            ("difficulties.advanced.leastReward", "31 TOS"),
            ("difficulties.advanced.mostReward", "99.5 TOS"),
            ("byteDeposit", "0.000001 TOS"),
        ] {
            assert_eq!(shown(name).as_deref(), Some(expected), "{name}");
        }
        for line in &lines {
            let number = line
                .rsplit(' ')
                .next()
                .and_then(|word| word.parse::<Balance>().ok());
            assert!(
                number.is_none_or(|number| number < TOS / 1_000_000),
                "{line}"
            );
        }
        // Programs get all digits.
        let exact = &value["difficulties"]["advanced"]["mostReward"];
        assert_eq!(*exact, Value::String((99 * TOS + TOS / 2).to_string()));
    }
}
