// SPDX-License-Identifier: Apache-2.0

//! The fine root and openings of fine segments under it.

use crate::{Hash, State, FINE};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use scale_info::TypeInfo;

/// The most siblings of an opening that are decoded or looked at: two for each level of a tree of
/// 320 leaves. (Fifteen is the most that a right opening has.)
pub const MAX_SIBLINGS: usize = 18;

fn leaf(state: &State) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"posc/vdf/leaf");
    hasher.update(state);
    *hasher.finalize().as_bytes()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"posc/vdf/node");
    hasher.update(left);
    hasher.update(right);
    *hasher.finalize().as_bytes()
}

/// The next level: pairs are hashed, an odd last node goes up unchanged.
fn level_above(level: &[Hash]) -> Vec<Hash> {
    level
        .chunks(2)
        .filter_map(|pair| match pair {
            [left, right] => Some(node(left, right)),
            [last] => Some(*last),
            _ => None,
        })
        .collect()
}

/// The Merkle root of the end states of a slot's fine segments; zero for none.
pub fn fine_root(fine: &[State]) -> Hash {
    let mut level: Vec<Hash> = fine.iter().map(leaf).collect();
    while level.len() > 1 {
        level = level_above(&level);
    }
    level.first().copied().unwrap_or_default()
}

/// One fine segment of a slot, proved to lie under the slot's fine root. Whether it is a right
/// piece of the walk is another question, which [`crate::verify_segments`] answers.
#[derive(Clone, PartialEq, Eq, Debug, Encode, TypeInfo)]
pub struct SpotOpening {
    /// The number of the fine segment, from 0.
    pub index: u16,
    /// The state before it: the slot's start when `index` is 0.
    pub start: State,
    /// The state after it.
    pub end: State,
    /// At most [`MAX_SIBLINGS`]: from the leaves up, in each level from left to right.
    pub siblings: Vec<Hash>,
}

impl Decode for SpotOpening {
    fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
        let index = u16::decode(input)?;
        let start = State::decode(input)?;
        let end = State::decode(input)?;
        let count = codec::Compact::<u32>::decode(input)?.0;
        if count > MAX_SIBLINGS as u32 {
            return Err("too many siblings".into());
        }
        let siblings = (0..count)
            .map(|_| Hash::decode(input))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            index,
            start,
            end,
            siblings,
        })
    }
}

impl DecodeWithMemTracking for SpotOpening {}

impl MaxEncodedLen for SpotOpening {
    fn max_encoded_len() -> usize {
        // Index, two states, the count in one byte, the siblings.
        2 + 64 + 64 + 1 + 32 * MAX_SIBLINGS
    }
}

/// Walks the tree from the known leaves to its root, asking `sibling(level, index)` for each node
/// that cannot be computed. `known` holds one leaf, or two neighbours, ascending.
fn climb(
    mut known: Vec<(usize, Hash)>,
    mut sibling: impl FnMut(usize, usize) -> Option<Hash>,
) -> Option<Hash> {
    let mut width = FINE;
    let mut level = 0usize;
    while width > 1 {
        let mut above = Vec::with_capacity(2);
        let mut left: Option<(usize, Hash)> = None;
        for (index, hash) in known {
            // The left neighbour was held back if this one is its sibling.
            let hash = match left.take() {
                Some((_, left)) => node(&left, &hash),
                None => {
                    let other = index ^ 1;
                    if other >= width {
                        hash
                    } else if other < index {
                        node(&sibling(level, other)?, &hash)
                    } else {
                        left = Some((index, hash));
                        continue;
                    }
                }
            };
            above.push((index / 2, hash));
        }
        if let Some((index, hash)) = left {
            above.push((index / 2, node(&hash, &sibling(level, index | 1)?)));
        }
        known = above;
        width = width.div_ceil(2);
        level = level.saturating_add(1);
    }
    match known.as_slice() {
        [(_, root)] => Some(*root),
        _ => None,
    }
}

/// The leaves that an opening of segment `index` proves; `None` for an index out of range.
fn leaves(index: u16, start: &State, end: &State) -> Option<Vec<(usize, Hash)>> {
    let index = usize::from(index);
    if index >= FINE {
        return None;
    }
    let mut known = Vec::with_capacity(2);
    if let Some(before) = index.checked_sub(1) {
        known.push((before, leaf(start)));
    }
    known.push((index, leaf(end)));
    Some(known)
}

/// Opens fine segment `index` of a slot, given the end states of all 320; `None` when there is no
/// such segment or there are not 320 states.
pub fn open_spot(slot_start: &State, fine: &[State], index: u16) -> Option<SpotOpening> {
    if fine.len() != FINE {
        return None;
    }
    let end = *fine.get(usize::from(index))?;
    let start = match usize::from(index).checked_sub(1) {
        Some(before) => *fine.get(before)?,
        None => *slot_start,
    };
    let mut levels: Vec<Vec<Hash>> = Vec::new();
    let mut level: Vec<Hash> = fine.iter().map(leaf).collect();
    while level.len() > 1 {
        let above = level_above(&level);
        levels.push(level);
        level = above;
    }
    let mut siblings = Vec::new();
    climb(leaves(index, &start, &end)?, |level, index| {
        let hash = *levels.get(level)?.get(index)?;
        siblings.push(hash);
        Some(hash)
    })?;
    Some(SpotOpening {
        index,
        start,
        end,
        siblings,
    })
}

/// `true` if the opened segment lies under `fine_root`, and starts at `slot_start` if it is the
/// first. The Merkle part alone: that the segment is right is for [`crate::verify_segments`].
pub fn verify_spot_opening(fine_root: &Hash, slot_start: &State, opening: &SpotOpening) -> bool {
    if opening.siblings.len() > MAX_SIBLINGS {
        return false;
    }
    if opening.index == 0 && opening.start != *slot_start {
        return false;
    }
    let Some(known) = leaves(opening.index, &opening.start, &opening.end) else {
        return false;
    };
    let mut siblings = opening.siblings.iter();
    let root = climb(known, |_, _| siblings.next().copied());
    root.as_ref() == Some(fine_root) && siblings.next().is_none()
}
