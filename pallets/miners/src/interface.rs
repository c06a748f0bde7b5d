// SPDX-License-Identifier: Apache-2.0

//! The register of miners, as other pallets use it.

#[cfg(feature = "runtime-benchmarks")]
use crate::{Certificate, Certificates, Claim, Declarations};
use crate::{Config, Error, Miner, Miners, Pallet};
#[cfg(feature = "runtime-benchmarks")]
use alloc::{vec, vec::Vec};
use frame_support::{defensive, ensure};
#[cfg(feature = "runtime-benchmarks")]
use frame_support::{traits::Get, BoundedVec};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_interfaces::{Clock, MinerRegistry};
use tos_types::{
    join_error::JoinError, params::MAX_CONCURRENT_TASKS, rules::MemberRules, task::Certification,
    TaskType, Tick,
};
use tos_views::Activity;

impl<T: Config> Pallet<T> {
    /// The miner `who`, if it may take on a task of this type now.
    ///
    /// # Errors
    /// The reason why it may not, for other pallets and as an error for users.
    fn eligible(who: &T::AccountId, task_type: TaskType) -> Result<Miner, (JoinError, Error<T>)> {
        let miner =
            Miners::<T>::get(who).ok_or((JoinError::NotRegistered, Error::<T>::NotRegistered))?;
        ensure!(
            miner.leaving.is_none(),
            (JoinError::Leaving, Error::<T>::Leaving)
        );
        ensure!(
            Self::suspension(who).is_none(),
            (JoinError::Suspended, Error::<T>::Suspended)
        );
        ensure!(
            Self::activity(&miner) != Activity::Dormant,
            (JoinError::Dormant, Error::<T>::Dormant)
        );
        ensure!(
            miner.open_tasks < MAX_CONCURRENT_TASKS,
            (JoinError::TooManyTasks, Error::<T>::TooManyTasks)
        );
        ensure!(
            miner.specialisations.contains(&task_type),
            (JoinError::NotSpecialised, Error::<T>::NotSpecialised)
        );
        Ok(miner)
    }
}

impl<T: Config> MinerRegistry<T::AccountId> for Pallet<T> {
    fn may_work(who: &T::AccountId, task_type: TaskType) -> Result<(), JoinError> {
        Self::eligible(who, task_type)
            .map(|_| ())
            .map_err(|(refusal, _)| refusal)
    }

    fn is_suspended(who: &T::AccountId) -> bool {
        Self::suspension(who).is_some()
    }

    fn suspended_until(who: &T::AccountId) -> Option<Tick> {
        Self::suspension(who)
    }

    fn certification(who: &T::AccountId) -> Certification {
        Self::certificate(who).map(|c| c.level).unwrap_or_default()
    }

    fn stake_percent(who: &T::AccountId) -> u128 {
        let level = Miners::<T>::get(who).map(|miner| miner.level.level);
        T::Rules::levels().stake_percent(level.unwrap_or_default(), Self::certification(who))
    }

    fn vote_tenths(who: &T::AccountId) -> u64 {
        let level = Miners::<T>::get(who).map(|miner| miner.level.level);
        T::Rules::levels().vote_tenths(level.unwrap_or_default())
    }

    fn recuses(who: &T::AccountId, parties: &[T::AccountId], since: Tick) -> bool {
        Self::keeps_away(who, parties, since)
    }

    fn start_task(who: &T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut miner = Self::eligible(who, task_type).map_err(|(_, error)| error)?;
        miner.open_tasks = miner.open_tasks.saturating_add(1);
        miner.last_active_day = T::Clock::today();
        Miners::<T>::insert(who, miner);
        Ok(())
    }

    fn finish_task(who: &T::AccountId, completed: bool) {
        let today = T::Clock::today();
        let known = Miners::<T>::mutate(who, |miner| {
            let Some(miner) = miner.as_mut().filter(|miner| miner.open_tasks > 0) else {
                return false;
            };
            miner.open_tasks = miner.open_tasks.saturating_sub(1);
            if completed {
                miner.completed = miner.completed.saturating_add(1);
                miner.last_active_day = today;
            } else {
                // Not an activity: it may have done nothing since it started.
                miner.failed = miner.failed.saturating_add(1);
            }
            if let Some(change) = miner.level.note(completed, today, &T::Rules::levels()) {
                Self::tell(who, miner, change);
            }
            true
        });
        if !known {
            defensive!("a task was finished that the miner had not started");
        }
    }

    fn suspend(who: &T::AccountId, duration: Tick) {
        let duration = duration.min(Self::longest_suspension());
        if duration > 0 && Self::do_suspend(who, duration).is_err() {
            defensive!("a suspension within its bounds was refused");
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_register(who: &T::AccountId, task_type: TaskType) {
        use frame_support::traits::fungible::{Inspect as _, Mutate as _};
        // Enough for the stake, the stakes of tasks, and to stay alive.
        let funds = T::Rules::miner_stakes()
            .required(&TaskType::BUILT_IN)
            .saturating_mul(10)
            .saturating_add(T::Currency::minimum_balance());
        T::Currency::mint_into(who, funds).expect("benchmarks stay below the maximum issuance");
        let mut wanted = Miners::<T>::get(who)
            .map(|m| m.specialisations)
            .unwrap_or_default();
        if !wanted.contains(&task_type) {
            wanted
                .try_push(task_type)
                .expect("benchmarks use few types");
        }
        if Miners::<T>::contains_key(who) {
            Self::do_set_specialisations(who.clone(), wanted)
        } else {
            Self::do_register(who.clone(), wanted)
        }
        .expect("the stake is there and the account is fresh");
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_certify(who: &T::AccountId, level: Certification) {
        Certificates::<T>::insert(
            who,
            Certificate {
                level,
                expires: Tick::MAX,
            },
        );
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn benchmark_declare(who: &T::AccountId) {
        use codec::Encode as _;
        use frame_benchmarking::account;
        // Others than those that other accounts declare.
        let [a, b, c, d, ..] = who.using_encoded(sp_io::hashing::blake2_256);
        let seed = u32::from_le_bytes([a, b, c, d]);
        let claim = |other: T::AccountId| Claim {
            other,
            since: 0,
            until: None,
        };
        let owner: T::AccountId = account("owner", 0, seed);
        for one in [who, &owner] {
            let mut others: Vec<T::AccountId> = (0..T::MaxRelations::get())
                .map(|index| account("declared", index, seed))
                .collect();
            others.sort();
            let relations = others.into_iter().map(claim).collect();
            Declarations::<T>::mutate(one, |declared| {
                declared.relations = BoundedVec::truncate_from(relations);
            });
        }
        Declarations::<T>::mutate(who, |declared| {
            declared.owners = BoundedVec::truncate_from(vec![claim(owner)]);
        });
    }
}
