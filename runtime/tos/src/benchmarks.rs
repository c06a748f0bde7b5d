// SPDX-License-Identifier: Apache-2.0

//! The pallets that are measured, and their needs for it.

use crate::*;
use constants::currency::EXISTENTIAL_DEPOSIT;
use frame_benchmarking::{
    baseline::Pallet as BaselineBench, BenchmarkBatch, BenchmarkConfig, BenchmarkList,
};
use frame_support::traits::{fungible, StorageInfo, StorageInfoTrait, WhitelistedStorageKeys};
use frame_system_benchmarking::{
    extensions::Pallet as SystemExtensionsBench, Pallet as SystemBench,
};
use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
use sp_runtime::DigestItem;

frame_benchmarking::define_benchmarks!(
    [frame_benchmarking, BaselineBench::<Runtime>]
    [frame_system, SystemBench::<Runtime>]
    [frame_system_extensions, SystemExtensionsBench::<Runtime>]
    [pallet_bags_list, VoterList]
    [pallet_balances, Balances]
    [pallet_beacon, Beacon]
    [pallet_clock, Clock]
    [pallet_collective, TechnicalCommittee]
    [pallet_conviction_voting, ConvictionVoting]
    [pallet_fees, Fees]
    [pallet_migrations, MultiBlockMigrations]
    [pallet_miners, Miners]
    [pallet_multisig, Multisig]
    [pallet_parameters, Parameters]
    [pallet_preimage, Preimage]
    [pallet_proxy, Proxy]
    [pallet_referenda, Referenda]
    [pallet_reputation, Reputation]
    [pallet_rewards, Rewards]
    [pallet_scheduler, Scheduler]
    [pallet_staking, Staking]
    [pallet_storage, Storage]
    [pallet_sudo, Sudo]
    [pallet_tasks, Tasks]
    [pallet_timestamp, Timestamp]
    [pallet_transaction_payment, TransactionPayment]
    [pallet_treasury, Treasury]
    [pallet_utility, Utility]
    [pallet_judges, Judges]
    [pallet_whitelist, Whitelist]
);

impl frame_system_benchmarking::Config for Runtime {}

impl pallet_transaction_payment::BenchmarkConfig for Runtime {
    /// The block has an author, who gets its part of the fee.
    fn setup_benchmark_environment() {
        let author = SecondaryPlainPreDigest {
            authority_index: 0,
            slot: 1.into(),
        };
        System::deposit_log(DigestItem::babe_pre_digest(PreDigest::SecondaryPlain(
            author,
        )));
    }
}
impl frame_benchmarking::baseline::Config for Runtime {}

/// Arguments of treasury benchmarks: the only asset and an account.
pub struct TreasuryArguments;
impl pallet_treasury::ArgumentsFactory<(), AccountId> for TreasuryArguments {
    fn create_asset_kind(_: u32) {}
    /// The account exists: what the benchmark pays is less than opens one.
    fn create_beneficiary(seed: [u8; 32]) -> AccountId {
        let who = AccountId::new(seed);
        let funds = EXISTENTIAL_DEPOSIT.saturating_mul(10);
        let _ = <Balances as fungible::Mutate<AccountId>>::set_balance(&who, funds);
        who
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
