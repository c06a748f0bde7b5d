// SPDX-License-Identifier: Apache-2.0

//! The small files: header of a store and description of a replica.
//!
//! Both end in the BLAKE3 hash of everything before it. Integers are little-endian. Version 1 of
//! `meta` also fixes the formats of the replica's other files. An unknown version is refused, never
//! guessed at.
//!
//! `store`, 112 bytes:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `TOSSTORE` |
//! | 8 | 2 | version, 1 |
//! | 10 | 1 | log2 of the bytes of a unit |
//! | 11 | 4 | memory of a fill in KiB |
//! | 15 | 1 | passes of a fill |
//! | 16 | 32 | account of the provider |
//! | 48 | 32 | genesis hash of the chain |
//! | 80 | 32 | checksum |
//!
//! `meta`, 192 bytes:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | magic `TOSREPLI` |
//! | 8 | 2 | version, 1 |
//! | 10 | 1 | state: 0 fetching, 1 sealing, 2 sealed |
//! | 11 | 5 | zero |
//! | 16 | 16 | replica |
//! | 32 | 16 | deal |
//! | 48 | 32 | BLAKE3 hash of the content |
//! | 80 | 8 | length of the content in bytes |
//! | 88 | 32 | root of the coded sequence |
//! | 120 | 8 | its words, and the words of the sealed sequence |
//! | 128 | 32 | root of the sealed sequence; zero until sealed |
//! | 160 | 32 | checksum |

use crate::{Commitment, Error, Hash, Layout, ReplicaId, SealParams};
use serde::Serialize;
use std::path::Path;

/// The version of `store` that this code writes, and the only one it reads.
pub const STORE_VERSION: u16 = 1;
/// The version of `meta` that this code writes, and the only one it reads.
pub const META_VERSION: u16 = 1;
/// The bytes of `store`.
pub const STORE_BYTES: usize = 112;
/// The bytes of `meta`.
pub const META_BYTES: usize = 192;

const STORE_MAGIC: [u8; 8] = *b"TOSSTORE";
const META_MAGIC: [u8; 8] = *b"TOSREPLI";

/// Appends the checksum.
pub(crate) fn seal_bytes(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(sum.as_bytes());
    bytes
}

/// Reads fields from front to back, after the file as a whole was checked.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    path: &'a Path,
}

impl<'a> Fields<'a> {
    /// Checks magic, checksum and version, in this order: a file too old or too new is told from a
    /// broken one.
    pub fn open(
        bytes: &'a [u8],
        magic: &[u8; 8],
        known: u16,
        path: &'a Path,
    ) -> Result<Self, Error> {
        let wrong = |what| Error::Format {
            path: path.to_owned(),
            what,
        };
        let (body, sum) = bytes
            .split_last_chunk::<32>()
            .ok_or_else(|| wrong("too short"))?;
        let rest = body
            .strip_prefix(magic)
            .ok_or_else(|| wrong("it is something else"))?;
        if blake3::hash(body) != *sum {
            return Err(wrong("the checksum is wrong"));
        }
        let mut fields = Self { rest, path };
        match fields.u16()? {
            found if found == known => Ok(fields),
            found => Err(Error::Version {
                path: path.to_owned(),
                found,
            }),
        }
    }

    pub fn wrong(&self, what: &'static str) -> Error {
        Error::Format {
            path: self.path.to_owned(),
            what,
        }
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (field, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| self.wrong("too short"))?;
        self.rest = rest;
        Ok(*field)
    }

    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Result<u16, Error> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn end(self) -> Result<(), Error> {
        match self.rest.is_empty() {
            true => Ok(()),
            false => Err(self.wrong("too long")),
        }
    }
}

/// Purpose of a store: its provider, its chain and its sealing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoreHeader {
    /// Parameters of the sealing of replicas.
    pub params: SealParams,
    /// The account of the provider.
    pub provider: [u8; 32],
    /// The genesis hash of the chain.
    pub genesis: Hash,
}

impl StoreHeader {
    /// The content of `store`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = STORE_MAGIC.to_vec();
        bytes.extend(STORE_VERSION.to_le_bytes());
        bytes.push(self.params.log2_unit);
        bytes.extend(self.params.memory_kib.to_le_bytes());
        bytes.push(self.params.passes);
        bytes.extend(self.provider);
        bytes.extend(self.genesis);
        seal_bytes(bytes)
    }

    /// Reads `store`; `path` is for errors.
    ///
    /// # Errors
    /// The file is something else, broken, or of another version.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let mut fields = Fields::open(bytes, &STORE_MAGIC, STORE_VERSION, path)?;
        let header = Self {
            params: SealParams {
                log2_unit: fields.u8()?,
                memory_kib: fields.u32()?,
                passes: fields.u8()?,
            },
            provider: fields.array()?,
            genesis: fields.array()?,
        };
        fields.end()?;
        Ok(header)
    }
}

/// Progress of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// The content is not here yet.
    Fetching,
    /// The coded content is here and being sealed; [`crate::Store::resume`] carries on.
    Sealing,
    /// Sealed and ready to be proven.
    Sealed,
}

/// Description of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Its progress.
    pub state: State,
    /// Its id.
    #[serde(with = "tos_storage_proofs::json")]
    pub replica: ReplicaId,
    /// The deal it is for.
    #[serde(with = "tos_storage_proofs::json")]
    pub deal: [u8; 16],
    /// The BLAKE3 hash of the content.
    #[serde(with = "tos_storage_proofs::json")]
    pub content: Hash,
    /// The bytes of the content.
    pub length: u64,
    /// The commitment to the coded sequence.
    pub coded: Commitment,
    /// The root of the sealed sequence; zero until it is sealed.
    #[serde(with = "tos_storage_proofs::json")]
    pub sealed_root: Hash,
}

impl Meta {
    /// Layout of the coded content.
    ///
    /// # Errors
    /// The length is impossible.
    pub fn layout(&self) -> Result<Layout, Error> {
        layout(self.length)
    }

    /// The commitment to the sealed sequence, once there is one.
    pub fn sealed(&self) -> Option<Commitment> {
        (self.state == State::Sealed).then_some(Commitment {
            root: self.sealed_root,
            words: self.coded.words,
        })
    }

    /// The content of `meta`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = META_MAGIC.to_vec();
        bytes.extend(META_VERSION.to_le_bytes());
        bytes.push(match self.state {
            State::Fetching => 0,
            State::Sealing => 1,
            State::Sealed => 2,
        });
        bytes.extend([0; 5]);
        bytes.extend(self.replica);
        bytes.extend(self.deal);
        bytes.extend(self.content);
        bytes.extend(self.length.to_le_bytes());
        bytes.extend(self.coded.root);
        bytes.extend(self.coded.words.to_le_bytes());
        bytes.extend(self.sealed_root);
        seal_bytes(bytes)
    }

    /// Reads `meta`; `path` is for errors.
    ///
    /// # Errors
    /// The file is something else, broken, of another version, or contradicts itself.
    pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Self, Error> {
        let mut fields = Fields::open(bytes, &META_MAGIC, META_VERSION, path)?;
        let state = match fields.u8()? {
            0 => State::Fetching,
            1 => State::Sealing,
            2 => State::Sealed,
            _ => return Err(fields.wrong("the state is unknown")),
        };
        if fields.array()? != [0; 5] {
            return Err(fields.wrong("reserved bytes are in use"));
        }
        let meta = Self {
            state,
            replica: fields.array()?,
            deal: fields.array()?,
            content: fields.array()?,
            length: fields.u64()?,
            coded: Commitment {
                root: fields.array()?,
                words: fields.u64()?,
            },
            sealed_root: fields.array()?,
        };
        let words = layout(meta.length).ok().map(|layout| layout.coded_words());
        if words != Some(meta.coded.words) {
            return Err(fields.wrong("length and coded words do not belong together"));
        }
        fields.end()?;
        Ok(meta)
    }
}

/// The layout of content of `length` bytes.
pub(crate) fn layout(length: u64) -> Result<Layout, Error> {
    match Layout::of(length) {
        Some(layout) if length > 0 => Ok(layout),
        _ => Err(Error::Size(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta() -> Meta {
        Meta {
            state: State::Sealed,
            replica: [1; 16],
            deal: [2; 16],
            content: [3; 32],
            length: 5_000,
            coded: Commitment {
                root: [4; 32],
                words: 256,
            },
            sealed_root: [5; 32],
        }
    }

    #[test]
    fn files_survive_a_round_trip_and_every_flipped_bit_is_noticed() {
        let header = StoreHeader {
            params: SealParams::TEST,
            provider: [7; 32],
            genesis: [8; 32],
        };
        let path = Path::new("x");
        let (store, replica) = (header.to_bytes(), meta().to_bytes());
        assert_eq!(store.len(), STORE_BYTES);
        assert_eq!(replica.len(), META_BYTES);
        assert_eq!(StoreHeader::from_bytes(&store, path).unwrap(), header);
        assert_eq!(Meta::from_bytes(&replica, path).unwrap(), meta());
        for bit in 0..store.len() * 8 {
            let mut broken = store.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(StoreHeader::from_bytes(&broken, path).is_err());
        }
        for bit in 0..replica.len() * 8 {
            let mut broken = replica.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(Meta::from_bytes(&broken, path).is_err());
        }
        for cut in 0..replica.len() {
            assert!(Meta::from_bytes(&replica[..cut], path).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_under_a_right_checksum_are_read_or_refused_but_never_panic() {
        let (mut stream, mut read) = (blake3::Hasher::new().finalize_xof(), 0);
        let good = meta().to_bytes();
        for round in 0..20_000usize {
            let mut drawn = [0; 8];
            stream.fill(&mut drawn);
            let mut bytes = good[..META_BYTES - 32].to_vec();
            bytes[usize::from(drawn[0]) % 160] = drawn[1];
            bytes[usize::from(drawn[2]) % 160] = drawn[3];
            bytes.truncate(160 - usize::from(drawn[4]) * (round % 2) % 160);
            let bytes = seal_bytes(bytes);
            if let Ok(meta) = Meta::from_bytes(&bytes, Path::new("x")) {
                assert_eq!(meta.to_bytes(), bytes);
                read += 1;
            }
            let _ = StoreHeader::from_bytes(&bytes, Path::new("x"));
        }
        assert!(read > 0);
    }

    #[test]
    fn a_newer_version_is_named_and_not_guessed_at() {
        let mut bytes = meta().to_bytes();
        bytes.truncate(META_BYTES - 32);
        bytes[8] = 2;
        let result = Meta::from_bytes(&seal_bytes(bytes), Path::new("x"));
        assert!(matches!(result, Err(Error::Version { found: 2, .. })));
    }

    #[test]
    fn lengths_that_contradict_the_commitment_are_refused() {
        let wrong = Meta {
            length: 1 << 40,
            ..meta()
        };
        assert!(Meta::from_bytes(&wrong.to_bytes(), Path::new("x")).is_err());
        let wrong = Meta {
            length: 4_096,
            ..meta()
        };
        assert!(Meta::from_bytes(&wrong.to_bytes(), Path::new("x")).is_err());
    }
}
