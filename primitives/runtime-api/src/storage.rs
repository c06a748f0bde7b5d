// SPDX-License-Identifier: Apache-2.0

//! What the node and clients ask of the runtime about storage.

use alloc::vec::Vec;
use codec::Codec;
use polkadot_sdk::*;
use tos_types::{
    storage::{ChallengeKind, GroupId, Window},
    DealId, ReplicaId,
};
use tos_views::{
    AuditView, CommitteeDutyView, ContinuityError, ContinuityView, DealView, GroupView,
    HistoryView, InclusionView, ProviderView, ReplicaChallengeView, ReplicaView, StorageStats,
    WindowRootView, WindowView,
};

sp_api::decl_runtime_apis! {
    /// Storage deals, replicas, challenges and windows.
    #[api_version(2)]
    pub trait StorageApi<AccountId>
    where
        AccountId: Codec,
    {
        /// A provider.
        fn provider(who: AccountId) -> Option<ProviderView>;

        /// A deal. `None` when it never was or is pruned.
        fn deal(id: DealId) -> Option<DealView<AccountId>>;

        /// Deals, open ones only or all, in the order of their identifiers, beginning behind `after`.
        fn deals(after: Option<DealId>, limit: u32, open_only: bool) -> Vec<DealView<AccountId>>;

        /// A replica. `None` when it never was or is pruned.
        fn replica(id: ReplicaId) -> Option<ReplicaView<AccountId>>;

        /// A provider's replicas, in the order of their identifiers, beginning behind `after`.
        fn replicas_of(
            provider: AccountId,
            after: Option<ReplicaId>,
            limit: u32,
        ) -> Vec<ReplicaView<AccountId>>;

        /// All audits of a provider that wait for answers, however many replicas it has.
        fn open_audits(provider: AccountId) -> Vec<AuditView>;

        /// All challenges of a provider's replicas.
        fn challenges(provider: AccountId) -> Vec<ReplicaChallengeView<AccountId>>;

        /// The current window.
        fn window() -> WindowView;

        /// A group with its members: who has a leaf in the current window.
        fn group(group: GroupId) -> Option<GroupView<AccountId>>;

        /// The groups that a validator should check in the current window.
        fn committee_duties(validator: AccountId) -> Vec<CommitteeDutyView<AccountId>>;

        /// Totals, and the scale of the network.
        fn storage_stats() -> StorageStats;

        /// How long a replica has been proven without a gap; refused below the proof window.
        fn continuity(replica: ReplicaId) -> Result<ContinuityView, ContinuityError>;

        /// The roots of the last windows, newest first, at most a page.
        fn window_roots(limit: u32) -> Vec<WindowRootView>;

        /// The mountain range over the global roots of all windows.
        fn window_history() -> HistoryView;

        /// What is on chain of the way from a replica's leaf to the global root of a window. `None` when the window
        /// is not in the ring or its group handed in nothing.
        fn inclusion(replica: ReplicaId, window: Window) -> Option<InclusionView>;

        /// A provider's audits that wait for answers, in the order of replicas, beginning behind the
        /// replica and number `after`.
        #[api_version(2)]
        fn open_audits_of(
            provider: AccountId,
            after: Option<(ReplicaId, u64)>,
            limit: u32,
        ) -> Vec<AuditView>;

        /// The challenges of a provider's replicas, in the order of replicas, beginning behind the
        /// replica and kind `after`.
        #[api_version(2)]
        fn challenges_of(
            provider: AccountId,
            after: Option<(ReplicaId, ChallengeKind)>,
            limit: u32,
        ) -> Vec<ReplicaChallengeView<AccountId>>;
    }
}
