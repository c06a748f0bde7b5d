// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! What the protocol does, for Prometheus.
//!
//! Gauges show the state after the best block. Counters and histograms count what happened in final
//! blocks since the node started, so that no fork counts twice; what happened while a node was
//! synchronising, or while its state was pruned already, is not counted.

mod counts;
mod gauges;

use polkadot_sdk::*;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use codec::Decode;
use futures::{stream, StreamExt};
use sc_client_api::{BlockchainEvents, StorageKey, StorageProvider};
use sc_service::{Error as ServiceError, TaskManager};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use substrate_prometheus_endpoint::Registry;
use tos_primitives::{views::TimelineEntry, Phase};
use tos_runtime::{opaque::Block, AccountId, Hash, RuntimeEvent};
use tos_runtime_api::TosApi;

use self::{counts::Counts, gauges::Gauges};
use crate::{client::FullClient, offers};

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

/// What the node is told.
enum News {
    /// There is another best block.
    Best(Hash),
    /// These blocks are final, in this order.
    Final(Vec<Hash>),
}

async fn follow(client: Arc<FullClient>, gauges: Gauges, mut counts: Counts) {
    let best = client
        .import_notification_stream()
        .filter(|block| futures::future::ready(block.is_new_best))
        .map(|block| News::Best(block.hash));
    let last = client.finality_notification_stream().map(|block| {
        // A block's finality is its ancestors' too.
        let ancestors = block.tree_route.iter().copied();
        News::Final(ancestors.chain([block.hash]).collect())
    });
    gauges.read(&client, client.info().best_hash);
    let mut news = stream::select(best, last);
    let mut read = Instant::now();
    while let Some(news) = news.next().await {
        match news {
            News::Best(at) if read.elapsed() >= PAUSE => {
                gauges.read(&client, at);
                read = Instant::now();
            }
            News::Best(_) => {}
            News::Final(blocks) => {
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
    match offers::answers::<dyn TosApi<Block, AccountId>>(client, at) {
        Ok(true) => {}
        Ok(false) => return counts.block(number),
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

/// The name of a phase as a label.
fn label(phase: Phase) -> &'static str {
    match phase {
        Phase::Open => "open",
        Phase::AnswerReveal => "answer_reveal",
        Phase::PanelDraw => "panel_draw",
        Phase::VoteCommit => "vote_commit",
        Phase::VoteReveal => "vote_reveal",
        Phase::Challenge => "challenge",
        Phase::Closed(_) => "closed",
    }
}

/// All phases' labels, so that each has a series before it first occurs.
const PHASES: [&str; 7] = [
    "open",
    "answer_reveal",
    "panel_draw",
    "vote_commit",
    "vote_reveal",
    "challenge",
    "closed",
];

/// Blocks that each phase of a task took, and blocks from the draw of its first panel to its end.
struct Spans {
    phases: Vec<(&'static str, u32)>,
    life: Option<u32>,
    validation: Option<u32>,
}

impl Spans {
    fn of(timeline: &[TimelineEntry]) -> Self {
        let phases = timeline
            .windows(2)
            .filter_map(|pair| match pair {
                [one, next] => Some((label(one.phase), next.block.saturating_sub(one.block))),
                _ => None,
            })
            .collect();
        let end = timeline
            .last()
            .filter(|entry| matches!(entry.phase, Phase::Closed(_)))
            .map(|entry| entry.block);
        let since = |start: Option<&TimelineEntry>| Some(end?.saturating_sub(start?.block));
        Self {
            phases,
            life: since(timeline.first()),
            validation: since(
                timeline
                    .iter()
                    .find(|entry| matches!(entry.phase, Phase::PanelDraw)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tos_primitives::Closure;

    fn entry(phase: Phase, block: u32) -> TimelineEntry {
        TimelineEntry {
            phase,
            round: 0,
            tick: block,
            block,
        }
    }

    #[test]
    fn a_timeline_tells_how_long_phases_validation_and_life_took() {
        let spans = Spans::of(&[
            entry(Phase::Open, 10),
            entry(Phase::AnswerReveal, 30),
            entry(Phase::PanelDraw, 35),
            entry(Phase::VoteCommit, 36),
            entry(Phase::Closed(Closure::Settled), 60),
        ]);
        assert_eq!(
            spans.phases,
            [
                ("open", 20),
                ("answer_reveal", 5),
                ("panel_draw", 1),
                ("vote_commit", 24)
            ]
        );
        assert_eq!((spans.life, spans.validation), (Some(50), Some(25)));
    }

    #[test]
    fn a_task_without_a_panel_or_an_end_has_no_validation() {
        let cancelled = Spans::of(&[
            entry(Phase::Open, 10),
            entry(Phase::Closed(Closure::Cancelled), 12),
        ]);
        assert_eq!((cancelled.life, cancelled.validation), (Some(2), None));
        let open = Spans::of(&[entry(Phase::Open, 10), entry(Phase::PanelDraw, 11)]);
        assert_eq!((open.life, open.validation), (None, None));
        let pruned = Spans::of(&[]);
        assert_eq!((pruned.life, pruned.phases.len()), (None, 0));
    }

    #[test]
    fn every_phase_has_a_label_that_is_registered() {
        for phase in [
            Phase::Open,
            Phase::AnswerReveal,
            Phase::PanelDraw,
            Phase::VoteCommit,
            Phase::VoteReveal,
            Phase::Challenge,
            Phase::Closed(Closure::Expired),
        ] {
            assert!(PHASES.contains(&label(phase)), "{phase:?}");
        }
    }
}
