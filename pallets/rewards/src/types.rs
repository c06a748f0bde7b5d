// SPDX-License-Identifier: Apache-2.0

//! The pallet's shapes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tos_types::{Balance, Tick, MAX_PANEL, MAX_ROUNDS};

/// The most rewards that one `claim_all` pays.
pub const MAX_CLAIMS_PER_CALL: u32 = 50;

/// The most validators that one settlement pays: a full panel in every round.
pub const MAX_VALIDATORS: u32 = MAX_PANEL.saturating_mul(MAX_ROUNDS);

/// The reward of an unfinished task.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Escrow<AccountId> {
    /// On whose account it is held.
    pub publisher: AccountId,
    /// The reward in wei.
    pub amount: Balance,
}

/// On whose account a reward is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Custody {
    /// On its owner's.
    #[codec(index = 0)]
    Owner,
    /// On the treasury's, because the owner's could not receive it when it was earned.
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
    /// On whose account it is held.
    pub custody: Custody,
}

/// What a reward was earned as.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum RewardRole {
    /// An answer.
    #[codec(index = 0)]
    Miner,
    /// Votes.
    #[codec(index = 1)]
    Validator,
}
