// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Components of a node without its network: database, pool, and the import of blocks.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle};
use sc_consensus_grandpa::{GrandpaBlockImport, LinkHalf};
use sc_service::{Configuration, Error as ServiceError, PartialComponents};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use serde_json::Value;
use sp_consensus_babe::inherents::{
    BabeCreateInherentDataProviders, InherentDataProvider as BabeInherent,
};
use tos_node_beacon::{Beacon, BeaconBlockImport, Events, ForkChoiceFilter};
use tos_node_common::{Executor, FullBackend, FullClient, FullSelectChain, HostFunctions};
use tos_node_txpool::{FullPool, GatedPool};
use tos_runtime::opaque::Block;

use crate::{essential::Essential, finality::JUSTIFICATION_PERIOD, genesis};

type GrandpaImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
type BabeImport = BabeBlockImport<
    Block,
    FullClient,
    ForkChoiceFilter<GrandpaImport, FullClient>,
    BabeCreateInherentDataProviders<Block>,
    FullSelectChain,
>;
/// Import of blocks: slots of the beacon are checked, then BABE, the choice of the fork, GRANDPA and the client follow.
pub(crate) type BlockImport = BeaconBlockImport<BabeImport, FullClient>;

/// Components that block import leaves behind for the tasks that produce and finalise blocks.
pub struct ConsensusComponents {
    pub(crate) block_import: BlockImport,
    pub(crate) beacon: Arc<Beacon>,
    pub(crate) beacon_events: Events,
    pub(crate) grandpa_link: LinkHalf<Block, FullClient, FullSelectChain>,
    pub(crate) babe_link: BabeLink<Block>,
    pub(crate) babe_worker: BabeWorkerHandle<Block>,
    pub(crate) telemetry: Option<Telemetry>,
}

/// Components of a node without its network.
pub type NodeComponents = PartialComponents<
    FullClient,
    FullBackend,
    FullSelectChain,
    sc_consensus::DefaultImportQueue<Block>,
    FullPool,
    ConsensusComponents,
>;

/// Opens the database and prepares the import of blocks. Subcommands need no more than this.
pub fn new_partial(config: &Configuration) -> Result<NodeComponents, ServiceError> {
    new_partial_for(config, None, false)
}

/// Components for a chain that is known by name and differs from the default genesis by `patch`, and a beacon that computes slots
/// if it keeps time.
pub(crate) fn new_partial_for(
    config: &Configuration,
    patch: Option<Value>,
    keeps_time: bool,
) -> Result<NodeComponents, ServiceError> {
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
        Essential::of(&task_manager),
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
    let (beacon, beacon_events) = tos_node_beacon::new(config.prometheus_registry(), keeps_time)?;
    let grandpa_import =
        ForkChoiceFilter::new(grandpa_import, Arc::clone(&client), Arc::clone(&beacon));

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
            spawner: &Essential::of(&task_manager),
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
        other: ConsensusComponents {
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
