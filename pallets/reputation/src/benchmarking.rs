// SPDX-License-Identifier: Apache-2.0

//! Worst cases: both records exist, have decayed for long (the decay is a loop over the days),
//! and are written back.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;
use tos_formulas::reputation::{Performance, FREE_IDLE_DAYS};
use tos_interfaces::{Clock, Reputation};
use tos_types::{offence::Severity, TaskType};

const TYPE: TaskType = TaskType::SecurityAudit;

/// An account with decayed records.
fn idle_account<T: Config>() -> T::AccountId {
    let who: T::AccountId = account("who", 0, 0);
    Pallet::<T>::benchmark_set(&who, TYPE, 10_000, 5);
    let days = FREE_IDLE_DAYS.saturating_add(69);
    let later = T::Clock::phase_lengths().day.saturating_mul(days);
    T::Clock::benchmark_set_now(T::Clock::now().saturating_add(later));
    assert_eq!(Pallet::<T>::global(&who), 5_000);
    who
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn penalise() -> Result<(), BenchmarkError> {
        let origin = T::GovernanceOrigin::try_successful_origin()
            .map_err(|_| BenchmarkError::Stop("no origin may penalise"))?;
        let who = idle_account::<T>();

        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            who.clone(),
            TYPE,
            Severity::Critical,
        );

        assert_eq!(Pallet::<T>::global(&who), 2_000);
        Ok(())
    }

    #[benchmark]
    fn record() {
        let who = idle_account::<T>();
        let performance = Performance {
            completion: 10_000,
            quality: 10_000,
            accuracy: 10_000,
            peer: 10_000,
            innovation: 10_000,
        };

        #[block]
        {
            <Pallet<T> as Reputation<T::AccountId>>::record(&who, TYPE, &performance);
        }

        assert!(Pallet::<T>::global(&who) > 5_000);
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::ExtBuilder::default().build(),
        crate::mock::Test
    );
}
