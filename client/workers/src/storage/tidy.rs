// SPDX-License-Identifier: Apache-2.0

//! Gives back the disk of replicas that are over.
//!
//! A deleted replica cannot be had again: sealing takes hours, and the content may be gone. So a
//! replica leaves the store on evidence only, never because a node does not know it. A node that is
//! synchronising or was restored knows nothing of what was accepted since. Evidence is, in a block
//! that is final,
//!
//! * the replica's own record, which says that it is over; or
//! * no record, where an earlier final block had one: it was pruned after its end. Which replicas
//!   were on record, and from which block on, is kept in `seen.json` in the store's folder.
//!
//! And then it goes to the trash, where it lies for some days, or until windows need the room, for
//! those cost what others have at stake. If the chain has it after all, it is taken back from there by
//! itself.

use super::{blocking, model::StorageSnapshot, prover::ReplicaProver};
use polkadot_sdk::sp_core::crypto::AccountId32;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tos_replica_store::Discarded;
use tos_sdk::{
    error::{Context, Result},
    files,
};
use tos_types::ReplicaId;
use tos_views::ReplicaView;

/// Time that something lies in the trash unless the operator says otherwise.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A replica, and the first final block in which it was seen on record.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sighting {
    replica: ReplicaId,
    block: u64,
}

/// See the [module](self).
pub(super) struct Tidy {
    prover: Arc<ReplicaProver>,
    kept: Duration,
    seen: BTreeMap<ReplicaId, u64>,
    /// Replicas that are kept although no block has them; the log was told.
    unknown: HashSet<ReplicaId>,
    /// `true` once the log was told that it fails.
    failing: bool,
    /// `true` if the oldest in the trash has to make room.
    pressed: bool,
}

impl Tidy {
    pub fn new(prover: Arc<ReplicaProver>) -> Self {
        let seen = read(&file(&prover)).unwrap_or_else(|error| {
            // Nothing is deleted for want of it: what is on record is seen again.
            tracing::warn!(%error, "begun anew");
            BTreeMap::new()
        });
        Self {
            prover,
            kept: KEPT,
            seen,
            unknown: HashSet::new(),
            failing: false,
            pressed: false,
        }
    }

    /// Has the next run free the space of the oldest in the trash, however short it lay there.
    pub fn make_room(&mut self) {
        self.pressed = true;
    }

    /// Sets the time that something lies in the trash.
    pub fn keep(&mut self, time: Duration) {
        self.kept = time;
    }

    /// Does what there is to do. `best` is what the best block has of the account; what is busy
    /// stays where it is. A failure is logged, once: it can wait, unlike all else a provider does.
    pub async fn run(
        &mut self,
        best: &[ReplicaView<AccountId32>],
        finalised: &impl StorageSnapshot,
        busy: impl Fn(ReplicaId) -> bool,
    ) {
        match self.try_run(best, finalised, busy).await {
            Ok(()) => self.failing = false,
            Err(error) if !self.failing => {
                tracing::error!(%error, "what is over keeps its space for now");
                self.failing = true;
            }
            Err(_) => {}
        }
    }

    async fn try_run(
        &mut self,
        best: &[ReplicaView<AccountId32>],
        finalised: &impl StorageSnapshot,
        busy: impl Fn(ReplicaId) -> bool,
    ) -> Result<()> {
        let live: HashSet<_> = best
            .iter()
            .filter(|replica| !replica.status.is_over())
            .map(|replica| replica.id)
            .collect();
        self.restore(&live).await?;
        // On a full disk the one may fail for want of what the other frees.
        let given_up = self.give_up(&live, finalised, busy).await;
        self.purge(&live).await?;
        given_up
    }

    /// Puts what is over into the trash, and remembers what is on record.
    async fn give_up(
        &mut self,
        live: &HashSet<ReplicaId>,
        finalised: &impl StorageSnapshot,
        busy: impl Fn(ReplicaId) -> bool,
    ) -> Result<()> {
        let held = self.prover.replicas()?;
        let mut seen = self.seen.clone();
        seen.retain(|id, _| held.contains(id));
        for id in held {
            let goes = !live.contains(&id) && !busy(id);
            if !goes && seen.contains_key(&id) {
                continue;
            }
            let status = finalised.replica(id).await?.map(|record| record.status);
            if status.is_some() {
                seen.entry(id).or_insert(finalised.number());
            }
            let over = match status {
                Some(status) => status.is_over(),
                // At this block or later it was pruned; before, it was not accepted yet.
                None => seen
                    .get(&id)
                    .is_some_and(|first| *first <= finalised.number()),
            };
            match (goes, over) {
                (true, true) => {
                    self.discard(id).await?;
                    seen.remove(&id);
                }
                (true, false) if status.is_none() && self.unknown.insert(id) => {
                    tracing::warn!(replica = %id, "the chain has no record of it in a final block; \
                        kept, because it was not seen to end");
                }
                _ => {}
            }
        }
        if seen != self.seen {
            write(file(&self.prover), &seen).await?;
            self.seen = seen;
        }
        Ok(())
    }

    /// Takes back what lives and lies in the trash.
    async fn restore(&mut self, live: &HashSet<ReplicaId>) -> Result<()> {
        let mut trash = self.prover.trash()?;
        // The newest of several; the others stay there.
        trash.reverse();
        for entry in trash {
            let id = ReplicaId(entry.replica);
            if !live.contains(&id) || self.prover.replicas()?.contains(&id) {
                continue;
            }
            let prover = self.prover.clone();
            match blocking(move || prover.restore(&entry)).await {
                Ok(()) => {
                    tracing::warn!(replica = %id, "the chain has it: taken back from the trash")
                }
                Err(error) => tracing::error!(replica = %id, %error, "it stays in the trash"),
            }
        }
        Ok(())
    }

    async fn discard(&self, id: ReplicaId) -> Result<()> {
        let prover = self.prover.clone();
        blocking(move || prover.discard(id, now())).await?;
        let days = self.kept.as_secs() / (24 * 3_600);
        tracing::info!(replica = %id, days, "over; in the trash");
        Ok(())
    }

    /// Frees the space of what lay in the trash for long enough.
    async fn purge(&mut self, live: &HashSet<ReplicaId>) -> Result<()> {
        for entry in self.prover.trash()? {
            let id = ReplicaId(entry.replica);
            if live.contains(&id) || (age(&entry) < self.kept && !self.pressed) {
                continue;
            }
            self.pressed = false;
            let prover = self.prover.clone();
            blocking(move || prover.purge(&entry)).await?;
            tracing::info!(replica = %id, "removed from the trash for good");
        }
        self.pressed = false;
        Ok(())
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// Time that something has been in the trash.
pub fn age(entry: &Discarded) -> Duration {
    Duration::from_secs(now().saturating_sub(entry.since))
}

fn file(prover: &ReplicaProver) -> PathBuf {
    prover.folder().join("seen.json")
}

fn read(path: &std::path::Path) -> Result<BTreeMap<ReplicaId, u64>> {
    let doing = format!("reading {}", path.display());
    let Some(bytes) = files::load(path).context(&doing)? else {
        return Ok(BTreeMap::new());
    };
    let all: Vec<Sighting> = serde_json::from_slice(&bytes).context(&doing)?;
    Ok(all.into_iter().map(|s| (s.replica, s.block)).collect())
}

async fn write(path: PathBuf, seen: &BTreeMap<ReplicaId, u64>) -> Result<()> {
    let all: Vec<_> = seen
        .iter()
        .map(|(replica, block)| Sighting {
            replica: *replica,
            block: *block,
        })
        .collect();
    let bytes = serde_json::to_vec(&all).context("seen.json")?;
    blocking(move || {
        files::replace(&path, &bytes).context(format_args!("writing {}", path.display()))
    })
    .await
}
