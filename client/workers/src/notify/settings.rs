// SPDX-License-Identifier: Apache-2.0

//! Settings of notices: their targets, and the kinds that are told.

use super::{deliver::Target, Kind, Notifier};
use crate::tasks::existing_program;
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use std::path::Path;
use tos_sdk::{
    error::{Error, Result},
    http::Http,
};

/// Most targets.
const MAX_TARGETS: usize = 16;

/// Targets of notices, and the kinds that they are told.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Programs, run by the shell for every notice.
    pub commands: Vec<String>,
    /// URLs that every notice is sent to.
    pub webhooks: Vec<String>,
    /// Kinds to tell; all when empty.
    pub kinds: Vec<Kind>,
}

impl Settings {
    /// The targets, checked.
    ///
    /// # Errors
    /// [`Error::Usage`] if there are more than 16, a program is not there, or a URL is none that HTTP reaches.
    pub fn targets(&self) -> Result<Vec<Target>> {
        let existing = |command| existing_program("--notify", command).map(Target::Command);
        let commands = self.commands.iter().cloned().map(existing);
        let mut targets: Vec<Target> = Vec::new();
        let webhooks = self.webhooks.iter().map(|url| Target::webhook(url));
        for target in commands.chain(webhooks) {
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

    /// The notifier of a worker whose notices wait in `folder`; one that is off without targets.
    pub fn notifier(self, folder: &Path, role: &str, account: &AccountId32) -> Result<Notifier> {
        let targets = self.targets()?;
        if targets.is_empty() {
            return Ok(Notifier::default());
        }
        let path = folder.join(format!("{role}-{}.redb", account.to_ss58check()));
        Notifier::open(&path, targets, self.kinds, role, account)
    }

    /// Sends a test notice to every target, once and now. Returns the outcome of each.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_no_target() {
        let settings = |command: &str| Settings {
            commands: vec![command.into()],
            ..Settings::default()
        };
        let error = settings("/no/such/program").targets().unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error
            .to_string()
            .starts_with("--notify: /no/such/program: "));
        assert_eq!(settings("cat").targets().unwrap().len(), 1);
    }
}
