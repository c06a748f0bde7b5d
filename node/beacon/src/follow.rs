// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Reads the beacon from the chain and follows the best block.

use polkadot_sdk::*;
use std::{collections::VecDeque, sync::Arc};

use futures::StreamExt;
use sc_consensus_babe::find_pre_digest;
use sp_api::{ApiError, ApiExt};
use sp_core::H256;
use sp_runtime::traits::Block as BlockT;
use tos_runtime_api::BeaconApi;
use tos_types::beacon::{Epoch, Head, Slot};
use tos_vdf::VdfParams;
use tos_views::{BeaconView, SlotRecordView};

use super::{client::BeaconClient, slot::SlotInputs, state::Beacon, tip::BeaconTip, LOG};

/// Datasets that were asked for lately; asking again is cheap, so a short memory does.
const PREPARED: usize = 8;

/// Tip that a view describes.
pub fn tip_of(view: &BeaconView) -> BeaconTip {
    BeaconTip {
        config: view.config,
        head: view.head,
        end: view.end,
        next_iteration: view.next_iteration,
        genesis_ms: view.genesis_ms,
        epochs: view
            .epochs
            .iter()
            .map(|epoch| Epoch {
                number: epoch.number,
                seed: epoch.seed,
                params: epoch.params,
            })
            .collect(),
        entropy: view
            .injections
            .iter()
            .filter_map(|injection| {
                Some((view.config.injects_at(injection.slot)?, injection.entropy))
            })
            .collect(),
    }
}

/// The beacon after the block `at`.
pub fn tip_at<Block, C>(client: &C, at: H256) -> Result<BeaconTip, ApiError>
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    Ok(tip_of(&client.runtime_api().beacon(at)?))
}

/// The beacon after the block `at`; `None` on a chain that has none.
pub fn tip_if_any<Block, C>(client: &C, at: H256) -> Result<Option<BeaconTip>, ApiError>
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    let version = client
        .runtime_api()
        .api_version::<dyn BeaconApi<Block>>(at)?;
    version.map(|_| tip_at(client, at)).transpose()
}

/// The time at which a block's BABE slot of so many milliseconds began.
fn began<Block, C>(client: &C, at: H256, slot_ms: u64) -> Option<u64>
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    let header = client.header(at).ok()??;
    let digest = find_pre_digest::<Block>(&header).ok()?;
    Some(u64::from(digest.slot()).saturating_mul(slot_ms))
}

/// Follows the best block for as long as the node runs.
pub async fn follow<Block, C>(client: Arc<C>, beacon: Arc<Beacon>, slot_ms: u64)
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    let mut blocks = client.import_notification_stream();
    let mut prepared = Prepared::default();
    let mut at = client.info().best_hash;
    loop {
        if let Some(time_ms) = began(&*client, at, slot_ms) {
            beacon.gate.set_best_time(time_ms);
        }
        match tip_if_any(&*client, at) {
            Ok(None) => {}
            Ok(Some(tip)) => {
                if beacon.gate.follows_head() {
                    prepared.prepare(&tip);
                    check_head(&*client, at, &tip, &beacon);
                }
                beacon.set_tip(tip);
            }
            Err(error) => log::debug!(target: LOG, "block {at:?} says nothing: {error}"),
        }
        at = loop {
            match blocks.next().await {
                Some(block) if block.is_new_best => break block.hash,
                Some(_) => {}
                None => return,
            }
        };
    }
}

/// Datasets are built in the background as soon as their epoch is fixed: building one takes
/// longer than a slot.
#[derive(Default)]
struct Prepared(VecDeque<(VdfParams, tos_vdf::Hash)>);

impl Prepared {
    /// The datasets of a tip that were not asked for yet.
    fn missing(&mut self, tip: &BeaconTip) -> Vec<(VdfParams, tos_vdf::Hash)> {
        let wanted = tip.epochs_to_come().map(|epoch| (epoch.params, epoch.seed));
        let missing: Vec<_> = wanted.filter(|key| !self.0.contains(key)).collect();
        self.0.extend(missing.iter().copied());
        let excess = self.0.len().saturating_sub(PREPARED);
        self.0.drain(..excess);
        missing
    }

    fn prepare(&mut self, tip: &BeaconTip) {
        let missing = self.missing(tip);
        if missing.is_empty() {
            return;
        }
        let built = std::thread::Builder::new()
            .name("beacon-dataset".into())
            .spawn(move || {
                for (params, seed) in missing {
                    if tos_host_functions::cache::dataset(&params, &seed).is_none() {
                        log::warn!(target: LOG, "a dataset of {} KiB cannot be built", params.memory_kib());
                    }
                }
            });
        if let Err(error) = built {
            log::warn!(target: LOG, "no thread for building a dataset: {error}");
        }
    }
}

/// The inputs of the chain's head, if the two last records tell them.
fn head_inputs(tip: &BeaconTip, records: &[SlotRecordView]) -> Option<SlotInputs> {
    let [before, head] = records else {
        return None;
    };
    let linked = before.slot.checked_add(1) == Some(head.slot) && head.slot == tip.head;
    let from = Head {
        slot: before.slot,
        end: before.end,
        next_iteration: head.first_iteration,
    };
    linked.then(|| tip.follow(&from))?.ok()
}

/// Compares the chain's head with what this node computed. Blocks are checked before they are
/// imported, so a difference means faulty memory, or a block that came while the node was
/// synchronising and is false.
fn check_head<Block, C>(client: &C, at: H256, tip: &BeaconTip, beacon: &Arc<Beacon>)
where
    Block: BlockT<Hash = H256>,
    C: BeaconClient<Block>,
{
    let Some(before) = tip.head.checked_sub(1).filter(|slot| *slot > 0) else {
        return;
    };
    let Ok(records) = client.runtime_api().beacon_records(at, before, 2) else {
        return;
    };
    let (Some(inputs), Some(head)) = (head_inputs(tip, &records), records.last()) else {
        return;
    };
    let (end, root) = (head.end, head.fine_root);
    let differs = beacon
        .store
        .cached(&inputs.id())
        .is_some_and(|known| !known.agrees(&end, &root));
    if differs {
        let beacon = Arc::clone(beacon);
        // A second of computing does not belong into a task of the executor.
        let _ = std::thread::Builder::new()
            .name("beacon-recheck".into())
            .spawn(move || {
                report(
                    inputs.slot,
                    beacon.evaluator.recompute(&inputs),
                    &end,
                    &root,
                )
            });
    }
}

fn report(
    slot: Slot,
    again: Result<super::cache::VerifiedSlot, super::evaluator::Interrupted>,
    end: &tos_vdf::State,
    root: &tos_vdf::Hash,
) {
    if again.is_ok_and(|again| !again.agrees(end, root)) {
        log::error!(
            target: LOG,
            "the chain includes a false slot {slot}: anybody can prove it with `dispute_slot`"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tip;
    use tos_types::beacon::BeaconConfig;
    use tos_views::{EpochView, InjectionView};

    fn record(slot: Slot) -> SlotRecordView {
        SlotRecordView {
            slot,
            end: [u8::try_from(slot).expect("small"); 64],
            fine_root: Default::default(),
            first_iteration: slot * 1_280,
            block: 1,
            output: Default::default(),
        }
    }

    #[test]
    fn the_inputs_of_the_head_come_from_the_record_before_it() {
        let tip = tip(7);
        let inputs = head_inputs(&tip, &[record(6), record(7)]).expect("linked");
        assert_eq!((inputs.slot, inputs.start), (7, [6; 64]));
        assert_eq!(inputs.first_iteration, 7 * 1_280);
    }

    #[test]
    fn records_that_do_not_lead_to_the_head_say_nothing() {
        let tip = tip(7);
        assert_eq!(head_inputs(&tip, &[record(5), record(7)]), None);
        assert_eq!(head_inputs(&tip, &[record(7), record(8)]), None);
        assert_eq!(head_inputs(&tip, &[record(7)]), None);
        assert_eq!(head_inputs(&tip, &[]), None);
    }

    #[test]
    fn entropy_is_found_by_the_window_that_recorded_it() {
        let view = BeaconView {
            config: BeaconConfig::FAST,
            head: 24,
            end: [1; 64],
            next_iteration: 24 * 1_280,
            next_start: None,
            window: 2,
            epochs: vec![EpochView {
                number: 0,
                seed: [2; 32],
                params: VdfParams::TEST,
            }],
            injections: vec![InjectionView {
                slot: 25,
                entropy: [3; 32],
            }],
            genesis_ms: None,
            degraded: false,
            last_progress: Some(1),
            next_params: None,
        };
        let tip = tip_of(&view);
        assert_eq!(tip.entropy, [(1, [3; 32])].into());
        let start = tip.first().expect("known").start;
        assert_eq!(start, tos_vdf::inject(&[1; 64], &[3; 32]));
    }

    #[test]
    fn a_dataset_is_prepared_once() {
        let mut prepared = Prepared::default();
        assert_eq!(prepared.missing(&tip(1)).len(), 1);
        assert_eq!(prepared.missing(&tip(2)).len(), 0);
        for seed in 0..20 {
            let mut other = tip(3);
            other.epochs[0].seed = [seed; 32];
            prepared.missing(&other);
        }
        assert_eq!(prepared.0.len(), PREPARED);
    }
}
