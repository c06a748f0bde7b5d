// SPDX-License-Identifier: Apache-2.0

//! Invariants of constants and of the state.

use crate::{
    types::MAX_SPECIALISATIONS, Certificates, Claim, Config, Declarations, Endorsements, Endorsing,
    HoldReason, Miners, Pallet,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{
    ensure,
    traits::{
        fungible::{hold::Inspect as _, Inspect as _},
        Get,
    },
};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_formulas::level::MAX_ENDORSED;
use tos_types::{
    params::MAX_CONCURRENT_TASKS,
    rules::LEAST_REGISTRATION,
    task::{Certification, Level},
    TaskType,
};

impl<T: Config> Pallet<T> {
    /// Checks relations among constants that the pallet relies on.
    pub(crate) fn check_constants() {
        assert!(
            T::MaxRelations::get() > 0,
            "accounts must be able to declare relations"
        );
        let built_in = TaskType::BUILT_IN.len();
        assert!(
            u32::try_from(built_in).is_ok_and(|n| n <= MAX_SPECIALISATIONS),
            "a miner must be able to work on every built-in type"
        );
        assert!(
            LEAST_REGISTRATION >= T::Currency::minimum_balance(),
            "a stake must be worth more than an account's existence"
        );
    }

    /// Checks every invariant of this pallet's storage.
    ///
    /// # Errors
    /// Names the first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_miners()?;
        Self::check_accounts()?;
        Self::check_levels()
    }

    /// Stakes are what is held, specialisations are in order, and no leaving miner has open tasks.
    fn check_miners() -> Result<(), TryRuntimeError> {
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

    /// Certificates certify something; declarations name other accounts, each once at a time.
    fn check_accounts() -> Result<(), TryRuntimeError> {
        ensure!(
            Certificates::<T>::iter_values().all(|c| c.level != Certification::Unverified),
            "miners: a certificate certifies nothing"
        );
        for (who, declared) in Declarations::<T>::iter() {
            let (owners, relations) = (&declared.owners, &declared.relations);
            ensure!(
                !owners.is_empty() || !relations.is_empty(),
                "miners: an account declares nothing"
            );
            ensure!(
                owners.iter().all(|claim| claim.other != who),
                "miners: an account owns itself"
            );
            // One that follows counts for tasks published after `since`, so not before `since + 1`.
            let follows = |one: &Claim<T::AccountId>, next: &Claim<T::AccountId>| {
                let until = one.until;
                until.is_some_and(|until| until <= next.since.saturating_add(1))
            };
            ensure!(
                owners
                    .iter()
                    .zip(owners.iter().skip(1))
                    .all(|(one, next)| follows(one, next)),
                "miners: two owners of an account count at once"
            );
            let ordered = relations
                .iter()
                .zip(relations.iter().skip(1))
                .all(|(one, next)| {
                    one.other < next.other || (one.other == next.other && follows(one, next))
                });
            ensure!(
                ordered && relations.iter().all(|claim| claim.other != who),
                "miners: declared relations are not ascending, distinct and to others"
            );
        }
        Ok(())
    }

    /// Levels and their outcomes fit, and endorsements given and held agree.
    fn check_levels() -> Result<(), TryRuntimeError> {
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
