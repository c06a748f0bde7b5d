// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Target of this pallet's log lines.
pub const LOG_TARGET: &str = "runtime::rewards";

mod calls;
mod checks;
mod escrow;
mod interface;
mod queue;
mod reads;
mod settlement;
mod types;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

#[frame_support::pallet]
#[allow(missing_docs, reason = "the macro's own items carry no docs")]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use tos_formulas::split::{SplitProfile, WinnerRule};
    use tos_interfaces::Clock;
    use tos_pallet_support::holds::HeldCurrency;
    use tos_types::{Balance, Difficulty, TaskId, TaskType, Tick};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Escrow vault and payer of rewards.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of the vault.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the hook's steps.
        type WeightInfo: WeightInfo;

        /// The currency rewards are paid in.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;

        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;

        /// Protocol time; its claim window says how long a reward waits to be claimed.
        type Clock: Clock;

        /// The account that gets the network's share and fees, and on which shares are held whose
        /// beneficiaries cannot receive them. Should hold at least the existential deposit from
        /// genesis, so that small amounts reach it.
        type Treasury: Get<Self::AccountId>;

        /// The origin that changes splits of escrows.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
    }

    /// Reasons of holds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// The reward of an unfinished task, held on its publisher.
        #[codec(index = 0)]
        Escrow,
        /// A reward that waits to be claimed, held on its beneficiary or, for it, on the treasury.
        #[codec(index = 1)]
        Claimable,
    }

    /// Rewards in escrow, by task.
    #[pallet::storage]
    pub type Escrows<T: Config> = StorageMap<_, Blake2_128Concat, TaskId, Escrow<T::AccountId>>;

    /// Rewards that wait to be claimed, by beneficiary and task.
    #[pallet::storage]
    pub type Claims<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Blake2_128Concat, TaskId, Claim>;

    /// Every claim under the last tick of its window: the index by which expired ones are found.
    /// One that could not be paid then is in it no more, and waits to be claimed.
    #[pallet::storage]
    pub type Expiries<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Tick, Blake2_128Concat, (T::AccountId, TaskId), ()>;

    /// The first tick whose expired claims have not all been paid.
    #[pallet::storage]
    pub type ExpiryCursor<T: Config> = StorageValue<_, Tick, ValueQuery>;

    /// Accounts whose rewards are paid at once.
    #[pallet::storage]
    pub type AutoClaim<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ()>;

    /// Split profiles set by governance for tasks published from now on; those without one follow the
    /// protocol's default.
    #[pallet::storage]
    pub type Profiles<T: Config> =
        StorageDoubleMap<_, Twox64Concat, TaskType, Twox64Concat, Difficulty, SplitProfile>;

    /// Winner rules set by governance for tasks published from now on; types without one follow the
    /// protocol's default.
    #[pallet::storage]
    pub type WinnerRules<T: Config> = StorageMap<_, Twox64Concat, TaskType, WinnerRule>;

    /// Events of the vault.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A reward went into escrow.
        #[codec(index = 0)]
        Deposited {
            /// The task.
            task: TaskId,
            /// The account whose funds are held.
            publisher: T::AccountId,
            /// The reward in wei.
            amount: Balance,
        },
        /// An escrow went back to its publisher.
        #[codec(index = 1)]
        Refunded {
            /// The task.
            task: TaskId,
            /// The publisher.
            publisher: T::AccountId,
            /// The amount that the publisher got back, in wei.
            amount: Balance,
            /// The amount that the treasury kept, in wei.
            fee: Balance,
        },
        /// An escrow was divided. The four amounts sum to it exactly.
        #[codec(index = 2)]
        Settled {
            /// The task.
            task: TaskId,
            /// The winners, best first.
            winners: Vec<T::AccountId>,
            /// The amount that miners got, winners included, in wei.
            participants: Balance,
            /// The amount that judges got, in wei.
            judges: Balance,
            /// The network's share, which the treasury got, in wei. Shares that it only keeps for
            /// others are not in it.
            network: Balance,
            /// The amount that went back to the publisher, in wei.
            refund: Balance,
        },
        /// A share of a settlement was paid or booked for its beneficiary.
        #[codec(index = 3)]
        RewardBooked {
            /// The task.
            task: TaskId,
            /// The beneficiary.
            who: T::AccountId,
            /// The role in which it was earned.
            role: RewardRole,
            /// The share in wei.
            amount: Balance,
            /// `true` if it was paid at once, by auto-claim or because the account cannot carry a
            /// hold, and need not be claimed.
            auto: bool,
        },
        /// A reward was paid out: claimed by its owner or for it, or its window was over.
        #[codec(index = 4)]
        Claimed {
            /// The owner, who was paid.
            who: T::AccountId,
            /// The task it was earned with.
            task: TaskId,
            /// The reward in wei.
            amount: Balance,
        },
        /// Funds could not reach an account, and another one got them instead.
        #[codec(index = 6)]
        Undeliverable {
            /// The task.
            task: TaskId,
            /// The account that could not be reached.
            who: T::AccountId,
            /// The amount in wei.
            amount: Balance,
            /// The account that got it instead.
            to: T::AccountId,
        },
        /// An account turned auto-claim on or off.
        #[codec(index = 7)]
        AutoClaimSet {
            /// The account.
            who: T::AccountId,
            /// `true` if its rewards are paid at once from now on.
            enabled: bool,
        },
        /// Governance set how escrows of some tasks are split that are published from now on.
        #[codec(index = 8)]
        ProfileSet {
            /// The tasks' type.
            task_type: TaskType,
            /// The tasks' difficulty.
            difficulty: Difficulty,
            /// The new profile; `None` is the protocol's default.
            profile: Option<SplitProfile>,
        },
        /// Governance set how many winners tasks of a type have that are published from now on.
        #[codec(index = 9)]
        WinnerRuleSet {
            /// The tasks' type.
            task_type: TaskType,
            /// The new rule; `None` is the protocol's default.
            rule: Option<WinnerRule>,
        },
        /// A share is too small to open its beneficiary's account; the treasury keeps it on hold
        /// for it, to be claimed once the account exists or the claims together open it.
        #[codec(index = 10)]
        SetAside {
            /// The task.
            task: TaskId,
            /// The beneficiary.
            who: T::AccountId,
            /// The share in wei.
            amount: Balance,
        },
    }

    /// Reasons why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account has no such reward: never booked, or paid out already. Read `claimable` for
        /// what there is.
        #[codec(index = 0)]
        NothingToClaim,
        /// A share is outside its bounds (winners 60–70 %, participants 10–20 %, judges
        /// 10–15 %, network 5–10 %) or the shares do not sum to 100 %.
        #[codec(index = 2)]
        ProfileOutOfBounds,
        /// Answers per winner and winners must each be between 1 and the most participants a task
        /// may have.
        #[codec(index = 3)]
        WinnerRuleInvalid,
        /// No reward is in escrow for the task: it was never deposited, or is refunded or settled.
        #[codec(index = 4)]
        NoEscrow,
        /// A reward is already in escrow for the task.
        #[codec(index = 5)]
        EscrowExists,
        /// The publisher's free balance, less the existential deposit, is below the reward.
        #[codec(index = 6)]
        InsufficientFunds,
        /// A reward of nothing was to be deposited.
        #[codec(index = 7)]
        EmptyDeposit,
        /// The computed shares do not sum to the escrow; nothing was paid. A fault of the chain:
        /// report it.
        #[codec(index = 8)]
        SplitInexact,
        /// The owner's account cannot receive the reward: it does not exist, and the reward is
        /// below the existential deposit. Send it that deposit first, or claim all its rewards at
        /// once.
        #[codec(index = 9)]
        CannotReceive,
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Moves the caller's reward of `task` to its free balance.
        ///
        /// # Errors
        /// `NothingToClaim` when there is none, or no more; `CannotReceive` when it is held on the
        /// treasury and still too small for the account.
        #[pallet::call_index(0)]
        pub fn claim(origin: OriginFor<T>, task: TaskId) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_claim(&who, &task)
        }

        /// Moves the caller's rewards to its free balance, at most [`MAX_CLAIMS_PER_CALL`] of
        /// them; call again for the rest. The fee is for as many as there were.
        ///
        /// # Errors
        /// `NothingToClaim` when there is none; `CannotReceive` when all together are too small for
        /// the account.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::claim_all(MAX_CLAIMS_PER_CALL))]
        pub fn claim_all(origin: OriginFor<T>) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            let claimed = Self::do_claim_all(&who)?;
            Ok(Some(<T as Config>::WeightInfo::claim_all(claimed)).into())
        }

        /// Says whether the caller's future rewards are paid to its free balance at once. Rewards
        /// already booked stay to be claimed. While on, the account's existential deposit cannot
        /// be moved, so that payments can reach it.
        ///
        /// # Errors
        /// `TooManyConsumers` when too many pallets keep the account alive already.
        #[pallet::call_index(2)]
        pub fn set_auto_claim(origin: OriginFor<T>, enabled: bool) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_auto_claim(who, enabled)
        }

        /// Sets how escrows of tasks of this type and difficulty are split that are published from
        /// now on. `None` brings the protocol's default back.
        ///
        /// # Errors
        /// `ProfileOutOfBounds` when a share is outside its bounds.
        #[pallet::call_index(4)]
        pub fn set_profile(
            origin: OriginFor<T>,
            task_type: TaskType,
            difficulty: Difficulty,
            profile: Option<SplitProfile>,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_set_profile(task_type, difficulty, profile)
        }

        /// Sets how many winners tasks of this type have that are published from now on. `None`
        /// brings the protocol's default back.
        ///
        /// # Errors
        /// `WinnerRuleInvalid` when a number is 0 or above the most participants of a task.
        #[pallet::call_index(5)]
        pub fn set_winner_rule(
            origin: OriginFor<T>,
            task_type: TaskType,
            rule: Option<WinnerRule>,
        ) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_set_winner_rule(task_type, rule)
        }

        /// Moves `owner`'s reward of `task` to the owner's free balance. By anyone: for an owner
        /// that cannot pay the fee of a claim.
        ///
        /// # Errors
        /// Those of `claim`.
        #[pallet::call_index(6)]
        #[pallet::weight(<T as Config>::WeightInfo::claim())]
        pub fn claim_for(
            origin: OriginFor<T>,
            owner: T::AccountId,
            task: TaskId,
        ) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_claim(&owner, &task)
        }

        /// Moves `owner`'s rewards to the owner's free balance, as `claim_all` does. By anyone.
        ///
        /// # Errors
        /// Those of `claim_all`.
        #[pallet::call_index(7)]
        #[pallet::weight(<T as Config>::WeightInfo::claim_all(MAX_CLAIMS_PER_CALL))]
        pub fn claim_all_for(
            origin: OriginFor<T>,
            owner: T::AccountId,
        ) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            let claimed = Self::do_claim_all(&owner)?;
            Ok(Some(<T as Config>::WeightInfo::claim_all(claimed)).into())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::pay_expired(remaining)
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
