// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Puts a node together: database, network, block production, finality.

use crate::{
    background::{self, Background},
    beacon::{self, Beacon, BeaconBlockImport},
    client::{Executor, FullBackend, FullClient, FullSelectChain, TransactionPool},
    finality::FinalityOptions,
    genesis,
    host_functions::HostFunctions,
    logging::Levels,
    offchain,
    pool::{Amount, GatedPool},
    prover::{self, StorageOptions},
    rpc::{self, MethodLists},
};
use polkadot_sdk::*;

use std::sync::Arc;

use futures::prelude::*;
use sc_chain_spec::ChainType;
use sc_client_api::BlockBackend;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf, SharedVoterState};
use sc_network::{event::Event, NetworkEventStream};
use sc_service::{
    build_network, BuildNetworkParams, Configuration, Error as ServiceError, PartialComponents,
    TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use serde_json::Value;
use sp_consensus_babe::inherents::{
    BabeCreateInherentDataProviders, InherentDataProvider as BabeInherent,
};
use sp_runtime::traits::Block as BlockT;
use tos_runtime::opaque::Block;

/// Blocks between two finality proofs that are kept for nodes that join later.
const JUSTIFICATION_PERIOD: u32 = 512;

type GrandpaImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type BlockImport = BeaconBlockImport<BabeImport>;
type BabeImport = BabeBlockImport<
    Block,
    FullClient,
    beacon::Aside<GrandpaImport, FullClient>,
    BabeCreateInherentDataProviders<Block>,
    FullSelectChain,
>;

/// What block import leaves behind for the tasks that produce and finalise blocks.
pub struct ConsensusParts {
    block_import: BlockImport,
    beacon: Arc<Beacon>,
    beacon_events: beacon::Events,
    grandpa_link: LinkHalf<Block, FullClient, FullSelectChain>,
    babe_link: BabeLink<Block>,
    babe_worker: BabeWorkerHandle<Block>,
    telemetry: Option<Telemetry>,
}

/// A node without its network.
pub type Parts = PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    TransactionPool,
    ConsensusParts,
>;

/// Open the database and prepare the import of blocks. Subcommands need no more than this.
pub fn new_partial(config: &Configuration) -> Result<Parts, ServiceError> {
    new_partial_of(config, None)
}

/// The same for a chain that is known by name and differs from the default genesis by `patch`.
fn new_partial_of(config: &Configuration, patch: Option<Value>) -> Result<Parts, ServiceError> {
    let telemetry = config
        .telemetry_endpoints
        .clone()
        .filter(|endpoints| !endpoints.is_empty())
        .map(|endpoints| -> Result<_, sc_telemetry::Error> {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Ok((worker, telemetry))
        })
        .transpose()?;

    let (client, backend, keystore_container, task_manager) = genesis::open(
        config,
        patch,
        telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
        Executor::new(sc_service::new_wasm_executor::<HostFunctions>(
            &config.executor,
        )),
    )?;
    let client = Arc::new(client);

    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager
            .spawn_handle()
            .spawn("telemetry", None, worker.run());
        telemetry
    });
    let telemetry_handle = || telemetry.as_ref().map(|telemetry| telemetry.handle());

    let select_chain = sc_consensus::LongestChain::new(Arc::clone(&backend));

    let pool = sc_transaction_pool::Builder::new(
        task_manager.spawn_essential_handle(),
        Arc::clone(&client),
        config.role.is_authority().into(),
    )
    .with_options(config.transaction_pool.clone())
    .with_prometheus(config.prometheus_registry())
    .build();
    let transaction_pool = Arc::new(GatedPool::new(pool, Arc::clone(&client)));

    let (grandpa_import, grandpa_link) = sc_consensus_grandpa::block_import(
        Arc::clone(&client),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        telemetry_handle(),
    )?;
    let justification_import = grandpa_import.clone();
    let (beacon, beacon_events) = beacon::new(config.prometheus_registry())?;
    let grandpa_import =
        beacon::Aside::new(grandpa_import, Arc::clone(&client), Arc::clone(&beacon));

    // Fixed at genesis, so that reading it once is enough.
    let babe_config = sc_consensus_babe::configuration(&*client)?;
    let slot_duration = babe_config.slot_duration();
    let (block_import, babe_link) = sc_consensus_babe::block_import(
        babe_config,
        grandpa_import,
        Arc::clone(&client),
        Arc::new(move |_, _| async move {
            let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
            let slot = BabeInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration);
            Ok((slot, timestamp))
        }) as BabeCreateInherentDataProviders<Block>,
        select_chain.clone(),
        OffchainTransactionPoolFactory::new(Arc::clone(&transaction_pool)),
    )?;
    let block_import = BeaconBlockImport::new(
        block_import,
        Arc::clone(&client),
        Arc::clone(&beacon),
        slot_duration.as_millis(),
    );

    let (import_queue, babe_worker) =
        sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
            link: babe_link.clone(),
            block_import: block_import.clone(),
            justification_import: Some(Box::new(justification_import)),
            client: Arc::clone(&client),
            slot_duration,
            spawner: &task_manager.spawn_essential_handle(),
            registry: config.prometheus_registry(),
            telemetry: telemetry_handle(),
        })?;

    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: ConsensusParts {
            block_import,
            beacon,
            beacon_events,
            grandpa_link,
            babe_link,
            babe_worker,
            telemetry,
        },
    })
}

/// What a node is told beside the SDK's configuration.
pub struct Options {
    /// The changes that a chain known by name makes to the default genesis.
    pub genesis: Option<Value>,
    /// Says if it computes the slots of the beacon. Without a word, nodes of development networks do.
    pub timekeeper: Option<bool>,
    /// Storage that it proves.
    pub storage: Option<StorageOptions>,
    /// The time it waits for votes.
    pub finality: FinalityOptions,
    /// Which RPC methods it serves.
    pub methods: MethodLists,
    /// Transactions and bytes that its pool has room for.
    pub pool_room: Amount,
    /// What changes the levels of its log, if that is not the SDK's.
    pub levels: Option<Levels>,
}

/// Start a node.
pub fn new_full<N: sc_network::NetworkBackend<Block, <Block as BlockT>::Hash>>(
    config: Configuration,
    options: Options,
) -> Result<TaskManager, ServiceError> {
    let Options {
        genesis,
        timekeeper,
        storage,
        finality,
        methods,
        pool_room,
        levels,
    } = options;
    let Parts {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other:
            ConsensusParts {
                block_import,
                beacon,
                beacon_events,
                grandpa_link,
                babe_link,
                babe_worker,
                mut telemetry,
            },
    } = new_partial_of(&config, genesis)?;
    transaction_pool.limit(pool_room);

    let gossip_duration =
        finality.gossip_duration(babe_link.config().slot_duration().as_duration());
    let role = config.role;
    let force_authoring = config.force_authoring;
    let name = config.network.node_name.clone();
    let enable_grandpa = !config.disable_grandpa;
    let is_development = matches!(config.chain_spec.chain_type(), ChainType::Development);
    let keeps_time = timekeeper.unwrap_or(is_development);
    let registry = config.prometheus_registry().cloned();
    let keystore = keystore_container.keystore();

    let genesis_hash = client
        .block_hash(0)?
        .ok_or_else(|| ServiceError::Other("the database has no genesis block".into()))?;
    let storage = storage
        .map(|storage| prover::open(storage, genesis_hash))
        .transpose()?;
    let grandpa_protocol =
        sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);

    let mut net_config = sc_network::config::FullNetworkConfiguration::<_, _, N>::new(
        &config.network,
        registry.clone(),
    );
    let metrics = N::register_notification_metrics(registry.as_ref());
    let (grandpa_notifications_config, grandpa_notifications) =
        sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
            grandpa_protocol.clone(),
            metrics.clone(),
            net_config.peer_store_handle(),
        );
    net_config.add_notification_protocol(grandpa_notifications_config);
    let (beacon_gossip, beacon_notifications_config) = beacon::Gossip::new::<N>(
        genesis_hash,
        config.chain_spec.fork_id(),
        metrics.clone(),
        net_config.peer_store_handle(),
    );
    net_config.add_notification_protocol(beacon_notifications_config);

    let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
        Arc::clone(&backend),
        grandpa_link.shared_authority_set().clone(),
        Vec::new(),
    ));

    let (network, questions, transactions, sync_service, _) = build_network(BuildNetworkParams {
        config: &config,
        net_config,
        client: Arc::clone(&client),
        transaction_pool: Arc::clone(&transaction_pool),
        spawn_handle: task_manager.spawn_handle(),
        spawn_essential_handle: task_manager.spawn_essential_handle(),
        import_queue,
        block_announce_validator_builder: None,
        warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
        block_relay: None,
        metrics,
        gap_sync_body_policy: None,
    })?;

    beacon::launch(
        &mut task_manager,
        beacon::Launch {
            client: Arc::clone(&client),
            backend: Arc::clone(&backend),
            beacon: Arc::clone(&beacon),
            events: beacon_events,
            gossip: beacon_gossip,
            network: Arc::clone(&network),
            sync: Arc::clone(&sync_service),
            slot_ms: babe_link.config().slot_duration().as_millis(),
            keeps_time,
        },
    )?;

    if config.offchain_worker.enabled {
        offchain::launch(
            &task_manager,
            offchain::Launch {
                client: Arc::clone(&client),
                backend: Arc::clone(&backend),
                keystore: keystore.clone(),
                pool: Arc::clone(&transaction_pool),
                network: Arc::clone(&network),
                is_validator: role.is_authority(),
            },
        )?;
    }

    let voter_state = SharedVoterState::empty();
    let own_methods = {
        let client = Arc::clone(&client);
        let pool = Arc::clone(&transaction_pool);
        let beacon = Arc::clone(&beacon);
        let select_chain = select_chain.clone();
        let keystore = keystore.clone();
        let voter_state = voter_state.clone();
        let authority_set = grandpa_link.shared_authority_set().clone();
        let justifications = grandpa_link.justification_stream();
        let proofs = sc_consensus_grandpa::FinalityProofProvider::new_for_service(
            Arc::clone(&backend),
            Some(authority_set.clone()),
        );
        move |executor| {
            rpc::create_full(rpc::FullDeps {
                client,
                pool,
                beacon,
                babe: rpc::BabeDeps {
                    worker: babe_worker,
                    keystore,
                    select_chain,
                },
                grandpa: rpc::GrandpaDeps {
                    voter_state,
                    authority_set,
                    justifications,
                    proofs,
                    executor,
                },
            })
        }
    };

    let discovery = role
        .is_authority()
        .then(|| sc_authority_discovery::WorkerConfig {
            publish_non_global_ips: config.network.allow_non_globals_in_dht,
            public_addresses: config.network.public_addresses.clone(),
            persisted_cache_directory: config.network.net_config_path.clone(),
            ..Default::default()
        });

    let local_rpc = background::launch(
        &mut task_manager,
        Background {
            config,
            client: Arc::clone(&client),
            backend,
            keystore: keystore.clone(),
            pool: Arc::clone(&transaction_pool),
            network: Arc::clone(&network),
            sync: Arc::clone(&sync_service),
            questions,
            transactions,
            telemetry: telemetry.as_mut(),
            methods: Box::new(own_methods),
            lists: methods,
            levels,
        },
    )?;
    if let Some(prover) = storage {
        prover::launch(&task_manager, prover, local_rpc, keystore.clone())?;
    }
    crate::metrics::launch(&task_manager, Arc::clone(&client), registry.as_ref())?;
    let telemetry_handle = || telemetry.as_ref().map(|telemetry| telemetry.handle());

    if let Some(discovery) = discovery {
        let dht_events = network
            .event_stream("authority-discovery")
            .filter_map(|event| async {
                match event {
                    Event::Dht(event) => Some(event),
                    _ => None,
                }
            });
        let (worker, _) = sc_authority_discovery::new_worker_and_service_with_config(
            discovery,
            Arc::clone(&client),
            Arc::new(Arc::clone(&network)),
            Box::pin(dht_events),
            sc_authority_discovery::Role::PublishAndDiscover(keystore.clone()),
            registry.clone(),
            task_manager.spawn_handle(),
        );
        task_manager.spawn_handle().spawn(
            "authority-discovery-worker",
            Some("networking"),
            worker.run(),
        );
    }

    let only_checked = beacon::OnlyChecked(Arc::clone(&beacon));
    if role.is_authority() {
        let proposer = sc_basic_authorship::ProposerFactory::new(
            task_manager.spawn_handle(),
            Arc::clone(&client),
            Arc::clone(&transaction_pool),
            registry.as_ref(),
            telemetry_handle(),
        );
        let slot_duration = babe_link.config().slot_duration();
        let authoring_client = Arc::clone(&client);
        let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
            keystore: keystore.clone(),
            client: Arc::clone(&client),
            select_chain,
            env: proposer,
            block_import,
            sync_oracle: beacon::Readiness {
                chain: Arc::clone(&client),
                beacon: Arc::clone(&beacon),
                sync: Arc::clone(&sync_service),
            },
            justification_sync_link: Arc::clone(&sync_service),
            create_inherent_data_providers: move |parent, ()| {
                let (client, beacon) = (Arc::clone(&authoring_client), Arc::clone(&beacon));
                async move {
                    let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
                    let slot =
                        BabeInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration);
                    let now_ms = timestamp.timestamp().as_millis();
                    let slots = beacon::Slots::provide(&client, &beacon, parent, now_ms);
                    Ok((slot, timestamp, slots))
                }
            },
            force_authoring,
            // Authors slow down when finality lags, so that an outage stays a short fork.
            backoff_authoring_blocks: Some(
                sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging::default(),
            ),
            babe_link,
            block_proposal_slot_portion: SlotProportion::new(0.5),
            max_block_proposal_slot_portion: None,
            telemetry: telemetry_handle(),
        })?;
        task_manager.spawn_essential_handle().spawn_blocking(
            "babe-proposer",
            Some("block-authoring"),
            babe,
        );
    }

    if enable_grandpa {
        let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
            config: sc_consensus_grandpa::Config {
                gossip_duration,
                justification_generation_period: JUSTIFICATION_PERIOD,
                observer_enabled: false,
                local_role: role,
                name: Some(name),
                // A node that does not vote follows the votes of others.
                keystore: role.is_authority().then_some(keystore),
                telemetry: telemetry_handle(),
                protocol_name: grandpa_protocol,
            },
            link: grandpa_link,
            network,
            sync: sync_service,
            notification_service: grandpa_notifications,
            // Votes go to the best block itself, not two blocks behind it as the SDK's default rule has them
            // (docs/decisions/013-votes-for-the-best-block.md); a long unfinalised chain is taken in parts.
            // Nothing is voted for whose slots this node has not checked
            // (docs/decisions/016-no-vote-on-unchecked-slots.md).
            voting_rule: sc_consensus_grandpa::VotingRulesBuilder::new()
                .add(only_checked)
                .add(sc_consensus_grandpa::ThreeQuartersOfTheUnfinalizedChain)
                .build(),
            prometheus_registry: registry,
            shared_voter_state: voter_state,
            telemetry: telemetry_handle(),
            offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
        })?;
        // A validator that silently stopped voting would be worse than one that stops.
        task_manager
            .spawn_essential_handle()
            .spawn_blocking("grandpa-voter", None, voter);
    }

    Ok(task_manager)
}
