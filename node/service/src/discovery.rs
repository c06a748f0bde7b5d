// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Discovery of the addresses of other validators.

use polkadot_sdk::*;
use std::sync::Arc;

use futures::prelude::*;
use sc_authority_discovery::WorkerConfig;
use sc_network::{event::Event, service::traits::NetworkService, NetworkEventStream};
use sc_service::{Configuration, TaskManager};
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;
use tos_node_common::FullClient;

/// Configuration of the discovery; `None` on a node that is no validator.
pub(crate) fn config(config: &Configuration) -> Option<WorkerConfig> {
    config.role.is_authority().then(|| WorkerConfig {
        publish_non_global_ips: config.network.allow_non_globals_in_dht,
        public_addresses: config.network.public_addresses.clone(),
        persisted_cache_directory: config.network.net_config_path.clone(),
        ..Default::default()
    })
}

/// Starts publishing this node's addresses and finding those of others.
pub(crate) fn start(
    tasks: &TaskManager,
    config: WorkerConfig,
    client: Arc<FullClient>,
    network: Arc<dyn NetworkService>,
    keystore: KeystorePtr,
    registry: Option<Registry>,
) {
    let dht_events = network
        .event_stream("authority-discovery")
        .filter_map(|event| async {
            match event {
                Event::Dht(event) => Some(event),
                _ => None,
            }
        });
    let (worker, _) = sc_authority_discovery::new_worker_and_service_with_config(
        config,
        client,
        Arc::new(network),
        Box::pin(dht_events),
        sc_authority_discovery::Role::PublishAndDiscover(keystore),
        registry,
        tasks.spawn_handle(),
    );
    tasks.spawn_handle().spawn(
        "authority-discovery-worker",
        Some("networking"),
        worker.run(),
    );
}
