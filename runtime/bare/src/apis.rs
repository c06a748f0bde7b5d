// SPDX-License-Identifier: Apache-2.0

//! Runtime APIs: those that both runtimes offer, and no others.

// The macro below produces code that the workspace's lints were not written for.
#![allow(clippy::arithmetic_side_effects)]

use polkadot_sdk::*;

use crate::{
    configs::EpochSlots, AccountId, Babe, Balance, Block, Executive, Grandpa, InherentDataExt,
    Nonce, Runtime, SessionKeys, System, TransactionPayment, VERSION,
};

tos_runtime_common::impl_common_apis! {
    epoch_slots: EpochSlots,
    // Authorities have no stake to lose, so that none needs to prove who they are.
    membership_proofs: (),
    // The node asks; authorities of a load run find one another by their addresses.
    discoverable: alloc::vec::Vec::new();
}
