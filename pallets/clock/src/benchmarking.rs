// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the hooks.

use crate::*;
use frame_benchmarking::v2::*;
use frame_support::{traits::Get, weights::Weight};

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn on_poll() {
        let before = Ticks::<T>::get();
        #[block]
        {
            Pallet::<T>::advance();
        }
        assert_eq!(Ticks::<T>::get(), before.saturating_add(1));
    }

    #[benchmark]
    fn on_finalize() {
        let limit: Weight = T::BlockWeights::get().max_block;
        frame_system::Pallet::<T>::register_extra_weight_unchecked(
            limit,
            frame_support::dispatch::DispatchClass::Normal,
        );
        #[block]
        {
            Pallet::<T>::note_fullness();
        }
        assert!(Crammed::<T>::get());
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
