//! How records of earlier versions become today's.
//!
//! | from | to | what |
//! |---|---|---|
//! | 1 | 2 | a task's record carries the rules and terms it was published with |

use crate::{Config, Pallet, TaskOf, Tasks, WeightInfo};
use codec::{Decode, DecodeAll, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::{
    migrations::{MigrationId, SteppedMigration, SteppedMigrationError},
    pallet_prelude::{GetStorageVersion, StorageVersion},
    storage::unhashed,
    weights::WeightMeter,
};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_primitives::{
    rules::{DifficultyTerms, TaskRules},
    TaskId,
};

/// Version 1, as it was released.
pub mod v1 {
    use super::*;
    use frame_support::{storage_alias, Identity};
    use tos_primitives::{Balance, ContentHash, Difficulty, Phase, TaskParams, Tick};

    /// A task's record.
    #[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
    pub struct Task<AccountId> {
        pub publisher: AccountId,
        pub params: TaskParams,
        pub difficulty: Difficulty,
        pub reward: Balance,
        pub publisher_stake: Balance,
        pub min_quality: u8,
        pub max_participants: u32,
        pub equal_answers_allowed: bool,
        pub tool: Option<ContentHash>,
        pub phase: Phase,
        pub round: u32,
        pub escalations: u32,
        pub challenged: bool,
        pub opened: Tick,
        pub open_until: Tick,
        pub deadline: Tick,
        pub due: Tick,
        pub joined: u32,
        pub committed: u32,
        pub revealed: u32,
        pub failures: u8,
    }

    /// All tasks.
    #[storage_alias]
    pub type Tasks<T: Config> =
        StorageMap<Pallet<T>, Identity, TaskId, Task<<T as frame_system::Config>::AccountId>>;

    #[cfg(any(test, feature = "runtime-benchmarks"))]
    impl<AccountId> From<crate::Task<AccountId>> for Task<AccountId> {
        /// The record that a node of version 1 would have kept.
        fn from(task: crate::Task<AccountId>) -> Self {
            Self {
                publisher: task.publisher,
                params: task.params,
                difficulty: task.difficulty,
                reward: task.reward,
                publisher_stake: task.publisher_stake,
                min_quality: task.min_quality,
                max_participants: task.max_participants,
                equal_answers_allowed: task.equal_answers_allowed,
                tool: task.tool,
                phase: task.phase,
                round: task.round,
                escalations: task.escalations,
                challenged: task.challenged,
                opened: task.opened,
                open_until: task.open_until,
                deadline: task.deadline,
                due: task.due,
                joined: task.joined,
                committed: task.committed,
                revealed: task.revealed,
                failures: task.failures,
            }
        }
    }

    impl<AccountId> Task<AccountId> {
        /// The record of version 2. Until then there was one set of rules: that of a new network.
        pub fn upgrade(self) -> crate::Task<AccountId> {
            let Self {
                publisher,
                params,
                difficulty,
                reward,
                publisher_stake,
                min_quality,
                max_participants,
                equal_answers_allowed,
                tool,
                phase,
                round,
                escalations,
                challenged,
                opened,
                open_until,
                deadline,
                due,
                joined,
                committed,
                revealed,
                failures,
            } = self;
            crate::Task {
                publisher,
                reference: None,
                params,
                difficulty,
                reward,
                publisher_stake,
                min_quality,
                max_participants,
                equal_answers_allowed,
                tool,
                terms: DifficultyTerms::standard(difficulty),
                rules: TaskRules::STANDARD,
                phase,
                round,
                escalations,
                challenged,
                opened,
                open_until,
                deadline,
                due,
                joined,
                committed,
                revealed,
                failures,
            }
        }
    }
}

/// Gives every task the rules it was published with. Takes as many blocks as it needs; the chain's
/// own clock stands still meanwhile, so nobody misses a deadline.
pub struct RulesIntoTasks<T>(PhantomData<T>);

impl<T: Config> RulesIntoTasks<T> {
    /// Rewrites the record of one task. One of version 2 is longer than any of version 1, so that
    /// neither can be taken for the other, and a second run finds nothing to do.
    pub(crate) fn migrate(id: TaskId) {
        let key = Tasks::<T>::hashed_key_for(id);
        let record = unhashed::get_raw(&key).unwrap_or_default();
        if TaskOf::<T>::decode_all(&mut record.as_slice()).is_ok() {
            return;
        }
        match v1::Task::<T::AccountId>::decode_all(&mut record.as_slice()) {
            // Not through the counted map: the task is counted already.
            Ok(old) => unhashed::put(&key, &old.upgrade()),
            Err(_) => log::error!(
                target: crate::LOG_TARGET,
                "the record of task {id} is of no known version"
            ),
        }
    }

    /// The task after `last`, or the first.
    pub(crate) fn next(last: Option<TaskId>) -> Option<TaskId> {
        match last {
            Some(last) => {
                let from = v1::Tasks::<T>::hashed_key_for(last);
                v1::Tasks::<T>::iter_keys_from(from).next()
            }
            None => v1::Tasks::<T>::iter_keys().next(),
        }
    }
}

impl<T: Config> SteppedMigration for RulesIntoTasks<T> {
    type Cursor = TaskId;
    type Identifier = MigrationId<12>;

    fn id() -> Self::Identifier {
        MigrationId {
            pallet_id: *b"pallet-tasks",
            version_from: 1,
            version_to: 2,
        }
    }

    fn step(
        mut cursor: Option<TaskId>,
        meter: &mut WeightMeter,
    ) -> Result<Option<TaskId>, SteppedMigrationError> {
        let required = T::WeightInfo::migrate_task();
        if meter.remaining().any_lt(required) {
            return Err(SteppedMigrationError::InsufficientWeight { required });
        }
        if Pallet::<T>::on_chain_storage_version() >= 2 {
            meter.consume(required);
            return Ok(None);
        }
        while meter.try_consume(required).is_ok() {
            let Some(id) = Self::next(cursor) else {
                StorageVersion::new(2).put::<Pallet<T>>();
                return Ok(None);
            };
            Self::migrate(id);
            cursor = Some(id);
        }
        Ok(cursor)
    }

    #[cfg(feature = "try-runtime")]
    fn pre_upgrade() -> Result<alloc::vec::Vec<u8>, sp_runtime::TryRuntimeError> {
        let tasks = v1::Tasks::<T>::iter_keys().count() as u64;
        Ok(tasks.encode())
    }

    #[cfg(feature = "try-runtime")]
    fn post_upgrade(state: alloc::vec::Vec<u8>) -> Result<(), sp_runtime::TryRuntimeError> {
        let before = u64::decode(&mut state.as_slice()).map_err(|_| "no count of tasks")?;
        let after = Tasks::<T>::iter().count() as u64;
        frame_support::ensure!(before == after, "a task was lost or cannot be read");
        Pallet::<T>::do_try_state()
    }
}
