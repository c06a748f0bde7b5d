// SPDX-License-Identifier: Apache-2.0

//! The TOS runtime.
//!
//! This file only declares: the types that name the chain and the pallets that make it up. Their
//! configuration is in [`configs`], by area; the runtime APIs are in `apis`; the networks that can
//! be started from this code are in [`genesis_presets`]. Text that the bare runtime has as well is in
//! [`tos_runtime_common`].

// The runtime macros and the file with the WASM document nothing of what they make.
#![allow(missing_docs)]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]
// The runtime macro's own dispatch tables recurse over every pallet.
#![recursion_limit = "256"]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod apis;
mod automatic;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod emission;
pub mod genesis_presets;
pub mod migrations;
pub mod origins;
pub mod parameters;
mod queries;
#[cfg(test)]
mod tests;
pub mod time_config;
pub mod tracks;
mod transactions;
pub mod weights;

use alloc::{borrow::Cow, vec::Vec};
use polkadot_sdk::*;
use sp_runtime::{generic, impl_opaque_keys};
use sp_version::RuntimeVersion;
use tos_runtime_common::measured_weights;

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use frame_system::Call as SystemCall;
pub use pallet_balances::Call as BalancesCall;
pub use tos_runtime_common::{
    constants, transactions::extension, AccountId, Address, Balance, BlockNumber, Hash, Header,
    Nonce, Signature,
};

/// Extensions: what every transaction carries next to its call.
pub type TxExtension = tos_runtime_common::transactions::TxExtension<Runtime>;
/// A transaction as it arrives from the network.
pub type UncheckedExtrinsic =
    tos_runtime_common::transactions::UncheckedExtrinsic<Runtime, RuntimeCall>;
/// Bytes that the sender signs.
pub type SignedPayload = tos_runtime_common::transactions::SignedPayload<Runtime, RuntimeCall>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// Block with its hash and justifications, as synchronisation sees it.
pub type SignedBlock = generic::SignedBlock<Block>;
/// Names a block by hash or by height.
pub type BlockId = generic::BlockId<Block>;

/// The executive: it runs a block.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    automatic::Automatic<AllPalletsWithSystem>,
>;

/// Types for the parts of the node that carry transactions without understanding them.
pub mod opaque {
    use super::*;

    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

    /// Block header.
    pub type Header = super::Header;
    /// Block of opaque transactions.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;
    /// Names a block by hash or by height.
    pub type BlockId = generic::BlockId<Block>;
}

impl_opaque_keys! {
    /// The keys with which a validator works. Stash and control stay offline.
    pub struct SessionKeys {
        pub grandpa: Grandpa,
        pub babe: Babe,
        pub authority_discovery: AuthorityDiscovery,
    }
}

/// The version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("tos"),
    impl_name: Cow::Borrowed("tos-node"),
    authoring_version: 1,
    spec_version: 103,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The runtime and its pallets. Indices 40 to 59 belong to the domain pallets.
#[frame_support::runtime]
mod runtime {
    use super::*;

    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;

    // Before everything that derives a period from it.
    #[runtime::pallet_index(1)]
    pub type TimeConfig = crate::time_config;

    // Before the session pallet, which ends a session with the epoch.
    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;

    #[runtime::pallet_index(3)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;

    // Before staking, which rewards the author that this finds.
    #[runtime::pallet_index(6)]
    pub type Authorship = pallet_authorship;

    #[runtime::pallet_index(7)]
    pub type Staking = pallet_staking;

    #[runtime::pallet_index(8)]
    pub type VoterList = pallet_bags_list<Instance1>;

    #[runtime::pallet_index(9)]
    pub type Offences = pallet_offences;

    #[runtime::pallet_index(10)]
    pub type Historical = pallet_session::historical;

    #[runtime::pallet_index(11)]
    pub type Session = pallet_session;

    #[runtime::pallet_index(12)]
    pub type Grandpa = pallet_grandpa;

    #[runtime::pallet_index(13)]
    pub type AuthorityDiscovery = pallet_authority_discovery;

    // After the authorship pallet, which knows the author when a block begins.
    #[runtime::pallet_index(14)]
    pub type Fees = pallet_fees;

    #[runtime::pallet_index(20)]
    pub type Treasury = pallet_treasury;

    // After every pallet that puts tokens into the genesis state.
    #[runtime::pallet_index(21)]
    pub type Emission = crate::emission;

    #[runtime::pallet_index(22)]
    pub type Preimage = pallet_preimage;

    #[runtime::pallet_index(23)]
    pub type Scheduler = pallet_scheduler;

    #[runtime::pallet_index(24)]
    pub type Utility = pallet_utility;

    #[runtime::pallet_index(25)]
    pub type Multisig = pallet_multisig;

    #[runtime::pallet_index(26)]
    pub type Proxy = pallet_proxy;

    #[runtime::pallet_index(27)]
    pub type MultiBlockMigrations = pallet_migrations;

    #[runtime::pallet_index(30)]
    pub type Sudo = pallet_sudo;

    // Decisions by those who hold TOS.
    #[runtime::pallet_index(31)]
    pub type Origins = crate::origins;

    #[runtime::pallet_index(32)]
    pub type ConvictionVoting = pallet_conviction_voting;

    #[runtime::pallet_index(33)]
    pub type Referenda = pallet_referenda;

    #[runtime::pallet_index(34)]
    pub type TechnicalCommittee = pallet_collective<Instance1>;

    #[runtime::pallet_index(35)]
    pub type Whitelist = pallet_whitelist;

    #[runtime::pallet_index(36)]
    pub type TxPause = pallet_tx_pause;

    #[runtime::pallet_index(37)]
    pub type Parameters = pallet_parameters;

    // Before everything that has deadlines.
    #[runtime::pallet_index(40)]
    pub type Clock = pallet_clock;

    // Before the judges of genesis, who may be certified.
    #[runtime::pallet_index(41)]
    pub type Miners = pallet_miners;

    #[runtime::pallet_index(42)]
    pub type Reputation = pallet_reputation;

    #[runtime::pallet_index(43)]
    pub type Tasks = pallet_tasks;

    #[runtime::pallet_index(44)]
    pub type Judges = pallet_judges;

    #[runtime::pallet_index(45)]
    pub type Rewards = pallet_rewards;

    // After the timestamp, whose inherent paces its own.
    #[runtime::pallet_index(46)]
    pub type Beacon = pallet_beacon;

    #[runtime::pallet_index(47)]
    pub type Storage = pallet_storage;
}
