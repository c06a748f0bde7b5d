// SPDX-License-Identifier: Apache-2.0

//! Calls and transactions.

use std::sync::Arc;
use subxt::{
    ext::{scale_encode, scale_type_resolver::TypeResolver},
    tx::Payload,
};

/// The BLAKE2b-256 hash of a transaction as it is encoded: its identity in pool and blocks.
pub type Hash = [u8; 32];

/// A call, encoded.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) pallet: &'static str,
    pub(super) name: &'static str,
    pub(super) arguments: Arguments,
}

/// The arguments of a call, in SCALE.
#[derive(Clone, Debug)]
pub struct Arguments(pub(super) Arc<[u8]>);

impl scale_encode::EncodeAsFields for Arguments {
    fn encode_as_fields_to<R: TypeResolver>(
        &self,
        _: &mut dyn scale_encode::FieldIter<'_, R::TypeId>,
        _: &R,
        out: &mut Vec<u8>,
    ) -> Result<(), scale_encode::Error> {
        out.extend_from_slice(&self.0);
        Ok(())
    }
}

impl Payload for Call {
    type CallData = Arguments;

    fn pallet_name(&self) -> &str {
        self.pallet
    }

    fn call_name(&self) -> &str {
        self.name
    }

    fn call_data(&self) -> &Arguments {
        &self.arguments
    }
}

/// A signed transaction.
pub struct Signed {
    /// As encoded for the node.
    pub bytes: Arc<[u8]>,
    /// Its identity.
    pub hash: Hash,
}

/// For how many blocks transactions are good, and from which block; None is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Mortality {
    /// A power of two from 4 to 65,536.
    pub blocks: u64,
    /// Number and hash of the block it starts at.
    pub from: (u64, Hash),
}
