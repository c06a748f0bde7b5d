// SPDX-License-Identifier: Apache-2.0

//! Progress of a long operation.

/// Stage of a long operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Content is read and hashed.
    Fetch,
    /// Recovery chunks are computed.
    Encode,
    /// The tree of the coded sequence is built.
    Commit,
    /// Units are sealed.
    Seal,
    /// Chunks are compared with the tree.
    Check,
    /// Units are unsealed.
    Unseal,
    /// Missing chunks are computed from the code.
    Restore,
    /// Group members are proven.
    Prove,
}

/// A step of a long operation. Stages follow one another; within one, `done` grows up to `total`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// The stage.
    pub stage: Stage,
    /// The part that is done, in bytes; for [`Stage::Prove`] in replicas.
    pub done: u64,
    /// The whole, in the same unit.
    pub total: u64,
}

/// Receiver of progress. `&mut |_| ()` ignores it.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);
