// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Spawns the tasks of every node that are not consensus: RPC, maintenance of the pool, propagation of transactions,
//! telemetry and metrics.
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
use tos_node_common::{FullBackend, FullClient};
use tos_node_logging::LogFilter;
use tos_node_rpc::{self as rpc, MethodFilter};
use tos_node_txpool::FullPool;
use tos_runtime::{opaque::Block, Hash};

use crate::subscriptions::OnCallersRuntime;

/// Makes the node's own RPC methods, whose subscriptions run on what it is given.
pub type OwnMethods =
    Box<dyn FnOnce(SubscriptionTaskExecutor) -> Result<rpc::Extension, rpc::Error>>;

/// Parts of the node that the tasks run on.
pub struct SpawnTasksParams<'a> {
    /// Configuration of the node.
    pub config: Configuration,
    /// The chain.
    pub client: Arc<FullClient>,
    /// Its database.
    pub backend: Arc<FullBackend>,
    /// The keys of this node.
    pub keystore: KeystorePtr,
    /// Transactions that wait.
    pub pool: Arc<FullPool>,
    /// The network.
    pub network: Arc<dyn NetworkService>,
    /// Synchronisation, which knows the peers.
    pub sync: Arc<SyncingService<Block>>,
    /// Sender of questions about the network.
    pub system_rpc_tx: TracingUnboundedSender<Request<Block>>,
    /// Controller of what hands transactions on to peers.
    pub tx_handler_controller: TransactionsHandlerController<Hash>,
    /// Telemetry, which is told about this node.
    pub telemetry: Option<&'a mut Telemetry>,
    /// The node's own RPC methods.
    pub methods: OwnMethods,
    /// Filter of the methods that are served.
    pub rpc_filter: MethodFilter,
    /// Filter of the log, if it can be changed and is not the SDK's.
    pub log_filter: Option<LogFilter>,
}

/// Spawns them all. They end with the task manager. Returns all RPC methods, also those that are not served, for parts of the
/// node itself.
pub fn spawn_tasks(
    tasks: &mut TaskManager,
    params: SpawnTasksParams<'_>,
) -> Result<RpcHandlers, ServiceError> {
    let SpawnTasksParams {
        mut config,
        client,
        backend,
        keystore,
        pool,
        network,
        sync,
        system_rpc_tx,
        tx_handler_controller,
        telemetry,
        methods,
        rpc_filter,
        log_filter,
    } = params;
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
            tx_handler_controller,
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

    // Answering must not keep the node's own work waiting, nor strangers those parts of the node that ask in memory.
    let runtime = sc_service::create_rpc_runtime(config.rpc.max_connections)?;
    let executor: SubscriptionTaskExecutor =
        Arc::new(OnCallersRuntime::new(runtime.handle().clone()));
    let ids = config.rpc.id_provider.take();
    let deps = rpc::StandardDeps {
        config: &config,
        client: Arc::clone(&client),
        backend,
        keystore,
        pool,
        sync: Arc::clone(&sync),
        system_rpc_tx,
        executor: Arc::clone(&executor),
    };
    let own = || methods(executor);
    let (mut all, module) = match served(deps, own, &rpc_filter, log_filter) {
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
    // Methods that are not served live on: parts of the node end, and the node with them, when no
    // sender of questions is left.
    all.extensions_mut().insert(DenyUnsafe::No);
    let all = Arc::new(all);
    tasks.keep_alive((config.base_path, server, Arc::clone(&all)));
    Ok(RpcHandlers::new(all, Vec::new()))
}

/// All methods, and those that are served.
fn served(
    deps: rpc::StandardDeps<'_, FullPool>,
    own: impl FnOnce() -> Result<rpc::Extension, rpc::Error>,
    rpc_filter: &MethodFilter,
    log_filter: Option<LogFilter>,
) -> Result<(rpc::Extension, rpc::Extension), rpc::Error> {
    let mut module = rpc::standard(deps)?;
    module.merge(own()?)?;
    if let Some(log_filter) = log_filter {
        rpc::serve_log_filter(&mut module, log_filter)?;
    }
    let all = module.clone();
    rpc::announce_ends(&mut module)?;
    rpc_filter.restrict(&mut module)?;
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
    /// and in `node/rpc/src/standard.rs`, part by part.
    const COMPARED_WITH: &str = "0.62.0";

    #[test]
    fn another_sdk_has_to_be_compared_for_new_tasks_and_methods() {
        let locked = include_str!("../../../Cargo.lock");
        let entry = format!("name = \"sc-service\"\nversion = \"{COMPARED_WITH}\"\n");
        assert!(
            locked.contains(&entry),
            "the SDK has moved on: look for tasks and methods that this node lacks"
        );
    }
}
