// SPDX-License-Identifier: Apache-2.0

//! `tos notify`.

use crate::output::Output;
use tos_sdk::error::{Error, Result};

use serde_json::json;
use tos_workers::notify::Options;

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
        let told = options.test().await?;
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
