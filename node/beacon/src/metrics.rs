// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Counters of the beacon's work, and metrics for Prometheus.

use polkadot_sdk::*;
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use substrate_prometheus_endpoint::{
    register, Counter, Gauge, PrometheusError, Registry, F64, U64,
};
use tos_types::beacon::Slot;

/// Counters since the node started.
#[derive(Default, Debug)]
pub struct Counts {
    evaluated: AtomicU64,
    iterations: AtomicU64,
    nanoseconds: AtomicU64,
    verified: AtomicU64,
    rejected: AtomicU64,
    faulty: AtomicU64,
    rechecks: AtomicU64,
}

impl Counts {
    /// One more slot was computed, in `time`.
    pub fn evaluated(&self, iterations: u32, time: Duration) {
        self.evaluated.fetch_add(1, Relaxed);
        self.iterations.fetch_add(iterations.into(), Relaxed);
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// So many slots were computed side by side. They say nothing of the machine's speed.
    pub fn evaluated_together(&self, slots: usize) {
        let slots = u64::try_from(slots).unwrap_or(u64::MAX);
        self.evaluated.fetch_add(slots, Relaxed);
    }

    /// One more slot was looked at again with a fresh dataset.
    pub fn rechecked(&self) {
        self.rechecks.fetch_add(1, Relaxed);
    }

    /// One more slot of a peer was verified.
    pub fn verified(&self, valid: bool) {
        let counter = if valid {
            &self.verified
        } else {
            &self.rejected
        };
        counter.fetch_add(1, Relaxed);
    }

    /// One more slot had been computed wrongly here.
    pub fn faulty(&self) {
        self.faulty.fetch_add(1, Relaxed);
    }

    /// Slots computed here.
    pub fn evaluated_slots(&self) -> u64 {
        self.evaluated.load(Relaxed)
    }

    /// Slots of peers that were right.
    pub fn verified_slots(&self) -> u64 {
        self.verified.load(Relaxed)
    }

    /// Slots of peers that were false.
    pub fn rejected_slots(&self) -> u64 {
        self.rejected.load(Relaxed)
    }

    /// Slots that this machine's memory had spoiled.
    pub fn faulty_slots(&self) -> u64 {
        self.faulty.load(Relaxed)
    }

    /// Slots that were looked at again with a fresh dataset.
    #[cfg(test)]
    pub fn rechecks(&self) -> u64 {
        self.rechecks.load(Relaxed)
    }

    /// Iterations computed here, one slot after the other.
    pub fn iterations(&self) -> u64 {
        self.iterations.load(Relaxed)
    }

    /// Speed of this machine in iterations; 0 before the first slot.
    pub fn iterations_per_second(&self) -> f64 {
        let seconds = Duration::from_nanos(self.nanoseconds.load(Relaxed)).as_secs_f64();
        if seconds > 0.0 {
            self.iterations() as f64 / seconds
        } else {
            0.0
        }
    }
}

/// Metrics for Prometheus.
#[derive(Clone)]
pub struct Metrics {
    head: Gauge<U64>,
    lag: Gauge<U64>,
    evaluated: Counter<U64>,
    rate: Gauge<F64>,
    verified: Counter<U64>,
    rejected: Counter<U64>,
    cached: Gauge<U64>,
}

impl Metrics {
    /// Registers all of them.
    pub fn register(registry: &Registry) -> Result<Self, PrometheusError> {
        let gauge = |name: &str, help: &str| register(Gauge::new(name, help)?, registry);
        let counter = |name: &str, help: &str| register(Counter::new(name, help)?, registry);
        Ok(Self {
            head: gauge("tos_beacon_head", "Last slot that the best block includes")?,
            lag: gauge(
                "tos_beacon_lag_slots",
                "Slots between the head and what the wall clock allows",
            )?,
            evaluated: counter("tos_beacon_evaluated_slots", "Slots computed here")?,
            rate: register(
                Gauge::new(
                    "tos_beacon_iterations_per_second",
                    "How fast this machine walks",
                )?,
                registry,
            )?,
            verified: counter(
                "tos_beacon_verified_slots",
                "Slots of peers that were right",
            )?,
            rejected: counter(
                "tos_beacon_rejected_slots",
                "Slots of peers that were false",
            )?,
            cached: gauge("tos_beacon_cached_slots", "Verified slots in memory")?,
        })
    }

    /// The best block changed.
    pub fn head(&self, head: Slot, lag: Slot) {
        self.head.set(head);
        self.lag.set(lag);
    }

    /// One more slot was computed.
    pub fn evaluated(&self, rate: f64) {
        self.evaluated.inc();
        self.rate.set(rate);
    }

    /// One more slot of a peer was verified.
    pub fn verified(&self, valid: bool) {
        if valid {
            self.verified.inc();
        } else {
            self.rejected.inc();
        }
    }

    /// The cache has changed.
    pub fn cached(&self, slots: usize) {
        self.cached.set(u64::try_from(slots).unwrap_or(u64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_iterations_by_time_and_zero_before_the_first_slot() {
        let counts = Counts::default();
        assert_eq!(counts.iterations_per_second(), 0.0);
        counts.evaluated(1_000, Duration::from_millis(300));
        counts.evaluated(1_000, Duration::from_millis(700));
        assert_eq!(counts.iterations_per_second(), 2_000.0);
        assert_eq!((counts.evaluated_slots(), counts.iterations()), (2, 2_000));
    }

    #[test]
    fn all_metrics_have_names_of_their_own() {
        let registry = Registry::new();
        Metrics::register(&registry).expect("registers");
        assert_eq!(registry.gather().len(), 7);
    }
}
