// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the hooks.

use crate::*;
use frame_benchmarking::{account, v2::*};
use frame_support::traits::{fungible::Inspect, Get};

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn on_finalize() {
        // Both accounts are there already: reading them is part of it.
        let author: T::AccountId = account("author", 0, 0);
        let some = T::Currency::minimum_balance().saturating_mul(10);
        for who in [&T::Treasury::get(), &author] {
            let funded = <T::Currency as frame_support::traits::fungible::Balanced<_>>::deposit(
                who,
                some,
                frame_support::traits::tokens::Precision::Exact,
            );
            assert!(funded.is_ok());
        }
        let before = T::Currency::balance(&author);
        Due::<T>::put(Parts {
            treasury: some,
            author: some,
        });
        #[block]
        {
            // Asking for the author is part of `on_initialize`.
            let _ = T::Author::get();
            Author::<T>::put(&author);
            Pallet::<T>::pay_out();
        }
        assert_eq!(T::Currency::balance(&author), before.saturating_add(some));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
