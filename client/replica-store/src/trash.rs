// SPDX-License-Identifier: Apache-2.0

//! Replicas that were given up lie in the trash for a while: `trash/ABCD…-SECONDS`, the replica's
//! directory as it was, and when it was put there, in seconds since 1970.
//!
//! Sealing takes hours and content that only this machine had may never be fetched again, so what
//! was given up by mistake must be there to be taken back. When it goes for good is the caller's
//! choice.

use crate::{
    directory::{parse_id, Inner},
    error::hex,
    store::Store,
    Error, ReplicaId,
};
use std::path::PathBuf;

/// A replica in the trash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Discarded {
    /// Time at which it was put there, in seconds since 1970.
    pub since: u64,
    /// The replica.
    pub replica: ReplicaId,
}

impl Store {
    /// Puts a replica into the trash, in whatever state it is; nothing happens if there is none. It
    /// keeps its space until [`Self::purge`]. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// The replica is being changed, or files cannot be moved: it is where it was, or in the trash.
    pub fn discard(&self, id: &ReplicaId, now: u64) -> Result<(), Error> {
        let (inner, files) = (&self.inner, &self.inner.files);
        let _busy = inner.reserve(id)?;
        let from = inner.folder(id);
        if files.list(&from)?.is_empty() {
            return inner.clear_folder(&from);
        }
        let trash = inner.dir.join("trash");
        files.create_dir(&trash)?;
        let mut entry = Discarded {
            since: now,
            replica: *id,
        };
        while !files.list(&inner.discarded(&entry))?.is_empty() {
            entry.since = entry.since.saturating_add(1);
        }
        files.rename(&from, &inner.discarded(&entry))?;
        match from.parent() {
            Some(prefix) => files.sync_dir(prefix),
            None => Ok(()),
        }
    }

    /// Contents of the trash, the oldest first.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn trash(&self) -> Result<Vec<Discarded>, Error> {
        let names = self.inner.files.list(&self.inner.dir.join("trash"))?;
        let parse = |name: &String| {
            let (id, since) = name.split_once('-')?;
            Some(Discarded {
                since: since.parse().ok()?,
                replica: parse_id(id)?,
            })
        };
        let mut found: Vec<_> = names.iter().filter_map(parse).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Takes a replica back out of the trash, in the state that it had.
    ///
    /// # Errors
    /// [`Error::Exists`] if the store has one with this id; [`Error::Unknown`] if it is not in the
    /// trash; it is being changed, or files cannot be moved.
    pub fn restore(&self, entry: &Discarded) -> Result<(), Error> {
        let (inner, files) = (&self.inner, &self.inner.files);
        let _busy = inner.reserve(&entry.replica)?;
        let (from, to) = (inner.discarded(entry), inner.folder(&entry.replica));
        if !files.list(&to)?.is_empty() {
            return Err(Error::Exists(entry.replica));
        }
        match inner.meta_in(&from)? {
            Some(meta) if meta.replica == entry.replica => {}
            _ => return Err(Error::Unknown(entry.replica)),
        }
        if let Some(prefix) = to.parent() {
            files.create_dir(prefix)?;
        }
        files.rename(&from, &to)?;
        files.sync_dir(&inner.dir.join("trash"))
    }

    /// Removes something in the trash for good and frees its space.
    ///
    /// # Errors
    /// The replica is being changed, or files cannot be removed; calling again goes on.
    pub fn purge(&self, entry: &Discarded) -> Result<(), Error> {
        let _busy = self.inner.reserve(&entry.replica)?;
        self.inner.clear_folder(&self.inner.discarded(entry))
    }
}

impl Inner {
    /// The directory of something in the trash.
    fn discarded(&self, entry: &Discarded) -> PathBuf {
        let name = format!("{}-{}", hex(&entry.replica), entry.since);
        self.dir.join("trash").join(name)
    }
}
