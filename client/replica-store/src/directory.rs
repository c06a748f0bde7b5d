// SPDX-License-Identifier: Apache-2.0

//! Directory of a store: its replicas and deals, and what is being changed.

use crate::{
    error::hex,
    files::Files,
    format::{Meta, StoreHeader, META_BYTES},
    Error, Hash, ReplicaId,
};
use std::{
    collections::{btree_map::Entry, BTreeMap},
    path::{Path, PathBuf},
    sync::{atomic::AtomicU64, Mutex, MutexGuard, PoisonError},
};
use tos_storage_proofs::{Binding, Sealer};

pub(crate) struct Inner {
    pub files: Files,
    pub dir: PathBuf,
    pub header: StoreHeader,
    pub sync_every: u64,
    pub sealer: Mutex<Option<Sealer>>,
    /// Replicas and deals that are being changed; `true` if that is to stop.
    pub busy: Mutex<BTreeMap<ReplicaId, bool>>,
    /// Bytes that nothing large may use.
    pub keep_free: AtomicU64,
    /// Held while a group root is made: two threads must not make two.
    pub folding: Mutex<()>,
    pub _lock: Box<dyn Send + Sync>,
}

/// Whatever a panicking thread left behind is checked where it is used.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn parse_id(name: &str) -> Option<ReplicaId> {
    let digits = name.as_bytes();
    if digits.len() != 32 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    let mut id = [0; 16];
    for (byte, [high, low]) in id.iter_mut().zip(digits.as_chunks::<2>().0) {
        let digit = |c: &u8| {
            char::from(*c)
                .to_digit(16)
                .and_then(|d| u8::try_from(d).ok())
        };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(id)
}

/// Exclusive right to change a replica, until dropped.
pub(crate) struct Busy<'a> {
    inner: &'a Inner,
    id: ReplicaId,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        lock(&self.inner.busy).remove(&self.id);
    }
}

impl Inner {
    /// The directory of a replica.
    pub fn folder(&self, id: &ReplicaId) -> PathBuf {
        let name = hex(id);
        let prefix = name.get(..2).unwrap_or_default();
        self.dir.join("replicas").join(prefix).join(&name)
    }

    pub fn binding(&self, id: &ReplicaId) -> Binding {
        Binding {
            prover: self.header.provider,
            chain: self.header.genesis,
            replica: *id,
        }
    }

    pub fn reserve(&self, id: &ReplicaId) -> Result<Busy<'_>, Error> {
        match lock(&self.busy).entry(*id) {
            Entry::Vacant(free) => {
                free.insert(false);
                Ok(Busy {
                    inner: self,
                    id: *id,
                })
            }
            Entry::Occupied(_) => Err(Error::Busy(*id)),
        }
    }

    /// Long work asks this now and then.
    ///
    /// # Errors
    /// [`Error::Stopped`] if it is to stop.
    pub fn go_on(&self, id: &ReplicaId) -> Result<(), Error> {
        match lock(&self.busy).get(id) {
            Some(true) => Err(Error::Stopped(*id)),
            _ => Ok(()),
        }
    }

    /// Seals or unseals a unit in place. One unit at a time in the whole store, for there is one
    /// buffer.
    pub fn apply(&self, key: &Hash, unit: &mut [u8]) -> Result<(), Error> {
        let mut slot = lock(&self.sealer);
        let sealer = match &mut *slot {
            Some(sealer) => sealer,
            None => slot.insert(Sealer::new(&self.header.params)?),
        };
        Ok(sealer.apply(key, unit)?)
    }

    pub fn meta(&self, id: &ReplicaId) -> Result<Option<Meta>, Error> {
        let folder = self.folder(id);
        match self.meta_in(&folder)? {
            Some(meta) if meta.replica != *id => Err(Error::Format {
                path: folder.join("meta"),
                what: "it describes another replica",
            }),
            meta => Ok(meta),
        }
    }

    /// The `meta` of any directory.
    pub fn meta_in(&self, folder: &Path) -> Result<Option<Meta>, Error> {
        let path = folder.join("meta");
        let Some(bytes) = self.files.load(&path, META_BYTES as u64 + 1)? else {
            return Ok(None);
        };
        Meta::from_bytes(&bytes, &path).map(Some)
    }

    pub fn write_meta(&self, meta: &Meta) -> Result<(), Error> {
        self.write_meta_in(&self.folder(&meta.replica), meta)
    }

    pub fn write_meta_in(&self, folder: &Path, meta: &Meta) -> Result<(), Error> {
        self.files.replace(&folder.join("meta"), &meta.to_bytes())
    }

    /// Removes the directory of a replica.
    pub fn clear(&self, id: &ReplicaId) -> Result<(), Error> {
        self.clear_folder(&self.folder(id))
    }

    /// Removes a directory, `meta` first: without it nothing else counts.
    pub fn clear_folder(&self, folder: &Path) -> Result<(), Error> {
        self.files.remove(&folder.join("meta"))?;
        for name in self.files.list(folder)? {
            self.files.remove(&folder.join(name))?;
        }
        self.files.remove_dir(folder)?;
        match folder.parent() {
            Some(prefix) if !self.files.list(prefix)?.is_empty() => self.files.sync_dir(prefix),
            _ => Ok(()),
        }
    }
}
