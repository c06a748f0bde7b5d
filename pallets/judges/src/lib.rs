// SPDX-License-Identifier: Apache-2.0

//! # Judges
//!
//! Judges register with a stake and the task types they judge. For every task a panel of them
//! is drawn, weighted by reputation; it commits to votes and reveals them, and this pallet counts
//! them into a result by weighted medians. A judge that votes close to the final result earns, by
//! accuracy and never by how high it scored; one that does not vote, or does not reveal, loses
//! stake. The rules are in `docs/protocol.md`, "Panels and votes".
//!
//! The tasks pallet drives the rounds through [`tos_interfaces::Panels`]: `draw`, then
//! votes by transaction, `tally`, possibly again, and at last `conclude` and, much later, `forget`.
//! The state of a judge between two tasks is described in `pool`, the cost of a draw in `draw`.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
pub const LOG_TARGET: &str = "runtime::judges";

mod calls;
mod checks;
mod control;
mod draw;
mod events;
mod panels;
mod pool;
mod reads;
pub mod types;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

/// The pallet.
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use tos_interfaces::{Clock, MinerRegistry, Randomness, Reputation, TaskPhases};
    use tos_pallet_support::holds::HeldCurrency;
    use tos_types::{
        commitment::{Commitment, Salt},
        randomness::RandomnessRequest,
        rules::MemberRules,
        vote::Tally,
        Balance, Bp, Report, TaskId, TaskType, Tick,
    };
    use tos_views::{CheckStats, DutyView, JudgeView, RoundView};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet of judges.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The needs of the pallet: what its runtime provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the steps that the tasks pallet drives.
        type WeightInfo: WeightInfo;

        /// The currency stakes are held in.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// Protocol time.
        type Clock: Clock;

        /// The task side of a vote: which votes are taken now.
        type Phases: TaskPhases<Self::AccountId>;

        /// Origin that approves the accounts which may write control answers.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Suspensions, certifications and recusals.
        type Miners: MinerRegistry<Self::AccountId>;

        /// Reputation: the weight of votes, and where conduct is recorded.
        type Reputation: Reputation<Self::AccountId>;

        /// Seeds that did not exist when the answers were revealed.
        type Randomness: Randomness;

        /// The rules that say what a registration asks for.
        type Rules: MemberRules;

        /// The account that slashed stake goes to. Should exist, so that it can take any amount.
        type Treasury: Get<Self::AccountId>;
    }

    /// The reasons for which this pallet holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The stake of a judge: lost in part for not voting or not revealing, returned after
        /// leaving.
        #[codec(index = 0)]
        JudgeStake,
    }

    /// The registered judges, leaving ones included.
    #[pallet::storage]
    pub type Judges<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Judge, OptionQuery>;

    /// Number of registered judges.
    #[pallet::storage]
    pub type JudgeCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The pool of each task type: its judges by position, without gaps.
    #[pallet::storage]
    pub type Pool<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskType, Twox64Concat, u32, T::AccountId, OptionQuery>;

    /// Number of judges in the pool of each task type.
    #[pallet::storage]
    pub type PoolSize<T: Config> = StorageMap<_, Twox64Concat, TaskType, u32, ValueQuery>;

    /// The position of each judge in the pool of each of its types.
    #[pallet::storage]
    pub type PoolIndex<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        TaskType,
        Blake2_128Concat,
        T::AccountId,
        u32,
        OptionQuery,
    >;

    /// The tasks each judge has a seat in that are not concluded.
    #[pallet::storage]
    pub type Duties<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, DutyList, ValueQuery>;

    /// The latest round of each task that is not concluded.
    #[pallet::storage]
    pub type CurrentRound<T: Config> = StorageMap<_, Blake2_128Concat, TaskId, u32, OptionQuery>;

    /// The randomness that each panel still to be drawn waits for.
    #[pallet::storage]
    pub type DrawRequests<T: Config> =
        StorageMap<_, Blake2_128Concat, TaskId, RandomnessRequest, OptionQuery>;

    /// The rounds of voting, by task and number. Kept until the task is pruned.
    #[pallet::storage]
    pub type Rounds<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        TaskId,
        Twox64Concat,
        u32,
        Round<T::AccountId>,
        OptionQuery,
    >;

    /// The revealed votes, by task, round and judge. Kept until the task is pruned.
    #[pallet::storage]
    pub type Votes<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Blake2_128Concat, TaskId>,
            NMapKey<Twox64Concat, u32>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        Vote,
        OptionQuery,
    >;

    /// The result of each task: that of its latest counted round with a quorum.
    #[pallet::storage]
    pub type Results<T: Config> = StorageMap<_, Blake2_128Concat, TaskId, Findings, OptionQuery>;

    /// The accounts approved to write control answers.
    #[pallet::storage]
    pub type ControlAuthors<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, (), OptionQuery>;

    /// The control answers of each task, once told. Kept until the task is pruned.
    #[pallet::storage]
    pub type Controls<T: Config> =
        StorageMap<_, Blake2_128Concat, TaskId, ControlAnswers, ValueQuery>;

    /// Number of answers of concluded tasks that were checks of the judges.
    #[pallet::storage]
    pub type Checks<T: Config> = StorageValue<_, CheckStats, ValueQuery>;

    /// Judges of a new chain, who pay their stake from their genesis balance.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Accounts that judge, and the task types of each.
        pub judges: Vec<(T::AccountId, Vec<TaskType>)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, types) in &self.judges {
                let seeded = Types::try_from(types.clone())
                    .map_err(|_| DispatchError::Other("too many types"))
                    .and_then(|types| Pallet::<T>::do_register(who, types));
                assert!(seeded.is_ok(), "genesis judge {who:?}: {seeded:?}");
            }
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Become a judge of the given task types. The greatest stake any of them asks for is
        /// held from the free balance.
        #[pallet::call_index(0)]
        pub fn register(origin: OriginFor<T>, types: Types) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_register(&who, types)
        }

        /// Judge these task types from now on. Missing stake is held; a surplus stays on hold
        /// until the judge leaves. Seats already taken stay. An understaked judge can be
        /// drawn again when its stake is enough for the new types.
        #[pallet::call_index(1)]
        pub fn set_types(origin: OriginFor<T>, types: Types) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_types(&who, types)
        }

        /// Hold what slashes took, up to what the types ask for, to be drawn again.
        #[pallet::call_index(2)]
        pub fn top_up(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_top_up(&who)
        }

        /// Stop being drawn, at once. Seats already taken still have to be filled; the stake can
        /// be withdrawn when they are and the cooldown is over.
        #[pallet::call_index(3)]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_leave(&who)
        }

        /// Stay after all. Missing stake is held. A later `leave` starts a new cooldown.
        #[pallet::call_index(4)]
        pub fn rejoin(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_rejoin(&who)
        }

        /// Get the stake back after leaving, when the cooldown is over and no task with a seat is
        /// open any more.
        #[pallet::call_index(5)]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_withdraw(&who)
        }

        /// Commit to a vote in the current round of a task. See
        /// [`tos_types::commitment::vote`] for the hash. It binds the account, so a copy of
        /// another account's cannot be revealed.
        #[pallet::call_index(6)]
        pub fn commit_vote(
            origin: OriginFor<T>,
            task: TaskId,
            commitment: Commitment,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_commit_vote(&who, task, commitment)
        }

        /// Reveal the vote committed to: a score per answer, in the order of commitment, from an
        /// automatic seat what the pinned tool found, and the salt.
        #[pallet::call_index(7)]
        pub fn reveal_vote(
            origin: OriginFor<T>,
            task: TaskId,
            scores: Scores,
            report: Option<Report>,
            salt: Salt,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal_vote(&who, task, Vote { scores, report }, salt)
        }

        /// Approve an account for writing control answers, or take that back. Only
        /// governance may do this.
        #[pallet::call_index(8)]
        pub fn set_control_author(
            origin: OriginFor<T>,
            who: T::AccountId,
            approved: bool,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_set_control_author(who, approved)
        }

        /// Tell that the caller's answer to a task was a check of the judges, and of what
        /// quality it is: both were bound into the salt of the answer before anyone voted. See
        /// [`tos_types::commitment::control_answer`].
        #[pallet::call_index(9)]
        pub fn reveal_control(
            origin: OriginFor<T>,
            task: TaskId,
            quality: u8,
            secret: [u8; 32],
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal_control(who, task, quality, &secret)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            checks::check_parameters::<T>();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// A registered judge.
        pub fn judge(who: T::AccountId) -> Option<JudgeView> {
            Self::judge_view(&who)
        }

        /// The tasks in which an account has a seat, and what it should do there now.
        pub fn duties(who: T::AccountId) -> Vec<DutyView> {
            Self::duty_views(&who)
        }

        /// One round of voting on a task.
        pub fn round(task: TaskId, round: u32) -> Option<RoundView<T::AccountId>> {
            Self::round_view(&task, round)
        }
    }
}
