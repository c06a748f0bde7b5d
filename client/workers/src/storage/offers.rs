// SPDX-License-Identifier: Apache-2.0

//! Offers that a provider accepts: those that its policy wants, its bond covers, and whose content
//! it has fetched and checked and made room for before.

use super::{
    blocking,
    jobs::{Done, Job},
    model::StorageSnapshot,
    policy::{bytes, Means},
    provider::{Held, Provider},
    staging::{stage, staged_spec, Unstaged},
};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::collections::{HashMap, HashSet};
use tos_sdk::{chain::Call, content, error::Result};
use tos_types::{storage::ReplicaStatus, DealId};
use tos_views::{DealView, ProviderView};

/// Contents fetched at the same time, one from each server. More than are sealed, for fetching
/// needs little memory, and a slow server should not hold up the others.
const FETCHES: usize = 4;

/// Host and port that content is fetched from, as its locator says.
fn server(deal: &DealView<AccountId32>) -> String {
    let locator = String::from_utf8_lossy(&deal.content.locator);
    let uri = content::parse_locator(&locator, Some(&deal.content.hash)).ok();
    let authority = uri.as_ref().and_then(|uri| uri.authority());
    authority.map(ToString::to_string).unwrap_or_default()
}

impl Provider {
    /// Fetches what the policy wants, and accepts what is here.
    pub(super) async fn accept(
        &mut self,
        at: &impl StorageSnapshot,
        provider: &ProviderView,
        replicas: &[Held],
    ) -> Result<Vec<Call>> {
        let policy = self.options.accept.filter(|_| !provider.exiting);
        let mut offers = match policy {
            Some(_) => at.offers().await?,
            None => Vec::new(),
        };
        // What was lost once, by not being sealed in time, would be lost again.
        let lost: HashSet<DealId> = replicas.iter().map(|replica| replica.deal).collect();
        offers.retain(|deal| !lost.contains(&deal.id) && !self.declined.is_declined(deal.id));
        let sealing = |replica: &&Held| replica.status == ReplicaStatus::Sealing;
        let sealing = replicas.iter().filter(sealing);
        let places = self.options.sealing.saturating_sub(sealing.clone().count());
        let mut means = Means {
            free: provider.bond.saturating_sub(provider.tied),
            used: replicas
                .iter()
                .filter(|replica| !replica.status.is_over())
                .fold(0, |sum, r| sum.saturating_add(bytes(&r.coded))),
        };

        let mut wanted: HashSet<DealId> = sealing.map(|replica| replica.deal).collect();
        let mut calls = Vec::new();
        if let Some(policy) = policy {
            let (prover, me) = (self.prover.clone(), self.prover.account().clone());
            let (mut here, others) = blocking(move || {
                let is_here = |deal: &DealView<_>| prover.is_staged(&staged_spec(deal));
                Ok(offers.into_iter().partition::<Vec<_>, _>(is_here))
            })
            .await?;
            here.retain(|deal| policy.wants(deal, &me, &mut means));
            wanted.extend(here.iter().map(|deal| deal.id));
            calls.extend(
                here.iter()
                    .take(places)
                    .map(|deal| Call::AcceptDeal { deal: deal.id }),
            );
            // No more is fetched ahead than can be sealed soon.
            let more = here.len() < self.options.sealing;
            let wants = |deal: &DealView<_>| policy.wants(deal, &me, &mut means);
            wanted.extend(self.fetch(others, more, wants));
        }
        self.drop_unwanted(&wanted).await?;
        Ok(calls)
    }

    /// Starts fetching the content of offers if there may be `more`, those of servers without
    /// failures first. Returns what is being fetched and still wanted.
    fn fetch(
        &mut self,
        mut offers: Vec<DealView<AccountId32>>,
        more: bool,
        mut wants: impl FnMut(&DealView<AccountId32>) -> bool,
    ) -> Vec<DealId> {
        let running = |deal: &DealView<_>| self.jobs.is_running(Job::Stage(deal.id));
        // What is being fetched has its means already.
        let (mut wanted, mut servers) = (Vec::new(), HashSet::new());
        offers.retain(|deal| {
            if running(deal) && wants(deal) {
                wanted.push(deal.id);
                servers.insert(server(deal));
            }
            !running(deal) && !self.jobs.waits(Job::Stage(deal.id))
        });
        let mut failures = HashMap::new();
        for deal in &offers {
            let server = server(deal);
            let count = self.declined.failures_of(&server);
            failures.entry(server).or_insert(count);
        }
        offers.sort_by_cached_key(|deal| failures.get(&server(deal)).copied());
        for deal in offers {
            let places = self.jobs.running().filter(|j| matches!(j, Job::Stage(_)));
            if !more || places.count() >= FETCHES {
                break;
            }
            let server = server(&deal);
            if servers.contains(&server) || !wants(&deal) {
                continue;
            }
            let id = deal.id;
            servers.insert(server.clone());
            self.fetched_from.insert(id, server);
            wanted.push(id);
            tracing::info!(deal = %id, length = deal.content.length, "fetching an offer's content");
            let (prover, http, pace) = (self.prover.clone(), self.http.clone(), self.options.pace);
            self.jobs.start(Job::Stage(id), async move {
                Done::Staged(stage(prover, http, pace, deal).await)
            });
        }
        wanted
    }

    /// Stops fetching, and removes, what is not wanted any more.
    async fn drop_unwanted(&mut self, wanted: &HashSet<DealId>) -> Result<()> {
        for job in self.jobs.running() {
            if let Job::Stage(deal) = job {
                if !wanted.contains(&deal) {
                    self.prover.stop(&deal.0);
                }
            }
        }
        let mut unwanted = self.prover.staged()?;
        let busy = |deal: &DealId| self.jobs.is_running(Job::Stage(*deal));
        unwanted.retain(|deal| !wanted.contains(deal) && !busy(deal));
        for deal in unwanted {
            let prover = self.prover.clone();
            match blocking(move || prover.unstage(deal)).await {
                Ok(()) => tracing::info!(%deal, "not wanted any more; its content is removed"),
                Err(error) => tracing::warn!(%deal, %error, "its content stays on disk"),
            }
        }
        Ok(())
    }

    /// Takes the result of fetching.
    pub(super) fn staged(&mut self, deal: DealId, result: Result<(), Unstaged>) {
        let server = self.fetched_from.remove(&deal).unwrap_or_default();
        let job = Job::Stage(deal);
        let wrong = matches!(result, Err(Unstaged::Wrong(_)));
        match result {
            Ok(()) => {
                self.jobs.forget(job);
                self.declined.forget(deal);
                tracing::info!(%deal, "its content is here and right; ready to accept");
            }
            Err(Unstaged::Stopped) => self.jobs.forget(job),
            // The offer is as good as before; it waits until there is room.
            Err(Unstaged::Here(error)) => self.jobs.failed(job, &error),
            Err(Unstaged::Wrong(error) | Unstaged::Server(error)) => {
                let why = error.to_string();
                self.jobs.failed(job, &error);
                if self.declined.failed(deal, &server, &why, wrong) {
                    tracing::warn!(%deal, server, why, "declined");
                }
            }
        }
    }
}
