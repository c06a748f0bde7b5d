// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The network: synchronisation, and the notification protocols of GRANDPA and of the beacon.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_consensus_grandpa::SharedAuthoritySet;
use sc_network::{
    config::FullNetworkConfiguration, service::traits::NetworkService, NetworkBackend,
};
use sc_network_sync::SyncingService;
use sc_network_transactions::TransactionsHandlerController;
use sc_rpc::system::Request;
use sc_service::{
    build_network, BuildNetworkParams, Configuration, Error as ServiceError, TaskManager,
    WarpSyncConfig,
};
use sc_utils::mpsc::TracingUnboundedSender;
use tos_node_beacon::Gossip;
use tos_node_common::{FullBackend, FullClient};
use tos_node_txpool::FullPool;
use tos_runtime::{opaque::Block, BlockNumber, Hash};

use crate::finality::GrandpaProtocol;

/// Network of the node, and the protocols that consensus speaks over it.
pub(crate) struct Network {
    pub service: Arc<dyn NetworkService>,
    pub sync: Arc<SyncingService<Block>>,
    pub system_rpc_tx: TracingUnboundedSender<Request<Block>>,
    pub tx_handler_controller: TransactionsHandlerController<Hash>,
    pub beacon: Gossip,
    pub grandpa: GrandpaProtocol,
}

/// Parts of the node that the network is built of.
pub(crate) struct NetworkParams<'a> {
    pub config: &'a Configuration,
    pub client: Arc<FullClient>,
    pub backend: Arc<FullBackend>,
    pub pool: Arc<FullPool>,
    pub import_queue: sc_consensus::DefaultImportQueue<Block>,
    pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
    pub genesis_hash: Hash,
}

/// Builds the network; it runs as a task from then on.
pub(crate) fn build<N: NetworkBackend<Block, Hash>>(
    tasks: &TaskManager,
    params: NetworkParams<'_>,
) -> Result<Network, ServiceError> {
    let NetworkParams {
        config,
        client,
        backend,
        pool,
        import_queue,
        authority_set,
        genesis_hash,
    } = params;
    let registry = config.prometheus_registry().cloned();
    let mut net_config =
        FullNetworkConfiguration::<_, _, N>::new(&config.network, registry.clone());
    let metrics = N::register_notification_metrics(registry.as_ref());

    let grandpa_name =
        sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
    let (grandpa_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            grandpa_name.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_config);
    let (beacon, beacon_config) = Gossip::new::<Block, N>(
        genesis_hash,
        config.chain_spec.fork_id(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(beacon_config);

    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        backend,
        authority_set,
        Vec::new(),
    ));
    let (service, system_rpc_tx, tx_handler_controller, sync, _) =
        build_network(BuildNetworkParams {
            config,
            net_config,
            client,
            transaction_pool: pool,
            spawn_handle: tasks.spawn_handle(),
            spawn_essential_handle: tasks.spawn_essential_handle(),
            import_queue,
            block_announce_validator_builder: None,
            warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
            block_relay: None,
            metrics,
            gap_sync_body_policy: None,
        })?;
    Ok(Network {
        service,
        sync,
        system_rpc_tx,
        tx_handler_controller,
        beacon,
        grandpa: GrandpaProtocol {
            name: grandpa_name,
            notifications: grandpa_notifications,
        },
    })
}
