// SPDX-License-Identifier: Apache-2.0

//! Proofs of each window, group by group.
//!
//! A provider that signs two roots for one group and window loses its bond. So a root is stored,
//! durably, before anyone gets it, and a later question gets the stored one, whatever has
//! changed since: members, seed or data. A stored file that is damaged is an error and not a reason
//! to make another root.
//!
//! The previous leaf of a replica is its leaf in the last window before that this store proved for
//! the group, or zero if it was not among its members then.
//!
//! `windows/GROUP/WINDOW` (decimal), 122 bytes and 116 for each entry:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `TOSWINDW` |
//! | 8 | 2 | version, 1 |
//! | 10 | 4 | group |
//! | 14 | 8 | window |
//! | 22 | 32 | seed of the beacon |
//! | 54 | 32 | root of the group |
//! | 86 | 4 | entries, at most 1,000 |
//! | 90 | 116 each | place u32 ‖ replica 16 ‖ sealed root 32 ‖ response digest 32 ‖ previous leaf 32 |
//! | end − 32 | 32 | BLAKE3 of everything before |
//!
//! Entries are in ascending order of their places; leaves are computed from them.

use crate::{
    directory::{lock, Inner},
    format::{seal_bytes, Fields},
    progress::{Progress, Stage, Watch},
    store::Store,
    Error, Hash, ReplicaId,
};
use std::{collections::BTreeMap, path::PathBuf, sync::Arc, thread};
use tos_storage_proofs::{
    aggregate::{group_path, group_root, leaf, missing_group, FoldError, GROUP_SIZE},
    response_digest, InclusionPath,
};

/// The version of window files that this code writes, and the only one it reads.
pub const VERSION: u16 = 1;
/// The most bytes of a window file.
pub const MAX_BYTES: u64 = 122 + 116 * GROUP_SIZE as u64;

const MAGIC: [u8; 8] = *b"TOSWINDW";
/// Proofs made between two reports of progress.
const BATCH: usize = 64;

/// A replica's place in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    /// The place, below 1,000.
    pub place: u32,
    /// The replica.
    pub replica: ReplicaId,
}

/// A replica that was proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its place in the group.
    pub place: u32,
    /// The replica.
    pub replica: ReplicaId,
    /// The root of its sealed sequence.
    pub sealed_root: Hash,
    /// The digest of its committee proof.
    pub response: Hash,
    /// Its leaf in the window before; zero in its first one.
    pub previous: Hash,
}

/// One group in one window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupWindow {
    /// The group.
    pub group: u32,
    /// The window.
    pub window: u64,
    /// The seed of the beacon that was answered.
    pub seed: Hash,
    /// The root: what is signed.
    pub root: Hash,
    /// The members that were proven, in ascending order of places.
    pub entries: Vec<Entry>,
}

/// A group that was proven, or had been.
#[derive(Debug)]
pub struct Built {
    /// The proof that stands for the window, now and for ever.
    pub proven: GroupWindow,
    /// Members that could not be proven and have no leaf. Empty if the root had been stored before.
    pub failed: Vec<(Member, Error)>,
    /// `true` if the root had been stored before.
    pub stored: bool,
}

impl GroupWindow {
    /// The leaf of an entry.
    pub fn leaf(&self, entry: &Entry) -> Hash {
        leaf(
            &entry.replica,
            self.window,
            &entry.sealed_root,
            &entry.response,
            &entry.previous,
        )
    }

    /// All leaves with their places, ascending.
    pub fn leaves(&self) -> Vec<(u32, Hash)> {
        let leaf = |entry: &Entry| (entry.place, self.leaf(entry));
        self.entries.iter().map(leaf).collect()
    }

    /// The entry of a replica.
    pub fn entry(&self, replica: &ReplicaId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.replica == *replica)
    }

    /// The ten hashes from the leaf at `place` to the root of the group.
    ///
    /// # Errors
    /// There is no such place.
    pub fn path(&self, place: u32) -> Result<InclusionPath, Error> {
        Ok(group_path(&self.leaves(), place)?)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.group.to_le_bytes());
        bytes.extend(self.window.to_le_bytes());
        bytes.extend(self.seed);
        bytes.extend(self.root);
        bytes.extend((self.entries.len() as u32).to_le_bytes());
        for entry in &self.entries {
            bytes.extend(entry.place.to_le_bytes());
            bytes.extend(entry.replica);
            bytes.extend(entry.sealed_root);
            bytes.extend(entry.response);
            bytes.extend(entry.previous);
        }
        seal_bytes(bytes)
    }

    fn from_bytes(bytes: &[u8], path: &std::path::Path) -> Result<Self, Error> {
        let mut fields = Fields::open(bytes, &MAGIC, VERSION, path)?;
        let mut read = Self {
            group: fields.u32()?,
            window: fields.u64()?,
            seed: fields.array()?,
            root: fields.array()?,
            entries: Vec::new(),
        };
        let count = fields.u32()?;
        if count > GROUP_SIZE {
            return Err(fields.wrong("too many entries"));
        }
        for _ in 0..count {
            read.entries.push(Entry {
                place: fields.u32()?,
                replica: fields.array()?,
                sealed_root: fields.array()?,
                response: fields.array()?,
                previous: fields.array()?,
            });
        }
        if group_root(&read.leaves()) != Ok(read.root) {
            return Err(fields.wrong("the entries do not lead to the root"));
        }
        fields.end()?;
        Ok(read)
    }
}

/// The windows proven from a store.
#[derive(Clone)]
pub struct WindowStore {
    inner: Arc<Inner>,
}

impl Store {
    /// The windows proven from this store.
    pub fn windows(&self) -> WindowStore {
        WindowStore::new(self.inner.clone())
    }
}

impl WindowStore {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    fn folder(&self, group: u32) -> PathBuf {
        self.inner.dir.join("windows").join(group.to_string())
    }

    fn path(&self, group: u32, window: u64) -> PathBuf {
        self.folder(group).join(window.to_string())
    }

    /// The windows of a group that are stored, ascending.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self, group: u32) -> Result<Vec<u64>, Error> {
        let names = self.inner.files.list(&self.folder(group))?;
        // Other spellings of a number are not ours.
        let number = |name: &String| name.parse().ok().filter(|n: &u64| n.to_string() == *name);
        let mut windows: Vec<u64> = names.iter().filter_map(number).collect();
        windows.sort_unstable();
        Ok(windows)
    }

    /// The proof that was stored for a window.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn get(&self, group: u32, window: u64) -> Result<Option<GroupWindow>, Error> {
        let path = self.path(group, window);
        let Some(bytes) = self.inner.files.load(&path, MAX_BYTES + 1)? else {
            return Ok(None);
        };
        let read = GroupWindow::from_bytes(&bytes, &path)?;
        match (read.group, read.window) == (group, window) {
            true => Ok(Some(read)),
            false => Err(Error::Format {
                path,
                what: "it is of another group or window",
            }),
        }
    }

    /// Proves a group in a window, or returns what was proven before. `members` are in strictly
    /// ascending order of places; `seed` is the beacon's.
    ///
    /// A member that cannot be proven is left out. If none can, nothing is stored, the root is that
    /// of a missing group, and calling again tries again.
    ///
    /// # Errors
    /// Members are out of order or range, a later window was proven already, or the window cannot
    /// be stored. Then there is no root.
    pub fn build(
        &self,
        group: u32,
        window: u64,
        seed: &Hash,
        members: &[Member],
        watch: Watch<'_>,
    ) -> Result<Built, Error> {
        let in_order = members.array_windows().all(|[a, b]| a.place < b.place);
        if !in_order {
            return Err(FoldError::Order.into());
        }
        if members
            .last()
            .is_some_and(|member| member.place >= GROUP_SIZE)
        {
            return Err(FoldError::Range.into());
        }
        let _folding = lock(&self.inner.folding);
        if let Some(proven) = self.get(group, window)? {
            return Ok(Built {
                proven,
                failed: Vec::new(),
                stored: true,
            });
        }
        let earlier = match self.list(group)?.last() {
            Some(last) if *last > window => return Err(Error::Past { group, last: *last }),
            // A damaged one breaks the chain of leaves but need not stop the group.
            Some(last) => self.get(group, *last).ok().flatten(),
            None => None,
        };
        let previous: BTreeMap<ReplicaId, Hash> = earlier
            .iter()
            .flat_map(|earlier| {
                earlier
                    .entries
                    .iter()
                    .map(|entry| (entry.replica, earlier.leaf(entry)))
            })
            .collect();
        let (entries, failed) = self.prove(members, seed, &previous, watch);
        let mut proven = GroupWindow {
            group,
            window,
            seed: *seed,
            root: missing_group(),
            entries,
        };
        if !proven.entries.is_empty() {
            proven.root = group_root(&proven.leaves())?;
            self.inner.files.create_dir(&self.folder(group))?;
            let path = self.path(group, window);
            self.inner.files.replace(&path, &proven.to_bytes())?;
        }
        Ok(Built {
            proven,
            failed,
            stored: false,
        })
    }

    /// Proves members on all cores.
    fn prove(
        &self,
        members: &[Member],
        seed: &Hash,
        previous: &BTreeMap<ReplicaId, Hash>,
        watch: Watch<'_>,
    ) -> (Vec<Entry>, Vec<(Member, Error)>) {
        let (mut entries, mut failed) = (Vec::new(), Vec::new());
        let store = Store {
            inner: self.inner.clone(),
        };
        let prove = |member: &Member| {
            let replica = store.replica(&member.replica)?;
            Ok(Entry {
                place: member.place,
                replica: member.replica,
                sealed_root: replica.sealed()?.root,
                response: response_digest(&replica.committee(seed)?),
                previous: previous.get(&member.replica).copied().unwrap_or_default(),
            })
        };
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(8));
        for (number, batch) in members.chunks(BATCH).enumerate() {
            let proofs: Vec<Result<Entry, Error>> = thread::scope(|scope| {
                let parts: Vec<_> = batch
                    .chunks(batch.len().div_ceil(cores))
                    .map(|part| (part, scope.spawn(move || part.iter().map(prove).collect())))
                    .collect();
                let join = |(part, thread): (&[Member], thread::ScopedJoinHandle<'_, Vec<_>>)| {
                    thread
                        .join()
                        .unwrap_or_else(|_| part.iter().map(prove).collect())
                };
                parts.into_iter().flat_map(join).collect()
            });
            for (member, proof) in batch.iter().zip(proofs) {
                match proof {
                    Ok(entry) => entries.push(entry),
                    Err(error) => failed.push((*member, error)),
                }
            }
            watch(Progress {
                stage: Stage::Prove,
                done: (number * BATCH + batch.len()) as u64,
                total: members.len() as u64,
            });
        }
        (entries, failed)
    }

    /// Forgets all windows of a group but the last `keep`, at least one: without it the next would
    /// not know the leaves before.
    ///
    /// # Errors
    /// Files cannot be removed.
    pub fn prune(&self, group: u32, keep: usize) -> Result<(), Error> {
        let _folding = lock(&self.inner.folding);
        let windows = self.list(group)?;
        let old = windows.len().saturating_sub(keep.max(1));
        for window in windows.iter().take(old) {
            self.inner.files.remove(&self.path(group, *window))?;
        }
        Ok(())
    }
}
