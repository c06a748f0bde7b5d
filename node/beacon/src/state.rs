// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What the parts of the beacon share: the slots that are known, and the chain they belong to.

use polkadot_sdk::*;
use std::{
    sync::{
        atomic::{AtomicBool, AtomicU64, Ordering},
        Arc, OnceLock,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures::channel::mpsc::{unbounded, UnboundedReceiver, UnboundedSender};
use parking_lot::{Condvar, Mutex};
use sc_network::PeerId;
use schnellru::{ByLength, LruMap};
use sp_consensus::SyncOracle;
use tos_primitives::beacon::{LinkError, Slot};
use tos_vdf::{
    evaluate_slot, evaluate_slots, verify_slot, Dataset, SlotEvaluation, SlotProof, State,
    MAX_SLOTS,
};

use super::{
    cache::{SlotCache, VerifiedSlot},
    marks::Checks,
    metrics::{Counts, Metrics},
    slot::{SlotId, SlotInputs, SlotMessage},
    tip::BeaconTip,
};

/// Greatest age, in milliseconds, of a best block with which the node follows the head in spite of
/// what peers say, and of a block whose slots are checked before it is imported.
const RECENT_MS: u64 = 60_000;
/// Slots that are remembered to have been computed again.
const RECHECKED: u32 = 1_024;

/// What the gossip listens to.
pub type Events = UnboundedReceiver<Event>;

/// What the gossip is told by the rest.
#[derive(Debug)]
pub enum Event {
    /// A slot was computed here; peers want it.
    Computed(VerifiedSlot),
    /// A slot that a peer sent was verified.
    Verdict {
        /// Peers that sent it, the first sender first.
        peers: Vec<PeerId>,
        /// What was sent.
        message: Box<SlotMessage>,
        /// Whether it is right; `None` if this node could not tell.
        valid: Option<bool>,
    },
    /// The best block changed.
    Head,
    /// A block that is being imported includes these slots, and they are not known here.
    Wanted(Vec<SlotInputs>),
}

/// The slot to compute or to hear of next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frontier {
    /// This one.
    Next(SlotInputs),
    /// None before the wall clock or the chain moves on.
    Reached,
    /// None before the chain says more.
    Waiting(LinkError),
}

/// The node is shutting down, or the dataset cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interrupted;

/// The beacon as this node knows it.
pub struct Beacon {
    cache: Mutex<SlotCache>,
    tip: Mutex<Option<Arc<BeaconTip>>>,
    /// Counts changes of the two above, so that a thread can tell cheaply whether to look again.
    generation: AtomicU64,
    waiting: Mutex<()>,
    changed: Condvar,
    stopping: AtomicBool,
    timekeeper: AtomicBool,
    oracle: OnceLock<Arc<dyn SyncOracle + Send + Sync>>,
    /// Time of the best block, in milliseconds since 1970.
    best_ms: AtomicU64,
    /// Slots that were computed again with a dataset built anew, and were as before.
    rechecked: Mutex<LruMap<SlotId, ()>>,
    /// Blocks whose slots were checked.
    pub checks: Checks,
    events: UnboundedSender<Event>,
    /// What has been done so far.
    pub counts: Counts,
    metrics: Option<Metrics>,
}

impl Beacon {
    /// An empty one, and what its gossip must listen to.
    pub fn new(metrics: Option<Metrics>) -> (Arc<Self>, Events) {
        // Filled by one thread each of timekeeper, verifier and import, a few messages a second,
        // and emptied by the gossip; without gossip, nothing is kept.
        let (events, listener) = unbounded();
        let beacon = Self {
            cache: Mutex::default(),
            tip: Mutex::new(None),
            generation: AtomicU64::new(0),
            waiting: Mutex::new(()),
            changed: Condvar::new(),
            stopping: AtomicBool::new(false),
            timekeeper: AtomicBool::new(false),
            oracle: OnceLock::new(),
            best_ms: AtomicU64::new(0),
            rechecked: Mutex::new(LruMap::new(ByLength::new(RECHECKED))),
            checks: Checks::default(),
            events,
            counts: Counts::default(),
            metrics,
        };
        (Arc::new(beacon), listener)
    }

    /// Milliseconds since 1970 by this machine's clock.
    pub fn now_ms() -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
    }

    /// Names who knows whether the node is synchronising. The first call counts.
    pub fn set_oracle(&self, oracle: Arc<dyn SyncOracle + Send + Sync>) {
        let _ = self.oracle.set(oracle);
    }

    /// The best block is of this time.
    pub fn set_best_time(&self, time_ms: u64) {
        self.best_ms.store(time_ms, Ordering::Relaxed);
    }

    /// `true` if a block of this time, in milliseconds since 1970, has just been made.
    pub fn is_recent(time_ms: u64, now_ms: u64) -> bool {
        time_ms.saturating_add(RECENT_MS) >= now_ms
    }

    /// `true` if the node follows the head of the chain: its best block is recent by its own clock,
    /// or else it does not know of anything better. What peers claim to have counts only for a
    /// node whose best block is old.
    pub fn follows_head(&self) -> bool {
        Self::is_recent(self.best_ms.load(Ordering::Relaxed), Self::now_ms())
            || self
                .oracle
                .get()
                .is_some_and(|oracle| !oracle.is_major_syncing())
    }

    /// Says that this node computes slots.
    pub fn set_timekeeper(&self) {
        self.timekeeper.store(true, Ordering::Relaxed);
    }

    /// Whether this node computes slots.
    pub fn is_timekeeper(&self) -> bool {
        self.timekeeper.load(Ordering::Relaxed)
    }

    /// Whether the node is shutting down.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Ends all threads of the beacon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.touch();
    }

    /// Tells the gossip something.
    pub fn tell(&self, event: Event) {
        // Nobody listens in a subcommand that has no network.
        let _ = self.events.unbounded_send(event);
    }

    fn touch(&self) {
        self.generation.fetch_add(1, Ordering::Release);
        let _guard = self.waiting.lock();
        self.changed.notify_all();
    }

    /// How often slots or the chain have changed.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Waits until something has changed since `generation`, or `limit` has passed.
    pub fn wait(&self, generation: u64, limit: Duration) {
        let mut guard = self.waiting.lock();
        if self.generation() == generation && !self.stopping() {
            let _ = self.changed.wait_for(&mut guard, limit);
        }
    }

    /// The beacon after the best block.
    pub fn tip(&self) -> Option<Arc<BeaconTip>> {
        self.tip.lock().clone()
    }

    /// The best block has changed.
    pub fn set_tip(&self, tip: BeaconTip) {
        if let Some(metrics) = &self.metrics {
            let lag = tip.cap(Self::now_ms()).saturating_sub(tip.head);
            metrics.head(tip.head, lag);
        }
        *self.tip.lock() = Some(Arc::new(tip));
        self.touch();
        self.tell(Event::Head);
    }

    /// A slot that is known to be right.
    pub fn cached(&self, id: &SlotId) -> Option<VerifiedSlot> {
        self.cache.lock().get(id)
    }

    /// Whether a slot is known to be right.
    pub fn knows(&self, id: &SlotId) -> bool {
        self.cache.lock().contains(id)
    }

    /// How many slots are known.
    pub fn cached_slots(&self) -> usize {
        self.cache.lock().len()
    }

    /// The known slots behind the head of `tip`, one after the other, as far as they go but
    /// not beyond slot `last`.
    pub fn known_after(&self, tip: &BeaconTip, last: Slot) -> Vec<VerifiedSlot> {
        let mut cache = self.cache.lock();
        let mut known = Vec::new();
        let mut next = tip.first();
        while let Ok(inputs) = next {
            let slot = match cache.get(&inputs.id()) {
                Some(slot) if inputs.slot <= last => slot,
                _ => break,
            };
            next = tip.after(&inputs, slot.end());
            known.push(slot);
        }
        known
    }

    /// The slot to compute or to hear of next.
    pub fn frontier(&self, tip: &BeaconTip, now_ms: u64) -> Frontier {
        let horizon = tip.horizon(now_ms);
        let next = match self.known_after(tip, horizon).last() {
            None => tip.first(),
            Some(slot) => tip.after(&slot.inputs, slot.end()),
        };
        match next {
            Ok(inputs) if inputs.slot <= horizon => Frontier::Next(inputs),
            Ok(_) => Frontier::Reached,
            Err(unknown) => Frontier::Waiting(unknown),
        }
    }

    fn keep(&self, inputs: &SlotInputs, proof: SlotProof, fine: Vec<State>) -> VerifiedSlot {
        let (kept, size) = {
            let mut cache = self.cache.lock();
            (cache.insert(inputs.clone(), proof, fine), cache.len())
        };
        if let Some(metrics) = &self.metrics {
            metrics.cached(size);
        }
        self.touch();
        kept
    }

    fn dataset(inputs: &SlotInputs) -> Option<Arc<Dataset>> {
        tos_host::cache::dataset(&inputs.params, &inputs.epoch_seed)
    }

    /// Computes a slot and tells peers; gives up when `stop` says so. Blocks for about a second.
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
        let slot = self.keep(inputs, proof, fine);
        self.tell(Event::Computed(slot.clone()));
        Some(slot)
    }

    /// Verifies exactly what a peer says a slot is, and keeps it if it is right. `None` if that
    /// cannot be told. Blocks for some 70 milliseconds.
    pub fn verify(&self, inputs: &SlotInputs, proof: &SlotProof) -> Option<bool> {
        if let Some(known) = self.cached(&inputs.id()) {
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
            .filter(|inputs| !self.knows(&inputs.id()))
            .collect();
        missing.sort_by_key(|inputs| inputs.epoch_seed);
        for of_epoch in missing.chunk_by(|a, b| Self::share_a_dataset(a, b)) {
            for some in of_epoch.chunks(MAX_SLOTS) {
                self.compute_together(some)?;
            }
        }
        inputs
            .iter()
            .map(|inputs| self.cached(&inputs.id()).ok_or(Interrupted))
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
        let all_known = || slots.iter().all(|inputs| self.knows(&inputs.id()));
        let seen = std::cell::Cell::new(self.generation());
        let stop = || {
            // The lock is taken only when something changed.
            let generation = self.generation();
            self.stopping() || (seen.replace(generation) != generation && all_known())
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
        if let Some(fine) = self.cache.lock().fine(&id) {
            return Some(fine);
        }
        let dataset = Self::dataset(&slot.inputs)?;
        let (start, first) = (&slot.inputs.start, slot.inputs.first_iteration);
        let fine = Arc::new(verify_slot(&dataset, start, first, &slot.proof)?);
        self.cache.lock().keep_fine(id, Arc::clone(&fine));
        Some(fine)
    }

    /// Looks again at a slot whose result is in doubt, with a dataset built anew. If the cached
    /// result was wrong, this machine's memory is faulty: the dataset is replaced and the slot too.
    ///
    /// A slot that was looked at again is not doubted a second time, so that lies about it cost a
    /// second once and not with each of them.
    pub fn recompute(&self, inputs: &SlotInputs) -> Result<VerifiedSlot, Interrupted> {
        let id = inputs.id();
        let known = self.cached(&id);
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
                target: super::LOG,
                "this node computed slot {} wrongly: its memory is faulty; the dataset is rebuilt",
                inputs.slot,
            );
            self.counts.faulty();
            self.cache.lock().remove(&id);
        }
        let stop = || self.stopping();
        let SlotEvaluation { proof, fine } =
            evaluate_slot(&fresh, start, first, &stop).ok_or(Interrupted)?;
        tos_host::cache::replace(Arc::new(fresh));
        self.rechecked.lock().insert(id, ());
        Ok(self.keep(inputs, proof, fine))
    }
}

/// Ends the threads of the beacon when it is dropped.
pub struct StopOnDrop(pub Arc<Beacon>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{beacon, tip};

    fn never() -> bool {
        false
    }

    #[test]
    fn the_frontier_moves_as_slots_become_known_and_stops_at_the_horizon() {
        let (beacon, _events) = beacon();
        let mut tip = tip(0);
        tip.genesis_ms = Some(0);
        for slot in 1..=5 {
            // At 750 ms three slots have passed, and two may be ahead.
            let Frontier::Next(inputs) = beacon.frontier(&tip, 750) else {
                panic!("slot {slot} is allowed");
            };
            assert_eq!(inputs.slot, slot);
            beacon.compute(&inputs, &never).expect("computes");
        }
        assert_eq!(beacon.frontier(&tip, 750), Frontier::Reached);
        assert_eq!(beacon.known_after(&tip, 3).len(), 3);
    }

    #[test]
    fn a_verified_slot_is_kept_and_a_false_one_is_not() {
        let (beacon, _events) = beacon();
        let (other, _others) = crate::testing::beacon();
        let inputs = tip(0).first().expect("known");
        let slot = other.compute(&inputs, &never).expect("computes");
        let mut forged = (*slot.proof).clone();
        forged.coarse[31][0] ^= 1;
        assert_eq!(beacon.verify(&inputs, &forged), Some(false));
        assert!(!beacon.knows(&inputs.id()));
        assert_eq!(beacon.verify(&inputs, &slot.proof), Some(true));
        assert_eq!(beacon.verify(&inputs, &forged), Some(false));
        assert_eq!(
            beacon.cached(&inputs.id()).map(|known| *known.end()),
            Some(*slot.end())
        );
        assert_eq!(beacon.fine_states(&slot).map(|fine| fine.len()), Some(320));
    }

    #[test]
    fn a_reorganisation_finds_the_slots_of_its_fork() {
        let (beacon, _events) = beacon();
        let ours = tip(0);
        let mut theirs = ours.clone();
        theirs.end[0] ^= 1;
        for fork in [&ours, &theirs] {
            let inputs = fork.first().expect("known");
            beacon.compute(&inputs, &never).expect("computes");
        }
        assert_eq!(beacon.known_after(&ours, 9).len(), 1);
        assert_eq!(beacon.known_after(&theirs, 9).len(), 1);
    }

    #[test]
    fn a_slot_computed_wrongly_by_faulty_memory_is_replaced() {
        let (beacon, _events) = beacon();
        let inputs = tip(0).first().expect("known");
        let right = beacon.compute(&inputs, &never).expect("computes");
        let mut wrong = (*right.proof).clone();
        wrong.coarse[31] = [0; 64];
        beacon.keep(&inputs, wrong, Vec::new());
        let again = beacon.recompute(&inputs).expect("recomputes");
        assert_eq!(again.end(), right.end());
        assert_eq!(
            beacon.cached(&inputs.id()).map(|slot| *slot.end()),
            Some(*right.end())
        );
    }

    #[test]
    fn a_slot_in_doubt_is_looked_at_again_once() {
        let (beacon, _events) = beacon();
        let inputs = tip(0).first().expect("known");
        let right = beacon.compute(&inputs, &never).expect("computes");
        for _ in 0..3 {
            let again = beacon.recompute(&inputs).expect("recomputes");
            assert_eq!(again.proof, right.proof);
        }
        assert_eq!(beacon.counts.rechecks(), 1);
        assert_eq!(beacon.counts.faulty_slots(), 0);
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
        let got = beacon.obtain(&wanted).expect("computes");
        let inputs: Vec<_> = got.iter().map(|slot| slot.inputs.clone()).collect();
        assert_eq!(inputs, wanted);
        assert_eq!(beacon.counts.evaluated_slots(), 3);
        for slot in got {
            let (other, _events) = crate::testing::beacon();
            let alone = other.compute(&slot.inputs, &never).expect("computes");
            assert_eq!(alone.proof, slot.proof);
        }
    }

    #[test]
    fn whether_the_node_follows_the_head_is_its_own_clocks_matter_and_not_its_peers() {
        struct Liars;
        impl SyncOracle for Liars {
            fn is_major_syncing(&self) -> bool {
                true
            }
            fn is_offline(&self) -> bool {
                false
            }
        }
        let (beacon, _events) = beacon();
        beacon.set_oracle(Arc::new(Liars));
        assert!(!beacon.follows_head());
        beacon.set_best_time(Beacon::now_ms() - 2_000);
        assert!(beacon.follows_head());
        beacon.set_best_time(Beacon::now_ms() - 2 * RECENT_MS);
        assert!(!beacon.follows_head());
    }

    #[test]
    fn nothing_is_computed_after_the_node_was_told_to_stop() {
        let (beacon, _events) = beacon();
        drop(StopOnDrop(Arc::clone(&beacon)));
        let inputs = tip(0).first().expect("known");
        assert_eq!(beacon.obtain(&[inputs]).map(|_| ()), Err(Interrupted));
        beacon.wait(beacon.generation(), Duration::from_secs(60));
    }
}
