// SPDX-License-Identifier: Apache-2.0

//! Errors of storing, reading and proving.

use crate::{Hash, ReplicaId};
use std::{io, path::PathBuf};
use tos_storage_proofs::{aggregate::FoldError, ProofError, ProveError, SealError};

/// Reason for which something cannot be stored, read or proven.
///
/// An error about one replica says nothing about the others: a server of many carries on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system fails.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Error of the system.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error("{}: in use by another process", .0.display())]
    Locked(PathBuf),
    /// The store was made for another provider, another chain or other sealing parameters.
    #[error("{}: the store belongs to another {what}", path.display())]
    Foreign {
        /// The store's header.
        path: PathBuf,
        /// The part that differs.
        what: &'static str,
    },
    /// A file is not what its name says, or its checksum is wrong.
    #[error("{}: {what}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// The fault.
        what: &'static str,
    },
    /// A file was written by a newer version.
    #[error("{}: format version {found} is unknown", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u16,
    },
    /// There is no such replica.
    #[error("no replica {}", hex(.0))]
    Unknown(ReplicaId),
    /// The replica exists already, as something else than was asked for.
    #[error("replica {} exists with other content", hex(.0))]
    Exists(ReplicaId),
    /// The replica is not sealed yet, or its content has to be fetched again.
    #[error("replica {} is not ready: {what}", hex(replica))]
    State {
        /// The replica.
        replica: ReplicaId,
        /// The part that is missing.
        what: &'static str,
    },
    /// Something that writes to the replica is under way.
    #[error("replica {} is being changed", hex(.0))]
    Busy(ReplicaId),
    /// The disk has no room for it.
    #[error(
        "no room: {needed} bytes are needed and {reserved} reserved, but {free} bytes are free"
    )]
    Room {
        /// Bytes that it would still take.
        needed: u64,
        /// Bytes that other work has still to write, and those kept free
        /// ([`crate::Store::keep_free`]).
        reserved: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// It was asked to end, by [`crate::Store::stop`].
    #[error("work on {} was stopped", hex(.0))]
    Stopped(ReplicaId),
    /// The reader of the content or the writer for it fails.
    #[error("content: {0}")]
    Stream(io::Error),
    /// The content is shorter or longer than it should be.
    #[error("the content is not {expected} bytes long")]
    Length {
        /// The length that it should have, in bytes.
        expected: u64,
    },
    /// The content has another hash.
    #[error("the content has another hash than {}", hex(expected))]
    Content {
        /// The hash that it should have.
        expected: Hash,
    },
    /// The coded content has another root or length: the commitment is of no codeword of this
    /// content.
    #[error("the content does not have the coded commitment it should have")]
    Codeword,
    /// The content is empty or longer than a replica may be.
    #[error("content of {0} bytes cannot be stored")]
    Size(u64),
    /// Chunks are damaged.
    #[error("{chunks} chunks are damaged")]
    Damaged {
        /// Their number, as far as is known.
        chunks: u64,
    },
    /// Fewer than half of the chunks of a codeword are left, or the code restores something else.
    #[error("too much is damaged to restore the rest")]
    Lost,
    /// There is no such unit, word, chunk or byte.
    #[error("out of range")]
    Range,
    /// Sealing fails.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// The proof asked for is impossible.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// The leaves of a group cannot be folded.
    #[error("{0}")]
    Fold(#[from] FoldError),
    /// A window older than the last one of the group cannot be proven any more.
    #[error("group {group} has already proven window {last}")]
    Past {
        /// The group.
        group: u32,
        /// Its last window.
        last: u64,
    },
}

impl Error {
    /// Returns `true` if the stored data of the replica is wrong or unreadable, so that checking
    /// and repairing it may help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } | Self::Content { .. } | Self::Format { .. } => true,
            Self::Io { source, .. } => !no_room(source) && !passes(source),
            _ => false,
        }
    }

    /// `true` if the disk takes no more: it is full, a quota is used up, or it is read-only. Stored
    /// data is as right as before, and the same call succeeds when there is room.
    pub fn is_room(&self) -> bool {
        match self {
            Self::Room { .. } => true,
            Self::Io { source, .. } => no_room(source),
            _ => false,
        }
    }
}

fn no_room(error: &io::Error) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(
        error.kind(),
        StorageFull | QuotaExceeded | ReadOnlyFilesystem
    )
}

/// `true` if an error says nothing about the data: rights, memory, or files open at once.
fn passes(error: &io::Error) -> bool {
    use io::ErrorKind::{OutOfMemory, PermissionDenied};
    /// Too many open files in the system, and in the process; the same on all Unix systems.
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.kind(), OutOfMemory | PermissionDenied)
        || (cfg!(unix) && matches!(error.raw_os_error(), Some(ENFILE | EMFILE)))
}

impl From<ProveError<Error>> for Error {
    fn from(error: ProveError<Error>) -> Self {
        match error {
            ProveError::Refused(error) => Self::Proof(error),
            ProveError::Source(error) => error,
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
