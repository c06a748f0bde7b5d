// SPDX-License-Identifier: Apache-2.0

//! Sealing what was accepted, and committing to what is sealed.

use super::{
    blocking,
    jobs::{Done, Job},
    model::StorageSnapshot,
    prover::spec,
    provider::{Held, Provider},
    staging, ProgressBar, ReplicaProver,
};
use std::sync::Arc;
use tos_sdk::{
    chain::Call,
    content::Pace,
    error::{Error, Result},
    http::Http,
};
use tos_storage_proofs::Commitment;
use tos_types::{
    storage::{ReplicaStatus, StoredContent},
    ReplicaId,
};

impl Provider {
    /// Seals what is to be sealed, and commits to what is.
    pub(super) async fn attend(
        &mut self,
        at: &impl StorageSnapshot,
        replica: &Held,
        calls: &mut Vec<Call>,
    ) -> Result<()> {
        let id = replica.id;
        match (self.prover.sealed(id), replica.status) {
            (Some(sealed), ReplicaStatus::Sealing) => {
                calls.push(Call::CommitSeal {
                    replica: id,
                    sealed,
                });
            }
            (None, ReplicaStatus::Sealing) => {
                if let Some(deal) = self.may_seal(id).then_some(replica.deal) {
                    match at.deal(deal).await? {
                        Some(deal) => self.start_sealing(replica, deal.content),
                        None => tracing::error!(replica = %id, "its deal is not on record"),
                    }
                }
            }
            (_, status) if status.is_over() => {}
            (None, _) => tracing::error!(replica = %id, "this store does not have it"),
            (Some(sealed), _) if replica.sealed.is_some_and(|on_chain| on_chain != sealed) => {
                tracing::error!(replica = %id, "sealed otherwise than the chain says");
            }
            _ => {}
        }
        Ok(())
    }

    /// `true` if a replica may be sealed now.
    fn may_seal(&self, replica: ReplicaId) -> bool {
        let sealing = |job: &Job| matches!(job, Job::Seal(_));
        let places = self.jobs.running().filter(sealing).count() < self.options.sealing;
        places && !self.jobs.waits(Job::Seal(replica))
    }

    fn start_sealing(&mut self, replica: &Held, content: StoredContent) {
        tracing::info!(replica = %replica.id, length = content.length, "sealing");
        let (prover, http, replica) = (self.prover.clone(), self.http.clone(), replica.clone());
        let pace = self.options.pace;
        self.jobs.start(Job::Seal(replica.id), async move {
            Done::Sealed(seal(prover, http, pace, &replica, &content).await)
        });
    }

    /// Ends work on replicas that do not need it any more, so that its place is free.
    pub(super) fn stop_needless(&self, replicas: &[Held]) {
        for job in self.jobs.running() {
            let (Job::Seal(id) | Job::Repair(id) | Job::Open(id)) = job else {
                continue;
            };
            let needed = replicas.iter().any(|replica| {
                let sealing = replica.status == ReplicaStatus::Sealing;
                replica.id == id
                    && match job {
                        Job::Seal(_) => sealing,
                        _ => !replica.status.is_over(),
                    }
            });
            if !needed {
                tracing::debug!(?job, "not needed any more; stopping it");
                self.prover.stop(&id.0);
            }
        }
    }
}

/// Seals a replica, and fetches its content before if it is not here. Goes on where it was
/// interrupted.
pub async fn seal(
    prover: Arc<ReplicaProver>,
    http: Http,
    pace: Pace,
    replica: &Held,
    stored: &StoredContent,
) -> Result<Commitment> {
    let mut bar = ProgressBar::new(replica.id.to_string());
    let spec = spec(replica, stored);
    if prover.has_content(&spec) {
        return blocking(move || prover.ingest(&spec, std::io::empty(), &mut |p| bar.watch(p)))
            .await;
    }
    let reader = staging::open(&http, pace, stored).await;
    let reader = reader.map_err(|error| Error::Failed(error.to_string()))?;
    blocking(move || prover.ingest(&spec, reader, &mut |p| bar.watch(p))).await
}
