// SPDX-License-Identifier: Apache-2.0

//! Work of the dispatchables. A claim that expired is paid by the same functions.

use crate::{checks::is_valid_rule, pallet::*, types::*};
use alloc::vec::Vec;
use frame_support::{ensure, storage::with_storage_layer, traits::Get};
use polkadot_sdk::*;
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_pallet_support::holds;
use tos_types::{Balance, Difficulty, TaskId, TaskType};

impl<T: Config> Pallet<T> {
    /// Pays the reward of one task to its owner.
    pub(crate) fn do_claim(who: &T::AccountId, task: &TaskId) -> DispatchResult {
        let Claim {
            amount, custody, ..
        } = Self::take_claim(who, task)?;
        Self::pay_out(who, custody, amount)?;
        Self::deposit_event(Event::Claimed {
            who: who.clone(),
            task: *task,
            amount,
        });
        Ok(())
    }

    /// Pays the owner's rewards, at most [`MAX_CLAIMS_PER_CALL`]. Those on the owner's account and those
    /// on the treasury's are paid each by themselves: neither holds up the other. Returns the number that
    /// there were.
    ///
    /// # Errors
    /// There are none, or none could be paid.
    pub(crate) fn do_claim_all(who: &T::AccountId) -> Result<u32, DispatchError> {
        let claims: Vec<_> = Claims::<T>::iter_prefix(who)
            .take(usize::try_from(MAX_CLAIMS_PER_CALL).unwrap_or(usize::MAX))
            .collect();
        let (mut paid, mut refused) = (false, None);
        for custody in [Custody::Owner, Custody::Treasury] {
            let tasks: Vec<TaskId> = claims
                .iter()
                .filter(|(_, claim)| claim.custody == custody)
                .map(|(task, _)| *task)
                .collect();
            if tasks.is_empty() {
                continue;
            }
            match with_storage_layer(|| Self::claim_together(who, custody, &tasks)) {
                Ok(()) => paid = true,
                Err(error) => refused = Some(error),
            }
        }
        ensure!(paid, refused.unwrap_or(Error::<T>::NothingToClaim.into()));
        Ok(u32::try_from(claims.len()).unwrap_or(MAX_CLAIMS_PER_CALL))
    }

    /// Pays rewards that are held on one account in one sum: several too small for an account may
    /// together open it.
    fn claim_together(who: &T::AccountId, custody: Custody, tasks: &[TaskId]) -> DispatchResult {
        let mut total: Balance = 0;
        for task in tasks {
            let amount = Self::take_claim(who, task)?.amount;
            total = total.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
            Self::deposit_event(Event::Claimed {
                who: who.clone(),
                task: *task,
                amount,
            });
        }
        Self::pay_out(who, custody, total)
    }

    /// Turns auto-claim on or off.
    pub(crate) fn do_set_auto_claim(who: T::AccountId, enabled: bool) -> DispatchResult {
        if AutoClaim::<T>::contains_key(&who) != enabled {
            // The reference keeps the account in existence: payments can reach it, and the entry
            // cannot outlive the account.
            if enabled {
                frame_system::Pallet::<T>::inc_consumers(&who)?;
                AutoClaim::<T>::insert(&who, ());
            } else {
                frame_system::Pallet::<T>::dec_consumers(&who);
                AutoClaim::<T>::remove(&who);
            }
        }
        Self::deposit_event(Event::AutoClaimSet { who, enabled });
        Ok(())
    }

    /// Sets a split profile, or brings the default back.
    pub(crate) fn do_set_profile(
        task_type: TaskType,
        difficulty: Difficulty,
        profile: Option<SplitProfile>,
    ) -> DispatchResult {
        ensure!(
            profile.is_none_or(|p| p.is_within_bounds()),
            Error::<T>::ProfileOutOfBounds
        );
        Profiles::<T>::set(task_type, difficulty, profile);
        Self::deposit_event(Event::ProfileSet {
            task_type,
            difficulty,
            profile,
        });
        Ok(())
    }

    /// Sets a winner rule, or brings the default back.
    pub(crate) fn do_set_winner_rule(
        task_type: TaskType,
        rule: Option<WinnerRule>,
    ) -> DispatchResult {
        ensure!(
            rule.is_none_or(|r| is_valid_rule(&r)),
            Error::<T>::WinnerRuleInvalid
        );
        WinnerRules::<T>::set(task_type, rule);
        Self::deposit_event(Event::WinnerRuleSet { task_type, rule });
        Ok(())
    }

    /// Removes a claim, also from the index of expiries.
    fn take_claim(who: &T::AccountId, task: &TaskId) -> Result<Claim, DispatchError> {
        let claim = Claims::<T>::take(who, task).ok_or(Error::<T>::NothingToClaim)?;
        Expiries::<T>::remove(claim.expires, (who, task));
        Ok(claim)
    }

    /// Moves held rewards to the free balance of their owner.
    fn pay_out(who: &T::AccountId, custody: Custody, amount: Balance) -> DispatchResult {
        let treasury = T::Treasury::get();
        let keeper = match custody {
            Custody::Owner => who,
            Custody::Treasury => &treasury,
        };
        holds::withdraw::<T::Currency, _>(HoldReason::Claimable, keeper, who, amount)
            .map_err(|_| Error::<T>::CannotReceive.into())
    }
}
