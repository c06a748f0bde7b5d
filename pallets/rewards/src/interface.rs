// SPDX-License-Identifier: Apache-2.0

//! The vault, as other pallets use it.

use crate::pallet::*;
use frame_support::storage::with_storage_layer;
use polkadot_sdk::*;
use sp_runtime::{DispatchError, DispatchResult};
use tos_formulas::split::{Allocation, SplitProfile, WinnerRule};
use tos_interfaces::{Settlement, Vault};
use tos_types::{Balance, Difficulty, TaskId, TaskType};

impl<T: Config> Vault<T::AccountId> for Pallet<T> {
    fn division(task_type: TaskType, difficulty: Difficulty) -> (SplitProfile, WinnerRule) {
        let split = Self::split_profile(task_type, difficulty);
        (split, Self::winner_rule(task_type))
    }

    fn deposit(task: &TaskId, publisher: &T::AccountId, reward: Balance) -> DispatchResult {
        with_storage_layer(|| Self::do_deposit(task, publisher, reward))
    }

    fn refund(task: &TaskId, fee: Balance) -> DispatchResult {
        with_storage_layer(|| Self::do_refund(task, fee))
    }

    fn settle(settlement: &Settlement<T::AccountId>) -> Result<Allocation, DispatchError> {
        with_storage_layer(|| Self::do_settle(settlement))
    }

    fn escrowed(task: &TaskId) -> Balance {
        Escrows::<T>::get(task).map_or(0, |escrow| escrow.amount)
    }
}
