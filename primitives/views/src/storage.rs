// SPDX-License-Identifier: Apache-2.0

//! Storage, as clients, providers and explorers read it.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_storage_proofs::Commitment;
use tos_types::{
    json::{self, wei},
    storage::{
        ChallengeKind, DealStatus, GroupId, Locator, ReplicaStatus, StorageConfig, StoredContent,
        Window,
    },
    Balance, Bp, DealId, ReplicaId, Tick,
};

/// A provider.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderView {
    /// The bond on hold, in wei.
    #[serde(with = "wei")]
    pub bond: Balance,
    /// The part of it that is collateral of replicas, in wei.
    #[serde(with = "wei")]
    pub tied: Balance,
    /// The sr25519 key that signs its responses.
    #[serde(with = "json::hash")]
    pub proof_key: [u8; 32],
    /// The locator that content and proofs are served at.
    #[serde(with = "json::text")]
    pub locator: Locator,
    /// Replicas that are not over.
    pub replicas: u32,
    /// Its groups, in the order it got them.
    pub groups: Vec<GroupId>,
    /// Challenges and audits answered.
    pub answered: u64,
    /// Challenges, audits and windows missed.
    pub missed: u64,
    /// The last median latency a committee measured, in milliseconds.
    pub latency_ms: Option<u32>,
    /// The score of that latency, in basis points.
    pub score: Option<Bp>,
    /// `true` if it takes no new deals any more.
    pub exiting: bool,
    /// The first window in which it can leave.
    pub leave_at: Option<Window>,
}

/// A deal.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DealView<AccountId> {
    /// The deal.
    pub id: DealId,
    /// The client, who pays.
    pub client: AccountId,
    /// The content to keep.
    pub content: StoredContent,
    /// The commitment to the coded bytes.
    pub coded: Commitment,
    /// Wei per GiB and billing period.
    #[serde(with = "wei")]
    pub price: Balance,
    /// The windows it lasts.
    pub windows: u32,
    /// The one provider that may accept; any if `None`.
    pub provider: Option<AccountId>,
    /// Held at the beginning, in wei.
    #[serde(with = "wei")]
    pub escrow: Balance,
    /// Paid to the provider so far, in wei.
    #[serde(with = "wei")]
    pub paid: Balance,
    /// The collateral that accepting it ties up, in wei.
    #[serde(with = "wei")]
    pub collateral: Balance,
    /// The deal's status.
    pub status: DealStatus,
    /// Its replica, once accepted.
    pub replica: Option<ReplicaId>,
}

/// A replica.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaView<AccountId> {
    /// The replica.
    pub id: ReplicaId,
    /// Its deal.
    pub deal: DealId,
    /// The provider that keeps it.
    pub provider: AccountId,
    /// The replica's status.
    pub status: ReplicaStatus,
    /// The commitment to the coded bytes.
    pub coded: Commitment,
    /// The commitment to the sealed bytes, once made.
    pub sealed: Option<Commitment>,
    /// Group and place, while it has them.
    pub position: Option<PositionView>,
    /// The collateral left, in wei.
    #[serde(with = "wei")]
    pub collateral: Balance,
    /// Windows proven in a row.
    pub streak: u64,
    /// Windows paid for.
    pub earned: u32,
    /// Misses in a row.
    pub misses: u32,
    /// The window it was first to be proven in.
    pub first_window: Option<Window>,
    /// The first window after its deal's end or its notice.
    pub ends_at: Option<Window>,
    /// The storage tick of its next automatic step; `None` while a challenge decides.
    pub due: Option<Tick>,
}

/// The place of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PositionView {
    /// The group.
    pub group: GroupId,
    /// The place in the group.
    pub place: u32,
}

/// An audit that waits for its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditView {
    /// The replica.
    pub replica: ReplicaId,
    /// The number of the audit; goes into the compact proof's header.
    pub moment: u64,
    /// The replica seed that the compact proof answers.
    #[serde(with = "json::hash")]
    pub seed: [u8; 32],
    /// The last storage tick in which an answer counts.
    pub due: Tick,
}

/// A challenge that waits for its answer.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplicaChallengeView<AccountId> {
    /// The replica.
    pub replica: ReplicaId,
    /// The subject of the challenge.
    pub kind: ChallengeKind,
    /// The challenger; the chain itself if `None`.
    pub challenger: Option<AccountId>,
    /// The replica seed: the words of a seal challenge, or of the window. `None` while the beacon has not
    /// drawn it.
    pub seed: Option<SeedView>,
    /// Words asked for.
    pub words: u32,
    /// The last storage tick in which an answer counts; meaningful once there is a seed.
    pub due: Tick,
}

/// A seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SeedView(#[serde(with = "json::hash")] pub [u8; 32]);

/// The stage of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum WindowStage {
    /// Not begun: the beacon stands still.
    #[codec(index = 0)]
    Waiting,
    /// Begun, without a seed yet.
    #[codec(index = 1)]
    Drawing,
    /// Groups are due.
    #[codec(index = 2)]
    Open,
    /// Over; its roots are being folded.
    #[codec(index = 3)]
    Folding,
}

/// The current window.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowView {
    /// Its number.
    pub number: Window,
    /// Its stage.
    pub stage: WindowStage,
    /// Its seed, once drawn. The seed of a replica is
    /// `tos_storage_proofs::replica_seed(seed, replica, sealed root)`.
    pub seed: Option<SeedView>,
    /// The last storage tick in which group roots count, once open.
    pub ends: Option<Tick>,
    /// The storage tick now. It stands still while the beacon is degraded.
    pub now: Tick,
    /// Groups with replicas to prove that have not handed in a root. At most a page.
    pub due: Vec<GroupId>,
    /// The last window folded.
    pub folded: Option<Window>,
    /// `true` if time stands still because the beacon does.
    pub degraded: bool,
}

/// One member of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupMemberView {
    /// Its place in the group.
    pub place: u32,
    /// The replica.
    pub replica: ReplicaId,
    /// The root of its sealed bytes.
    #[serde(with = "json::hash")]
    pub sealed_root: [u8; 32],
    /// The words of its sealed bytes.
    pub words: u64,
    /// The first window in which it has to be proven.
    pub from: Window,
    /// `true` if its leaf belongs into the current window's root.
    pub due: bool,
}

/// A group.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupView<AccountId> {
    /// The group.
    pub group: GroupId,
    /// The provider that owns it.
    pub provider: AccountId,
    /// Its members by place: the leaves of the window are those that are `due`.
    pub members: Vec<GroupMemberView>,
    /// The root handed in for the current window.
    pub root: Option<SeedView>,
}

/// The duty of a validator: a group to check in the current window.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitteeDutyView<AccountId> {
    /// The window.
    pub window: Window,
    /// The group.
    pub group: GroupId,
    /// The provider that owns it.
    pub provider: AccountId,
    /// The locator to fetch its proofs from.
    #[serde(with = "json::text")]
    pub locator: Locator,
    /// `true` if the validator has attested already.
    pub done: bool,
}

/// The totals of storage, with its lengths, limits and prices.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StorageStats {
    /// Replicas that have to be proven: the storage chains of the network.
    pub total_chains: u32,
    /// Providers.
    pub providers: u32,
    /// Deals on record.
    pub deals: u32,
    /// Replicas on record.
    pub replicas: u32,
    /// Sealed bytes that have to be proven.
    pub sealed_bytes: u128,
    /// Groups ever made.
    pub groups: u32,
    /// Audits opened.
    pub audits: u64,
    /// Audits and challenges answered.
    pub answered: u64,
    /// Audits, challenges and windows missed.
    pub missed: u64,
    /// Replicas failed.
    pub failed: u64,
    /// Wei slashed.
    #[serde(with = "wei")]
    pub slashed: Balance,
    /// Wei paid to providers.
    #[serde(with = "wei")]
    pub paid: Balance,
    /// The lengths, limits and prices.
    pub config: StorageConfig,
}

/// The reasons for which continuity cannot be certified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ContinuityError {
    /// There is no such replica, or it is over.
    #[codec(index = 0)]
    Unknown,
    /// It is paused or not active yet.
    #[codec(index = 1)]
    NotProving,
    /// Fewer windows than a proof of continuity needs.
    #[codec(index = 2)]
    TooShort {
        /// Windows proven in a row.
        streak: u64,
        /// Windows needed.
        needed: u32,
    },
}

/// A certified streak.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContinuityView {
    /// The first window of the streak.
    pub from: Window,
    /// The last one.
    pub to: Window,
    /// Windows proven in a row.
    pub streak: u64,
}

/// The roots of one window.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowRootView {
    /// The window.
    pub window: Window,
    /// Its seed.
    #[serde(with = "json::hash")]
    pub seed: [u8; 32],
    /// The root over all regions; `None` while it is not folded.
    pub global: Option<SeedView>,
    /// Groups that handed in a root.
    pub groups: u32,
}

/// The mountain range over the global roots of all windows.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryView {
    /// Windows appended.
    pub windows: u64,
    /// The root of the range.
    #[serde(with = "json::hash")]
    pub root: [u8; 32],
}

/// The part on chain of the way from one replica's leaf to the global root.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InclusionView {
    /// The window.
    pub window: Window,
    /// The replica's place.
    pub position: PositionView,
    /// The root its group handed in.
    #[serde(with = "json::hash")]
    pub group_root: [u8; 32],
    /// The hashes above the group; those below are the provider's.
    pub upper_path: Vec<SeedView>,
    /// The global root of the window.
    #[serde(with = "json::hash")]
    pub global: [u8; 32],
}
