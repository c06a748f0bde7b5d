// SPDX-License-Identifier: Apache-2.0

//! The calls. None of them changes a tree, or what a draw can lock of a judge.

use crate::{
    Addition, Bootstrap, Changes, Config, Counts, Error, Event, HoldReason, Judge, Judges, Pallet,
    Settings,
};
use frame_support::{
    ensure,
    traits::{fungible::Mutate, tokens::Preservation, Get},
};
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Clock, MinerRegistry};
use tos_pallet_support::holds;
use tos_types::{rules::JudgeRules, Balance, TaskType};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register(
        who: T::AccountId,
        task_type: TaskType,
        bond: Balance,
    ) -> DispatchResult {
        let known = Judges::<T>::contains_key(task_type, &who);
        ensure!(!known, Error::<T>::AlreadyRegistered);
        ensure!(bond >= T::Rules::roster().enter, Error::<T>::BelowEntry);
        ensure!(!T::Miners::is_suspended(&who), Error::<T>::Suspended);
        let mut count = Counts::<T>::get(task_type);
        ensure!(
            count.bonds < crate::periods::Tree::<T>::CAPACITY,
            Error::<T>::RosterFull
        );
        let short = Error::<T>::InsufficientStake;
        holds::hold::<T::Currency, _>(HoldReason::JudgeStake, &who, bond, short)?;
        count.bonds = count.bonds.saturating_add(1);
        Counts::<T>::insert(task_type, count);
        let pending = Self::warming(task_type, &who, bond);
        let judge = Judge {
            pending: Some(pending),
            ..Judge::default()
        };
        Judges::<T>::insert(task_type, &who, judge);
        Self::deposit_event(Event::Registered {
            who,
            task_type,
            bond,
            at: pending.at,
        });
        Ok(())
    }

    pub(crate) fn do_add_bond(
        who: T::AccountId,
        task_type: TaskType,
        amount: Balance,
    ) -> DispatchResult {
        let mut judge = Self::staying(task_type, &who)?;
        let short = Error::<T>::InsufficientStake;
        holds::hold::<T::Currency, _>(HoldReason::JudgeStake, &who, amount, short)?;
        let counts = judge.bond.saturating_add(judge.restoring);
        let restoring = amount.min(judge.warm.saturating_sub(counts));
        let warming = amount.saturating_sub(restoring);
        if warming > 0 {
            let before = judge.pending.take();
            if let Some(before) = before {
                Changes::<T>::remove(Self::first_period_from(before.at), (task_type, &who));
                // The entry may have stood for something else as well.
                Self::schedule(task_type, &who);
            }
            let all = warming.saturating_add(before.map_or(0, |before| before.amount));
            judge.pending = Some(Self::warming(task_type, &who, all));
        }
        if restoring > 0 {
            judge.restoring = judge.restoring.saturating_add(restoring);
            Self::schedule(task_type, &who);
        }
        Judges::<T>::insert(task_type, &who, judge);
        Self::deposit_event(Event::BondAdded {
            who,
            task_type,
            restoring,
            warming,
        });
        Ok(())
    }

    pub(crate) fn do_leave(who: T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut judge = Self::staying(task_type, &who)?;
        let release_at = T::Clock::now().saturating_add(Settings::<T>::get().unbonding);
        judge.leaving = Some(release_at);
        Judges::<T>::insert(task_type, &who, judge);
        Self::schedule(task_type, &who);
        Self::deposit_event(Event::LeaveStarted {
            who,
            task_type,
            release_at,
        });
        Ok(())
    }

    pub(crate) fn do_withdraw(who: T::AccountId, task_type: TaskType) -> DispatchResult {
        let judge = Self::judge(task_type, &who)?;
        let release_at = judge.leaving.ok_or(Error::<T>::NotLeaving)?;
        let out = judge.leaf.is_none() && judge.certified_leaf.is_none();
        ensure!(
            T::Clock::now() >= release_at && out,
            Error::<T>::StillUnbonding
        );
        ensure!(judge.locked == 0, Error::<T>::StillSeated);
        let (bond, pay) = (judge.held(), judge.earned);
        holds::withdraw::<T::Currency, _>(HoldReason::JudgeStake, &who, &who, bond)?;
        Self::pay_out(&who, pay)?;
        Judges::<T>::remove(task_type, &who);
        Counts::<T>::mutate(task_type, |count| {
            count.bonds = count.bonds.saturating_sub(1);
        });
        Self::deposit_event(Event::Withdrawn {
            who,
            task_type,
            bond,
            pay,
        });
        Ok(())
    }

    pub(crate) fn do_rejoin(who: T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut judge = Self::judge(task_type, &who)?;
        ensure!(judge.leaving.take().is_some(), Error::<T>::NotLeaving);
        Judges::<T>::insert(task_type, &who, judge);
        Self::schedule(task_type, &who);
        Self::deposit_event(Event::Rejoined { who, task_type });
        Ok(())
    }

    pub(crate) fn do_report_back(who: T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut judge = Self::judge(task_type, &who)?;
        ensure!(
            judge.silent.is_some() && !judge.returning,
            Error::<T>::NotSilent
        );
        judge.returning = true;
        Judges::<T>::insert(task_type, &who, judge);
        Self::schedule(task_type, &who);
        Self::deposit_event(Event::ReportedBack { who, task_type });
        Ok(())
    }

    pub(crate) fn do_claim_pay(who: &T::AccountId, task_type: TaskType) -> DispatchResult {
        let mut judge = Self::judge(task_type, who)?;
        let amount = core::mem::take(&mut judge.earned);
        ensure!(amount > 0, Error::<T>::NothingToClaim);
        Self::pay_out(who, amount)?;
        Judges::<T>::insert(task_type, who, judge);
        Self::deposit_event(Event::PayClaimed {
            who: who.clone(),
            task_type,
            amount,
        });
        Ok(())
    }

    pub(crate) fn do_sync_certificate(who: &T::AccountId, task_type: TaskType) -> DispatchResult {
        let judge = Self::judge(task_type, who)?;
        let drawn = !T::Miners::is_suspended(who) && judge.due_weight(T::Rules::roster().stay) > 0;
        let certified = drawn && T::Miners::judges_certified(who);
        let known = (judge.leaf.is_some(), judge.certified_leaf.is_some());
        ensure!(known != (drawn, certified), Error::<T>::InStep);
        Self::schedule(task_type, who);
        Ok(())
    }

    pub(crate) fn do_end_bootstrap(task_type: TaskType) -> DispatchResult {
        let was = Bootstrap::<T>::take(task_type);
        ensure!(was.is_some(), Error::<T>::NotInBootstrap);
        Self::deposit_event(Event::BootstrapEnded { task_type });
        Ok(())
    }

    pub(crate) fn judge(task_type: TaskType, who: &T::AccountId) -> Result<Judge, DispatchError> {
        let judge = Judges::<T>::get(task_type, who);
        judge.ok_or_else(|| Error::<T>::NotJudge.into())
    }

    /// A judge that is not leaving.
    fn staying(task_type: TaskType, who: &T::AccountId) -> Result<Judge, DispatchError> {
        let judge = Self::judge(task_type, who)?;
        ensure!(judge.leaving.is_none(), Error::<T>::Leaving);
        Ok(judge)
    }

    /// An addition that warms up from now, with its entry among the changes.
    fn warming(task_type: TaskType, who: &T::AccountId, amount: Balance) -> Addition {
        let at = T::Clock::now().saturating_add(Settings::<T>::get().warm_up);
        Changes::<T>::insert(Self::first_period_from(at), (task_type, who), ());
        Addition { amount, at }
    }

    /// Pays an amount out of the pot, which stays alive.
    pub(crate) fn pay_out(to: &T::AccountId, amount: Balance) -> DispatchResult {
        if amount > 0 {
            T::Currency::transfer(&T::Pot::get(), to, amount, Preservation::Preserve)?;
        }
        Ok(())
    }
}
