// SPDX-License-Identifier: Apache-2.0

//! Fixtures of the tests: a disk in memory that can lose power, and small replicas.
#![allow(dead_code)] // each test file uses a part of it

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};
use tos_replica_store::{
    commit_content, Access, Blob, Coded, Disk, Hash, Options, ReplicaId, ReplicaSpec, SealParams,
    StagedSpec, Store,
};
use tos_storage_proofs::{code::MemoryShards, commit};

/// Units of two chunks and next to no work.
pub const TINY: SealParams = SealParams {
    log2_unit: 13,
    memory_kib: 8,
    passes: 1,
};
pub const PROVIDER: [u8; 32] = [7; 32];
pub const GENESIS: Hash = [8; 32];

/// Bytes that no two lengths or seeds share.
pub fn content(length: usize, seed: u8) -> Vec<u8> {
    let mut bytes = vec![0; length];
    blake3::Hasher::new_keyed(&[seed; 32])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

pub fn spec(id: u8, content: &[u8]) -> ReplicaSpec {
    let coded = MemoryShards::encode(content).unwrap();
    ReplicaSpec {
        replica: [id; 16],
        deal: [id ^ 0xff; 16],
        content: *blake3::hash(content).as_bytes(),
        length: content.len() as u64,
        coded: commit(coded.bytes()).unwrap(),
    }
}

pub fn open(disk: &MemDisk, params: SealParams) -> Result<Store, tos_replica_store::Error> {
    let options = Options {
        disk: Arc::new(disk.clone()),
        durable: true,
        sync_every: 16 << 10,
    };
    Store::open_with("/s", params, PROVIDER, GENESIS, options)
}

/// Description of what is staged for the deal of a spec.
pub fn staged(spec: &ReplicaSpec) -> StagedSpec {
    StagedSpec {
        deal: spec.deal,
        content: spec.content,
        length: spec.length,
        coded: spec.coded,
    }
}

/// The file of a replica of the store that [`open`] opens.
pub fn file(id: &ReplicaId, name: &str) -> PathBuf {
    let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    Path::new("/s/replicas")
        .join(&hex[..2])
        .join(&hex)
        .join(name)
}

/// Result of `commit_content`, in a scratch directory of its own.
pub fn committed(content: &[u8]) -> Coded {
    let dir = tempfile::tempdir().unwrap();
    let scratch = dir.path().join("x");
    let coded = commit_content(content, content.len() as u64, &scratch, &mut |_| ()).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    coded
}

enum Change {
    Write(u64, Vec<u8>),
    Size(u64),
}

impl Change {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            Self::Size(size) => to.resize(*size as usize, 0),
            Self::Write(offset, bytes) => {
                let end = *offset as usize + bytes.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[*offset as usize..end].copy_from_slice(bytes);
            }
        }
    }
}

#[derive(Default)]
struct Inode {
    synced: Vec<u8>,
    pending: Vec<Change>,
    now: Vec<u8>,
    /// The end of what was ever written: the rest takes no space.
    written: u64,
}

enum Naming {
    Put(PathBuf, usize),
    Move(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Naming {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Put(path, _) | Self::Remove(path) | Self::Move(_, path) => path.parent(),
        }
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Put(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Move(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    synced: BTreeMap<PathBuf, usize>,
    pending: Vec<Naming>,
    now: BTreeMap<PathBuf, usize>,
    changes: usize,
    /// No change after this many succeeds, and nothing else does then.
    power: Option<usize>,
    /// Reading this file fails.
    broken: Option<PathBuf>,
    /// This file cannot be opened, for lack of rights.
    denied: Option<PathBuf>,
    /// The bytes that fit, if there is a limit.
    capacity: Option<u64>,
}

/// A disk that forgets, when the power fails, any part of what was not synced.
#[derive(Clone, Default)]
pub struct MemDisk(Arc<Mutex<State>>);

impl std::fmt::Debug for MemDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemDisk")
    }
}

fn failure() -> io::Error {
    io::Error::other("power failure")
}

impl State {
    fn alive(&self) -> io::Result<()> {
        match self.power.is_some_and(|power| self.changes >= power) {
            true => Err(failure()),
            false => Ok(()),
        }
    }

    /// Fails if the power does not hold for one more change.
    fn change(&mut self) -> io::Result<()> {
        self.alive()?;
        self.changes += 1;
        Ok(())
    }

    fn used(&self) -> u64 {
        let written = |inode: &usize| self.inodes[*inode].written;
        self.now.values().map(written).sum()
    }

    fn naming(&mut self, naming: Naming) {
        naming.apply(&mut self.now);
        self.pending.push(naming);
    }
}

impl MemDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// The changes made so far.
    pub fn changes(&self) -> usize {
        self.state().changes
    }

    /// The power fails when this many more changes are made.
    pub fn fail_after(&self, changes: usize) {
        let mut state = self.state();
        state.power = Some(state.changes + changes);
    }

    /// From now on a file cannot be read.
    pub fn break_file(&self, path: Option<PathBuf>) {
        self.state().broken = path;
    }

    /// From now on a file cannot be opened for want of rights.
    pub fn deny_file(&self, path: Option<PathBuf>) {
        self.state().denied = path;
    }

    /// Limits the disk to what is there and so many bytes more, or lifts the limit. It takes space
    /// for what is written only: like a file system that cannot reserve any.
    pub fn leave_free(&self, bytes: Option<u64>) {
        let mut state = self.state();
        state.capacity = bytes.map(|bytes| state.used() + bytes);
    }

    /// The power returns. Of what was not synced, `luck` decides what is there: of writes any,
    /// perhaps in part, of names the first few.
    pub fn restart(&self, luck: u64) {
        let mut state = self.state();
        let mut bytes = blake3::Hasher::new()
            .update(&luck.to_le_bytes())
            .finalize_xof();
        let mut draw = move || {
            let mut drawn = [0; 8];
            bytes.fill(&mut drawn);
            u64::from_le_bytes(drawn) as usize
        };
        for inode in &mut state.inodes {
            for change in std::mem::take(&mut inode.pending) {
                match (draw() % 3, change) {
                    (0, _) => {}
                    (1, Change::Write(offset, bytes)) => {
                        let some = draw() % (bytes.len() + 1);
                        Change::Write(offset, bytes[..some].to_vec()).apply(&mut inode.synced);
                    }
                    (_, change) => change.apply(&mut inode.synced),
                }
            }
            inode.now = inode.synced.clone();
            inode.written = inode.now.len() as u64;
        }
        let pending = std::mem::take(&mut state.pending);
        let some = draw() % (pending.len() + 1);
        for naming in &pending[..some] {
            naming.apply(&mut state.synced);
        }
        state.now = state.synced.clone();
        state.power = None;
    }

    /// Changes a file behind the store's back.
    pub fn poke(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let inode = state.now[path];
        let inode = &mut state.inodes[inode];
        change(&mut inode.now);
        inode.synced = inode.now.clone();
        inode.pending.clear();
    }

    pub fn bytes(&self, path: &Path) -> Vec<u8> {
        let state = self.state();
        state.inodes[state.now[path]].now.clone()
    }

    pub fn names(&self) -> Vec<PathBuf> {
        self.state().now.keys().cloned().collect()
    }

    pub fn delete(&self, path: &Path) {
        let mut state = self.state();
        state.now.remove(path).unwrap();
        state.synced.remove(path);
    }
}

struct MemBlob {
    disk: MemDisk,
    inode: usize,
    broken: bool,
}

impl MemBlob {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.state();
        let failed = state.alive().is_err();
        let written = state.inodes[self.inode].written;
        let after = match &change {
            Change::Write(offset, bytes) => written.max(offset + bytes.len() as u64),
            Change::Size(size) => written.min(*size),
        };
        let full = state
            .capacity
            .is_some_and(|capacity| after > written && state.used() + (after - written) > capacity);
        if full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let changed = state.change();
        let inode = &mut state.inodes[self.inode];
        if !failed {
            inode.written = after;
            change.apply(&mut inode.now);
            inode.pending.push(change);
        }
        changed
    }
}

impl Blob for MemBlob {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.disk.state();
        state.alive()?;
        if self.broken {
            return Err(io::Error::other("bad sector"));
        }
        let now = &state.inodes[self.inode].now;
        let read = now.get(offset as usize..offset as usize + bytes.len());
        bytes.copy_from_slice(read.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write(offset, bytes.to_vec()))
    }
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.alive()?;
        Ok(state.inodes[self.inode].now.len() as u64)
    }
    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.change(Change::Size(bytes))
    }
    fn allocated(&self) -> io::Result<u64> {
        Ok(self.disk.state().inodes[self.inode].written)
    }
    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.change()?;
        let inode = &mut state.inodes[self.inode];
        for change in std::mem::take(&mut inode.pending) {
            change.apply(&mut inode.synced);
        }
        Ok(())
    }
}

impl Disk for MemDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Blob>> {
        let mut state = self.state();
        state.alive()?;
        if state.denied.as_deref() == Some(path) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let found = state.now.get(path).copied();
        let inode = match (found, access) {
            (Some(inode), _) => inode,
            (None, Access::Read) => return Err(io::ErrorKind::NotFound.into()),
            (None, Access::Write) => {
                state.change()?;
                state.inodes.push(Inode::default());
                let inode = state.inodes.len() - 1;
                state.naming(Naming::Put(path.to_owned(), inode));
                inode
            }
        };
        let broken = state.broken.as_deref() == Some(path);
        Ok(Box::new(MemBlob {
            disk: self.clone(),
            inode,
            broken,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        state.now.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.naming(Naming::Move(from.to_owned(), to.to_owned()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.alive()?;
        state.now.get(path).ok_or(io::ErrorKind::NotFound)?;
        state.change()?;
        state.naming(Naming::Remove(path.to_owned()));
        Ok(())
    }

    fn remove_dir(&self, _: &Path) -> io::Result<()> {
        self.state().alive()
    }

    fn create_dir(&self, _: &Path) -> io::Result<()> {
        self.state().alive()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.change()?;
        for naming in std::mem::take(&mut state.pending) {
            match naming.folder() == Some(path) {
                true => naming.apply(&mut state.synced),
                false => state.pending.push(naming),
            }
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let state = self.state();
        state.alive()?;
        let below = state
            .now
            .keys()
            .filter_map(|name| name.strip_prefix(path).ok());
        let mut names: Vec<String> = below
            .filter_map(|name| Some(name.iter().next()?.to_str()?.to_owned()))
            .collect();
        names.dedup();
        Ok(names)
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        let state = self.state();
        state.alive()?;
        Ok(match state.capacity {
            Some(capacity) => capacity.saturating_sub(state.used()),
            None => u64::MAX,
        })
    }

    fn lock(&self, _: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        self.state().alive()?;
        Ok(Some(Box::new(())))
    }
}
