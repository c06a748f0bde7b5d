// SPDX-License-Identifier: Apache-2.0

//! A directory of replicas, locked to one process.

use crate::{
    directory::{lock, parse_id, Inner},
    disk::{Disk, LocalDisk},
    files::Files,
    format::{StoreHeader, STORE_BYTES},
    Error, Hash, Replica, ReplicaId, SealParams,
};
use std::{
    io::Read,
    path::Path,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex,
    },
};

/// Options of opening a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// `true` if what is written must survive a power failure. Without it a crash of the process
    /// alone does no harm either.
    pub durable: bool,
    /// While sealing, progress is made durable whenever this many bytes were sealed: what a crash
    /// costs at most.
    pub sync_every: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            disk: Arc::new(LocalDisk),
            durable: true,
            sync_every: 64 << 20,
        }
    }
}

/// An open store. Clones share it; the directory is unlocked when the last of them, and of the
/// replicas and windows got from it, is dropped. All methods may be called from several threads at
/// once.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

impl Store {
    /// Opens the store in `dir`, or makes it.
    ///
    /// # Errors
    /// The directory is in use, belongs to another provider, chain or other parameters, cannot be
    /// written, or the parameters are out of bounds.
    pub fn open(
        dir: impl AsRef<Path>,
        params: SealParams,
        provider: [u8; 32],
        genesis: Hash,
    ) -> Result<Self, Error> {
        Self::open_with(dir, params, provider, genesis, Options::default())
    }

    /// Header of the store in `dir`: provider, chain and way of sealing. The store is not opened, and may be in use.
    ///
    /// # Errors
    /// There is no store, or its header is broken or of another version.
    pub fn read_header(dir: impl AsRef<Path>) -> Result<StoreHeader, Error> {
        let path = dir.as_ref().join("store");
        let failed = |source| Error::Io {
            path: path.clone(),
            source,
        };
        let file = std::fs::File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        // One byte more than the header has, so that a longer file is refused and never read whole.
        file.take(STORE_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        StoreHeader::from_bytes(&bytes, &path)
    }

    /// As [`Self::open`], on another file system or less durable.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(
        dir: impl AsRef<Path>,
        params: SealParams,
        provider: [u8; 32],
        genesis: Hash,
        options: Options,
    ) -> Result<Self, Error> {
        params.check()?;
        let dir = dir.as_ref().to_owned();
        let files = Files {
            disk: options.disk,
            durable: options.durable,
        };
        files.create_dir(&dir)?;
        let lock = dir.join("lock");
        let lock = files
            .disk
            .lock(&lock)
            .map_err(crate::files::at(&lock))?
            .ok_or(Error::Locked(lock))?;
        let wanted = StoreHeader {
            params,
            provider,
            genesis,
        };
        let path = dir.join("store");
        match files.load(&path, STORE_BYTES as u64 + 1)? {
            Some(bytes) => {
                let found = StoreHeader::from_bytes(&bytes, &path)?;
                let differs = [
                    (found.provider != provider, "provider"),
                    (found.genesis != genesis, "chain"),
                    (found.params != params, "way of sealing"),
                ];
                if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
                    return Err(Error::Foreign { path, what });
                }
            }
            None if files.list(&dir.join("replicas"))?.is_empty() => {
                files.replace(&path, &wanted.to_bytes())?;
            }
            None => {
                return Err(Error::Format {
                    path,
                    what: "missing, but there are replicas",
                });
            }
        }
        files.create_dir(&dir.join("replicas"))?;
        files.create_dir(&dir.join("windows"))?;
        files.create_dir(&dir.join("staged"))?;
        Ok(Self {
            inner: Arc::new(Inner {
                files,
                dir,
                header: wanted,
                sync_every: options.sync_every,
                sealer: Mutex::default(),
                busy: Mutex::default(),
                keep_free: AtomicU64::default(),
                folding: Mutex::default(),
                _lock: lock,
            }),
        })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Parameters, provider and chain.
    pub fn header(&self) -> &StoreHeader {
        &self.inner.header
    }

    /// The replicas that have a directory, ascending, in whatever state. One whose making was
    /// interrupted at once may be [`Error::Unknown`] when asked for.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn replicas(&self) -> Result<Vec<ReplicaId>, Error> {
        let (files, root) = (&self.inner.files, self.inner.dir.join("replicas"));
        let mut found = Vec::new();
        for prefix in files.list(&root)? {
            let names = files.list(&root.join(&prefix))?;
            found.extend(names.iter().filter_map(|name| parse_id(name)));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// One replica, as `meta` describes it now.
    ///
    /// # Errors
    /// There is no such replica, or its description is damaged.
    pub fn replica(&self, id: &ReplicaId) -> Result<Replica, Error> {
        Ok(Replica::new(
            self.inner.clone(),
            self.inner.meta(id)?.ok_or(Error::Unknown(*id))?,
        ))
    }

    /// Keeps so many bytes of the disk free, for windows above all: what needs much room, which is
    /// staging, sealing, repairing and reading what is damaged, leaves them alone.
    pub fn keep_free(&self, bytes: u64) {
        self.inner.keep_free.store(bytes, Ordering::Relaxed);
    }

    /// Checks that there is room to seal content of `length` bytes, in addition to what other work
    /// has still to write and what is kept free. What is staged for `deal` counts as there.
    ///
    /// # Errors
    /// [`Error::Room`] if there is not; the disk is read-only; or the length is impossible.
    pub fn room_for(&self, deal: &[u8; 16], length: u64) -> Result<(), Error> {
        let folder = self.inner.staged(deal);
        let kept = self.inner.kept_free();
        self.inner.room_to_seal(length, kept, &folder)
    }

    /// The deals for which something is staged, ascending, in whatever state.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn staged(&self) -> Result<Vec<[u8; 16]>, Error> {
        self.inner.staged_deals()
    }

    /// Forgets what is staged for a deal.
    ///
    /// # Errors
    /// It is being staged, or files cannot be removed; calling again goes on.
    pub fn unstage(&self, deal: &[u8; 16]) -> Result<(), Error> {
        let _busy = self.inner.reserve(deal)?;
        self.inner.clear_folder(&self.inner.staged(deal))
    }

    /// Asks a call that fetches, seals or repairs this replica, or stages this deal, to end soon
    /// with [`Error::Stopped`]. It is still [`Error::Busy`] until that call has returned.
    pub fn stop(&self, id: &ReplicaId) {
        if let Some(stop) = lock(&self.inner.busy).get_mut(id) {
            *stop = true;
        }
    }

    /// Forgets a replica and frees its space.
    ///
    /// # Errors
    /// The replica is being changed, or files cannot be removed; calling again goes on.
    pub fn remove(&self, id: &ReplicaId) -> Result<(), Error> {
        let _busy = self.inner.reserve(id)?;
        self.inner.clear(id)
    }

    /// Gives the sealing buffer back to the system. It is made again when needed.
    pub fn release(&self) {
        lock(&self.inner.sealer).take();
    }
}
