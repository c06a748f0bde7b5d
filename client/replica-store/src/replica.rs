// SPDX-License-Identifier: Apache-2.0

//! One replica and its proofs.

use crate::{
    directory::Inner,
    files::{read_what_is_there, FileAt},
    format::{Meta, State},
    pages::{PageReader, Shape},
    Commitment, Error, Hash, ReplicaId,
};
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};
use tos_storage_proofs::{
    challenge::distinct, compact::Signature, proof::asked_words, prove_chunks, prove_compact,
    prove_words, replica_seed, seal::prove_seal, verify_chunks, verify_compact, verify_words,
    SealOpening, TreeSource, CHUNK, COMMITTEE_WORDS,
};

/// A replica of a store. It keeps no file open.
///
/// Seeds given to the proofs are those of the beacon; they are mixed with replica and sealed root
/// here ([`Replica::seed`]), as the chain does.
#[derive(Clone)]
pub struct Replica {
    pub(crate) inner: Arc<Inner>,
    pub(crate) meta: Meta,
}

impl Replica {
    pub(crate) fn new(inner: Arc<Inner>, meta: Meta) -> Self {
        Self { inner, meta }
    }

    /// Description of the replica, as of when it was asked for.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// Its id.
    pub fn id(&self) -> &ReplicaId {
        &self.meta.replica
    }

    /// The commitment to the sealed sequence.
    ///
    /// # Errors
    /// It is not sealed yet.
    pub fn sealed(&self) -> Result<Commitment, Error> {
        self.meta.sealed().ok_or(Error::State {
            replica: self.meta.replica,
            what: match self.meta.state {
                State::Fetching => "its content is not here",
                State::Sealing | State::Sealed => "it is not sealed",
            },
        })
    }

    /// The shape of its trees.
    pub(crate) fn shape(&self) -> Shape {
        Shape::of(self.meta.coded.chunks())
    }

    /// The number of units.
    pub fn units(&self) -> u64 {
        self.inner.header.params.units(self.meta.coded.words)
    }

    /// The seed of this replica for a seed of the beacon.
    ///
    /// # Errors
    /// It is not sealed yet.
    pub fn seed(&self, beacon: &Hash) -> Result<Hash, Error> {
        Ok(replica_seed(beacon, self.id(), &self.sealed()?.root))
    }

    /// Answers an audit: two words, signed. `moment` is the number of the window or block that drew
    /// it; `sign` signs the hash it gets with the provider's proof key.
    ///
    /// # Errors
    /// It is not sealed, cannot be read, or what it opens is damaged.
    pub fn compact(
        &self,
        beacon: &Hash,
        moment: u64,
        sign: impl FnOnce(&Hash) -> Signature,
    ) -> Result<Vec<u8>, Error> {
        self.compact_for(&self.seed(beacon)?, moment, sign)
    }

    /// [`Self::compact`] for a seed that was mixed with replica and sealed root already, as the
    /// chain gives it with an audit.
    ///
    /// # Errors
    /// As [`Self::compact`].
    pub fn compact_for(
        &self,
        seed: &Hash,
        moment: u64,
        sign: impl FnOnce(&Hash) -> Signature,
    ) -> Result<Vec<u8>, Error> {
        let c = self.sealed()?;
        let files = Sealed::open(self)?;
        let proof = prove_compact(&files.source(), &c, seed, *self.id(), moment, sign)?;
        verify_compact(&c, seed, &proof).map_err(damaged)?;
        Ok(proof)
    }

    /// The committee's proof for a window: 16 words.
    ///
    /// # Errors
    /// As [`Self::compact`].
    pub fn committee(&self, beacon: &Hash) -> Result<Vec<u8>, Error> {
        self.committee_counted(beacon).map(|(proof, _)| proof)
    }

    /// [`Self::committee`], and how many pages of 4 KiB it took to read.
    ///
    /// # Errors
    /// As [`Self::compact`].
    pub fn committee_counted(&self, beacon: &Hash) -> Result<(Vec<u8>, usize), Error> {
        let (c, seed) = (self.sealed()?, self.seed(beacon)?);
        let files = Sealed::open(self)?;
        let source = files.source();
        let proof = prove_words(&source, &c, &seed, COMMITTEE_WORDS)?;
        verify_words(&c, &seed, COMMITTEE_WORDS, &proof).map_err(damaged)?;
        Ok((proof, source.pages_read()))
    }

    /// Whole sealed chunks, for an audit of retrieval.
    ///
    /// # Errors
    /// As [`Self::compact`], or the count is out of bounds.
    pub fn full(&self, beacon: &Hash, count: u32) -> Result<Vec<u8>, Error> {
        let (c, seed) = (self.sealed()?, self.seed(beacon)?);
        let files = Sealed::open(self)?;
        let proof = prove_chunks(&files.source(), &c, &seed, count)?;
        verify_chunks(&c, &seed, count, &proof).map_err(damaged)?;
        Ok(proof)
    }

    /// Shows that the words at `indices`, in any order, were sealed as they should be: the opening
    /// of each distinct one, ascending. Every unit among them costs one mask.
    ///
    /// # Errors
    /// It is not sealed, cannot be read, is damaged there, or the indices are none, too many or out
    /// of range.
    pub fn seal_openings(&self, indices: &[u64]) -> Result<SealOpening, Error> {
        let c = self.sealed()?;
        let indices = distinct(indices.to_vec());
        let sealed = Sealed::open(self)?;
        let tree = self.file("coded.tree")?;
        let coded = UnsealedSource {
            replica: self,
            data: &sealed.data,
            pages: PageReader::new(&tree, &sealed.shape),
            unit: RefCell::default(),
        };
        let opening = prove_seal(&coded, &sealed.source(), c.words, &indices)?;
        for (proof, c) in [(&opening.coded, &self.meta.coded), (&opening.sealed, &c)] {
            if proof.root(&indices, c.words)? != c.root {
                return Err(Error::Damaged { chunks: 1 });
            }
        }
        Ok(opening)
    }

    /// Answers a seal challenge: [`Self::seal_openings`] of the `count` words that the seed asks
    /// for.
    ///
    /// # Errors
    /// As [`Self::seal_openings`].
    pub fn seal_challenge(&self, beacon: &Hash, count: u32) -> Result<SealOpening, Error> {
        self.seal_openings(&asked_words(&self.sealed()?, &self.seed(beacon)?, count)?)
    }

    /// Sealed chunks from `first` on as they lie on disk, at most `count`; what cannot be read is
    /// zero. Nothing is compared: the receiver does that, with [`Self::chunk_roots`].
    ///
    /// # Errors
    /// It is not sealed, or there is no such chunk.
    pub fn raw_chunks(&self, first: u64, count: u64) -> Result<Vec<u8>, Error> {
        let rest = self
            .sealed()?
            .chunks()
            .checked_sub(first)
            .filter(|rest| *rest > 0);
        let count = rest.ok_or(Error::Range)?.min(count);
        let length =
            usize::try_from(count.saturating_mul(CHUNK as u64)).map_err(|_| Error::Range)?;
        let mut bytes = vec![0; length];
        if let Ok(data) = self.file("sealed.bin") {
            let start = first.saturating_mul(CHUNK as u64);
            read_what_is_there(&data, &mut bytes, start);
        }
        Ok(bytes)
    }

    /// The roots that sealed chunks from `first` on should have, at most `count`.
    ///
    /// # Errors
    /// It is not sealed, there is no such chunk, or the tree cannot be read.
    pub fn chunk_roots(&self, first: u64, count: u64) -> Result<Vec<Hash>, Error> {
        let chunks = self.sealed()?.chunks();
        let rest = chunks.checked_sub(first).filter(|rest| *rest > 0);
        let count = rest.ok_or(Error::Range)?.min(count);
        let count = usize::try_from(count).map_err(|_| Error::Range)?;
        let tree = self.file("sealed.tree")?;
        Shape::of(chunks).read_roots(&tree, first, count)
    }

    pub(crate) fn file(&self, name: &str) -> Result<FileAt, Error> {
        self.inner.files.read(&self.path(name))
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.inner.folder(self.id()).join(name)
    }

    /// (start in bytes, bytes) of a unit.
    pub(crate) fn extent(&self, unit: u64) -> Result<(u64, usize), Error> {
        let size = self.inner.header.params.unit_bytes();
        let total = self.meta.layout()?.coded_bytes();
        let start = unit.checked_mul(size).ok_or(Error::Range)?;
        match total.checked_sub(start) {
            Some(rest) if rest > 0 => Ok((start, rest.min(size) as usize)),
            _ => Err(Error::Range),
        }
    }
}

/// A proof from the disk that its own verifier refuses shows that the disk is wrong.
fn damaged(_: tos_storage_proofs::ProofError) -> Error {
    Error::Damaged { chunks: 1 }
}

/// The open files of a sealed replica.
pub(crate) struct Sealed {
    pub data: FileAt,
    pub tree: FileAt,
    pub shape: Shape,
}

impl Sealed {
    pub fn open(replica: &Replica) -> Result<Self, Error> {
        Ok(Self {
            data: replica.file("sealed.bin")?,
            tree: replica.file("sealed.tree")?,
            shape: replica.shape(),
        })
    }

    pub fn source(&self) -> SealedSource<'_> {
        SealedSource {
            data: &self.data,
            pages: PageReader::new(&self.tree, &self.shape),
            chunks_read: Cell::default(),
        }
    }
}

/// The sealed sequence and its tree, for one proof.
pub(crate) struct SealedSource<'a> {
    data: &'a FileAt,
    pages: PageReader<'a>,
    chunks_read: Cell<usize>,
}

impl SealedSource<'_> {
    fn pages_read(&self) -> usize {
        self.pages.pages().saturating_add(self.chunks_read.get())
    }
}

impl TreeSource for SealedSource<'_> {
    type Error = Error;

    fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], Error> {
        let mut bytes = [0; CHUNK];
        self.data
            .read_at(&mut bytes, chunk.saturating_mul(CHUNK as u64))?;
        self.chunks_read
            .set(self.chunks_read.get().saturating_add(1));
        Ok(bytes)
    }

    fn node(&self, level: u32, index: u64) -> Result<Hash, Error> {
        self.pages.node(level, index)
    }
}

/// The coded sequence, unsealed unit by unit, and its tree.
struct UnsealedSource<'a> {
    replica: &'a Replica,
    data: &'a FileAt,
    pages: PageReader<'a>,
    /// The unit unsealed last.
    unit: RefCell<Option<(u64, Vec<u8>)>>,
}

impl TreeSource for UnsealedSource<'_> {
    type Error = Error;

    fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], Error> {
        let size = self.replica.inner.header.params.unit_bytes() / CHUNK as u64;
        let unit = chunk.checked_div(size).ok_or(Error::Range)?;
        let mut held = self.unit.borrow_mut();
        let bytes = match &*held {
            Some((at, bytes)) if *at == unit => bytes,
            _ => {
                let (start, length) = self.replica.extent(unit)?;
                let mut bytes = vec![0; length];
                self.data.read_at(&mut bytes, start)?;
                self.replica.apply(unit, &mut bytes)?;
                &held.insert((unit, bytes)).1
            }
        };
        let at = chunk.saturating_sub(unit.saturating_mul(size)) as usize;
        bytes.as_chunks().0.get(at).copied().ok_or(Error::Range)
    }

    fn node(&self, level: u32, index: u64) -> Result<Hash, Error> {
        self.pages.node(level, index)
    }
}

impl Replica {
    /// Seals or unseals a unit in place.
    pub(crate) fn apply(&self, unit: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let binding = self.inner.binding(self.id());
        let key = binding.unit_key(&self.meta.coded.root, unit);
        self.inner.apply(&key, bytes)
    }
}
