// SPDX-License-Identifier: Apache-2.0

//! Work of the dispatchables.

use crate::{
    types::MAX_SUSPENSION_DAYS, Certificate, Certificates, Config, Endorsements, Endorsers,
    Endorsing, Error, Event, HoldReason, Miner, Miners, Pallet, Specialisations, Suspensions,
};
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_formulas::level::{Facts, LevelRecord, MAX_ENDORSED};
use tos_interfaces::{Clock, Reputation};
use tos_pallet_support::holds;
use tos_types::{rules::MemberRules, task::Certification, Balance, Tick};
use tos_views::Activity;

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
        let until = T::Clock::now().saturating_add(T::Clock::phase_lengths().unbonding);
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
        holds::withdraw::<T::Currency, _>(HoldReason::Registration, &who, &who, amount)?;
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

    pub(crate) fn do_endorse(endorser: T::AccountId, who: T::AccountId) -> DispatchResult {
        ensure!(endorser != who, Error::<T>::SelfRelation);
        let miner = Miners::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        let wanted = miner.level.level.next().ok_or(Error::<T>::HighestLevel)?;
        ensure!(
            Self::may_endorse(&endorser, wanted),
            Error::<T>::NotEntitled
        );
        let apart =
            !Self::keeps_away_now(&endorser, &who) && !Self::keeps_away_now(&who, &endorser);
        ensure!(apart, Error::<T>::RelatedEndorser);
        let given = Endorsing::<T>::get(&endorser);
        ensure!(given < MAX_ENDORSED, Error::<T>::EndorsesTooMany);
        Endorsements::<T>::try_mutate(&who, |endorsers: &mut Endorsers<T::AccountId>| {
            ensure!(!endorsers.contains(&endorser), Error::<T>::AlreadyEndorsed);
            endorsers
                .try_push(endorser.clone())
                .map_err(|_| Error::<T>::TooManyEndorsements)
        })?;
        Endorsing::<T>::insert(&endorser, given.saturating_add(1));
        Self::deposit_event(Event::Endorsed { endorser, who });
        Ok(())
    }

    pub(crate) fn do_retract_endorsement(
        caller: &T::AccountId,
        endorser: T::AccountId,
        who: T::AccountId,
    ) -> DispatchResult {
        let involved = *caller == endorser || *caller == who;
        ensure!(involved, Error::<T>::NotInvolved);
        let mut endorsers = Endorsements::<T>::get(&who);
        let place = endorsers
            .iter()
            .position(|other| *other == endorser)
            .ok_or(Error::<T>::NotEndorsed)?;
        endorsers.remove(place);
        if endorsers.is_empty() {
            Endorsements::<T>::remove(&who);
        } else {
            Endorsements::<T>::insert(&who, endorsers);
        }
        Self::one_less(&endorser);
        Self::deposit_event(Event::EndorsementRetracted { endorser, who });
        Ok(())
    }

    pub(crate) fn do_review_level(who: T::AccountId) -> DispatchResult {
        let mut miner = Miners::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        let (before, completed) = (miner.level.level, miner.completed);
        let facts = || Facts {
            completed,
            reputation: T::Reputation::global(&who),
            endorsements: Self::endorsements_for(&who, before),
        };
        let change = miner
            .level
            .review(T::Clock::today(), &T::Rules::levels(), facts);
        let change = change.ok_or(Error::<T>::NothingToReview)?;
        Self::tell(&who, &miner, change);
        Miners::<T>::insert(&who, miner);
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
    pub(crate) fn longest_suspension() -> Tick {
        T::Clock::phase_lengths()
            .day
            .saturating_mul(MAX_SUSPENSION_DAYS)
    }
}
