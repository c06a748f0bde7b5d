// SPDX-License-Identifier: Apache-2.0

//! The shapes this pallet stores, and its constants.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use polkadot_sdk::*;
use scale_info::TypeInfo;
use sp_core::ConstU32;
use tos_formulas::level::{LevelRecord, MAX_ENDORSEMENTS};
use tos_types::{task::Certification, Balance, TaskType, Tick};

/// The most specialisations of one miner.
pub const MAX_SPECIALISATIONS: u32 = 8;
/// The longest suspension that can be pronounced at once, in days. A bound, because the stake of
/// a suspended miner cannot be withdrawn.
pub const MAX_SUSPENSION_DAYS: Tick = 365;

/// The types a miner works on.
pub type Specialisations = BoundedVec<TaskType, ConstU32<MAX_SPECIALISATIONS>>;

/// A registered miner.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Miner {
    /// The types it works on: ascending, distinct, at least one.
    pub specialisations: Specialisations,
    /// The stake held from it for the registration, in wei.
    pub stake: Balance,
    /// Tasks it is in now.
    pub open_tasks: u32,
    /// Tasks it delivered a valid answer to.
    pub completed: u32,
    /// Tasks it failed.
    pub failed: u32,
    /// The tick of its registration.
    pub registered: Tick,
    /// The day of its last work, registration or reactivation.
    pub last_active_day: u32,
    /// While it is leaving: the first tick in which its unbonding is over.
    pub leaving: Option<Tick>,
    /// Its level, and what that rests on.
    pub level: LevelRecord,
}

/// The accounts that endorse one miner.
pub type Endorsers<AccountId> = BoundedVec<AccountId, ConstU32<MAX_ENDORSEMENTS>>;

/// A certification of an account. Counts only until it expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Certificate {
    /// The level; never `Unverified`.
    pub level: Certification,
    /// The last tick it is good for.
    pub expires: Tick,
}
