// SPDX-License-Identifier: Apache-2.0

//! Validators of the session.

use super::At;
use crate::error::{Context, Result};
use codec::DecodeAll;
use polkadot_sdk::{sp_core::crypto::AccountId32, sp_crypto_hashing::twox_128};
use subxt::error::StorageError;

impl At {
    /// Accounts of the session's validators, of whom the committees of storage are drawn.
    pub async fn validators(&self) -> Result<Vec<AccountId32>> {
        // Made by hand: the value is part of `pallet_session`, and its name never changes.
        let key = [twox_128(b"Session"), twox_128(b"Validators")].concat();
        match self.block.storage().fetch_raw(key).await {
            Ok(bytes) => {
                let all = Vec::<AccountId32>::decode_all(&mut bytes.as_slice());
                all.context("Session.Validators")
            }
            Err(StorageError::NoValueFound) => Ok(Vec::new()),
            Err(error) => Err(error).context("Session.Validators"),
        }
    }
}
