// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Statistics of this node's part in the beacon, for its operator.

use serde::{Deserialize, Serialize};
use tos_types::beacon::Slot;

use super::{clock::now_ms, state::Beacon};

/// Statistics of the slots that this node has computed and verified since it started.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// `true` if this node computes slots.
    pub timekeeper: bool,
    /// The last slot that the best block includes; 0 before the first.
    pub head: Slot,
    /// The last slot that is known here and continues the head.
    pub known: Slot,
    /// Slots between the head and what the wall clock allows.
    pub lag: Slot,
    /// Verified slots in memory.
    pub cached_slots: u64,
    /// Slots computed here.
    pub evaluated_slots: u64,
    /// Slots of peers that were right.
    pub verified_slots: u64,
    /// Slots of peers that were false.
    pub rejected_slots: u64,
    /// Slots computed wrongly here, which means that this machine's memory is faulty.
    pub faulty_slots: u64,
    /// Iterations computed here, one slot after the other.
    pub iterations: u64,
    /// Speed of this machine; 0 before the first slot.
    pub iterations_per_second: f64,
    /// The speed as a multiple of what one slot per slot time needs. A timekeeper below 1 falls
    /// behind, and one below 1.2 hardly catches up after an outage.
    pub efficiency: f64,
}

impl Statistics {
    /// As of now.
    pub fn of(beacon: &Beacon) -> Self {
        let now_ms = now_ms();
        let tip = beacon.store.tip();
        let head = tip.as_ref().map_or(0, |tip| tip.head);
        let known = tip
            .as_ref()
            .and_then(|tip| beacon.store.known_after(tip, Slot::MAX).last().cloned())
            .map_or(head, |slot| slot.inputs.slot);
        let lag = tip
            .as_ref()
            .map_or(0, |tip| tip.cap(now_ms).saturating_sub(tip.head));
        let rate = beacon.evaluator.counts.iterations_per_second();
        let needed = tip.as_ref().and_then(|tip| {
            let epoch = tip.epochs_to_come().next()?;
            let per_slot = f64::from(epoch.params.iterations_per_slot);
            Some(per_slot * 1_000.0 / f64::from(tip.config.slot_ms.max(1)))
        });
        Self {
            timekeeper: beacon.keeps_time,
            head,
            known,
            lag,
            cached_slots: u64::try_from(beacon.store.cached_slots()).unwrap_or(u64::MAX),
            evaluated_slots: beacon.evaluator.counts.evaluated_slots(),
            verified_slots: beacon.evaluator.counts.verified_slots(),
            rejected_slots: beacon.evaluator.counts.rejected_slots(),
            faulty_slots: beacon.evaluator.counts.faulty_slots(),
            iterations: beacon.evaluator.counts.iterations(),
            iterations_per_second: rate,
            efficiency: needed.map_or(0.0, |needed| rate / needed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, tip};

    #[test]
    fn they_tell_how_far_the_node_is_and_how_fast() {
        let (beacon, _events) = beacon();
        let mut tip = tip(0);
        tip.genesis_ms = Some(now_ms() - 10 * 250);
        let inputs = tip.first().expect("known");
        beacon.set_tip(tip);
        let before = Statistics::of(&beacon);
        assert_eq!((before.head, before.known, before.efficiency), (0, 0, 0.0));
        assert!(before.lag >= 12 && !before.timekeeper);
        beacon.compute(&inputs, &|| false).expect("computes");
        let after = Statistics::of(&beacon);
        assert_eq!(
            (after.known, after.evaluated_slots, after.cached_slots),
            (1, 1, 1)
        );
        assert_eq!(after.iterations, 1_280);
        assert!(after.efficiency > 0.0);
    }
}
