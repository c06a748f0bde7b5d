// SPDX-License-Identifier: Apache-2.0

//! Offers whose content could not be had, kept in the store's folder: a restart changes nothing.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};
use tos_sdk::{
    error::{Context, Result},
    files,
};
use tos_types::DealId;

/// The file in the store's folder.
const FILE: &str = "declined.json";
/// Offers that are remembered; then the oldest are forgotten.
const MOST: usize = 4_096;
/// Attempts at a server for one offer.
const ATTEMPTS: u32 = 5;
/// After this many seconds a server that could not be reached is given another chance. What was the
/// wrong content once is so for ever.
const FORGIVEN_AFTER: u64 = 24 * 3_600;

/// Failure of one offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Number of attempts that failed.
    failures: u32,
    /// The content or its commitment is wrong, which no further attempt changes.
    wrong: bool,
    /// Host and port of the server.
    server: String,
    /// Message of the last one.
    why: String,
    /// Time of the last one, in seconds since 1970.
    at: u64,
}

/// See the [module](self).
pub struct Declined {
    path: PathBuf,
    deals: BTreeMap<DealId, Failure>,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map(|since| since.as_secs()).unwrap_or_default()
}

impl Declined {
    /// Failures that are remembered in `folder`. A file that cannot be read is an empty one: it
    /// saves work, and nothing depends on it.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join(FILE);
        let read = || -> Result<_> {
            let bytes = files::load(&path).context(FILE)?;
            bytes.map_or_else(
                || Ok(BTreeMap::new()),
                |bytes| serde_json::from_slice(&bytes).context(FILE),
            )
        };
        let deals = read().unwrap_or_else(|error| {
            tracing::warn!(%error, "starting without the offers declined before");
            BTreeMap::new()
        });
        Self { path, deals }
    }

    /// `true` if an offer is not to be tried any more.
    pub fn is_declined(&self, deal: DealId) -> bool {
        self.is_declined_at(deal, now())
    }

    fn is_declined_at(&self, deal: DealId, now: u64) -> bool {
        self.deals.get(&deal).is_some_and(|failure| {
            let lately = failure.at.saturating_add(FORGIVEN_AFTER) > now;
            failure.wrong || (lately && failure.failures >= ATTEMPTS)
        })
    }

    /// Number of offers that failed and that this server was to give the content of.
    pub fn failures_of(&self, server: &str) -> usize {
        let by_it = |failure: &&Failure| failure.server == server;
        self.deals.values().filter(by_it).count()
    }

    /// Notes a failure. Returns `true` if the offer is not to be tried any more.
    pub fn failed(&mut self, deal: DealId, server: &str, why: &str, wrong: bool) -> bool {
        let at = now();
        let known = self.deals.remove(&deal);
        let recent = known.filter(|known| known.at.saturating_add(FORGIVEN_AFTER) > at);
        let failures = recent.map_or(0, |known| known.failures).saturating_add(1);
        let failure = Failure {
            failures,
            wrong,
            server: server.into(),
            why: why.into(),
            at,
        };
        while self.deals.len() >= MOST {
            let oldest = self.deals.iter().min_by_key(|(_, failure)| failure.at);
            let Some(oldest) = oldest.map(|(deal, _)| *deal) else {
                break;
            };
            self.deals.remove(&oldest);
        }
        self.deals.insert(deal, failure);
        self.keep();
        self.is_declined_at(deal, at)
    }

    /// Its content was had after all.
    pub fn forget(&mut self, deal: DealId) {
        if self.deals.remove(&deal).is_some() {
            self.keep();
        }
    }

    /// Writes everything. What cannot be written now is written with the next change.
    fn keep(&self) {
        let kept = serde_json::to_vec_pretty(&self.deals)
            .context(FILE)
            .and_then(|bytes| files::replace(&self.path, &bytes).context(FILE));
        if let Err(error) = kept {
            tracing::warn!(%error, "declined offers are in memory only");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAL: DealId = DealId([1; 16]);
    const OTHER: DealId = DealId([2; 16]);

    #[test]
    fn what_failed_is_still_known_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut declined = Declined::open(folder.path());
        assert!(!declined.is_declined(DEAL));
        for _ in 1..ATTEMPTS {
            assert!(!declined.failed(DEAL, "h:1", "silent", false));
        }
        let mut declined = Declined::open(folder.path());
        assert!(!declined.is_declined(DEAL));
        assert!(declined.failed(DEAL, "h:1", "silent", false));
        assert!(declined.failed(OTHER, "h:1", "another hash", true));
        let mut declined = Declined::open(folder.path());
        assert!(declined.is_declined(DEAL) && declined.is_declined(OTHER));
        assert_eq!(declined.failures_of("h:1"), 2);
        assert_eq!(declined.failures_of("h:2"), 0);
        // A server may come back; wrong content does not become right.
        let later = now() + FORGIVEN_AFTER;
        assert!(!declined.is_declined_at(DEAL, later));
        assert!(declined.is_declined_at(OTHER, later));
        declined.forget(OTHER);
        assert!(!Declined::open(folder.path()).is_declined(OTHER));
    }

    #[test]
    fn a_damaged_file_is_an_empty_one_and_a_folder_that_takes_no_writes_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), b"{").unwrap();
        let mut declined = Declined::open(folder.path());
        assert!(declined.failed(DEAL, "h", "another hash", true));
        // A file where the folder should be.
        let mut declined = Declined::open(&folder.path().join(FILE));
        assert!(declined.failed(DEAL, "h", "another hash", true));
        assert!(declined.is_declined(DEAL));
    }

    #[test]
    fn as_many_as_there_is_room_for_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let mut declined = Declined::open(folder.path());
        let failure = |at| Failure {
            failures: 1,
            wrong: true,
            server: "h".into(),
            why: String::new(),
            at,
        };
        for number in 0..MOST as u64 {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_le_bytes());
            declined.deals.insert(DealId(id), failure(number));
        }
        declined.failed(DealId([0xff; 16]), "h", "another hash", true);
        assert_eq!(declined.deals.len(), MOST);
        assert!(!declined.is_declined(DealId([0; 16])));
        assert!(declined.is_declined(DealId([0xff; 16])));
    }
}
