// SPDX-License-Identifier: Apache-2.0

//! Validators of the session.

use super::{shape::check_entry, At};
use crate::error::Result;
use polkadot_sdk::{sp_core::crypto::AccountId32, sp_crypto_hashing::twox_128};
use subxt::Metadata;

impl At {
    /// Accounts of the session's validators, of whom the committees of storage are drawn.
    pub async fn validators(&self) -> Result<Vec<AccountId32>> {
        // Made by hand: the value is part of `pallet_session`, and its name never changes.
        let key = [twox_128(b"Session"), twox_128(b"Validators")].concat();
        let validators = self.raw_value(key, "Session.Validators").await?;
        Ok(validators.unwrap_or_default())
    }
}

/// Checks that the chain has the entry that is read by a key made by hand.
pub(super) fn check(metadata: &Metadata) -> Result<(), String> {
    check_entry(metadata, "Session", "Validators")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node::FakeNode;

    #[tokio::test]
    async fn a_chain_without_the_entry_is_named() {
        // The node for tests has metadata of little more than accounts.
        let at = FakeNode::new().connect().await.best().await.unwrap();
        let metadata = at.block.metadata_ref();
        assert_eq!(check_entry(metadata, "System", "Account"), Ok(()));
        let missing = |entry: &str| Err::<(), _>(format!("storage {entry}: missing"));
        assert_eq!(check(metadata), missing("Session.Validators"));
        assert_eq!(
            check_entry(metadata, "System", "Other"),
            missing("System.Other")
        );
    }
}
