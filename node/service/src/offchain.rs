// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Off-chain workers of the runtime.

use polkadot_sdk::*;
use std::sync::Arc;

use futures::FutureExt;
use sc_client_api::Backend;
use sc_network::service::traits::NetworkService;
use sc_service::{Error as ServiceError, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use tos_node_common::{FullBackend, FullClient};
use tos_node_txpool::FullPool;

/// Parts of the node that off-chain workers run on.
pub struct Launch {
    /// The chain.
    pub client: Arc<FullClient>,
    /// Its database, which keeps what workers remember.
    pub backend: Arc<FullBackend>,
    /// The keys of this node.
    pub keystore: KeystorePtr,
    /// Pool to which workers submit transactions.
    pub pool: Arc<FullPool>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// `true` if this node is a validator.
    pub is_validator: bool,
}

/// Starts a worker for each best block.
pub fn launch(tasks: &TaskManager, launch: Launch) -> Result<(), ServiceError> {
    let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
        runtime_api_provider: Arc::clone(&launch.client),
        is_validator: launch.is_validator,
        keystore: Some(launch.keystore),
        offchain_db: launch.backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(launch.pool)),
        network_provider: Arc::new(launch.network),
        enable_http_requests: true,
        custom_extensions: |_| Vec::new(),
    })?;
    tasks.spawn_handle().spawn(
        "offchain-workers-runner",
        "offchain-worker",
        workers.run(launch.client, tasks.spawn_handle()).boxed(),
    );
    Ok(())
}
