// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of every call, of the vault and of the hook's steps.
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, clippy::indexing_slicing)]

use crate::{pallet::*, types::*};
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, InspectHold, Mutate, MutateHold},
        EnsureOrigin, Get,
    },
    weights::{Weight, WeightMeter},
};
use frame_system::RawOrigin;
use polkadot_sdk::*;
use tos_formulas::split::{JudgedAnswer, QualityBars, SplitProfile, WinnerRule};
use tos_interfaces::{Clock, Settlement, Vault};
use tos_pallet_support::agenda;
use tos_types::{
    params::MIN_PARTICIPATION_QUALITY, Balance, Difficulty, TaskId, TaskType, Tick,
    MAX_PARTICIPANTS, TOS,
};

/// An account with funds to spare.
fn funded<T: Config>(name: &'static str, index: u32) -> T::AccountId {
    let who: T::AccountId = account(name, index, 0);
    let ed = T::Currency::minimum_balance();
    T::Currency::mint_into(&who, ed * 10 + 1_000 * TOS).unwrap();
    who
}

fn fund_treasury<T: Config>() {
    let ed = T::Currency::minimum_balance();
    T::Currency::mint_into(&T::Treasury::get(), ed * 10).unwrap();
}

fn task_of<T: Config>(publisher: &T::AccountId) -> TaskId {
    TaskId::derive(publisher, 0)
}

/// A task with 500 TOS in escrow.
fn deposited<T: Config>() -> (T::AccountId, TaskId) {
    fund_treasury::<T>();
    let publisher = funded::<T>("publisher", 0);
    let task = task_of::<T>(&publisher);
    Pallet::<T>::deposit(&task, &publisher, 500 * TOS).unwrap();
    (publisher, task)
}

fn settlement<T: Config>(task: TaskId, a: u32, v: u32) -> Settlement<T::AccountId> {
    let judged = |i: u32| JudgedAnswer {
        quality: 50 + u8::try_from(i).unwrap(),
        innovation: 100 - u8::try_from(i).unwrap(),
        timeliness: 10_000 - u16::try_from(i).unwrap(),
        eligible: true,
    };
    Settlement {
        task,
        split: SplitProfile::DEFAULT,
        winners: WinnerRule {
            per: 1,
            cap: u8::try_from(MAX_PARTICIPANTS).unwrap(),
        },
        bars: QualityBars {
            win: 0,
            take_part: MIN_PARTICIPATION_QUALITY,
        },
        answers: (0..a)
            .map(|i| (funded::<T>("miner", i), judged(i)))
            .collect(),
        judges: (0..v)
            .map(|i| match i {
                // So little that it does not open an account: the treasury keeps it.
                last if last + 1 == MAX_JUDGES => (account("judge", i, 0), 1),
                _ => (funded::<T>("judge", i), 10_000 - u16::try_from(i).unwrap()),
            })
            .collect(),
    }
}

/// Account and task of a reward that is booked until this tick.
fn booked<T: Config>(expires: Tick) -> (T::AccountId, TaskId) {
    fund_treasury::<T>();
    let who = funded::<T>("miner", 0);
    let task = task_of::<T>(&who);
    book::<T>(&who, task, expires);
    (who, task)
}

/// Books a reward of `who` as a settlement does, to expire at `expires`. Held on the treasury,
/// which is one account more to pay it from.
fn book<T: Config>(who: &T::AccountId, task: TaskId, expires: Tick) {
    let amount: Balance = TOS;
    let treasury = T::Treasury::get();
    T::Currency::mint_into(&treasury, amount).unwrap();
    T::Currency::hold(&HoldReason::Claimable.into(), &treasury, amount).unwrap();
    let claim = Claim {
        amount,
        expires,
        custody: Custody::Treasury,
    };
    Claims::<T>::insert(who, task, claim);
    Expiries::<T>::insert(expires, (who, task), ());
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn deposit() -> Result<(), BenchmarkError> {
        let publisher = funded::<T>("publisher", 0);
        let task = task_of::<T>(&publisher);

        #[block]
        {
            Pallet::<T>::deposit(&task, &publisher, 500 * TOS)?;
        }

        assert_eq!(Pallet::<T>::escrowed(&task), 500 * TOS);
        Ok(())
    }

    #[benchmark]
    fn refund() -> Result<(), BenchmarkError> {
        let (_, task) = deposited::<T>();

        #[block]
        {
            Pallet::<T>::refund(&task, TOS)?;
        }

        assert_eq!(Pallet::<T>::escrowed(&task), 0);
        Ok(())
    }

    #[benchmark]
    fn settle(
        a: Linear<1, MAX_PARTICIPANTS>,
        v: Linear<0, MAX_JUDGES>,
    ) -> Result<(), BenchmarkError> {
        let (_, task) = deposited::<T>();
        let settlement = settlement::<T>(task, a, v);

        #[block]
        {
            Pallet::<T>::settle(&settlement)?;
        }

        // Where an account costs next to nothing, the one that does not exist is paid at once.
        assert!(Claims::<T>::iter_keys().count() + 1 >= (a + v) as usize);
        Ok(())
    }

    #[benchmark]
    fn claim() -> Result<(), BenchmarkError> {
        let (who, task) = booked::<T>(Tick::MAX);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), task);

        assert!(!Claims::<T>::contains_key(&who, task));
        Ok(())
    }

    #[benchmark]
    fn claim_all(n: Linear<1, MAX_CLAIMS_PER_CALL>) -> Result<(), BenchmarkError> {
        fund_treasury::<T>();
        let who = funded::<T>("miner", 0);
        // One on the owner itself, as most are: both ways of paying are taken.
        let amount: Balance = TOS;
        T::Currency::hold(&HoldReason::Claimable.into(), &who, amount).unwrap();
        let own = Claim {
            amount,
            expires: Tick::MAX,
            custody: Custody::Owner,
        };
        let task = TaskId::derive(&who, u64::from(n));
        Claims::<T>::insert(&who, task, own);
        Expiries::<T>::insert(Tick::MAX, (&who, task), ());
        for nonce in 1..n {
            // Every expiry under its own tick: the index entries share no prefix.
            book::<T>(&who, TaskId::derive(&who, nonce.into()), Tick::MAX - nonce);
        }

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_eq!(Claims::<T>::iter_key_prefix(&who).count(), 0);
        Ok(())
    }

    #[benchmark]
    fn set_auto_claim() -> Result<(), BenchmarkError> {
        let who = funded::<T>("miner", 0);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), true);

        assert!(AutoClaim::<T>::contains_key(&who));
        Ok(())
    }

    #[benchmark]
    fn set_profile() -> Result<(), BenchmarkError> {
        let origin = governance::<T>()?;
        let profile = Some(SplitProfile::DEFAULT);

        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            TaskType::Custom(1),
            Difficulty::Expert,
            profile,
        );

        assert_eq!(
            Profiles::<T>::get(TaskType::Custom(1), Difficulty::Expert),
            profile
        );
        Ok(())
    }

    #[benchmark]
    fn set_winner_rule() -> Result<(), BenchmarkError> {
        let origin = governance::<T>()?;
        let rule = Some(WinnerRule { per: 1, cap: 4 });

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, TaskType::Custom(1), rule);

        assert_eq!(WinnerRules::<T>::get(TaskType::Custom(1)), rule);
        Ok(())
    }

    #[benchmark]
    fn on_idle_base() -> Result<(), BenchmarkError> {
        T::Clock::benchmark_set_now(2);
        // The first tick has nothing to pay; moving the cursor is the worst that can follow.
        ExpiryCursor::<T>::put(1);

        #[block]
        {
            let start = ExpiryCursor::<T>::get();
            if start < T::Clock::now() {
                ExpiryCursor::<T>::put(start + 1);
            }
        }

        assert_eq!(ExpiryCursor::<T>::get(), 2);
        Ok(())
    }

    #[benchmark]
    fn skip_tick() -> Result<(), BenchmarkError> {
        // The next key belongs to a later tick.
        let (who, task) = booked::<T>(2);
        let mut meter = WeightMeter::new();

        #[block]
        {
            assert!(agenda::run_tick::<Pallet<T>>(1, &mut meter));
            // Going to the next key reads the state too, but only reading a value is counted.
            assert!(Expiries::<T>::contains_key(2, (&who, task)));
        }

        assert_eq!(meter.consumed(), Weight::zero());
        Ok(())
    }

    #[benchmark]
    fn pay_expired() -> Result<(), BenchmarkError> {
        let (who, task) = booked::<T>(1);
        T::Clock::benchmark_set_now(2);
        let mut meter = WeightMeter::new();

        #[block]
        {
            // Going to the next key reads the state too, but only reading a value is counted.
            assert!(Expiries::<T>::contains_key(1, (&who, task)));
            agenda::run_tick::<Pallet<T>>(1, &mut meter);
        }

        assert!(!Claims::<T>::contains_key(&who, task));
        let treasury = T::Treasury::get();
        let held = T::Currency::balance_on_hold(&HoldReason::Claimable.into(), &treasury);
        assert_eq!(held, 0);
        Ok(())
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::ExtBuilder::default().build(),
        crate::mock::Test
    );
}
