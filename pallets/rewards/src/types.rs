// SPDX-License-Identifier: Apache-2.0

//! Types of the pallet's storage and events, and its constants.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tos_types::{Balance, Tick, MAX_PANEL, MAX_ROUNDS};

/// The most rewards that one `claim_all` pays.
pub const MAX_CLAIMS_PER_CALL: u32 = 50;

/// The most judges that one settlement pays: a full panel in every round.
pub const MAX_JUDGES: u32 = MAX_PANEL.saturating_mul(MAX_ROUNDS);

/// The reward of an unfinished task.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Escrow<AccountId> {
    /// The account that it is held on.
    pub publisher: AccountId,
    /// The reward in wei.
    pub amount: Balance,
}

/// The account that a reward is held on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Custody {
    /// Its owner's.
    #[codec(index = 0)]
    Owner,
    /// The treasury's, because the owner's could not receive it when it was earned.
    #[codec(index = 1)]
    Treasury,
}

/// A reward that waits to be claimed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Claim {
    /// The reward in wei.
    pub amount: Balance,
    /// The last tick before the chain pays it out by itself.
    pub expires: Tick,
    /// The account that it is held on.
    pub custody: Custody,
}

/// The role in which a reward was earned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum RewardRole {
    /// An answer.
    #[codec(index = 0)]
    Miner,
    /// Votes.
    #[codec(index = 1)]
    Judge,
}
