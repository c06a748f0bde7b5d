// SPDX-License-Identifier: Apache-2.0

//! Four levels from one replica's response to the global root of a window.
//!
//! * leaf: `H(WINDOW_LEAF, replica ‖ window u64 ‖ sealed root ‖ response digest ‖ previous leaf)`; the previous leaf
//!   of a replica's first window is zero;
//! * group: a tree of 1,024 leaves, the first 1,000 usable, absent ones `H(WINDOW_EMPTY, "")`;
//!   root `H(GROUP, top)`; a group that handed in nothing has the root `H(GROUP, "")`;
//! * region: a tree of 16 group roots, the first 10 usable, the others `H(GROUP, "")`; root `H(REGION, top)`;
//! * global: a tree of 2^bits region roots, bits = ⌈log2 regions⌉, absent ones the root of a region of
//!   absent groups; root `H(GLOBAL, bits as u8 ‖ top)`.
//!
//! Inner nodes are `H(WINDOW_NODE, left ‖ right)`. Every level ends in a tag of its own and the global root
//! binds its depth, so a path has one possible length and no node passes for one of another level.
//! Order is by position alone: position = group · 1,000 + place in the group.

use crate::{hash, Hash, ReplicaId};
use alloc::{vec, vec::Vec};
use core::fmt;

/// The positions of a group.
pub const GROUP_SIZE: u32 = 1_000;
/// The groups of a region.
pub const REGION_GROUPS: u32 = 10;
/// The most regions.
pub const MAX_REGIONS: u32 = 1_024;
/// The most groups.
pub const MAX_GROUPS: u32 = 10_240;
/// The levels of a group's tree.
pub const GROUP_DEPTH: u32 = 10;
/// The levels of a region's tree.
pub const REGION_DEPTH: u32 = 4;
/// The most hashes of a path.
pub const MAX_PATH: usize = 24;

/// From a leaf to the global root: 10 hashes in the group, 4 in the region, the rest above.
pub type InclusionPath = Vec<Hash>;

/// The reasons for which leaves or groups cannot be folded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FoldError {
    /// Positions are not strictly ascending.
    Order,
    /// A position or a number of groups or regions is out of range.
    Range,
}

impl fmt::Display for FoldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Order => "positions are not strictly ascending",
            Self::Range => "a position is out of range",
        })
    }
}

impl core::error::Error for FoldError {}

/// The digest of a response: `H(RESPONSE, proof)`.
pub fn response_digest(proof: &[u8]) -> Hash {
    hash::keyed(&hash::RESPONSE, proof)
}

/// The leaf of one replica in one window.
pub fn leaf(
    replica: &ReplicaId,
    window: u64,
    sealed_root: &Hash,
    response: &Hash,
    previous: &Hash,
) -> Hash {
    let window = window.to_le_bytes();
    hash::keyed_parts(
        &hash::WINDOW_LEAF,
        &[replica, &window, sealed_root, response, previous],
    )
}

/// The leaf of a position without a replica.
pub fn absent_leaf() -> Hash {
    hash::keyed(&hash::WINDOW_EMPTY, &[])
}

/// The root of a group that handed in nothing, or does not exist.
pub fn missing_group() -> Hash {
    hash::keyed(&hash::GROUP, &[])
}

fn node(left: &Hash, right: &Hash) -> Hash {
    hash::pair(&hash::WINDOW_NODE, left, right)
}

/// All levels of the tree over `leaves`, filled up with `filling` to 2^depth, leaves first. The last
/// level has one node. Levels are kept without their filling.
fn levels(mut level: Vec<Hash>, mut filling: Hash, depth: u32) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for _ in 0..depth {
        let (pairs, rest) = level.as_chunks::<2>();
        let mut above: Vec<Hash> = pairs.iter().map(|[l, r]| node(l, r)).collect();
        above.extend(rest.first().map(|left| node(left, &filling)));
        filling = node(&filling, &filling);
        all.push(core::mem::replace(&mut level, above));
    }
    if level.is_empty() {
        level.push(filling);
    }
    all.push(level);
    all
}

fn top(leaves: Vec<Hash>, filling: Hash, depth: u32) -> Hash {
    let levels = levels(leaves, filling, depth);
    // The last level has one node.
    levels
        .last()
        .and_then(|level| level.first())
        .copied()
        .unwrap_or(filling)
}

/// The siblings on the way from `index` to the top.
fn path(leaves: Vec<Hash>, mut filling: Hash, depth: u32, index: u32) -> Vec<Hash> {
    let levels = levels(leaves, filling, depth);
    let mut siblings = Vec::new();
    let below_top = levels.iter().take(depth as usize);
    for (height, level) in below_top.enumerate() {
        let neighbour = (index >> height) ^ 1;
        siblings.push(level.get(neighbour as usize).copied().unwrap_or(filling));
        filling = node(&filling, &filling);
    }
    siblings
}

/// The leaves of a group in order of their places, absent ones filled in up to the last.
fn places(leaves: &[(u32, Hash)]) -> Result<Vec<Hash>, FoldError> {
    let absent = absent_leaf();
    let mut filled = Vec::new();
    for (place, leaf) in leaves {
        if *place >= GROUP_SIZE {
            return Err(FoldError::Range);
        }
        if filled.len() > *place as usize {
            return Err(FoldError::Order);
        }
        filled.resize(*place as usize, absent);
        filled.push(*leaf);
    }
    Ok(filled)
}

/// The root of a group from its leaves, as (place in the group, leaf), strictly ascending. No leaves at all
/// is [`missing_group`].
///
/// # Errors
/// Places are out of order or of range.
pub fn group_root(leaves: &[(u32, Hash)]) -> Result<Hash, FoldError> {
    if leaves.is_empty() {
        return Ok(missing_group());
    }
    let top = top(places(leaves)?, absent_leaf(), GROUP_DEPTH);
    Ok(hash::keyed(&hash::GROUP, &top))
}

/// The root of a region from the roots of its first groups.
///
/// # Errors
/// More than ten groups.
pub fn region_root(groups: &[Hash]) -> Result<Hash, FoldError> {
    if groups.len() > REGION_GROUPS as usize {
        return Err(FoldError::Range);
    }
    let top = top(groups.to_vec(), missing_group(), REGION_DEPTH);
    Ok(hash::keyed(&hash::REGION, &top))
}

/// ⌈log2 regions⌉, at least 0.
fn bits(regions: usize) -> Result<u32, FoldError> {
    match u32::try_from(regions) {
        Ok(regions) if regions <= MAX_REGIONS => Ok(crate::tree::depth(u64::from(regions.max(1)))),
        _ => Err(FoldError::Range),
    }
}

/// The global root over region roots.
///
/// # Errors
/// More than [`MAX_REGIONS`].
pub fn global_root(regions: &[Hash]) -> Result<Hash, FoldError> {
    let bits = bits(regions.len())?;
    let top = top(regions.to_vec(), region_root(&[])?, bits);
    Ok(global(bits, &top))
}

fn global(bits: u32, top: &Hash) -> Hash {
    // At most ten.
    let bits = u8::try_from(bits).unwrap_or(u8::MAX);
    hash::keyed_parts(&hash::GLOBAL, &[&[bits], top])
}

/// The roots of one window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roots {
    /// By number of the group, [`missing_group`] where there is none.
    pub groups: Vec<Hash>,
    /// By number of the region.
    pub regions: Vec<Hash>,
    /// Over all of them.
    pub global: Hash,
}

impl Roots {
    /// Folds group roots, by number.
    ///
    /// # Errors
    /// More than [`MAX_GROUPS`].
    pub fn of_groups(groups: Vec<Hash>) -> Result<Self, FoldError> {
        if groups.len() > MAX_GROUPS as usize {
            return Err(FoldError::Range);
        }
        let regions = groups
            .chunks(REGION_GROUPS as usize)
            .map(region_root)
            .collect::<Result<Vec<_>, _>>()?;
        let global = global_root(&regions)?;
        Ok(Self {
            groups,
            regions,
            global,
        })
    }
}

/// Cuts (position, leaf), strictly ascending, into (group, its leaves by place).
fn by_group(leaves: &[(u32, Hash)]) -> Result<Vec<Vec<(u32, Hash)>>, FoldError> {
    let mut groups = vec![];
    let mut last = None;
    for (position, leaf) in leaves {
        let group = position / GROUP_SIZE;
        if group >= MAX_GROUPS {
            return Err(FoldError::Range);
        }
        if last.is_some_and(|last| last >= *position) {
            return Err(FoldError::Order);
        }
        last = Some(*position);
        if groups.len() <= group as usize {
            groups.resize_with((group as usize).saturating_add(1), Vec::new);
        }
        if let Some(group) = groups.get_mut(group as usize) {
            group.push((position % GROUP_SIZE, *leaf));
        }
    }
    Ok(groups)
}

/// Folds all leaves of a window, as (position, leaf), strictly ascending.
///
/// # Errors
/// Positions are out of order or of range.
pub fn fold(leaves: &[(u32, Hash)]) -> Result<Roots, FoldError> {
    let groups = by_group(leaves)?;
    Roots::of_groups(
        groups
            .iter()
            .map(|group| group_root(group))
            .collect::<Result<_, _>>()?,
    )
}

/// The part of a path inside a group: 10 hashes. `leaves` as in [`group_root`].
///
/// # Errors
/// As [`group_root`], or the place is out of range.
pub fn group_path(leaves: &[(u32, Hash)], place: u32) -> Result<InclusionPath, FoldError> {
    if place >= GROUP_SIZE {
        return Err(FoldError::Range);
    }
    Ok(path(places(leaves)?, absent_leaf(), GROUP_DEPTH, place))
}

/// The part of a path above a group: 4 hashes and one per level of the global tree. `groups` are
/// all group roots by number.
///
/// # Errors
/// There is no such group, or too many.
pub fn upper_path(groups: &[Hash], group: u32) -> Result<InclusionPath, FoldError> {
    if group as usize >= groups.len() {
        return Err(FoldError::Range);
    }
    let roots = Roots::of_groups(groups.to_vec())?;
    let (region, place) = (group / REGION_GROUPS, group % REGION_GROUPS);
    let mut siblings = groups
        .chunks(REGION_GROUPS as usize)
        .nth(region as usize)
        .map(|groups| path(groups.to_vec(), missing_group(), REGION_DEPTH, place))
        .ok_or(FoldError::Range)?;
    let bits = bits(roots.regions.len())?;
    siblings.extend(path(roots.regions, region_root(&[])?, bits, region));
    Ok(siblings)
}

/// The path of one position; `leaves` as in [`fold`].
///
/// # Errors
/// As [`fold`], or there is no such group.
pub fn inclusion_path(leaves: &[(u32, Hash)], position: u32) -> Result<InclusionPath, FoldError> {
    let groups = by_group(leaves)?;
    let group = position / GROUP_SIZE;
    let own = groups.get(group as usize).ok_or(FoldError::Range)?;
    let mut siblings = group_path(own, position % GROUP_SIZE)?;
    siblings.extend(upper_path(&fold(leaves)?.groups, group)?);
    Ok(siblings)
}

/// Climbs from a node at `index`.
fn climb(node_below: Hash, index: u32, siblings: &[Hash]) -> Hash {
    let mut index = index;
    siblings.iter().fold(node_below, |hash, sibling| {
        let left = index & 1 == 0;
        index >>= 1;
        match left {
            true => node(&hash, sibling),
            false => node(sibling, &hash),
        }
    })
}

/// `true` if `leaf` stands at `place` of the group with root `group`; `path` has 10 hashes.
pub fn verify_group_inclusion(group: &Hash, leaf: &Hash, place: u32, path: &[Hash]) -> bool {
    place < GROUP_SIZE
        && path.len() == GROUP_DEPTH as usize
        && hash::keyed(&hash::GROUP, &climb(*leaf, place, path)) == *group
}

/// `true` if `leaf` stands at `position` under the global root of a window.
pub fn verify_inclusion(global_root: &Hash, leaf: &Hash, position: u32, path: &[Hash]) -> bool {
    let Some((in_group, above)) = path.split_at_checked(GROUP_DEPTH as usize) else {
        return false;
    };
    let Some((in_region, above)) = above.split_at_checked(REGION_DEPTH as usize) else {
        return false;
    };
    let group = position / GROUP_SIZE;
    let region = group / REGION_GROUPS;
    if path.len() > MAX_PATH || region.checked_shr(above.len() as u32) != Some(0) {
        return false;
    }
    let top = climb(*leaf, position % GROUP_SIZE, in_group);
    let top = climb(
        hash::keyed(&hash::GROUP, &top),
        group % REGION_GROUPS,
        in_region,
    );
    let top = climb(hash::keyed(&hash::REGION, &top), region, above);
    global(above.len() as u32, &top) == *global_root
}
