// SPDX-License-Identifier: Apache-2.0

//! A Merkle mountain range: an append-only list of window roots of which only the peaks are kept.
//!
//! * leaf: `H(MMR_LEAF, index u64 ‖ value)`; node: `H(MMR_NODE, left ‖ right)`;
//! * n leaves form one full tree for every bit of n that is set, the largest first;
//! * root: `H(MMR_ROOT, n u64 ‖ peak ‖ peak ‖ …)`, largest tree first.

use crate::{hash, Hash};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most peaks.
const MAX_PEAKS: usize = 64;

/// The peaks of the range.
#[derive(Clone, Default, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct Mmr {
    leaves: u64,
    peaks: Vec<Hash>,
}

impl Decode for Mmr {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let leaves = u64::decode(input)?;
        let count = codec::Compact::<u32>::decode(input)?.0;
        if count != leaves.count_ones() {
            return Err("a mountain range has one peak per bit of its length".into());
        }
        let peaks = (0..count)
            .map(|_| Hash::decode(input))
            .collect::<Result<_, _>>()?;
        Ok(Self { leaves, peaks })
    }
}

impl DecodeWithMemTracking for Mmr {}

impl MaxEncodedLen for Mmr {
    fn max_encoded_len() -> usize {
        // The count of peaks takes one byte up to 63 and two for 64.
        8usize
            .saturating_add(2)
            .saturating_add(MAX_PEAKS.saturating_mul(32))
    }
}

fn leaf(index: u64, value: &Hash) -> Hash {
    hash::keyed_parts(&hash::MMR_LEAF, &[&index.to_le_bytes(), value])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash::pair(&hash::MMR_NODE, left, right)
}

fn root<'a>(leaves: u64, peaks: impl Iterator<Item = &'a Hash>) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(&hash::MMR_ROOT);
    hasher.update(&leaves.to_le_bytes());
    peaks.for_each(|peak| {
        hasher.update(peak);
    });
    *hasher.finalize().as_bytes()
}

impl Mmr {
    /// An empty range.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of values appended.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// The tops of the full trees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends a value and returns its index; `None` when 2^64−1 are there.
    pub fn append(&mut self, value: &Hash) -> Option<u64> {
        let index = self.leaves;
        self.leaves = index.checked_add(1)?;
        let mut hash = leaf(index, value);
        for _ in 0..index.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        Some(index)
    }

    /// The root; it binds the length.
    pub fn root(&self) -> Hash {
        root(self.leaves, self.peaks.iter())
    }

    /// Proves the value at `index` of the range over `values`; `None` if there is none.
    pub fn prove(values: &[Hash], index: u64) -> Option<MmrProof> {
        let (height, start) = mountain(values.len() as u64, index)?;
        let mut range = Self::new();
        for value in values {
            range.append(value)?;
        }
        let own = peak_index(values.len() as u64, height);
        let mut peaks = range.peaks;
        (own < peaks.len()).then(|| peaks.remove(own))?;

        let end = start.checked_add(1u64.checked_shl(height)?)?;
        let mut level: Vec<Hash> = (start..end)
            .map(|at| Some(leaf(at, values.get(usize::try_from(at).ok()?)?)))
            .collect::<Option<_>>()?;
        let mut at = usize::try_from(index.checked_sub(start)?).ok()?;
        let mut siblings = Vec::new();
        while level.len() > 1 {
            siblings.push(*level.get(at ^ 1)?);
            at >>= 1;
            let (pairs, _) = level.as_chunks::<2>();
            level = pairs.iter().map(|[l, r]| node(l, r)).collect();
        }
        Some(MmrProof { siblings, peaks })
    }
}

/// Height and first leaf of the full tree that holds leaf `index` of `leaves`.
fn mountain(leaves: u64, index: u64) -> Option<(u32, u64)> {
    let mut start = 0u64;
    for height in (0..u64::BITS).rev() {
        let size = 1u64.checked_shl(height)?;
        if leaves & size != 0 {
            let end = start.checked_add(size)?;
            if index < end {
                return Some((height, start));
            }
            start = end;
        }
    }
    None
}

/// The place of the tree of this height among the peaks.
fn peak_index(leaves: u64, height: u32) -> usize {
    let larger = leaves
        .checked_shr(height.saturating_add(1))
        .unwrap_or_default();
    larger.count_ones() as usize
}

/// Proves one value of a range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MmrProof {
    /// From the leaf to the peak of its tree.
    pub siblings: Vec<Hash>,
    /// The other peaks, largest tree first.
    pub peaks: Vec<Hash>,
}

impl MmrProof {
    /// `siblings ‖ peaks`; length of the range and index tell them apart.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.siblings.as_flattened(), self.peaks.as_flattened()].concat()
    }

    /// Reads the proof of `index` of a range of `leaves`; `None` unless both are possible and the length is
    /// exactly right.
    pub fn from_bytes(leaves: u64, index: u64, bytes: &[u8]) -> Option<Self> {
        let (height, _) = mountain(leaves, index)?;
        let (hashes, []) = bytes.as_chunks::<32>() else {
            return None;
        };
        let (siblings, peaks) = hashes.split_at_checked(height as usize)?;
        let others = leaves.count_ones().checked_sub(1)?;
        (peaks.len() == others as usize).then(|| Self {
            siblings: siblings.to_vec(),
            peaks: peaks.to_vec(),
        })
    }

    /// `true` if `value` is the one at `index` of the range of `leaves` values with this root.
    pub fn verify(&self, range_root: &Hash, leaves: u64, index: u64, value: &Hash) -> bool {
        let Some((height, start)) = mountain(leaves, index) else {
            return false;
        };
        let others = leaves.count_ones().saturating_sub(1);
        if self.siblings.len() != height as usize || self.peaks.len() != others as usize {
            return false;
        }
        let mut at = index.saturating_sub(start);
        let peak = self
            .siblings
            .iter()
            .fold(leaf(index, value), |hash, sibling| {
                let left = at & 1 == 0;
                at >>= 1;
                match left {
                    true => node(&hash, sibling),
                    false => node(sibling, &hash),
                }
            });
        let own = peak_index(leaves, height);
        let larger = self.peaks.iter().take(own);
        let peaks = larger.chain([&peak]).chain(self.peaks.iter().skip(own));
        root(leaves, peaks) == *range_root
    }
}
