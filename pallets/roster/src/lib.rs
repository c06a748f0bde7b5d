// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
pub const LOG_TARGET: &str = "runtime::roster";

mod agenda;
mod calls;
mod checks;
mod draw;
mod events;
mod genesis;
mod interface;
mod line;
mod locks;
mod periods;
mod queue;
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
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use tos_formulas::sum_tree::{Node, NodeId};
    use tos_interfaces::{Clock, MinerRegistry, Randomness, Seating};
    use tos_pallet_support::holds::HeldCurrency;
    use tos_types::{
        roster::{RosterId, RosterTimes},
        rules::JudgeRules,
        Balance, CaseId, TaskType, Tick,
    };
    use tos_views::{BondView, RosterView, WaitingView};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The rosters of judges.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The needs of the pallet: what its runtime provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the automatic steps.
        type WeightInfo: WeightInfo;
        /// The currency that bonds are held in, and that pay is in.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// Protocol time. Its hooks must run before this pallet's.
        type Clock: Clock;
        /// Suspensions, certificates and declarations.
        type Miners: MinerRegistry<Self::AccountId>;
        /// Seeds that do not exist when they are asked for. Its hooks must run before this pallet's.
        type Randomness: Randomness;
        /// Those who are told of finished draws.
        type Seating: Seating<Self::AccountId>;
        /// The rules for bonds and seats.
        type Rules: JudgeRules;
        /// The account that a fine goes to if the one that it is for cannot receive it. Should exist, so that
        /// it can take any amount.
        type Treasury: Get<Self::AccountId>;
        /// The account that pay lies on until it is claimed. Should have an existential deposit of its own, so
        /// that the last claim leaves it alive.
        type Pot: Get<Self::AccountId>;
        /// The origin that ends bootstrap.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The most weight automatic steps may take of a block before its transactions.
        #[pallet::constant]
        type MaxWork: Get<Weight>;
    }

    /// The reasons for which this pallet holds funds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The bonds of a judge: fined for what it does in its seats, returned after leaving.
        #[codec(index = 0)]
        JudgeStake,
    }

    /// The bonds, by type and judge.
    #[pallet::storage]
    pub type Judges<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskType, Blake2_128Concat, T::AccountId, Judge>;

    /// The nodes of all trees. They change at the begin of a period alone.
    #[pallet::storage]
    pub type RosterNodes<T: Config> =
        StorageDoubleMap<_, Twox64Concat, RosterId, Twox64Concat, NodeId, Node>;

    /// The judge on each leaf of each tree.
    #[pallet::storage]
    pub type Leaves<T: Config> =
        StorageDoubleMap<_, Twox64Concat, RosterId, Twox64Concat, u32, T::AccountId>;

    /// The numbers of judges of each type.
    #[pallet::storage]
    pub type Counts<T: Config> = StorageMap<_, Twox64Concat, TaskType, Count, ValueQuery>;

    /// The judges whose part in the trees is to be brought up to date, by the period at whose begin.
    #[pallet::storage]
    pub type Changes<T: Config> =
        StorageDoubleMap<_, Twox64Concat, u32, Blake2_128Concat, (TaskType, T::AccountId), ()>;

    /// The last period whose changes are all made.
    #[pallet::storage]
    pub type Applied<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The cases in line, by type, class and position.
    #[pallet::storage]
    pub type Line<T: Config> = StorageNMap<
        _,
        (
            NMapKey<Twox64Concat, TaskType>,
            NMapKey<Twox64Concat, u8>,
            NMapKey<Twox64Concat, u64>,
        ),
        CaseId,
    >;

    /// The positions in use of each type's lines, by class.
    #[pallet::storage]
    pub type LineEnds<T: Config> = StorageMap<_, Twox64Concat, TaskType, [Ends; LINES], ValueQuery>;

    /// The types with cases in line, in the order in which they are looked at.
    #[pallet::storage]
    pub type InLine<T: Config> =
        StorageValue<_, BoundedVec<TaskType, ConstU32<MAX_TYPES>>, ValueQuery>;

    /// The cases that wait for seats. Identifiers are hashes, so they are their own keys.
    #[pallet::storage]
    pub type Waiting<T: Config> = CountedStorageMap<_, Identity, CaseId, WaitingCase<T::AccountId>>;

    /// The tickets of draws, by number.
    #[pallet::storage]
    pub type Tickets<T: Config> = StorageMap<_, Twox64Concat, u64, Ticket>;

    /// The numbers of the tickets that are not done.
    #[pallet::storage]
    pub type TicketEnds<T: Config> = StorageValue<_, Ends, ValueQuery>;

    /// The number of each type's last ticket.
    #[pallet::storage]
    pub type LastTicket<T: Config> = StorageMap<_, Twox64Concat, TaskType, u64>;

    /// Stakes that are free when the ticket of this number is done: it, and those before it, were taken
    /// when they were not.
    #[pallet::storage]
    pub type Releases<T: Config> = StorageDoubleMap<
        _,
        Twox64Concat,
        u64,
        Blake2_128Concat,
        (TaskType, T::AccountId),
        Balance,
        ValueQuery,
    >;

    /// The stake of each type that is locked or reserved.
    #[pallet::storage]
    pub type Locked<T: Config> = StorageMap<_, Twox64Concat, TaskType, Taken, ValueQuery>;

    /// The queue of cases that wait too long, or take another ticket.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, Tick, Identity, CaseId, ()>;

    /// The earliest tick that may still have entries in the queue.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, Tick, ValueQuery>;

    /// The lengths of the rosters' times.
    #[pallet::storage]
    pub type Settings<T: Config> = StorageValue<_, RosterTimes, ValueQuery>;

    /// The types in bootstrap: most of their seats are for certified judges.
    #[pallet::storage]
    pub type Bootstrap<T: Config> = StorageMap<_, Twox64Concat, TaskType, ()>;

    /// Rosters of a new chain.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Judges: account, type and bond in wei, which they pay from their genesis balance. They are warm.
        pub judges: Vec<(T::AccountId, TaskType, Balance)>,
        /// The lengths of times.
        pub times: RosterTimes,
        /// The types in bootstrap.
        pub bootstrap: Vec<TaskType>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            Pallet::<T>::found(&self.times, &self.bootstrap, &self.judges);
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Bond for a type, to be drawn for its seats by the weight of the bond when it is warm. The bond is
        /// held from the free balance.
        #[pallet::call_index(0)]
        pub fn register(
            origin: OriginFor<T>,
            task_type: TaskType,
            #[pallet::compact] bond: Balance,
        ) -> DispatchResult {
            Self::do_register(ensure_signed(origin)?, task_type, bond)
        }

        /// Add to the bond. What restores a former bond counts from the next period; what goes beyond it warms
        /// up, together with all that warms up already, from now.
        #[pallet::call_index(1)]
        pub fn add_bond(
            origin: OriginFor<T>,
            task_type: TaskType,
            #[pallet::compact] amount: Balance,
        ) -> DispatchResult {
            Self::do_add_bond(ensure_signed(origin)?, task_type, amount)
        }

        /// Stop being drawn, from the next period. Seats already taken still have to be filled.
        #[pallet::call_index(2)]
        pub fn leave(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            Self::do_leave(ensure_signed(origin)?, task_type)
        }

        /// Get bond and pay after leaving, when the unbonding is over and no seat is open any more.
        #[pallet::call_index(3)]
        pub fn withdraw(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            Self::do_withdraw(ensure_signed(origin)?, task_type)
        }

        /// Stay after all, from the next period. A later `leave` starts a new unbonding.
        #[pallet::call_index(4)]
        pub fn rejoin(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            Self::do_rejoin(ensure_signed(origin)?, task_type)
        }

        /// Be drawn again after silence, from the next period.
        #[pallet::call_index(5)]
        pub fn report_back(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            Self::do_report_back(ensure_signed(origin)?, task_type)
        }

        /// Get the pay that is booked.
        #[pallet::call_index(6)]
        pub fn claim_pay(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            Self::do_claim_pay(&ensure_signed(origin)?, task_type)
        }

        /// Let a judge's certificate and suspension, as they are now, count from the next period. Open to
        /// all.
        #[pallet::call_index(7)]
        pub fn sync_certificate(
            origin: OriginFor<T>,
            who: T::AccountId,
            task_type: TaskType,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_sync_certificate(&who, task_type)
        }

        /// End the bootstrap of a type: all seats are open from now on. Only governance may do this.
        #[pallet::call_index(8)]
        pub fn end_bootstrap(origin: OriginFor<T>, task_type: TaskType) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_end_bootstrap(task_type)
        }

        /// Have the pay that is booked for another account paid to it.
        #[pallet::call_index(9)]
        pub fn claim_pay_for(
            origin: OriginFor<T>,
            owner: T::AccountId,
            task_type: TaskType,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim_pay(&owner, task_type)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            let mut share = WeightMeter::with_limit(meter.remaining().min(T::MaxWork::get()));
            Self::work(&mut share);
            meter.consume(share.consumed());
        }

        fn integrity_test() {
            checks::check_constants::<T>();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    impl<T: Config> Pallet<T> {
        /// The bond of a judge for a type.
        pub fn bond(task_type: TaskType, who: T::AccountId) -> Option<BondView> {
            Self::bond_view(task_type, &who)
        }

        /// The bonds of a judge, of all types.
        pub fn bonds(who: T::AccountId) -> Vec<(TaskType, BondView)> {
            Self::bond_views(&who)
        }

        /// The place of a case that waits for seats.
        pub fn waiting(case: CaseId) -> Option<WaitingView> {
            Self::waiting_view(&case)
        }

        /// The roster of a type.
        pub fn roster(task_type: TaskType) -> RosterView {
            Self::roster_view(task_type)
        }
    }
}
