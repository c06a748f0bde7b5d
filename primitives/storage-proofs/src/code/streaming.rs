// SPDX-License-Identifier: Apache-2.0

//! Coding column by column, so that memory does not grow with the file.

use super::Layout;
use alloc::{vec, vec::Vec};
use core::fmt;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};

/// The memory a stripe may take in the coder, which holds up to twice as many shards as there are
/// data shards.
const STRIPE_MEMORY: u64 = 32 << 20;
/// Columns are coded independently in blocks of this many bytes.
const BLOCK: u64 = 64;

/// Shards at rest: 0 to k−1 hold data, k to 2k−1 recovery. The parts read and written lie within a
/// shard of [`Layout::shard_bytes`]; bytes beyond the end of the data read as zero.
pub trait Shards {
    /// The reason for which they cannot be read or written.
    type Error;
    /// Fills `bytes` from `offset` of a shard.
    fn read(&mut self, shard: u32, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;
    /// Writes `bytes` to `offset` of a shard.
    fn write(&mut self, shard: u32, offset: u64, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// The reasons for which coding fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CodeError<E> {
    /// Fewer than half of the shards are present.
    TooFewShards,
    /// The layout is not one that [`Layout::of`] gives.
    Layout,
    /// A shard cannot be read or written.
    Shards(E),
}

impl<E: fmt::Display> fmt::Display for CodeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewShards => f.write_str("fewer than half of the shards are present"),
            Self::Layout => f.write_str("the layout is impossible"),
            Self::Shards(error) => write!(f, "a shard cannot be read or written: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for CodeError<E> {}

/// The coder refuses what [`Layout::of`] never gives.
fn refused<E>(_: reed_solomon_simd::Error) -> CodeError<E> {
    CodeError::Layout
}

/// The stripes of a shard: (offset, length).
fn stripes(layout: &Layout) -> impl Iterator<Item = (u64, usize)> {
    let shards = u64::from(layout.shards).saturating_mul(2).max(1);
    let width = STRIPE_MEMORY.checked_div(shards).unwrap_or_default();
    let width = (width & !BLOCK.saturating_sub(1)).clamp(BLOCK, 1 << 20);
    let length = layout.shard_bytes();
    (0..length)
        .step_by(usize::try_from(width).unwrap_or(64))
        .map(move |start| {
            let rest = length.saturating_sub(start).min(width);
            (start, usize::try_from(rest).unwrap_or_default())
        })
}

/// Reads the data of each stripe and hands the recovery parts to `found` as (store, shard, offset, bytes).
fn each_recovery<S: Shards + ?Sized>(
    layout: &Layout,
    store: &mut S,
    mut found: impl FnMut(&mut S, u32, u64, &[u8]) -> Result<bool, S::Error>,
) -> Result<bool, CodeError<S::Error>> {
    let k = layout.shards as usize;
    let mut part = Vec::new();
    let mut coder: Option<ReedSolomonEncoder> = None;
    for (offset, length) in stripes(layout) {
        part.resize(length, 0);
        match &mut coder {
            Some(coder) => coder.reset(k, k, length).map_err(refused)?,
            None => coder = Some(ReedSolomonEncoder::new(k, k, length).map_err(refused)?),
        }
        let coder = coder.as_mut().ok_or(CodeError::Layout)?;
        for shard in 0..layout.shards {
            store
                .read(shard, offset, &mut part)
                .map_err(CodeError::Shards)?;
            coder.add_original_shard(&part).map_err(refused)?;
        }
        let coded = coder.encode().map_err(refused)?;
        for (shard, bytes) in (layout.shards..).zip(coded.recovery_iter()) {
            if !found(store, shard, offset, bytes).map_err(CodeError::Shards)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Computes the recovery shards from the data shards.
///
/// # Errors
/// A shard cannot be read or written.
pub fn encode<S: Shards + ?Sized>(
    layout: &Layout,
    store: &mut S,
) -> Result<(), CodeError<S::Error>> {
    each_recovery(layout, store, |store, shard, offset, bytes| {
        store.write(shard, offset, bytes).map(|()| true)
    })
    .map(drop)
}

/// `true` if the recovery shards are those of the data shards. Everything is read once, nothing is
/// written.
///
/// # Errors
/// A shard cannot be read.
pub fn is_codeword<S: Shards + ?Sized>(
    layout: &Layout,
    store: &mut S,
) -> Result<bool, CodeError<S::Error>> {
    let mut stored = Vec::new();
    each_recovery(layout, store, |store, shard, offset, bytes| {
        stored.resize(bytes.len(), 0);
        store.read(shard, offset, &mut stored)?;
        Ok(stored == bytes)
    })
}

/// Restores the data shards that are not `present`, from any k that are. Only present shards are read and
/// only missing data shards written; [`encode`] then restores recovery shards.
///
/// Shards that are present must be right: what was damaged in secret restores to something else, so
/// check each against its tree first, or the result against the commitment.
///
/// # Errors
/// Fewer than k shards are present, or one cannot be read or written.
pub fn reconstruct<S: Shards + ?Sized>(
    layout: &Layout,
    present: &dyn Fn(u32) -> bool,
    store: &mut S,
) -> Result<(), CodeError<S::Error>> {
    let k = layout.shards as usize;
    let both = layout.shards.checked_mul(2).ok_or(CodeError::Layout)?;
    // Data shards first: what is there need not be computed.
    let used: Vec<u32> = (0..both).filter(|shard| present(*shard)).take(k).collect();
    if used.len() < k {
        return Err(CodeError::TooFewShards);
    }
    if used.last().is_some_and(|last| *last < layout.shards) {
        return Ok(());
    }
    let mut part = Vec::new();
    let mut coder: Option<ReedSolomonDecoder> = None;
    for (offset, length) in stripes(layout) {
        part.resize(length, 0);
        match &mut coder {
            Some(coder) => coder.reset(k, k, length).map_err(refused)?,
            None => coder = Some(ReedSolomonDecoder::new(k, k, length).map_err(refused)?),
        }
        let coder = coder.as_mut().ok_or(CodeError::Layout)?;
        for shard in &used {
            store
                .read(*shard, offset, &mut part)
                .map_err(CodeError::Shards)?;
            match shard.checked_sub(layout.shards) {
                None => coder.add_original_shard(*shard as usize, &part),
                Some(recovery) => coder.add_recovery_shard(recovery as usize, &part),
            }
            .map_err(refused)?;
        }
        let decoded = coder.decode().map_err(refused)?;
        for (shard, bytes) in decoded.restored_original_iter() {
            let shard = u32::try_from(shard).map_err(|_| CodeError::Layout)?;
            store
                .write(shard, offset, bytes)
                .map_err(CodeError::Shards)?;
        }
    }
    Ok(())
}

/// A coded sequence in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryShards {
    layout: Layout,
    bytes: Vec<u8>,
}

impl MemoryShards {
    /// The coded sequence of `data`; `None` if it is too long.
    pub fn encode(data: &[u8]) -> Option<Self> {
        let layout = Layout::of(data.len() as u64)?;
        let mut bytes = vec![0; usize::try_from(layout.coded_bytes()).ok()?];
        bytes.get_mut(..data.len())?.copy_from_slice(data);
        let mut shards = Self { layout, bytes };
        encode(&layout, &mut shards).ok()?;
        Some(shards)
    }

    /// Takes a coded sequence as it is; `None` if its length is not that of the layout.
    pub fn new(layout: Layout, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() as u64 == layout.coded_bytes()).then_some(Self { layout, bytes })
    }

    /// Its layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The coded sequence.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The coded sequence.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn part(
        &mut self,
        shard: u32,
        offset: u64,
        len: usize,
    ) -> Result<&mut [u8], super::OutOfRange> {
        let start = self.layout.shard_start(shard).checked_add(offset);
        let start = start.and_then(|start| usize::try_from(start).ok());
        start
            .and_then(|start| self.bytes.get_mut(start..start.checked_add(len)?))
            .ok_or(super::OutOfRange)
    }
}

impl Shards for MemoryShards {
    type Error = super::OutOfRange;

    fn read(&mut self, shard: u32, offset: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(self.part(shard, offset, bytes.len())?);
        Ok(())
    }

    fn write(&mut self, shard: u32, offset: u64, bytes: &[u8]) -> Result<(), Self::Error> {
        self.part(shard, offset, bytes.len())?
            .copy_from_slice(bytes);
        Ok(())
    }
}
