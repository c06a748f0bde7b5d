// SPDX-License-Identifier: Apache-2.0

//! Units that are sealed already, while a replica is being sealed.
//!
//! `journal` is a sequence of 48-byte records in the order of writing:
//!
//! | at | bytes | field |
//! |---|---|---|
//! | 0 | 8 | unit |
//! | 8 | 32 | BLAKE3 of the unit's sealed bytes ‖ the roots of its chunks |
//! | 40 | 8 | the first 8 bytes of BLAKE3 of the 40 bytes before ‖ replica |
//!
//! A record counts only if its own checksum is right and the unit on disk has the digest, so
//! neither a torn record nor a unit that never reached the disk is ever believed.

use crate::{
    files::{FileAt, Files},
    Error, Hash, ReplicaId,
};
use std::{collections::BTreeMap, path::Path};

/// The bytes of a record.
pub const RECORD: usize = 48;

fn record(replica: &ReplicaId, unit: u64, digest: &Hash) -> [u8; RECORD] {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&unit.to_le_bytes());
    record[8..40].copy_from_slice(digest);
    let sum = blake3::Hasher::new()
        .update(&record[..40])
        .update(replica)
        .finalize();
    record[40..].copy_from_slice(&sum.as_bytes()[..8]);
    record
}

/// Digest by which the journal knows a unit.
pub(crate) fn digest(sealed: &[u8], roots: &[Hash]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(sealed).update(roots.as_flattened());
    *hasher.finalize().as_bytes()
}

/// An open journal.
pub(crate) struct Journal {
    file: FileAt,
    replica: ReplicaId,
    end: u64,
}

impl Journal {
    /// The digests by unit that a journal of a replica of `units` units has, none if there is no
    /// journal.
    pub fn read(
        files: &Files,
        path: &Path,
        replica: &ReplicaId,
        units: u64,
    ) -> Result<BTreeMap<u64, Hash>, Error> {
        let most = units.saturating_mul(RECORD as u64);
        let bytes = files.load(path, most)?.unwrap_or_default();
        let mut known = BTreeMap::new();
        for found in bytes.as_chunks::<RECORD>().0 {
            let (unit, digest) = (le64(&found[..8]), hash(&found[8..40]));
            if unit < units && record(replica, unit, &digest) == *found {
                known.insert(unit, digest);
            }
        }
        Ok(known)
    }

    /// Puts a journal of these units in place of whatever is there.
    pub fn start(
        files: &Files,
        path: &Path,
        replica: ReplicaId,
        known: &BTreeMap<u64, Hash>,
    ) -> Result<Self, Error> {
        let records = known
            .iter()
            .map(|(unit, digest)| record(&replica, *unit, digest));
        let bytes: Vec<u8> = records.flatten().collect();
        files.replace(path, &bytes)?;
        Ok(Self {
            file: files.write(path)?,
            replica,
            end: bytes.len() as u64,
        })
    }

    /// Adds units whose bytes are synced, and syncs.
    pub fn append(&mut self, units: &[(u64, Hash)]) -> Result<(), Error> {
        let records = units
            .iter()
            .map(|(unit, digest)| record(&self.replica, *unit, digest));
        let bytes: Vec<u8> = records.flatten().collect();
        self.file.write_at(&bytes, self.end)?;
        self.end = self.end.saturating_add(bytes.len() as u64);
        self.file.sync()
    }
}

fn le64(bytes: &[u8]) -> u64 {
    bytes.try_into().map(u64::from_le_bytes).unwrap_or_default()
}

fn hash(bytes: &[u8]) -> Hash {
    bytes.try_into().unwrap_or_default()
}
