// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Puts the beacon's parts together and starts them.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_client_api::{Backend, LockImportRun};
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_service::{Error as ServiceError, TaskManager};
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use substrate_prometheus_endpoint::Registry;

use super::{
    audit,
    client::BeaconClient,
    follow::follow,
    gossip::Gossip,
    metrics::Metrics,
    state::{Beacon, Events, StopOnDrop},
    timekeeper,
};

/// The group of the beacon's tasks in metrics.
const GROUP: Option<&str> = Some("beacon");

/// The beacon before the network is there, and the events that its gossip must listen to. It computes slots itself if it keeps time.
pub fn new(
    registry: Option<&Registry>,
    keeps_time: bool,
) -> Result<(Arc<Beacon>, Events), ServiceError> {
    let metrics = registry.map(Metrics::register).transpose()?;
    Ok(Beacon::new(metrics, keeps_time))
}

/// Parts of the node that the beacon runs on.
pub struct Launch<Block: BlockT, B, C> {
    /// The chain.
    pub client: Arc<C>,
    /// Its database.
    pub backend: Arc<B>,
    /// The beacon.
    pub beacon: Arc<Beacon>,
    /// Events for its gossip.
    pub events: Events,
    /// Its protocol.
    pub gossip: Gossip,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// Synchronisation, which knows the peers.
    pub sync: Arc<SyncingService<Block>>,
    /// Milliseconds of a BABE slot.
    pub slot_ms: u64,
}

/// Starts everything. It ends with the task manager.
pub fn launch<Block, B, C>(
    tasks: &mut TaskManager,
    launch: Launch<Block, B, C>,
) -> Result<(), ServiceError>
where
    Block: BlockT<Hash = H256>,
    B: Backend<Block> + 'static,
    C: BeaconClient<Block> + LockImportRun<Block, B>,
{
    let Launch {
        client,
        backend,
        beacon,
        events,
        gossip,
        network,
        sync,
        slot_ms,
    } = launch;
    let oracle = Arc::clone(&sync);
    beacon.gate.set_oracle(oracle);
    tasks.keep_alive(StopOnDrop(Arc::clone(&beacon)));
    tasks.keep_alive(audit::start(
        Arc::clone(&client),
        backend,
        Arc::clone(&beacon),
    )?);
    tasks.spawn_handle().spawn(
        "beacon-follow",
        GROUP,
        follow(client, Arc::clone(&beacon), slot_ms),
    );
    tasks.spawn_handle().spawn(
        "beacon-gossip",
        GROUP,
        gossip.run(Arc::clone(&beacon), events, network, sync),
    );
    if beacon.keeps_time {
        timekeeper::start(beacon)?;
    }
    Ok(())
}
