// SPDX-License-Identifier: Apache-2.0

//! The yardstick of load runs: a chain that does nothing but move money.
//!
//! The cost of TOS is told by a chain that is like it in everything that a transfer meets, and has
//! nothing else: the same transactions, weights, limits of a block, fees, slots and consensus, on
//! the same node. All of it comes from [`tos_runtime_common`], so that none of it drifts apart;
//! tests compare what each runtime composes by itself.
//!
//! It differs where TOS does more: authorities are fixed at genesis, no one can report them, and
//! fees are burnt, where TOS pays them to the treasury and to the block's author. All of that makes
//! this chain the faster one, so a comparison errs against TOS.
//!
//! Pallets, configuration and runtime APIs are in [`configs`] and `apis`, networks in [`genesis`].

// The runtime macros and the file with the WASM document nothing of what they make.
#![allow(missing_docs)]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(feature = "wasm")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

mod apis;
pub mod configs;
#[cfg(feature = "std")]
pub mod genesis;
#[cfg(test)]
mod tests;

use alloc::{borrow::Cow, vec::Vec};
use polkadot_sdk::*;
use sp_runtime::{generic, impl_opaque_keys};
use sp_version::RuntimeVersion;
use tos_runtime_common::transactions;

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use tos_runtime_common::{
    constants, AccountId, Address, Balance, BlockNumber, Hash, Header, Nonce, Signature,
};

/// A transaction as it arrives from the network.
pub type UncheckedExtrinsic = transactions::UncheckedExtrinsic<Runtime, RuntimeCall>;
/// Bytes that the sender signs.
pub type SignedPayload = transactions::SignedPayload<Runtime, RuntimeCall>;
/// Block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// The executive: it runs a block.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

impl_opaque_keys! {
    /// The keys with which an authority works.
    pub struct SessionKeys {
        pub grandpa: Grandpa,
        pub babe: Babe,
    }
}

/// The version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("tos-bare"),
    impl_name: Cow::Borrowed("tos-node"),
    authoring_version: 1,
    spec_version: 1,
    impl_version: 0,
    apis: RUNTIME_API_VERSIONS,
    transaction_version: 1,
    system_version: 1,
};

/// The runtime and its pallets, under the indices that they have in TOS: a transfer is encoded alike.
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

    #[runtime::pallet_index(2)]
    pub type Babe = pallet_babe;

    #[runtime::pallet_index(3)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(4)]
    pub type Balances = pallet_balances;

    #[runtime::pallet_index(5)]
    pub type TransactionPayment = pallet_transaction_payment;

    #[runtime::pallet_index(12)]
    pub type Grandpa = pallet_grandpa;
}
