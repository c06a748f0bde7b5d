// SPDX-License-Identifier: Apache-2.0

//! Tasks: publication, answers, and the way of a task from phase to phase to its settlement.
//!
//! The rules are in `docs/protocol.md`. Everything that happens by itself is one function,
//! [`Pallet::advance`], run from a metered queue in `on_poll` and `on_idle`, and by anyone through
//! [`Call::crank`]. Every task has exactly one entry in that queue until it is pruned, so no money
//! can be stranded by a forgotten task.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
const LOG_TARGET: &str = "runtime::tasks";

mod calls;
mod checks;
mod events;
mod impls;
mod queue;
mod reads;
mod rulesets;
mod settlement;
mod steps;
pub mod types;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

#[import_section(events::events)]
#[frame_support::pallet]
#[allow(
    clippy::too_many_arguments,
    reason = "what a publisher offers are the arguments of one call"
)]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use tos_interfaces::{Clock, MinerRegistry, Panels, Reputation, Vault};
    use tos_pallet_support::{agenda, holds::HeldCurrency};
    use tos_types::{
        commitment::{Commitment, Salt},
        join_error::JoinError,
        rules::CurrentRules,
        vote::Tally,
        Balance, Closure, ContentHash, ContentRef, Difficulty, Phase, TaskId, TaskParams, TaskType,
        Tick, Verdict,
    };
    use tos_views::{TaskSummary, TaskView, TimelineEntry};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Tasks and their way from publication to settlement.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The needs of tasks: what the rest of the chain provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the steps of the queue.
        type WeightInfo: WeightInfo;
        /// The runtime's reasons to hold balance.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency of stakes and bonds.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// Protocol time. Its hooks must run before this pallet's.
        type Clock: Clock;
        /// The registry of miners: it says which accounts may work.
        type Miners: MinerRegistry<Self::AccountId>;
        /// Reputation: the worth of the work of an account.
        type Reputation: Reputation<Self::AccountId>;
        /// The panels that judge.
        type Panels: Panels<Self::AccountId>;
        /// The vault in which rewards lie, and which splits them.
        type Vault: Vault<Self::AccountId>;
        /// The account that slashed stakes go to.
        type Treasury: Get<Self::AccountId>;
        /// The rules for what is published now.
        type Rules: CurrentRules;
        /// The origin that decides which task types there are.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The most weight the queue may take of a block before its transactions.
        #[pallet::constant]
        type MaxWork: Get<Weight>;
    }

    /// The reasons to hold balance.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// A publisher's stake in its own task.
        #[codec(index = 0)]
        PublisherStake,
        /// A miner's stake in its answer.
        #[codec(index = 1)]
        AnswerStake,
        /// The bond of a challenge.
        #[codec(index = 2)]
        ChallengeBond,
    }

    /// The task types that may be published, with their rules.
    #[pallet::storage]
    pub type TaskTypes<T: Config> = StorageMap<_, Twox64Concat, TaskType, TypeProfile>;

    /// All tasks, until they are pruned. Identifiers are hashes, so they are their own keys.
    #[pallet::storage]
    pub type Tasks<T: Config> = CountedStorageMap<_, Identity, TaskId, TaskOf<T>>;

    /// The rule sets that tasks refer to, by number. A set is never changed; it goes with the last
    /// task that refers to it, so there are never more of them than tasks.
    #[pallet::storage]
    pub type RuleSets<T: Config> = StorageMap<_, Twox64Concat, u32, RuleSet>;

    /// The number of each rule set and of the tasks that refer to it, by the set itself: the same
    /// rules are stored once.
    #[pallet::storage]
    pub type RuleSetUses<T: Config> = StorageMap<_, Blake2_256, RuleSet, RuleSetUse>;

    /// The number of the next rule set that is stored.
    #[pallet::storage]
    pub type NextRuleSet<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The content of each task: what it asks.
    #[pallet::storage]
    pub type Specs<T: Config> = StorageMap<_, Identity, TaskId, ContentRef>;

    /// The miners of each task, in the order they joined.
    #[pallet::storage]
    pub type Participants<T: Config> = StorageMap<_, Identity, TaskId, AccountsOf<T>, ValueQuery>;

    /// Each miner's part in each task.
    #[pallet::storage]
    pub type Submissions<T: Config> =
        StorageDoubleMap<_, Identity, TaskId, Blake2_128Concat, T::AccountId, Submission>;

    /// The answers revealed.
    #[pallet::storage]
    pub type Contents<T: Config> =
        StorageDoubleMap<_, Identity, TaskId, Blake2_128Concat, T::AccountId, ContentRef>;

    /// The authors of the answers to be judged, in order of commitment: the order of the scores
    /// in every vote. Fixed when the first panel is to be drawn.
    #[pallet::storage]
    pub type Answers<T: Config> = StorageMap<_, Identity, TaskId, AccountsOf<T>, ValueQuery>;

    /// The challenge of each task that had one.
    #[pallet::storage]
    pub type Challenges<T: Config> = StorageMap<_, Identity, TaskId, ChallengeOf<T>>;

    /// The phases each task has been through.
    #[pallet::storage]
    pub type Timeline<T: Config> = StorageMap<_, Identity, TaskId, Timelines, ValueQuery>;

    /// The number of tasks each account has published; part of the next identifier.
    #[pallet::storage]
    pub type Nonces<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The tasks that carry a reference of their publisher, by publisher and reference, until they
    /// are pruned: one entry a task at most.
    #[pallet::storage]
    pub type References<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, [u8; 32], TaskId>;

    /// Tasks in the phase `Open`.
    #[pallet::storage]
    pub type OpenTasks<T: Config> = CountedStorageMap<_, Identity, TaskId, ()>;

    /// Tasks in the phase `Open`, by type.
    #[pallet::storage]
    pub type OpenByType<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskType, Identity, TaskId, ()>;

    /// The tasks each miner is in that are not closed.
    #[pallet::storage]
    pub type ActiveOf<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, ActiveTasks, ValueQuery>;

    /// The queue: which tasks have a step due in which tick. Ticks are few and near each other,
    /// so no account gains by choosing one.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, Tick, Identity, TaskId, ()>;

    /// The earliest tick that may still have entries in the queue.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, Tick, ValueQuery>;

    /// The task types a network is born with.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Types and their rules.
        pub task_types: Vec<(TaskType, TypeProfile)>,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            let task_types = TaskType::BUILT_IN
                .into_iter()
                .map(|t| (t, TypeProfile::built_in(t)))
                .collect();
            Self {
                task_types,
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (task_type, profile) in &self.task_types {
                TaskTypes::<T>::insert(task_type, profile);
            }
        }
    }

    /// The reasons to refuse a call.
    #[pallet::error]
    pub enum Error<T> {
        /// There is no such task, or it has been pruned: check the identifier.
        #[codec(index = 0)]
        UnknownTask,
        /// Tasks of this type cannot be published: choose one listed in `TaskTypes`.
        #[codec(index = 1)]
        UnknownTaskType,
        /// A parameter of the task is empty or zero: fill in all its type needs.
        #[codec(index = 2)]
        IncompleteParams,
        /// The content has fewer than 10 bytes.
        #[codec(index = 3)]
        ContentTooSmall,
        /// The content has more than 64 MiB.
        #[codec(index = 4)]
        ContentTooLarge,
        /// The inline bytes have not the stated BLAKE3 hash or length.
        #[codec(index = 5)]
        ContentMismatch,
        /// The content is neither inline nor has it a locator: give one of them.
        #[codec(index = 6)]
        ContentUnreachable,
        /// The reward is outside the band of the difficulty.
        #[codec(index = 7)]
        RewardOutsideBand,
        /// The open window is shorter or longer than the network allows: see the clock's phase
        /// lengths.
        #[codec(index = 8)]
        OpenWindowOutOfBounds,
        /// The least quality that can win must be from 1 to 100.
        #[codec(index = 9)]
        QualityOutOfRange,
        /// A task has from 1 to 32 places.
        #[codec(index = 10)]
        ParticipantsOutOfRange,
        /// The account is suspended: wait until the suspension ends.
        #[codec(index = 11)]
        Suspended,
        /// The free balance does not cover reward and stake, or the bond.
        #[codec(index = 12)]
        InsufficientFunds,
        /// Only the publisher may do this.
        #[codec(index = 13)]
        NotPublisher,
        /// An account has joined, so the task cannot be cancelled any more.
        #[codec(index = 14)]
        HasParticipants,
        /// The task takes no more places or commitments.
        #[codec(index = 15)]
        NotOpen,
        /// The account has joined already: commit an answer.
        #[codec(index = 16)]
        AlreadyJoined,
        /// The account published the task, or has to keep away from who did: it, or the owner it
        /// named, declared so.
        #[codec(index = 17)]
        OwnTask,
        /// All places are taken.
        #[codec(index = 18)]
        TaskFull,
        /// The account's reputation is below the gate of the difficulty: earn it with easier tasks.
        #[codec(index = 19)]
        ReputationTooLow,
        /// The free balance does not cover the answer's stake.
        #[codec(index = 20)]
        InsufficientStake,
        /// The account is in as many tasks as it may be: wait until one is closed.
        #[codec(index = 21)]
        TooManyTasks,
        /// The account has not joined the task.
        #[codec(index = 22)]
        NotJoined,
        /// The account has committed already; a commitment is final.
        #[codec(index = 23)]
        AlreadyCommitted,
        /// The task takes no reveals now: wait for its reveal phase, if it is still to come.
        #[codec(index = 24)]
        NotInReveal,
        /// The account joined but committed no answer, so there is none to reveal.
        #[codec(index = 25)]
        NotCommitted,
        /// The account has revealed its answer already.
        #[codec(index = 26)]
        AlreadyRevealed,
        /// Content hash, SimHash and salt are not what was committed to.
        #[codec(index = 27)]
        WrongPreimage,
        /// There is no result that could be challenged now.
        #[codec(index = 28)]
        NotChallengeable,
        /// Only the publisher and those whose answers were judged may challenge.
        #[codec(index = 29)]
        NotAParty,
        /// The result has been challenged once already.
        #[codec(index = 30)]
        AlreadyChallenged,
        /// The task's next step is not due yet.
        #[codec(index = 31)]
        NotDue,
        /// Records of the task contradict one another. The step is tried again; report it.
        #[codec(index = 32)]
        Inconsistent,
        /// The account has a task with this reference already, and its record is still kept: it is
        /// that task that was published. Read which one with `task_by_reference`, or give another
        /// reference.
        #[codec(index = 33)]
        ReferenceUsed,
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Publishes a task. Holds the reward and a tenth of it as a stake, which comes back when
        /// the task closes. Miners may join for `open_for` ticks.
        ///
        /// `reference` is 32 bytes of the publisher's choice that no other of its tasks on record
        /// carries: who gives one and sends the call again, because it does not know what became
        /// of the first, cannot publish twice. It is free again when the task is pruned.
        #[pallet::call_index(0)]
        pub fn publish(
            origin: OriginFor<T>,
            params: TaskParams,
            difficulty: Difficulty,
            spec: ContentRef,
            #[pallet::compact] reward: Balance,
            open_for: Tick,
            min_quality: u8,
            max_participants: u32,
            reference: Option<[u8; 32]>,
        ) -> DispatchResult {
            let publisher = ensure_signed(origin)?;
            let terms = calls::Terms {
                difficulty,
                reward,
                open_for,
                min_quality,
                max_participants,
                reference,
            };
            Self::do_publish(publisher, params, spec, terms)
        }

        /// Withdraws a task that no miner has joined. The reward comes back less a fee of 0.1 %.
        #[pallet::call_index(1)]
        pub fn cancel(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            Self::do_cancel(ensure_signed(origin)?, task)
        }

        /// Takes a place in a task. Holds the answer's stake; who then does not answer loses some.
        #[pallet::call_index(2)]
        pub fn join(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            Self::do_join(ensure_signed(origin)?, task)
        }

        /// Commits to an answer: `tos_types::commitment::answer`. Keep the salt.
        #[pallet::call_index(3)]
        pub fn commit(
            origin: OriginFor<T>,
            task: TaskId,
            commitment: Commitment,
        ) -> DispatchResult {
            Self::do_commit(ensure_signed(origin)?, task, commitment)
        }

        /// Reveals the answer committed to. Who does not loses some of its stake.
        #[pallet::call_index(4)]
        pub fn reveal(
            origin: OriginFor<T>,
            task: TaskId,
            content: ContentRef,
            simhash: u64,
            salt: Salt,
        ) -> DispatchResult {
            Self::do_reveal(ensure_signed(origin)?, task, content, simhash, salt)
        }

        /// Challenges a result. Holds a bond of 5 % of the reward and opens one more round of
        /// voting; the bond is lost when that round confirms the result.
        #[pallet::call_index(5)]
        pub fn challenge(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            Self::do_challenge(ensure_signed(origin)?, task)
        }

        /// Takes the task's next step if it is due, exactly as the queue would. Free of charge
        /// when it did something.
        #[pallet::call_index(6)]
        #[pallet::weight(Pallet::<T>::crank_weight())]
        pub fn crank(origin: OriginFor<T>, task: TaskId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_crank(task)
        }

        /// Adds or changes a task type, or removes it when `profile` is empty. Tasks already
        /// published keep their rules.
        #[pallet::call_index(7)]
        pub fn set_task_type(
            origin: OriginFor<T>,
            task_type: TaskType,
            profile: Option<TypeProfile>,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            TaskTypes::<T>::set(task_type, profile);
            Self::deposit_event(Event::TaskTypeSet { task_type, profile });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            let mut share = WeightMeter::with_limit(meter.remaining().min(T::MaxWork::get()));
            agenda::run::<Self>(&mut share);
            meter.consume(share.consumed());
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(remaining);
            agenda::run::<Self>(&mut meter);
            meter.consumed()
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// Everything the chain knows of a task.
        pub fn task(id: TaskId) -> Option<TaskView<T::AccountId>> {
            Self::view_of(id)
        }

        /// Tasks in the phase `Open`, of one type or of all, after the given one. At most 100.
        pub fn open_tasks(
            task_type: Option<TaskType>,
            after: Option<TaskId>,
            limit: u32,
        ) -> Vec<TaskSummary<T::AccountId>> {
            Self::page_of_open(task_type, after, limit)
        }

        /// All tasks that are not pruned, after the given one, by identifier. At most 100.
        pub fn tasks(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<T::AccountId>> {
            Self::page_of_all(after, limit)
        }

        /// The task of a publisher that carries this reference, until it is pruned.
        pub fn task_by_reference(publisher: T::AccountId, reference: [u8; 32]) -> Option<TaskId> {
            References::<T>::get(publisher, reference)
        }

        /// The phases a task has been through.
        pub fn timeline(id: TaskId) -> Vec<TimelineEntry> {
            Timeline::<T>::get(id).into_inner()
        }

        /// Says that `who` could join a task now, or why not, and from which tick on that may be
        /// different, as far as waiting alone helps.
        pub fn can_submit(
            who: T::AccountId,
            task: TaskId,
        ) -> Result<(), (JoinError, Option<Tick>)> {
            Self::check_join(&who, &task)
        }
    }
}
