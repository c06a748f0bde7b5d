// SPDX-License-Identifier: Apache-2.0

//! Storage: providers, deals, replicas, and the challenges and windows that prove them.
//!
//! The rules are in `docs/storage.md`, the invariants in [`types`]. Everything that happens by itself
//! runs from three metered places in `on_poll` and `on_idle`, of which none can use up the share of another: the
//! draw of audits ([`audits`]), the current window ([`windows`]), and a queue by due tick ([`queue`]), whose steps
//! anyone may also take with [`Call::crank`] and [`Call::crank_deal`].
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use frame_support::pallet_macros::import_section;
use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The log target of this pallet.
const LOG_TARGET: &str = "runtime::storage";

pub mod audits;
mod authorize;
mod challenges;
mod checks;
mod committee;
mod deals;
mod events;
mod money;
mod providers;
pub mod queue;
mod reads;
mod replicas;
pub mod types;
pub mod windows;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::{boxed::Box, vec::Vec};
    use frame_support::{pallet_prelude::*, weights::WeightMeter};
    use frame_system::pallet_prelude::*;
    use tos_interfaces::{Clock, Randomness};
    use tos_pallet_support::holds::HeldCurrency;
    use tos_storage_proofs::{Commitment, Mmr};
    use tos_types::{
        randomness::RandomnessRequest,
        storage::{
            ChallengeKind, DealTerms, GroupId, Locator, ReplicaStatus, SealAnswer, SignedRoot,
            StorageConfig, StoredContent, Window, WindowAnswer, MAX_COMPACT,
        },
        Balance, DealId, ReplicaId, Tick,
    };

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// Deals, replicas and their proofs.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// The needs of storage: what the rest of the chain provides.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the automatic steps.
        type WeightInfo: WeightInfo;
        /// The runtime's reasons to hold balance.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency of escrows and bonds.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// Protocol time. Its hooks must run before this pallet's.
        type Clock: Clock;
        /// The beacon. Its hooks must run before this pallet's.
        type Randomness: Randomness;
        /// The validators of the session, of whom committees are drawn; the first
        /// [`MAX_VALIDATORS`] count.
        type Validators: Get<Vec<Self::AccountId>>;
        /// The account that receives the treasury's share of slashes.
        type Treasury: Get<Self::AccountId>;
        /// The origin that may change lengths, limits and prices.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The genesis hash: replicas are sealed to it, and signatures hold for this chain alone.
        type ChainId: Get<[u8; 32]>;
        /// The most weight automatic steps may take of a block before its transactions.
        #[pallet::constant]
        type MaxWork: Get<Weight>;
    }

    /// The reasons to hold balance.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// A provider's bond.
        #[codec(index = 0)]
        ProviderBond,
        /// The payment of a client for a deal.
        #[codec(index = 1)]
        DealEscrow,
        /// The bond of a challenge.
        #[codec(index = 2)]
        ChallengeBond,
    }

    /// Lengths, limits and prices.
    #[pallet::storage]
    pub type Settings<T: Config> = StorageValue<_, StorageConfig, ValueQuery>;

    /// Storage time: what of the clock's time does not count.
    #[pallet::storage]
    pub type TimeLost<T: Config> = StorageValue<_, Time, ValueQuery>;

    /// Running totals.
    #[pallet::storage]
    pub type Counters<T: Config> = StorageValue<_, Totals, ValueQuery>;

    /// All providers.
    #[pallet::storage]
    pub type Providers<T: Config> = CountedStorageMap<_, Blake2_128Concat, T::AccountId, Provider>;

    /// All deals, until they are pruned. Identifiers are hashes, so they are their own keys.
    #[pallet::storage]
    pub type Deals<T: Config> = CountedStorageMap<_, Identity, DealId, Deal<T::AccountId>>;

    /// The deals that wait for a provider.
    #[pallet::storage]
    pub type OpenDeals<T: Config> = CountedStorageMap<_, Identity, DealId, ()>;

    /// All replicas, until they are pruned.
    #[pallet::storage]
    pub type Replicas<T: Config> = CountedStorageMap<_, Identity, ReplicaId, Replica<T::AccountId>>;

    /// The replicas of each provider, until they are pruned.
    #[pallet::storage]
    pub type ReplicasOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, ReplicaId, ()>;

    /// The number of identifiers each account has used; part of the next one.
    #[pallet::storage]
    pub type Nonces<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u64, ValueQuery>;

    /// The replicas to be audited, numbered without gaps.
    #[pallet::storage]
    pub type ActiveByIndex<T: Config> = StorageMap<_, Twox64Concat, u32, ReplicaId>;

    /// The number of replicas to be audited.
    #[pallet::storage]
    pub type ActiveCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// All groups.
    #[pallet::storage]
    pub type Groups<T: Config> = StorageMap<_, Twox64Concat, GroupId, Group<T::AccountId>>;

    /// The replica at each place of each group.
    #[pallet::storage]
    pub type Members<T: Config> =
        StorageDoubleMap<_, Twox64Concat, GroupId, Twox64Concat, u32, ReplicaId>;

    /// The number of the next new group.
    #[pallet::storage]
    pub type NextGroup<T: Config> = StorageValue<_, GroupId, ValueQuery>;

    /// Numbers of groups that no provider has any more, as a stack.
    #[pallet::storage]
    pub type FreeGroups<T: Config> = StorageMap<_, Twox64Concat, u32, GroupId>;

    /// The number of entries on that stack.
    #[pallet::storage]
    pub type FreeGroupCount<T: Config> = StorageValue<_, u32, ValueQuery>;

    /// The number of windows folded, which is the number of the current window.
    #[pallet::storage]
    pub type Folded<T: Config> = StorageValue<_, Window, ValueQuery>;

    /// The stage of the current window.
    #[pallet::storage]
    pub type CurrentStage<T: Config> = StorageValue<_, Stage, ValueQuery>;

    /// The progress of folding.
    #[pallet::storage]
    pub type Folding<T: Config> = StorageValue<_, Fold, ValueQuery>;

    /// The last windows.
    #[pallet::storage]
    pub type WindowRecords<T: Config> = StorageMap<_, Twox64Concat, Window, WindowRecord>;

    /// The roots that the groups handed in for the last windows.
    #[pallet::storage]
    pub type GroupWindows<T: Config> =
        StorageDoubleMap<_, Twox64Concat, Window, Twox64Concat, GroupId, GroupWindow, ValueQuery>;

    /// The mountain range over the global roots of all windows.
    #[pallet::storage]
    pub type History<T: Config> = StorageValue<_, Mmr, ValueQuery>;

    /// The validators of whom the committees of the current window are drawn.
    #[pallet::storage]
    pub type CommitteePool<T: Config> =
        StorageValue<_, BoundedVec<T::AccountId, ConstU32<MAX_VALIDATORS>>, ValueQuery>;

    /// The attestations of the committees of the current window.
    #[pallet::storage]
    pub type Attested<T: Config> =
        StorageMap<_, Twox64Concat, GroupId, Attestations<T::AccountId>, ValueQuery>;

    /// Draws of audits that wait for their seed, oldest first.
    #[pallet::storage]
    pub type Draws<T: Config> =
        StorageValue<_, BoundedVec<RandomnessRequest, ConstU32<MAX_DRAWS>>, ValueQuery>;

    /// Audits that wait for answers, by replica and number.
    #[pallet::storage]
    pub type Audits<T: Config> = StorageDoubleMap<_, Identity, ReplicaId, Twox64Concat, u32, Audit>;

    /// The audits of each provider that wait for answers, so that finding them costs what is open and
    /// not what is stored.
    #[pallet::storage]
    pub type AuditsOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Identity, (ReplicaId, u32), ()>;

    /// Challenges that wait for their seed or for answers.
    #[pallet::storage]
    pub type Challenges<T: Config> = StorageDoubleMap<
        _,
        Identity,
        ReplicaId,
        Twox64Concat,
        ChallengeKind,
        Challenge<T::AccountId>,
    >;

    /// The challenges of each provider's replicas.
    #[pallet::storage]
    pub type ChallengesOf<T: Config> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        T::AccountId,
        Identity,
        (ReplicaId, ChallengeKind),
        (),
    >;

    /// The queue: what is due after which storage tick. Ticks are few and near each other, and
    /// no account can choose an identifier.
    #[pallet::storage]
    pub type Agenda<T: Config> = StorageDoubleMap<_, Twox64Concat, Tick, Twox64Concat, Item, ()>;

    /// The earliest tick that may still have entries in the queue.
    #[pallet::storage]
    pub type AgendaCursor<T: Config> = StorageValue<_, Tick, ValueQuery>;

    /// The lengths, limits and prices a network is born with.
    #[pallet::genesis_config]
    pub struct GenesisConfig<T: Config> {
        /// Lengths, limits and prices.
        pub config: StorageConfig,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: PhantomData<T>,
    }

    impl<T: Config> Default for GenesisConfig<T> {
        fn default() -> Self {
            Self {
                config: StorageConfig::PRODUCTION,
                _config: PhantomData,
            }
        }
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Err(reason) = self.config.check() {
                panic!("{reason}"); // A network cannot be born with it.
            }
            Settings::<T>::put(self.config);
        }
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Registers the sender as a provider. Holds the bond. `proof_key` is the sr25519 key that signs
        /// responses, `locator` where content and proofs are served.
        #[pallet::call_index(0)]
        pub fn register_provider(
            origin: OriginFor<T>,
            #[pallet::compact] bond: Balance,
            proof_key: [u8; 32],
            locator: Locator,
        ) -> DispatchResult {
            Self::do_register_provider(ensure_signed(origin)?, bond, proof_key, locator)
        }

        /// Changes key and locator. The key can change once in a ring of windows.
        #[pallet::call_index(1)]
        pub fn set_provider(
            origin: OriginFor<T>,
            proof_key: [u8; 32],
            locator: Locator,
        ) -> DispatchResult {
            Self::do_set_provider(ensure_signed(origin)?, proof_key, locator)
        }

        /// Adds to the bond.
        #[pallet::call_index(2)]
        pub fn top_up(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
            Self::do_top_up(ensure_signed(origin)?, amount)
        }

        /// Takes from the bond what neither collateral nor the least bond needs.
        #[pallet::call_index(3)]
        pub fn withdraw(
            origin: OriginFor<T>,
            #[pallet::compact] amount: Balance,
        ) -> DispatchResult {
            Self::do_withdraw(ensure_signed(origin)?, amount)
        }

        /// Takes no new deals any more.
        #[pallet::call_index(4)]
        pub fn exit(origin: OriginFor<T>) -> DispatchResult {
            Self::do_exit(ensure_signed(origin)?)
        }

        /// Releases the bond of a provider that has had no replica for the unbonding period.
        #[pallet::call_index(5)]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            Self::do_leave(ensure_signed(origin)?)
        }

        /// Offers a deal. Holds the escrow.
        #[pallet::call_index(6)]
        pub fn offer(
            origin: OriginFor<T>,
            content: StoredContent,
            coded: Commitment,
            terms: DealTerms<T::AccountId>,
        ) -> DispatchResult {
            Self::do_offer(ensure_signed(origin)?, content, coded, terms)
        }

        /// Withdraws an offer that no provider has accepted.
        #[pallet::call_index(7)]
        pub fn cancel_offer(origin: OriginFor<T>, deal: DealId) -> DispatchResult {
            Self::do_cancel_offer(&ensure_signed(origin)?, deal)
        }

        /// Accepts a deal: makes a replica to be sealed and ties up its collateral.
        #[pallet::call_index(8)]
        pub fn accept(origin: OriginFor<T>, deal: DealId) -> DispatchResult {
            Self::do_accept(ensure_signed(origin)?, deal)
        }

        /// Commits to the sealed bytes. A seal challenge follows.
        #[pallet::call_index(9)]
        pub fn commit_seal(
            origin: OriginFor<T>,
            replica: ReplicaId,
            sealed: Commitment,
        ) -> DispatchResult {
            Self::do_commit_seal(&ensure_signed(origin)?, replica, sealed)
        }

        /// Pauses a replica: no proofs, no pay, and its streak ends.
        #[pallet::call_index(10)]
        pub fn pause(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResult {
            Self::do_pause(&ensure_signed(origin)?, replica)
        }

        /// Resumes a paused replica from the next window on.
        #[pallet::call_index(11)]
        pub fn resume(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResult {
            Self::do_resume(&ensure_signed(origin)?, replica)
        }

        /// Gives notice: the replica goes on until it has run out, and ends early.
        #[pallet::call_index(12)]
        pub fn request_removal(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResult {
            Self::do_request_removal(&ensure_signed(origin)?, replica)
        }

        /// Pays the provider what it has earned. By anyone.
        #[pallet::call_index(13)]
        pub fn settle(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_settle(replica)
        }

        /// Asks for proof that a replica is sealed as it should be. Holds a bond.
        #[pallet::call_index(14)]
        pub fn challenge_seal(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResult {
            Self::do_challenge_seal(ensure_signed(origin)?, replica)
        }

        /// Asks for the leaf and the response of a replica in one of the last windows. Holds a bond.
        #[pallet::call_index(15)]
        pub fn challenge_window(
            origin: OriginFor<T>,
            replica: ReplicaId,
            window: Window,
        ) -> DispatchResult {
            Self::do_challenge_window(ensure_signed(origin)?, replica, window)
        }

        /// Answers an audit with a signed compact proof. Without fee, by anyone, once.
        #[pallet::call_index(16)]
        #[pallet::authorize(|_source, proof| Self::authorize_audit(proof))]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::respond_audit())]
        pub fn respond_audit(
            origin: OriginFor<T>,
            proof: BoundedVec<u8, ConstU32<MAX_COMPACT>>,
        ) -> DispatchResultWithPostInfo {
            Self::ensure_responder(origin)?;
            Self::do_respond_audit(&proof)?;
            Ok(Pays::No.into())
        }

        /// Answers a seal challenge. Without fee, by anyone, once. A signed answer that opens wrong
        /// words loses the challenge.
        #[pallet::call_index(17)]
        #[pallet::weight(Pallet::<T>::respond_seal_weight())]
        #[pallet::authorize(|_source, answer| Self::authorize_seal(answer))]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_seal())]
        pub fn respond_seal(
            origin: OriginFor<T>,
            answer: Box<SealAnswer>,
        ) -> DispatchResultWithPostInfo {
            Self::ensure_responder(origin)?;
            let words = Self::do_respond_seal(&answer)?;
            Ok(frame_support::dispatch::PostDispatchInfo {
                actual_weight: Some(T::WeightInfo::respond_seal(words)),
                pays_fee: Pays::No,
            })
        }

        /// Answers a window challenge. Without fee, by anyone, once.
        #[pallet::call_index(18)]
        #[pallet::authorize(|_source, answer| Self::authorize_window(answer))]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::respond_window())]
        pub fn respond_window(
            origin: OriginFor<T>,
            answer: Box<WindowAnswer>,
        ) -> DispatchResultWithPostInfo {
            Self::ensure_responder(origin)?;
            Self::do_respond_window(&answer)?;
            Ok(Pays::No.into())
        }

        /// Hands in the root of a group for the current window. Without fee, by anyone, once.
        #[pallet::call_index(19)]
        #[pallet::authorize(|_source, window, group, signed| {
            Self::authorize_group(*window, *group, signed)
        })]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::submit_group())]
        pub fn submit_group(
            origin: OriginFor<T>,
            window: Window,
            group: GroupId,
            signed: SignedRoot,
        ) -> DispatchResultWithPostInfo {
            Self::ensure_responder(origin)?;
            Self::do_submit_group(window, group, &signed)?;
            Ok(Pays::No.into())
        }

        /// Shows two different roots that a provider signed for one group and window. Without fee
        /// if they are.
        #[pallet::call_index(20)]
        pub fn report_equivocation(
            origin: OriginFor<T>,
            evidence: Box<Equivocation>,
        ) -> DispatchResultWithPostInfo {
            Self::do_report_equivocation(ensure_signed(origin)?, &evidence)?;
            Ok(Pays::No.into())
        }

        /// Attests what a committee member saw of a group in the current window: the latency in
        /// milliseconds, and how many proofs were missing or wrong. Without fee.
        #[pallet::call_index(21)]
        pub fn attest(
            origin: OriginFor<T>,
            window: Window,
            group: GroupId,
            latency_ms: u32,
            bad: u32,
        ) -> DispatchResultWithPostInfo {
            Self::do_attest(ensure_signed(origin)?, window, group, latency_ms, bad)?;
            Ok(Pays::No.into())
        }

        /// Takes all steps of a replica that are due, exactly as the queue would; who does gets the
        /// reporter's share of what its provider loses for missed audits. Free of charge when it did something.
        /// A step that fails is put off and does not keep the others from being taken.
        ///
        /// # Errors
        /// `NotDue` when nothing was to be done, or the error of the first step when all failed.
        #[pallet::call_index(22)]
        #[pallet::weight(Pallet::<T>::crank_weight())]
        pub fn crank(origin: OriginFor<T>, replica: ReplicaId) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_crank(who, replica)?;
            Ok(Pays::No.into())
        }

        /// Takes the step of a deal that is due, as the queue would. Free of charge when it did something.
        #[pallet::call_index(23)]
        #[pallet::weight(Pallet::<T>::heaviest_step())]
        pub fn crank_deal(origin: OriginFor<T>, deal: DealId) -> DispatchResultWithPostInfo {
            ensure_signed(origin)?;
            Self::do_crank_deal(deal)?;
            Ok(Pays::No.into())
        }

        /// Changes lengths, limits and prices, but for those that existing replicas depend on.
        #[pallet::call_index(24)]
        pub fn set_config(origin: OriginFor<T>, config: Box<StorageConfig>) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            config.check().map_err(|_| Error::<T>::BadConfig)?;
            ensure!(
                Settings::<T>::get().may_become(&config),
                Error::<T>::ConfigFixed
            );
            Settings::<T>::put(*config);
            Self::deposit_event(Event::ConfigSet { config: *config });
            Ok(())
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::keep_time();
            T::WeightInfo::keep_time()
        }

        fn on_poll(_: BlockNumberFor<T>, meter: &mut WeightMeter) {
            let mut share = WeightMeter::with_limit(meter.remaining().min(T::MaxWork::get()));
            Self::draw_and_step(&mut share);
            meter.consume(share.consumed());
        }

        fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
            let mut meter = WeightMeter::with_limit(remaining);
            Self::take_steps(&mut meter);
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
}
