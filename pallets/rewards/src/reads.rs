// SPDX-License-Identifier: Apache-2.0

//! Reads: claims of an account, and the rules in force.

use crate::{pallet::*, types::*};
use alloc::vec::Vec;
use tos_formulas::split::{SplitProfile, WinnerRule};
use tos_types::{Difficulty, TaskType};
use tos_views::ClaimView;

impl<T: Config> Pallet<T> {
    /// The rewards that `who` may claim, at most [`MAX_CLAIMS_PER_CALL`]: those that the next
    /// `claim_all` would pay.
    pub fn claimable(who: T::AccountId) -> Vec<ClaimView> {
        Claims::<T>::iter_prefix(&who)
            .take(usize::try_from(MAX_CLAIMS_PER_CALL).unwrap_or(usize::MAX))
            .map(|(task, claim)| ClaimView {
                task,
                amount: claim.amount,
                expires: claim.expires,
            })
            .collect()
    }

    /// The split profile of tasks of this type and difficulty that are published now.
    pub(crate) fn split_profile(task_type: TaskType, difficulty: Difficulty) -> SplitProfile {
        Profiles::<T>::get(task_type, difficulty)
            .unwrap_or_else(|| SplitProfile::for_task(task_type, difficulty))
    }

    /// The rule for the number of winners of tasks of this type that are published now.
    pub(crate) fn winner_rule(task_type: TaskType) -> WinnerRule {
        WinnerRules::<T>::get(task_type).unwrap_or_else(|| WinnerRule::for_type(task_type))
    }
}
