// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Tips, inputs and results for tests.

use polkadot_sdk::*;
use std::{collections::BTreeMap, sync::Arc};

use sp_blockchain::{BlockStatus, HeaderBackend, Info};
use sp_core::H256;
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, Header as _},
    OpaqueExtrinsic,
};
use tos_types::beacon::{BeaconConfig, Epoch, Slot};
use tos_vdf::{SlotProof, VdfParams};

use super::{
    slot::SlotInputs,
    state::{Beacon, Events},
    tip::BeaconTip,
};

/// Header of the blocks of tests.
pub type Header = generic::Header<u32, BlakeTwo256>;
/// Block of tests, as of a TOS chain.
pub type Block = generic::Block<Header, OpaqueExtrinsic>;

/// A beacon without a chain.
pub fn beacon() -> (Arc<Beacon>, Events) {
    Beacon::new(None, false)
}

/// From now on the node follows the head of its chain.
pub fn following(beacon: &Beacon) {
    beacon.gate.set_oracle(Arc::new(sp_consensus::NoNetwork));
}

/// A block of a chain in which every block has the number of the one before, plus one.
pub fn header(number: u32) -> Header {
    let parent = match number.checked_sub(1) {
        Some(parent) => header(parent).hash(),
        None => Default::default(),
    };
    Header::new(
        number,
        Default::default(),
        Default::default(),
        parent,
        Default::default(),
    )
}

/// The headers of such a chain.
pub struct Chain {
    headers: Vec<Header>,
    finalised: u32,
}

impl Chain {
    /// Blocks 0 to `best`; those up to `finalised` are final.
    pub fn of(best: u32, finalised: u32) -> Self {
        Self {
            headers: (0..=best).map(header).collect(),
            finalised,
        }
    }

    /// The block of this number.
    pub fn at(&self, number: u32) -> Header {
        header(number)
    }
}

impl HeaderBackend<Block> for Chain {
    fn header(&self, hash: H256) -> sp_blockchain::Result<Option<Header>> {
        let mut headers = self.headers.iter();
        Ok(headers.find(|header| header.hash() == hash).cloned())
    }

    fn info(&self) -> Info<Block> {
        let best = self.headers.last().expect("there is genesis");
        Info {
            best_hash: best.hash(),
            best_number: best.number,
            genesis_hash: header(0).hash(),
            finalized_hash: header(self.finalised).hash(),
            finalized_number: self.finalised,
            finalized_state: None,
            number_leaves: 1,
            block_gap: None,
        }
    }

    fn status(&self, hash: H256) -> sp_blockchain::Result<BlockStatus> {
        Ok(match self.header(hash)? {
            Some(_) => BlockStatus::InChain,
            None => BlockStatus::Unknown,
        })
    }

    fn number(&self, hash: H256) -> sp_blockchain::Result<Option<u32>> {
        Ok(self.header(hash)?.map(|header| header.number))
    }

    fn hash(&self, number: u32) -> sp_blockchain::Result<Option<H256>> {
        let at = usize::try_from(number).expect("small");
        Ok(self.headers.get(at).map(Header::hash))
    }
}

/// The fast configuration, after slot `head`, long after its time.
pub fn tip(head: Slot) -> BeaconTip {
    let params = VdfParams::TEST;
    BeaconTip {
        config: BeaconConfig::FAST,
        head,
        end: [1; 64],
        next_iteration: head * u64::from(params.iterations_per_slot),
        genesis_ms: Some(0),
        epochs: vec![Epoch {
            number: 0,
            seed: [2; 32],
            params,
        }],
        entropy: BTreeMap::new(),
    }
}

/// Some inputs of a slot.
pub fn inputs(slot: Slot) -> SlotInputs {
    SlotInputs {
        slot,
        start: [3; 64],
        first_iteration: slot * 1_280,
        params: VdfParams::TEST,
        epoch_seed: [2; 32],
    }
}

/// A result that nothing was computed for; it differs by `variant`.
pub fn proof(variant: u64) -> SlotProof {
    let mut coarse = [[5; 64]; 32];
    coarse[31][..8].copy_from_slice(&variant.to_le_bytes());
    SlotProof {
        coarse,
        fine_root: [6; 32],
    }
}
