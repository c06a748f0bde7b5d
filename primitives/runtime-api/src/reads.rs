// SPDX-License-Identifier: Apache-2.0

//! The table of all reads.

/// Hands the table of all reads to the macro that it is given, `reads! { macro }`.
///
/// An API is `#[api_version(N)] api MODULE: TRAIT<…>, SUBJECT { reads }`; SUBJECT is what a chain
/// without this API has none of. A read is a function of the runtime and, in braces, those that
/// serve it besides, and what `docs/rpc.md` says of the answer:
///
/// | in braces | served by |
/// |---|---|
/// | `"text"` | the runtime API and the SDK |
/// | `node, "text"` | the runtime API alone: what the node asks for itself |
/// | `old` | the runtime API alone: the form of a function before the version of its `#[changed_in(N)]` |
/// | `json "method", "text"` | JSON-RPC as well: `tos_method`, with the function's arguments and result |
/// | `json "method"(arguments) -> Answer, "text"` | `tos_method`, with another signature; arguments and result are converted by `Into` |
/// | `json "method" list limit 64 64 (…) -> …, "text"` | an optional argument `limit`: 64 where the caller says nothing, and 64 at most |
/// | `json "method" page limit 20 50 (…) -> …, "text"` | the same for items with an `id`, as a page that tells where the next one begins |
/// | `json "method" computed (…) -> …, "text"` | a function of this name in the node (`node/rpc/src/computed.rs`), which adds what only the node knows |
///
/// `, since 2 "parameters"` behind the text: JSON-RPC says that older versions of the API have no
/// parameters.
/// Every method takes the block to read, `at`, as its last and optional argument.
#[macro_export]
macro_rules! reads {
    ($callback:ident) => {
        $callback! {
            /// Tasks, their workers and what they earn.
            #[api_version(3)]
            api tasks: TosApi<AccountId>, "tasks" {
                /// Tasks that take answers now, of one type or of all, in the order of their identifiers,
                /// beginning behind `after`.
                fn open_tasks(
                    task_type: Option<TaskType>,
                    after: Option<TaskId>,
                    limit: u32
                ) -> Vec<TaskSummary<AccountId>> {
                    json "openTasks" page limit 20 50 (
                        task_type: Option<TaskType>,
                        after: Option<TaskId>,
                        limit: Option<u32>
                    ) -> Page<TaskSummary<AccountId>, TaskId>,
                    "a page of tasks that take answers"
                }

                /// All tasks on chain, closed ones that are not pruned yet included, in the order of their
                /// identifiers, beginning behind `after`.
                fn tasks(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<AccountId>> {
                    json "tasks" page limit 20 50 (
                        after: Option<TaskId>,
                        limit: Option<u32>
                    ) -> Page<TaskSummary<AccountId>, TaskId>,
                    "a page of all tasks not pruned yet"
                }

                /// Everything the chain knows of one task. `None` when it never was or is pruned.
                fn task(id: TaskId) -> Option<TaskView<AccountId>> {
                    json "task", "the task with its submissions, or null"
                }

                /// The phases one task has been through, oldest first.
                fn timeline(id: TaskId) -> Vec<TimelineEntry> {
                    json "timeline", "the phases a task went through, with tick and block"
                }

                /// The phases that began in the block itself, in the order in which they did: what a
                /// subscriber is told of it.
                fn task_changes() -> Vec<TaskChange> {
                    node, "the phases that began in the block; for nodes, which tell subscribers"
                }

                /// One round of voting on a task: the panel, and the votes as far as they are revealed.
                fn round(id: TaskId, number: u32) -> Option<RoundView<AccountId>> {
                    json "round", "one panel of a task and its revealed votes, or null"
                }

                /// Permission of an account to take on a task, and else why not and when to ask
                /// again. Costs nothing, so ask before paying for a transaction.
                fn can_submit(who: AccountId, task: TaskId) -> Result<(), JoinErrorView> {
                    json "canSubmit"(who: AccountId, id: TaskId) -> Permission,
                    "permission of an account to join a task: `{allowed}`, or `{allowed: false, reason, retryAt}`"
                }

                /// The actions that an account should take now, as a miner and as a judge, by
                /// deadline.
                fn assignments(who: AccountId) -> Vec<AssignmentView> {
                    json "assignments", "what an account should do now, by deadline"
                }

                /// The tasks on which a judge has a seat, whether or not there is something to do
                /// now.
                fn duties(who: AccountId) -> Vec<DutyView> {
                    json "duties", "the panels a judge sits on"
                }

                /// The rewards that wait for an account; as many as one `claim_all` pays.
                fn claimable(who: AccountId) -> Vec<ClaimView> {
                    json "claimable", "rewards that wait to be claimed"
                }

                /// A registered miner.
                fn miner(who: AccountId) -> Option<MinerView> {
                    json "miner", "the registration of a miner, or null"
                }

                /// A registered judge.
                fn judge(who: AccountId) -> Option<JudgeView> {
                    json "judge", "the registration of a judge, or null"
                }

                /// The reputation of an account: the worth of its work, idle decay applied. Every
                /// account has one: an account without a record has the one that all start with.
                fn reputation(who: AccountId) -> ReputationView {
                    json "reputation", "an account's reputation, global and per type, decay applied"
                }

                /// Protocol time, the lengths of phases and how many there are of everything.
                fn chain() -> ChainView {
                    json "chain" computed () -> ChainStatus,
                    "heights, tick, day, phase lengths, counts"
                }

                /// The parameters that governance can change, as they are now. A task keeps the
                /// rules it was published with.
                fn parameters() -> ParametersView {
                    json "parameters", "what governance can change, as it is now",
                    since 2 "parameters"
                }

                /// The task of a publisher that carries this reference: what became of a `publish` whose
                /// outcome is not known. `None` when there never was one or it is pruned.
                #[api_version(3)]
                fn task_by_reference(publisher: AccountId, reference: [u8; 32]) -> Option<TaskId> {
                    json "taskByReference"(publisher: AccountId, reference: Hash) -> Option<TaskId>,
                    "the id of the publisher's task that carries this reference (32 bytes, `0x…`), or null when there is none or it is pruned",
                    since 3 "references of tasks"
                }
            }

            /// The beacon's walk, for timekeepers, for the exact check at import, and for who reads its
            /// outputs.
            #[api_version(1)]
            api beacon: BeaconApi, "beacon" {
                /// The beacon after the block: all that is needed to compute the slots that follow it.
                fn beacon() -> BeaconView {
                    json "beacon", "the beacon's head, epochs and entropy to come"
                }

                /// The slots that a block with these extrinsics includes, in order; none if it has no
                /// inherent of the beacon. Whether the claims are right is not looked at.
                fn beacon_claims(extrinsics: Vec<<Block as BlockT>::Extrinsic>) -> Vec<SlotClaim> {
                    node, "the slots that a block of these extrinsics includes; for nodes, before they import it. polkadot.js takes bytes here, not hexadecimal: `hexes.map((hex) => hexToU8a(hex))`"
                }

                /// Slots that the chain has included, from `from` upwards, at most `limit` and never more than
                /// [`tos_views::MAX_BEACON_RECORDS`]. Those no longer on record are left out.
                fn beacon_records(from: Slot, limit: u32) -> Vec<SlotRecordView> {
                    json "beaconRecords" list limit MAX_BEACON_RECORDS MAX_BEACON_RECORDS (
                        from: Slot,
                        limit: Option<u32>
                    ) -> Vec<SlotRecordView>,
                    "slots that the chain has included, from `from` upwards; 64 at most, and without a limit"
                }
            }

            /// Storage deals, replicas, challenges and windows.
            #[api_version(2)]
            api storage: StorageApi<AccountId>, "storage" {
                /// A provider.
                fn provider(who: AccountId) -> Option<ProviderView> {
                    json "provider", "a storage provider, or null"
                }

                /// A deal. `None` when it never was or is pruned.
                fn deal(id: DealId) -> Option<DealView<AccountId>> {
                    json "deal", "a storage deal, or null"
                }

                /// Deals, open ones only or all, in the order of their identifiers, beginning behind `after`.
                fn deals(after: Option<DealId>, limit: u32, open_only: bool) -> Vec<DealView<AccountId>> {
                    "deals, those that wait for a provider only or all"
                }

                /// A replica. `None` when it never was or is pruned.
                fn replica(id: ReplicaId) -> Option<ReplicaView<AccountId>> {
                    json "replica", "a replica, or null"
                }

                /// A provider's replicas, in the order of their identifiers, beginning behind `after`.
                fn replicas_of(
                    provider: AccountId,
                    after: Option<ReplicaId>,
                    limit: u32
                ) -> Vec<ReplicaView<AccountId>> {
                    "a provider's replicas"
                }

                /// All audits of a provider that wait for answers, however many replicas it has.
                fn open_audits(provider: AccountId) -> Vec<AuditView> {
                    "all its audits that wait for answers: replica, number, seed, last storage tick"
                }

                /// All challenges of a provider's replicas.
                fn challenges(provider: AccountId) -> Vec<ReplicaChallengeView<AccountId>> {
                    "all its seal and window challenges: what about, by whom, the seed once drawn, words asked for, last storage tick"
                }

                /// The current window.
                fn window() -> WindowView {
                    json "storageWindow", "the current window of proofs"
                }

                /// A group with its members: who has a leaf in the current window.
                fn group(group: GroupId) -> Option<GroupView<AccountId>> {
                    "a group's members by place, who of them has a leaf in the current window, and the root handed in"
                }

                /// The groups that a validator should check in the current window.
                fn committee_duties(validator: AccountId) -> Vec<CommitteeDutyView<AccountId>> {
                    "the groups to check in the current window, where to fetch proofs, and whether it has attested"
                }

                /// Totals, and the configuration of the network.
                fn storage_stats() -> StorageStats {
                    json "storageStats", "totals of storage, and its configuration"
                }

                /// The windows that a replica has been proven without a gap; refused below the
                /// proof window.
                fn continuity(replica: ReplicaId) -> Result<ContinuityView, ContinuityError> {
                    json "continuity"(id: ReplicaId) -> Continuity,
                    "how long a replica has been proven without a gap: `{certified}`, or `{refusal}` and why"
                }

                /// The roots of the last windows, newest first, at most a page.
                fn window_roots(limit: u32) -> Vec<WindowRootView> {
                    "seed, global root and number of groups of the last windows, newest first"
                }

                /// The mountain range over the global roots of all windows.
                fn window_history() -> HistoryView {
                    "number of leaves and root of the mountain range over all global roots"
                }

                /// The part on chain of the way from a replica's leaf to the global root of a
                /// window. `None` when the window is not in the ring or its group handed in
                /// nothing.
                fn inclusion(replica: ReplicaId, window: Window) -> Option<InclusionView> {
                    "the group's root, the hashes from there to the global root, and the global root; none outside the ring"
                }

                /// A provider's audits that wait for answers, in the order of replicas, beginning behind the
                /// replica and number `after`.
                #[api_version(2)]
                fn open_audits_of(
                    provider: AccountId,
                    after: Option<(ReplicaId, u64)>,
                    limit: u32
                ) -> Vec<AuditView> {
                    "the same audits by pages; `after` is the last one's replica and number"
                }

                /// The challenges of a provider's replicas, in the order of replicas, beginning behind the
                /// replica and kind `after`.
                #[api_version(2)]
                fn challenges_of(
                    provider: AccountId,
                    after: Option<(ReplicaId, ChallengeKind)>,
                    limit: u32
                ) -> Vec<ReplicaChallengeView<AccountId>> {
                    "the same challenges by pages; `after` is the last one's replica and kind"
                }
            }
        }
    };
}
