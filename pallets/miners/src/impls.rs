// SPDX-License-Identifier: Apache-2.0

//! What the calls do, and the trait through which other pallets use the register.

use crate::{
    types::MAX_SUSPENSION_DAYS, Certificate, Certificates, Config, Endorsements, Error, Event,
    HoldReason, Miner, Miners, Owners, Pallet, Relations, Specialisations, Suspensions,
};
use frame_support::{defensive, ensure, traits::fungible::hold::Inspect as _};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult, TryRuntimeError};
use tos_formulas::level::LevelRecord;
use tos_interfaces::{Clock, MinerRegistry};
use tos_pallet_support::holds;
use tos_types::{
    params::MAX_CONCURRENT_TASKS,
    refusal::Refusal,
    rules::{MemberRules, LEAST_REGISTRATION},
    task::Certification,
    Balance, TaskType, Tick,
};
use tos_views::{Activity, MinerView};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(
        who: T::AccountId,
        specialisations: Specialisations,
    ) -> DispatchResult {
        ensure!(
            !Miners::<T>::contains_key(&who),
            Error::<T>::AlreadyRegistered
        );
        ensure!(Self::suspension(&who).is_none(), Error::<T>::Suspended);
        let specialisations = Self::in_order(specialisations)?;
        let stake = T::Rules::miner_stakes().required(&specialisations);
        Self::hold(&who, stake)?;
        let miner = Miner {
            specialisations: specialisations.clone(),
            stake,
            open_tasks: 0,
            completed: 0,
            failed: 0,
            registered: T::Clock::now(),
            last_active_day: T::Clock::today(),
            leaving: None,
            level: LevelRecord::default(),
        };
        Miners::<T>::insert(&who, miner);
        Self::deposit_event(Event::Registered {
            who,
            specialisations,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_set_specialisations(
        who: T::AccountId,
        specialisations: Specialisations,
    ) -> DispatchResult {
        let mut miner = Miners::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        ensure!(miner.leaving.is_none(), Error::<T>::Leaving);
        let specialisations = Self::in_order(specialisations)?;
        let asked = T::Rules::miner_stakes().required(&specialisations);
        let missing = asked.saturating_sub(miner.stake);
        if missing > 0 {
            Self::hold(&who, missing)?;
        }
        miner.stake = miner.stake.saturating_add(missing);
        miner.specialisations = specialisations.clone();
        let stake = miner.stake;
        Miners::<T>::insert(&who, miner);
        Self::deposit_event(Event::SpecialisationsSet {
            who,
            specialisations,
            stake,
        });
        Ok(())
    }

    pub(crate) fn do_leave(who: T::AccountId) -> DispatchResult {
        let until = T::Clock::now().saturating_add(T::Clock::windows().unbonding);
        Miners::<T>::try_mutate(&who, |miner| {
            let miner = miner.as_mut().ok_or(Error::<T>::NotRegistered)?;
            ensure!(miner.leaving.is_none(), Error::<T>::Leaving);
            ensure!(miner.open_tasks == 0, Error::<T>::HasOpenTasks);
            miner.leaving = Some(until);
            Ok::<_, DispatchError>(())
        })?;
        Self::deposit_event(Event::Leaving { who, until });
        Ok(())
    }

    pub(crate) fn do_withdraw(who: T::AccountId) -> DispatchResult {
        let miner = Miners::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        let until = miner.leaving.ok_or(Error::<T>::NotLeaving)?;
        ensure!(T::Clock::now() >= until, Error::<T>::StillUnbonding);
        ensure!(Self::suspension(&who).is_none(), Error::<T>::Suspended);
        let amount = miner.stake;
        holds::release::<T::Currency, _>(HoldReason::Registration, &who, amount)?;
        Miners::<T>::remove(&who);
        Self::forget_endorsements(&who);
        // It is over, or the withdrawal had been refused.
        Suspensions::<T>::remove(&who);
        Self::deposit_event(Event::Withdrawn { who, amount });
        Ok(())
    }

    pub(crate) fn do_rejoin(who: T::AccountId) -> DispatchResult {
        Miners::<T>::try_mutate(&who, |miner| {
            let miner = miner.as_mut().ok_or(Error::<T>::NotRegistered)?;
            miner.leaving.take().ok_or(Error::<T>::NotLeaving)
        })?;
        Self::deposit_event(Event::Rejoined { who });
        Ok(())
    }

    pub(crate) fn do_reactivate(who: T::AccountId) -> DispatchResult {
        Miners::<T>::try_mutate(&who, |miner| {
            let miner = miner.as_mut().ok_or(Error::<T>::NotRegistered)?;
            ensure!(miner.leaving.is_none(), Error::<T>::Leaving);
            ensure!(
                Self::activity(miner) == Activity::Dormant,
                Error::<T>::NotDormant
            );
            miner.last_active_day = T::Clock::today();
            Ok::<_, DispatchError>(())
        })?;
        Self::deposit_event(Event::Reactivated { who });
        Ok(())
    }

    pub(crate) fn do_set_owner(who: T::AccountId, owner: Option<T::AccountId>) -> DispatchResult {
        match &owner {
            Some(owner) => {
                ensure!(*owner != who, Error::<T>::SelfRelation);
                ensure!(
                    Owners::<T>::get(&who).as_ref() != Some(owner),
                    Error::<T>::AlreadyRelated
                );
                // Only a help for the honest: that the owner is owned later cannot be refused,
                // or strangers could keep an account from ever declaring its owner.
                ensure!(!Owners::<T>::contains_key(owner), Error::<T>::OwnerIsOwned);
                Owners::<T>::insert(&who, owner);
            }
            None => {
                Owners::<T>::take(&who).ok_or(Error::<T>::NotRelated)?;
            }
        }
        Self::deposit_event(Event::OwnerSet { who, owner });
        Ok(())
    }

    pub(crate) fn do_declare_relation(who: T::AccountId, other: T::AccountId) -> DispatchResult {
        ensure!(who != other, Error::<T>::SelfRelation);
        Relations::<T>::try_mutate(&who, |declared| match declared.binary_search(&other) {
            Ok(_) => Err(Error::<T>::AlreadyRelated),
            Err(at) => declared
                .try_insert(at, other.clone())
                .map_err(|_| Error::<T>::TooManyRelations),
        })?;
        Self::deposit_event(Event::RelationDeclared { who, other });
        Ok(())
    }

    pub(crate) fn do_retract_relation(who: T::AccountId, other: T::AccountId) -> DispatchResult {
        let mut declared = Relations::<T>::get(&who);
        let at = declared
            .binary_search(&other)
            .map_err(|_| Error::<T>::NotRelated)?;
        declared.remove(at);
        if declared.is_empty() {
            Relations::<T>::remove(&who);
        } else {
            Relations::<T>::insert(&who, declared);
        }
        Self::deposit_event(Event::RelationRetracted { who, other });
        Ok(())
    }

    pub(crate) fn do_certify(
        who: T::AccountId,
        level: Certification,
        expires: Tick,
    ) -> DispatchResult {
        ensure!(level != Certification::Unverified, Error::<T>::InvalidLevel);
        ensure!(expires > T::Clock::now(), Error::<T>::InvalidExpiry);
        Certificates::<T>::insert(&who, Certificate { level, expires });
        Self::deposit_event(Event::Certified {
            who,
            level,
            expires,
        });
        Ok(())
    }

    pub(crate) fn do_revoke_certificate(who: T::AccountId) -> DispatchResult {
        // An expired one can be revoked too: that is how its record is removed.
        Certificates::<T>::take(&who).ok_or(Error::<T>::NoCertificate)?;
        Self::deposit_event(Event::CertificateRevoked { who });
        Ok(())
    }

    pub(crate) fn do_suspend(who: &T::AccountId, duration: Tick) -> DispatchResult {
        ensure!(
            duration > 0 && duration <= Self::longest_suspension(),
            Error::<T>::InvalidDuration
        );
        let wanted = T::Clock::now().saturating_add(duration);
        let until = Suspensions::<T>::get(who).map_or(wanted, |before| before.max(wanted));
        Suspensions::<T>::insert(who, until);
        Self::deposit_event(Event::Suspended {
            who: who.clone(),
            until,
        });
        Self::set_back(who);
        Ok(())
    }

    pub(crate) fn do_lift_suspension(who: T::AccountId) -> DispatchResult {
        Self::suspension(&who).ok_or(Error::<T>::NotSuspended)?;
        Suspensions::<T>::remove(&who);
        Self::deposit_event(Event::SuspensionLifted { who });
        Ok(())
    }

    /// The specialisations in ascending order, if there are any and none occurs twice.
    fn in_order(mut specialisations: Specialisations) -> Result<Specialisations, Error<T>> {
        ensure!(!specialisations.is_empty(), Error::<T>::NoSpecialisation);
        specialisations.sort();
        let distinct = specialisations
            .windows(2)
            .all(|pair| pair.first() != pair.last());
        ensure!(distinct, Error::<T>::DuplicateSpecialisation);
        Ok(specialisations)
    }

    fn hold(who: &T::AccountId, amount: Balance) -> DispatchResult {
        let short = Error::<T>::InsufficientStake;
        holds::hold::<T::Currency, _>(HoldReason::Registration, who, amount, short)
    }

    /// The longest suspension, in ticks.
    fn longest_suspension() -> Tick {
        T::Clock::windows().day.saturating_mul(MAX_SUSPENSION_DAYS)
    }

    /// The first tick after the suspension that `who` is under now.
    pub(crate) fn suspension(who: &T::AccountId) -> Option<Tick> {
        Suspensions::<T>::get(who).filter(|until| T::Clock::now() < *until)
    }

    /// The certificate of `who` that counts now.
    pub(crate) fn certificate(who: &T::AccountId) -> Option<Certificate> {
        Certificates::<T>::get(who).filter(|c| T::Clock::now() <= c.expires)
    }

    fn idle_days(miner: &Miner) -> u32 {
        T::Clock::today().saturating_sub(miner.last_active_day)
    }

    fn activity(miner: &Miner) -> Activity {
        Activity::after(Self::idle_days(miner))
    }

    /// `who`, if it may take on a task of this type now; else the reason, for other pallets and as
    /// an error for users.
    pub(crate) fn check(
        who: &T::AccountId,
        task_type: TaskType,
    ) -> Result<Miner, (Refusal, Error<T>)> {
        let miner =
            Miners::<T>::get(who).ok_or((Refusal::NotRegistered, Error::<T>::NotRegistered))?;
        ensure!(
            miner.leaving.is_none(),
            (Refusal::Leaving, Error::<T>::Leaving)
        );
        ensure!(
            Self::suspension(who).is_none(),
            (Refusal::Suspended, Error::<T>::Suspended)
        );
        ensure!(
            Self::activity(&miner) != Activity::Dormant,
            (Refusal::Dormant, Error::<T>::Dormant)
        );
        ensure!(
            miner.open_tasks < MAX_CONCURRENT_TASKS,
            (Refusal::TooManyTasks, Error::<T>::TooManyTasks)
        );
        ensure!(
            miner.specialisations.contains(&task_type),
            (Refusal::NotSpecialised, Error::<T>::NotSpecialised)
        );
        Ok(miner)
    }

    /// Whether `who` must keep away from `party`. Reads what `who` and the owner it named declare,
    /// and nothing else: no stranger may be able to keep `who` away from anything.
    pub(crate) fn recuses(who: &T::AccountId, party: &T::AccountId) -> bool {
        who == party
            || Self::declares(who, party)
            || Owners::<T>::get(who)
                .is_some_and(|owner| owner == *party || Self::declares(&owner, party))
    }

    fn declares(who: &T::AccountId, other: &T::AccountId) -> bool {
        Relations::<T>::get(who).binary_search(other).is_ok()
    }

    pub(crate) fn view(who: &T::AccountId) -> Option<MinerView> {
        let miner = Miners::<T>::get(who)?;
        let suspended_until = Self::suspension(who);
        let certificate = Self::certificate(who);
        let rules = T::Rules::levels();
        Some(MinerView {
            idle_days: Self::idle_days(&miner),
            activity: Self::activity(&miner),
            withdrawable_at: miner
                .leaving
                .map(|until| until.max(suspended_until.unwrap_or(0))),
            suspended_until,
            certification: certificate.map(|c| c.level).unwrap_or_default(),
            certified_until: certificate.map(|c| c.expires),
            level: miner.level.level,
            success: miner.level.success(),
            endorsements: Endorsements::<T>::decode_len(who)
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
            probation_until: miner.level.probation_until(&rules),
            grace_until: miner.level.grace_until(&rules),
            specialisations: miner.specialisations.into_inner(),
            stake: miner.stake,
            open_tasks: miner.open_tasks,
            completed: miner.completed,
            failed: miner.failed,
            registered: miner.registered,
        })
    }

    pub(crate) fn check_miners() -> Result<(), TryRuntimeError> {
        let reason = HoldReason::Registration.into();
        for (who, miner) in Miners::<T>::iter() {
            ensure!(
                T::Currency::balance_on_hold(&reason, &who) == miner.stake,
                "miners: a recorded stake is not what is held"
            );
            // What was asked for when it registered may have been more or less than now.
            ensure!(
                miner.stake >= LEAST_REGISTRATION,
                "miners: a stake is less than any rules could have asked for"
            );
            let ordered = miner
                .specialisations
                .windows(2)
                .all(|p| p.first() < p.last());
            ensure!(
                ordered && !miner.specialisations.is_empty(),
                "miners: specialisations are not ascending and distinct"
            );
            ensure!(
                miner.open_tasks <= MAX_CONCURRENT_TASKS,
                "miners: too many open tasks"
            );
            ensure!(
                miner.leaving.is_none() || miner.open_tasks == 0,
                "miners: a leaving miner has open tasks"
            );
        }
        Ok(())
    }

    pub(crate) fn check_accounts() -> Result<(), TryRuntimeError> {
        ensure!(
            Certificates::<T>::iter_values().all(|c| c.level != Certification::Unverified),
            "miners: a certificate certifies nothing"
        );
        ensure!(
            Owners::<T>::iter().all(|(who, owner)| who != owner),
            "miners: an account owns itself"
        );
        for (who, others) in Relations::<T>::iter() {
            let ordered = others.windows(2).all(|p| p.first() < p.last());
            ensure!(
                ordered && !others.is_empty() && !others.contains(&who),
                "miners: declared relations are not ascending, distinct and to others"
            );
        }
        Ok(())
    }
}

impl<T: Config> MinerRegistry<T::AccountId> for Pallet<T> {
    fn may_work(who: &T::AccountId, task_type: TaskType) -> Result<(), Refusal> {
        Self::check(who, task_type)
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

    fn must_recuse(who: &T::AccountId, party: &T::AccountId) -> bool {
        Self::recuses(who, party)
    }

    fn start_task(who: &T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut miner = Self::check(who, task_type).map_err(|(_, error)| error)?;
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
}
