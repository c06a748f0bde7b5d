// SPDX-License-Identifier: Apache-2.0

//! The 136-byte record: the public facts of a replica's standing in one window.
//!
//! It proves nothing by itself. It is what a light client shows and compares with chain state: every
//! field can be recomputed from there, so a forged one is found by looking.

use crate::{hash, Hash, ReplicaId};

/// The bytes of a record.
pub const BYTES: usize = 136;

/// The record. All integers are little-endian, fields in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UltraRecord {
    /// The replica's latest leaf, which chains all its earlier ones (32 bytes).
    pub chain: Hash,
    /// The windows in that chain (8 bytes).
    pub length: u64,
    /// The global root of the window (32 bytes).
    pub global: Hash,
    /// The block the global root was written in (8 bytes).
    pub height: u64,
    /// [`position_hash`] of the replica (32 bytes).
    pub position: Hash,
    /// The active replicas under the global root (4 bytes).
    pub count: u32,
    /// The end of the window, in seconds since 1970 (8 bytes).
    pub time: u64,
    /// The first 12 bytes of the window's seed, so that two records of the same facts in different
    /// forks differ.
    pub nonce: [u8; 12],
}

/// `H(POSITION, replica ‖ window u64 ‖ position u32)`.
pub fn position_hash(replica: &ReplicaId, window: u64, position: u32) -> Hash {
    let parts: [&[u8]; 3] = [replica, &window.to_le_bytes(), &position.to_le_bytes()];
    hash::keyed_parts(&hash::POSITION, &parts)
}

/// Takes the first `N` bytes off.
fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

impl UltraRecord {
    /// The only encoding.
    pub fn to_bytes(&self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        let fields: [&[u8]; 8] = [
            &self.chain,
            &self.length.to_le_bytes(),
            &self.global,
            &self.height.to_le_bytes(),
            &self.position,
            &self.count.to_le_bytes(),
            &self.time.to_le_bytes(),
            &self.nonce,
        ];
        let source = fields.into_iter().flatten();
        for (to, from) in bytes.iter_mut().zip(source) {
            *to = *from;
        }
        bytes
    }

    /// Reads a record; `None` unless it has exactly 136 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let record = Self {
            chain: take(&mut rest)?,
            length: u64::from_le_bytes(take(&mut rest)?),
            global: take(&mut rest)?,
            height: u64::from_le_bytes(take(&mut rest)?),
            position: take(&mut rest)?,
            count: u32::from_le_bytes(take(&mut rest)?),
            time: u64::from_le_bytes(take(&mut rest)?),
            nonce: take(&mut rest)?,
        };
        rest.is_empty().then_some(record)
    }
}
