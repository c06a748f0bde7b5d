// SPDX-License-Identifier: Apache-2.0

//! The metadata, as clients get it.

use codec::Decode;
use polkadot_sdk::*;

use frame_metadata::{v15::RuntimeMetadataV15, RuntimeMetadata, RuntimeMetadataPrefixed};
use tos_runtime::Runtime;

/// Version 15 of it.
pub fn metadata() -> RuntimeMetadataV15 {
    // The defaults of some constants are read from storage.
    let opaque = sp_io::TestExternalities::default()
        .execute_with(|| Runtime::metadata_at_version(15).unwrap());
    let prefixed = RuntimeMetadataPrefixed::decode(&mut &opaque[..]).unwrap();
    match prefixed.1 {
        RuntimeMetadata::V15(metadata) => metadata,
        _ => panic!("asked for version 15"),
    }
}
