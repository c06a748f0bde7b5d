// SPDX-License-Identifier: Apache-2.0

//! The answers of providers, and the payloads they sign.

use super::{GroupId, GroupPath, ResponseBytes, Window};
use crate::ReplicaId;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use polkadot_sdk::sp_crypto_hashing::blake2_256;
use scale_info::TypeInfo;

/// The answer to a seal challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SealAnswer {
    /// The replica.
    pub replica: ReplicaId,
    /// `tos_storage_proofs::SealOpening` of the words the challenge's seed asks for.
    pub opening: ResponseBytes,
    /// By the provider's proof key, over [`seal_payload`].
    pub signature: [u8; 64],
}

/// The answer to a window challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct WindowAnswer {
    /// The replica.
    pub replica: ReplicaId,
    /// The window.
    pub window: Window,
    /// The replica's leaf in the window before, zero in its first.
    pub previous: [u8; 32],
    /// From the leaf to the group's root.
    pub path: GroupPath,
    /// The committee proof whose digest is in the leaf.
    pub proof: ResponseBytes,
    /// By the provider's proof key, over [`window_payload`].
    pub signature: [u8; 64],
}

/// A group root with its provider's signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SignedRoot {
    /// The root.
    pub root: [u8; 32],
    /// By the provider's proof key, over [`group_payload`].
    pub signature: [u8; 64],
}

/// The payload signed for a group root: BLAKE2b-256 of the SCALE encoding of
/// `("tos/storage/group/v1", chain, window, group, root)`, the text without a length.
pub fn group_payload(
    chain: &[u8; 32],
    window: Window,
    group: GroupId,
    root: &[u8; 32],
) -> [u8; 32] {
    (*b"tos/storage/group/v1", chain, window, group, root).using_encoded(blake2_256)
}

/// The payload signed for a seal answer: as [`group_payload`], of
/// `("tos/storage/opening/v1", chain, replica, seed, BLAKE2b-256 of the opening)`; `seed` is the
/// challenge's replica seed.
pub fn seal_payload(
    chain: &[u8; 32],
    replica: &ReplicaId,
    seed: &[u8; 32],
    opening: &[u8],
) -> [u8; 32] {
    let digest = blake2_256(opening);
    (*b"tos/storage/opening/v1", chain, replica, seed, digest).using_encoded(blake2_256)
}

/// The payload signed for a window answer: as [`group_payload`], of
/// `("tos/storage/answer/v1", chain, replica, window, previous leaf, BLAKE2b-256 of the proof)`.
/// The path needs no signature: only one leads to the root.
pub fn window_payload(
    chain: &[u8; 32],
    replica: &ReplicaId,
    window: Window,
    previous: &[u8; 32],
    proof: &[u8],
) -> [u8; 32] {
    let digest = blake2_256(proof);
    (
        *b"tos/storage/answer/v1",
        chain,
        replica,
        window,
        previous,
        digest,
    )
        .using_encoded(blake2_256)
}
