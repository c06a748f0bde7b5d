// SPDX-License-Identifier: Apache-2.0

//! Domain-separated BLAKE3.
//!
//! A key that is the padded tag itself separates domains as well as a random one would, costs no
//! extra compression, and needs no table of constants: one 64-byte word or one pair of hashes is exactly
//! one BLAKE3 compression.

use crate::{Hash, Word};

/// The ASCII of `tag`, padded with zero bytes.
///
/// Panics when the tag is longer than 32 bytes, which fails the build: it is used in constants only.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // at compile time
const fn key(tag: &str) -> Hash {
    let (bytes, mut key, mut i) = (tag.as_bytes(), [0; 32], 0);
    while i < bytes.len() {
        key[i] = bytes[i];
        i += 1;
    }
    key
}

/// The leaf of one word.
pub const LEAF: Hash = key("tos/storage/leaf/v1");
/// An inner node of a word tree.
pub const NODE: Hash = key("tos/storage/node/v1");
/// The leaf that fills a word tree up to a power of two: `H(tag, "")`.
pub const EMPTY: Hash = key("tos/storage/empty/v1");
/// The root of a word tree, with its length.
pub const ROOT: Hash = key("tos/storage/root/v1");
/// The stream of challenges.
pub const CHALLENGE: Hash = key("tos/storage/challenge/v1");
/// The seed of one replica in one window.
pub const SEED: Hash = key("tos/storage/seed/v1");
/// The payload that a compact proof signs.
pub const SIGN: Hash = key("tos/storage/sign/v1");
/// The digest of a response.
pub const RESPONSE: Hash = key("tos/storage/response/v1");
/// The leaf of a replica in a window.
pub const WINDOW_LEAF: Hash = key("tos/storage/window/leaf/v1");
/// A position without a leaf: `H(tag, "")`.
pub const WINDOW_EMPTY: Hash = key("tos/storage/window/empty/v1");
/// An inner node between leaves and global root.
pub const WINDOW_NODE: Hash = key("tos/storage/window/node/v1");
/// The root of a group.
pub const GROUP: Hash = key("tos/storage/window/group/v1");
/// The root of a region.
pub const REGION: Hash = key("tos/storage/window/region/v1");
/// The global root of a window.
pub const GLOBAL: Hash = key("tos/storage/window/global/v1");
/// A leaf of the mountain range of window roots.
pub const MMR_LEAF: Hash = key("tos/storage/mmr/leaf/v1");
/// An inner node of a mountain.
pub const MMR_NODE: Hash = key("tos/storage/mmr/node/v1");
/// The root of the mountain range.
pub const MMR_ROOT: Hash = key("tos/storage/mmr/root/v1");
/// The place of a replica in a window, in the 136-byte record.
pub const POSITION: Hash = key("tos/storage/position/v1");

/// `H(tag, bytes)`.
pub fn keyed(tag: &Hash, bytes: &[u8]) -> Hash {
    *blake3::keyed_hash(tag, bytes).as_bytes()
}

/// `H(tag, parts[0] ‖ parts[1] ‖ …)`. The parts are not delimited: all but the last must have a
/// fixed length.
pub fn keyed_parts(tag: &Hash, parts: &[&[u8]]) -> Hash {
    let mut hasher = blake3::Hasher::new_keyed(tag);
    for part in parts {
        hasher.update(part);
    }
    *hasher.finalize().as_bytes()
}

/// `H(tag, left ‖ right)`.
pub fn pair(tag: &Hash, left: &Hash, right: &Hash) -> Hash {
    let mut both: Word = [0; 64];
    let (first, second) = both.split_at_mut(32);
    first.copy_from_slice(left);
    second.copy_from_slice(right);
    keyed(tag, &both)
}
