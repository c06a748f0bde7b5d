// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--timekeeper`: computes the slots behind the best block, one after the other, on one thread.

use std::{sync::Arc, time::Duration};

use super::{
    clock::now_ms,
    slot::{SlotId, SlotInputs},
    state::Beacon,
    statistics::Statistics,
    store::Frontier,
    tip::BeaconTip,
    LOG,
};

/// Speed that a timekeeper needs, as a multiple of what the clock needs, to catch up after an
/// outage and while the machine does other work.
const MARGIN: f64 = 1.2;
/// Slots after which its speed is known.
const MEASURED: u64 = 8;
/// The longest sleep; whatever matters also wakes the thread at once.
const IDLE: Duration = Duration::from_millis(500);

/// Task of the timekeeper.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    /// Compute this slot.
    Compute(SlotInputs),
    /// Sleep, at most so long.
    Sleep(Duration),
}

/// Task of the timekeeper at `now_ms`.
fn task(beacon: &Beacon, now_ms: u64) -> Task {
    let Some(tip) = beacon.store.tip().filter(|_| beacon.gate.follows_head()) else {
        return Task::Sleep(IDLE);
    };
    match beacon.store.frontier(&tip, now_ms) {
        Frontier::Next(inputs) => Task::Compute(inputs),
        Frontier::Reached => Task::Sleep(until_next(&tip, now_ms)),
        Frontier::Waiting(_) => Task::Sleep(IDLE),
    }
}

/// Time until the wall clock allows one slot more.
fn until_next(tip: &BeaconTip, now_ms: u64) -> Duration {
    let slot = u64::from(tip.scale.slot_ms).max(1);
    let passed = tip
        .genesis_ms
        .map_or(0, |genesis| now_ms.saturating_sub(genesis) % slot);
    Duration::from_millis(slot.saturating_sub(passed).max(1)).min(IDLE)
}

/// `true` if a slot is still the one to compute: not after a reorganisation to a fork where it has
/// other inputs, nor when a peer was faster.
fn is_next(beacon: &Beacon, id: &SlotId) -> bool {
    matches!(task(beacon, now_ms()), Task::Compute(inputs) if inputs.id() == *id)
}

fn compute(beacon: &Beacon, inputs: &SlotInputs) {
    let id = inputs.id();
    let seen = std::cell::Cell::new(beacon.store.generation());
    let stop = || {
        let generation = beacon.store.generation();
        beacon.store.stopping() || (seen.replace(generation) != generation && !is_next(beacon, &id))
    };
    let done = beacon.compute(inputs, &stop).is_some();
    if !done && !stop() && is_next(beacon, &id) {
        log::error!(target: LOG, "slot {} cannot be computed: no memory for its dataset?", inputs.slot);
        beacon.store.wait(beacon.store.generation(), IDLE);
    }
}

/// Warning for a machine that walks `efficiency` times as fast as the clock needs; `None` if that
/// is enough.
fn complaint(efficiency: f64) -> Option<String> {
    (efficiency < MARGIN).then(|| {
        format!(
            "this machine walks {efficiency:.2} times as fast as the clock needs, and a timekeeper needs \
             {MARGIN}: it falls behind, or does not catch up after an outage. Use a faster machine, or give \
             the node a core of its own (docs/operations.md)"
        )
    })
}

/// Starts the timekeeper. It ends when the beacon is stopped.
pub fn start(beacon: Arc<Beacon>) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name("timekeeper".into())
        .spawn(move || {
            let mut measured = false;
            while !beacon.store.stopping() {
                let generation = beacon.store.generation();
                if !measured && beacon.evaluator.counts.evaluated_slots() >= MEASURED {
                    let efficiency = Statistics::of(&beacon).efficiency;
                    measured = efficiency > 0.0;
                    match complaint(efficiency).filter(|_| measured) {
                        Some(complaint) => log::warn!(target: LOG, "{complaint}"),
                        None => {
                            log::debug!(target: LOG, "{efficiency:.2} times as fast as the clock");
                        }
                    }
                }
                match task(&beacon, now_ms()) {
                    Task::Compute(inputs) => compute(&beacon, &inputs),
                    Task::Sleep(limit) => beacon.store.wait(generation, limit),
                }
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        state::StopOnDrop,
        testing::{beacon, following, tip},
    };
    use std::time::Instant;

    fn wait_for(what: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !what() {
            assert!(Instant::now() < deadline, "nothing happened");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn nothing_is_computed_before_the_node_follows_the_chain() {
        let (beacon, _events) = beacon();
        assert_eq!(task(&beacon, 0), Task::Sleep(IDLE));
        beacon.set_tip(tip(0));
        assert_eq!(task(&beacon, 0), Task::Sleep(IDLE));
        following(&beacon);
        assert!(matches!(task(&beacon, 0), Task::Compute(inputs) if inputs.slot == 1));
    }

    #[test]
    fn a_machine_without_a_margin_of_a_fifth_is_told_so() {
        assert_eq!(complaint(1.2), None);
        assert_eq!(complaint(16.0), None);
        for slow in [0.976, 1.0, 1.19] {
            let text = complaint(slow).expect("too slow");
            assert!(text.contains("1.2") && text.contains("docs/operations.md"));
        }
    }

    #[test]
    fn the_reference_machine_has_the_margin() {
        // docs/performance.md: what it walks in a second, which is a slot's time.
        let per_slot = f64::from(tos_vdf::VdfParams::MAINNET.iterations_per_slot);
        assert_eq!(complaint(366_000.0 / per_slot), None);
    }

    #[test]
    fn the_sleep_ends_when_the_clock_allows_the_next_slot() {
        let mut tip = tip(0);
        tip.genesis_ms = Some(1_000);
        assert_eq!(until_next(&tip, 1_000), Duration::from_millis(250));
        assert_eq!(until_next(&tip, 1_249), Duration::from_millis(1));
        tip.genesis_ms = None;
        assert_eq!(until_next(&tip, 1_249), Duration::from_millis(250));
    }

    #[test]
    fn it_computes_up_to_the_wall_clock_and_starts_again_on_another_fork() {
        let (beacon, _events) = beacon();
        let _stop = StopOnDrop(Arc::clone(&beacon));
        following(&beacon);
        let mut ours = tip(0);
        // Two slots are allowed, for an hour.
        ours.genesis_ms = Some(now_ms() + 3_600_000);
        beacon.set_tip(ours.clone());
        start(Arc::clone(&beacon)).expect("starts");
        wait_for(|| beacon.store.known_after(&ours, 9).len() == 2);
        let mut theirs = ours.clone();
        theirs.end[0] ^= 1;
        beacon.set_tip(theirs.clone());
        wait_for(|| beacon.store.known_after(&theirs, 9).len() == 2);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 4);
    }
}
