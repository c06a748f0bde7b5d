// SPDX-License-Identifier: Apache-2.0

//! Rate-1/2 Reed–Solomon coding over a whole file: any half of the shards restores it.
//!
//! The data is cut into n = max(1, ⌈length / 4,096⌉) chunks, the last one filled with zero bytes. A shard is
//! s = ⌈n / 32,768⌉ chunks, and there are k = ⌈n / s⌉ data shards, the last one filled with zero
//! chunks, and k recovery shards. The coded sequence is data shards ‖ recovery shards.
//!
//! The code is the Leopard-style one over GF(2^16) of the crate `reed-solomon-simd` (version 3): every
//! 64-byte column across the shards is coded by itself, which is why coding streams. One codeword per
//! file, because an adversary could erase one of many small codewords cheaply.

#[cfg(feature = "std")]
use crate::tree::OutOfRange;
use crate::WORDS_PER_CHUNK;

#[cfg(feature = "std")]
mod streaming;
#[cfg(feature = "std")]
pub use streaming::{encode, is_codeword, reconstruct, CodeError, MemoryShards, Shards};

/// The most data shards of a codeword, and the most recovery shards.
pub const MAX_SHARDS: u32 = 32_768;
/// The most bytes of data: 16 GiB, so that the coded sequence has at most [`crate::MAX_WORDS`].
pub const MAX_DATA: u64 = 1 << 34;

/// The layout of data of some length: the way it is cut into shards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Chunks that hold data, n.
    pub data_chunks: u64,
    /// Chunks in a shard, s.
    pub shard_chunks: u64,
    /// Data shards, k; there are as many recovery shards.
    pub shards: u32,
    /// Chunks of the coded sequence, 2ks.
    pub coded_chunks: u64,
}

impl Layout {
    /// The layout of data of `len` bytes; `None` above [`MAX_DATA`]. No data at all is coded as one
    /// chunk of zeros.
    pub fn of(len: u64) -> Option<Self> {
        if len > MAX_DATA {
            return None;
        }
        let data_chunks = len.div_ceil(crate::CHUNK as u64).max(1);
        let shard_chunks = data_chunks.div_ceil(MAX_SHARDS.into());
        let shards = u32::try_from(data_chunks.div_ceil(shard_chunks)).ok()?;
        Some(Self {
            data_chunks,
            shard_chunks,
            shards,
            coded_chunks: u64::from(shards)
                .checked_mul(shard_chunks)?
                .checked_mul(2)?,
        })
    }

    /// The words of the coded sequence.
    pub fn coded_words(&self) -> u64 {
        self.coded_chunks.saturating_mul(WORDS_PER_CHUNK)
    }

    /// The bytes of the coded sequence.
    pub fn coded_bytes(&self) -> u64 {
        self.coded_words().saturating_mul(crate::WORD as u64)
    }

    /// The bytes of a shard.
    pub fn shard_bytes(&self) -> u64 {
        self.shard_chunks.saturating_mul(crate::CHUNK as u64)
    }

    /// The start of a shard in the coded sequence, in bytes.
    pub fn shard_start(&self, shard: u32) -> u64 {
        self.shard_bytes().saturating_mul(shard.into())
    }
}
