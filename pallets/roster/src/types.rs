// SPDX-License-Identifier: Apache-2.0

//! The records of rosters.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::ConstU32, BoundedVec};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_formulas::roster::PREMIUM_CLASSES;
use tos_types::{
    randomness::RandomnessRequest,
    roster::{SeatKind, SeatRequest},
    Balance, CaseId, TaskType, Tick, TOS,
};
use tos_views::BondStatus;

/// The class above all premiums: vacancies, which have their room.
pub const VACANCIES: u8 = PREMIUM_CLASSES;
/// Lines of a type: one for each class of premium, and that of vacancies.
pub const LINES: usize = PREMIUM_CLASSES as usize + 1;
/// The most tickets whose draws are outstanding.
pub const MAX_TICKETS: u64 = 256;
/// The most looks at lines in one block.
pub const MAX_LOOKS: u32 = 16;
/// The most places of a line, left by cases that went elsewhere, that one look passes.
pub const MAX_HOLES: u32 = 8;
/// Task types there are: the built-in ones and 256 others.
pub const MAX_TYPES: u32 = TaskType::BUILT_IN.len() as u32 + 256;
/// Rises of a weight that are told apart.
pub const MAX_RISES: u32 = 2;

/// Bond that does not count yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Addition {
    /// The amount, in wei.
    pub amount: Balance,
    /// It counts from the first period that begins in this tick or later.
    pub at: Tick,
}

/// Rise of a judge's weight.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Rise {
    /// The tick in which it rose.
    pub at: Tick,
    /// The weight before.
    pub before: u32,
}

/// Silence of a judge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Silence {
    /// The tick in which it began.
    pub since: Tick,
    /// The number of the first ticket that was taken later.
    pub tickets: u64,
}

/// Bond of a judge for one type, with what depends on it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Judge {
    /// The bond that counts, in wei.
    pub bond: Balance,
    /// The bond that counts from the next period, in wei: it restores what fines took.
    pub restoring: Balance,
    /// The bond that warms up.
    pub pending: Option<Addition>,
    /// The greatest bond that ever counted, in wei: restoring up to it needs no warm-up.
    pub warm: Balance,
    /// The part of the bond that open seats lock, in wei; fined parts are gone from it.
    pub locked: Balance,
    /// Pay that can be claimed, in wei.
    pub earned: Balance,
    /// The last rises of the weight, oldest first.
    pub rises: BoundedVec<Rise, ConstU32<MAX_RISES>>,
    /// The first tick in which a leaving judge can withdraw.
    pub leaving: Option<Tick>,
    /// The silence of a judge, until it counts again.
    pub silent: Option<Silence>,
    /// `true` if it has reported back, and is silent until the next period only.
    pub returning: bool,
    /// The weight by which it is drawn, in whole TOS; 0 where it is in no tree.
    pub weight: u32,
    /// Its leaf in the tree of all judges.
    pub leaf: Option<u32>,
    /// Its leaf in the tree of the certified ones.
    pub certified_leaf: Option<u32>,
}

impl Judge {
    /// All that is on hold for this bond, in wei.
    pub fn held(&self) -> Balance {
        let pending = self.pending.map_or(0, |addition| addition.amount);
        self.bond
            .saturating_add(self.restoring)
            .saturating_add(pending)
    }

    /// The bond that no seat locks, in wei.
    pub fn spare(&self) -> Balance {
        self.bond.saturating_sub(self.locked)
    }

    /// The weight that the bond gives, in whole TOS, where a judge stays with `stay` (in wei): 0 for one
    /// that is leaving or silent. A judge that is suspended has none either.
    pub fn due_weight(&self, stay: Balance) -> u32 {
        let there = self.leaving.is_none() && (self.silent.is_none() || self.returning);
        if there && self.bond >= stay {
            u32::try_from(self.bond.checked_div(TOS).unwrap_or(0)).unwrap_or(u32::MAX)
        } else {
            0
        }
    }

    /// Records that the weight rose from `before`. Of more rises than are kept, the older ones become one
    /// with the least weight before them: never more counts than was there.
    pub fn rose(&mut self, at: Tick, before: u32) {
        let mut rises: Vec<Rise> = core::mem::take(&mut self.rises).into_inner();
        if rises.len() >= MAX_RISES as usize {
            let oldest = rises.remove(0);
            if let Some(next) = rises.first_mut() {
                next.before = next.before.min(oldest.before);
            }
        }
        rises.push(Rise { at, before });
        self.rises = BoundedVec::truncate_from(rises);
    }

    /// The weight that counts for a case published at `since`, of which `now` is the one in the tree: that
    /// before the first rise since then.
    pub fn weight_at(&self, since: Tick, now: u64) -> u64 {
        let mut later = self.rises.iter().filter(|rise| rise.at >= since);
        later.next().map_or(now, |rise| rise.before.into())
    }

    /// `true` if the ticket of this number does not seat it: it was silent before.
    pub fn is_silent_for(&self, ticket: u64) -> bool {
        self.silent.is_some_and(|silence| silence.tickets <= ticket)
    }

    /// The availability for draws.
    pub fn status(&self) -> BondStatus {
        match (self.leaving, self.silent) {
            (Some(release_at), _) => BondStatus::Leaving { release_at },
            (None, Some(_)) if self.returning => BondStatus::Returning,
            (None, Some(silence)) => BondStatus::Silent {
                since: silence.since,
            },
            (None, None) => BondStatus::Active,
        }
    }
}

/// Numbers of a type's judges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Count {
    /// Those with a bond.
    pub bonds: u32,
    /// Those in the tree of all judges.
    pub judges: u32,
    /// Those in the tree of the certified ones.
    pub certified: u32,
}

/// Stake of a type that is not free, in wei.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Taken {
    /// Locked by open seats.
    pub seats: Balance,
    /// Reserved for those that are drawn soon.
    pub reserved: Balance,
}

impl Taken {
    /// All of it.
    pub fn all(&self) -> Balance {
        self.seats.saturating_add(self.reserved)
    }
}

/// The numbers from `head` to before `tail`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ends {
    /// The first.
    pub head: u64,
    /// The one after the last.
    pub tail: u64,
}

impl Ends {
    /// `true` if there is no number.
    pub fn is_empty(&self) -> bool {
        self.head >= self.tail
    }

    /// The number of them.
    pub fn len(&self) -> u64 {
        self.tail.saturating_sub(self.head)
    }

    /// Adds a number, and returns it.
    pub fn push(&mut self) -> u64 {
        let number = self.tail;
        self.tail = self.tail.saturating_add(1);
        number
    }

    /// Drops the first number.
    pub fn advance(&mut self) {
        self.head = self.head.saturating_add(1);
    }
}

/// Seats as a ticket fixes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Terms {
    /// All of them.
    pub seats: u32,
    /// Those that certified judges take.
    pub certified: u32,
    /// The stake that each locks, in wei.
    pub lock: Balance,
}

impl Terms {
    /// The stake of all seats, in wei.
    pub fn stake(&self) -> Balance {
        self.lock.saturating_mul(self.seats.into())
    }
}

/// Place of a case that waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Place {
    /// In the line of its class, at this position.
    #[codec(index = 0)]
    Line(u64),
    /// It has this ticket.
    #[codec(index = 1)]
    Ticket(u64),
    /// Its draw came to nothing. It takes the next ticket when it is due.
    #[codec(index = 2)]
    Pause,
}

/// Case that waits for its seats.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct WaitingCase<AccountId> {
    /// Its request.
    pub request: SeatRequest<AccountId>,
    /// The class of its line.
    pub class: u8,
    /// The place in which it waits.
    pub place: Place,
    /// The tick in which it began to wait.
    pub since: Tick,
    /// The tick since which it is the first of its line and has no room.
    pub at_head_since: Option<Tick>,
    /// Its seats, since its first ticket.
    pub terms: Option<Terms>,
    /// Draws that came to nothing.
    pub tries: u8,
    /// The tick of its entry in the agenda.
    pub due: Tick,
}

impl<AccountId> WaitingCase<AccountId> {
    /// `true` if it fills seats of a panel that sits: in the room that it had, and once.
    pub fn is_vacancy(&self) -> bool {
        matches!(self.request.kind, SeatKind::Vacancy { .. })
    }

    /// The stake that is reserved for it, in wei.
    pub fn reserved(&self) -> Balance {
        match self.terms {
            Some(terms) if !self.is_vacancy() => terms.stake(),
            _ => 0,
        }
    }
}

/// Ticket of a draw. The order of draws is that of their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Ticket {
    /// The case.
    pub case: CaseId,
    /// The request for its seed.
    pub randomness: RandomnessRequest,
    /// The period of that request.
    pub period: u32,
}
