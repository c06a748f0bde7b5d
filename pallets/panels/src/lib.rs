// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
pub const LOG_TARGET: &str = "runtime::panels";

mod calls;
mod checks;
mod control;
mod count;
mod events;
mod interface;
mod queue;
mod seating;
mod settle;
mod steps;
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
    use frame_support::{pallet_prelude::*, traits::fungible::Mutate, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use tos_interfaces::{Clock, MinerRegistry, Reputation, Roster};
    use tos_pallet_support::agenda;
    use tos_types::{
        commitment::{Commitment, Salt},
        roster::RosterTimes,
        rounds::Standing,
        vote::{AnswerOutcomes, Ballot, Outcome},
        Balance, Bp, CaseId, Report, TaskType, Tick,
    };
    use tos_views::CheckStats;

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet of rounds.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The needs of the pallet: what its runtime provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls, of the steps of the queue and of settlements.
        type WeightInfo: WeightInfo;

        /// The currency that judges are paid in. This pallet only moves what no seat earned.
        type Currency: Mutate<Self::AccountId, Balance = Balance>;

        /// Protocol time. Its hooks must run before this pallet's.
        type Clock: Clock;

        /// Lengths of the rosters' times: how long a case waits, and how long stakes stay locked.
        type Times: Get<RosterTimes>;

        /// The rosters that seat judges, and keep their stakes.
        type Roster: Roster<Self::AccountId>;

        /// The cases: their rules, and where results go.
        type Cases: tos_interfaces::Cases<Self::AccountId>;

        /// Suspensions.
        type Miners: MinerRegistry<Self::AccountId>;

        /// Reputation: where conduct is recorded.
        type Reputation: Reputation<Self::AccountId>;

        /// Origin that approves the accounts which may write control answers.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The account that fines go to, and pay that no seat earned. Should exist, so that it can
        /// take any amount.
        type Treasury: Get<Self::AccountId>;

        /// The most weight the queue may take of a block before its transactions.
        #[pallet::constant]
        type MaxWork: Get<Weight>;

        /// Judges and answers of benchmarks.
        #[cfg(feature = "runtime-benchmarks")]
        type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
    }

    /// The cases, until they are forgotten.
    #[pallet::storage]
    pub type Cases<T: Config> = CountedStorageMap<_, Identity, CaseId, Docket, OptionQuery>;

    /// The publisher and the authors of each case, sorted.
    #[pallet::storage]
    pub type Parties<T: Config> =
        StorageMap<_, Identity, CaseId, PartyList<T::AccountId>, ValueQuery>;

    /// The rounds, by case and number. One without result is kept until its seats are free.
    #[pallet::storage]
    pub type Progress<T: Config> =
        StorageDoubleMap<_, Identity, CaseId, Twox64Concat, u32, Round, OptionQuery>;

    /// The accounts of each round, in the order of drawing.
    #[pallet::storage]
    pub type Order<T: Config> = StorageDoubleMap<
        _,
        Identity,
        CaseId,
        Twox64Concat,
        u32,
        Accounts<T::AccountId>,
        ValueQuery,
    >;

    /// The seats of each account in each round.
    #[pallet::storage]
    pub type Seats<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Identity, CaseId>,
            NMapKey<Twox64Concat, u32>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        Seat,
        OptionQuery,
    >;

    /// The revealed votes, by case, round and judge. Those of a round without result are dropped.
    #[pallet::storage]
    pub type Votes<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Identity, CaseId>,
            NMapKey<Twox64Concat, u32>,
            NMapKey<Blake2_128Concat, T::AccountId>,
        ),
        Vote,
        OptionQuery,
    >;

    /// The result of each case that has one.
    #[pallet::storage]
    pub type Results<T: Config> = StorageMap<_, Identity, CaseId, Standing, OptionQuery>;

    /// The running median of the results of each type, by which the points of its judges are measured.
    #[pallet::storage]
    pub type Baselines<T: Config> = StorageMap<_, Twox64Concat, TaskType, u8, OptionQuery>;

    /// The settlements that are under way.
    #[pallet::storage]
    pub type Settling<T: Config> = StorageMap<_, Identity, CaseId, Settlement, OptionQuery>;

    /// The accounts approved to write control answers.
    #[pallet::storage]
    pub type ControlAuthors<T: Config> =
        CountedStorageMap<_, Blake2_128Concat, T::AccountId, (), OptionQuery>;

    /// The control answers of each case, once told.
    #[pallet::storage]
    pub type Controls<T: Config> = StorageMap<_, Identity, CaseId, ControlAnswers, ValueQuery>;

    /// Number of answers of settled cases that were checks of the judges.
    #[pallet::storage]
    pub type Checks<T: Config> = StorageValue<_, CheckStats, ValueQuery>;

    /// The queue: steps by the tick in which they are due. Ticks are few and near each other, so no
    /// account gains by choosing one.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, Tick, Twox64Concat, Job, ()>;

    /// The earliest tick that may still have entries in the queue.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, Tick, ValueQuery>;

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Commit to a vote in the current round of a case. One vote counts for all seats of the
        /// account. See [`tos_types::commitment::ballot`] for the hash. It binds the account, so a copy
        /// of another account's cannot be revealed. Half of the time is for it: seats without a
        /// commitment are vacated then.
        #[pallet::call_index(0)]
        pub fn commit_vote(
            origin: OriginFor<T>,
            case: CaseId,
            commitment: Commitment,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_commit_vote(&who, case, commitment)
        }

        /// Reveal the vote committed to: a score per answer, in the order of commitment, or that the
        /// task cannot be judged; the finding of the tool if one is pinned; and the salt.
        #[pallet::call_index(1)]
        pub fn reveal_vote(
            origin: OriginFor<T>,
            case: CaseId,
            ballot: Ballot,
            report: Option<Report>,
            salt: Salt,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal_vote(&who, case, Vote { ballot, report }, salt)
        }

        /// Take the case's next step if it is due, exactly as the queue would. Free of charge when it
        /// did something. It never draws judges.
        #[pallet::call_index(2)]
        #[pallet::weight(Pallet::<T>::crank_weight())]
        pub fn crank(origin: OriginFor<T>, case: CaseId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_crank(case)
        }

        /// Approve an account for writing control answers, or take that back. Only governance may do
        /// this.
        #[pallet::call_index(3)]
        pub fn set_control_author(
            origin: OriginFor<T>,
            who: T::AccountId,
            approved: bool,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_set_control_author(who, approved)
        }

        /// Tell that the caller's answer was a check of the judges, and of what quality it is: both
        /// were bound into the salt of the answer before any vote. See
        /// [`tos_types::commitment::control_answer`].
        #[pallet::call_index(4)]
        pub fn reveal_control(
            origin: OriginFor<T>,
            case: CaseId,
            quality: u8,
            secret: [u8; 32],
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_reveal_control(who, case, quality, &secret)
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
            checks::check_parameters::<T>();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
