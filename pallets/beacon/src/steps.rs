// SPDX-License-Identifier: Apache-2.0

//! Steps of a block: the VRF output of its parent's author comes on record.

use crate::{pallet::*, types::*};
use frame_support::traits::Get;
use polkadot_sdk::*;
use tos_types::beacon::{accumulate, RECORDS};

impl<T: Config> Pallet<T> {
    /// Keeps the VRF output of the parent's author and accumulates it.
    pub(crate) fn note_vrf() {
        let output = T::Vrf::get();
        let Some(block) = Self::now().checked_sub(1) else {
            return;
        };
        let accumulated = Accumulator::<T>::mutate(|acc| {
            if let Some(output) = output {
                *acc = accumulate(acc, &output);
            }
            *acc
        });
        let record = VrfRecord {
            block,
            output,
            accumulated,
        };
        BlockVrf::<T>::insert(ring(block.into(), RECORDS), record);
    }
}
