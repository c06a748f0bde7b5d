// SPDX-License-Identifier: Apache-2.0

//! From content to a sealed replica.

use crate::{
    content,
    directory::Inner,
    format::{layout, Meta, State},
    journal::{digest, Journal},
    pages::Shape,
    prepare::prepare,
    progress::{Progress, Stage, Watch},
    spec::ReplicaSpec,
    staging,
    store::Store,
    Commitment, Error, ReplicaId,
};
use std::{io::Read, path::Path};
use tos_storage_proofs::CHUNK;

impl Store {
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
        ingest(&self.inner, spec, content, watch)
    }

    /// Goes on sealing what was interrupted.
    ///
    /// # Errors
    /// [`Error::State`] if the content has to be fetched again: call [`Self::ingest`].
    pub fn resume(&self, id: &ReplicaId, watch: Watch<'_>) -> Result<Commitment, Error> {
        resume(&self.inner, id, watch)
    }
}

fn ingest(
    inner: &Inner,
    spec: &ReplicaSpec,
    content: impl Read,
    watch: Watch<'_>,
) -> Result<Commitment, Error> {
    if layout(spec.length)?.coded_words() != spec.coded.words {
        return Err(Error::Codeword);
    }
    let _busy = inner.reserve(&spec.replica)?;
    if let Some(meta) = inner.meta(&spec.replica)? {
        if meta
            != (Meta {
                sealed_root: meta.sealed_root,
                ..spec.meta(meta.state)
            })
        {
            return Err(Error::Exists(spec.replica));
        }
        match meta.state {
            State::Sealed => return finish(inner, &meta),
            State::Sealing => match seal(inner, meta, watch) {
                // The coded content was damaged meanwhile: fetch it again.
                Err(Error::Damaged { .. }) => {}
                result => return result,
            },
            State::Fetching => {}
        }
    }
    if let Some(meta) = staging::adopt(inner, spec)? {
        match seal(inner, meta, watch) {
            Err(Error::Damaged { .. }) => {}
            result => return result,
        }
    }
    let folder = inner.folder(&spec.replica);
    let (meta, id) = (spec.meta(State::Fetching), &spec.replica);
    let meta = prepare(inner, &folder, meta, id, content, watch)?;
    seal(inner, meta, watch)
}

fn resume(inner: &Inner, id: &ReplicaId, watch: Watch<'_>) -> Result<Commitment, Error> {
    let _busy = inner.reserve(id)?;
    let meta = inner.meta(id)?.ok_or(Error::Unknown(*id))?;
    match meta.state {
        State::Sealed => finish(inner, &meta),
        State::Sealing => seal(inner, meta, watch),
        State::Fetching => Err(Error::State {
            replica: *id,
            what: "its content has to be fetched again",
        }),
    }
}

/// Seals what is not sealed yet.
fn seal(inner: &Inner, mut meta: Meta, watch: Watch<'_>) -> Result<Commitment, Error> {
    let (files, folder) = (&inner.files, inner.folder(&meta.replica));
    let shape = Shape::of(meta.coded.chunks());
    // What is damaged of the coded content has to be fetched again; what cannot be read just now is
    // as good as before, and perhaps the only copy.
    let gone = |error: Error| match error.is_damage() {
        true => Error::Damaged { chunks: 0 },
        false => error,
    };
    let coded = files.read(&folder.join("coded.bin")).map_err(gone)?;
    let coded_tree = files.read(&folder.join("coded.tree")).map_err(gone)?;
    if !shape.is_whole(&coded_tree, &meta.coded).map_err(gone)? {
        return Err(Error::Damaged { chunks: 0 });
    }
    let sealed = files.write(&folder.join("sealed.bin"))?;
    let tree = files.write(&folder.join("sealed.tree"))?;
    let total = meta.layout()?.coded_bytes();

    let params = inner.header.params;
    let (units, unit_bytes) = (params.units(meta.coded.words), params.unit_bytes());
    let (first_chunk, unit_chunks) = (
        |unit: u64| unit.saturating_mul(unit_bytes) / CHUNK as u64,
        |unit: u64| {
            let bytes = total.saturating_sub(unit.saturating_mul(unit_bytes));
            (bytes.min(unit_bytes) / CHUNK as u64) as usize
        },
    );
    let path = folder.join("journal");
    let mut known = Journal::read(files, &path, &meta.replica, units)?;
    let mut bytes = Vec::new();
    known.retain(|unit, noted| {
        bytes.resize(unit_chunks(*unit) * CHUNK, 0);
        let read = sealed.read_at(&mut bytes, unit.saturating_mul(unit_bytes));
        let roots = shape.read_roots(&tree, first_chunk(*unit), unit_chunks(*unit));
        read.is_ok() && roots.is_ok_and(|roots| digest(&bytes, &roots) == *noted)
    });
    if sealed.allocated()? < total {
        // What is promised already may use half of what is kept free.
        inner.room_to_seal(meta.length, inner.kept_free() / 2, &folder)?;
    }
    sealed.reserve(total)?;
    tree.set_size(shape.bytes())?;
    let mut journal = Journal::start(files, &path, meta.replica, &known)?;

    let mut done = known
        .keys()
        .map(|unit| unit_chunks(*unit) as u64)
        .sum::<u64>()
        * CHUNK as u64;
    let (mut fresh, mut unsynced) = (Vec::new(), 0);
    let binding = inner.binding(&meta.replica);
    for unit in (0..units).filter(|unit| !known.contains_key(unit)) {
        inner.go_on(&meta.replica)?;
        bytes.resize(unit_chunks(unit) * CHUNK, 0);
        let start = unit.saturating_mul(unit_bytes);
        coded.read_at(&mut bytes, start).map_err(gone)?;
        let expected = shape.read_roots(&coded_tree, first_chunk(unit), unit_chunks(unit))?;
        let found = content::roots(&bytes);
        let wrong = found.iter().zip(&expected).filter(|(a, b)| a != b).count();
        if wrong > 0 {
            return Err(Error::Damaged {
                chunks: wrong as u64,
            });
        }
        inner.apply(&binding.unit_key(&meta.coded.root, unit), &mut bytes)?;
        let roots = content::roots(&bytes);
        sealed.write_at(&bytes, start)?;
        shape.write_roots(&tree, first_chunk(unit), &roots)?;
        fresh.push((unit, digest(&bytes, &roots)));
        unsynced += bytes.len() as u64;
        if unsynced >= inner.sync_every {
            sealed.sync()?;
            tree.sync()?;
            journal.append(&fresh)?;
            fresh.clear();
            unsynced = 0;
        }
        done = done.saturating_add(bytes.len() as u64);
        watch(Progress {
            stage: Stage::Seal,
            done,
            total,
        });
    }
    let commitment = shape.complete(&tree)?;
    sealed.sync()?;
    tree.sync()?;
    files.sync_dir(&folder)?;
    meta.state = State::Sealed;
    meta.sealed_root = commitment.root;
    inner.write_meta(&meta)?;
    finish(inner, &meta)
}

/// Removes what sealing needed.
fn finish(inner: &Inner, meta: &Meta) -> Result<Commitment, Error> {
    let folder = inner.folder(&meta.replica);
    tidy(inner, &folder)?;
    meta.sealed().ok_or(Error::Unknown(meta.replica))
}

/// Removes what a sealed replica does not need.
pub(crate) fn tidy(inner: &Inner, folder: &Path) -> Result<(), Error> {
    inner.files.remove(&folder.join("coded.bin"))?;
    inner.files.remove(&folder.join("journal"))
}
