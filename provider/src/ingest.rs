//! From content to a sealed replica.

use crate::{
    content,
    format::{layout, Meta, State},
    journal::{digest, Journal},
    pages::Shape,
    progress::{Progress, Stage, Watch},
    staging,
    store::Inner,
    Commitment, Error, Hash, ReplicaId,
};
use std::{
    io::{self, Read},
    path::Path,
};
use tos_storage_proofs::CHUNK;

/// What a replica is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplicaSpec {
    /// Its id.
    pub replica: ReplicaId,
    /// The deal it is for.
    pub deal: [u8; 16],
    /// The BLAKE3 hash of the content.
    pub content: Hash,
    /// The bytes of the content, at least one.
    pub length: u64,
    /// The commitment to the coded sequence, which the client put into the deal.
    pub coded: Commitment,
}

impl ReplicaSpec {
    pub(crate) fn meta(&self, state: State) -> Meta {
        Meta {
            state,
            replica: self.replica,
            deal: self.deal,
            content: self.content,
            length: self.length,
            coded: self.coded,
            sealed_root: [0; 32],
        }
    }
}

pub(crate) fn ingest(
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

pub(crate) fn resume(inner: &Inner, id: &ReplicaId, watch: Watch<'_>) -> Result<Commitment, Error> {
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

/// Fetches and codes content into a directory, and takes the space that sealing needs before
/// anything is fetched. What turns out to be the wrong content, or more than there is room for,
/// leaves nothing behind. `id` is what is busy meanwhile.
pub(crate) fn prepare(
    inner: &Inner,
    folder: &Path,
    mut meta: Meta,
    id: &ReplicaId,
    content: impl Read,
    watch: Watch<'_>,
) -> Result<Meta, Error> {
    let files = &inner.files;
    let made = (|| {
        inner.room_to_seal(meta.length, inner.kept_free(), folder)?;
        if let Some(shelf) = folder.parent() {
            files.create_dir(shelf)?;
        }
        files.create_dir(folder)?;
        inner.write_meta_in(folder, &meta)?;
        // From an earlier attempt, perhaps of other bytes.
        files.remove(&folder.join("journal"))?;
        let coded = files.fresh(&folder.join("coded.bin"), 0)?;
        let tree = files.fresh(&folder.join("coded.tree"), 0)?;
        let sealed = files.write(&folder.join("sealed.bin"))?;
        sealed.reserve(meta.layout()?.coded_bytes())?;
        drop(sealed);
        let content = Stoppable { inner, id, content };
        let (hash, commitment) = content::make(content, meta.length, &coded, &tree, watch)?;
        if hash != meta.content {
            return Err(Error::Content {
                expected: meta.content,
            });
        }
        if commitment != meta.coded {
            return Err(Error::Codeword);
        }
        coded.sync()?;
        tree.sync()?;
        files.sync_dir(folder)
    })();
    if let Err(error) = made {
        // A reader that was stopped fails, and says so less clearly.
        inner.go_on(id)?;
        if error.is_room() {
            // What could not be written whole is only in the way, of the windows of others above
            // all. That it may not be possible to remove it either changes nothing.
            let _ = inner.clear_folder(folder);
        } else if matches!(
            error,
            Error::Content { .. } | Error::Codeword | Error::Length { .. }
        ) {
            inner.clear_folder(folder)?;
        }
        return Err(error);
    }
    meta.state = State::Sealing;
    inner.write_meta_in(folder, &meta)?;
    Ok(meta)
}

/// Content whose reading fails when it is to stop.
struct Stoppable<'a, R> {
    inner: &'a Inner,
    id: &'a ReplicaId,
    content: R,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.go_on(self.id).map_err(io::Error::other)?;
        self.content.read(into)
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
