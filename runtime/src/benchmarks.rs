// SPDX-License-Identifier: Apache-2.0

//! Which pallets are measured, and what they need for it.

use crate::*;
use frame_benchmarking::{
    baseline::Pallet as BaselineBench, BenchmarkBatch, BenchmarkConfig, BenchmarkList, Benchmarking,
};
use frame_support::traits::{StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::{
    extensions::Pallet as SystemExtensionsBench, Pallet as SystemBench,
};

frame_benchmarking::define_benchmarks!(
    [frame_benchmarking, BaselineBench::<Runtime>]
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [pallet_bags_list, VoterList]
    [pallet_balances, Balances]
    [pallet_clock, Clock]
    [pallet_migrations, MultiBlockMigrations]
    [pallet_miners, Miners]
    [pallet_multisig, Multisig]
    [pallet_preimage, Preimage]
    [pallet_proxy, Proxy]
    [pallet_reputation, Reputation]
    [pallet_rewards, Rewards]
    [pallet_scheduler, Scheduler]
    [pallet_staking, Staking]
    [pallet_sudo, Sudo]
    [pallet_tasks, Tasks]
    [pallet_timestamp, Timestamp]
    [pallet_transaction_payment, TransactionPayment]
    [pallet_treasury, Treasury]
    [pallet_utility, Utility]
    [pallet_validation, Validation]
);

impl frame_system_benchmarking::Config for Runtime {}
impl frame_benchmarking::baseline::Config for Runtime {}

/// Arguments of treasury benchmarks: the only asset and an account.
pub struct TreasuryArguments;
impl pallet_treasury::ArgumentsFactory<(), AccountId> for TreasuryArguments {
    fn create_asset_kind(_: u32) {}
    fn create_beneficiary(seed: [u8; 32]) -> AccountId {
        AccountId::new(seed)
    }
}

/// The benchmarks there are.
pub fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
    let mut list = Vec::<BenchmarkList>::new();
    list_benchmarks!(list, extra);
    (list, AllPalletsWithSystem::storage_info())
}

/// Run one benchmark.
pub fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, alloc::string::String> {
    let whitelist = AllPalletsWithSystem::whitelisted_storage_keys();
    let mut batches = Vec::<BenchmarkBatch>::new();
    let params = (&config, &whitelist);
    add_benchmarks!(params, batches);
    Ok(batches)
}
