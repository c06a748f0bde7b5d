// SPDX-License-Identifier: Apache-2.0

//! Coded content in a file: making it, committing to it, and getting content out of a part of it.

use crate::{
    damage::Damage,
    disk::LocalDisk,
    files::{temporary, FileAt, Files},
    format::layout,
    pages::Shape,
    progress::{Progress, Stage, Watch},
    Commitment, Error, Hash, Layout,
};
use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};
use tos_storage_proofs::{
    chunk_root,
    code::{self, CodeError, Shards},
    CHUNK,
};

/// Bytes that are read at a time where nothing else decides.
pub(crate) const BUFFER: usize = 1 << 20;

/// The roots of whole chunks, computed on all cores.
pub(crate) fn roots(bytes: &[u8]) -> Vec<Hash> {
    let hash = |chunks: &[[u8; CHUNK]]| -> Vec<Hash> {
        // An array of 4,096 bytes always has a root.
        chunks
            .iter()
            .map(|chunk| chunk_root(chunk).unwrap_or_default())
            .collect()
    };
    let chunks = bytes.as_chunks::<CHUNK>().0;
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get().min(8));
    // Below 64 chunks, a millisecond of work, a thread costs more than it saves.
    if cores == 1 || chunks.len() < 64 {
        return hash(chunks);
    }
    thread::scope(|scope| {
        let parts: Vec<_> = chunks
            .chunks(chunks.len().div_ceil(cores))
            .map(|part| (part, scope.spawn(move || hash(part))))
            .collect();
        let join = |(part, thread): (&[[u8; CHUNK]], thread::ScopedJoinHandle<'_, Vec<Hash>>)| {
            thread.join().unwrap_or_else(|_| hash(part))
        };
        parts.into_iter().flat_map(join).collect()
    })
}

/// Computes the tree over a file of whole chunks into `tree`.
pub(crate) fn build_tree(
    file: &FileAt,
    tree: &FileAt,
    chunks: u64,
    stage: Stage,
    watch: Watch<'_>,
) -> Result<Commitment, Error> {
    let shape = Shape::of(chunks);
    let total = chunks.saturating_mul(CHUNK as u64);
    tree.set_size(shape.bytes())?;
    let (mut done, mut buffer) = (0u64, Vec::new());
    while done < total {
        buffer.resize(part(done, total), 0);
        file.read_at(&mut buffer, done)?;
        shape.write_roots(tree, done / CHUNK as u64, &roots(&buffer))?;
        done = done.saturating_add(buffer.len() as u64);
        watch(Progress { stage, done, total });
    }
    shape.complete(tree)
}

/// The bytes of the next part of `total`, at most a buffer.
pub(crate) fn part(done: u64, total: u64) -> usize {
    total.saturating_sub(done).min(BUFFER as u64) as usize
}

/// Copies content of known length and hash to the front of a file.
fn fetch(
    mut content: impl Read,
    length: u64,
    file: &FileAt,
    watch: Watch<'_>,
) -> Result<Hash, Error> {
    let (mut done, mut buffer) = (0u64, Vec::new());
    let mut hasher = blake3::Hasher::new();
    while done < length {
        buffer.resize(part(done, length), 0);
        content.read_exact(&mut buffer).map_err(|error| {
            match error.kind() == std::io::ErrorKind::UnexpectedEof {
                true => Error::Length { expected: length },
                false => Error::Stream(error),
            }
        })?;
        hasher.update(&buffer);
        file.write_at(&buffer, done)?;
        done = done.saturating_add(buffer.len() as u64);
        watch(Progress {
            stage: Stage::Fetch,
            done,
            total: length,
        });
    }
    match content.read(&mut [0]).map_err(Error::Stream)? {
        0 => Ok(*hasher.finalize().as_bytes()),
        _ => Err(Error::Length { expected: length }),
    }
}

/// Writes coded content to `coded` and its tree to `tree`, and returns hash and commitment. Neither
/// is synced.
pub(crate) fn make(
    content: impl Read,
    length: u64,
    coded: &FileAt,
    tree: &FileAt,
    watch: Watch<'_>,
) -> Result<(Hash, Commitment), Error> {
    let layout = layout(length)?;
    coded.set_size(0)?;
    coded.reserve(layout.coded_bytes())?;
    let hash = fetch(content, length, coded, watch)?;
    let total = layout.coded_bytes() / 2;
    let mut shards = WholeFile {
        file: coded,
        layout,
        done: 0,
        total,
        watch,
    };
    code::encode(&layout, &mut shards).map_err(code_error)?;
    let commitment = build_tree(coded, tree, layout.coded_chunks, Stage::Commit, watch)?;
    Ok((hash, commitment))
}

fn code_error(error: CodeError<Error>) -> Error {
    match error {
        CodeError::TooFewShards | CodeError::Layout => Error::Lost,
        CodeError::Shards(error) => error,
    }
}

/// All shards of a coded file.
struct WholeFile<'a, 'w> {
    file: &'a FileAt,
    layout: Layout,
    done: u64,
    total: u64,
    watch: Watch<'w>,
}

impl Shards for WholeFile<'_, '_> {
    type Error = Error;

    fn read(&mut self, shard: u32, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let start = self.layout.shard_start(shard).saturating_add(offset);
        self.file.read_at(bytes, start)?;
        let before = self.done / BUFFER as u64;
        self.done = self.done.saturating_add(bytes.len() as u64);
        if self.done / BUFFER as u64 != before || self.done >= self.total {
            (self.watch)(Progress {
                stage: Stage::Encode,
                done: self.done.min(self.total),
                total: self.total,
            });
        }
        Ok(())
    }

    fn write(&mut self, shard: u32, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let start = self.layout.shard_start(shard).saturating_add(offset);
        self.file.write_at(bytes, start)
    }
}

/// One chunk of each shard, the same one: a codeword of its own. Chunks that are there are not
/// overwritten.
struct Column<'a> {
    file: &'a FileAt,
    layout: Layout,
    column: u64,
    damage: &'a Damage,
}

impl Column<'_> {
    fn chunk(&self, shard: u32) -> u64 {
        u64::from(shard)
            .saturating_mul(self.layout.shard_chunks)
            .saturating_add(self.column)
    }

    fn is_damaged(&self, shard: u32) -> bool {
        self.damage.contains(self.chunk(shard))
    }

    /// Returns `true` if it holds no data but filling, which is zeros.
    fn is_filling(&self, shard: u32) -> bool {
        shard < self.layout.shards && self.chunk(shard) >= self.layout.data_chunks
    }

    fn start(&self, shard: u32, offset: u64) -> u64 {
        self.chunk(shard)
            .saturating_mul(CHUNK as u64)
            .saturating_add(offset)
    }
}

impl Shards for Column<'_> {
    type Error = Error;

    fn read(&mut self, shard: u32, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        self.file.read_at(bytes, self.start(shard, offset))
    }

    fn write(&mut self, shard: u32, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        match self.is_damaged(shard) {
            true => self.file.write_at(bytes, self.start(shard, offset)),
            false => Ok(()),
        }
    }
}

/// Computes the damaged chunks of a coded file from the others, column by column.
pub(crate) fn restore(
    file: &FileAt,
    layout: Layout,
    damage: &Damage,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let total = layout.coded_bytes();
    // A column across the shards is laid out like content of one chunk per shard.
    let across = layout.shards as u64 * CHUNK as u64;
    let across = Layout::of(across).ok_or(Error::Lost)?;
    for column in 0..layout.shard_chunks {
        let mut shards = Column {
            file,
            layout,
            column,
            damage,
        };
        let mut recovery = layout.shards..layout.shards.saturating_mul(2);
        let recode = recovery.any(|shard| shards.is_damaged(shard));
        let present: Vec<bool> = (0..layout.shards.saturating_mul(2))
            .map(|shard| !shards.is_damaged(shard) || shards.is_filling(shard))
            .collect();
        for shard in 0..layout.shards {
            if shards.is_filling(shard) {
                shards.write(shard, 0, &[0; CHUNK])?;
            }
        }
        let present = |shard: u32| present.get(shard as usize).copied().unwrap_or(false);
        code::reconstruct(&across, &present, &mut shards).map_err(code_error)?;
        if recode {
            code::encode(&across, &mut shards).map_err(code_error)?;
        }
        watch(Progress {
            stage: Stage::Restore,
            done: total / layout.shard_chunks.max(1) * column.saturating_add(1),
            total,
        });
    }
    Ok(())
}

/// Copies the content out of a coded file, from `from` on, having hashed what came before.
pub(crate) fn copy_out(
    file: &FileAt,
    length: u64,
    from: u64,
    hasher: &mut blake3::Hasher,
    out: &mut dyn Write,
) -> Result<(), Error> {
    let (mut done, mut buffer) = (from, Vec::new());
    while done < length {
        buffer.resize(part(done, length), 0);
        file.read_at(&mut buffer, done)?;
        hasher.update(&buffer);
        out.write_all(&buffer).map_err(Error::Stream)?;
        done = done.saturating_add(buffer.len() as u64);
    }
    Ok(())
}

/// The content of a deal, as its client describes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coded {
    /// The BLAKE3 hash of the content.
    pub content: Hash,
    /// Its length in bytes.
    pub length: u64,
    /// The commitment to the coded sequence.
    pub commitment: Commitment,
}

/// Computes the coded commitment of content of `length` bytes. `scratch` names a file, which is
/// made, takes twice the length, and is removed again.
///
/// # Errors
/// The content cannot be read or has another length, or the scratch file cannot be written.
pub fn commit_content(
    content: impl Read,
    length: u64,
    scratch: &Path,
    watch: Watch<'_>,
) -> Result<Coded, Error> {
    let files = local();
    let tree = temporary(scratch);
    let made = (|| {
        let (coded, tree) = (files.fresh(scratch, 0)?, files.fresh(&tree, 0)?);
        make(content, length, &coded, &tree, watch)
    })();
    let removed = files.remove(scratch).and(files.remove(&tree));
    let (content, commitment) = made?;
    removed?;
    Ok(Coded {
        content,
        length,
        commitment,
    })
}

fn local() -> Files {
    Files {
        disk: Arc::new(LocalDisk),
        durable: false,
    }
}

/// Coded chunks that arrive one by one, in any order, until there are enough of them.
///
/// A chunk that is wrong is not noticed when it arrives but at the end; a caller that fetches
/// chunks from untrusted servers asks for them with their proof
/// ([`tos_storage_proofs::verify_chunks`]) or falls back to others.
pub struct Partial {
    file: FileAt,
    files: Files,
    path: PathBuf,
    layout: Layout,
    length: u64,
    missing: Vec<bool>,
}

impl Partial {
    /// Starts with nothing. `scratch` names a file that is made, and removed with this value.
    ///
    /// # Errors
    /// The length is impossible, or the file cannot be written.
    pub fn new(scratch: &Path, length: u64) -> Result<Self, Error> {
        let (files, layout) = (local(), layout(length)?);
        Ok(Self {
            file: files.fresh(scratch, layout.coded_bytes())?,
            files,
            path: scratch.to_owned(),
            layout,
            length,
            missing: vec![true; layout.coded_chunks as usize],
        })
    }

    /// Takes one chunk of the coded sequence.
    ///
    /// # Errors
    /// There is no such chunk, or the file cannot be written.
    pub fn put(&mut self, chunk: u64, bytes: &[u8; CHUNK]) -> Result<(), Error> {
        let missing = usize::try_from(chunk)
            .ok()
            .and_then(|chunk| self.missing.get_mut(chunk))
            .ok_or(Error::Range)?;
        self.file
            .write_at(bytes, chunk.saturating_mul(CHUNK as u64))?;
        *missing = false;
        Ok(())
    }

    /// Returns `true` if what is there suffices.
    pub fn is_enough(&self) -> bool {
        let (shards, column) = (u64::from(self.layout.shards), self.layout.shard_chunks);
        (0..column).all(|column| {
            let there = (0..shards * 2).filter(|shard| {
                let chunk = shard * self.layout.shard_chunks + column;
                let filling = *shard < shards && chunk >= self.layout.data_chunks;
                filling || self.missing.get(chunk as usize) == Some(&false)
            });
            there.count() as u64 >= shards
        })
    }

    /// Writes the content.
    ///
    /// # Errors
    /// There are too few chunks, the writer fails, or the result does not have the hash it should
    /// have; what was written is then worthless.
    pub fn finish(
        self,
        content: &Hash,
        out: &mut dyn Write,
        watch: Watch<'_>,
    ) -> Result<(), Error> {
        let missing = (0..).zip(&self.missing).filter(|(_, missing)| **missing);
        let damage = missing.map(|(chunk, _)| chunk).collect();
        restore(&self.file, self.layout, &damage, watch)?;
        let mut hasher = blake3::Hasher::new();
        copy_out(&self.file, self.length, 0, &mut hasher, out)?;
        match hasher.finalize() == *content {
            true => out.flush().map_err(Error::Stream),
            false => Err(Error::Content { expected: *content }),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // A scratch file left behind does no harm.
        let _ = self.files.remove(&self.path);
    }
}
