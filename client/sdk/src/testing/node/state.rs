// SPDX-License-Identifier: Apache-2.0

//! The state of the node for tests: accounts, task types, and the errors of calls.

use codec::Encode;
use polkadot_sdk::{
    sp_core::crypto::AccountId32,
    sp_crypto_hashing::{twox_128, twox_64},
};
use scale_info::{meta_type, TypeInfo};
use serde_json::Value;
use subxt::ext::frame_metadata::v14;
use tos_types::{json::to_hex, Balance, TaskType};

#[derive(TypeInfo)]
#[allow(dead_code)]
pub enum TasksError {
    ReferenceUsed,
    /// The reward is outside the band.
    RewardOutsideBand,
    /// The open window is out of bounds.
    OpenWindowOutOfBounds,
    /// There is no such type.
    UnknownTaskType,
    /// The next step is not due yet.
    NotDue,
    /// There is no such task.
    UnknownTask,
}

#[derive(Default, Encode, TypeInfo)]
struct Data {
    free: Balance,
    reserved: Balance,
}

#[derive(Default, Encode, TypeInfo)]
struct AccountInfo {
    nonce: u32,
    data: Data,
}

/// The number of an error of `Tasks`.
pub fn error_index(name: &str) -> u8 {
    let names = [
        "ReferenceUsed",
        "RewardOutsideBand",
        "OpenWindowOutOfBounds",
        "UnknownTaskType",
        "NotDue",
        "UnknownTask",
    ];
    names.iter().position(|known| *known == name).unwrap() as u8
}

/// The key under which a chain keeps a task type.
pub fn key_of_type(task_type: TaskType) -> String {
    let prefix = [twox_128(b"Tasks"), twox_128(b"TaskTypes")].concat();
    let key = task_type.encode();
    to_hex(&[&prefix[..], &twox_64(&key), &key].concat())
}

/// Returns `true` for the key of an account.
pub fn is_account(key: &Value) -> bool {
    let prefix = to_hex(&[twox_128(b"System"), twox_128(b"Account")].concat());
    key.as_str().unwrap().starts_with(&prefix)
}

/// Returns `true` for the key of the session's validators.
pub fn is_validators(key: &Value) -> bool {
    let validators = to_hex(&[twox_128(b"Session"), twox_128(b"Validators")].concat());
    key.as_str().unwrap() == validators
}

/// An account as it is kept.
pub fn account(free: Balance) -> String {
    let data = Data { free, reserved: 0 };
    to_hex(&AccountInfo { nonce: 0, data }.encode())
}

/// The storage of `System`, as far as it is read by its metadata.
pub fn system_storage() -> v14::PalletStorageMetadata {
    let account = v14::StorageEntryMetadata {
        name: "Account",
        modifier: v14::StorageEntryModifier::Default,
        ty: v14::StorageEntryType::Map {
            hashers: vec![v14::StorageHasher::Blake2_128Concat],
            key: meta_type::<AccountId32>(),
            value: meta_type::<AccountInfo>(),
        },
        default: AccountInfo::default().encode(),
        docs: Vec::new(),
    };
    v14::PalletStorageMetadata {
        prefix: "System",
        entries: vec![account],
    }
}
