// SPDX-License-Identifier: Apache-2.0

//! Validators of the session.

use super::At;
use crate::error::Result;
use polkadot_sdk::{sp_core::crypto::AccountId32, sp_crypto_hashing::twox_128};

impl At {
    /// Accounts of the session's validators, of whom the committees of storage are drawn.
    pub async fn validators(&self) -> Result<Vec<AccountId32>> {
        // Made by hand: the value is part of `pallet_session`, and its name never changes.
        let key = [twox_128(b"Session"), twox_128(b"Validators")].concat();
        let validators = self.raw_value(key, "Session.Validators").await?;
        Ok(validators.unwrap_or_default())
    }
}
