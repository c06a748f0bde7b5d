// SPDX-License-Identifier: Apache-2.0

//! Keys of the chain's storage.

use polkadot_sdk::{
    sp_core::crypto::AccountId32,
    sp_crypto_hashing::{twox_128, twox_64},
};

/// Key of what a map has for an account; its first hasher is `Twox64Concat`.
pub(super) fn key_of_account(pallet: &str, entry: &str, who: &AccountId32) -> Vec<u8> {
    let account: &[u8] = who.as_ref();
    let parts = [
        &twox_128(pallet.as_bytes())[..],
        &twox_128(entry.as_bytes())[..],
        &twox_64(account)[..],
        account,
    ];
    parts.concat()
}
