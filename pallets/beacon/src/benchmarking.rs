// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of the hook, with real parameters and slots that were really walked.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)]

use crate::{pallet::*, types::*, vectors};
use alloc::boxed::Box;
use frame_benchmarking::v2::*;
use frame_support::traits::{EnsureOrigin, UnixTime};
use frame_system::RawOrigin;
use polkadot_sdk::*;
use tos_types::beacon::{BeaconConfig, RECORDS};
use tos_vdf::VdfParams;

#[benchmarks]
mod benches {
    use super::*;

    /// A real chain before its first slot, in a block whose parent the openings were drawn by.
    fn begin<T: Config>() {
        Pallet::<T>::begin(&BeaconConfig::PRODUCTION, &vectors::SEED);
        GenesisMs::<T>::kill();
        LastProgress::<T>::kill();
        let next = frame_system::Pallet::<T>::block_number() + 1u32.into();
        let mut parent = T::Hash::default();
        parent.as_mut().copy_from_slice(&vectors::PARENT);
        frame_system::Pallet::<T>::initialize(&next, &parent, &Default::default());
        // Every node has the dataset of the current epoch; building it is no part of the canary.
        let epoch = vectors::epoch();
        assert!(tos_host_functions::dataset_root(&epoch.params, &epoch.seed).is_some());
    }

    #[benchmark]
    fn on_initialize() {
        let now = Pallet::<T>::now().max(RECORDS) + 1;
        frame_system::Pallet::<T>::set_block_number(now.into());
        let place = ring(u64::from(now - 1), RECORDS);
        BlockVrf::<T>::insert(
            place,
            VrfRecord {
                block: now - 1 - RECORDS,
                output: Some([1; 32]),
                accumulated: [1; 32],
            },
        );
        #[block]
        {
            Pallet::<T>::note_vrf();
            Accumulator::<T>::mutate(|acc| {
                *acc = tos_types::beacon::accumulate(acc, &[2; 32]);
            });
        }
        assert_eq!(BlockVrf::<T>::get(place).unwrap().block, now - 1);
    }

    #[benchmark]
    fn advance(s: Linear<1, 8>) {
        begin::<T>();
        let inherent = vectors::load().inherents[s as usize - 1].clone();
        #[block]
        {
            // The time of a benchmark stands still at zero, so the block's is given.
            let _ = T::Time::now();
            GenesisMs::<T>::put(1);
            Pallet::<T>::advance_at(10_000, &inherent.slots, &inherent.spots).unwrap();
        }
        assert_eq!(Pallet::<T>::head().slot, u64::from(s));
    }

    #[benchmark]
    fn dispute_slot() {
        begin::<T>();
        let vectors = vectors::load();
        GenesisMs::<T>::put(1);
        let inherent = &vectors.inherents[0];
        Pallet::<T>::advance_at(10_000, &inherent.slots, &inherent.spots).unwrap();
        Records::<T>::mutate(1, |record| record.as_mut().unwrap().end[0] ^= 1);
        let caller: T::AccountId = whitelisted_caller();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(caller),
            1,
            Box::new(vectors.proofs[0].clone()),
        );
        assert_eq!(Pallet::<T>::head().slot, 0);
    }

    #[benchmark]
    fn set_params() {
        let origin = T::GovernanceOrigin::try_successful_origin().unwrap();
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, VdfParams::TEST);
        assert_eq!(NextParams::<T>::get(), Some(VdfParams::TEST));
    }
}
