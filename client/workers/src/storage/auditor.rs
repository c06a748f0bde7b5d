// SPDX-License-Identifier: Apache-2.0

//! The committee member: fetches the committee proofs of its groups from their providers, verifies
//! them against the sealed roots on chain, measures, attests, and challenges what is bad.

use super::{
    model::{StorageChain, StorageSnapshot},
    remote::Remote,
};
use crate::{
    job_pool::JobPool,
    tasks::{CallBackoff, Role, StepReport},
};
use futures::StreamExt;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};
use tokio::time::timeout_at;
use tos_sdk::{
    chain::Call,
    content::Pace,
    error::{Context, Error, Result},
    http::Http,
};
use tos_storage_proofs::{
    aggregate, proof::max_proof_len, replica_seed, response_digest, verify_words, Commitment, Hash,
    COMMITTEE_WORDS,
};
use tos_types::{
    storage::{GroupId, Window},
    ReplicaId,
};
use tos_views::CommitteeDutyView;

/// Proofs fetched from one provider at the same time.
const AT_ONCE: usize = 8;
/// Latency of a provider that answers nothing: the limit of the score and more.
const UNREACHABLE_MS: u32 = 10_000;

/// Settings of an auditor.
#[derive(Clone, Copy, Debug)]
pub struct AuditorOptions {
    /// Time one proof may take.
    pub time: Duration,
    /// Challenge what is bad, under a bond each.
    pub challenge: bool,
    /// Most challenges opened in this run.
    pub max_challenges: u32,
}

/// A group to check in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The window.
    pub window: Window,
    /// Its seed.
    pub seed: Hash,
    /// The group.
    pub group: GroupId,
    /// Address at which its provider serves.
    pub locator: String,
    /// The root it handed in.
    pub root: Hash,
    /// Place in the group, replica and sealed commitment of all that had to be proven, in order.
    pub members: Vec<(u32, ReplicaId, Commitment)>,
}

/// Result of checking one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Median of the time that a proof took.
    pub latency_ms: u32,
    /// Replicas whose proof is missing or wrong, or is not what the submitted root says.
    pub bad: Vec<ReplicaId>,
    /// Proofs that were checked.
    pub checked: usize,
}

/// The worker of a committee member.
pub struct Auditor {
    options: AuditorOptions,
    http: Http,
    jobs: JobPool<(Window, GroupId), (), Findings>,
    found: HashMap<(Window, GroupId), Findings>,
    challenged: HashSet<(Window, ReplicaId)>,
    checked: u64,
    backoff: CallBackoff,
}

impl Auditor {
    /// An auditor.
    pub fn new(options: AuditorOptions, http: Http) -> Self {
        Self {
            options,
            http,
            jobs: JobPool::default(),
            found: HashMap::new(),
            challenged: HashSet::new(),
            checked: 0,
            backoff: CallBackoff::default(),
        }
    }

    /// Calls about a group that has been checked.
    fn report(&mut self, (window, group): (Window, GroupId), findings: &Findings) -> Vec<Call> {
        let mut calls = vec![Call::Attest {
            window,
            group,
            latency_ms: findings.latency_ms,
            bad: u32::try_from(findings.bad.len()).unwrap_or(u32::MAX),
        }];
        for replica in &findings.bad {
            let wanted = self.options.challenge
                && (self.challenged.len() as u64) < u64::from(self.options.max_challenges);
            if wanted && self.challenged.insert((window, *replica)) {
                let replica = *replica;
                calls.push(Call::ChallengeWindow { replica, window });
            }
        }
        calls
    }
}

/// The duty of a committee member, once the provider has handed in a root. Without one the whole
/// group misses the window anyway.
async fn duty(
    at: &impl StorageSnapshot,
    view: &CommitteeDutyView<AccountId32>,
) -> Result<Option<Duty>> {
    let (window, group) = (at.window().await?, at.group(view.group).await?);
    let (Some(seed), Some(group)) = (window.seed, group) else {
        return Ok(None);
    };
    let (Some(root), true) = (group.root, window.number == view.window) else {
        return Ok(None);
    };
    let members = group
        .members
        .iter()
        .filter(|member| member.due)
        .map(|member| {
            let (root, words) = (member.sealed_root, member.words);
            (member.place, member.replica, Commitment { root, words })
        });
    Ok(Some(Duty {
        window: view.window,
        seed: seed.0,
        group: view.group,
        locator: String::from_utf8_lossy(&view.locator).into_owned(),
        root: root.0,
        members: members.collect(),
    }))
}

/// Fetches and checks everything about one group. All proofs together may take as long as one and
/// what their bytes take at the least rate: a provider that answers nothing does not hold this up
/// for the time limit of each.
pub async fn check(http: &Http, duty: &Duty, time: Duration) -> Findings {
    check_at(Pace::default().rate, http, duty, time).await
}

async fn check_at(rate: u64, http: &Http, duty: &Duty, time: Duration) -> Findings {
    let remote = match Remote::new(http.clone(), &duty.locator) {
        Ok(remote) => remote,
        Err(error) => {
            tracing::warn!(group = duty.group, %error, "the provider's address");
            return Findings {
                latency_ms: UNREACHABLE_MS,
                bad: duty.members.iter().map(|(_, id, _)| *id).collect(),
                checked: 0,
            };
        }
    };
    let bytes = (duty.members.len() as u64).saturating_mul(max_proof_len(COMMITTEE_WORDS) as u64);
    let pace = Pace {
        silence: time,
        rate,
    };
    let end = tokio::time::Instant::now() + time + pace.time(bytes);
    let proofs = futures::stream::iter(duty.members.clone()).map(|(place, id, sealed)| {
        let (remote, window, seed) = (remote.clone(), duty.window, duty.seed);
        async move {
            let from = Instant::now();
            let proof = match timeout_at(end, remote.proof(id, window, time)).await {
                Ok(proof) => proof,
                Err(_) => Err(Error::TimedOut("the proofs of the group".into())),
            };
            let took = u32::try_from(from.elapsed().as_millis()).unwrap_or(UNREACHABLE_MS);
            let seed = replica_seed(&seed, &id.0, &sealed.root);
            let checked = proof.and_then(|proof| {
                verify_words(&sealed, &seed, COMMITTEE_WORDS, &proof)
                    .map(|()| response_digest(&proof))
                    .context("bad proof")
            });
            if let Err(error) = &checked {
                tracing::warn!(replica = %id, window, %error, "not proven");
            }
            (
                place,
                id,
                sealed.root,
                checked.ok(),
                took.min(UNREACHABLE_MS),
            )
        }
    });
    let answers: Vec<_> = proofs.buffered(AT_ONCE).collect().await;
    let mut times: Vec<u32> = answers
        .iter()
        .map(|(.., digest, took)| {
            if digest.is_some() {
                *took
            } else {
                UNREACHABLE_MS
            }
        })
        .collect();
    let mut bad: Vec<_> = answers
        .iter()
        .filter(|(.., digest, _)| digest.is_none())
        .map(|(_, id, ..)| *id)
        .collect();
    if bad.is_empty() {
        let digests = answers
            .iter()
            .map(|(place, id, root, digest, _)| (*place, *id, *root, digest.unwrap_or_default()));
        let previous = remote.previous_leaves(duty.window, duty.group, time).await;
        bad = unlike_root(duty.window, &duty.root, digests.collect(), previous);
    }
    Findings {
        latency_ms: median(&mut times),
        bad,
        checked: answers.len(),
    }
}

/// The replicas to ask about when all proofs are right: none if the leaves they make have the root
/// that was submitted, otherwise those whose leaf is in doubt.
fn unlike_root(
    window: u64,
    root: &Hash,
    members: Vec<(u32, ReplicaId, Hash, Hash)>,
    previous: Result<Vec<(u32, Hash)>>,
) -> Vec<ReplicaId> {
    let previous: HashMap<u32, Hash> = match previous {
        Ok(previous) => previous.into_iter().collect(),
        Err(error) => {
            tracing::warn!(window, %error, "no leaves");
            HashMap::new()
        }
    };
    let leaves: Vec<_> = members
        .iter()
        .map(|(place, id, sealed, digest)| {
            let previous = previous.get(place).copied().unwrap_or_default();
            (
                *place,
                aggregate::leaf(&id.0, window, sealed, digest, &previous),
            )
        })
        .collect();
    if aggregate::group_root(&leaves).is_ok_and(|made| made == *root) {
        return Vec::new();
    }
    // Which leaf differs cannot be seen from a root; opening any one shows the submitted path.
    members.first().map(|(_, id, ..)| *id).into_iter().collect()
}

/// The median, the higher of two middles; nothing measured is no delay.
fn median(times: &mut [u32]) -> u32 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

impl<C: StorageChain> Role<C> for Auditor {
    const INCLUSION_TIME: Duration = Duration::from_secs(10);

    async fn step(&mut self, chain: &C) -> Result<StepReport> {
        self.backoff.next_step();
        let at = chain.best().await?;
        let duties = at.duties().await?;
        let known = |key: &(Window, GroupId)| duties.iter().any(|d| (d.window, d.group) == *key);
        self.found.retain(|key, _| known(key));
        // What can no longer be attested need not be fetched.
        for stopped in self.jobs.stop_unless(|key| known(&key)) {
            let (window, group) = stopped.key;
            tracing::warn!(window, group, "not checked in time");
        }
        let mut calls = Vec::new();
        for view in duties.iter().filter(|duty| !duty.done) {
            let key = (view.window, view.group);
            if let Some(findings) = self.found.get(&key).cloned() {
                calls.extend(self.report(key, &findings));
            } else if !self.jobs.is_running(key) {
                if let Some(duty) = duty(&at, view).await? {
                    let (http, time) = (self.http.clone(), self.options.time);
                    let check = async move { check(&http, &duty, time).await };
                    self.jobs.start(key, (), check);
                }
            }
        }
        let sent = self.backoff.submit(chain, calls).await?.len();
        Ok(StepReport {
            sent,
            jobs: self.jobs.len(),
            open: self.jobs.len().max(sent),
            handled: self.checked,
        })
    }

    async fn finish_job(&mut self) -> Result<()> {
        let ((window, group), findings) = self.jobs.finish().await;
        let findings = findings?;
        self.checked += 1;
        tracing::info!(
            window,
            group,
            replicas = findings.checked,
            bad = findings.bad.len(),
            latency_ms = findings.latency_ms,
            "checked"
        );
        self.found.insert((window, group), findings);
        Ok(())
    }

    fn gave_up(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_not_moved_by_one_slow_answer() {
        assert_eq!(median(&mut [30, 10, 10_000, 20, 15]), 20);
        assert_eq!((median(&mut []), median(&mut [7])), (0, 7));
    }

    #[test]
    fn a_root_over_other_leaves_is_noticed() {
        let (first, second) = (ReplicaId([1; 16]), ReplicaId([2; 16]));
        let members = vec![(0, first, [3; 32], [4; 32]), (2, second, [5; 32], [6; 32])];
        let leaf = |id: ReplicaId, sealed, digest, previous| {
            aggregate::leaf(&id.0, 9, sealed, digest, previous)
        };
        let leaves = [
            (0, leaf(first, &[3; 32], &[4; 32], &[7; 32])),
            (2, leaf(second, &[5; 32], &[6; 32], &[0; 32])),
        ];
        let root = aggregate::group_root(&leaves).unwrap();
        let previous = || Ok(vec![(0, [7; 32])]);
        assert!(unlike_root(9, &root, members.clone(), previous()).is_empty());
        assert_eq!(unlike_root(8, &root, members.clone(), previous()), [first]);
        let none = Err(Error::Failed("no".into()));
        assert_eq!(unlike_root(9, &root, members, none), [first]);
    }

    /// A provider's server that takes connections and says nothing.
    async fn tarpit() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
            }
        });
        base
    }

    #[tokio::test]
    async fn a_silent_provider_of_many_replicas_takes_no_more_time_than_their_proofs_would() {
        let member = |place: u32| {
            let (root, words) = ([1; 32], 1 << 20);
            let sealed = Commitment { root, words };
            (place, ReplicaId([1; 16]), sealed)
        };
        let duty = Duty {
            window: 1,
            seed: [1; 32],
            group: 1,
            locator: tarpit().await,
            root: [0; 32],
            members: (0..800).map(member).collect(),
        };
        let (time, fast, from) = (Duration::from_millis(200), 1 << 40, Instant::now());
        let findings = check_at(fast, &Http::new().unwrap(), &duty, time).await;
        assert_eq!(findings.bad.len(), 800);
        assert_eq!(findings.latency_ms, UNREACHABLE_MS);
        // Eight at a time, 200 milliseconds each, would take 20 seconds.
        assert!(from.elapsed() < Duration::from_secs(10));
    }
}
