// SPDX-License-Identifier: Apache-2.0

//! Proofs that open words or whole chunks of a committed sequence.
//!
//! A proof opens the challenged indices in ascending order, each once, and shares what their paths have
//! in common. Its encoding is `units ‖ siblings`: the units opened, then the missing neighbours level
//! by level from the bottom, ascending within a level. Nodes of filling are left out. Indices
//! and length of the sequence determine the length of the encoding; any other length is refused, so
//! each proof has exactly one encoding.

use crate::{
    challenge::{challenges, distinct, MAX_CHALLENGES},
    hash,
    tree::{self, Commitment, TreeSource, CHUNK_LEVEL},
    Hash, ProofError, ProveError, Word, CHUNK, MAX_WORDS,
};
use alloc::vec::Vec;

/// A unit that a proof can open: a word or a chunk.
pub trait Unit: AsRef<[u8]> + Copy + Sized {
    /// The level of its hash above the words.
    const LEVEL: u32;
    /// Its bytes.
    const BYTES: usize;
    /// Its hash in the tree.
    fn hash(&self) -> Hash;
    /// Reads it; `None` unless the length is right.
    fn read(bytes: &[u8]) -> Option<Self>;
}

impl Unit for Word {
    const LEVEL: u32 = 0;
    const BYTES: usize = crate::WORD;
    fn hash(&self) -> Hash {
        tree::leaf(self)
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

impl Unit for [u8; CHUNK] {
    const LEVEL: u32 = CHUNK_LEVEL;
    const BYTES: usize = CHUNK;
    fn hash(&self) -> Hash {
        // An array of 4,096 bytes always has a chunk root.
        tree::chunk_root(self).unwrap_or_default()
    }
    fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}

/// Opened units with the hashes that lead from them to the root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Multiproof<U> {
    /// One per distinct index, ascending.
    pub units: Vec<U>,
    /// The neighbours, level by level from the bottom, ascending within a level.
    pub siblings: Vec<Hash>,
}

/// Opens words: shows possession.
pub type WordsProof = Multiproof<Word>;
/// Opens whole chunks: also hands over their data, for audits of retrieval.
pub type FullProof = Multiproof<[u8; CHUNK]>;

impl<U: Unit> Multiproof<U> {
    /// The only encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        let units = self.units.iter().flat_map(|unit| unit.as_ref());
        units.chain(self.siblings.as_flattened()).copied().collect()
    }

    /// The length of the encoding for these indices of a sequence of `words` words.
    ///
    /// # Errors
    /// The sequence is impossible, or the indices are none, too many, out of range or out of order.
    pub fn len(indices: &[u64], words: u64) -> Result<usize, ProofError> {
        let siblings = siblings(U::LEVEL, indices, words)?.len();
        Ok(U::BYTES
            .saturating_mul(indices.len())
            .saturating_add(siblings.saturating_mul(32)))
    }

    /// Reads a proof for these indices.
    ///
    /// # Errors
    /// As [`Self::len`], or `bytes` has another length than that.
    pub fn from_bytes(indices: &[u64], words: u64, bytes: &[u8]) -> Result<Self, ProofError> {
        if bytes.len() != Self::len(indices, words)? {
            return Err(ProofError::Length);
        }
        let (units, siblings) = bytes
            .split_at_checked(U::BYTES.saturating_mul(indices.len()))
            .ok_or(ProofError::Length)?;
        Ok(Self {
            units: units.chunks_exact(U::BYTES).filter_map(U::read).collect(),
            siblings: siblings.as_chunks().0.to_vec(),
        })
    }

    /// The root these units lead to when they stand at `indices` of a sequence of `words` words.
    ///
    /// # Errors
    /// As [`Self::len`], or the proof has too few or too many units or siblings for it.
    pub fn root(&self, indices: &[u64], words: u64) -> Result<Hash, ProofError> {
        check_indices(U::LEVEL, indices, words)?;
        if self.units.len() != indices.len() {
            return Err(ProofError::Length);
        }
        let hashes = self.units.iter().map(U::hash);
        let nodes = indices.iter().copied().zip(hashes).collect();
        let mut siblings = self.siblings.iter();
        let top = climb(U::LEVEL, nodes, words, || {
            siblings.next().copied().ok_or(ProofError::Length)
        })?;
        match siblings.next() {
            Some(_) => Err(ProofError::Length),
            None => Ok(tree::root(words, &top)),
        }
    }

    /// Checks the encoding of a proof of these indices against a commitment.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], or the root is another.
    pub fn verify(c: &Commitment, indices: &[u64], bytes: &[u8]) -> Result<Self, ProofError> {
        let proof = Self::from_bytes(indices, c.words, bytes)?;
        match proof.root(indices, c.words)? == c.root {
            true => Ok(proof),
            false => Err(ProofError::Root),
        }
    }
}

/// Refuses impossible sequences, and indices that are none, too many, out of range or out of order.
fn check_indices(level: u32, indices: &[u64], words: u64) -> Result<(), ProofError> {
    if !(Commitment {
        root: hash::ROOT,
        words,
    })
    .is_possible()
    {
        return Err(ProofError::Commitment);
    }
    if indices.is_empty() || indices.len() > MAX_CHALLENGES as usize {
        return Err(ProofError::Count);
    }
    let in_order = indices.array_windows().all(|[a, b]| a < b);
    let in_range = indices.last().is_some_and(|last| *last < words >> level);
    match in_order && in_range {
        true => Ok(()),
        false => Err(ProofError::Index),
    }
}

/// `true` if the node holds filling alone.
fn is_filling(level: u32, index: u64, words: u64) -> bool {
    index > words.saturating_sub(1) >> level
}

/// The nodes (level above the words, index) that a proof of these indices must supply, in order.
fn siblings(base: u32, indices: &[u64], words: u64) -> Result<Vec<(u32, u64)>, ProofError> {
    check_indices(base, indices, words)?;
    let mut needed = Vec::new();
    let mut known = indices.to_vec();
    for level in base..tree::depth(words) {
        for (at, index) in known.iter().enumerate() {
            let neighbour = index ^ 1;
            let beside = match neighbour > *index {
                true => known.get(at.saturating_add(1)),
                false => at.checked_sub(1).and_then(|at| known.get(at)),
            };
            if beside != Some(&neighbour) && !is_filling(level, neighbour, words) {
                needed.push((level, neighbour));
            }
        }
        for index in &mut known {
            *index >>= 1;
        }
        known.dedup();
    }
    Ok(needed)
}

/// Hashes from nodes (index, hash) in ascending order at level `base` up to the top node.
fn climb(
    base: u32,
    mut nodes: Vec<(u64, Hash)>,
    words: u64,
    mut sibling: impl FnMut() -> Result<Hash, ProofError>,
) -> Result<Hash, ProofError> {
    // The filling of each level is only needed at the end of an uneven tree.
    let (mut filling, mut filling_level) = (None, 0);
    for level in base..tree::depth(words) {
        let mut above = Vec::with_capacity(nodes.len());
        let mut rest = nodes.iter().peekable();
        while let Some((index, hash)) = rest.next() {
            let neighbour = index ^ 1;
            let other = if let Some((_, other)) = rest.next_if(|(next, _)| *next == neighbour) {
                *other
            } else if is_filling(level, neighbour, words) {
                let mut node = filling.unwrap_or_else(|| tree::empty(0));
                while filling_level < level {
                    node = tree::node(&node, &node);
                    filling_level = filling_level.saturating_add(1);
                }
                filling = Some(node);
                node
            } else {
                sibling()?
            };
            let joined = match neighbour > *index {
                true => tree::node(hash, &other),
                false => tree::node(&other, hash),
            };
            above.push((index >> 1, joined));
        }
        nodes = above;
    }
    nodes.first().map(|(_, top)| *top).ok_or(ProofError::Index)
}

/// The distinct units a seed asks for, of `n` units.
fn asked(c: &Commitment, seed: &Hash, count: u32, level: u32) -> Result<Vec<u64>, ProofError> {
    if !c.is_possible() {
        return Err(ProofError::Commitment);
    }
    if count == 0 || count > MAX_CHALLENGES {
        return Err(ProofError::Count);
    }
    Ok(distinct(challenges(seed, count, c.words >> level)))
}

/// The distinct words a seed asks for, ascending.
///
/// # Errors
/// The commitment is impossible or the count out of bounds.
pub fn asked_words(c: &Commitment, seed: &Hash, count: u32) -> Result<Vec<u64>, ProofError> {
    asked(c, seed, count, 0)
}

/// The distinct chunks a seed asks for, ascending: the chunks of the words it asks for.
///
/// # Errors
/// The commitment is impossible or the count out of bounds.
pub fn asked_chunks(c: &Commitment, seed: &Hash, count: u32) -> Result<Vec<u64>, ProofError> {
    asked(c, seed, count, CHUNK_LEVEL)
}

/// The exact length in bytes of the proof of `count` words for this seed.
///
/// # Errors
/// The commitment is impossible or the count out of bounds.
pub fn proof_len(c: &Commitment, seed: &Hash, count: u32) -> Result<usize, ProofError> {
    WordsProof::len(&asked_words(c, seed, count)?, c.words)
}

/// The most bytes a proof of `count` words can have: no two paths share more than the top.
pub fn max_proof_len(count: u32) -> usize {
    let path = tree::depth(MAX_WORDS).saturating_mul(32).saturating_add(64);
    count.min(MAX_CHALLENGES).saturating_mul(path) as usize
}

/// Checks that `proof` opens the `count` words that `seed` asks for. The committee asks for
/// [`crate::COMMITTEE_WORDS`].
///
/// # Errors
/// The request is impossible, or the proof has the wrong length or leads to another root.
pub fn verify_words(
    c: &Commitment,
    seed: &Hash,
    count: u32,
    proof: &[u8],
) -> Result<(), ProofError> {
    WordsProof::verify(c, &asked_words(c, seed, count)?, proof).map(drop)
}

/// Makes the proof that [`verify_words`] accepts.
///
/// # Errors
/// The request is impossible or the source cannot be read. What the source returns is not checked:
/// verify the result to notice a damaged file.
pub fn prove_words<S: TreeSource + ?Sized>(
    source: &S,
    c: &Commitment,
    seed: &Hash,
    count: u32,
) -> Result<Vec<u8>, ProveError<S::Error>> {
    Ok(open_words(source, c.words, &asked_words(c, seed, count)?)?.to_bytes())
}

/// Opens the words at `indices`, strictly ascending, of a sequence of `words` words.
///
/// # Errors
/// The indices are impossible or the source cannot be read.
pub fn open_words<S: TreeSource + ?Sized>(
    source: &S,
    words: u64,
    indices: &[u64],
) -> Result<WordsProof, ProveError<S::Error>> {
    let needed = siblings(Word::LEVEL, indices, words)?;
    let mut units = Vec::with_capacity(indices.len());
    // The opened chunks with all hashes under their roots, ascending.
    let mut opened: Vec<(u64, [Vec<Hash>; 7])> = Vec::new();
    let mut current = None;
    for index in indices {
        let chunk = index >> CHUNK_LEVEL;
        let bytes = match current {
            Some((at, bytes)) if at == chunk => bytes,
            _ => source.chunk(chunk).map_err(ProveError::Source)?,
        };
        if current.is_none_or(|(at, _)| at != chunk) {
            let levels = tree::chunk_levels(&bytes).ok_or(ProofError::Length)?;
            opened.push((chunk, levels));
            current = Some((chunk, bytes));
        }
        let in_chunk = usize::try_from(index & 63).unwrap_or_default();
        units.push(*bytes.as_chunks().0.get(in_chunk).ok_or(ProofError::Index)?);
    }
    let siblings = needed
        .into_iter()
        .map(|(level, index)| {
            let Some(below) = CHUNK_LEVEL.checked_sub(level).filter(|below| *below > 0) else {
                let level = level.saturating_sub(CHUNK_LEVEL);
                return source.node(level, index).map_err(ProveError::Source);
            };
            let at = opened
                .binary_search_by_key(&(index >> below), |(chunk, _)| *chunk)
                .ok();
            let in_chunk = index & (1u64 << below).saturating_sub(1);
            at.and_then(|at| {
                opened
                    .get(at)?
                    .1
                    .get(level as usize)?
                    .get(in_chunk as usize)
            })
            .copied()
            .ok_or(ProveError::Refused(ProofError::Index))
        })
        .collect::<Result<_, _>>()?;
    Ok(Multiproof { units, siblings })
}

/// Checks that `proof` hands over the `count` chunks that `seed` asks for, and returns them with
/// their indices.
///
/// # Errors
/// As [`verify_words`].
pub fn verify_chunks(
    c: &Commitment,
    seed: &Hash,
    count: u32,
    proof: &[u8],
) -> Result<Vec<(u64, [u8; CHUNK])>, ProofError> {
    let indices = asked_chunks(c, seed, count)?;
    let chunks = FullProof::verify(c, &indices, proof)?.units;
    Ok(indices.into_iter().zip(chunks).collect())
}

/// Makes the proof that [`verify_chunks`] accepts.
///
/// # Errors
/// As [`prove_words`].
pub fn prove_chunks<S: TreeSource + ?Sized>(
    source: &S,
    c: &Commitment,
    seed: &Hash,
    count: u32,
) -> Result<Vec<u8>, ProveError<S::Error>> {
    let indices = asked_chunks(c, seed, count)?;
    let chunks = indices.iter().map(|index| source.chunk(*index));
    let units = chunks
        .collect::<Result<_, _>>()
        .map_err(ProveError::Source)?;
    let siblings = siblings(CHUNK_LEVEL, &indices, c.words)?
        .into_iter()
        .map(|(level, index)| source.node(level.saturating_sub(CHUNK_LEVEL), index))
        .collect::<Result<_, _>>()
        .map_err(ProveError::Source)?;
    Ok(FullProof { units, siblings }.to_bytes())
}
