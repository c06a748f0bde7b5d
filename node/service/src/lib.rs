// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Puts a node together: database, network, RPC, block production, finality.

#![warn(missing_docs)]

pub mod chain_spec;
pub mod finality;

mod authoring;
mod components;
mod discovery;
mod essential;
mod genesis;
mod network;
mod ports;
mod prover;
mod spawn_tasks;
mod subscriptions;

pub use components::{new_partial, ConsensusComponents, NodeComponents};
pub use ports::NamedPorts;
pub use prover::StorageOptions;

use polkadot_sdk::*;
use std::sync::Arc;

use sc_chain_spec::ChainType;
use sc_client_api::BlockBackend;
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_service::{Configuration, Error as ServiceError, TaskManager};
use serde_json::Value;
use tos_node_logging::LogFilter;
use tos_node_rpc::{BabeDeps, FullDeps, GrandpaDeps, MethodFilter};
use tos_node_txpool::Amount;
use tos_runtime::{opaque::Block, Hash};

use authoring::AuthoringParams;
use finality::{FinalityOptions, VoterParams};
use network::{Network, NetworkParams};
use spawn_tasks::{OwnMethods, SpawnTasksParams};

/// Options of a node besides the SDK's configuration.
pub struct NodeOptions {
    /// The changes that a chain known by name makes to the default genesis.
    pub genesis: Option<Value>,
    /// `true` if the node computes the slots of the beacon. Without a word, nodes of development networks do.
    pub timekeeper: Option<bool>,
    /// Storage that it proves.
    pub storage: Option<StorageOptions>,
    /// Ports that are its operator's choice.
    pub ports: NamedPorts,
    /// The time it waits for votes.
    pub finality: FinalityOptions,
    /// Filter of its RPC methods.
    pub rpc_filter: MethodFilter,
    /// Transactions and bytes that its pool has room for.
    pub pool_room: Amount,
    /// Filter of its log, if that can be changed and is not the SDK's.
    pub log_filter: Option<LogFilter>,
}

/// Starts a node.
pub fn new_full<N: sc_network::NetworkBackend<Block, Hash>>(
    mut config: Configuration,
    options: NodeOptions,
) -> Result<TaskManager, ServiceError> {
    ports::settle(&mut config, options.ports)?;
    let is_development = matches!(config.chain_spec.chain_type(), ChainType::Development);
    let keeps_time = options.timekeeper.unwrap_or(is_development);
    let NodeComponents {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: pool,
        other:
            ConsensusComponents {
                block_import,
                beacon,
                beacon_events,
                grandpa_link,
                babe_link,
                babe_worker,
                mut telemetry,
            },
    } = components::new_partial_for(&config, options.genesis, keeps_time)?;
    pool.limit(options.pool_room);

    let slot_duration = babe_link.config().slot_duration();
    let gossip_duration = options
        .finality
        .gossip_duration(slot_duration.as_duration());
    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let registry = config.prometheus_registry().cloned();
    let keystore = keystore_container.keystore();
    let genesis_hash = client
        .block_hash(0)?
        .ok_or_else(|| ServiceError::Other("the database has no genesis block".into()))?;
    let storage = options.storage;
    let prover = storage
        .map(|storage| prover::open(storage, genesis_hash))
        .transpose()?;

    let Network {
        service: network,
        sync,
        system_rpc_tx,
        tx_handler_controller,
        beacon: beacon_gossip,
        grandpa: grandpa_protocol,
    } = network::build::<N>(
        &task_manager,
        NetworkParams {
            config: &config,
            client: Arc::clone(&client),
            backend: Arc::clone(&backend),
            pool: Arc::clone(&pool),
            import_queue,
            authority_set: grandpa_link.shared_authority_set().clone(),
            genesis_hash,
        },
    )?;

    tos_node_beacon::launch(
        &mut task_manager,
        tos_node_beacon::Launch {
            client: Arc::clone(&client),
            backend: Arc::clone(&backend),
            beacon: Arc::clone(&beacon),
            events: beacon_events,
            gossip: beacon_gossip,
            network: Arc::clone(&network),
            sync: Arc::clone(&sync),
            slot_ms: slot_duration.as_millis(),
        },
    )?;

    let voter_state = SharedVoterState::empty();
    let methods: OwnMethods = {
        let client = Arc::clone(&client);
        let pool = Arc::clone(&pool);
        let beacon = Arc::clone(&beacon);
        let babe = BabeDeps {
            worker: babe_worker,
            keystore: keystore.clone(),
            select_chain: select_chain.clone(),
        };
        let voter_state = voter_state.clone();
        let authority_set = grandpa_link.shared_authority_set().clone();
        let justifications = grandpa_link.justification_stream();
        let proofs = FinalityProofProvider::new_for_service(
            Arc::clone(&backend),
            Some(authority_set.clone()),
        );
        Box::new(move |executor| {
            tos_node_rpc::create_full(FullDeps {
                client,
                pool,
                beacon,
                babe,
                grandpa: GrandpaDeps {
                    voter_state,
                    authority_set,
                    justifications,
                    proofs,
                    executor,
                },
            })
        })
    };

    let discovery = discovery::config(&config);
    let local_rpc = spawn_tasks::spawn_tasks(
        &mut task_manager,
        SpawnTasksParams {
            config,
            client: Arc::clone(&client),
            backend,
            keystore: keystore.clone(),
            pool: Arc::clone(&pool),
            network: Arc::clone(&network),
            sync: Arc::clone(&sync),
            system_rpc_tx,
            tx_handler_controller,
            telemetry: telemetry.as_mut(),
            methods,
            rpc_filter: options.rpc_filter,
            log_filter: options.log_filter,
        },
    )?;
    if let Some(prover) = prover {
        prover::launch(
            &mut task_manager,
            prover,
            local_rpc,
            keystore.clone(),
            registry.as_ref(),
        )?;
    }
    tos_node_metrics::launch(&task_manager, Arc::clone(&client), registry.as_ref())?;
    let telemetry = telemetry.as_ref().map(|telemetry| telemetry.handle());

    if let Some(discovery) = discovery {
        discovery::start(
            &task_manager,
            discovery,
            Arc::clone(&client),
            Arc::clone(&network),
            keystore.clone(),
            registry.clone(),
        );
    }

    if role.is_authority() {
        authoring::start(
            &task_manager,
            AuthoringParams {
                client,
                pool: Arc::clone(&pool),
                select_chain,
                keystore: keystore.clone(),
                block_import,
                babe_link,
                beacon: Arc::clone(&beacon),
                sync: Arc::clone(&sync),
                force_authoring,
                registry: registry.clone(),
                telemetry: telemetry.clone(),
            },
        )?;
    }

    if enable_grandpa {
        finality::start_voter(
            &task_manager,
            VoterParams {
                beacon,
                gossip_duration,
                keystore,
                link: grandpa_link,
                name,
                network,
                pool,
                protocol: grandpa_protocol,
                registry,
                role,
                sync,
                telemetry,
                voter_state,
            },
        )?;
    }

    Ok(task_manager)
}
