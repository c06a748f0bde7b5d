// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Off-chain workers: the only place where the runtime meets the storage prover.

use polkadot_sdk::*;
use std::{path::Path, sync::Arc};

use futures::FutureExt;
use sc_client_api::Backend;
use sc_network::service::traits::NetworkService;
use sc_service::{Error as ServiceError, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_externalities::Extension;
use sp_keystore::KeystorePtr;
use tos_node_common::{FullBackend, FullClient};
use tos_node_txpool::FullPool;
use tos_runtime::Hash;

use crate::prover::StoreProver;

/// Parts of the node that off-chain workers run on.
pub struct Launch<'a> {
    /// The chain.
    pub client: Arc<FullClient>,
    /// Its database, which keeps what workers remember.
    pub backend: Arc<FullBackend>,
    /// The keys of this node; among them the provider's proof key.
    pub keystore: KeystorePtr,
    /// Pool to which workers submit transactions.
    pub pool: Arc<FullPool>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// `true` if this node is a validator.
    pub is_validator: bool,
    /// The store of sealed replicas, if this node proves storage.
    pub store: Option<&'a Path>,
    /// The genesis block, to which the store must belong.
    pub genesis: Hash,
}

/// Starts a worker for each best block.
pub fn launch(tasks: &TaskManager, launch: Launch<'_>) -> Result<(), ServiceError> {
    let prover = launch
        .store
        .map(|directory| StoreProver::open(directory, launch.genesis))
        .transpose()
        .map_err(|error| ServiceError::Application(error.into()))?;
    let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
        runtime_api_provider: Arc::clone(&launch.client),
        is_validator: launch.is_validator,
        keystore: Some(launch.keystore),
        offchain_db: launch.backend.offchain_storage(),
        transaction_pool: Some(OffchainTransactionPoolFactory::new(launch.pool)),
        network_provider: Arc::new(launch.network),
        enable_http_requests: true,
        // Registered for the call of the off-chain worker alone: a block, even one that this node
        // authors, never sees the prover.
        custom_extensions: move |_| {
            prover
                .iter()
                .map(|prover| Box::new(prover.extension()) as Box<dyn Extension>)
                .collect()
        },
    })?;
    tasks.spawn_handle().spawn(
        "offchain-workers-runner",
        "offchain-worker",
        workers.run(launch.client, tasks.spawn_handle()).boxed(),
    );
    Ok(())
}
