// SPDX-License-Identifier: Apache-2.0

//! Unsealing one unit.

use crate::{
    content::roots,
    files::read_what_is_there,
    replica::{Replica, Sealed},
    Error,
};
use tos_storage_proofs::CHUNK;

/// One unsealed unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// The first chunk of the coded sequence in it.
    pub first_chunk: u64,
    /// Its bytes; damaged chunks are zero.
    pub bytes: Vec<u8>,
    /// The damaged chunks, by their index in the coded sequence, ascending.
    pub damaged: Vec<u64>,
}

/// Unseals a unit, each chunk compared with the sealed tree.
pub(crate) fn unseal(replica: &Replica, sealed: &Sealed, unit: u64) -> Result<Unit, Error> {
    let (start, length) = replica.extent(unit)?;
    let mut bytes = vec![0; length];
    read_what_is_there(&sealed.data, &mut bytes, start);
    let first_chunk = start / CHUNK as u64;
    let expected = sealed
        .shape
        .read_roots(&sealed.tree, first_chunk, length / CHUNK)?;
    let found = roots(&bytes);
    let damaged: Vec<u64> = (first_chunk..)
        .zip(found.iter().zip(&expected))
        .filter(|(_, (found, expected))| found != expected)
        .map(|(chunk, _)| chunk)
        .collect();
    replica.apply(unit, &mut bytes)?;
    for chunk in &damaged {
        let at = chunk.saturating_sub(first_chunk) as usize;
        if let Some(chunk) = bytes.as_chunks_mut::<CHUNK>().0.get_mut(at) {
            chunk.fill(0);
        }
    }
    Ok(Unit {
        first_chunk,
        bytes,
        damaged,
    })
}
