// SPDX-License-Identifier: Apache-2.0

//! `tos notify`.

use crate::output::Output;
use tos_sdk::error::{Error, Result};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use serde_json::json;
use tos_workers::notify::{Kind, Settings};

/// Kinds of notices, with their descriptions for the help.
const KINDS: [(Kind, &str); 11] = [
    (
        Kind::Due,
        "Something is due: an answer, a vote, or the reveal of one",
    ),
    (
        Kind::Deadline,
        "Something is due very soon and has not been done",
    ),
    (Kind::Verdict, "A task the worker had a part in is decided"),
    (Kind::Reward, "A reward can be claimed"),
    (Kind::Loss, "Stake was lost"),
    (
        Kind::Broken,
        "The solver, the judge or a tool gives no result",
    ),
    (Kind::Working, "The program that gave no result works again"),
    (
        Kind::Warning,
        "Something the operator should do something about",
    ),
    (Kind::NodeLost, "The node does not answer"),
    (Kind::NodeBack, "The node answers again"),
    (Kind::Test, "A test, by `tos notify test`"),
];

/// Parser of a kind of notices, by its name.
fn kind() -> impl TypedValueParser<Value = Kind> {
    let value = |(kind, about): (Kind, &'static str)| PossibleValue::new(kind.name()).help(about);
    PossibleValuesParser::new(KINDS.map(value)).try_map(|name| {
        let known = KINDS.iter().find(|(kind, _)| kind.name() == name);
        known.map(|(kind, _)| *kind).ok_or("no kind of notices")
    })
}

/// Notices to the operator.
#[derive(clap::Args)]
pub struct Options {
    /// Run this program, by the shell, for every notice: it reads the notice as JSON. May be given
    /// more than once. See docs/configuration.md.
    #[arg(long, value_name = "COMMAND")]
    notify: Vec<String>,
    /// Send every notice to this address, as JSON. May be given more than once.
    #[arg(long, value_name = "URL")]
    notify_webhook: Vec<String>,
    /// Tell only of these, separated by commas.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = kind())]
    notify_events: Vec<Kind>,
}

impl Options {
    /// The settings of the notifier.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            commands: self.notify.clone(),
            webhooks: self.notify_webhook.clone(),
            kinds: self.notify_events.clone(),
        }
    }
}

/// See `tos notify --help`.
#[derive(clap::Subcommand)]
pub enum Notify {
    /// Send a test notice to everything that workers would tell.
    Test(Options),
}

impl Notify {
    /// Runs the command.
    pub(super) async fn run(self, output: Output) -> Result<()> {
        let Self::Test(options) = self;
        let told = options.settings().test().await?;
        if told.is_empty() {
            return Err(Error::Usage(
                "no target of notices: say --notify or --notify-webhook, or [notify] in tos.toml"
                    .into(),
            ));
        }
        let mut failed = 0;
        for (target, done) in &told {
            let error = done.as_ref().err();
            failed += usize::from(error.is_some());
            output.show(&json!({"target": target, "error": error}), || match error {
                None => format!("{target}: delivered"),
                Some(error) => format!("{target}: not delivered: {error}"),
            });
        }
        match failed {
            0 => Ok(()),
            failed => Err(Error::Failed(format!(
                "{failed} of {} were not told",
                told.len()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn kinds_are_told_by_their_names() {
        let line = "x --notify tell --notify-events loss,node-lost --notify-events test";
        let settings = Line::parse_from(line.split(' ')).options.settings();
        assert_eq!(settings.commands, ["tell"]);
        assert_eq!(settings.kinds, [Kind::Loss, Kind::NodeLost, Kind::Test]);
        for (kind, _) in KINDS {
            let line = ["x", "--notify-events", kind.name()];
            assert_eq!(Line::parse_from(line).options.settings().kinds, [kind]);
        }
        assert!(Line::try_parse_from(["x", "--notify-events", "none"]).is_err());
    }
}
