// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Block production by BABE, with the slots of the beacon that this node knows.

use polkadot_sdk::*;
use std::sync::Arc;

use sc_consensus_babe::{BabeLink, SlotProportion};
use sc_network_sync::SyncingService;
use sc_service::{Error as ServiceError, TaskManager};
use sc_telemetry::TelemetryHandle;
use sp_consensus_babe::inherents::InherentDataProvider as BabeInherent;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;
use tos_node_beacon::{Beacon, Readiness, Slots};
use tos_node_common::{FullClient, FullSelectChain};
use tos_node_txpool::FullPool;
use tos_runtime::opaque::Block;

use crate::{components::BlockImport, essential::Essential};

/// Parts of the node that authoring runs on.
pub(crate) struct AuthoringParams {
    pub client: Arc<FullClient>,
    pub pool: Arc<FullPool>,
    pub select_chain: FullSelectChain,
    pub keystore: KeystorePtr,
    pub block_import: BlockImport,
    pub babe_link: BabeLink<Block>,
    pub beacon: Arc<Beacon>,
    pub sync: Arc<SyncingService<Block>>,
    pub force_authoring: bool,
    pub registry: Option<Registry>,
    pub telemetry: Option<TelemetryHandle>,
}

/// Starts making blocks.
pub(crate) fn start(tasks: &TaskManager, params: AuthoringParams) -> Result<(), ServiceError> {
    let AuthoringParams {
        client,
        pool,
        select_chain,
        keystore,
        block_import,
        babe_link,
        beacon,
        sync,
        force_authoring,
        registry,
        telemetry,
    } = params;
    let proposer = sc_basic_authorship::ProposerFactory::new(
        tasks.spawn_handle(),
        Arc::clone(&client),
        pool,
        registry.as_ref(),
        telemetry.clone(),
    );
    let slot_duration = babe_link.config().slot_duration();
    let authoring_client = Arc::clone(&client);
    let babe = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
        keystore,
        client: Arc::clone(&client),
        select_chain,
        env: proposer,
        block_import,
        sync_oracle: Readiness::<Block, _, _>::new(client, Arc::clone(&beacon), Arc::clone(&sync)),
        justification_sync_link: sync,
        create_inherent_data_providers: move |parent, ()| {
            let (client, beacon) = (Arc::clone(&authoring_client), Arc::clone(&beacon));
            async move {
                let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
                let slot =
                    BabeInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration);
                let now_ms = timestamp.timestamp().as_millis();
                let slots = Slots::provide::<Block, _>(&*client, &beacon, parent, now_ms);
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
        telemetry,
    })?;
    Essential::of(tasks).spawn_blocking("babe-proposer", Some("block-authoring"), babe);
    Ok(())
}
