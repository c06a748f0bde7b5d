// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The beacon's notification protocol: carries out what [`GossipProtocol`] decides.

use polkadot_sdk::*;
use std::{
    sync::{
        mpsc::{sync_channel, SyncSender},
        Arc,
    },
    time::{Duration, Instant},
};

use futures::{FutureExt, StreamExt};
use sc_network::{
    config::{NonReservedPeerMode, SetConfig},
    multiaddr,
    peer_store::PeerStoreProvider,
    service::traits::{NotificationEvent, ValidationResult},
    utils::interval,
    NetworkBackend, NetworkPeers, NotificationMetrics, NotificationService, ProtocolName,
};
use sc_network_sync::{SyncEvent, SyncEventStream};
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;

use super::{
    protocol::{Action, GossipProtocol, Verification},
    slot::Message,
    state::{Beacon, Event, Events},
    LOG,
};

/// Time between two looks for slots that were lost.
const TICK: Duration = Duration::from_secs(1);

/// The protocol before the network runs.
pub struct Gossip {
    protocol: ProtocolName,
    notifications: Box<dyn NotificationService>,
}

impl Gossip {
    /// The protocol of the network with this genesis block.
    pub fn new<Block, N>(
        genesis: H256,
        fork_id: Option<&str>,
        metrics: NotificationMetrics,
        peer_store: Arc<dyn PeerStoreProvider>,
    ) -> (Self, N::NotificationProtocolConfig)
    where
        Block: BlockT<Hash = H256>,
        N: NetworkBackend<Block, H256>,
    {
        let protocol: ProtocolName = match fork_id {
            Some(fork_id) => format!("/{genesis:x}/{fork_id}/beacon/1"),
            None => format!("/{genesis:x}/beacon/1"),
        }
        .into();
        let largest = u64::try_from(Message::SLOT_BYTES).unwrap_or(u64::MAX);
        let (config, notifications) = N::notification_config(
            protocol.clone(),
            Vec::new(),
            largest,
            None,
            // A peer that synchronises with us also gets slots from us: peers come from there.
            SetConfig {
                in_peers: 0,
                out_peers: 0,
                reserved_nodes: Vec::new(),
                non_reserved_mode: NonReservedPeerMode::Deny,
            },
            metrics,
            peer_store,
        );
        let gossip = Self {
            protocol,
            notifications,
        };
        (gossip, config)
    }

    /// Talks to peers until the network ends.
    pub async fn run<N, S>(mut self, beacon: Arc<Beacon>, events: Events, network: N, sync: S)
    where
        N: NetworkPeers + Send + Sync + 'static,
        S: SyncEventStream + 'static,
    {
        let verifier = match start_verifier(Arc::clone(&beacon)) {
            Ok(verifier) => verifier,
            Err(error) => {
                log::error!(target: LOG, "no thread for verifying slots: {error}");
                return;
            }
        };
        let mut protocol = GossipProtocol::new(beacon);
        let mut events = events.fuse();
        let mut sync_events = sync.event_stream("tos-beacon-sync").fuse();
        let mut ticks = interval(TICK).boxed().fuse();
        loop {
            futures::select! {
                event = self.notifications.next_event().fuse() => match event {
                    Some(event) => notified(&mut protocol, &network, event),
                    None => return,
                },
                event = events.next() => match event {
                    Some(event) => protocol.happened(event),
                    None => return,
                },
                event = sync_events.next() => match event {
                    Some(event) => self.follow(&network, event),
                    None => return,
                },
                _ = ticks.next() => protocol.tick(),
            }
            for action in protocol.actions() {
                self.carry_out(&network, &verifier, action);
            }
        }
    }

    /// The peers are those of synchronisation.
    fn follow(&self, network: &impl NetworkPeers, event: SyncEvent) {
        let changed = match event {
            SyncEvent::PeerConnected { peer_id, .. } => {
                let address = std::iter::once(multiaddr::Protocol::P2p(peer_id.into()))
                    .collect::<multiaddr::Multiaddr>();
                network.add_peers_to_reserved_set(
                    self.protocol.clone(),
                    std::iter::once(address).collect(),
                )
            }
            SyncEvent::PeerDisconnected(peer) => {
                network.remove_peers_from_reserved_set(self.protocol.clone(), vec![peer])
            }
        };
        if let Err(error) = changed {
            log::debug!(target: LOG, "a peer could not be added or removed: {error}");
        }
    }

    fn carry_out(
        &mut self,
        network: &impl NetworkPeers,
        verifier: &SyncSender<Verification>,
        action: Action,
    ) {
        match action {
            Action::Report(peer, change) => {
                log::debug!(target: LOG, "{peer}: {}", change.reason);
                network.report_peer(peer, change);
            }
            Action::Send(peer, message) => {
                self.notifications.send_sync_notification(&peer, message);
            }
            // There is never more than one on its way, so the channel has room unless the thread
            // has ended, and then the node does too.
            Action::Verify(work) => {
                let _ = verifier.try_send(work);
            }
        }
    }
}

fn notified(protocol: &mut GossipProtocol, network: &impl NetworkPeers, event: NotificationEvent) {
    match event {
        NotificationEvent::ValidateInboundSubstream {
            peer,
            handshake,
            result_tx,
        } => {
            let known = network.peer_role(peer, handshake).is_some();
            let _ = result_tx.send(match known {
                true => ValidationResult::Accept,
                false => ValidationResult::Reject,
            });
        }
        NotificationEvent::NotificationStreamOpened { peer, .. } => {
            protocol.connected(peer, Instant::now());
        }
        NotificationEvent::NotificationStreamClosed { peer } => protocol.disconnected(&peer),
        NotificationEvent::NotificationReceived { peer, notification } => {
            protocol.received(peer, &notification, Instant::now());
        }
    }
}

/// The thread that verifies slots, one after the other. It ends with the sender.
fn start_verifier(beacon: Arc<Beacon>) -> std::io::Result<SyncSender<Verification>> {
    let (sender, receiver) = sync_channel::<Verification>(1);
    std::thread::Builder::new()
        .name("beacon-verifier".into())
        .spawn(move || {
            for work in receiver {
                if beacon.store.stopping() {
                    return;
                }
                let valid = beacon.evaluator.verify(&work.inputs, &work.message.proof);
                beacon.tell(Event::Verdict {
                    peers: work.peers,
                    message: work.message,
                    valid,
                });
            }
        })?;
    Ok(sender)
}
