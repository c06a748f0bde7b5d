// SPDX-License-Identifier: Apache-2.0

//! Rebuilding what is damaged from what is not.

use crate::{
    check::{self, Report},
    content,
    damage::Damage,
    files::{read_what_is_there, temporary, FileAt},
    progress::{Progress, Stage, Watch},
    replica::Replica,
    Error,
};
use tos_storage_proofs::CHUNK;

impl Replica {
    /// Checks, then rebuilds what is damaged from the code and seals it again. Returns what was
    /// damaged; afterwards nothing is.
    ///
    /// # Errors
    /// [`Error::Lost`] if fewer than half of a codeword's chunks are left. Otherwise as
    /// [`Self::verify`]. Interrupted, it never leaves more damage than there was.
    pub fn repair(&self, watch: Watch<'_>) -> Result<Report, Error> {
        let _busy = self.inner.reserve(self.id())?;
        repair(self, watch)
    }
}

/// Unseals everything to a file and computes the damaged chunks from the others.
pub(crate) fn unseal_and_restore(
    replica: &Replica,
    damage: &Damage,
    to: &FileAt,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let layout = replica.meta.layout()?;
    let total = layout.coded_bytes();
    to.set_size(total)?;
    // Without the file everything is damaged, and the code says so.
    if let Ok(sealed) = replica.file("sealed.bin") {
        let mut bytes = Vec::new();
        for unit in 0..replica.units() {
            let (start, length) = replica.extent(unit)?;
            replica.inner.go_on(replica.id())?;
            bytes.resize(length, 0);
            read_what_is_there(&sealed, &mut bytes, start);
            replica.apply(unit, &mut bytes)?;
            to.write_at(&bytes, start)?;
            watch(Progress {
                stage: Stage::Unseal,
                done: start.saturating_add(length as u64),
                total,
            });
        }
    }
    match damage.is_empty() {
        true => Ok(()),
        false => content::restore(to, layout, damage, watch),
    }
}

fn repair(replica: &Replica, watch: Watch<'_>) -> Result<Report, Error> {
    let report = check::verify(replica, watch)?;
    if report.is_clean() {
        return Ok(report);
    }
    let names = ["coded", "coded.tree", "sealed.tree"].map(|name| temporary(&replica.path(name)));
    let repaired = rebuild(replica, &report, &names, watch);
    for name in &names {
        replica.inner.files.remove(name)?;
    }
    repaired.map(|()| report)
}

fn rebuild(
    replica: &Replica,
    report: &Report,
    [coded, coded_tree, sealed_tree]: &[std::path::PathBuf; 3],
    watch: Watch<'_>,
) -> Result<(), Error> {
    let (files, chunks) = (&replica.inner.files, replica.meta.coded.chunks());
    if report.coded_tree || !report.damaged.is_empty() {
        room_to_restore(replica)?;
        let coded = files.fresh(coded, 0)?;
        unseal_and_restore(replica, &report.damaged, &coded, watch)?;
        let tree = files.fresh(coded_tree, 0)?;
        let found = content::build_tree(&coded, &tree, chunks, Stage::Commit, watch)?;
        if found != replica.meta.coded {
            return Err(Error::Lost);
        }
        seal_again(replica, &report.damaged, &coded, watch)?;
        tree.sync()?;
        drop(tree);
        files.rename(coded_tree, &replica.path("coded.tree"))?;
    }
    let sealed = replica.file("sealed.bin")?;
    let tree = files.fresh(sealed_tree, 0)?;
    let found = content::build_tree(&sealed, &tree, chunks, Stage::Check, watch)?;
    if found != replica.sealed()? {
        return Err(Error::Lost);
    }
    tree.sync()?;
    drop(tree);
    files.rename(sealed_tree, &replica.path("sealed.tree"))
}

/// Checks that there is room for the coded sequence and the trees in addition to what there is.
pub(crate) fn room_to_restore(replica: &Replica) -> Result<(), Error> {
    let trees = replica.shape().bytes().saturating_mul(2);
    let needed = replica.meta.layout()?.coded_bytes().saturating_add(trees);
    let inner = &replica.inner;
    inner.room(needed, inner.kept_free(), &inner.folder(replica.id()))
}

/// Seals the damaged chunks again and writes them, and no others.
fn seal_again(
    replica: &Replica,
    damage: &Damage,
    coded: &FileAt,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let total = replica.meta.layout()?.coded_bytes();
    let sealed = replica.inner.files.write(&replica.path("sealed.bin"))?;
    sealed.set_size(total)?;
    let mut bytes = Vec::new();
    for unit in 0..replica.units() {
        let (start, length) = replica.extent(unit)?;
        let first = start / CHUNK as u64;
        let last = first.saturating_add((length / CHUNK) as u64);
        if !damage.touches(first..last) {
            continue;
        }
        replica.inner.go_on(replica.id())?;
        bytes.resize(length, 0);
        coded.read_at(&mut bytes, start)?;
        replica.apply(unit, &mut bytes)?;
        for (chunk, content) in (first..).zip(bytes.chunks(CHUNK)) {
            if damage.contains(chunk) {
                sealed.write_at(content, chunk.saturating_mul(CHUNK as u64))?;
            }
        }
        watch(Progress {
            stage: Stage::Seal,
            done: start.saturating_add(length as u64),
            total,
        });
    }
    sealed.sync()
}
