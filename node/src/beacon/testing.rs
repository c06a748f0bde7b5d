// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Outlooks, inputs and results for tests.

use polkadot_sdk::*;
use std::{collections::BTreeMap, sync::Arc};

use tos_primitives::beacon::{BeaconScale, Epoch, Slot};
use tos_vdf::{SlotProof, VdfParams};

use super::{
    outlook::Outlook,
    slot::SlotInputs,
    state::{Beacon, Events},
};

/// A beacon without a chain.
pub fn beacon() -> (Arc<Beacon>, Events) {
    Beacon::new(None)
}

/// From now on the node follows the head of its chain.
pub fn following(beacon: &Beacon) {
    beacon.set_oracle(Arc::new(sp_consensus::NoNetwork));
}

/// The fast scale, after slot `head`, long after its time.
pub fn outlook(head: Slot) -> Outlook {
    let params = VdfParams::TEST;
    Outlook {
        scale: BeaconScale::FAST,
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
