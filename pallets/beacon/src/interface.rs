// SPDX-License-Identifier: Apache-2.0

//! Randomness, as other pallets take it: seeds by randomness request.

use crate::{pallet::*, types::*};
use polkadot_sdk::frame_support::traits::Get;
use tos_interfaces::{Randomness, Seed};
use tos_types::{
    beacon::{degraded_seed, request_seed, Hash, DEGRADED_BLOCKS, RECORDS},
    randomness::RandomnessRequest,
};

impl<T: Config> Pallet<T> {
    /// The accumulator after this block: the VRF outputs of all blocks up to it, hashed one onto
    /// the other. `None` until the block is on record, and when it is no more.
    fn accumulated(block: u32) -> Option<Hash> {
        BlockVrf::<T>::get(ring(block.into(), RECORDS))
            .filter(|record| record.block == block)
            .map(|record| record.accumulated)
    }
}

impl<T: Config> Randomness for Pallet<T> {
    fn request() -> RandomnessRequest {
        let (config, until_ms) = (Settings::<T>::get(), T::SlotEnd::get());
        let genesis_ms =
            GenesisMs::<T>::get().unwrap_or(until_ms.saturating_sub(config.slot_ms.into()));
        let cap = config.cap(genesis_ms, until_ms);
        RandomnessRequest {
            slot: config.request_slot(Self::parent_head(), cap),
            block: Self::now(),
        }
    }

    /// Depends on what is on record alone, not on when it is asked: a seed that was ready once is
    /// the same until it expires, stalls or no stalls, and so is whether it is a degraded one. Only a dispute, which voids the slot,
    /// changes it.
    fn seed(randomness: &RandomnessRequest, subject: &[u8]) -> Seed {
        let now = Self::now();
        if randomness.block >= now {
            return Seed::Pending;
        }
        let Some(vrf) = BlockVrf::<T>::get(ring(randomness.block.into(), RECORDS))
            .filter(|record| record.block == randomness.block)
        else {
            // The parent's output comes on record when this pallet's block begins.
            return match randomness.block.saturating_add(1) == now {
                true => Seed::Pending,
                false => Seed::Expired,
            };
        };
        // A block without output never gets one.
        let Some(vrf) = vrf.output else {
            return Seed::Expired;
        };
        let head = Self::head().slot;
        let record = Self::record(head, randomness.slot);
        let stalled = match &record {
            Some(record) => record.stalled,
            None if randomness.slot <= head => return Seed::Expired,
            None if Self::stands_still() => now,
            None => LastStall::<T>::get().unwrap_or(0),
        };
        if stalled > randomness.block {
            // The randomness request's author knows its output beforehand; those of the blocks
            // after it no one knows alone.
            let until = randomness.block.saturating_add(DEGRADED_BLOCKS);
            return Self::accumulated(until).map_or(Seed::Pending, |accumulated| Seed::Ready {
                seed: degraded_seed(&accumulated, subject),
                degraded: true,
            });
        }
        record.map_or(Seed::Pending, |record| {
            let output = tos_vdf::output(record.slot, &record.end);
            Seed::Ready {
                seed: request_seed(&output, &vrf, subject),
                degraded: false,
            }
        })
    }

    fn degraded() -> bool {
        Self::stands_still()
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_ready(randomness: &RandomnessRequest) {
        if Self::now() <= randomness.block {
            polkadot_sdk::frame_system::Pallet::<T>::set_block_number(
                randomness.block.saturating_add(1).into(),
            );
        }
        LastProgress::<T>::put(Progress {
            block: Self::now(),
            from: Self::head().slot,
        });
        BlockVrf::<T>::insert(
            ring(randomness.block.into(), RECORDS),
            VrfRecord {
                block: randomness.block,
                output: Some([7; 32]),
                accumulated: [7; 32],
            },
        );
        let mut head = Self::head();
        Records::<T>::insert(
            ring(randomness.slot, RECORDS),
            SlotRecord {
                slot: randomness.slot,
                end: head.end,
                fine_root: [0; 32],
                first_iteration: head.next_iteration,
                block: randomness.block,
                stalled: 0,
            },
        );
        head.slot = head.slot.max(randomness.slot);
        CurrentHead::<T>::put(head);
    }
}
