// SPDX-License-Identifier: Apache-2.0

//! The commitment to a sequence of words: a binary Merkle tree.
//!
//! * leaf of word w: `H(LEAF, w)`; node: `H(NODE, left ‖ right)`;
//! * the leaves are filled up to the next power of two with `H(EMPTY, "")`; depth = ⌈log2 words⌉;
//! * root: `H(ROOT, words as u64 ‖ top node)`, so a root fixes the length and with it the depth.
//!
//! Subtrees that hold filling alone are constants. They are never stored and never sent.
//! Storing a tree means storing the nodes from chunk roots upwards, 1/64 of the data; the 64
//! leaves under a chunk root are recomputed from the chunk.

use crate::{hash, Hash, Word, CHUNK, MAX_WORDS, WORD, WORDS_PER_CHUNK};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::{convert::Infallible, fmt};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The level of chunk roots above the leaves.
pub const CHUNK_LEVEL: u32 = 6;
/// The most levels between chunk roots (level 0) and top node, both included.
pub const MAX_LEVELS: u32 = 24;

/// A commitment to a sequence of words.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Commitment {
    /// The root; it binds the length too.
    #[serde(with = "crate::json")]
    pub root: Hash,
    /// The number of 64-byte words, a positive multiple of 64 and at most [`MAX_WORDS`].
    pub words: u64,
}

impl Commitment {
    /// `true` if the length is possible.
    pub fn is_possible(&self) -> bool {
        (WORDS_PER_CHUNK..=MAX_WORDS).contains(&self.words)
            && self.words.is_multiple_of(WORDS_PER_CHUNK)
    }

    /// The number of 4-KiB chunks, rounded down.
    pub fn chunks(&self) -> u64 {
        self.words >> CHUNK_LEVEL
    }

    /// The number of levels between leaves and top node.
    pub fn depth(&self) -> u32 {
        depth(self.words)
    }
}

/// ⌈log2 words⌉, the number of levels between leaves and top node.
pub fn depth(words: u64) -> u32 {
    u64::BITS.saturating_sub(words.saturating_sub(1).leading_zeros())
}

/// The hash of one word.
pub fn leaf(word: &Word) -> Hash {
    hash::keyed(&hash::LEAF, word)
}

/// The hash of two neighbours.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    hash::pair(&hash::NODE, left, right)
}

/// The node `level` levels above the leaves that holds filling alone.
pub fn empty(level: u32) -> Hash {
    let leaf = hash::keyed(&hash::EMPTY, &[]);
    (0..level.min(u64::BITS)).fold(leaf, |node_below, _| node(&node_below, &node_below))
}

/// The root over a top node.
pub fn root(words: u64, top: &Hash) -> Hash {
    hash::keyed_parts(&hash::ROOT, &[&words.to_le_bytes(), top])
}

/// All levels of the tree under one chunk root: 64 leaves, then 32 nodes, …, then the chunk root.
/// `None` unless `chunk` has 4,096 bytes.
pub fn chunk_levels(chunk: &[u8]) -> Option<[Vec<Hash>; 7]> {
    let (words, []) = chunk.as_chunks::<WORD>() else {
        return None;
    };
    if chunk.len() != CHUNK {
        return None;
    }
    let mut level: Vec<Hash> = words.iter().map(leaf).collect();
    Some(core::array::from_fn(|_| {
        let above = level
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[left, right]| node(left, right))
            .collect();
        core::mem::replace(&mut level, above)
    }))
}

/// The root over the 64 words of one chunk, `None` unless `chunk` has 4,096 bytes.
pub fn chunk_root(chunk: &[u8]) -> Option<Hash> {
    let (words, []) = chunk.as_chunks::<WORD>() else {
        return None;
    };
    if chunk.len() != CHUNK {
        return None;
    }
    let mut level = [[0; 32]; 32];
    let (pairs, _) = words.as_chunks::<2>();
    for (out, [left, right]) in level.iter_mut().zip(pairs) {
        *out = node(&leaf(left), &leaf(right));
    }
    for width in [16, 8, 4, 2, 1] {
        for i in 0..width {
            let [left, right] = *level.as_chunks::<2>().0.get(i)?;
            *level.get_mut(i)? = node(&left, &right);
        }
    }
    level.first().copied()
}

/// The store of the nodes that a [`TreeBuilder`] makes.
pub trait NodeSink {
    /// The reason for which a node could not be kept.
    type Error;
    /// Keeps a node. Level 0 holds the chunk roots. Within a level, nodes come in ascending order;
    /// every node that covers any data comes exactly once.
    fn node(&mut self, level: u32, index: u64, hash: &Hash) -> Result<(), Self::Error>;
}

/// Keeps nothing.
impl NodeSink for () {
    type Error = Infallible;
    fn node(&mut self, _: u32, _: u64, _: &Hash) -> Result<(), Infallible> {
        Ok(())
    }
}

/// The reasons for which a tree could not be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TreeError<E> {
    /// More than [`MAX_WORDS`] words.
    TooLong,
    /// No chunk at all.
    Empty,
    /// A node could not be kept.
    Sink(E),
}

impl<E: fmt::Display> fmt::Display for TreeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the sequence is too long"),
            Self::Empty => f.write_str("the sequence is empty"),
            Self::Sink(error) => write!(f, "a node cannot be stored: {error}"),
        }
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for TreeError<E> {}

/// Builds a commitment from chunk roots in order, with one pending hash per level.
#[derive(Clone, Default, Debug)]
pub struct TreeBuilder {
    pending: [Option<Hash>; MAX_LEVELS as usize],
    chunks: u64,
}

impl TreeBuilder {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The chunks pushed so far.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Adds the next chunk.
    ///
    /// # Errors
    /// The sequence is full, or the sink fails; after that the builder must not be used further.
    pub fn push<S: NodeSink + ?Sized>(
        &mut self,
        chunk_root: Hash,
        sink: &mut S,
    ) -> Result<(), TreeError<S::Error>> {
        if self.chunks >= MAX_WORDS >> CHUNK_LEVEL {
            return Err(TreeError::TooLong);
        }
        let index = self.chunks;
        self.chunks = self.chunks.saturating_add(1);
        self.place(0, index, chunk_root, sink)
    }

    /// Hands a node to the sink and joins it with its pending left neighbour, level by level.
    fn place<S: NodeSink + ?Sized>(
        &mut self,
        level: u32,
        index: u64,
        hash: Hash,
        sink: &mut S,
    ) -> Result<(), TreeError<S::Error>> {
        let (mut level, mut index, mut hash) = (level, index, hash);
        loop {
            sink.node(level, index, &hash).map_err(TreeError::Sink)?;
            let slot = self
                .pending
                .get_mut(level as usize)
                .ok_or(TreeError::TooLong)?;
            let Some(left) = slot.take() else {
                *slot = Some(hash);
                return Ok(());
            };
            hash = node(&left, &hash);
            index >>= 1;
            level = level.saturating_add(1);
        }
    }

    /// Fills the tree up and returns its commitment.
    ///
    /// # Errors
    /// There was no chunk, or the sink fails.
    pub fn finish<S: NodeSink + ?Sized>(
        mut self,
        sink: &mut S,
    ) -> Result<Commitment, TreeError<S::Error>> {
        if self.chunks == 0 {
            return Err(TreeError::Empty);
        }
        let words = self.chunks << CHUNK_LEVEL;
        let top = depth(words).saturating_sub(CHUNK_LEVEL);
        let mut filling = empty(CHUNK_LEVEL);
        for level in 0..top {
            // A pending node below the top has no right neighbour left to come.
            if let Some(left) = self.pending.get_mut(level as usize).and_then(Option::take) {
                let above = level.saturating_add(1);
                let index = self.chunks.saturating_sub(1) >> above;
                self.place(above, index, node(&left, &filling), sink)?;
            }
            filling = node(&filling, &filling);
        }
        let top = self
            .pending
            .get(top as usize)
            .copied()
            .flatten()
            .ok_or(TreeError::Empty)?;
        Ok(Commitment {
            root: root(words, &top),
            words,
        })
    }
}

/// The commitment to bytes held in memory. `None` unless they are whole chunks, at least one and
/// within [`MAX_WORDS`].
pub fn commit(bytes: &[u8]) -> Option<Commitment> {
    let (chunks, []) = bytes.as_chunks::<CHUNK>() else {
        return None;
    };
    let mut builder = TreeBuilder::new();
    for chunk in chunks {
        builder.push(chunk_root(chunk)?, &mut ()).ok()?;
    }
    builder.finish(&mut ()).ok()
}

/// The chunks and nodes that a prover reads.
pub trait TreeSource {
    /// The reason for which it cannot be read.
    type Error;
    /// The chunk with the given index.
    fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], Self::Error>;
    /// A node as a [`NodeSink`] received it: level 0 holds the chunk roots.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// A sequence with its tree, held in memory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemoryTree {
    bytes: Vec<u8>,
    levels: Vec<Vec<Hash>>,
    commitment: Commitment,
}

/// The chunk or node asked for does not exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfRange;

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such chunk or node")
    }
}

impl core::error::Error for OutOfRange {}

impl NodeSink for Vec<Vec<Hash>> {
    type Error = Infallible;
    fn node(&mut self, level: u32, _: u64, hash: &Hash) -> Result<(), Infallible> {
        let level = level as usize;
        if self.len() <= level {
            self.resize_with(level.saturating_add(1), Vec::new);
        }
        if let Some(nodes) = self.get_mut(level) {
            nodes.push(*hash);
        }
        Ok(())
    }
}

impl MemoryTree {
    /// Builds the tree; `None` as in [`commit`].
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        let (chunks, []) = bytes.as_chunks::<CHUNK>() else {
            return None;
        };
        let (mut builder, mut levels) = (TreeBuilder::new(), Vec::new());
        for chunk in chunks {
            builder.push(chunk_root(chunk)?, &mut levels).ok()?;
        }
        let commitment = builder.finish(&mut levels).ok()?;
        Some(Self {
            bytes,
            levels,
            commitment,
        })
    }

    /// The commitment to the sequence.
    pub fn commitment(&self) -> &Commitment {
        &self.commitment
    }

    /// The sequence.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl TreeSource for MemoryTree {
    type Error = OutOfRange;

    fn chunk(&self, chunk: u64) -> Result<[u8; CHUNK], OutOfRange> {
        let index = usize::try_from(chunk).map_err(|_| OutOfRange)?;
        let chunks = self.bytes.as_chunks::<CHUNK>().0;
        chunks.get(index).copied().ok_or(OutOfRange)
    }

    fn node(&self, level: u32, index: u64) -> Result<Hash, OutOfRange> {
        let index = usize::try_from(index).map_err(|_| OutOfRange)?;
        let nodes = self.levels.get(level as usize).ok_or(OutOfRange)?;
        nodes.get(index).copied().ok_or(OutOfRange)
    }
}
