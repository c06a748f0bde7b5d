// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

use polkadot_sdk::*;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

mod calls;
mod checks;
mod genesis;
mod interface;
mod reads;
mod steps;
mod types;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod vectors;

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
    use alloc::boxed::Box;
    use frame_support::{inherent::MakeFatalError, pallet_prelude::*, traits::UnixTime};
    use frame_system::pallet_prelude::*;
    use tos_types::beacon::{
        self, BeaconConfig, BeaconInherent, Epoch, Hash, Head, Slot, SlotClaims, SpotClaims,
    };
    use tos_vdf::{SlotProof, VdfParams};

    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The beacon: the walk on record and the randomness it gives.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// Configuration of the beacon.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {
        /// Weights of the calls and of the hook.
        type WeightInfo: WeightInfo;

        /// The VRF output of the parent block's author, if its block had one. No other account may
        /// know it before that block.
        type Vrf: Get<Option<Hash>>;

        /// The time of the block, set before this pallet's inherent; it paces the walk.
        type Time: UnixTime;

        /// The time at which the block's BABE slot ends, in milliseconds since 1970: no author can
        /// choose it, and the block's time is not later.
        type SlotEnd: Get<u64>;

        /// The origin that changes the parameters of epochs to come.
        type GovernanceOrigin: EnsureOrigin<Self::RuntimeOrigin>;
    }

    /// The lengths of all periods, fixed at genesis.
    #[pallet::storage]
    pub type Settings<T: Config> = StorageValue<_, BeaconConfig, ValueQuery>;

    /// The end of the last slot included.
    #[pallet::storage]
    pub type CurrentHead<T: Config> = StorageValue<_, Head>;

    /// Slots that were included: a ring, by slot modulo [`beacon::RECORDS`]. Entries of slots
    /// beyond the head belong to a walk that a dispute has voided.
    #[pallet::storage]
    pub type Records<T: Config> = StorageMap<_, Twox64Concat, u32, SlotRecord>;

    /// VRF outputs of block authors, and the accumulator after each: a ring, by block modulo
    /// [`beacon::RECORDS`].
    #[pallet::storage]
    pub type BlockVrf<T: Config> = StorageMap<_, Twox64Concat, u32, VrfRecord>;

    /// All VRF outputs so far, hashed one onto the other.
    #[pallet::storage]
    pub type Accumulator<T: Config> = StorageValue<_, Hash, ValueQuery>;

    /// The accumulator in the block that included the first slot of a window: a ring of (window,
    /// value), by window modulo [`ENTROPY_RING`].
    #[pallet::storage]
    pub type WindowEntropy<T: Config> = StorageMap<_, Twox64Concat, u32, (u64, Hash)>;

    /// The epochs that were fixed last, oldest first. The last one may lie in the future.
    #[pallet::storage]
    pub type Epochs<T: Config> =
        StorageValue<_, BoundedVec<Epoch, ConstU32<MAX_EPOCHS>>, ValueQuery>;

    /// Time of the genesis slot in milliseconds since 1970: of the first block that included a
    /// slot, less one slot. It moves on where the head is more than [`beacon::MAX_LAG`] behind.
    #[pallet::storage]
    pub type GenesisMs<T: Config> = StorageValue<_, u64>;

    /// The last block that included a slot, and the head before it.
    #[pallet::storage]
    pub type LastProgress<T: Config> = StorageValue<_, Progress>;

    /// The last block that ended a time in which the beacon was degraded. Itself counts as
    /// degraded.
    #[pallet::storage]
    pub type LastStall<T: Config> = StorageValue<_, u32>;

    /// Parameters for the next epoch that is fixed, if governance set any.
    #[pallet::storage]
    pub type NextParams<T: Config> = StorageValue<_, VdfParams>;

    /// Beginning and pace of the walk.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// The lengths of all periods and the parameters of the first epoch.
        pub config: BeaconConfig,
        /// The seed of the first state, the first dataset and the accumulator.
        #[serde(with = "tos_types::json::hash")]
        pub seed: Hash,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Err(reason) = self.config.check() {
                panic!("genesis: {reason}");
            }
            Pallet::<T>::begin(&self.config, &self.seed);
        }
    }

    /// Events of the beacon.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The block included slots.
        #[codec(index = 0)]
        Advanced {
            /// The last slot included.
            head: Slot,
            /// The number of slots included by the block.
            slots: u32,
        },
        /// The beacon moves again after a time in which it was degraded, the first one included.
        #[codec(index = 1)]
        Resumed {
            /// The last slot included.
            head: Slot,
        },
        /// An epoch was fixed: its dataset can be built.
        #[codec(index = 2)]
        EpochFixed {
            /// Its number.
            number: u64,
            /// The seed of its dataset.
            seed: Hash,
            /// The parameters of its dataset and its slots.
            params: VdfParams,
        },
        /// A slot was shown to be false: it and all that followed it are void.
        #[codec(index = 3)]
        SlotVoided {
            /// The false slot; the head is the one before it.
            slot: Slot,
            /// The head before.
            head: Slot,
            /// The account that showed it.
            who: T::AccountId,
        },
        /// Governance set the parameters of the next epoch that is not fixed yet.
        #[codec(index = 4)]
        ParamsSet {
            /// The parameters.
            params: VdfParams,
        },
    }

    /// Reasons why a call is refused. A block whose inherent is refused is invalid.
    #[pallet::error]
    pub enum Error<T> {
        /// The block has two inherents of the beacon. Only one is allowed.
        #[codec(index = 0)]
        AlreadyAdvanced,
        /// The inherent includes no slot. Leave it out instead.
        #[codec(index = 1)]
        NoSlots,
        /// The slots run ahead of the wall clock. Include them in a later block.
        #[codec(index = 2)]
        AheadOfTime,
        /// A slot belongs to an epoch that is not fixed yet. Include it in a later block.
        #[codec(index = 3)]
        UnknownEpoch,
        /// Entropy that goes into a slot is not recorded. Include the slots before it first.
        #[codec(index = 4)]
        UnknownEntropy,
        /// The numbers of slots or iterations have run out.
        #[codec(index = 5)]
        Exhausted,
        /// There are not as many spot openings as asked for.
        #[codec(index = 6)]
        SpotCount,
        /// A spot opening is of another segment than the one asked for by parent hash and claims.
        #[codec(index = 7)]
        SpotIndex,
        /// A spot opening does not lie under the fine root, or contradicts its slot's start or end.
        #[codec(index = 8)]
        SpotOpening,
        /// An opened segment is no piece of the walk: the block lies about a slot.
        #[codec(index = 9)]
        FalseSegment,
        /// The slot is not included, or too old to be disputed.
        #[codec(index = 10)]
        UnknownSlot,
        /// The proof says what the chain says. There is nothing to dispute.
        #[codec(index = 11)]
        SameResult,
        /// The proof is wrong itself: the slot does not lead where it says.
        #[codec(index = 12)]
        WrongProof,
        /// The parameters are out of bounds. See `VdfParams::check`.
        #[codec(index = 13)]
        BadParams,
    }

    #[pallet::call(weight(<T as Config>::WeightInfo))]
    impl<T: Config> Pallet<T> {
        /// Includes the slots after the head. An inherent: once in a block at most, without origin.
        ///
        /// The spot openings are those that [`beacon::spot_indices`] asks for.
        #[pallet::call_index(0)]
        #[pallet::weight((
            T::WeightInfo::advance(u32::try_from(slots.len()).unwrap_or(u32::MAX)),
            DispatchClass::Mandatory,
        ))]
        pub fn advance(
            origin: OriginFor<T>,
            slots: SlotClaims,
            spots: SpotClaims,
        ) -> DispatchResult {
            ensure_none(origin)?;
            Self::do_advance(&slots, &spots)
        }

        /// Shows that an included slot is false, with a right proof of it. The head goes back to
        /// before that slot, and the fee is returned.
        #[pallet::call_index(1)]
        #[pallet::weight((
            T::WeightInfo::dispute_slot().saturating_add(DATASET_BUILD),
            DispatchClass::Operational,
        ))]
        pub fn dispute_slot(
            origin: OriginFor<T>,
            slot: Slot,
            proof: Box<SlotProof>,
        ) -> DispatchResultWithPostInfo {
            let who = ensure_signed(origin)?;
            Self::do_dispute(who, slot, &proof)?;
            Ok(Pays::No.into())
        }

        /// Sets the parameters of the next epoch that is not fixed yet.
        #[pallet::call_index(2)]
        pub fn set_params(origin: OriginFor<T>, params: VdfParams) -> DispatchResult {
            T::GovernanceOrigin::ensure_origin(origin)?;
            Self::do_set_params(params)
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            Self::note_vrf();
            T::WeightInfo::on_initialize()
        }

        fn integrity_test() {
            Self::check_constants();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::inherent]
    impl<T: Config> ProvideInherent for Pallet<T> {
        type Call = Call<T>;
        type Error = MakeFatalError<()>;
        const INHERENT_IDENTIFIER: InherentIdentifier = beacon::INHERENT_IDENTIFIER;

        // Everything is checked when the call is executed, where all the inputs are.
        fn create_inherent(data: &InherentData) -> Option<Self::Call> {
            let BeaconInherent { slots, spots } =
                data.get_data(&Self::INHERENT_IDENTIFIER).ok().flatten()?;
            (!slots.is_empty()).then_some(Call::advance { slots, spots })
        }

        fn is_inherent(call: &Self::Call) -> bool {
            matches!(call, Call::advance { .. })
        }
    }
}
