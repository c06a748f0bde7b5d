// SPDX-License-Identifier: Apache-2.0

//! Runtime APIs: those that both runtimes offer, then those of TOS.

// The macro below produces code that the workspace's lints were not written for.
#![allow(clippy::arithmetic_side_effects)]

use alloc::vec::Vec;
use polkadot_sdk::*;

use crate::{
    configs::EpochSlots, genesis_presets, queries, AccountId, AuthorityDiscovery, Babe, Balance,
    Beacon, Block, Executive, Grandpa, Historical, InherentDataExt, Judges, Miners, Nonce,
    Reputation, Rewards, Runtime, RuntimeCall, RuntimeGenesisConfig, SessionKeys, Storage, System,
    Tasks, TransactionPayment, VERSION,
};
use frame_support::{
    genesis_builder_helper::{build_state, get_preset},
    weights::Weight,
};
use sp_runtime::traits::Block as BlockT;
use tos_runtime_api::shapes::*;

tos_runtime_common::impl_common_apis! {
    epoch_slots: EpochSlots,
    membership_proofs: Historical,
    discoverable: AuthorityDiscovery::authorities();

    impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<
        Block,
        Balance,
        RuntimeCall,
    > for Runtime
    {
        fn query_call_info(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::RuntimeDispatchInfo<Balance> {
            TransactionPayment::query_call_info(call, len)
        }

        fn query_call_fee_details(
            call: RuntimeCall,
            len: u32,
        ) -> pallet_transaction_payment::FeeDetails<Balance> {
            TransactionPayment::query_call_fee_details(call, len)
        }

        fn query_weight_to_fee(weight: Weight) -> Balance {
            TransactionPayment::weight_to_fee(weight)
        }

        fn query_length_to_fee(length: u32) -> Balance {
            TransactionPayment::length_to_fee(length)
        }
    }

    impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
        fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
            build_state::<RuntimeGenesisConfig>(config)
        }

        fn get_preset(id: &Option<sp_genesis_builder::PresetId>) -> Option<Vec<u8>> {
            get_preset::<RuntimeGenesisConfig>(id, genesis_presets::get_preset)
        }

        fn preset_names() -> Vec<sp_genesis_builder::PresetId> {
            genesis_presets::preset_names()
        }
    }

    impl tos_runtime_api::TosApi<Block, AccountId> for Runtime {
        fn open_tasks(
            task_type: Option<TaskType>,
            after: Option<TaskId>,
            limit: u32,
        ) -> Vec<TaskSummary<AccountId>> {
            Tasks::open_tasks(task_type, after, limit)
        }

        fn tasks(after: Option<TaskId>, limit: u32) -> Vec<TaskSummary<AccountId>> {
            Tasks::tasks(after, limit)
        }

        fn task(id: TaskId) -> Option<TaskView<AccountId>> {
            Tasks::task(id)
        }

        fn timeline(id: TaskId) -> Vec<TimelineEntry> {
            Tasks::timeline(id)
        }

        fn round(id: TaskId, number: u32) -> Option<RoundView<AccountId>> {
            Judges::round(id, number)
        }

        fn can_submit(who: AccountId, task: TaskId) -> Result<(), JoinErrorView> {
            queries::can_submit(who, task)
        }

        fn assignments(who: AccountId) -> Vec<AssignmentView> {
            queries::assignments(&who)
        }

        fn duties(who: AccountId) -> Vec<DutyView> {
            Judges::duties(who)
        }

        fn claimable(who: AccountId) -> Vec<ClaimView> {
            Rewards::claimable(who)
        }

        fn miner(who: AccountId) -> Option<MinerView> {
            Miners::miner(who)
        }

        fn judge(who: AccountId) -> Option<JudgeView> {
            Judges::judge(who)
        }

        fn reputation(who: AccountId) -> ReputationView {
            Reputation::reputation(who)
        }

        fn task_changes() -> Vec<TaskChange> {
            queries::task_changes()
        }

        fn chain() -> ChainView {
            queries::chain()
        }

        fn parameters() -> ParametersView {
            crate::parameters::view()
        }

        fn task_by_reference(publisher: AccountId, reference: [u8; 32]) -> Option<TaskId> {
            Tasks::task_by_reference(publisher, reference)
        }
    }

    impl tos_runtime_api::BeaconApi<Block> for Runtime {
        fn beacon() -> BeaconView {
            Beacon::beacon_view()
        }

        fn beacon_claims(extrinsics: Vec<<Block as BlockT>::Extrinsic>) -> Vec<SlotClaim> {
            extrinsics
                .iter()
                .find_map(|extrinsic| Beacon::claims_of(&extrinsic.function))
                .map(|claims| claims.to_vec())
                .unwrap_or_default()
        }

        fn beacon_records(from: Slot, limit: u32) -> Vec<SlotRecordView> {
            Beacon::records_view(from, limit)
        }
    }

    impl tos_runtime_api::StorageApi<Block, AccountId> for Runtime {
        fn provider(who: AccountId) -> Option<ProviderView> {
            Storage::provider_view(&who)
        }

        fn deal(id: DealId) -> Option<DealView<AccountId>> {
            Storage::deal_view(id)
        }

        fn deals(after: Option<DealId>, limit: u32, open_only: bool) -> Vec<DealView<AccountId>> {
            Storage::deals_page(after, limit, open_only)
        }

        fn replica(id: ReplicaId) -> Option<ReplicaView<AccountId>> {
            Storage::replica_view(id)
        }

        fn replicas_of(
            provider: AccountId,
            after: Option<ReplicaId>,
            limit: u32,
        ) -> Vec<ReplicaView<AccountId>> {
            Storage::replicas_page(&provider, after, limit)
        }

        fn open_audits(provider: AccountId) -> Vec<AuditView> {
            Storage::open_audits_of(&provider)
        }

        fn challenges(provider: AccountId) -> Vec<ReplicaChallengeView<AccountId>> {
            Storage::challenges_of(&provider)
        }

        fn window() -> WindowView {
            Storage::window_view()
        }

        fn group(group: GroupId) -> Option<GroupView<AccountId>> {
            Storage::group_view(group)
        }

        fn committee_duties(validator: AccountId) -> Vec<CommitteeDutyView<AccountId>> {
            Storage::committee_duties_of(&validator)
        }

        fn storage_stats() -> StorageStats {
            Storage::stats()
        }

        fn continuity(replica: ReplicaId) -> Result<ContinuityView, ContinuityError> {
            Storage::continuity_of(replica)
        }

        fn window_roots(limit: u32) -> Vec<WindowRootView> {
            Storage::window_roots_page(limit)
        }

        fn window_history() -> HistoryView {
            Storage::window_history_view()
        }

        fn inclusion(replica: ReplicaId, window: Window) -> Option<InclusionView> {
            Storage::inclusion_of(replica, window)
        }

        fn open_audits_of(
            provider: AccountId,
            after: Option<(ReplicaId, u64)>,
            limit: u32,
        ) -> Vec<AuditView> {
            Storage::open_audits_page(&provider, after, limit)
        }

        fn challenges_of(
            provider: AccountId,
            after: Option<(ReplicaId, ChallengeKind)>,
            limit: u32,
        ) -> Vec<ReplicaChallengeView<AccountId>> {
            Storage::challenges_page(&provider, after, limit)
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    impl frame_benchmarking::Benchmark<Block> for Runtime {
        fn benchmark_metadata(
            extra: bool,
        ) -> (
            Vec<frame_benchmarking::BenchmarkList>,
            Vec<frame_support::traits::StorageInfo>,
        ) {
            crate::benchmarks::metadata(extra)
        }

        fn dispatch_benchmark(
            config: frame_benchmarking::BenchmarkConfig,
        ) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
            crate::benchmarks::dispatch(config)
        }
    }

    #[cfg(feature = "try-runtime")]
    impl frame_try_runtime::TryRuntime<Block> for Runtime {
        fn on_runtime_upgrade(
            checks: frame_try_runtime::UpgradeCheckSelect,
        ) -> (Weight, Weight) {
            // A failed check must stop the tool that asks; this never runs on a network.
            match Executive::try_runtime_upgrade(checks) {
                Ok(weight) => (weight, crate::configs::RuntimeBlockWeights::get().max_block),
                Err(error) => panic!("{error:?}"),
            }
        }

        fn execute_block(
            block: <Block as BlockT>::LazyBlock,
            state_root_check: bool,
            signature_check: bool,
            select: frame_try_runtime::TryStateSelect,
        ) -> Weight {
            match Executive::try_execute_block(block, state_root_check, signature_check, select) {
                Ok(weight) => weight,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}
