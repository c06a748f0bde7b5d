// SPDX-License-Identifier: Apache-2.0

//! Rosters of a new chain.

use crate::{Bootstrap, Config, Counts, Error, HoldReason, Judge, Judges, Pallet, Settings};
use frame_support::{ensure, storage::with_storage_layer};
use polkadot_sdk::*;
use sp_runtime::DispatchResult;
use tos_pallet_support::holds;
use tos_types::{roster::RosterTimes, rules::JudgeRules, Balance, TaskType};

impl<T: Config> Pallet<T> {
    /// Founds the rosters.
    ///
    /// # Panics
    /// A network cannot be born with these.
    pub(crate) fn found(
        times: &RosterTimes,
        bootstrap: &[TaskType],
        judges: &[(T::AccountId, TaskType, Balance)],
    ) {
        assert!(times.is_sound(), "genesis times of rosters: {times:?}");
        Settings::<T>::put(*times);
        for task_type in bootstrap {
            Bootstrap::<T>::insert(task_type, ());
        }
        for (who, task_type, bond) in judges {
            let seeded = with_storage_layer(|| Self::seat_at_genesis(who, *task_type, *bond));
            assert!(seeded.is_ok(), "genesis judge {who:?}: {seeded:?}");
        }
    }

    /// Bonds a judge that is warm at once, and has no rise: it was there before all cases.
    fn seat_at_genesis(who: &T::AccountId, task_type: TaskType, bond: Balance) -> DispatchResult {
        let known = Judges::<T>::contains_key(task_type, who);
        ensure!(!known, Error::<T>::AlreadyRegistered);
        ensure!(bond >= T::Rules::roster().enter, Error::<T>::BelowEntry);
        let short = Error::<T>::InsufficientStake;
        holds::hold::<T::Currency, _>(HoldReason::JudgeStake, who, bond, short)?;
        let judge = Judge {
            bond,
            ..Judge::default()
        };
        Judges::<T>::insert(task_type, who, judge);
        Counts::<T>::mutate(task_type, |count| {
            count.bonds = count.bonds.saturating_add(1);
        });
        Self::bring_up_to_date(task_type, who)?;
        Judges::<T>::mutate(task_type, who, |judge| {
            if let Some(judge) = judge {
                judge.rises = Default::default();
            }
        });
        Ok(())
    }
}
