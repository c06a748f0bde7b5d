// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The beacon as this node knows it: what its parts share.

use polkadot_sdk::*;
use std::sync::Arc;

use futures::channel::mpsc::{unbounded, UnboundedReceiver, UnboundedSender};
use sc_network::PeerId;

use super::{
    cache::VerifiedSlot,
    clock::now_ms,
    evaluator::Evaluator,
    marks::Checks,
    metrics::Metrics,
    slot::{SlotInputs, SlotMessage},
    store::SlotStore,
    sync_gate::SyncGate,
    tip::BeaconTip,
};

/// Events for the gossip.
pub type Events = UnboundedReceiver<Event>;

/// Event that the gossip hears of.
#[derive(Debug)]
pub enum Event {
    /// A slot was computed here; peers want it.
    Computed(VerifiedSlot),
    /// A slot that a peer sent was verified.
    Verdict {
        /// Peers that sent it, the first sender first.
        peers: Vec<PeerId>,
        /// The message that they sent.
        message: Box<SlotMessage>,
        /// `true` if it is right; `None` if this node could not tell.
        valid: Option<bool>,
    },
    /// The best block changed.
    Head,
    /// A block that is being imported includes these slots, and they are not known here.
    Wanted(Vec<SlotInputs>),
}

/// The beacon as this node knows it.
pub struct Beacon {
    /// Known slots and the tip.
    pub(crate) store: Arc<SlotStore>,
    /// Evaluator of slots.
    pub(crate) evaluator: Evaluator,
    /// Gate that is open while the node follows the head.
    pub(crate) gate: SyncGate,
    /// Blocks whose slots were checked.
    pub(crate) checks: Checks,
    /// `true` if this node computes slots.
    pub(crate) keeps_time: bool,
    events: UnboundedSender<Event>,
    metrics: Option<Metrics>,
}

impl Beacon {
    /// An empty one, and the events that its gossip must listen to.
    pub(crate) fn new(metrics: Option<Metrics>, keeps_time: bool) -> (Arc<Self>, Events) {
        // Filled by one thread each of timekeeper, verifier and import, a few messages a second,
        // and emptied by the gossip; without gossip, nothing is kept.
        let (events, listener) = unbounded();
        let store = Arc::<SlotStore>::default();
        let beacon = Self {
            evaluator: Evaluator::new(Arc::clone(&store), metrics.clone()),
            store,
            gate: SyncGate::default(),
            checks: Checks::default(),
            keeps_time,
            events,
            metrics,
        };
        (Arc::new(beacon), listener)
    }

    /// Tells the gossip something.
    pub(crate) fn tell(&self, event: Event) {
        // A subcommand that has no network has no listener.
        let _ = self.events.unbounded_send(event);
    }

    /// Replaces the tip: the best block has changed.
    pub(crate) fn set_tip(&self, tip: BeaconTip) {
        if let Some(metrics) = &self.metrics {
            let lag = tip.cap(now_ms()).saturating_sub(tip.head);
            metrics.head(tip.head, lag);
        }
        self.store.set_tip(tip);
        self.tell(Event::Head);
    }

    /// Computes a slot and tells peers; gives up when `stop` says so. Blocks for about a second.
    pub(crate) fn compute(
        &self,
        inputs: &SlotInputs,
        stop: &dyn Fn() -> bool,
    ) -> Option<VerifiedSlot> {
        let slot = self.evaluator.compute(inputs, stop)?;
        self.tell(Event::Computed(slot.clone()));
        Some(slot)
    }
}

/// Ends the threads of the beacon when it is dropped.
pub struct StopOnDrop(pub Arc<Beacon>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store.stop();
    }
}
