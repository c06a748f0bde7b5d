// SPDX-License-Identifier: Apache-2.0

//! Levels and endorsements. What a level rests on and when it changes is in
//! [`tos_formulas::level`]; here are the records and who may endorse whom.

use crate::{Config, Endorsements, Endorsers, Endorsing, Error, Event, Miner, Miners, Pallet};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::Defensive};
use polkadot_sdk::*;
use sp_runtime::{DispatchResult, TryRuntimeError};
use tos_formulas::level::{Facts, LevelChange, MAX_ENDORSED};
use tos_interfaces::{Clock, ReputationBook};
use tos_types::{
    rules::MemberRules,
    task::{Certification, Level},
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_endorse(endorser: T::AccountId, who: T::AccountId) -> DispatchResult {
        ensure!(endorser != who, Error::<T>::SelfRelation);
        let miner = Miners::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
        let wanted = miner.level.level.next().ok_or(Error::<T>::HighestLevel)?;
        ensure!(
            Self::may_endorse(&endorser, wanted),
            Error::<T>::NotEntitled
        );
        let apart = !Self::recuses(&endorser, &who) && !Self::recuses(&who, &endorser);
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
        endorser: T::AccountId,
        who: T::AccountId,
    ) -> DispatchResult {
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

    /// Takes a level from `who` for a suspension, if it is a miner.
    pub(crate) fn set_back(who: &T::AccountId) {
        let Some(mut miner) = Miners::<T>::get(who) else {
            return;
        };
        if let Some(change) = miner.level.set_back() {
            Self::tell(who, &miner, change);
            Miners::<T>::insert(who, miner);
        }
    }

    /// Removes the endorsements of a miner that is gone.
    pub(crate) fn forget_endorsements(who: &T::AccountId) {
        for endorser in Endorsements::<T>::take(who) {
            Self::one_less(&endorser);
        }
    }

    pub(crate) fn tell(who: &T::AccountId, miner: &Miner, change: LevelChange) {
        Self::deposit_event(Event::LevelChanged {
            who: who.clone(),
            change,
            level: miner.level.level,
        });
    }

    /// The endorsements that count for the next level of `who`: those of accounts that could give
    /// them now.
    fn endorsements_for(who: &T::AccountId, level: Level) -> u32 {
        let Some(wanted) = level.next() else {
            return 0;
        };
        let counting = Endorsements::<T>::get(who)
            .into_iter()
            .filter(|endorser| Self::may_endorse(endorser, wanted))
            .count();
        u32::try_from(counting).unwrap_or(u32::MAX)
    }

    /// Whether an account may speak for a miner that wants to reach a level: who has reached it
    /// itself, or is certified for its profession, since somebody has to be the first.
    fn may_endorse(endorser: &T::AccountId, wanted: Level) -> bool {
        if Self::suspension(endorser).is_some() {
            return false;
        }
        let certified =
            Self::certificate(endorser).is_some_and(|c| c.level >= Certification::Professional);
        certified
            || Miners::<T>::get(endorser)
                .is_some_and(|miner| miner.leaving.is_none() && miner.level.level >= wanted)
    }

    fn one_less(endorser: &T::AccountId) {
        Endorsing::<T>::mutate_exists(endorser, |slot| {
            let left = slot
                .and_then(|given| given.checked_sub(1))
                .defensive_unwrap_or(0);
            *slot = (left > 0).then_some(left);
        });
    }

    pub(crate) fn check_levels() -> Result<(), TryRuntimeError> {
        for (_, miner) in Miners::<T>::iter() {
            let record = miner.level;
            ensure!(
                record.count <= tos_formulas::level::OUTCOMES
                    && record.outcomes.count_ones() <= u32::from(record.count),
                "miners: more outcomes than are counted"
            );
            ensure!(
                record.grace.is_none()
                    || (record.probation.is_none() && record.level > Level::Standard),
                "miners: a level in danger that rises, or that cannot be lost"
            );
        }
        let mut given: BTreeMap<T::AccountId, u32> = BTreeMap::new();
        for (who, endorsers) in Endorsements::<T>::iter() {
            ensure!(
                Miners::<T>::contains_key(&who) && !endorsers.is_empty(),
                "miners: endorsements of nobody or by nobody"
            );
            let distinct: BTreeSet<_> = endorsers.iter().collect();
            ensure!(
                distinct.len() == endorsers.len() && !endorsers.contains(&who),
                "miners: endorsed twice, or by itself"
            );
            for endorser in endorsers {
                let count = given.entry(endorser).or_default();
                *count = count.saturating_add(1);
            }
        }
        ensure!(
            Endorsing::<T>::iter().collect::<BTreeMap<_, _>>() == given,
            "miners: endorsements given and held differ"
        );
        ensure!(
            given.values().all(|count| *count <= MAX_ENDORSED),
            "miners: an account endorses too many"
        );
        Ok(())
    }
}
