// SPDX-License-Identifier: Apache-2.0

//! Trees above chunks, on disk in pages of 4 KiB.
//!
//! Of the levels above the chunk roots (level 0) every seventh is stored: band b holds the nodes of
//! level 7b, 32 bytes each, in order. Bands follow one another, each but the last filled up with
//! zeros to whole pages of 128 nodes; the last is the first one that fits into one page. Everything
//! between is recomputed from a page: 127 hashes. So a tree takes 0.8 % of the data, the path of a
//! word needs one page per band (two for 64 MiB, three up to 8 GiB, four for more), and each page
//! can be checked against its node in the band above.
//!
//! There is no header: length and root are in `meta`, and what does not lead to the root is
//! damaged.

use crate::{files::FileAt, Commitment, Error, Hash};
use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock};
use tos_storage_proofs::{
    tree::{depth, empty, node, root, CHUNK_LEVEL},
    WORDS_PER_CHUNK,
};

/// The levels of a page below its own root.
pub const PAGE_LEVELS: u32 = 7;
/// The nodes of a page.
pub const PAGE_NODES: u64 = 1 << PAGE_LEVELS;
/// The bytes of a page.
pub const PAGE: usize = 4096;

/// Filling by level above chunk roots.
static FILLING: LazyLock<Vec<Hash>> =
    LazyLock::new(|| (0..64).map(|level| empty(CHUNK_LEVEL + level)).collect());

/// One stored level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Band {
    /// Its first byte in the file.
    start: u64,
    /// Its nodes.
    nodes: u64,
}

/// Positions of the nodes of a tree over some number of chunks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shape {
    chunks: u64,
    /// The level of the top node above chunk roots.
    top: u32,
    bands: Vec<Band>,
    bytes: u64,
}

impl Shape {
    /// The shape of a tree over `chunks` chunks, at least one.
    pub fn of(chunks: u64) -> Self {
        let (mut bands, mut start, mut nodes) = (Vec::new(), 0u64, chunks.max(1));
        while nodes > PAGE_NODES {
            bands.push(Band { start, nodes });
            let pages = nodes.div_ceil(PAGE_NODES);
            start = start.saturating_add(pages.saturating_mul(PAGE as u64));
            nodes = pages;
        }
        bands.push(Band { start, nodes });
        Self {
            chunks: chunks.max(1),
            top: depth(chunks.max(1)),
            bands,
            bytes: start.saturating_add(nodes.saturating_mul(32)),
        }
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The chunks below the tree.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// The number of bands.
    pub fn bands(&self) -> u32 {
        self.bands.len() as u32
    }

    /// The pages of a band.
    pub fn pages(&self, band: u32) -> u64 {
        self.bands
            .get(band as usize)
            .map_or(0, |band| band.nodes.div_ceil(PAGE_NODES))
    }

    /// The levels that a page of a band climbs: seven, or up to the top.
    fn height(&self, band: u32) -> u32 {
        let base = band.saturating_mul(PAGE_LEVELS);
        self.top.saturating_sub(base).min(PAGE_LEVELS)
    }

    /// (offset in the file, nodes) of a page.
    fn place(&self, band: u32, page: u64) -> Option<(u64, usize)> {
        let band = self.bands.get(band as usize)?;
        let first = page.checked_mul(PAGE_NODES)?;
        let nodes = band.nodes.checked_sub(first)?.min(PAGE_NODES);
        let offset = band.start.checked_add(first.checked_mul(32)?)?;
        (nodes > 0).then_some((offset, usize::try_from(nodes).ok()?))
    }

    /// Reads a page.
    pub(crate) fn read(&self, file: &FileAt, band: u32, page: u64) -> Result<Vec<Hash>, Error> {
        let (offset, nodes) = self.place(band, page).ok_or(Error::Range)?;
        let mut read = vec![[0; 32]; nodes];
        file.read_at(read.as_flattened_mut(), offset)?;
        Ok(read)
    }

    /// Writes the roots of consecutive chunks.
    pub(crate) fn write_roots(
        &self,
        file: &FileAt,
        first: u64,
        roots: &[Hash],
    ) -> Result<(), Error> {
        file.write_at(roots.as_flattened(), first.saturating_mul(32))
    }

    /// Reads the roots of consecutive chunks.
    pub(crate) fn read_roots(
        &self,
        file: &FileAt,
        first: u64,
        count: usize,
    ) -> Result<Vec<Hash>, Error> {
        let mut roots = vec![[0; 32]; count];
        file.read_at(roots.as_flattened_mut(), first.saturating_mul(32))?;
        Ok(roots)
    }

    /// The node over a page of a band.
    pub(crate) fn over(&self, band: u32, nodes: &[Hash]) -> Hash {
        let base = band.saturating_mul(PAGE_LEVELS);
        climb(nodes.to_vec(), base, self.height(band))
            .pop()
            .and_then(|level| level.first().copied())
            .unwrap_or_default()
    }

    /// The commitment whose top page this is.
    pub(crate) fn commitment(&self, top_page: &[Hash]) -> Commitment {
        let words = self.chunks.saturating_mul(WORDS_PER_CHUNK);
        let top = self.over(self.bands().saturating_sub(1), top_page);
        Commitment {
            root: root(words, &top),
            words,
        }
    }

    /// Computes all bands above the chunk roots that are in the file, and the commitment.
    pub(crate) fn complete(&self, file: &FileAt) -> Result<Commitment, Error> {
        for band in 0..self.bands().saturating_sub(1) {
            let above = self.bands.get(band as usize + 1).ok_or(Error::Range)?;
            for page in 0..self.pages(band) {
                let node = self.over(band, &self.read(file, band, page)?);
                file.write_at(&node, above.start.saturating_add(page.saturating_mul(32)))?;
            }
        }
        Ok(self.commitment(&self.read(file, self.bands().saturating_sub(1), 0)?))
    }

    /// Returns `true` if a file holds exactly the tree with this commitment.
    pub(crate) fn is_whole(&self, file: &FileAt, c: &Commitment) -> Result<bool, Error> {
        if file.size()? != self.bytes {
            return Ok(false);
        }
        for band in 0..self.bands().saturating_sub(1) {
            let mut above = Vec::new();
            for page in 0..self.pages(band) {
                let index = (page % PAGE_NODES) as usize;
                if index == 0 {
                    above = self.read(file, band.saturating_add(1), page / PAGE_NODES)?;
                }
                let over = self.over(band, &self.read(file, band, page)?);
                if above.get(index) != Some(&over) {
                    return Ok(false);
                }
            }
        }
        let top = self.read(file, self.bands().saturating_sub(1), 0)?;
        Ok(self.commitment(&top) == *c)
    }
}

/// All levels from `nodes`, at level `base` above the chunk roots, to `height` levels above them.
fn climb(mut level: Vec<Hash>, base: u32, height: u32) -> Vec<Vec<Hash>> {
    let mut levels = Vec::new();
    for at in base..base.saturating_add(height) {
        let (pairs, rest) = level.as_chunks::<2>();
        let mut above: Vec<Hash> = pairs
            .iter()
            .map(|[left, right]| node(left, right))
            .collect();
        let filling = FILLING.get(at as usize).copied().unwrap_or_default();
        above.extend(rest.first().map(|left| node(left, &filling)));
        levels.push(std::mem::replace(&mut level, above));
    }
    levels.push(level);
    levels
}

/// The levels of one page, the stored one first.
type Levels = Vec<Vec<Hash>>;

/// Reads nodes, each page at most once.
pub(crate) struct PageReader<'a> {
    file: &'a FileAt,
    shape: &'a Shape,
    cache: RefCell<BTreeMap<(u32, u64), Levels>>,
}

impl<'a> PageReader<'a> {
    pub fn new(file: &'a FileAt, shape: &'a Shape) -> Self {
        Self {
            file,
            shape,
            cache: RefCell::default(),
        }
    }

    /// The pages read so far.
    pub fn pages(&self) -> usize {
        self.cache.borrow().len()
    }

    /// The node `level` levels above the chunk roots.
    pub fn node(&self, level: u32, index: u64) -> Result<Hash, Error> {
        let top = self.shape.bands().saturating_sub(1);
        let band = (level / PAGE_LEVELS).min(top);
        let height = level.saturating_sub(band.saturating_mul(PAGE_LEVELS));
        let in_page = PAGE_LEVELS.saturating_sub(height);
        let (page, at) = (index >> in_page, index & ((1u64 << in_page) - 1));
        let mut cache = self.cache.borrow_mut();
        let levels = match cache.entry((band, page)) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => {
                let nodes = self.shape.read(self.file, band, page)?;
                let base = band.saturating_mul(PAGE_LEVELS);
                entry.insert(climb(nodes, base, self.shape.height(band)))
            }
        };
        levels
            .get(height as usize)
            .and_then(|level| level.get(at as usize))
            .copied()
            .ok_or(Error::Range)
    }
}
