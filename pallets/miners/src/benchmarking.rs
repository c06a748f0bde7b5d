// SPDX-License-Identifier: Apache-2.0

//! Worst cases: the most specialisations, the most relations, and every record there.

use super::*;
use crate::types::{AFTER_EFFECT_DAYS, MAX_OWNERS, MAX_SPECIALISATIONS, MAX_SUSPENSION_DAYS};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
    traits::{
        fungible::{Inspect, Mutate},
        EnsureOrigin,
    },
    BoundedVec,
};
use frame_system::RawOrigin;
use tos_formulas::level::MAX_ENDORSEMENTS;
use tos_interfaces::{Clock, MinerRegistry, Reputation};
use tos_types::{
    rules::MemberRules,
    task::{Certification, Level},
    TaskType, Tick, BP,
};

/// An account that can pay any registration stake.
fn funded<T: Config>() -> T::AccountId {
    let who: T::AccountId = whitelisted_caller();
    let funds = T::Rules::miner_stakes()
        .required(&TaskType::BUILT_IN)
        .saturating_mul(2)
        .saturating_add(T::Currency::minimum_balance());
    T::Currency::mint_into(&who, funds).expect("the issuance is far from its maximum");
    who
}

/// As many specialisations as fit, in the order that is the most work to sort.
fn most_specialisations() -> Specialisations {
    let custom = (0..u8::MAX).map(TaskType::Custom);
    let mut types: Vec<_> = TaskType::BUILT_IN.into_iter().chain(custom).collect();
    types.truncate(MAX_SPECIALISATIONS as usize);
    types.reverse();
    BoundedVec::truncate_from(types)
}

/// A registered miner with the most specialisations.
fn registered<T: Config>() -> T::AccountId {
    let who = funded::<T>();
    Pallet::<T>::do_register(who.clone(), most_specialisations()).expect("funded and new");
    who
}

/// A miner whose unbonding is over, and its last suspension too.
fn unbonded<T: Config>() -> T::AccountId {
    let who = registered::<T>();
    let now = T::Clock::now();
    Miners::<T>::mutate(&who, |miner| {
        if let Some(miner) = miner {
            miner.leaving = Some(now);
        }
    });
    Suspensions::<T>::insert(&who, now);
    endorsed::<T>(&who, MAX_ENDORSEMENTS);
    who
}

/// A tick at which an after-effect can be over.
fn late<T: Config>() -> Tick {
    let after_effect = T::Clock::phase_lengths()
        .day
        .saturating_mul(AFTER_EFFECT_DAYS);
    let at = after_effect.saturating_mul(2);
    T::Clock::benchmark_set_now(at);
    at
}

/// Lets `who` have declared as much as it may, with an owner that counts no more before the one that
/// counts.
fn burdened<T: Config>(who: &T::AccountId, at: Tick) {
    Pallet::<T>::benchmark_declare(who);
    Declarations::<T>::mutate(who, |declared| {
        let over = Claim {
            other: account("former owner", 0, 0),
            since: 0,
            until: Some(at),
        };
        let current = declared.owners.last_mut().expect("it was declared");
        current.since = at.saturating_sub(1);
        declared
            .owners
            .try_insert(0, over)
            .expect("there are three places");
    });
}

/// A miner that may endorse, because of its level.
fn specialist<T: Config>(index: u32) -> T::AccountId {
    let who: T::AccountId = account("specialist", index, 0);
    Pallet::<T>::benchmark_register(&who, TaskType::General);
    Miners::<T>::mutate(&who, |miner| {
        if let Some(miner) = miner {
            miner.level.level = Level::Specialist;
        }
    });
    who
}

/// Gives `who` endorsements by that many miners, all of which count.
fn endorsed<T: Config>(who: &T::AccountId, count: u32) {
    for index in 1..=count {
        Pallet::<T>::do_endorse(specialist::<T>(index), who.clone())
            .expect("specialists may endorse, and there is room");
    }
}

fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::GovernanceOrigin::try_successful_origin()
        .map_err(|_| BenchmarkError::Stop("no origin may suspend"))
}

fn certifier<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
    T::CertifyOrigin::try_successful_origin()
        .map_err(|_| BenchmarkError::Stop("no origin may certify"))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register() {
        let who = funded::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), most_specialisations());

        assert!(Miners::<T>::contains_key(&who));
    }

    #[benchmark]
    fn set_specialisations() {
        let who = funded::<T>();
        let cheap = BoundedVec::truncate_from(alloc::vec![TaskType::CodeAnalysis]);
        Pallet::<T>::do_register(who.clone(), cheap).expect("funded and new");

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), most_specialisations());

        let stake = Miners::<T>::get(&who).map(|m| m.stake);
        assert_eq!(
            stake,
            Some(T::Rules::miner_stakes().required(&most_specialisations()))
        );
    }

    #[benchmark]
    fn leave() {
        let who = registered::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(Miners::<T>::get(&who).is_some_and(|m| m.leaving.is_some()));
    }

    #[benchmark]
    fn withdraw() {
        let who = unbonded::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(!Miners::<T>::contains_key(&who));
    }

    #[benchmark]
    fn rejoin() {
        let who = unbonded::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert!(Miners::<T>::get(&who).is_some_and(|m| m.leaving.is_none()));
    }

    #[benchmark]
    fn reactivate() {
        let who = registered::<T>();
        let dormant = T::Clock::phase_lengths().day.saturating_mul(91);
        T::Clock::benchmark_set_now(T::Clock::now().saturating_add(dormant));

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));

        assert_eq!(
            Miners::<T>::get(&who).map(|m| m.last_active_day),
            Some(T::Clock::today())
        );
    }

    #[benchmark]
    fn set_owner() {
        let who: T::AccountId = whitelisted_caller();
        let owner: T::AccountId = account("another owner", 0, 0);
        let at = late::<T>();
        burdened::<T>(&who, at);
        burdened::<T>(&owner, at);
        Declarations::<T>::mutate(&owner, |declared| declared.owners = BoundedVec::new());

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), Some(owner.clone()));

        let declared = Declarations::<T>::get(&who);
        assert_eq!(declared.owners.len(), MAX_OWNERS as usize);
        assert_eq!(declared.owner(), Some(&owner));
    }

    #[benchmark]
    fn declare_relation() {
        let who: T::AccountId = whitelisted_caller();
        let at = late::<T>();
        burdened::<T>(&who, at);
        // The first place: all others move.
        let mut relations = Declarations::<T>::get(&who).relations;
        let other = relations.remove(0).other;
        Declarations::<T>::mutate(&who, |declared| declared.relations = relations);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), other.clone());

        assert!(Pallet::<T>::keeps_away_now(&who, &other));
    }

    #[benchmark]
    fn retract_relation() {
        let who: T::AccountId = whitelisted_caller();
        let at = late::<T>();
        burdened::<T>(&who, at);
        let declared = Declarations::<T>::get(&who);
        let claim = declared.relations.last().expect("some relation is allowed");
        let other = claim.other.clone();

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), other);

        // It counts still.
        let declared = Declarations::<T>::get(&who);
        assert!(declared
            .relations
            .last()
            .is_some_and(|claim| claim.until > Some(at)));
    }

    #[benchmark]
    fn certify() -> Result<(), BenchmarkError> {
        let origin = certifier::<T>()?;
        let who: T::AccountId = account("who", 0, 0);
        Pallet::<T>::benchmark_certify(&who, Certification::Basic);

        #[extrinsic_call]
        _(
            origin as T::RuntimeOrigin,
            who.clone(),
            Certification::Master,
            Tick::MAX,
        );

        assert_eq!(Pallet::<T>::certification(&who), Certification::Master);
        Ok(())
    }

    #[benchmark]
    fn revoke_certificate() -> Result<(), BenchmarkError> {
        let origin = certifier::<T>()?;
        let who: T::AccountId = account("who", 0, 0);
        Pallet::<T>::benchmark_certify(&who, Certification::Master);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(!Certificates::<T>::contains_key(&who));
        Ok(())
    }

    #[benchmark]
    fn suspend() -> Result<(), BenchmarkError> {
        let origin = governance::<T>()?;
        // A miner, who loses a level.
        let who = specialist::<T>(0);
        Pallet::<T>::do_suspend(&who, 1)?;
        let longest = T::Clock::phase_lengths()
            .day
            .saturating_mul(MAX_SUSPENSION_DAYS);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone(), longest);

        assert!(Pallet::<T>::is_suspended(&who));
        Ok(())
    }

    #[benchmark]
    fn lift_suspension() -> Result<(), BenchmarkError> {
        let origin = governance::<T>()?;
        let who: T::AccountId = account("who", 0, 0);
        Pallet::<T>::do_suspend(&who, 1)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, who.clone());

        assert!(!Pallet::<T>::is_suspended(&who));
        Ok(())
    }

    #[benchmark]
    fn endorse() {
        let (endorser, who) = (specialist::<T>(0), account::<T::AccountId>("who", 0, 0));
        Pallet::<T>::benchmark_register(&who, TaskType::General);
        endorsed::<T>(&who, MAX_ENDORSEMENTS.saturating_sub(1));
        for one in [&endorser, &who] {
            Pallet::<T>::benchmark_declare(one);
        }

        #[extrinsic_call]
        _(RawOrigin::Signed(endorser.clone()), who.clone());

        assert!(Endorsements::<T>::get(&who).contains(&endorser));
    }

    #[benchmark]
    fn retract_endorsement() {
        let who: T::AccountId = account("who", 0, 0);
        Pallet::<T>::benchmark_register(&who, TaskType::General);
        endorsed::<T>(&who, MAX_ENDORSEMENTS);
        let endorser: T::AccountId = account("specialist", 1, 0);

        #[extrinsic_call]
        _(
            RawOrigin::Signed(endorser.clone()),
            endorser.clone(),
            who.clone(),
        );

        assert!(!Endorsements::<T>::get(&who).contains(&endorser));
    }

    #[benchmark]
    fn review_level() {
        let who: T::AccountId = account("who", 0, 0);
        Pallet::<T>::benchmark_register(&who, TaskType::General);
        T::Reputation::benchmark_set(&who, TaskType::General, BP, 100);
        endorsed::<T>(&who, MAX_ENDORSEMENTS);
        Miners::<T>::mutate(&who, |miner| {
            if let Some(miner) = miner {
                miner.completed = 1_000;
            }
        });

        #[extrinsic_call]
        _(RawOrigin::Signed(whitelisted_caller()), who.clone());

        assert!(Miners::<T>::get(&who).is_some_and(|m| m.level.probation.is_some()));
    }

    impl_benchmark_test_suite!(
        Pallet,
        crate::mock::ExtBuilder::default().build(),
        crate::mock::Test
    );
}
