// SPDX-License-Identifier: Apache-2.0

//! POSC-Seal-1: sealing a coded sequence to one prover and one replica.
//!
//! The sequence is cut into units of 2^`log2_unit` bytes, the last one possibly shorter. The mask of
//! unit u is the end of the memory that Argon2d (version 0x13, one lane, tag length 0) fills, with the
//! unit's key as password and the salt `POSC-SEAL`; 64-bit words are little-endian. Sealed = coded XOR mask, and
//! unsealing is the same operation.
//!
//! The mask is raw memory, not the expansion of a short secret, so there is nothing small to keep
//! instead of it: a prover that deleted a unit must repeat the whole fill to answer for one of its
//! words.

use crate::{
    proof::{asked_words, open_words, WordsProof},
    tree::{Commitment, TreeSource},
    Hash, ProofError, ProveError, ReplicaId, Word, WORD,
};
use alloc::vec::Vec;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::fmt;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The salt of every fill.
pub const SALT: &[u8] = b"POSC-SEAL";
/// The BLAKE3 key-derivation context of unit keys.
pub const KEY_CONTEXT: &str = "tos 2026 storage seal unit key v1";

/// The cost of a unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct SealParams {
    /// log2 of the bytes of a unit: 22 is 4 MiB.
    pub log2_unit: u8,
    /// The memory of one fill in KiB.
    pub memory_kib: u32,
    /// The passes over that memory.
    pub passes: u8,
}

impl SealParams {
    /// 4-MiB units, 256 MiB, one pass.
    pub const MAINNET: Self = Self {
        log2_unit: 22,
        memory_kib: 262_144,
        passes: 1,
    };
    /// 64-KiB units, 256 KiB, one pass.
    pub const TEST: Self = Self {
        log2_unit: 16,
        memory_kib: 256,
        passes: 1,
    };

    /// Checks the bounds: units of 4 KiB to 16 MiB, memory of 8 KiB to 1 GiB in steps of 4 KiB that
    /// holds a unit, one to four passes.
    ///
    /// # Errors
    /// [`SealError::Params`] outside them.
    pub fn check(&self) -> Result<(), SealError> {
        let possible = (12..=24).contains(&self.log2_unit)
            && (8..=1_048_576).contains(&self.memory_kib)
            && self.memory_kib.is_multiple_of(4)
            && self.unit_kib() <= self.memory_kib
            && (1..=4).contains(&self.passes);
        match possible {
            true => Ok(()),
            false => Err(SealError::Params),
        }
    }

    /// The bytes of a unit, 0 for impossible parameters.
    pub fn unit_bytes(&self) -> u64 {
        1u64.checked_shl(self.log2_unit.into()).unwrap_or_default()
    }

    /// The words of a unit, 0 for impossible parameters.
    pub fn unit_words(&self) -> u64 {
        self.unit_bytes() >> 6
    }

    /// The units of a sequence of `words` words, the last one possibly shorter.
    pub fn units(&self, words: u64) -> u64 {
        match self.unit_words() {
            0 => 0,
            unit => words.div_ceil(unit),
        }
    }

    fn unit_kib(&self) -> u32 {
        u32::try_from(self.unit_bytes() >> 10).unwrap_or(u32::MAX)
    }
}

/// The reasons for which something cannot be sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SealError {
    /// The parameters are out of bounds.
    Params,
    /// Not enough memory for a fill.
    Memory,
    /// A unit is not whole words, or longer than a unit.
    Length,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Params => "the sealing parameters are out of bounds",
            Self::Memory => "not enough memory to seal",
            Self::Length => "the unit has an impossible length",
        })
    }
}

impl core::error::Error for SealError {}

/// The binding of a replica: the prover, chain and replica that it is sealed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The public key or account of the prover.
    #[serde(with = "crate::json")]
    pub prover: [u8; 32],
    /// The genesis hash of the chain.
    #[serde(with = "crate::json")]
    pub chain: Hash,
    /// The replica.
    #[serde(with = "crate::json")]
    pub replica: ReplicaId,
}

impl Binding {
    /// The key of one unit of the coded sequence with root `data_root`.
    pub fn unit_key(&self, data_root: &Hash, unit: u64) -> Hash {
        unit_key(&self.prover, &self.chain, &self.replica, data_root, unit)
    }
}

/// The key of one unit: BLAKE3 key derivation with context [`KEY_CONTEXT`] from prover ‖ chain ‖ replica ‖
/// root of the coded sequence ‖ unit as u64.
pub fn unit_key(
    prover: &[u8; 32],
    chain: &Hash,
    replica: &ReplicaId,
    data_root: &Hash,
    unit: u64,
) -> Hash {
    let mut hasher = blake3::Hasher::new_derive_key(KEY_CONTEXT);
    for part in [&prover[..], chain, replica, data_root] {
        hasher.update(part);
    }
    *hasher.update(&unit.to_le_bytes()).finalize().as_bytes()
}

/// Makes masks one after the other in the same memory.
pub struct Sealer {
    params: SealParams,
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Sealer {
    /// Reserves the memory of a fill.
    ///
    /// # Errors
    /// The parameters are out of bounds, or the memory is not there.
    pub fn new(params: &SealParams) -> Result<Self, SealError> {
        params.check()?;
        let costs = Params::new(params.memory_kib, params.passes.into(), 1, None)
            .map_err(|_| SealError::Params)?;
        let mut memory = Vec::new();
        memory
            .try_reserve_exact(costs.block_count())
            .map_err(|_| SealError::Memory)?;
        memory.resize(costs.block_count(), Block::new());
        Ok(Self {
            params: *params,
            argon2: Argon2::new(Algorithm::Argon2d, Version::V0x13, costs),
            memory,
        })
    }

    /// The mask of one unit, in blocks of 128 64-bit words.
    fn mask(&mut self, key: &Hash) -> Result<&[Block], SealError> {
        self.argon2
            .fill_memory(key, SALT, &mut self.memory)
            .map_err(|_| SealError::Params)?;
        let unit = self.params.unit_kib() as usize;
        let start = self.memory.len().checked_sub(unit);
        start
            .and_then(|start| self.memory.get(start..))
            .ok_or(SealError::Params)
    }

    /// Seals or unseals a unit, or the shorter last one, in place.
    ///
    /// # Errors
    /// `unit` is not whole words or longer than a unit; the data is then unchanged.
    pub fn apply(&mut self, key: &Hash, unit: &mut [u8]) -> Result<(), SealError> {
        let too_long = unit.len() as u64 > self.params.unit_bytes();
        if too_long || !unit.len().is_multiple_of(WORD) {
            return Err(SealError::Length);
        }
        let mask = self.mask(key)?;
        for (bytes, block) in unit.chunks_mut(Block::SIZE).zip(mask) {
            for (bytes, mask) in bytes.as_chunks_mut().0.iter_mut().zip(block.as_ref()) {
                *bytes = (u64::from_le_bytes(*bytes) ^ mask).to_le_bytes();
            }
        }
        Ok(())
    }

    /// `true` if `sealed` is `data` under the mask of the unit, at the given word of it.
    ///
    /// # Errors
    /// The unit has no such word.
    pub fn verify_word(
        &mut self,
        key: &Hash,
        offset: u32,
        data: &Word,
        sealed: &Word,
    ) -> Result<bool, SealError> {
        if u64::from(offset) >= self.params.unit_words() {
            return Err(SealError::Length);
        }
        let mask = self.mask(key)?;
        // 16 words of 64 bytes, that is of eight 64-bit words, to a block.
        let block = mask.get((offset >> 4) as usize).ok_or(SealError::Length)?;
        let (words, _) = block.as_ref().as_chunks::<8>();
        let word = words.get((offset & 15) as usize).ok_or(SealError::Length)?;
        let pairs = data.as_chunks().0.iter().zip(sealed.as_chunks().0);
        Ok(pairs.zip(word).all(|((data, sealed), mask)| {
            u64::from_le_bytes(*data) ^ mask == u64::from_le_bytes(*sealed)
        }))
    }
}

/// The mask of the unit with this key.
///
/// # Errors
/// As [`Sealer::new`].
pub fn unit_mask(params: &SealParams, key: &Hash) -> Result<Vec<u8>, SealError> {
    let mut sealer = Sealer::new(params)?;
    let words = sealer.mask(key)?.iter().flat_map(|block| block.as_ref());
    Ok(words.flat_map(|word| word.to_le_bytes()).collect())
}

/// Seals or unseals one unit in place. To seal many, keep a [`Sealer`].
///
/// # Errors
/// As [`Sealer::new`] and [`Sealer::apply`].
pub fn seal_unit(params: &SealParams, key: &Hash, unit: &mut [u8]) -> Result<(), SealError> {
    Sealer::new(params)?.apply(key, unit)
}

/// `true` if `sealed` is `data` under the mask with this key, at word `offset_in_unit` of the unit.
/// False for impossible parameters and offsets. Costs a whole fill.
pub fn verify_seal_word(
    params: &SealParams,
    key: &Hash,
    offset_in_unit: u32,
    data: &Word,
    sealed: &Word,
) -> bool {
    Sealer::new(params)
        .and_then(|mut sealer| sealer.verify_word(key, offset_in_unit, data, sealed))
        .unwrap_or(false)
}

/// Words before and after sealing, with their paths. Encoded as two multiproofs of the same indices,
/// coded before sealed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealOpening {
    /// The words of the coded sequence.
    pub coded: WordsProof,
    /// The words of the sealed sequence.
    pub sealed: WordsProof,
}

impl SealOpening {
    /// The only encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.coded.to_bytes(), self.sealed.to_bytes()].concat()
    }

    /// Reads the opening of the words at `indices`, strictly ascending, of a sequence of `words` words.
    ///
    /// # Errors
    /// The indices are impossible, or `bytes` has the wrong length.
    pub fn from_bytes(indices: &[u64], words: u64, bytes: &[u8]) -> Result<Self, ProofError> {
        let half = WordsProof::len(indices, words)?;
        let (coded, sealed) = bytes.split_at_checked(half).ok_or(ProofError::Length)?;
        Ok(Self {
            coded: WordsProof::from_bytes(indices, words, coded)?,
            sealed: WordsProof::from_bytes(indices, words, sealed)?,
        })
    }
}

/// The part that remains to be checked of an opening whose paths are right: [`verify_seal_word`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct SealClaim {
    /// The unit.
    pub unit: u64,
    /// Its key.
    pub key: Hash,
    /// The word within the unit.
    pub offset: u32,
    /// The coded word.
    pub data: Word,
    /// The sealed word.
    pub sealed: Word,
}

impl SealClaim {
    /// `true` if the word was sealed as it should. Costs a whole fill.
    pub fn holds(&self, params: &SealParams) -> bool {
        verify_seal_word(params, &self.key, self.offset, &self.data, &self.sealed)
    }
}

/// Checks the paths of an opening of one word, and says what the mask must be checked against.
///
/// An opening whose paths are right but whose claim does not hold proves that the prover committed
/// to something that is not the sealed data: anyone can show it.
///
/// # Errors
/// The parameters or commitments are impossible or do not match, or a path is wrong.
pub fn open_seal(
    params: &SealParams,
    binding: &Binding,
    coded: &Commitment,
    sealed: &Commitment,
    word_index: u64,
    opening: &[u8],
) -> Result<SealClaim, ProofError> {
    let claims = open(params, binding, coded, sealed, &[word_index], opening)?;
    claims.into_iter().next().ok_or(ProofError::Index)
}

/// Checks the paths of an opening of the `count` words that `seed` asks for, and says what the masks must be
/// checked against. `seed` should be a [`crate::replica_seed`] for the sealed root.
///
/// # Errors
/// As [`open_seal`], or the count is out of bounds.
pub fn open_seals(
    params: &SealParams,
    binding: &Binding,
    coded: &Commitment,
    sealed: &Commitment,
    seed: &Hash,
    count: u32,
    opening: &[u8],
) -> Result<Vec<SealClaim>, ProofError> {
    let indices = asked_words(sealed, seed, count)?;
    open(params, binding, coded, sealed, &indices, opening)
}

fn open(
    params: &SealParams,
    binding: &Binding,
    coded: &Commitment,
    sealed: &Commitment,
    indices: &[u64],
    opening: &[u8],
) -> Result<Vec<SealClaim>, ProofError> {
    params.check().map_err(|_| ProofError::Params)?;
    if coded.words != sealed.words {
        return Err(ProofError::Mismatch);
    }
    let opening = SealOpening::from_bytes(indices, coded.words, opening)?;
    for (proof, c) in [(&opening.coded, coded), (&opening.sealed, sealed)] {
        if proof.root(indices, c.words)? != c.root {
            return Err(ProofError::Root);
        }
    }
    let words = opening.coded.units.iter().zip(&opening.sealed.units);
    indices
        .iter()
        .zip(words)
        .map(|(index, (data, sealed))| {
            let unit = index >> params.log2_unit.saturating_sub(6);
            let offset = index & params.unit_words().saturating_sub(1);
            Ok(SealClaim {
                unit,
                key: binding.unit_key(&coded.root, unit),
                offset: u32::try_from(offset).map_err(|_| ProofError::Params)?,
                data: *data,
                sealed: *sealed,
            })
        })
        .collect()
}

/// Checks an opening of one word wholly: both paths, and the mask. Costs a whole fill.
///
/// # Errors
/// As [`open_seal`], or [`ProofError::Seal`].
pub fn verify_seal_opening(
    params: &SealParams,
    binding: &Binding,
    coded: &Commitment,
    sealed: &Commitment,
    word_index: u64,
    opening: &[u8],
) -> Result<(), ProofError> {
    let claim = open_seal(params, binding, coded, sealed, word_index, opening)?;
    match claim.holds(params) {
        true => Ok(()),
        false => Err(ProofError::Seal),
    }
}

/// Opens the words at `indices`, strictly ascending, of the coded and of the sealed sequence.
///
/// # Errors
/// The indices are impossible, or a source cannot be read.
pub fn prove_seal<C, S>(
    coded: &C,
    sealed: &S,
    words: u64,
    indices: &[u64],
) -> Result<SealOpening, ProveError<C::Error>>
where
    C: TreeSource + ?Sized,
    S: TreeSource<Error = C::Error> + ?Sized,
{
    Ok(SealOpening {
        coded: open_words(coded, words, indices)?,
        sealed: open_words(sealed, words, indices)?,
    })
}
