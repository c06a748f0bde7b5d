// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Counters of events in final blocks since the node started.

use polkadot_sdk::*;
use std::collections::BTreeMap;

use pallet_tasks::SlashReason;
use substrate_prometheus_endpoint::{
    exponential_buckets, prometheus::core::Atomic, register, Counter, CounterVec, Gauge, Histogram,
    HistogramOpts, HistogramVec, Opts, PrometheusError, Registry, F64, U64,
};
use tos_runtime::{AccountId, BlockNumber, Runtime, RuntimeEvent};
use tos_types::{Balance, Closure, TaskId};
use tos_views::TimelineEntry;

use super::{
    gauges::tos,
    phases::{Spans, PHASES},
};

/// A miner is active for this many blocks after it committed an answer: a day of two-second blocks.
const ACTIVE: BlockNumber = 43_200;
/// Miners that are remembered at most.
const MINERS: usize = 100_000;
/// Miners are forgotten in every so many blocks.
const SWEEP: BlockNumber = 32;

/// Reasons of slashes: those of tasks first, then seats in panels and storage.
const REASONS: [&str; 9] = [
    "no_show",
    "non_reveal",
    "low_quality",
    "malformed",
    "unavailable",
    "plagiarised",
    "challenge_rejected",
    "vote",
    "storage",
];

fn reason(reason: SlashReason) -> &'static str {
    match reason {
        SlashReason::NoShow => "no_show",
        SlashReason::NonReveal => "non_reveal",
        SlashReason::LowQuality => "low_quality",
        SlashReason::Malformed => "malformed",
        SlashReason::Unavailable => "unavailable",
        SlashReason::Plagiarised => "plagiarised",
        SlashReason::ChallengeRejected => "challenge_rejected",
    }
}

fn closure(closure: Closure) -> &'static str {
    match closure {
        Closure::Settled => "settled",
        Closure::Cancelled => "cancelled",
        Closure::Expired => "expired",
        Closure::Unresolved => "unresolved",
    }
}

/// The counters.
pub struct Counts {
    published: Counter<U64>,
    closed: CounterVec<U64>,
    answers: CounterVec<U64>,
    duplicates: Counter<U64>,
    votes: CounterVec<U64>,
    panels: Counter<U64>,
    challenges: CounterVec<U64>,
    reports_differ: Counter<U64>,
    slashes: CounterVec<U64>,
    slashed: CounterVec<F64>,
    slashes_failed: Counter<U64>,
    steps_failed: CounterVec<U64>,
    rewards: CounterVec<F64>,
    claimed: Counter<F64>,
    storage_challenges: CounterVec<U64>,
    groups_missed: Counter<U64>,
    voided: Counter<U64>,
    offences: Counter<U64>,
    unread: Counter<U64>,
    finalised: Gauge<U64>,
    active: Gauge<U64>,
    phase: HistogramVec,
    life: Histogram,
    judging: Histogram,
    /// The block in which a miner last committed an answer.
    miners: BTreeMap<AccountId, BlockNumber>,
}

fn count(registry: &Registry, name: &str, help: &str) -> Result<Counter<U64>, PrometheusError> {
    register(Counter::new(name, help)?, registry)
}

/// A counter with one label, whose series are there from the beginning: `increase` over a series
/// that appears with its first event would miss that event.
fn counts<P: Atomic + 'static>(
    registry: &Registry,
    (name, help): (&str, &str),
    label: &str,
    values: &[&str],
) -> Result<CounterVec<P>, PrometheusError> {
    let vector = register(CounterVec::new(Opts::new(name, help), &[label])?, registry)?;
    for value in values {
        vector.with_label_values(&[*value]);
    }
    Ok(vector)
}

fn blocks(name: &str, help: &str) -> Result<HistogramOpts, PrometheusError> {
    // 1 to 131,072 blocks: from a step of a fast network to nine days.
    Ok(HistogramOpts::new(name, help).buckets(exponential_buckets(1.0, 2.0, 18)?))
}

impl Counts {
    /// Registers all of them.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let count = |name, help| count(registry, name, help);
        let phase = HistogramVec::new(
            blocks(
                "tos_task_phase_blocks",
                "Blocks that a phase took, by task closed",
            )?,
            &["phase"],
        )?;
        for name in PHASES.iter().filter(|name| **name != "closed") {
            phase.with_label_values(&[*name]);
        }
        let life = blocks("tos_task_life_blocks", "Blocks from publication to the end")?;
        let judging = blocks(
            "tos_task_judging_blocks",
            "Blocks from the draw of the first panel to the end, disputes included",
        )?;
        Ok(Self {
            published: count("tos_tasks_published_total", "Tasks published")?,
            closed: counts(
                registry,
                ("tos_tasks_closed_total", "Tasks that ended, and how"),
                "closure",
                &["settled", "cancelled", "expired", "unresolved"],
            )?,
            answers: counts(
                registry,
                ("tos_answers_total", "Steps of miners"),
                "step",
                &["joined", "committed", "revealed"],
            )?,
            duplicates: count("tos_duplicates_total", "Answers too close to another")?,
            votes: counts(
                registry,
                ("tos_votes_total", "Steps of panel members"),
                "step",
                &["committed", "revealed"],
            )?,
            panels: count("tos_panels_total", "Panels seated")?,
            challenges: counts(
                registry,
                ("tos_challenges_total", "Challenges of results"),
                "outcome",
                &["opened", "upheld", "rejected"],
            )?,
            reports_differ: count(
                "tos_reports_differ_total",
                "Rounds whose automatic members found different things",
            )?,
            slashes: counts(
                registry,
                ("tos_slashes_total", "Slashes of the protocol"),
                "reason",
                &REASONS,
            )?,
            slashed: counts(
                registry,
                ("tos_slashed_tos_total", "TOS slashed by the protocol"),
                "reason",
                &REASONS,
            )?,
            slashes_failed: count("tos_slashes_failed_total", "Slashes that failed")?,
            steps_failed: counts(
                registry,
                (
                    "tos_steps_failed_total",
                    "Automatic steps that failed and are tried again",
                ),
                "pallet",
                &["tasks", "storage"],
            )?,
            rewards: counts(
                registry,
                ("tos_rewards_tos_total", "TOS that settlements divided"),
                "to",
                &["miners", "judges", "network", "publisher"],
            )?,
            claimed: register(
                Counter::new("tos_rewards_claimed_tos_total", "TOS claimed")?,
                registry,
            )?,
            storage_challenges: counts(
                registry,
                ("tos_storage_challenges_total", "Challenges of replicas"),
                "outcome",
                &["opened", "passed", "failed", "ended"],
            )?,
            groups_missed: count(
                "tos_storage_groups_missed_total",
                "Groups that handed in nothing for a window",
            )?,
            voided: count("tos_beacon_voided_slots_total", "False slots proven")?,
            offences: count("tos_offences_total", "Offences of block producers")?,
            unread: count(
                "tos_metrics_unread_blocks_total",
                "Final blocks whose events could not be read, and are not counted",
            )?,
            finalised: register(
                Gauge::new("tos_finalised_block", "The final block counted last")?,
                registry,
            )?,
            active: register(
                Gauge::new(
                    "tos_miners_active",
                    "Miners that committed an answer within the last 43,200 final blocks",
                )?,
                registry,
            )?,
            phase: register(phase, registry)?,
            life: register(Histogram::with_opts(life)?, registry)?,
            judging: register(Histogram::with_opts(judging)?, registry)?,
            miners: BTreeMap::new(),
        })
    }

    /// A block's events could not be read.
    pub fn unread(&self) {
        self.unread.inc();
    }

    /// All events of a block are counted.
    pub fn block(&mut self, number: BlockNumber) {
        self.finalised.set(number.into());
        if number.is_multiple_of(SWEEP) {
            let since = number.saturating_sub(ACTIVE);
            self.miners.retain(|_, last| *last >= since);
        }
        let active = u64::try_from(self.miners.len()).unwrap_or(u64::MAX);
        self.active.set(active);
    }

    /// A task closed, with this behind it.
    pub fn lifetime(&self, timeline: &[TimelineEntry]) {
        let spans = Spans::of(timeline);
        for (phase, blocks) in spans.phases {
            let histogram = self.phase.with_label_values(&[phase]);
            histogram.observe(blocks.into());
        }
        if let Some(blocks) = spans.life {
            self.life.observe(blocks.into());
        }
        if let Some(blocks) = spans.judging {
            self.judging.observe(blocks.into());
        }
    }

    /// Something happened. Returns the task that closed, if one did.
    pub fn event(&mut self, at: BlockNumber, event: &RuntimeEvent) -> Option<TaskId> {
        match event {
            RuntimeEvent::Tasks(event) => return self.task(at, event),
            RuntimeEvent::Judges(event) => self.vote(event),
            RuntimeEvent::Rewards(event) => self.reward(event),
            RuntimeEvent::Storage(event) => self.storage(event),
            RuntimeEvent::Beacon(pallet_beacon::Event::SlotVoided { .. }) => self.voided.inc(),
            RuntimeEvent::Offences(_) => self.offences.inc(),
            _ => {}
        }
        None
    }

    fn slash(&self, reason: &str, amount: Balance) {
        self.slashes.with_label_values(&[reason]).inc();
        let slashed = self.slashed.with_label_values(&[reason]);
        slashed.inc_by(tos(amount));
    }

    fn task(&mut self, at: BlockNumber, event: &pallet_tasks::Event<Runtime>) -> Option<TaskId> {
        use pallet_tasks::Event;
        let step = |step: &str| self.answers.with_label_values(&[step]).inc();
        let challenge = |outcome: &str| self.challenges.with_label_values(&[outcome]).inc();
        match event {
            Event::Published { .. } => self.published.inc(),
            Event::Joined { .. } => step("joined"),
            Event::Committed { miner, .. } => {
                step("committed");
                if self.miners.len() < MINERS || self.miners.contains_key(miner) {
                    self.miners.insert(miner.clone(), at);
                }
            }
            Event::Revealed { .. } => step("revealed"),
            Event::DuplicateFound { .. } => self.duplicates.inc(),
            Event::Challenged { .. } => challenge("opened"),
            Event::ChallengeDecided { upheld, .. } => {
                challenge(if *upheld { "upheld" } else { "rejected" });
            }
            Event::StakeSlashed {
                amount,
                reason: why,
                ..
            } => self.slash(reason(*why), *amount),
            Event::SlashFailed { .. } => self.slashes_failed.inc(),
            Event::StepFailed { .. } => self.steps_failed.with_label_values(&["tasks"]).inc(),
            Event::Closed { task, closure: how } => {
                self.closed.with_label_values(&[closure(*how)]).inc();
                return Some(*task);
            }
            _ => {}
        }
        None
    }

    fn vote(&self, event: &pallet_judges::Event<Runtime>) {
        use pallet_judges::Event;
        let step = |step: &str| self.votes.with_label_values(&[step]).inc();
        match event {
            Event::PanelSeated { .. } => self.panels.inc(),
            Event::VoteCommitted { .. } => step("committed"),
            Event::VoteRevealed { .. } => step("revealed"),
            Event::Slashed { amount, .. } => self.slash("vote", *amount),
            Event::SlashFailed { .. } => self.slashes_failed.inc(),
            Event::ReportsDiffer { .. } => self.reports_differ.inc(),
            _ => {}
        }
    }

    fn reward(&self, event: &pallet_rewards::Event<Runtime>) {
        use pallet_rewards::Event;
        match event {
            Event::Settled {
                participants,
                judges,
                network,
                refund,
                ..
            } => {
                let parts = [
                    ("miners", participants),
                    ("judges", judges),
                    ("network", network),
                    ("publisher", refund),
                ];
                for (to, amount) in parts {
                    let counter = self.rewards.with_label_values(&[to]);
                    counter.inc_by(tos(*amount));
                }
            }
            Event::Claimed { amount, .. } => self.claimed.inc_by(tos(*amount)),
            _ => {}
        }
    }

    fn storage(&self, event: &pallet_storage::Event<Runtime>) {
        use pallet_storage::Event;
        let challenge = |outcome: &str| {
            let counter = self.storage_challenges.with_label_values(&[outcome]);
            counter.inc();
        };
        match event {
            Event::ChallengeOpened { .. } => challenge("opened"),
            Event::ChallengeClosed { passed, .. } => challenge(match passed {
                Some(true) => "passed",
                Some(false) => "failed",
                None => "ended",
            }),
            Event::GroupMissed { .. } => self.groups_missed.inc(),
            Event::Slashed { amount, .. } => self.slash("storage", *amount),
            Event::StepFailed { .. } => self.steps_failed.with_label_values(&["storage"]).inc(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_types::TOS;

    fn fresh() -> Counts {
        Counts::register(&Registry::new()).expect("registers")
    }

    fn committed(miner: u8) -> RuntimeEvent {
        RuntimeEvent::Tasks(pallet_tasks::Event::Committed {
            task: TaskId([1; 16]),
            miner: AccountId::new([miner; 32]),
            commitment: Default::default(),
            number: 0,
        })
    }

    #[test]
    fn every_series_is_there_before_its_first_event() {
        let registry = Registry::new();
        Counts::register(&registry).expect("registers");
        let families = registry.gather();
        assert_eq!(families.len(), 24);
        assert!(families
            .iter()
            .all(|family| !family.get_metric().is_empty()));
    }

    #[test]
    fn a_closed_task_is_counted_by_how_it_ended_and_named() {
        let mut counts = fresh();
        let task = TaskId([9; 16]);
        let closed = RuntimeEvent::Tasks(pallet_tasks::Event::Closed {
            task,
            closure: Closure::Settled,
        });
        assert_eq!(counts.event(1, &closed), Some(task));
        assert_eq!(counts.closed.with_label_values(&["settled"]).get(), 1);
        assert_eq!(counts.closed.with_label_values(&["expired"]).get(), 0);
    }

    #[test]
    fn a_settlement_is_counted_by_who_got_it() {
        let mut counts = fresh();
        let settled = RuntimeEvent::Rewards(pallet_rewards::Event::Settled {
            task: TaskId([1; 16]),
            winners: Vec::new(),
            participants: 8 * TOS,
            judges: TOS,
            network: TOS / 2,
            refund: 0,
        });
        assert_eq!(counts.event(1, &settled), None);
        let got = |to: &str| counts.rewards.with_label_values(&[to]).get();
        assert_eq!((got("miners"), got("judges")), (8.0, 1.0));
        assert_eq!((got("network"), got("publisher")), (0.5, 0.0));
    }

    #[test]
    fn a_miner_is_active_for_a_day_after_its_last_commitment() {
        let mut counts = fresh();
        counts.event(32, &committed(1));
        counts.event(32, &committed(1));
        counts.event(64, &committed(2));
        counts.block(64);
        assert_eq!(counts.active.get(), 2);
        counts.block(64 + ACTIVE);
        assert_eq!(
            counts.active.get(),
            1,
            "the first is idle, the second is not yet"
        );
        counts.block(96 + ACTIVE);
        assert_eq!(counts.active.get(), 0);
    }

    #[test]
    fn a_slash_counts_once_with_its_reason_and_amount() {
        let mut counts = fresh();
        let slashed = RuntimeEvent::Tasks(pallet_tasks::Event::StakeSlashed {
            task: TaskId([1; 16]),
            who: AccountId::new([3; 32]),
            amount: 2 * TOS,
            reason: SlashReason::Plagiarised,
        });
        counts.event(1, &slashed);
        let reason = ["plagiarised"];
        assert_eq!(counts.slashes.with_label_values(&reason).get(), 1);
        assert_eq!(counts.slashed.with_label_values(&reason).get(), 2.0);
    }
}
