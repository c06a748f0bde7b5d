// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The state after the best block.

use polkadot_sdk::*;
use std::collections::BTreeMap;

use sp_api::{ApiError, ApiExt, ProvideRuntimeApi, RuntimeApiInfo};
use sp_blockchain::HeaderBackend;
use substrate_prometheus_endpoint::{
    register, Gauge, GaugeVec, Opts, PrometheusError, Registry, F64, U64,
};
use tos_node_common::FullClient;
use tos_runtime::{opaque::Block, AccountId, Hash};
use tos_runtime_api::{BeaconApi, StorageApi, TosApi};
use tos_types::{Balance, Phase, Tick, TOS};
use tos_views::{TaskSummary, MAX_PAGE};

use super::{
    phases::{label, PHASES},
    LOG,
};

/// Pages of tasks that one reading looks at. The rest is shown as not looked at.
const PAGES: u32 = 20;

/// Wei as TOS. A gauge has 53 bits, so this is for looking at, not for accounting.
pub fn tos(wei: Balance) -> f64 {
    wei as f64 / TOS as f64
}

/// Totals over the tasks of a state.
#[derive(Default, PartialEq, Eq, Debug)]
struct TaskTotals {
    phases: BTreeMap<&'static str, u64>,
    seen: u64,
    overdue: u64,
    longest: Tick,
    escrow: Balance,
    places: u64,
}

impl TaskTotals {
    fn add(&mut self, task: &TaskSummary<AccountId>, now: Tick) {
        self.seen += 1;
        *self.phases.entry(label(task.phase)).or_default() += 1;
        if matches!(task.phase, Phase::Closed(_)) {
            return;
        }
        self.escrow = self.escrow.saturating_add(task.reward);
        self.places += u64::from(task.joined);
        let late = now.saturating_sub(task.deadline);
        if late > 0 {
            self.overdue += 1;
            self.longest = self.longest.max(late);
        }
    }
}

/// The gauges.
pub struct Gauges {
    block: Gauge<U64>,
    tick: Gauge<U64>,
    tasks: Gauge<U64>,
    uncounted: Gauge<U64>,
    phases: GaugeVec<U64>,
    overdue: Gauge<U64>,
    longest: Gauge<U64>,
    escrow: Gauge<F64>,
    places: Gauge<U64>,
    miners: Gauge<U64>,
    judges: Gauge<U64>,
    degraded: Gauge<U64>,
    storage: Storage,
    memory: Gauge<U64>,
    failures: Gauge<U64>,
}

/// The gauges of storage.
struct Storage {
    chains: Gauge<U64>,
    providers: Gauge<U64>,
    deals: Gauge<U64>,
    bytes: Gauge<F64>,
    answered: Gauge<U64>,
    missed: Gauge<U64>,
    failed: Gauge<U64>,
    slashed: Gauge<F64>,
    paid: Gauge<F64>,
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<Gauge<U64>, PrometheusError> {
    register(Gauge::new(name, help)?, registry)
}

fn amount(registry: &Registry, name: &str, help: &str) -> Result<Gauge<F64>, PrometheusError> {
    register(Gauge::new(name, help)?, registry)
}

impl Storage {
    fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name, help| gauge(registry, name, help);
        let amount = |name, help| amount(registry, name, help);
        Ok(Self {
            chains: gauge("tos_storage_chains", "Replicas that have to be proven")?,
            providers: gauge("tos_storage_providers", "Registered storage providers")?,
            deals: gauge("tos_storage_deals", "Storage deals on record")?,
            bytes: amount("tos_storage_sealed_bytes", "Sealed bytes to be proven")?,
            answered: gauge(
                "tos_storage_answered",
                "Audits and challenges ever answered",
            )?,
            missed: gauge(
                "tos_storage_missed",
                "Audits, challenges and windows ever missed",
            )?,
            failed: gauge("tos_storage_failed_replicas", "Replicas that ever failed")?,
            slashed: amount("tos_storage_slashed_tos", "TOS ever taken from providers")?,
            paid: amount("tos_storage_paid_tos", "TOS ever paid to providers")?,
        })
    }

    fn read(&self, client: &FullClient, at: Hash) -> Result<(), ApiError> {
        let stats = StorageApi::<Block, AccountId>::storage_stats(&*client.runtime_api(), at)?;
        self.chains.set(stats.total_chains.into());
        self.providers.set(stats.providers.into());
        self.deals.set(stats.deals.into());
        self.bytes.set(stats.sealed_bytes as f64);
        self.answered.set(stats.answered);
        self.missed.set(stats.missed);
        self.failed.set(stats.failed);
        self.slashed.set(tos(stats.slashed));
        self.paid.set(tos(stats.paid));
        Ok(())
    }
}

impl Gauges {
    /// Registers all of them.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name, help| gauge(registry, name, help);
        let amount = |name, help| amount(registry, name, help);
        let gauges = Self {
            block: gauge("tos_block", "The best block that was read last")?,
            tick: gauge("tos_tick", "Protocol time")?,
            tasks: gauge("tos_tasks", "Tasks on chain, closed ones included")?,
            uncounted: gauge(
                "tos_tasks_uncounted",
                "Tasks on chain whose phase was not looked at, there being too many",
            )?,
            phases: register(
                GaugeVec::new(
                    Opts::new("tos_tasks_by_phase", "Tasks on chain by phase"),
                    &["phase"],
                )?,
                registry,
            )?,
            overdue: gauge(
                "tos_tasks_overdue",
                "Tasks whose phase should be over by now",
            )?,
            longest: gauge(
                "tos_tasks_overdue_ticks",
                "Ticks that the most overdue task is late",
            )?,
            escrow: amount("tos_tasks_escrow_tos", "TOS promised by tasks not closed")?,
            places: gauge("tos_tasks_places", "Places taken in tasks not closed")?,
            miners: gauge("tos_miners", "Registered miners")?,
            judges: gauge("tos_judges", "Registered judges of answers")?,
            degraded: gauge(
                "tos_beacon_degraded",
                "1 while the beacon stands still and randomness is from VRF outputs alone",
            )?,
            storage: Storage::register(registry)?,
            memory: gauge(
                "tos_process_resident_bytes",
                "Resident memory of this process; 0 where the system does not tell",
            )?,
            failures: gauge(
                "tos_metrics_failed_reads",
                "Parts of the last reading that failed; their gauges are old",
            )?,
        };
        for phase in PHASES {
            gauges.phases.with_label_values(&[phase]).set(0);
        }
        Ok(gauges)
    }

    /// Reads the state after a block.
    pub fn read(&self, client: &FullClient, at: Hash) {
        let parts = [
            part::<dyn TosApi<Block, AccountId>>(client, at, || self.tasks(client, at)),
            part::<dyn BeaconApi<Block>>(client, at, || self.beacon(client, at)),
            part::<dyn StorageApi<Block, AccountId>>(client, at, || self.storage.read(client, at)),
        ];
        let mut failures = 0;
        for error in parts.into_iter().filter_map(Result::err) {
            failures += 1;
            log::debug!(target: LOG, "block {at:?} says nothing: {error}");
        }
        self.failures.set(failures);
        if let Ok(Some(number)) = client.number(at) {
            self.block.set(number.into());
        }
        self.memory.set(resident_bytes().unwrap_or(0));
    }

    fn beacon(&self, client: &FullClient, at: Hash) -> Result<(), ApiError> {
        let view = client.runtime_api().beacon(at)?;
        self.degraded.set(view.degraded.into());
        Ok(())
    }

    fn tasks(&self, client: &FullClient, at: Hash) -> Result<(), ApiError> {
        let api = client.runtime_api();
        let chain = TosApi::<Block, AccountId>::chain(&*api, at)?;
        self.tick.set(chain.tick.into());
        self.tasks.set(chain.tasks.into());
        self.miners.set(chain.miners.into());
        self.judges.set(chain.judges.into());

        let mut totals = TaskTotals::default();
        let mut after = None;
        for _ in 0..PAGES {
            let page: Vec<TaskSummary<AccountId>> = api.tasks(at, after, MAX_PAGE)?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            for task in &page {
                totals.add(task, chain.tick);
            }
        }
        self.totals(&totals, chain.tasks.into());
        Ok(())
    }

    fn totals(&self, totals: &TaskTotals, tasks: u64) {
        for phase in PHASES {
            let count = totals.phases.get(phase).copied().unwrap_or(0);
            self.phases.with_label_values(&[phase]).set(count);
        }
        self.uncounted.set(tasks.saturating_sub(totals.seen));
        self.overdue.set(totals.overdue);
        self.longest.set(totals.longest.into());
        self.escrow.set(tos(totals.escrow));
        self.places.set(totals.places);
    }
}

/// Reads what the API `A` tells; a chain without it has nothing to show.
fn part<A: RuntimeApiInfo + ?Sized>(
    client: &FullClient,
    at: Hash,
    read: impl FnOnce() -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    match client.runtime_api().api_version::<A>(at)? {
        Some(_) => read(),
        None => Ok(()),
    }
}

/// Resident memory of this process, where there is `/proc`.
fn resident_bytes() -> Option<u64> {
    resident_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn resident_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::{Closure, Difficulty, TaskId, TaskType};

    fn task(phase: Phase, deadline: Tick) -> TaskSummary<AccountId> {
        TaskSummary {
            id: TaskId([1; 16]),
            publisher: AccountId::new([2; 32]),
            task_type: TaskType::General,
            difficulty: Difficulty::Beginner,
            reward: 10 * TOS,
            min_quality: 1,
            max_participants: 4,
            joined: 2,
            committed: 1,
            revealed: 0,
            phase,
            round: 0,
            opened: 0,
            open_until: 5,
            deadline,
        }
    }

    #[test]
    fn a_task_is_overdue_from_the_tick_after_its_deadline_and_never_once_closed() {
        let mut totals = TaskTotals::default();
        totals.add(&task(Phase::Open, 7), 7);
        assert_eq!((totals.overdue, totals.longest), (0, 0));
        totals.add(&task(Phase::VoteCommit, 3), 7);
        totals.add(&task(Phase::VoteReveal, 6), 7);
        totals.add(&task(Phase::Closed(Closure::Settled), 1), 7);
        assert_eq!((totals.overdue, totals.longest), (2, 4));
        assert_eq!((totals.seen, totals.places), (4, 6));
        assert_eq!(totals.escrow, 30 * TOS);
        assert_eq!(totals.phases.get("closed"), Some(&1));
    }

    #[test]
    fn tasks_beyond_the_last_page_show_as_uncounted() {
        let gauges = Gauges::register(&Registry::new()).expect("registers");
        let mut totals = TaskTotals::default();
        totals.add(&task(Phase::Challenge, 9), 7);
        gauges.totals(&totals, 5);
        assert_eq!(gauges.uncounted.get(), 4);
        let challenged = gauges.phases.with_label_values(&["challenge"]);
        assert_eq!(challenged.get(), 1);
        // A phase that no task is in any more falls back to nothing.
        gauges.totals(&TaskTotals::default(), 0);
        assert_eq!((challenged.get(), gauges.uncounted.get()), (0, 0));
    }

    #[test]
    fn resident_memory_is_read_in_bytes() {
        assert_eq!(
            resident_in("VmPeak:\t 9 kB\nVmRSS:\t  2048 kB\nThreads:\t1\n"),
            Some(2_097_152)
        );
        assert_eq!(resident_in("VmRSS:\t lots\n"), None);
        assert_eq!(resident_in(""), None);
    }

    #[test]
    fn wei_are_shown_as_tos() {
        assert_eq!(tos(TOS / 2), 0.5);
    }
}
