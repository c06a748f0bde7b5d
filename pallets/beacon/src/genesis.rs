// SPDX-License-Identifier: Apache-2.0

//! State that a network is born with.

use crate::{pallet::*, types::*};
use alloc::vec;
use frame_support::BoundedVec;
use polkadot_sdk::*;
use tos_types::beacon::{epoch_seed, BeaconConfig, Epoch, Hash, Head};
use tos_vdf::initial_state;

impl<T: Config> Pallet<T> {
    /// The state before the first slot.
    pub(crate) fn begin(config: &BeaconConfig, seed: &Hash) {
        let head = Head {
            slot: 0,
            end: initial_state(seed),
            next_iteration: 0,
        };
        let first = Epoch {
            number: 0,
            seed: epoch_seed(0, seed),
            params: config.params,
        };
        Settings::<T>::put(config);
        CurrentHead::<T>::put(head);
        Accumulator::<T>::put(seed);
        Epochs::<T>::put(BoundedVec::truncate_from(vec![first]));
        // Slot 1 links to it like every slot to the one before.
        Records::<T>::insert(
            0,
            SlotRecord {
                slot: 0,
                end: head.end,
                fine_root: Hash::default(),
                first_iteration: 0,
                block: 0,
                stalled: 0,
            },
        );
    }
}
