// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What every node does beside consensus: it answers RPC, keeps the pool in step with the chain, hands
//! transactions on, and tells operators how it is.
//!
//! The SDK has one function for all of it, which serves every method there is; here the list can be
//! made shorter before the server starts, and the rest is put together from the SDK's own parts.

use polkadot_sdk::*;
use std::sync::Arc;

use futures::FutureExt;
use sc_client_api::UsageProvider;
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_network_transactions::TransactionsHandlerController;
use sc_rpc::{system::Request, DenyUnsafe, SubscriptionTaskExecutor};
use sc_service::{Configuration, Error as ServiceError, MetricsService, RpcHandlers, TaskManager};
use sc_telemetry::{Telemetry, TelemetryHandle};
use sc_utils::mpsc::TracingUnboundedSender;
use sp_keystore::KeystorePtr;
use tos_runtime::{opaque::Block, Hash};

use crate::{
    client::{FullBackend, FullClient, TransactionPool},
    logging::Levels,
    rpc::{self, MethodLists},
};

/// Makes the node's own RPC methods, whose subscriptions run on what it is given.
pub type OwnMethods =
    Box<dyn FnOnce(SubscriptionTaskExecutor) -> Result<rpc::Extension, rpc::Error>>;

/// What it all runs on.
pub struct Background<'a> {
    /// How the node is configured.
    pub config: Configuration,
    /// The chain.
    pub client: Arc<FullClient>,
    /// Its database.
    pub backend: Arc<FullBackend>,
    /// The keys of this node.
    pub keystore: KeystorePtr,
    /// Transactions that wait.
    pub pool: Arc<TransactionPool>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// Who the peers are, and whether the node is synchronising.
    pub sync: Arc<SyncingService<Block>>,
    /// Where questions about the network go.
    pub questions: TracingUnboundedSender<Request<Block>>,
    /// Hands transactions on to peers.
    pub transactions: TransactionsHandlerController<Hash>,
    /// Who is told about this node.
    pub telemetry: Option<&'a mut Telemetry>,
    /// The node's own RPC methods.
    pub methods: OwnMethods,
    /// Which methods are served.
    pub lists: MethodLists,
    /// What is logged, if the log's filter can be changed and is not the SDK's.
    pub levels: Option<Levels>,
}

/// Starts it all. It ends with the task manager. Returns all RPC methods, also those that are not served, for parts of the node
/// itself.
pub fn launch(
    tasks: &mut TaskManager,
    background: Background<'_>,
) -> Result<RpcHandlers, ServiceError> {
    let Background {
        mut config,
        client,
        backend,
        keystore,
        pool,
        network,
        sync,
        questions,
        transactions,
        telemetry,
        methods,
        lists,
        levels,
    } = background;
    let best = client.usage_info().chain;
    // The keys of `--alice` and the like.
    sp_session::generate_initial_session_keys(
        Arc::clone(&client),
        best.best_hash,
        config.dev_key_seed.iter().cloned().collect(),
        keystore.clone(),
    )
    .map_err(|error| ServiceError::Application(error.into()))?;

    let machine = sc_sysinfo::gather_sysinfo();
    sc_sysinfo::print_sysinfo(&machine);
    let telemetry = telemetry
        .map(|telemetry| {
            sc_service::init_telemetry(
                config.network.node_name.clone(),
                config.impl_name.clone(),
                config.impl_version.clone(),
                config.chain_spec.name().into(),
                config.role.is_authority(),
                Arc::clone(&network),
                Arc::clone(&client),
                telemetry,
                Some(machine),
            )
        })
        .transpose()?;
    log::info!("📦 Highest known block at #{}", best.best_number);

    let every_block = config.transaction_pool.use_all_block_notifications();
    tasks.spawn_handle().spawn(
        "txpool-notifications",
        Some("transaction-pool"),
        sc_transaction_pool::notification_future(
            Arc::clone(&client),
            Arc::clone(&pool),
            every_block,
        ),
    );
    tasks.spawn_handle().spawn(
        "on-transaction-imported",
        Some("transaction-pool"),
        sc_service::propagate_transaction_notifications(
            Arc::clone(&pool),
            transactions,
            telemetry.clone(),
        ),
    );
    tasks.spawn_handle().spawn(
        "telemetry-periodic-send",
        None,
        metrics(&config, tasks, telemetry)?.run(
            Arc::clone(&client),
            Arc::clone(&pool),
            Arc::clone(&network),
            Arc::clone(&sync),
        ),
    );

    // Answering must not keep the node's own work waiting.
    let runtime = sc_service::create_rpc_runtime(config.rpc.max_connections)?;
    let executor: SubscriptionTaskExecutor =
        Arc::new(sc_rpc_server::RpcSpawnHandle::new(runtime.handle().clone()));
    let ids = config.rpc.id_provider.take();
    let deps = rpc::StandardDeps {
        config: &config,
        client: Arc::clone(&client),
        backend,
        keystore,
        pool,
        sync: Arc::clone(&sync),
        questions,
        executor: Arc::clone(&executor),
    };
    let own = || methods(executor);
    let (mut all, module) = match served(deps, own, &lists, levels) {
        Ok(modules) => modules,
        Err(error) => {
            // Dropping it would wait for its threads, which an asynchronous function must not do.
            runtime.shutdown_background();
            return Err(ServiceError::Application(error));
        }
    };
    let server = sc_service::start_rpc_servers(
        &config.rpc,
        config.prometheus_registry(),
        &config.tokio_handle,
        module,
        runtime,
        ids,
    )?;

    tasks.spawn_handle().spawn(
        "informant",
        None,
        sc_informant::build(client, network, sync),
    );
    // Methods that are not served live on: parts of the node end, and the node with them, when nobody
    // is left who could ask them.
    all.extensions_mut().insert(DenyUnsafe::No);
    let all = Arc::new(all);
    tasks.keep_alive((config.base_path, server, Arc::clone(&all)));
    Ok(RpcHandlers::new(all, Vec::new()))
}

/// All methods, and those that are served.
fn served(
    deps: rpc::StandardDeps<'_>,
    own: impl FnOnce() -> Result<rpc::Extension, rpc::Error>,
    lists: &MethodLists,
    levels: Option<Levels>,
) -> Result<(rpc::Extension, rpc::Extension), rpc::Error> {
    let mut module = rpc::standard(deps)?;
    module.merge(own()?)?;
    if let Some(levels) = levels {
        rpc::change_levels(&mut module, levels)?;
    }
    let all = module.clone();
    rpc::announce(&mut module)?;
    lists.restrict(&mut module)?;
    Ok((all, module))
}

/// The SDK's own metrics, and the endpoint for all metrics where one is wanted.
fn metrics(
    config: &Configuration,
    tasks: &TaskManager,
    telemetry: Option<TelemetryHandle>,
) -> Result<MetricsService, ServiceError> {
    let Some(prometheus) = config.prometheus_config.clone() else {
        return Ok(MetricsService::new(telemetry));
    };
    let metrics = MetricsService::with_prometheus(
        telemetry,
        &prometheus.registry,
        config.role,
        &config.network.node_name,
        &config.impl_version,
    )?;
    tasks.spawn_handle().spawn(
        "prometheus-endpoint",
        None,
        substrate_prometheus_endpoint::init_prometheus(prometheus.port, prometheus.registry)
            .map(drop),
    );
    Ok(metrics)
}

#[cfg(test)]
mod tests {
    /// The version whose own function (`spawn_tasks`, `gen_rpc_module`) was compared with what is here
    /// and in `rpc/standard.rs`, part by part.
    const COMPARED_WITH: &str = "0.62.0";

    #[test]
    fn another_sdk_has_to_be_compared_for_new_tasks_and_methods() {
        let locked = include_str!("../../Cargo.lock");
        let entry = format!("name = \"sc-service\"\nversion = \"{COMPARED_WITH}\"\n");
        assert!(
            locked.contains(&entry),
            "the SDK has moved on: look for tasks and methods that this node lacks"
        );
    }
}
