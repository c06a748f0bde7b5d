// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! A peer that is hostile to the beacon, for `zombienet/scenarios/hostile.py`: it opens the
//! protocols that a full node opens, follows no chain, and says what its mode says.
//!
//! ```text
//! hostile MODE GENESIS HEAD ADDRESS...
//!
//! MODE     random   slots whose inputs never existed, for all numbers that may come next
//!          false    the slots that honest peers send, with a state changed, to all
//!          silent   nothing: it is there, is asked and does not answer
//! GENESIS  hash of the genesis block, hexadecimal
//! HEAD     the last slot of the chain, beyond which it lies until it hears of a later one
//! ADDRESS  multiaddress of a node, with its peer identity
//! ```
//!
//! It runs until it is killed, and says on standard output which protocols nodes open and close.

use polkadot_sdk::*;
use std::{collections::BTreeSet, error::Error, sync::Arc, time::Duration};

use codec::Encode;
use futures::{FutureExt, StreamExt};
use sc_network::{
    config::{
        FullNetworkConfiguration, MultiaddrWithPeerId, NetworkConfiguration, NonReservedPeerMode,
        NotificationHandshake, Params, ProtocolId, Role, SetConfig,
    },
    service::traits::{NetworkBackend, NotificationEvent, NotificationService, ValidationResult},
    utils::interval,
    Litep2pNetworkBackend, PeerId, ProtocolName,
};
use sp_core::H256;
use sp_runtime::{generic, traits::BlakeTwo256, OpaqueExtrinsic};
use tos_node_beacon::{Message, SlotMessage};
use tos_types::beacon::Slot;

type Block = generic::Block<generic::Header<u32, BlakeTwo256>, OpaqueExtrinsic>;
type Backend = Litep2pNetworkBackend;

/// Time between two rounds of lies: with sixteen in each, less than a node listens to.
const ROUND: Duration = Duration::from_secs(1);
/// Slots beyond the last one heard of that a round is about.
const AHEAD: Slot = 16;
/// The role of a full node, as handshakes have it.
const FULL: u8 = 1;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Random,
    False,
    Silent,
}

/// The peer: whom it knows, and what it last heard.
struct Hostile {
    mode: Mode,
    peers: BTreeSet<PeerId>,
    last: Slot,
    noise: blake3::OutputReader,
    notifications: Box<dyn NotificationService>,
}

impl Hostile {
    fn send(&mut self, message: Message) {
        let bytes = message.encode();
        for peer in &self.peers {
            self.notifications
                .send_sync_notification(peer, bytes.clone());
        }
    }

    /// Slots with inputs that exist on no fork, for every number that may come next.
    fn round(&mut self) {
        if self.mode != Mode::Random {
            return;
        }
        for ahead in 1..=AHEAD {
            let mut inputs = [0; 32];
            self.noise.fill(&mut inputs);
            let mut coarse = [[0; 64]; tos_vdf::COARSE];
            self.noise.fill(coarse.as_flattened_mut());
            self.send(Message::Slot(Box::new(SlotMessage {
                slot: self.last.saturating_add(ahead),
                inputs,
                proof: tos_vdf::SlotProof {
                    coarse,
                    fine_root: inputs,
                },
            })));
        }
    }

    fn heard(&mut self, bytes: &[u8]) {
        let Some(Message::Slot(mut slot)) = Message::from_bytes(bytes) else {
            return;
        };
        self.last = self.last.max(slot.slot);
        if self.mode == Mode::False {
            if let Some(byte) = slot.proof.coarse.as_flattened_mut().last_mut() {
                *byte ^= 1;
            }
            self.send(Message::Slot(slot));
        }
    }

    fn happened(&mut self, event: NotificationEvent) {
        match event {
            NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
                let _ = result_tx.send(ValidationResult::Accept);
            }
            NotificationEvent::NotificationStreamOpened { peer, .. } => {
                println!("beacon opened {peer}");
                self.peers.insert(peer);
                self.round();
            }
            NotificationEvent::NotificationStreamClosed { peer } => {
                println!("beacon closed {peer}");
                self.peers.remove(&peer);
            }
            NotificationEvent::NotificationReceived { notification, .. } => {
                self.heard(&notification);
            }
        }
    }
}

fn announced(event: NotificationEvent) {
    match event {
        NotificationEvent::ValidateInboundSubstream { result_tx, .. } => {
            let _ = result_tx.send(ValidationResult::Accept);
        }
        NotificationEvent::NotificationStreamOpened { peer, .. } => {
            println!("blocks opened {peer}");
        }
        NotificationEvent::NotificationStreamClosed { peer } => println!("blocks closed {peer}"),
        NotificationEvent::NotificationReceived { .. } => {}
    }
}

async fn run(
    mode: Mode,
    genesis: H256,
    head: Slot,
    targets: Vec<MultiaddrWithPeerId>,
) -> Result<(), Box<dyn Error>> {
    let set = SetConfig {
        in_peers: 0,
        out_peers: 0,
        reserved_nodes: targets.clone(),
        non_reserved_mode: NonReservedPeerMode::Deny,
    };
    let mut config = NetworkConfiguration::new("hostile", "hostile/1", Default::default(), None);
    config.boot_nodes = targets;
    config.default_peers_set = set.clone();
    let mut network_config = FullNetworkConfiguration::<Block, H256, Backend>::new(&config, None);
    let metrics = <Backend as NetworkBackend<Block, H256>>::register_notification_metrics(None);
    let protocol = |name: &str| ProtocolName::from(format!("/{genesis:x}/{name}/1"));
    let (announces, mut blocks) = <Backend as NetworkBackend<Block, H256>>::notification_config(
        protocol("block-announces"),
        Vec::new(),
        1 << 20,
        Some(NotificationHandshake::from_bytes(
            (FULL, 0u32, genesis, genesis).encode(),
        )),
        set.clone(),
        metrics.clone(),
        network_config.peer_store_handle(),
    );
    let (beacon, notifications) = <Backend as NetworkBackend<Block, H256>>::notification_config(
        protocol("beacon"),
        Vec::new(),
        u64::try_from(Message::SLOT_BYTES)?,
        None,
        set,
        metrics.clone(),
        network_config.peer_store_handle(),
    );
    network_config.add_notification_protocol(beacon);
    let peer_store = network_config.take_peer_store();
    tokio::spawn(sc_network::service::traits::PeerStore::run(peer_store));
    let network = <Backend as NetworkBackend<Block, H256>>::new(Params {
        role: Role::Full,
        executor: Box::new(|task| {
            tokio::spawn(task);
        }),
        network_config,
        protocol_id: ProtocolId::from("hostile"),
        genesis_hash: genesis,
        fork_id: None,
        metrics_registry: None,
        block_announce_config: announces,
        ipfs_config: None,
        notification_metrics: metrics,
    })?;
    tokio::spawn(NetworkBackend::<Block, H256>::run(network));

    let seed = blake3::hash(&std::process::id().to_le_bytes());
    let mut hostile = Hostile {
        mode,
        peers: BTreeSet::new(),
        last: head,
        noise: blake3::Hasher::new_keyed(seed.as_bytes()).finalize_xof(),
        notifications,
    };
    let mut rounds = interval(ROUND).boxed().fuse();
    loop {
        futures::select! {
            event = hostile.notifications.next_event().fuse() => match event {
                Some(event) => hostile.happened(event),
                None => return Ok(()),
            },
            event = blocks.next_event().fuse() => match event {
                Some(event) => announced(event),
                None => return Ok(()),
            },
            _ = rounds.next() => hostile.round(),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "hostile random|false|silent GENESIS HEAD ADDRESS...";
    let mode = match arguments.next().as_deref() {
        Some("random") => Mode::Random,
        Some("false") => Mode::False,
        Some("silent") => Mode::Silent,
        _ => return Err(usage.into()),
    };
    let genesis: H256 = arguments.next().ok_or(usage)?.parse()?;
    let head: Slot = arguments.next().ok_or(usage)?.parse()?;
    let targets = arguments
        .map(|address| address.parse())
        .collect::<Result<Vec<MultiaddrWithPeerId>, _>>()?;
    let runtime = Arc::new(
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?,
    );
    runtime.block_on(run(mode, genesis, head, targets))
}
