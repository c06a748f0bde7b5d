// SPDX-License-Identifier: Apache-2.0

//! Types of the pallet's storage, and its constants.

use crate::pallet::*;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::marker::PhantomData;
use frame_support::weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_types::beacon::{Epoch, Hash, LinkError, Slot, SpotError, Surroundings};
use tos_vdf::State;

/// Epochs that are kept: the current one, the next, and two that disputes reach back into.
pub const MAX_EPOCHS: u32 = 4;

/// Windows whose entropy is kept: all that a dispute of the oldest recorded slot can make the walk
/// go through again, at the shortest windows that a configuration may have, and the two before.
pub const ENTROPY_RING: u32 = 264;

/// Weight of building a dataset, which a dispute in another epoch than the current one may cause:
/// 0.35 s on the machine that the walk was set on, rounded up.
pub const DATASET_BUILD: Weight =
    Weight::from_parts(400u64.saturating_mul(WEIGHT_REF_TIME_PER_MILLIS), 0);

/// A slot that was included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SlotRecord {
    /// The slot.
    pub slot: Slot,
    /// The state it ends in, before anything is injected.
    pub end: State,
    /// The Merkle root of the end states of its fine segments.
    pub fine_root: Hash,
    /// The number of its first iteration.
    pub first_iteration: u64,
    /// The block that included it.
    pub block: u32,
    /// The last degraded block when it was included; 0 for none. Randomness requests from before
    /// that block yield a degraded seed for ever.
    pub stalled: u32,
}

/// The last block that included slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Progress {
    /// The block.
    pub block: u32,
    /// The head of its parent.
    pub from: Slot,
}

/// The VRF output of a block's author.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct VrfRecord {
    /// The block.
    pub block: u32,
    /// The output; `None` if the block had none.
    pub output: Option<Hash>,
    /// All outputs up to this one, hashed one onto the other.
    pub accumulated: Hash,
}

/// The epochs and the entropy that the chain has on record.
pub(crate) struct OnRecord<T> {
    epochs: frame_support::BoundedVec<Epoch, frame_support::traits::ConstU32<MAX_EPOCHS>>,
    head: Slot,
    window_slots: u64,
    _config: PhantomData<T>,
}

impl<T: Config> OnRecord<T> {
    pub(crate) fn load() -> Self {
        Self {
            epochs: Epochs::<T>::get(),
            head: Pallet::<T>::head().slot,
            window_slots: Settings::<T>::get().window_slots.into(),
            _config: PhantomData,
        }
    }
}

impl<T: Config> Surroundings for OnRecord<T> {
    fn epoch(&self, number: u64) -> Option<Epoch> {
        self.epochs
            .iter()
            .find(|epoch| epoch.number == number)
            .copied()
    }

    fn entropy(&self, window: u64) -> Option<Hash> {
        // An entry of a window that begins beyond the head belongs to a voided walk.
        if window.checked_mul(self.window_slots)? >= self.head {
            return None;
        }
        WindowEntropy::<T>::get(ring(window, ENTROPY_RING))
            .filter(|(recorded, _)| *recorded == window)
            .map(|(_, entropy)| entropy)
    }
}

/// The place of a number in a ring.
pub(crate) fn ring(number: u64, size: u32) -> u32 {
    number
        .checked_rem(size.into())
        .and_then(|place| u32::try_from(place).ok())
        .unwrap_or(0)
}

impl<T> From<LinkError> for Error<T> {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::UnknownEpoch(_) => Self::UnknownEpoch,
            LinkError::UnknownEntropy(_) => Self::UnknownEntropy,
            LinkError::Exhausted => Self::Exhausted,
        }
    }
}

impl<T> From<SpotError> for Error<T> {
    fn from(error: SpotError) -> Self {
        match error {
            SpotError::Count => Self::SpotCount,
            SpotError::Index => Self::SpotIndex,
            SpotError::Opening => Self::SpotOpening,
        }
    }
}
