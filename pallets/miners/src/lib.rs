// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use polkadot_sdk::*;

pub use pallet::*;
pub use types::{Certificate, Claim, Declared, Endorsers, Miner, Specialisations};
pub use weights::WeightInfo;

mod calls;
mod checks;
mod declarations;
mod interface;
mod levels;
mod reads;
pub mod types;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
pub mod weights;

#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use tos_formulas::level::LevelChange;
    use tos_interfaces::{Clock, Reputation};
    use tos_pallet_support::holds::HeldCurrency;
    use tos_types::{
        rules::MemberRules,
        task::{Certification, Level},
        Balance, TaskType, Tick,
    };

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The register of miners, and the standing of accounts.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of the register.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls.
        type WeightInfo: WeightInfo;
        /// The runtime's hold reasons.
        type RuntimeHoldReason: From<HoldReason>;
        /// The currency of stakes.
        type Currency: HeldCurrency<Self::AccountId, Reason = Self::RuntimeHoldReason>;
        /// Protocol time.
        type Clock: Clock;
        /// Stakes of registrations, and the worth of levels.
        type Rules: MemberRules;
        /// Reputations of accounts, for their levels.
        type Reputation: Reputation<Self::AccountId>;
        /// The origin that suspends accounts and ends suspensions.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The origin that certifies accounts and revokes certificates.
        type CertifyOrigin: EnsureOrigin<Self::RuntimeOrigin>;
        /// The most relations one account can declare. Those that were taken back and are still on
        /// record are among them.
        #[pallet::constant]
        type MaxRelations: Get<u32>;
    }

    /// Reasons of holds.
    #[pallet::composite_enum]
    pub enum HoldReason {
        /// A miner's registration.
        #[codec(index = 0)]
        Registration,
    }

    /// The registered miners.
    #[pallet::storage]
    pub type Miners<T: Config> = CountedStorageMap<_, Blake2_128Concat, T::AccountId, Miner>;

    /// The last certificate of each account that was ever given one and did not lose it.
    #[pallet::storage]
    pub type Certificates<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Certificate>;

    /// The first tick after each account's last suspension.
    #[pallet::storage]
    pub type Suspensions<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Tick>;

    /// What each account declares: the account that controls it, and those that it is related to. It
    /// keeps away from its owner, from its relations and from those of its owner. Binds none but the
    /// account and those that name it as their owner.
    #[pallet::storage]
    pub type Declarations<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Declared<T>, ValueQuery>;

    /// The accounts that endorse each miner.
    #[pallet::storage]
    pub type Endorsements<T: Config> =
        StorageMap<_, Blake2_128Concat, T::AccountId, Endorsers<T::AccountId>, ValueQuery>;

    /// The number of miners that each account endorses.
    #[pallet::storage]
    pub type Endorsing<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

    /// Certificates and miners that a network is born with.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Certificates: account, level, last tick they are good for.
        pub certificates: Vec<(T::AccountId, Certification, Tick)>,
        /// Registered miners and their specialisations. Their stakes are held from their genesis
        /// balances.
        pub miners: Vec<(T::AccountId, Vec<TaskType>)>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for (who, level, expires) in &self.certificates {
                Pallet::<T>::do_certify(who.clone(), *level, *expires)
                    .expect("genesis certificates have a level and an expiry to come");
            }
            for (who, specialisations) in &self.miners {
                let specialisations = specialisations
                    .clone()
                    .try_into()
                    .expect("genesis miners have at most eight specialisations");
                Pallet::<T>::do_register(who.clone(), specialisations)
                    .expect("genesis miners have valid specialisations and can pay their stake");
            }
        }
    }

    /// Events of the register.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// An account became a miner.
        #[codec(index = 0)]
        Registered {
            /// The miner.
            who: T::AccountId,
            /// The types it works on.
            specialisations: Specialisations,
            /// The stake held from it, in wei.
            stake: Balance,
        },
        /// A miner works on other types from now on.
        #[codec(index = 1)]
        SpecialisationsSet {
            /// The miner.
            who: T::AccountId,
            /// The types it works on.
            specialisations: Specialisations,
            /// The stake held from it now, in wei.
            stake: Balance,
        },
        /// A miner is leaving and takes no more tasks.
        #[codec(index = 2)]
        Leaving {
            /// The miner.
            who: T::AccountId,
            /// The first tick in which its unbonding is over.
            until: Tick,
        },
        /// A miner has left.
        #[codec(index = 3)]
        Withdrawn {
            /// The former miner.
            who: T::AccountId,
            /// The stake it got back, in wei.
            amount: Balance,
        },
        /// A leaving miner stays.
        #[codec(index = 4)]
        Rejoined {
            /// The miner.
            who: T::AccountId,
        },
        /// A dormant miner works again.
        #[codec(index = 5)]
        Reactivated {
            /// The miner.
            who: T::AccountId,
        },
        /// An account declared who controls it.
        #[codec(index = 6)]
        OwnerSet {
            /// The controlled account.
            who: T::AccountId,
            /// The account that controls it; `None` for none.
            owner: Option<T::AccountId>,
        },
        /// An account declared itself related to another, and keeps away from it.
        #[codec(index = 7)]
        RelationDeclared {
            /// The account that declared it.
            who: T::AccountId,
            /// The other account.
            other: T::AccountId,
        },
        /// An account took such a declaration back.
        #[codec(index = 8)]
        RelationRetracted {
            /// The account that had declared it.
            who: T::AccountId,
            /// The other account.
            other: T::AccountId,
        },
        /// An account was certified.
        #[codec(index = 9)]
        Certified {
            /// The account.
            who: T::AccountId,
            /// The level.
            level: Certification,
            /// The last tick the certificate is good for.
            expires: Tick,
        },
        /// An account lost its certificate.
        #[codec(index = 10)]
        CertificateRevoked {
            /// The account.
            who: T::AccountId,
        },
        /// An account was suspended.
        #[codec(index = 11)]
        Suspended {
            /// The account.
            who: T::AccountId,
            /// The first tick after the suspension.
            until: Tick,
        },
        /// A suspension was ended early.
        #[codec(index = 12)]
        SuspensionLifted {
            /// The account.
            who: T::AccountId,
        },
        /// An account speaks for a miner.
        #[codec(index = 13)]
        Endorsed {
            /// The account that endorses.
            endorser: T::AccountId,
            /// The miner.
            who: T::AccountId,
        },
        /// An account speaks for a miner no more.
        #[codec(index = 14)]
        EndorsementRetracted {
            /// The account that endorsed.
            endorser: T::AccountId,
            /// The miner.
            who: T::AccountId,
        },
        /// Something happened to a miner's level.
        #[codec(index = 15)]
        LevelChanged {
            /// The miner.
            who: T::AccountId,
            /// The change.
            change: LevelChange,
            /// Its level now.
            level: Level,
        },
    }

    /// Reasons why a call is refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account is a miner already: change its specialisations instead.
        #[codec(index = 0)]
        AlreadyRegistered,
        /// The account is not a miner: register it first.
        #[codec(index = 1)]
        NotRegistered,
        /// A miner needs at least one specialisation.
        #[codec(index = 2)]
        NoSpecialisation,
        /// A specialisation is named twice: name each once.
        #[codec(index = 3)]
        DuplicateSpecialisation,
        /// The free balance does not cover the registration stake of these specialisations.
        #[codec(index = 4)]
        InsufficientStake,
        /// The miner is in tasks that are not over: leave when they are.
        #[codec(index = 5)]
        HasOpenTasks,
        /// The miner is leaving: rejoin first.
        #[codec(index = 6)]
        Leaving,
        /// The miner is not leaving: leave first.
        #[codec(index = 7)]
        NotLeaving,
        /// The unbonding is not over: wait for the tick that the miner's view names.
        #[codec(index = 8)]
        StillUnbonding,
        /// The miner has worked in the last 90 days: there is nothing to reactivate.
        #[codec(index = 9)]
        NotDormant,
        /// The account is suspended: wait until the suspension is over.
        #[codec(index = 10)]
        Suspended,
        /// The miner has not worked for more than 90 days: reactivate it first.
        #[codec(index = 11)]
        Dormant,
        /// The miner is in as many tasks as it may be: finish one first.
        #[codec(index = 12)]
        TooManyTasks,
        /// The task's type is not among the miner's specialisations: add it first.
        #[codec(index = 13)]
        NotSpecialised,
        /// The relation is declared already.
        #[codec(index = 14)]
        AlreadyRelated,
        /// The account has not declared this relation, so there is nothing to retract.
        #[codec(index = 15)]
        NotRelated,
        /// The account has declared as many relations as it may, those that it took back in the last
        /// 120 days among them: name an owner that declares the others.
        #[codec(index = 16)]
        TooManyRelations,
        /// An account keeps away from itself anyway: declare others.
        #[codec(index = 17)]
        SelfRelation,
        /// The account named as owner declares an owner itself: name that one.
        #[codec(index = 18)]
        OwnerIsOwned,
        /// A certificate's expiry must lie in the future.
        #[codec(index = 19)]
        InvalidExpiry,
        /// No account is certified as unverified: revoke the certificate instead.
        #[codec(index = 20)]
        InvalidLevel,
        /// The account has no certificate to revoke.
        #[codec(index = 21)]
        NoCertificate,
        /// A suspension lasts at least one tick and at most 365 days.
        #[codec(index = 22)]
        InvalidDuration,
        /// The account is not suspended.
        #[codec(index = 23)]
        NotSuspended,
        /// The miner has the highest level: there is nothing to endorse it for.
        #[codec(index = 24)]
        HighestLevel,
        /// Only miners of the level that the endorsed one wants to reach, and accounts certified
        /// Professional or better, may endorse, and none that is suspended or leaving.
        #[codec(index = 25)]
        NotEntitled,
        /// One of the two has to keep away from the other.
        #[codec(index = 26)]
        RelatedEndorser,
        /// The account endorses as many miners as it may: retract one first.
        #[codec(index = 27)]
        EndorsesTooMany,
        /// The account endorses this miner already.
        #[codec(index = 28)]
        AlreadyEndorsed,
        /// The miner holds as many endorsements as it may: it can retract one that counts no more.
        #[codec(index = 29)]
        TooManyEndorsements,
        /// The account does not endorse this miner.
        #[codec(index = 30)]
        NotEndorsed,
        /// Only the two between whom an endorsement is may retract it.
        #[codec(index = 31)]
        NotInvolved,
        /// Nothing changes about the miner's level now: see what its view says.
        #[codec(index = 32)]
        NothingToReview,
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Become a miner of these task types. Holds the highest of their registration stakes.
        #[pallet::call_index(0)]
        pub fn register(origin: OriginFor<T>, specialisations: Specialisations) -> DispatchResult {
            Self::do_register(ensure_signed(origin)?, specialisations)
        }

        /// Work on these task types from now on. Holds more stake where they require more. Where
        /// they require less, the surplus stays held until the miner has left: otherwise a stake
        /// could get out without unbonding.
        #[pallet::call_index(1)]
        pub fn set_specialisations(
            origin: OriginFor<T>,
            specialisations: Specialisations,
        ) -> DispatchResult {
            Self::do_set_specialisations(ensure_signed(origin)?, specialisations)
        }

        /// Stop taking tasks, in order to get the stake back after unbonding. Possible once no
        /// task is open; for a suspended or dormant miner too.
        #[pallet::call_index(2)]
        pub fn leave(origin: OriginFor<T>) -> DispatchResult {
            Self::do_leave(ensure_signed(origin)?)
        }

        /// Take the stake back and be a miner no longer, once the unbonding and any suspension
        /// are over.
        #[pallet::call_index(3)]
        pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
            Self::do_withdraw(ensure_signed(origin)?)
        }

        /// Stay after all: cancel the leaving.
        #[pallet::call_index(4)]
        pub fn rejoin(origin: OriginFor<T>) -> DispatchResult {
            Self::do_rejoin(ensure_signed(origin)?)
        }

        /// Work again after more than 90 days without work.
        #[pallet::call_index(5)]
        pub fn reactivate(origin: OriginFor<T>) -> DispatchResult {
            Self::do_reactivate(ensure_signed(origin)?)
        }

        /// Declare which account controls this one, or that none does. This account then keeps away
        /// from its owner and from all that its owner declares itself related to; the owner is
        /// bound to nothing. Owners of owners do not count: name the account at the top. Counts for
        /// tasks that are published later; an owner that is dropped or replaced goes on to count for
        /// 60 days, and the new one counts from then on.
        #[pallet::call_index(6)]
        pub fn set_owner(origin: OriginFor<T>, owner: Option<T::AccountId>) -> DispatchResult {
            Self::do_set_owner(ensure_signed(origin)?, owner)
        }

        /// Declare to be related to another account: this one, and those that name it as their
        /// owner, keep away from tasks that are published later and in which the other has a stake.
        /// The other is not bound; it has to declare for itself.
        #[pallet::call_index(7)]
        pub fn declare_relation(origin: OriginFor<T>, other: T::AccountId) -> DispatchResult {
            Self::do_declare_relation(ensure_signed(origin)?, other)
        }

        /// Take back such a declaration of one's own. It goes on to count for tasks that are
        /// published in the next 60 days.
        #[pallet::call_index(8)]
        pub fn retract_relation(origin: OriginFor<T>, other: T::AccountId) -> DispatchResult {
            Self::do_retract_relation(ensure_signed(origin)?, other)
        }

        /// Certify an account, until and including the given tick. Replaces its certificate.
        #[pallet::call_index(9)]
        pub fn certify(
            origin: OriginFor<T>,
            who: T::AccountId,
            level: Certification,
            expires: Tick,
        ) -> DispatchResult {
            T::CertifyOrigin::ensure_origin(origin)?;
            Self::do_certify(who, level, expires)
        }

        /// Revoke an account's certificate.
        #[pallet::call_index(10)]
        pub fn revoke_certificate(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::CertifyOrigin::ensure_origin(origin)?;
            Self::do_revoke_certificate(who)
        }

        /// Exclude an account from all work for `duration` ticks from now, at most 365 days. A
        /// longer suspension that it is under stays.
        #[pallet::call_index(11)]
        pub fn suspend(origin: OriginFor<T>, who: T::AccountId, duration: Tick) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_suspend(&who, duration)
        }

        /// End an account's suspension.
        #[pallet::call_index(12)]
        pub fn lift_suspension(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_lift_suspension(who)
        }

        /// Speak for a miner, for the next level it wants to reach. Counts only while the caller is
        /// entitled to: see [`Error::NotEntitled`].
        #[pallet::call_index(13)]
        pub fn endorse(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            Self::do_endorse(ensure_signed(origin)?, who)
        }

        /// Take an endorsement back, as the one who gave it or the one who has it: there is room
        /// for sixteen, and one that counts no more is in the way.
        #[pallet::call_index(14)]
        pub fn retract_endorsement(
            origin: OriginFor<T>,
            endorser: T::AccountId,
            who: T::AccountId,
        ) -> DispatchResult {
            Self::do_retract_endorsement(&ensure_signed(origin)?, endorser, who)
        }

        /// Look whether a miner's level changes: a probation that can begin, fails or is passed, or
        /// a grace period that is over. Any account may ask for any.
        #[pallet::call_index(15)]
        pub fn review_level(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
            ensure_signed(origin)?;
            Self::do_review_level(who)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }
}
