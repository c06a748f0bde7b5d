// SPDX-License-Identifier: Apache-2.0

//! The shapes this pallet stores, and its constants.

use crate::Config;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
    BoundedVec, CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
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

/// Days in which a declaration that was taken back goes on to count for tasks that are published.
pub const AFTER_EFFECT_DAYS: Tick = 60;
/// Days for which it stays on record after that: longer than any task that it counts for can wait for
/// its last draw.
pub const KEPT_DAYS: Tick = 60;
/// The most owners of one account that are on record: one that counts no more, one that counts, and
/// one that is to count. Two that count no more are never kept together, because between their ends
/// lies an after-effect, which is no shorter than the time for which they are kept.
pub const MAX_OWNERS: u32 = 3;
const _: () = assert!(KEPT_DAYS <= AFTER_EFFECT_DAYS);

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

/// A declaration of an account about another one, and the tasks that it counts for: those published
/// after `since` and before `until`.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Claim<AccountId> {
    /// The other account.
    pub other: AccountId,
    /// The last tick whose tasks it does not count for yet.
    pub since: Tick,
    /// Where it was taken back: the first tick whose tasks it counts for no more.
    pub until: Option<Tick>,
}

/// What an account declares.
#[derive(CloneNoBound, PartialEqNoBound, EqNoBound, DebugNoBound, DefaultNoBound)]
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
#[codec(mel_bound())]
#[scale_info(skip_type_params(T))]
pub struct Declared<T: Config> {
    /// The accounts that control it: one after the other, of which one at most counts for any task.
    pub owners: BoundedVec<Claim<T::AccountId>, ConstU32<MAX_OWNERS>>,
    /// The accounts that it keeps away from: ascending, then one after the other.
    pub relations: BoundedVec<Claim<T::AccountId>, T::MaxRelations>,
}
