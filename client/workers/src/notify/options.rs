// SPDX-License-Identifier: Apache-2.0

//! Options that say who is told of what.

use super::{deliver::Target, Kind, Notifier};
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::path::Path;
use tos_sdk::{
    error::{Error, Result},
    http::Http,
};

/// Most targets.
const MAX_TARGETS: usize = 16;

/// Notices to the operator.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {
    /// Run this program, by the shell, for every notice: it reads the notice as JSON. May be given
    /// more than once. See docs/configuration.md.
    #[arg(long, value_name = "COMMAND")]
    notify: Vec<String>,
    /// Send every notice to this address, as JSON. May be given more than once.
    #[arg(long, value_name = "URL")]
    notify_webhook: Vec<String>,
    /// Tell only of these, separated by commas.
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_enum)]
    notify_events: Vec<Kind>,
}

impl Options {
    /// The targets, checked.
    pub fn targets(&self) -> Result<Vec<Target>> {
        let commands = self.notify.iter().cloned().map(Target::Command);
        let mut targets: Vec<Target> = Vec::new();
        let webhooks = self.notify_webhook.iter().map(|url| Target::webhook(url));
        for target in commands.map(Ok).chain(webhooks) {
            let target = target?;
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        if targets.len() > MAX_TARGETS {
            return Err(Error::Usage(format!(
                "{} are to be told: no more than {MAX_TARGETS} can be; let one of them tell others",
                targets.len()
            )));
        }
        Ok(targets)
    }

    /// The notifier of a worker whose notices wait in `folder`; one that is off where nobody is to
    /// be told.
    pub fn notifier(&self, folder: &Path, role: &str, account: &AccountId32) -> Result<Notifier> {
        let targets = self.targets()?;
        if targets.is_empty() {
            return Ok(Notifier::default());
        }
        let path = folder.join(format!("{role}-{}.redb", account.to_ss58check()));
        Notifier::open(&path, targets, self.notify_events.clone(), role, account)
    }

    /// Sends a test notice to every target, once and now. Returns what came of each.
    pub async fn test(&self) -> Result<Vec<(String, Result<(), String>)>> {
        let http = Http::new()?;
        let notice = super::Notice::test();
        let mut all = Vec::new();
        for target in self.targets()? {
            let done = target.deliver(&http, &notice).await;
            all.push((target.name(), done));
        }
        Ok(all)
    }
}
