// SPDX-License-Identifier: Apache-2.0

//! Accounts that several others sign for: `docs/keys.md`.

use super::{
    shape::{check_entry, check_names},
    storage_key::key_of_account,
    At,
};
use crate::error::{Context, Error, Result};
use codec::{Decode, Encode};
use polkadot_sdk::{
    sp_core::crypto::AccountId32,
    sp_crypto_hashing::{blake2_128, blake2_256},
};
use serde::Serialize;
use subxt::Metadata;
use tos_types::Balance;

/// The call that carries another.
pub(super) const MULTI: (&str, &str) = ("Multisig", "as_multi");
const MULTI_ARGUMENTS: [&str; 5] = [
    "threshold",
    "other_signatories",
    "maybe_timepoint",
    "call",
    "max_weight",
];
/// The event that tells what became of the call inside.
pub(super) const EXECUTED: (&str, &str) = ("Multisig", "MultisigExecuted");
const EXECUTED_FIELDS: [&str; 5] = ["approving", "timepoint", "multisig", "call_hash", "result"];
/// Bytes before the result in [`EXECUTED`]: account, timepoint, account, hash.
pub(super) const BEFORE_RESULT: usize = 32 + 8 + 32 + 32;
/// Most signatories the chain takes.
pub const MAX_SIGNATORIES: usize = 100;

/// Place of the first approval: what the chain asks for with every further one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, scale_info::TypeInfo, Serialize)]
pub struct Timepoint {
    /// The number of its block.
    pub height: u32,
    /// Its place in the block.
    pub index: u32,
}

/// Time and proof that a call may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, scale_info::TypeInfo)]
pub struct Weight {
    /// Picoseconds.
    #[codec(compact)]
    pub ref_time: u64,
    /// Bytes of storage proof.
    #[codec(compact)]
    pub proof_size: u64,
}

/// A call that waits for approvals.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Open {
    /// Place of the first approval.
    pub when: Timepoint,
    /// Amount that is held of who proposed it, in wei.
    pub deposit: Balance,
    /// The account that proposed it, and alone can cancel it.
    pub depositor: AccountId32,
    /// The accounts that have approved.
    pub approvals: Vec<AccountId32>,
}

/// Accounts of which so many act together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    threshold: u16,
    signatories: Vec<AccountId32>,
}

impl Group {
    /// Group of all its signatories, in any order. At least two must agree.
    pub fn new(threshold: u16, mut signatories: Vec<AccountId32>) -> Result<Self> {
        signatories.sort();
        let given = signatories.len();
        signatories.dedup();
        if signatories.len() < given {
            return Err(Error::Usage("a signatory is named twice".into()));
        }
        if !(2..=MAX_SIGNATORIES).contains(&given) {
            return Err(Error::Usage(format!(
                "{given} signatories: name all of them, between 2 and {MAX_SIGNATORIES}"
            )));
        }
        if threshold < 2 || usize::from(threshold) > given {
            return Err(Error::Usage(format!(
                "a threshold of {threshold} for {given} signatories: between 2 and {given}"
            )));
        }
        Ok(Self {
            threshold,
            signatories,
        })
    }

    /// Number of signatories that must agree.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// The account of the group. It follows from signatories and threshold alone.
    pub fn account(&self) -> AccountId32 {
        let entropy = (b"modlpy/utilisuba", &self.signatories, self.threshold);
        AccountId32::new(blake2_256(&entropy.encode()))
    }

    /// The signatories other than `own`, in the order that the chain asks for.
    pub fn others(&self, own: &AccountId32) -> Result<Vec<AccountId32>> {
        if !self.signatories.contains(own) {
            return Err(Error::Usage(format!("{own} is not among the signatories")));
        }
        let others = self.signatories.iter().filter(|who| *who != own);
        Ok(others.cloned().collect())
    }
}

impl At {
    /// The state of a call that waits for approvals; nothing if none does.
    pub async fn open_multisig(&self, who: &AccountId32, call: &[u8; 32]) -> Result<Option<Open>> {
        let mut key = key_of_account("Multisig", "Multisigs", who);
        key.extend_from_slice(&blake2_128(call));
        key.extend_from_slice(call);
        self.raw_value(key, "Multisig.Multisigs").await
    }

    /// The weight of an encoded call.
    pub async fn weight(&self, call: &[u8]) -> Result<Weight> {
        let length = u32::try_from(call.len()).context("the call's length")?;
        let arguments = [call, &length.encode()].concat();
        let info: (Weight, u8, Balance) = self
            .call_api("TransactionPaymentCallApi_query_call_info", &arguments)
            .await?;
        Ok(info.0)
    }

    /// Name of an encoded call that the chain has, as `Pallet.call`.
    pub fn call_name(&self, call: &[u8]) -> Result<String> {
        let unknown = || Error::Usage("the chain has no such call: is it encoded for it?".into());
        let [pallet, index, ..] = call else {
            return Err(unknown());
        };
        let metadata = self.block.metadata_ref();
        let found = metadata.pallet_by_call_index(*pallet).ok_or_else(unknown)?;
        let call = found.call_variant_by_index(*index).ok_or_else(unknown)?;
        Ok(format!("{}.{}", found.name(), call.name))
    }
}

/// Checks that the chain has the call, the event and the entry of the storage that the table of
/// shapes cannot name.
pub(super) fn check(metadata: &Metadata) -> Result<(), String> {
    let event = EXECUTED.1;
    check_names(metadata, MULTI, &MULTI_ARGUMENTS, event, &EXECUTED_FIELDS)?;
    check_entry(metadata, "Multisig", "Multisigs")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        chain::Call,
        keys::{parse_account, Keypair, Scheme},
    };

    fn account(suri: &str) -> AccountId32 {
        Keypair::from_suri(Scheme::Sr25519, suri).unwrap().account()
    }

    #[test]
    fn the_account_of_a_group_is_the_one_that_other_tools_derive() {
        let all = ["//Charlie", "//Alice", "//Bob"].map(account);
        let group = Group::new(2, all.to_vec()).unwrap();
        // Of Alice, Bob and Charlie, two of three: @polkadot/util-crypto, createKeyMulti.
        let known = parse_account("5DjYJStmdZ2rcqXbXGX7TW85JsrW6uG4y9MUcLq2BoPMpRA7");
        assert_eq!(Ok(group.account()), known);
        let [charlie, alice, bob] = all.clone();
        assert_eq!(group.others(&charlie).unwrap().len(), 2);
        let mut sorted = vec![alice, bob];
        sorted.sort();
        assert_eq!(group.others(&charlie).unwrap(), sorted);
        assert_eq!(
            group.others(&account("//Eve")).err().unwrap().exit_code(),
            2
        );
    }

    #[test]
    fn a_group_that_the_chain_would_refuse_is_refused_before() {
        let [a, b] = ["//Alice", "//Bob"].map(account);
        for (threshold, signatories) in [
            (1, vec![a.clone(), b.clone()]),
            (3, vec![a.clone(), b.clone()]),
            (2, vec![a.clone()]),
            (2, vec![a.clone(), b.clone(), a.clone()]),
            (
                2,
                (0..=MAX_SIGNATORIES as u8)
                    .map(|n| [n; 32].into())
                    .collect(),
            ),
        ] {
            let error = Group::new(threshold, signatories).err().unwrap();
            assert_eq!(error.exit_code(), 2);
        }
        assert!(Group::new(2, vec![a, b]).is_ok());
    }

    #[test]
    fn an_approval_is_encoded_as_the_chain_reads_it() {
        let call = Call::AsMulti {
            threshold: 2,
            others: vec![AccountId32::new([7; 32])],
            timepoint: Some(Timepoint {
                height: 5,
                index: 1,
            }),
            call: vec![9, 8],
            max_weight: Weight {
                ref_time: 1,
                proof_size: 2,
            },
        };
        assert_eq!(call.name(), ("Multisig", "as_multi"));
        let expected = [
            &[2u8, 0, 4][..],
            &[7; 32],
            &[1, 5, 0, 0, 0, 1, 0, 0, 0, 9, 8, 4, 8],
        ];
        assert_eq!(call.encode_arguments(), expected.concat());
    }
}
