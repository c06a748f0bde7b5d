// SPDX-License-Identifier: Apache-2.0

//! Accounts as `frame_system` and `pallet_balances` keep them, whatever the widths of their numbers.

use crate::error::{Context, Error, Result};
use subxt::{
    dynamic::{At as _, Value},
    ext::scale_value::scale::decode_as_type,
    metadata::Metadata,
};
use tos_types::Balance;

/// Nonce and free balance of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Its next nonce.
    pub nonce: u64,
    /// Amount that it can use, as far as it is not frozen, in the chain's smallest unit.
    pub free: Balance,
}

impl Account {
    /// Reads a value of `System.Account`.
    pub(super) fn read(metadata: &Metadata, mut bytes: &[u8]) -> Result<Self> {
        let value_type = value_type(metadata)?;
        let value = decode_as_type(&mut bytes, value_type, metadata.types());
        let value = value.context("System.Account")?;
        let nonce = value.at("nonce").and_then(Value::as_u128);
        let nonce = nonce.and_then(|nonce| u64::try_from(nonce).ok());
        Ok(Self {
            nonce: nonce.ok_or_else(|| Error::Failed("System.Account: no nonce".into()))?,
            free: balance(&value, "free")?,
        })
    }
}

/// One of the balances in a decoded value of `System.Account`.
pub(crate) fn balance<T>(account: &Value<T>, name: &str) -> Result<Balance> {
    let amount = account.at("data").at(name).and_then(Value::as_u128);
    amount.ok_or_else(|| Error::Failed(format!("System.Account: no {name} balance")))
}

/// The least that an account must own to exist.
pub(crate) fn existential_deposit(metadata: &Metadata) -> Result<Balance> {
    const NAME: &str = "Balances.ExistentialDeposit";
    let pallet = metadata.pallet_by_name("Balances");
    let constant = pallet.and_then(|pallet| pallet.constant_by_name("ExistentialDeposit"));
    let missing = || Error::Failed(format!("the chain has no constant {NAME}"));
    let constant = constant.ok_or_else(missing)?;
    let value = decode_as_type(&mut constant.value(), constant.ty(), metadata.types());
    let value = value.context(NAME)?;
    let wide = || Error::Failed(format!("{NAME}: not an amount of at most 128 bits"));
    value.as_u128().ok_or_else(wide)
}

/// The type of the values of `System.Account`.
pub(super) fn value_type(metadata: &Metadata) -> Result<u32> {
    let storage = metadata.pallet_by_name("System").and_then(|p| p.storage());
    let entry = storage.and_then(|storage| storage.entry_by_name("Account"));
    let missing = || Error::Failed("the chain has no storage System.Account".into());
    Ok(entry.ok_or_else(missing)?.value_ty())
}
