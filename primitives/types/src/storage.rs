// SPDX-License-Identifier: Apache-2.0

//! Storage deals and proofs: the configuration of a network, what a client offers, and what is
//! signed (`docs/storage.md`).

use crate::{content::MAX_LOCATOR, json::wei, Balance, ContentHash, Tick, TOS};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_storage_proofs::{aggregate, code::MAX_DATA, SealParams, COMMITTEE_WORDS};

mod answers;
pub use answers::*;

/// The number of a window of continuous proofs, from 0.
pub type Window = u64;
/// The number of a group of replicas, over the whole chain.
pub type GroupId = u32;

/// The most bytes of one committee proof or one set of seal openings in an answer.
pub const MAX_RESPONSE: u32 = 16_384;
/// The most bytes of a compact proof.
pub const MAX_COMPACT: u32 = 2_048;
/// The most words one seal challenge opens; each costs the work of a whole unit in a block.
pub const MAX_SEAL_SAMPLES: u32 = 3;
/// The hashes between a leaf and its group's root.
pub const GROUP_PATH: u32 = aggregate::GROUP_DEPTH;
/// The words the committee, and a window challenge, ask for.
pub const WINDOW_WORDS: u32 = COMMITTEE_WORDS;
/// The type of the keystore keys that sign responses.
pub const PROOF_KEY_TYPE: [u8; 4] = *b"tosp";

/// A locator: bytes that say where something can be fetched, at most [`MAX_LOCATOR`].
pub type Locator = BoundedVec<u8, ConstU32<MAX_LOCATOR>>;
/// A committee proof, or the encoded openings of a seal challenge.
pub type ResponseBytes = BoundedVec<u8, ConstU32<MAX_RESPONSE>>;
/// The path from a leaf to its group's root.
pub type GroupPath = BoundedVec<[u8; 32], ConstU32<GROUP_PATH>>;

/// The lengths, limits and prices of storage. Genesis data, so that one runtime serves networks and
/// tests of every speed; governance may change what no existing replica depends on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageConfig {
    /// The parameters of sealing. Fixed for good.
    pub seal: SealParams,
    /// Words that one seal challenge opens, at most [`MAX_SEAL_SAMPLES`].
    pub seal_samples: u32,
    /// Ticks in a window.
    pub window: Tick,
    /// Windows in a billing period, the unit of price and retention: a day on a real network.
    pub billing_windows: u32,
    /// Windows whose group roots are kept and can be disputed. Fixed for good.
    pub ring: u32,
    /// Positions of a group that are used, at most 1,000. Fixed for good.
    pub group_places: u32,
    /// Windows after which an offer that no provider accepts expires.
    pub offer_ttl: u32,
    /// Windows a provider has to seal what it accepted.
    pub seal_windows: u32,
    /// Windows between the request to remove a replica and its end.
    pub notice_windows: u32,
    /// Windows that a replica may be paused in a billing period.
    pub pause_windows: u32,
    /// Windows between a provider's last replica and the release of its bond; at least the ring, so
    /// that late evidence still finds it.
    pub unbonding_windows: u32,
    /// Windows for which ended deals and replicas are kept.
    pub retention_windows: u32,
    /// Windows in a row that must be proven before one is paid, and before continuity is certified.
    pub proof_window: u32,
    /// Replicas audited in every block.
    pub audits_per_block: u32,
    /// Ticks to answer an audit.
    pub audit_ticks: Tick,
    /// Ticks to answer a seal or window challenge.
    pub challenge_ticks: Tick,
    /// Validators on a group's committee, at most 26.
    pub committee: u32,
    /// Misses in a row after which a replica fails.
    pub max_misses: u32,
    /// The most billing periods a deal may last.
    pub max_billing_periods: u32,
    /// The least bond of a provider, in wei.
    #[serde(with = "wei")]
    pub min_bond: Balance,
    /// Collateral of every replica, in wei.
    #[serde(with = "wei")]
    pub collateral_base: Balance,
    /// Collateral for each started GiB of sealed bytes, in wei.
    #[serde(with = "wei")]
    pub collateral_per_gib: Balance,
    /// The price of a first miss, in wei; it doubles with every miss in a row.
    #[serde(with = "wei")]
    pub miss_base: Balance,
    /// The highest price of a miss, in wei.
    #[serde(with = "wei")]
    pub miss_cap: Balance,
    /// The bond of a challenger, in wei.
    #[serde(with = "wei")]
    pub challenge_bond: Balance,
    /// The price of two roots for one group and window, in wei.
    #[serde(with = "wei")]
    pub equivocation: Balance,
}

/// The most validators on a committee.
pub const MAX_COMMITTEE: u32 = 26;
/// Latency that is as good as any, in milliseconds.
pub const LATENCY_TARGET_MS: u32 = 100;
/// Latency that is as bad as any, in milliseconds.
pub const LATENCY_LIMIT_MS: u32 = 500;

impl StorageConfig {
    /// A real network with blocks of two seconds: windows of 40 s, billing periods of a day.
    pub const PRODUCTION: Self = Self {
        seal: SealParams::MAINNET,
        seal_samples: 2,
        window: 20,
        billing_windows: 2_160,
        ring: 276,
        group_places: aggregate::GROUP_SIZE,
        offer_ttl: 6_480,
        seal_windows: 1_080,
        notice_windows: 20,
        pause_windows: 90,
        unbonding_windows: 30_240,
        retention_windows: 15_120,
        proof_window: 5,
        audits_per_block: 10,
        audit_ticks: 20,
        challenge_ticks: 150,
        committee: MAX_COMMITTEE,
        max_misses: 8,
        max_billing_periods: 2_555,
        min_bond: 1_000 * TOS,
        collateral_base: 10 * TOS,
        collateral_per_gib: TOS,
        miss_base: 10 * TOS,
        miss_cap: 1_000 * TOS,
        challenge_bond: 10 * TOS,
        equivocation: 1_000 * TOS,
    };

    /// Tests and development: windows of six ticks, billing periods of four windows, units of 64
    /// KiB.
    pub const FAST: Self = Self {
        seal: SealParams::TEST,
        window: 6,
        billing_windows: 4,
        ring: 16,
        offer_ttl: 50,
        seal_windows: 20,
        notice_windows: 2,
        pause_windows: 2,
        unbonding_windows: 16,
        retention_windows: 20,
        audit_ticks: 20,
        challenge_ticks: 12,
        ..Self::PRODUCTION
    };

    /// Checks the configuration; the error says why it cannot work.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.seal.check().is_err() {
            return Err("storage: the sealing parameters are out of bounds");
        }
        if !(1..=MAX_SEAL_SAMPLES).contains(&self.seal_samples) {
            return Err("storage: a seal challenge opens from 1 to 3 words");
        }
        if !(1..=aggregate::GROUP_SIZE).contains(&self.group_places) {
            return Err("storage: a group has from 1 to 1,000 positions");
        }
        if !(1..=MAX_COMMITTEE).contains(&self.committee) {
            return Err("storage: a committee has from 1 to 26 members");
        }
        let lengths = [
            self.billing_windows,
            self.ring,
            self.offer_ttl,
            self.seal_windows,
            self.notice_windows,
            self.retention_windows,
            self.proof_window,
            self.audit_ticks,
            self.challenge_ticks,
            self.max_misses,
            self.max_billing_periods,
        ];
        if self.window < 2 || lengths.contains(&0) {
            return Err("storage: a period is empty");
        }
        if self.audits_per_block > 64 {
            return Err("storage: more than 64 audits in a block");
        }
        if self.unbonding_windows < self.ring {
            return Err("storage: a bond could be gone before evidence expires");
        }
        let amounts = [
            self.min_bond,
            self.collateral_base,
            self.miss_base,
            self.challenge_bond,
            self.equivocation,
        ];
        if amounts.contains(&0) || self.miss_cap < self.miss_base {
            return Err("storage: a bond or penalty is nothing");
        }
        Ok(())
    }

    /// `true` if `next` leaves alone what existing replicas and records depend on.
    pub fn may_become(&self, next: &Self) -> bool {
        self.seal == next.seal && self.ring == next.ring && self.group_places == next.group_places
    }

    /// The collateral of a replica of `sealed_bytes`.
    pub fn collateral(&self, sealed_bytes: u64) -> Balance {
        let gib = u128::from(sealed_bytes.div_ceil(1 << 30));
        self.collateral_base
            .saturating_add(self.collateral_per_gib.saturating_mul(gib))
    }

    /// The price of a miss after `before` misses in a row.
    pub fn penalty(&self, before: u32) -> Balance {
        let doubled = 1u128.checked_shl(before).unwrap_or(u128::MAX);
        self.miss_base.saturating_mul(doubled).min(self.miss_cap)
    }

    /// The billing period of a window.
    pub fn billing_period_of(&self, window: Window) -> u64 {
        window.checked_div(self.billing_windows.into()).unwrap_or(0)
    }

    /// Amount that has to be held for `coded_bytes` over `periods` at `price` wei per GiB and billing
    /// period: ⌈price · ⌈bytes / MiB⌉ · periods / 1,024⌉. `None` when no account could ever hold
    /// it.
    pub fn escrow(price: Balance, coded_bytes: u64, periods: u32) -> Option<Balance> {
        let mib = u128::from(coded_bytes.div_ceil(1 << 20));
        let total = price.checked_mul(mib)?.checked_mul(periods.into())?;
        Some(total.div_ceil(1_024))
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self::PRODUCTION
    }
}

/// The score of a latency in basis points: 10,000 up to 100 ms, 0 from 500 ms on, linear between.
pub fn latency_score(ms: u32) -> crate::Bp {
    let over = ms
        .clamp(LATENCY_TARGET_MS, LATENCY_LIMIT_MS)
        .saturating_sub(LATENCY_TARGET_MS);
    // 400 ms are 10,000 points.
    crate::BP.saturating_sub(u16::try_from(over.saturating_mul(25)).unwrap_or(crate::BP))
}

/// The content that a deal is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct StoredContent {
    /// BLAKE3 of the content.
    #[serde(with = "crate::json::hash")]
    pub hash: ContentHash,
    /// Its length in bytes: 1 to 16 GiB.
    pub length: u64,
    /// The locator from which the provider can fetch it.
    #[serde(with = "crate::json::text")]
    pub locator: Locator,
}

impl StoredContent {
    /// `true` if the length is one that can be stored.
    pub fn is_possible(&self) -> bool {
        (1..=MAX_DATA).contains(&self.length)
    }
}

/// The time for which content is to be kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum Retention {
    /// 30 billing periods; a billing period is a day on a real network.
    #[codec(index = 0)]
    Days30,
    /// 365 billing periods.
    #[codec(index = 1)]
    Days365,
    /// 2,555 billing periods: seven years.
    #[codec(index = 2)]
    Days2555,
    /// A number of billing periods, from 1 to 2,555.
    #[codec(index = 3)]
    BillingPeriods(u32),
}

impl Retention {
    /// The number of billing periods.
    pub fn billing_periods(self) -> u32 {
        match self {
            Self::Days30 => 30,
            Self::Days365 => 365,
            Self::Days2555 => 2_555,
            Self::BillingPeriods(periods) => periods,
        }
    }
}

/// The offer of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct DealTerms<AccountId> {
    /// Wei per GiB of coded bytes and billing period.
    pub price: Balance,
    /// The time for which the content is to be kept.
    pub retention: Retention,
    /// The one provider that may accept; any if `None`.
    pub provider: Option<AccountId>,
}

/// The status of a deal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum DealStatus {
    /// Waits for a provider.
    #[codec(index = 0)]
    Open,
    /// A provider has accepted.
    #[codec(index = 1)]
    Taken,
    /// Its replica has ended, failed or been removed.
    #[codec(index = 2)]
    Closed,
    /// The client withdrew it.
    #[codec(index = 3)]
    Cancelled,
    /// No provider accepted in time.
    #[codec(index = 4)]
    Expired,
}

/// The status of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum ReplicaStatus {
    /// The provider fetches, encodes and seals.
    #[codec(index = 0)]
    Sealing,
    /// Committed; the first seal challenge is to come or open.
    #[codec(index = 1)]
    Checking,
    /// Proven in every window.
    #[codec(index = 2)]
    Active,
    /// Not proven for now.
    #[codec(index = 3)]
    Paused,
    /// Active until its notice has run out.
    #[codec(index = 4)]
    Leaving,
    /// Kept for all of the deal's windows.
    #[codec(index = 5)]
    Ended,
    /// Ended early by its provider.
    #[codec(index = 6)]
    Removed,
    /// Not sealed, not proven too often, or proven wrong.
    #[codec(index = 7)]
    Failed,
}

impl ReplicaStatus {
    /// `true` if the provider must be able to prove it at any time.
    pub fn is_proving(self) -> bool {
        matches!(self, Self::Active | Self::Leaving)
    }

    /// `true` if it will never be proven again.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Removed | Self::Failed)
    }
}

/// The subject of a challenge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub enum ChallengeKind {
    /// The sealing: the replica is sealed as it should be.
    #[codec(index = 0)]
    Seal,
    /// The leaf: the group root of this window holds the replica's leaf, and the leaf a right
    /// response.
    #[codec(index = 1)]
    Window(Window),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ReplicaId;

    #[test]
    fn the_configs_are_sound() {
        for config in [StorageConfig::PRODUCTION, StorageConfig::FAST] {
            assert_eq!(config.check(), Ok(()));
            assert!(config.may_become(&config));
        }
        let json = serde_json::to_string(&StorageConfig::FAST).unwrap();
        assert_eq!(
            serde_json::from_str::<StorageConfig>(&json).unwrap(),
            StorageConfig::FAST
        );
    }

    #[test]
    fn a_config_that_cannot_work_is_refused() {
        let good = StorageConfig::FAST;
        for bad in [
            StorageConfig {
                seal_samples: 9,
                ..good
            },
            StorageConfig {
                group_places: 1_001,
                ..good
            },
            StorageConfig { window: 0, ..good },
            StorageConfig {
                unbonding_windows: good.ring - 1,
                ..good
            },
            StorageConfig {
                miss_cap: 0,
                ..good
            },
            StorageConfig {
                committee: 27,
                ..good
            },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(!good.may_become(&StorageConfig { ring: 17, ..good }));
    }

    #[test]
    fn prices_follow_the_rules() {
        let config = StorageConfig::PRODUCTION;
        assert_eq!(config.collateral(1), 11 * TOS);
        assert_eq!(config.collateral(1 << 30), 11 * TOS);
        assert_eq!(config.collateral((1 << 30) + 1), 12 * TOS);
        assert_eq!(config.penalty(0), 10 * TOS);
        assert_eq!(config.penalty(3), 80 * TOS);
        assert_eq!(config.penalty(200), 1_000 * TOS);
        assert_eq!(StorageConfig::escrow(1_024, 1, 3), Some(3));
        assert_eq!(StorageConfig::escrow(1, 1, 1), Some(1), "rounded up");
        assert_eq!(StorageConfig::escrow(u128::MAX, 1 << 21, 1), None);
    }

    #[test]
    fn latency_is_scored_between_target_and_limit() {
        for (ms, score) in [
            (0, 10_000),
            (100, 10_000),
            (300, 5_000),
            (500, 0),
            (u32::MAX, 0),
        ] {
            assert_eq!(latency_score(ms), score, "{ms}");
        }
    }

    #[test]
    fn what_is_signed_differs_by_purpose_and_chain() {
        let (a, b, id) = ([1; 32], [2; 32], ReplicaId([3; 16]));
        let payloads = [
            group_payload(&a, 1, 1, &b),
            group_payload(&b, 1, 1, &b),
            group_payload(&a, 2, 1, &b),
            group_payload(&a, 1, 2, &b),
            seal_payload(&a, &id, &b, &[1]),
            seal_payload(&a, &id, &b, &[2]),
            window_payload(&a, &id, 1, &b, &[1]),
            window_payload(&a, &id, 2, &b, &[1]),
        ];
        for (i, one) in payloads.iter().enumerate() {
            assert!(!payloads[..i].contains(one), "{i}");
        }
    }
}
