// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Metrics of the protocol, for Prometheus.
//!
//! Gauges show the state after the best block. Counters and histograms count what happened in final
//! blocks since the node started, so that no fork counts twice; what happened while a node was
//! synchronising, or while its state was pruned already, is not counted.

#![warn(missing_docs)]

mod counts;
mod gauges;
mod phases;

use polkadot_sdk::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use codec::Decode;
use futures::{stream, StreamExt};
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use sc_service::{Error as ServiceError, TaskManager};
use sp_api::{ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use substrate_prometheus_endpoint::Registry;
use tos_node_common::FullClient;
use tos_runtime::{opaque::Block, AccountId, Hash, RuntimeEvent};
use tos_runtime_api::TosApi;

use self::{counts::Counts, gauges::Gauges};

const LOG: &str = "metrics";
/// The least time between two readings of the best block: a node that catches up imports hundreds
/// of blocks per second, and Prometheus asks every few seconds.
const PAUSE: Duration = Duration::from_secs(2);

/// One event of a block, as the runtime stores it.
type Record = frame_system::EventRecord<RuntimeEvent, Hash>;

/// Registers everything and follows the chain for as long as the node runs.
pub fn launch(
    tasks: &TaskManager,
    client: Arc<FullClient>,
    registry: Option<&Registry>,
) -> Result<(), ServiceError> {
    let Some(registry) = registry else {
        return Ok(());
    };
    let gauges = Gauges::register(registry)?;
    let counts = Counts::register(registry)?;
    // Reading a block executes the runtime, which does not belong into a thread of the network.
    tasks.spawn_handle().spawn_blocking(
        "protocol-metrics",
        Some("metrics"),
        follow(client, gauges, counts),
    );
    Ok(())
}

/// Notification of the chain.
enum ChainNotification {
    /// There is another best block.
    Best(Hash),
    /// These blocks are final, in this order.
    Final(Vec<Hash>),
}

async fn follow(client: Arc<FullClient>, gauges: Gauges, mut counts: Counts) {
    let best = client
        .import_notification_stream()
        .filter(|block| futures::future::ready(block.is_new_best))
        .map(|block| ChainNotification::Best(block.hash));
    let last = client.finality_notification_stream().map(|block| {
        // A block's finality is its ancestors' too.
        let ancestors = block.tree_route.iter().copied();
        ChainNotification::Final(ancestors.chain([block.hash]).collect())
    });
    gauges.read(&client, client.info().best_hash);
    let mut notifications = stream::select(best, last);
    let mut read = Instant::now();
    while let Some(notification) = notifications.next().await {
        match notification {
            ChainNotification::Best(at) if read.elapsed() >= PAUSE => {
                gauges.read(&client, at);
                read = Instant::now();
            }
            ChainNotification::Best(_) => {}
            ChainNotification::Final(blocks) => {
                for at in blocks {
                    count(&client, at, &mut counts);
                }
            }
        }
    }
}

/// Counts what happened in one final block.
fn count(client: &FullClient, at: Hash, counts: &mut Counts) {
    let Ok(Some(number)) = client.number(at) else {
        return;
    };
    // Events of another runtime must not be read as those of TOS.
    let api = client.runtime_api();
    match api.api_version::<dyn TosApi<Block, AccountId>>(at) {
        Ok(Some(_)) => {}
        Ok(None) => return counts.block(number),
        Err(_) => return counts.unread(),
    }
    let Some(records) = events(client, at) else {
        counts.unread();
        return;
    };
    for record in &records {
        if let Some(closed) = counts.event(number, &record.event) {
            let api = client.runtime_api();
            match TosApi::<Block, AccountId>::timeline(&*api, at, closed) {
                Ok(timeline) => counts.lifetime(&timeline),
                Err(error) => log::debug!(target: LOG, "the timeline of {closed:?}: {error}"),
            }
        }
    }
    counts.block(number);
}

/// The events of a block. `None` when its state is pruned, or written by a runtime that this node
/// is older than.
fn events(client: &FullClient, at: Hash) -> Option<Vec<Record>> {
    let key = [
        sp_io::hashing::twox_128(b"System"),
        sp_io::hashing::twox_128(b"Events"),
    ]
    .concat();
    let stored = match client.storage(at, &StorageKey(key)) {
        Ok(Some(stored)) => stored,
        // A block always has events; only a state that is not there has none.
        Ok(None) => return None,
        Err(error) => {
            log::debug!(target: LOG, "the events of {at:?}: {error}");
            return None;
        }
    };
    Vec::<Record>::decode(&mut &stored.0[..])
        .inspect_err(|error| log::debug!(target: LOG, "the events of {at:?}: {error}"))
        .ok()
}
