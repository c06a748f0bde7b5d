// SPDX-License-Identifier: Apache-2.0

//! How far a long operation has come.

/// What is being done.
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
    /// What is being done.
    pub stage: Stage,
    /// How much is done, in bytes; for [`Stage::Prove`] in replicas.
    pub done: u64,
    /// How much there is to do, in the same unit.
    pub total: u64,
}

/// Who wants to know. `&mut |_| ()` for nobody.
pub type Watch<'a> = &'a mut dyn FnMut(Progress);
