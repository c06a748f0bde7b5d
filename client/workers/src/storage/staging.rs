// SPDX-License-Identifier: Apache-2.0

//! Having the content of a deal before accepting it: then content that cannot be had, is not what
//! the deal says or does not fit costs a provider nothing.

use super::{blocking, ProgressBar, ReplicaProver};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{io::Read, sync::Arc};
use tos_replica_store::{progress::Watch, windows, StagedSpec};
use tos_sdk::{
    content::{self, Pace},
    error::{Context, Error, Result},
    http::Http,
};
use tos_types::{storage::StoredContent, DealId};
use tos_views::DealView;

/// Reason for which the content of a deal is not here.
#[derive(Debug, thiserror::Error)]
pub enum Unstaged {
    /// The deal says what is wrong and will never be right.
    #[error("{0}")]
    Wrong(Error),
    /// The server does not give it.
    #[error("{0}")]
    Server(Error),
    /// This machine cannot take it now. The deal is as good as any.
    #[error("{0}")]
    Here(Error),
    /// It was not wanted any more.
    #[error("stopped")]
    Stopped,
}

impl From<tos_replica_store::Error> for Unstaged {
    fn from(error: tos_replica_store::Error) -> Self {
        use tos_replica_store::Error as E;
        let text = Error::Failed(error.to_string());
        match &error {
            E::Content { .. } | E::Codeword | E::Size(_) => Self::Wrong(text),
            // A transfer that broke off is too short as well.
            E::Length { .. } | E::Stream(_) => Self::Server(text),
            E::Stopped(_) => Self::Stopped,
            E::Room { .. } => Self::Here(Error::Failed(format!(
                "{error}; it waits: give the disk room, or lower --keep-free"
            ))),
            _ => Self::Here(text),
        }
    }
}

/// Description of what is staged for a deal.
pub(super) fn staged_spec(deal: &DealView<AccountId32>) -> StagedSpec {
    StagedSpec {
        deal: deal.id.0,
        content: deal.content.hash,
        length: deal.content.length,
        coded: deal.coded,
    }
}

impl ReplicaProver {
    /// Keeps so many bytes of the disk free, and in addition what the windows of so many groups
    /// take: healthy replicas must be proven, no matter what else is stored.
    pub fn keep_free(&self, bytes: u64, groups: usize) {
        let windows = (self.windows_kept() as u64).saturating_mul(windows::MAX_BYTES);
        let windows = windows.saturating_mul(groups.max(1) as u64);
        self.store.keep_free(bytes.saturating_add(windows));
    }

    /// `true` if a deal's content is here.
    pub fn is_staged(&self, spec: &StagedSpec) -> bool {
        self.store.is_staged(spec)
    }

    /// The deals for which something is staged, in whatever state.
    pub fn staged(&self) -> Result<Vec<DealId>> {
        let all = self.store.staged().context("store")?;
        Ok(all.into_iter().map(DealId).collect())
    }

    /// Removes what is staged for a deal.
    pub fn unstage(&self, deal: DealId) -> Result<()> {
        self.store.unstage(&deal.0).context("store")
    }

    /// Asks a job for this replica or deal to end.
    pub fn stop(&self, id: &[u8; 16]) {
        self.store.stop(id);
    }

    fn room_for(&self, spec: &StagedSpec) -> Result<(), Unstaged> {
        Ok(self.store.room_for(&spec.deal, spec.length)?)
    }

    fn stage(
        &self,
        spec: &StagedSpec,
        content: impl Read,
        watch: Watch<'_>,
    ) -> Result<(), Unstaged> {
        Ok(self.store.stage(spec, content, watch)?)
    }
}

/// As [`blocking`], for what says itself why it failed.
async fn here(
    work: impl FnOnce() -> Result<(), Unstaged> + Send + 'static,
) -> Result<(), Unstaged> {
    let done = blocking(move || Ok(work())).await;
    done.map_err(Unstaged::Here)?
}

/// Opens the server of some content.
pub(super) async fn open(
    http: &Http,
    pace: Pace,
    stored: &StoredContent,
) -> Result<content::Reader, Unstaged> {
    let locator = String::from_utf8_lossy(&stored.locator);
    let uri = content::parse_locator(&locator, Some(&stored.hash)).map_err(Unstaged::Wrong)?;
    let opened = content::open(http, uri, pace).await;
    let (length, reader) = opened.map_err(Unstaged::Server)?;
    match length {
        Some(length) if length != stored.length => {
            let expected = stored.length;
            let why = format!("the server's content has {length} bytes instead of {expected}");
            Err(Unstaged::Server(Error::Failed(why)))
        }
        _ => Ok(reader),
    }
}

/// Fetches and checks the content of a deal, if there is room to seal it.
pub(super) async fn stage(
    prover: Arc<ReplicaProver>,
    http: Http,
    pace: Pace,
    deal: DealView<AccountId32>,
) -> Result<(), Unstaged> {
    let (spec, asked) = (staged_spec(&deal), prover.clone());
    here(move || asked.room_for(&spec)).await?;
    let reader = open(&http, pace, &deal.content).await?;
    let mut bar = ProgressBar::new(deal.id.to_string());
    here(move || prover.stage(&spec, reader, &mut |progress| bar.watch(progress))).await
}
