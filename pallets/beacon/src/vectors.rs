// SPDX-License-Identifier: Apache-2.0

//! Eight slots with real parameters, for the benchmarks. Made and checked by `tests/vectors.rs`.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use tos_types::beacon::{epoch_seed, BeaconInherent, Epoch, Hash};
use tos_vdf::{SlotProof, VdfParams};

/// The seed that everything begins with.
pub const SEED: Hash = *b"the beacon's benchmarks start so";
/// The parent hash that the openings are drawn by.
pub const PARENT: Hash = [7; 32];

/// Contents of the file.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Vectors {
    /// Slots 1 to 8.
    pub proofs: Vec<SlotProof>,
    /// The inherents of a block with the first slot, the first two, and so on.
    pub inherents: Vec<BeaconInherent>,
}

/// Reads the file.
pub fn load() -> Vectors {
    Vectors::decode(&mut &include_bytes!("vectors.bin")[..]).expect("a test reads it")
}

/// The first epoch.
pub fn epoch() -> Epoch {
    Epoch {
        number: 0,
        seed: epoch_seed(0, &SEED),
        params: VdfParams::MAINNET,
    }
}
