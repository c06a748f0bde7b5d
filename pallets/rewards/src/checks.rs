// SPDX-License-Identifier: Apache-2.0

//! Invariants of constants and of the state.

use crate::{pallet::*, types::*, weights::WeightInfo};
use alloc::collections::BTreeMap;
use frame_support::{dispatch::DispatchClass, ensure, traits::fungible::InspectHold, traits::Get};
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{Balance, Difficulty, TaskType, MAX_PARTICIPANTS};

/// Amounts by account.
type Totals<AccountId> = BTreeMap<AccountId, Balance>;

/// Returns `true` if a rule names numbers that a task can have.
pub(crate) fn is_valid_rule(rule: &WinnerRule) -> bool {
    let possible = 1..=MAX_PARTICIPANTS;
    possible.contains(&rule.per.into()) && possible.contains(&rule.cap.into())
}

impl<T: Config> Pallet<T> {
    /// Checks relations among constants that the pallet relies on.
    pub(crate) fn check_constants() {
        for task_type in TaskType::BUILT_IN {
            for difficulty in Difficulty::ALL {
                assert!(
                    SplitProfile::for_task(task_type, difficulty).is_within_bounds(),
                    "default profile of {task_type:?} at {difficulty:?} is out of bounds",
                );
            }
            assert!(
                is_valid_rule(&WinnerRule::for_type(task_type)),
                "default winner rule of {task_type:?} is invalid",
            );
        }
        let limits = <T as frame_system::Config>::BlockWeights::get();
        let most = limits
            .get(DispatchClass::Normal)
            .max_extrinsic
            .unwrap_or(limits.max_block);
        let claim_all = T::WeightInfo::claim_all(MAX_CLAIMS_PER_CALL);
        assert!(
            claim_all.all_lte(most),
            "claim_all weighs {claim_all}, a call may {most}"
        );
    }

    /// Checks every invariant of this pallet's storage.
    ///
    /// # Errors
    /// Names the first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_escrows()?;
        Self::check_claims()?;
        Self::check_expiries()?;
        Self::check_rules()
    }

    /// Escrows are held on their publishers, to the wei.
    fn check_escrows() -> Result<(), TryRuntimeError> {
        let mut totals = Totals::<T::AccountId>::new();
        for escrow in Escrows::<T>::iter_values() {
            ensure!(escrow.amount > 0, "an escrow is empty");
            Self::add(&mut totals, escrow.publisher, escrow.amount)?;
        }
        Self::check_holds(HoldReason::Escrow, totals, "escrows and holds differ")
    }

    /// Claims are held on their beneficiaries, or for them on the treasury, to the wei.
    fn check_claims() -> Result<(), TryRuntimeError> {
        let mut totals = Totals::<T::AccountId>::new();
        for (who, _, claim) in Claims::<T>::iter() {
            ensure!(claim.amount > 0, "a claim is empty");
            let holder = match claim.custody {
                Custody::Owner => who,
                Custody::Treasury => T::Treasury::get(),
            };
            Self::add(&mut totals, holder, claim.amount)?;
        }
        Self::check_holds(HoldReason::Claimable, totals, "claims and holds differ")
    }

    /// Every claim is in the index once, under its expiry, unless the chain has tried to pay it.
    fn check_expiries() -> Result<(), TryRuntimeError> {
        let cursor = ExpiryCursor::<T>::get();
        for (expires, (who, task)) in Expiries::<T>::iter_keys() {
            ensure!(expires >= cursor, "an expiry lies behind the cursor");
            let claim = Claims::<T>::get(who, task).ok_or("an expiry without a claim")?;
            ensure!(
                claim.expires == expires,
                "a claim is not under its expiry in the index"
            );
        }
        for (who, task, claim) in Claims::<T>::iter() {
            let listed = Expiries::<T>::contains_key(claim.expires, (&who, &task));
            ensure!(
                listed || claim.expires <= cursor,
                "a claim is not in the expiry index"
            );
        }
        Ok(())
    }

    /// Profiles and winner rules set by governance are within bounds.
    fn check_rules() -> Result<(), TryRuntimeError> {
        ensure!(
            Profiles::<T>::iter_values().all(|profile| profile.is_within_bounds()),
            "a split profile is out of bounds"
        );
        ensure!(
            WinnerRules::<T>::iter_values().all(|rule| is_valid_rule(&rule)),
            "a winner rule is invalid"
        );
        Ok(())
    }

    fn add(
        totals: &mut Totals<T::AccountId>,
        who: T::AccountId,
        amount: Balance,
    ) -> Result<(), TryRuntimeError> {
        let total = totals.entry(who).or_default();
        *total = total.checked_add(amount).ok_or("amounts overflow")?;
        Ok(())
    }

    fn check_holds(
        reason: HoldReason,
        totals: Totals<T::AccountId>,
        message: &'static str,
    ) -> Result<(), TryRuntimeError> {
        let reason = reason.into();
        for (who, total) in totals {
            ensure!(
                T::Currency::balance_on_hold(&reason, &who) == total,
                message
            );
        }
        Ok(())
    }
}
