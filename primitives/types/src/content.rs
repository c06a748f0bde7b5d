// SPDX-License-Identifier: Apache-2.0

//! Content: what tasks ask and what miners answer, named by hash.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The BLAKE3 hash of a piece of content.
pub type ContentHash = [u8; 32];

/// The most bytes a piece of content may have inline, on chain.
pub const MAX_INLINE: u32 = 2_048;
/// The most bytes of a locator.
pub const MAX_LOCATOR: u32 = 256;
/// The most bytes a piece of content may have: 64 MiB.
pub const MAX_CONTENT: u32 = 64 * 1024 * 1024;
/// The fewest bytes a piece of content may have.
pub const MIN_CONTENT: u32 = 10;

/// A reference to content: its BLAKE3 hash and size, and where to find it. The chain keeps the
/// bytes only where they are few and given inline.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct ContentRef {
    /// BLAKE3 of the content.
    #[serde(with = "crate::json::hash")]
    pub hash: ContentHash,
    /// Length of the content in bytes.
    pub size: u32,
    /// The content itself; empty when it is kept elsewhere.
    #[serde(with = "crate::json::bytes")]
    pub inline: BoundedVec<u8, ConstU32<MAX_INLINE>>,
    /// A hint where to fetch the content; empty when there is none.
    #[serde(with = "crate::json::text")]
    pub locator: BoundedVec<u8, ConstU32<MAX_LOCATOR>>,
}

/// The reasons to refuse a content reference.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContentError {
    /// Fewer than [`MIN_CONTENT`] bytes.
    TooSmall,
    /// More than [`MAX_CONTENT`] bytes.
    TooLarge,
    /// Inline bytes whose length or hash is not the one stated.
    Mismatch,
    /// Neither inline bytes nor a locator: no one could ever fetch it.
    Unreachable,
}

impl ContentRef {
    /// A reference to `bytes`, carried inline. `None` when they do not fit.
    pub fn inline(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            hash: content_hash(bytes),
            size: u32::try_from(bytes.len()).ok()?,
            inline: BoundedVec::try_from(bytes.to_vec()).ok()?,
            locator: BoundedVec::new(),
        })
    }

    /// A reference to `bytes`, kept elsewhere under `locator`. `None` when the locator is longer
    /// than [`MAX_LOCATOR`] or the content longer than 4 GiB.
    pub fn located(bytes: &[u8], locator: &[u8]) -> Option<Self> {
        Some(Self {
            hash: content_hash(bytes),
            size: u32::try_from(bytes.len()).ok()?,
            inline: BoundedVec::new(),
            locator: BoundedVec::try_from(locator.to_vec()).ok()?,
        })
    }

    /// Checks sizes, reachability and, for inline content, the hash.
    pub fn check(&self) -> Result<(), ContentError> {
        if self.size < MIN_CONTENT {
            return Err(ContentError::TooSmall);
        }
        if self.size > MAX_CONTENT {
            return Err(ContentError::TooLarge);
        }
        if self.inline.is_empty() {
            return if self.locator.is_empty() {
                Err(ContentError::Unreachable)
            } else {
                Ok(())
            };
        }
        let honest = usize::try_from(self.size) == Ok(self.inline.len())
            && content_hash(&self.inline) == self.hash;
        honest.then_some(()).ok_or(ContentError::Mismatch)
    }
}

/// BLAKE3 of `bytes`.
pub fn content_hash(bytes: &[u8]) -> ContentHash {
    *blake3::hash(bytes).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked_at_both_ends() {
        assert_eq!(
            ContentRef::inline(&[1; 9]).unwrap().check(),
            Err(ContentError::TooSmall)
        );
        assert_eq!(ContentRef::inline(&[1; 10]).unwrap().check(), Ok(()));
        assert_eq!(ContentRef::inline(&[1; 2_048]).unwrap().check(), Ok(()));
        assert_eq!(ContentRef::inline(&[1; 2_049]), None);
        let mut far = ContentRef::located(&[1; 10], b"peer").unwrap();
        far.size = MAX_CONTENT;
        assert_eq!(far.check(), Ok(()));
        far.size += 1;
        assert_eq!(far.check(), Err(ContentError::TooLarge));
    }

    #[test]
    fn inline_bytes_must_match_hash_and_size() {
        let good = ContentRef::inline(b"an honest answer").unwrap();
        let mut bad = good.clone();
        bad.hash[0] ^= 1;
        assert_eq!(bad.check(), Err(ContentError::Mismatch));
        let mut bad = good;
        bad.size += 1;
        assert_eq!(bad.check(), Err(ContentError::Mismatch));
    }

    #[test]
    fn content_nobody_can_fetch_is_refused() {
        let nowhere = ContentRef::located(&[1; 10], b"").unwrap();
        assert_eq!(nowhere.check(), Err(ContentError::Unreachable));
    }
}
