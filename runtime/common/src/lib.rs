// SPDX-License-Identifier: Apache-2.0

//! Text that the runtimes of TOS share.
//!
//! The bare runtime is the yardstick of load runs: it must be like TOS in everything that a transfer
//! meets. Each number, type and API that both have is therefore written here, once, and neither can
//! drift from the other.
//!
//! | module | contents |
//! |---|---|
//! | [`constants`] | amounts, consensus, fees, genesis |
//! | [`limits`] | work and bytes of a block |
//! | [`measured`] | form of measured weights |
//! | [`transactions`] | extensions of a transaction and what charging its fee weighs |
//! | [`weights`] | measured weights of the pallets in both |
//! | `apis`, `configs` | macros for the text that must stand in the runtime's own crate |

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

mod apis;
mod configs;
pub mod constants;
pub mod limits;
pub mod measured;
pub mod transactions;
pub mod weights;

pub use apis::membership_proof;
pub use configs::{FeeMultiplierUpdate, LengthToFee, MinimumPeriod, WeightToFee};

use polkadot_sdk::*;
use sp_runtime::{
    generic,
    traits::{BlakeTwo256, IdentifyAccount, Verify},
    MultiAddress, MultiSignature,
};

/// Amounts, in wei: 10^18 of them are one TOS.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// Count of an account's transactions.
pub type Nonce = u32;
/// Hash of a block, a call or a state.
pub type Hash = sp_core::H256;
/// Signature of a transaction: sr25519, ed25519 or ecdsa.
pub type Signature = MultiSignature;
/// Owner of an account: its public key, or the hash of it.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Name of an account in a transaction.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
