//! A directory of replicas, locked to one process.

use crate::{
    disk::{Disk, LocalDisk},
    error::hex,
    files::Files,
    format::{Meta, StoreHeader, META_BYTES, STORE_BYTES},
    ingest::{self, ReplicaSpec},
    progress::Watch,
    staging::{self, StagedSpec},
    Commitment, Error, Hash, Replica, ReplicaId, SealParams, Windows,
};
use std::{
    collections::{btree_map::Entry, BTreeMap},
    io::Read,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, Mutex, MutexGuard, PoisonError,
    },
};
use tos_storage_proofs::{Binding, Sealer};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file system.
    pub disk: Arc<dyn Disk>,
    /// Whether what is written must survive a power failure. Without it a crash of the process
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

pub(crate) struct Inner {
    pub files: Files,
    pub dir: PathBuf,
    pub header: StoreHeader,
    pub sync_every: u64,
    sealer: Mutex<Option<Sealer>>,
    /// Replicas and deals that are being changed; `true` if that is to stop.
    pub busy: Mutex<BTreeMap<ReplicaId, bool>>,
    /// Bytes that nothing large may use.
    pub keep_free: AtomicU64,
    /// Held while a group root is made: two threads must not make two.
    pub folding: Mutex<()>,
    _lock: Box<dyn Send + Sync>,
}

/// Whatever a panicking thread left behind is checked where it is used.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        for shelf in files.list(&root)? {
            let names = files.list(&root.join(&shelf))?;
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

    /// Stores content: fetches, checks, codes and seals it, and returns the sealed commitment. What
    /// an earlier call interrupted is resumed, and `content` not read then; what is sealed already
    /// is left as it is.
    ///
    /// # Errors
    /// The content is not what `spec` says: nothing is kept. Or files cannot be written: calling
    /// again resumes.
    pub fn ingest(
        &self,
        spec: &ReplicaSpec,
        content: impl Read,
        watch: Watch<'_>,
    ) -> Result<Commitment, Error> {
        ingest::ingest(&self.inner, spec, content, watch)
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

    /// Fetches, checks and codes the content of a deal that nobody has accepted yet, and takes the
    /// space that sealing will need. [`Self::ingest`] of a replica of that deal uses it up.
    ///
    /// # Errors
    /// [`Error::Room`] before anything is read. The content is not what `spec` says or cannot be
    /// read; files cannot be written; or it was stopped. Calling again starts over.
    pub fn stage(
        &self,
        spec: &StagedSpec,
        content: impl Read,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        staging::stage(&self.inner, spec, content, watch)
    }

    /// `true` if everything is staged that sealing needs.
    pub fn is_staged(&self, spec: &StagedSpec) -> bool {
        staging::is_staged(&self.inner, spec)
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

    /// Goes on sealing what was interrupted.
    ///
    /// # Errors
    /// [`Error::State`] if the content has to be fetched again: call [`Self::ingest`].
    pub fn resume(&self, id: &ReplicaId, watch: Watch<'_>) -> Result<Commitment, Error> {
        ingest::resume(&self.inner, id, watch)
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

    /// The windows proven from this store.
    pub fn windows(&self) -> Windows {
        Windows::new(self.inner.clone())
    }

    /// Gives the sealing buffer back to the system. It is made again when needed.
    pub fn release(&self) {
        lock(&self.inner.sealer).take();
    }
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

/// A replica that nobody else changes; until dropped.
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
        let shelf = name.get(..2).unwrap_or_default();
        self.dir.join("replicas").join(shelf).join(&name)
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
            Some(shelf) if !self.files.list(shelf)?.is_empty() => self.files.sync_dir(shelf),
            _ => Ok(()),
        }
    }
}
