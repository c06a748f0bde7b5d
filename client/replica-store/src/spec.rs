// SPDX-License-Identifier: Apache-2.0

//! Content that is to be kept: for a replica, and for a deal that has not been accepted yet.

use crate::{
    format::{Meta, State},
    Commitment, Hash, ReplicaId,
};

/// Specification of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicaSpec {
    /// Its id.
    pub replica: ReplicaId,
    /// The deal it is for.
    pub deal: [u8; 16],
    /// The BLAKE3 hash of the content.
    pub content: Hash,
    /// The bytes of the content, at least one.
    pub length: u64,
    /// The commitment to the coded sequence, which the client put into the deal.
    pub coded: Commitment,
}

impl ReplicaSpec {
    pub(crate) fn meta(&self, state: State) -> Meta {
        Meta {
            state,
            replica: self.replica,
            deal: self.deal,
            content: self.content,
            length: self.length,
            coded: self.coded,
            sealed_root: [0; 32],
        }
    }
}

/// Content that a deal is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StagedSpec {
    /// The deal.
    pub deal: [u8; 16],
    /// The BLAKE3 hash of the content.
    pub content: Hash,
    /// The bytes of the content, at least one.
    pub length: u64,
    /// The commitment to the coded sequence, which the client put into the deal.
    pub coded: Commitment,
}

impl StagedSpec {
    /// Content that a replica's deal is about.
    pub fn of(spec: &ReplicaSpec) -> Self {
        Self {
            deal: spec.deal,
            content: spec.content,
            length: spec.length,
            coded: spec.coded,
        }
    }

    pub(crate) fn meta(&self, state: State) -> Meta {
        Meta {
            state,
            // There is none yet.
            replica: [0; 16],
            deal: self.deal,
            content: self.content,
            length: self.length,
            coded: self.coded,
            sealed_root: [0; 32],
        }
    }
}
