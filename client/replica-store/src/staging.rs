// SPDX-License-Identifier: Apache-2.0

//! Content that is here before its provider has promised to keep it, and the room that it takes.
//!
//! A provider that accepts a deal and cannot seal it loses collateral. So it stages the content
//! first: `staged/DEAL` gets the checked coded sequence and the space that sealing will take. When
//! the deal is accepted, [`crate::Store::ingest`] moves it into the replica and fetches nothing.

use crate::{
    directory::{lock, parse_id, Inner},
    error::hex,
    format::{layout, Meta, State},
    pages::Shape,
    prepare::prepare,
    progress::Watch,
    spec::{ReplicaSpec, StagedSpec},
    store::Store,
    Error,
};
use std::{
    io::Read,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

/// The bytes that sealing content of `length` bytes takes at once: the coded and the sealed
/// sequence, each twice the content, and their trees.
///
/// # Errors
/// The length is impossible.
pub fn sealing_bytes(length: u64) -> Result<u64, Error> {
    let layout = layout(length)?;
    let trees = Shape::of(layout.coded_chunks).bytes();
    Ok(layout.coded_bytes().saturating_add(trees).saturating_mul(2))
}

impl Store {
    /// Fetches, checks and codes the content of a deal that has not been accepted yet, and takes the
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
        stage(&self.inner, spec, content, watch)
    }

    /// `true` if everything is staged that sealing needs.
    pub fn is_staged(&self, spec: &StagedSpec) -> bool {
        is_staged(&self.inner, spec)
    }
}

fn stage(
    inner: &Inner,
    spec: &StagedSpec,
    content: impl Read,
    watch: Watch<'_>,
) -> Result<(), Error> {
    if layout(spec.length)?.coded_words() != spec.coded.words {
        return Err(Error::Codeword);
    }
    let _busy = inner.reserve(&spec.deal)?;
    if is_staged(inner, spec) {
        return Ok(());
    }
    let meta = spec.meta(State::Fetching);
    let folder = inner.staged(&spec.deal);
    prepare(inner, &folder, meta, &spec.deal, content, watch).map(drop)
}

fn is_staged(inner: &Inner, spec: &StagedSpec) -> bool {
    // What cannot be read is fetched again.
    let found = inner.meta_in(&inner.staged(&spec.deal)).ok().flatten();
    found == Some(spec.meta(State::Sealing))
}

/// Makes what was staged for a replica's deal that replica's. Interrupted, it goes on. `None` when
/// nothing is staged.
pub(crate) fn adopt(inner: &Inner, spec: &ReplicaSpec) -> Result<Option<Meta>, Error> {
    let staged_spec = StagedSpec::of(spec);
    if !is_staged(inner, &staged_spec) {
        return Ok(None);
    }
    let _busy = inner.reserve(&spec.deal)?;
    let (files, folder) = (&inner.files, inner.folder(&spec.replica));
    let staged = inner.staged(&spec.deal);
    if let Some(prefix) = folder.parent() {
        files.create_dir(prefix)?;
    }
    files.create_dir(&folder)?;
    inner.write_meta(&spec.meta(State::Fetching))?;
    files.remove(&folder.join("journal"))?;
    for name in ["sealed.bin", "coded.tree", "coded.bin"] {
        // One that is not there was moved before an interruption. Sealing compares every chunk
        // with the commitment, so that nothing is taken on trust here.
        files.rename_if_there(&staged.join(name), &folder.join(name))?;
    }
    let meta = spec.meta(State::Sealing);
    inner.write_meta(&meta)?;
    inner.clear_folder(&staged)?;
    Ok(Some(meta))
}

impl Inner {
    /// The directory of what is staged for a deal.
    pub fn staged(&self, deal: &[u8; 16]) -> PathBuf {
        self.dir.join("staged").join(hex(deal))
    }

    /// The deals for which something is staged or being staged.
    pub fn staged_deals(&self) -> Result<Vec<[u8; 16]>, Error> {
        let names = self.files.list(&self.dir.join("staged"))?;
        let mut deals: Vec<_> = names.iter().filter_map(|name| parse_id(name)).collect();
        deals.sort_unstable();
        Ok(deals)
    }

    /// The bytes of the disk that the large files in a directory take.
    pub fn taken(&self, folder: &Path) -> Result<u64, Error> {
        let mut taken = 0u64;
        for name in ["coded.bin", "coded.tree", "sealed.bin", "sealed.tree"] {
            taken = taken.saturating_add(self.files.allocated(&folder.join(name))?);
        }
        Ok(taken)
    }

    /// Bytes still to be written for what is staged and what is being sealed, `but` not to this
    /// directory.
    fn owed(&self, but: &Path) -> Result<u64, Error> {
        let busy: Vec<_> = lock(&self.busy).keys().copied().collect();
        let mut folders: Vec<_> = busy.iter().map(|id| self.folder(id)).collect();
        let staged = self.staged_deals()?;
        folders.extend(staged.iter().map(|deal| self.staged(deal)));
        folders.retain(|folder| folder != but);
        let mut owed = 0u64;
        for folder in folders {
            // One that is damaged takes no more than it has.
            let Some(meta) = self.meta_in(&folder).ok().flatten() else {
                continue;
            };
            if meta.state != State::Sealed {
                let rest = sealing_bytes(meta.length)?.saturating_sub(self.taken(&folder)?);
                owed = owed.saturating_add(rest);
            }
        }
        Ok(owed)
    }

    /// Bytes that nothing large may use.
    pub fn kept_free(&self) -> u64 {
        self.keep_free.load(Ordering::Relaxed)
    }

    /// Checks that `needed` bytes more can be written to a directory, in addition to what other
    /// work has still to write and `kept` bytes.
    ///
    /// # Errors
    /// [`Error::Room`] if not.
    pub fn room(&self, needed: u64, kept: u64, folder: &Path) -> Result<(), Error> {
        let free = self.files.free(&self.dir)?;
        let reserved = self.owed(folder)?.saturating_add(kept);
        match needed.saturating_add(reserved) <= free {
            true => Ok(()),
            false => Err(Error::Room {
                needed,
                reserved,
                free,
            }),
        }
    }

    /// As [`Self::room`], for sealing content of `length` bytes in a directory.
    pub fn room_to_seal(&self, length: u64, kept: u64, folder: &Path) -> Result<(), Error> {
        let needed = sealing_bytes(length)?.saturating_sub(self.taken(folder)?);
        self.room(needed, kept, folder)
    }
}
