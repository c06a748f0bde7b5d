// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Computes and verifies slots, and keeps what is right in the store.

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use schnellru::{ByLength, LruMap};
use tos_vdf::{
    evaluate_slot, evaluate_slots, verify_slot, Dataset, SlotEvaluation, SlotProof, State,
    MAX_SLOTS,
};

use super::{
    cache::VerifiedSlot,
    metrics::{Counts, Metrics},
    slot::{SlotId, SlotInputs},
    store::SlotStore,
    LOG,
};

/// Slots that are remembered to have been computed again.
const RECHECKED: u32 = 1_024;

/// The node is shutting down, or the dataset cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

/// Evaluator of slots.
pub struct Evaluator {
    store: Arc<SlotStore>,
    /// Slots that were computed again with a dataset built anew, and were as before.
    rechecked: Mutex<LruMap<SlotId, ()>>,
    /// Counters of its work.
    pub counts: Counts,
    metrics: Option<Metrics>,
}

impl Evaluator {
    /// An evaluator that keeps slots in `store`.
    pub fn new(store: Arc<SlotStore>, metrics: Option<Metrics>) -> Self {
        Self {
            store,
            rechecked: Mutex::new(LruMap::new(ByLength::new(RECHECKED))),
            counts: Counts::default(),
            metrics,
        }
    }

    fn keep(&self, inputs: &SlotInputs, proof: SlotProof, fine: Vec<State>) -> VerifiedSlot {
        let (kept, size) = self.store.keep(inputs, proof, fine);
        if let Some(metrics) = &self.metrics {
            metrics.cached(size);
        }
        kept
    }

    fn dataset(inputs: &SlotInputs) -> Option<Arc<Dataset>> {
        tos_host_functions::cache::dataset(&inputs.params, &inputs.epoch_seed)
    }

    /// Computes a slot; gives up when `stop` says so. Blocks for about a second.
    pub fn compute(&self, inputs: &SlotInputs, stop: &dyn Fn() -> bool) -> Option<VerifiedSlot> {
        let dataset = Self::dataset(inputs)?;
        let began = Instant::now();
        let SlotEvaluation { proof, fine } =
            evaluate_slot(&dataset, &inputs.start, inputs.first_iteration, stop)?;
        self.counts
            .evaluated(inputs.params.iterations_per_slot, began.elapsed());
        if let Some(metrics) = &self.metrics {
            metrics.evaluated(self.counts.iterations_per_second());
        }
        Some(self.keep(inputs, proof, fine))
    }

    /// Verifies exactly what a peer says a slot is, and keeps it if it is right. `None` if that
    /// cannot be told. Blocks for some 70 milliseconds.
    pub fn verify(&self, inputs: &SlotInputs, proof: &SlotProof) -> Option<bool> {
        if let Some(known) = self.store.cached(&inputs.id()) {
            return Some(*known.proof == *proof);
        }
        let dataset = Self::dataset(inputs)?;
        let fine = verify_slot(&dataset, &inputs.start, inputs.first_iteration, proof);
        let valid = fine.is_some();
        self.counts.verified(valid);
        if let Some(metrics) = &self.metrics {
            metrics.verified(valid);
        }
        if let Some(fine) = fine {
            self.keep(inputs, proof.clone(), fine);
        }
        Some(valid)
    }

    /// Slots, from the cache or else computed here side by side, unless gossip brings them first.
    /// Those computed are kept, but peers are not told of them: the inputs may be a liar's.
    /// Blocks for little more than a second for each [`MAX_SLOTS`] slots.
    pub fn obtain(&self, inputs: &[SlotInputs]) -> Result<Vec<VerifiedSlot>, Interrupted> {
        let mut missing: Vec<&SlotInputs> = inputs
            .iter()
            .filter(|inputs| !self.store.knows(&inputs.id()))
            .collect();
        missing.sort_by_key(|inputs| inputs.epoch_seed);
        for of_epoch in missing.chunk_by(|a, b| Self::share_a_dataset(a, b)) {
            for some in of_epoch.chunks(MAX_SLOTS) {
                self.compute_together(some)?;
            }
        }
        inputs
            .iter()
            .map(|inputs| self.store.cached(&inputs.id()).ok_or(Interrupted))
            .collect()
    }

    fn share_a_dataset(a: &SlotInputs, b: &SlotInputs) -> bool {
        (a.params, a.epoch_seed) == (b.params, b.epoch_seed)
    }

    /// Computes slots that share a dataset.
    fn compute_together(&self, slots: &[&SlotInputs]) -> Result<(), Interrupted> {
        let Some(first) = slots.first() else {
            return Ok(());
        };
        let dataset = Self::dataset(first).ok_or(Interrupted)?;
        let all_known = || slots.iter().all(|inputs| self.store.knows(&inputs.id()));
        let seen = std::cell::Cell::new(self.store.generation());
        let stop = || {
            // The lock is taken only when something changed.
            let generation = self.store.generation();
            self.store.stopping() || (seen.replace(generation) != generation && all_known())
        };
        let starts: Vec<(State, u64)> = slots
            .iter()
            .map(|inputs| (inputs.start, inputs.first_iteration))
            .collect();
        let Some(computed) = evaluate_slots(&dataset, &starts, &stop) else {
            return match all_known() {
                true => Ok(()),
                false => Err(Interrupted),
            };
        };
        self.counts.evaluated_together(slots.len());
        for (inputs, SlotEvaluation { proof, fine }) in slots.iter().zip(computed) {
            self.keep(inputs, proof, fine);
        }
        Ok(())
    }

    /// The fine states of a known slot, computed again from its proof if they were dropped.
    pub fn fine_states(&self, slot: &VerifiedSlot) -> Option<Arc<Vec<State>>> {
        let id = slot.inputs.id();
        if let Some(fine) = self.store.fine(&id) {
            return Some(fine);
        }
        let dataset = Self::dataset(&slot.inputs)?;
        let (start, first) = (&slot.inputs.start, slot.inputs.first_iteration);
        let fine = Arc::new(verify_slot(&dataset, start, first, &slot.proof)?);
        self.store.keep_fine(id, Arc::clone(&fine));
        Some(fine)
    }

    /// Looks again at a slot whose result is in doubt, with a dataset built anew. If the cached
    /// result was wrong, this machine's memory is faulty: the dataset is replaced and the slot too.
    ///
    /// A slot that was looked at again is not doubted a second time, so that lies about it cost a
    /// second once and not with each of them.
    pub fn recompute(&self, inputs: &SlotInputs) -> Result<VerifiedSlot, Interrupted> {
        let id = inputs.id();
        let known = self.store.cached(&id);
        if let Some(known) = &known {
            if self.rechecked.lock().peek(&id).is_some() {
                return Ok(known.clone());
            }
        }
        self.counts.rechecked();
        let fresh = Dataset::build(&inputs.params, &inputs.epoch_seed).map_err(|_| Interrupted)?;
        let (start, first) = (&inputs.start, inputs.first_iteration);
        if let Some(known) = known {
            // A right proof is verified faster than a slot is computed.
            if verify_slot(&fresh, start, first, &known.proof).is_some() {
                self.rechecked.lock().insert(id, ());
                return Ok(known);
            }
            log::error!(
                target: LOG,
                "this node computed slot {} wrongly: its memory is faulty; the dataset is rebuilt",
                inputs.slot,
            );
            self.counts.faulty();
            self.store.remove(&id);
        }
        let stop = || self.store.stopping();
        let SlotEvaluation { proof, fine } =
            evaluate_slot(&fresh, start, first, &stop).ok_or(Interrupted)?;
        tos_host_functions::cache::replace(Arc::new(fresh));
        self.rechecked.lock().insert(id, ());
        Ok(self.keep(inputs, proof, fine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        state::StopOnDrop,
        testing::{beacon, tip},
    };
    use std::time::Duration;

    fn never() -> bool {
        false
    }

    #[test]
    fn a_verified_slot_is_kept_and_a_false_one_is_not() {
        let (beacon, _events) = beacon();
        let (other, _others) = crate::testing::beacon();
        let inputs = tip(0).first().expect("known");
        let slot = other.compute(&inputs, &never).expect("computes");
        let mut forged = (*slot.proof).clone();
        forged.coarse[31][0] ^= 1;
        assert_eq!(beacon.evaluator.verify(&inputs, &forged), Some(false));
        assert!(!beacon.store.knows(&inputs.id()));
        assert_eq!(beacon.evaluator.verify(&inputs, &slot.proof), Some(true));
        assert_eq!(beacon.evaluator.verify(&inputs, &forged), Some(false));
        assert_eq!(
            beacon.store.cached(&inputs.id()).map(|known| *known.end()),
            Some(*slot.end())
        );
        assert_eq!(
            beacon.evaluator.fine_states(&slot).map(|fine| fine.len()),
            Some(320)
        );
    }

    #[test]
    fn a_slot_computed_wrongly_by_faulty_memory_is_replaced() {
        let (beacon, _events) = beacon();
        let inputs = tip(0).first().expect("known");
        let right = beacon.compute(&inputs, &never).expect("computes");
        let mut wrong = (*right.proof).clone();
        wrong.coarse[31] = [0; 64];
        beacon.evaluator.keep(&inputs, wrong, Vec::new());
        let again = beacon.evaluator.recompute(&inputs).expect("recomputes");
        assert_eq!(again.end(), right.end());
        assert_eq!(
            beacon.store.cached(&inputs.id()).map(|slot| *slot.end()),
            Some(*right.end())
        );
    }

    #[test]
    fn a_slot_in_doubt_is_looked_at_again_once() {
        let (beacon, _events) = beacon();
        let inputs = tip(0).first().expect("known");
        let right = beacon.compute(&inputs, &never).expect("computes");
        for _ in 0..3 {
            let again = beacon.evaluator.recompute(&inputs).expect("recomputes");
            assert_eq!(again.proof, right.proof);
        }
        assert_eq!(beacon.evaluator.counts.rechecks(), 1);
        assert_eq!(beacon.evaluator.counts.faulty_slots(), 0);
    }

    #[test]
    fn slots_of_several_epochs_are_obtained_in_their_order_and_only_the_missing_ones_computed() {
        let (beacon, _events) = beacon();
        let here = tip(0);
        let mut there = here.clone();
        there.epochs[0].seed = [9; 32];
        let first = here.first().expect("known");
        let slot = beacon.compute(&first, &never).expect("computes");
        let second = here.after(&first, slot.end()).expect("known");
        let foreign = there.first().expect("known");
        let wanted = [second, foreign, first];
        let got = beacon.evaluator.obtain(&wanted).expect("computes");
        let inputs: Vec<_> = got.iter().map(|slot| slot.inputs.clone()).collect();
        assert_eq!(inputs, wanted);
        assert_eq!(beacon.evaluator.counts.evaluated_slots(), 3);
        for slot in got {
            let (other, _events) = crate::testing::beacon();
            let alone = other.compute(&slot.inputs, &never).expect("computes");
            assert_eq!(alone.proof, slot.proof);
        }
    }

    #[test]
    fn nothing_is_computed_after_the_node_was_told_to_stop() {
        let (beacon, _events) = beacon();
        drop(StopOnDrop(Arc::clone(&beacon)));
        let inputs = tip(0).first().expect("known");
        assert_eq!(
            beacon.evaluator.obtain(&[inputs]).map(|_| ()),
            Err(Interrupted)
        );
        beacon
            .store
            .wait(beacon.store.generation(), Duration::from_secs(60));
    }
}
