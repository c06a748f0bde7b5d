// SPDX-License-Identifier: Apache-2.0

//! The records of this pallet.
//!
//! # Time
//!
//! Deadlines count *storage ticks*: ticks of the clock less those that passed while the beacon was degraded. So
//! everything that runs out pauses at once, without touching a single deadline.
//!
//! Windows follow one another without overlap: one begins only when all roots of the one before are
//! folded. `folded` is the last window folded, and the current one is the next.
//!
//! # Streaks
//!
//! A replica's run is `[since, folded]`, both windows included: it was proven in each of them. Nothing is written when a
//! group hands in its root. What ends a run is rare and writes to the replica itself:
//!
//! * a miss in window w (audit, or the group handed in nothing) books the run and begins the next one with w + 1;
//! * pausing books the run; resuming in window w begins the next one with w + 1.
//!
//! Of a run of n windows, `n − proof_window` are paid, if positive. `earned` counts those of booked
//! runs. Never are more windows paid than the deal has.
//!
//! A group is *due* in a window if one of its members takes part in it: is active or leaving, and
//! `from` is not later. `fresh` members have `from = fresh_from`, the window after the one in which
//! they joined; no member can have a later one.
//!
//! # Money
//!
//! * The hold `ProviderBond` of a provider is exactly [`Provider::bond`]; the collateral of its
//!   replicas sums up to `tied`. `bond ≥ tied` whenever it accepts a deal; only the price of an equivocation can push
//!   it below, and then a provider slashed later loses what there is.
//! * The hold `DealEscrow` of a client is the sum over its open and taken deals of `escrow − paid`.
//! * The hold `ChallengeBond` of a challenger is the sum of the bonds of its open challenges.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{pallet_prelude::BoundedVec, traits::ConstU32};
use polkadot_sdk::*;
use scale_info::TypeInfo;
use tos_storage_proofs::{aggregate, Commitment};
use tos_types::{
    randomness::RandomnessRequest,
    storage::{
        ChallengeKind, DealStatus, GroupId, Locator, ReplicaStatus, SignedRoot, StoredContent,
        Window, MAX_COMMITTEE,
    },
    Balance, DealId, ReplicaId, Tick,
};

/// The most groups of one provider.
pub const MAX_PROVIDER_GROUPS: u32 = 128;
/// The most challenges open against one replica; audits do not count.
pub const MAX_CHALLENGES: u32 = 4;
/// The most draws of audits that wait for their seed.
pub const MAX_DRAWS: u32 = 32;
/// The most draws served in one block, so that a late beacon is caught up with.
pub const DRAWS_PER_BLOCK: u32 = 4;
/// The most session validators that committees are drawn from.
pub const MAX_VALIDATORS: u32 = 1_000;
/// Expired audits that one crank closes.
pub const MAX_CRANKED_AUDITS: u32 = 8;

/// A provider.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Provider {
    /// The amount on hold, in wei.
    pub bond: Balance,
    /// The collateral of its replicas.
    pub tied: Balance,
    /// The sr25519 key that signs its responses.
    pub key: [u8; 32],
    /// The key before, which still counts as evidence.
    pub old_key: Option<[u8; 32]>,
    /// The window in which the key was set.
    pub key_since: Window,
    /// The locator that content and proofs are served at.
    pub locator: Locator,
    /// Replicas that are not over.
    pub replicas: u32,
    /// Its groups in the order it got them, with the number of free places.
    pub groups: BoundedVec<(GroupId, u32), ConstU32<MAX_PROVIDER_GROUPS>>,
    /// Audits and challenges answered.
    pub answered: u64,
    /// Audits, challenges and windows missed.
    pub missed: u64,
    /// The last median latency in milliseconds.
    pub latency_ms: Option<u32>,
    /// `true` if it takes no new deals.
    pub exiting: bool,
    /// The window in which it last had a replica.
    pub idle_since: Window,
}

impl Provider {
    /// The bond that is not collateral.
    pub fn free(&self) -> Balance {
        self.bond.saturating_sub(self.tied)
    }
}

/// A deal.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Deal<AccountId> {
    /// The client, who pays.
    pub client: AccountId,
    /// The content to keep.
    pub content: StoredContent,
    /// The commitment to the coded bytes.
    pub coded: Commitment,
    /// Wei per GiB and billing period.
    pub price: Balance,
    /// The windows it lasts.
    pub windows: u32,
    /// The one provider that may accept; any if `None`.
    pub provider: Option<AccountId>,
    /// Held at the beginning.
    pub escrow: Balance,
    /// Paid so far.
    pub paid: Balance,
    /// The deal's status.
    pub status: DealStatus,
    /// Its replica, once accepted.
    pub replica: Option<ReplicaId>,
    /// The window in which it expires or is pruned.
    pub until: Window,
    /// Its entry in the queue; none while it is taken.
    pub due: Option<Tick>,
    /// Steps that failed in a row.
    pub failures: u8,
}

/// A replica.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Replica<AccountId> {
    /// Its deal.
    pub deal: DealId,
    /// The provider that keeps it.
    pub provider: AccountId,
    /// The replica's status.
    pub status: ReplicaStatus,
    /// The commitment to the coded bytes.
    pub coded: Commitment,
    /// The commitment to the sealed bytes.
    pub sealed: Option<Commitment>,
    /// The collateral left.
    pub collateral: Balance,
    /// Group and place.
    pub position: Option<(GroupId, u32)>,
    /// Its place in the index of those to be audited.
    pub index: Option<u32>,
    /// The first window it was active in.
    pub first: Window,
    /// The first window in which it takes part, since it was activated or resumed last.
    pub from: Window,
    /// The first window of its run.
    pub since: Window,
    /// Paid windows of booked runs.
    pub earned: u32,
    /// Misses in a row.
    pub misses: u32,
    /// The window in which its present state ends: sealing, pause, notice, deal or retention.
    pub until: Window,
    /// The first window after the deal or the notice.
    pub end: Window,
    /// The billing period in which windows of pause are counted, and how many.
    pub pause: (u64, u32),
    /// The window in which it was paused last.
    pub paused_at: Window,
    /// From and until when it took part before it was resumed.
    pub before: (Window, Window),
    /// Challenges open.
    pub challenges: u32,
    /// Its entry in the queue; none while a challenge decides.
    pub due: Option<Tick>,
    /// Steps that failed in a row.
    pub failures: u8,
}

impl<AccountId> Replica<AccountId> {
    /// `true` if it takes part in the current window.
    pub fn takes_part(&self, window: Window) -> bool {
        self.status.is_proving() && (self.from..self.end).contains(&window)
    }

    /// `true` if it took part in a window before the current one. Known back to the last pause but
    /// one.
    pub fn took_part(&self, window: Window) -> bool {
        let end = match self.status {
            ReplicaStatus::Paused => self.paused_at,
            _ => self.end,
        };
        let (from, until) = self.before;
        (self.from..end).contains(&window) || (from..until).contains(&window)
    }

    /// The bytes it seals.
    pub fn sealed_bytes(&self) -> u64 {
        self.coded.words.saturating_mul(64)
    }

    /// Windows proven in a row, when `folded` is the number of windows folded.
    pub fn run(&self, folded: u64) -> u64 {
        match self.status.is_proving() {
            // `folded` windows are 0 to folded − 1.
            true => folded.min(self.end).saturating_sub(self.since),
            false => 0,
        }
    }

    /// Windows paid for, of a deal of `windows`.
    pub fn paid_windows(&self, folded: u64, proof_window: u32, windows: u32) -> u32 {
        let run = self.run(folded).saturating_sub(proof_window.into());
        let run = u32::try_from(run).unwrap_or(u32::MAX);
        self.earned.saturating_add(run).min(windows)
    }
}

/// Occupied places of a group, one bit each.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Places(BoundedVec<u8, ConstU32<{ aggregate::GROUP_SIZE.div_ceil(8) }>>);

impl Places {
    /// The lowest free place below `size`.
    pub fn lowest_free(&self, size: u32) -> Option<u32> {
        let full = self.0.iter().take_while(|byte| **byte == u8::MAX).count();
        let ones = self.0.get(full).map_or(0, |byte| byte.trailing_ones());
        let place = u32::try_from(full)
            .ok()?
            .checked_mul(8)?
            .checked_add(ones)?;
        (place < size).then_some(place)
    }

    /// The first occupied place from `start` on.
    pub fn next(&self, start: u32) -> Option<u32> {
        let bits = u32::try_from(self.0.len()).ok()?.checked_mul(8)?;
        (start..bits).find(|place| self.is_taken(*place))
    }

    /// `true` if a place is occupied.
    pub fn is_taken(&self, place: u32) -> bool {
        let byte = usize::try_from(place >> 3)
            .ok()
            .and_then(|at| self.0.get(at));
        byte.is_some_and(|byte| byte & Self::bit(place) != 0)
    }

    /// Occupies or frees a place below 1,000.
    pub fn set(&mut self, place: u32, taken: bool) {
        let Ok(at) = usize::try_from(place >> 3) else {
            return;
        };
        while self.0.len() <= at {
            if self.0.try_push(0).is_err() {
                return;
            }
        }
        if let Some(byte) = self.0.get_mut(at) {
            match taken {
                true => *byte |= Self::bit(place),
                false => *byte &= !Self::bit(place),
            }
        }
    }

    fn bit(place: u32) -> u8 {
        1u8.checked_shl(place & 7).unwrap_or_default()
    }
}

/// A group.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Group<AccountId> {
    /// The provider that owns it.
    pub provider: AccountId,
    /// Members that are active or leaving.
    pub members: u32,
    /// Those of them whose first window is `fresh_from`.
    pub fresh: u32,
    /// The window the youngest members begin with.
    pub fresh_from: Window,
    /// The occupied places, those of paused replicas included.
    pub places: Places,
}

impl<AccountId> Group<AccountId> {
    /// A group of this provider without members.
    pub fn empty(provider: AccountId) -> Self {
        Self {
            provider,
            members: 0,
            fresh: 0,
            fresh_from: 0,
            places: Places::default(),
        }
    }

    /// Members that take part in a window, as far as can be said of the current one.
    pub fn due(&self, window: Window) -> u32 {
        match self.fresh_from > window {
            true => self.members.saturating_sub(self.fresh),
            false => self.members,
        }
    }
}

/// The root that a group handed in for a window.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct GroupWindow {
    /// Its root.
    pub root: Option<[u8; 32]>,
    /// `true` if two roots for it have been punished.
    pub equivocated: bool,
}

/// The stage of the current window.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Stage {
    /// Not begun.
    #[default]
    #[codec(index = 0)]
    Waiting,
    /// Begun, without a seed.
    #[codec(index = 1)]
    Drawing {
        /// The request that the seed comes from.
        randomness: RandomnessRequest,
        /// The storage tick in which it began.
        began: Tick,
    },
    /// Groups are due.
    #[codec(index = 2)]
    Open {
        /// The seed.
        seed: [u8; 32],
        /// The last tick in which roots count.
        ends: Tick,
    },
    /// Over; roots are being folded.
    #[codec(index = 3)]
    Folding {
        /// The seed.
        seed: [u8; 32],
    },
}

/// The progress of folding.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Fold {
    /// The next group.
    pub group: GroupId,
    /// The next place of a group that handed in nothing.
    pub place: u32,
    /// Replicas of the group whose streaks have ended so far.
    pub missed: u32,
    /// Groups that handed in a root.
    pub handed_in: u32,
    /// Roots of the groups of the region begun.
    pub roots: BoundedVec<[u8; 32], ConstU32<{ aggregate::REGION_GROUPS }>>,
    /// Roots of the regions finished.
    pub regions: BoundedVec<[u8; 32], ConstU32<{ aggregate::MAX_REGIONS }>>,
}

/// One of the last windows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct WindowRecord {
    /// Its seed.
    pub seed: [u8; 32],
    /// The global root, once folded.
    pub global: Option<[u8; 32]>,
    /// Groups that existed.
    pub groups: u32,
    /// Groups that handed in a root.
    pub handed_in: u32,
}

/// An audit that waits for its answer.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Audit {
    /// The replica seed.
    pub seed: [u8; 32],
    /// The last tick in which an answer counts.
    pub due: Tick,
}

/// A challenge.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Challenge<AccountId> {
    /// The challenger with its bond; the chain itself if `None`.
    pub challenger: Option<(AccountId, Balance)>,
    /// The request that the seed comes from.
    pub randomness: RandomnessRequest,
    /// The replica seed, once known.
    pub seed: Option<[u8; 32]>,
    /// Words asked for.
    pub words: u32,
    /// The last tick in which an answer counts; before there is a seed, the next look at the beacon.
    pub due: Tick,
}

/// The observation of a committee member.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Attestation<AccountId> {
    /// The committee member.
    pub validator: AccountId,
    /// The latency in milliseconds.
    pub latency_ms: u32,
    /// Proofs that were missing or wrong.
    pub bad: u32,
}

/// All attestations of a group in a window.
pub type Attestations<AccountId> = BoundedVec<Attestation<AccountId>, ConstU32<MAX_COMMITTEE>>;

/// An entry of the queue: the thing that is due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[derive(Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Item {
    /// A deal expires or is pruned.
    #[codec(index = 0)]
    Deal(DealId),
    /// A replica's state ends.
    #[codec(index = 1)]
    Replica(ReplicaId),
    /// An audit was not answered.
    #[codec(index = 2)]
    Audit(ReplicaId, u32),
    /// A challenge gets its seed, or was not answered.
    #[codec(index = 3)]
    Challenge(ReplicaId, ChallengeKind),
}

/// The reasons for which a provider loses money.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Fault {
    /// An audit was not answered.
    #[codec(index = 0)]
    Audit,
    /// The group handed in nothing for a window.
    #[codec(index = 1)]
    Window,
    /// A replica was accepted and not sealed in time.
    #[codec(index = 2)]
    Sealing,
    /// A challenge was not answered, or wrongly.
    #[codec(index = 3)]
    Challenge(ChallengeKind),
    /// Two roots were signed for one group and window.
    #[codec(index = 4)]
    Equivocation,
}

/// Two roots signed for one group and window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Equivocation {
    /// The window.
    pub window: Window,
    /// The group.
    pub group: GroupId,
    /// One root.
    pub first: SignedRoot,
    /// Another.
    pub second: SignedRoot,
}

/// Running totals.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Totals {
    /// Audits opened.
    pub audits: u64,
    /// Audits and challenges answered.
    pub answered: u64,
    /// Audits, challenges and windows missed.
    pub missed: u64,
    /// Replicas failed.
    pub failed: u64,
    /// Slashed.
    pub slashed: Balance,
    /// Paid to providers.
    pub paid: Balance,
    /// Sealed bytes of active and leaving replicas.
    pub sealed_bytes: u128,
}

/// Storage time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Time {
    /// The clock's tick when last looked at.
    pub seen: Tick,
    /// Ticks that passed while the beacon was degraded.
    pub lost: Tick,
}
