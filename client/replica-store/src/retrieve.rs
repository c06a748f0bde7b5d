// SPDX-License-Identifier: Apache-2.0

//! Giving content back.

use crate::{
    check,
    content::{copy_out, BUFFER},
    files::temporary,
    progress::{Progress, Stage, Watch},
    repair,
    replica::{Replica, Sealed},
    unseal::{unseal, Unit},
    Error,
};
use std::io::Write;
use tos_storage_proofs::CHUNK;

impl Replica {
    /// Writes the content, restoring from the code what is damaged, and checks its hash.
    ///
    /// # Errors
    /// The writer fails or the content is lost; what was written is then worthless.
    pub fn read(&self, out: &mut dyn Write, watch: Watch<'_>) -> Result<(), Error> {
        read(self, out, watch)
    }

    /// Fills `bytes` with content from `offset` on. It unseals the units in the range only, and
    /// restores nothing.
    ///
    /// # Errors
    /// The content has no such bytes, or they are damaged.
    pub fn read_range(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        read_range(self, offset, bytes)
    }

    /// Unseals one unit of the coded sequence. Every chunk is compared with the tree.
    ///
    /// # Errors
    /// There is no such unit, or the tree cannot be read.
    pub fn read_unit(&self, unit: u64) -> Result<Unit, Error> {
        self.sealed()?;
        let sealed = Sealed::open(self)?;
        unseal(self, &sealed, unit)
    }
}

/// The part of a unit that is content.
fn content_of(unit: &Unit, length: u64) -> &[u8] {
    let start = unit.first_chunk.saturating_mul(CHUNK as u64);
    let rest = length.saturating_sub(start).min(unit.bytes.len() as u64);
    unit.bytes.get(..rest as usize).unwrap_or_default()
}

fn read(replica: &Replica, out: &mut dyn Write, watch: Watch<'_>) -> Result<(), Error> {
    replica.sealed()?;
    let (meta, mut hasher) = (replica.meta(), blake3::Hasher::new());
    let total = meta.length;
    let mut done = 0u64;
    // While nothing is damaged, the units that hold content suffice.
    if let Ok(sealed) = Sealed::open(replica) {
        let mut unit = 0;
        while done < total {
            let Ok(found) = unseal(replica, &sealed, unit) else {
                break;
            };
            let content = content_of(&found, total);
            let end = found.first_chunk * CHUNK as u64 + content.len() as u64;
            if found
                .damaged
                .iter()
                .any(|chunk| chunk * (CHUNK as u64) < end)
            {
                break;
            }
            hasher.update(content);
            for part in content.chunks(BUFFER) {
                out.write_all(part).map_err(Error::Stream)?;
            }
            done = end;
            unit += 1;
            watch(Progress {
                stage: Stage::Unseal,
                done,
                total,
            });
        }
    }
    if done < total {
        read_damaged(replica, out, &mut hasher, done, watch)?;
    }
    match hasher.finalize() == meta.content {
        true => out.flush().map_err(Error::Stream),
        false => Err(Error::Content {
            expected: meta.content,
        }),
    }
}

/// Restores the coded sequence to a scratch file and writes the rest of the content from it.
fn read_damaged(
    replica: &Replica,
    out: &mut dyn Write,
    hasher: &mut blake3::Hasher,
    from: u64,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let _busy = replica.inner.reserve(replica.id())?;
    let report = check::verify(replica, watch)?;
    repair::room_to_restore(replica)?;
    let files = &replica.inner.files;
    let scratch = temporary(&replica.path("read"));
    let written = (|| {
        let file = files.fresh(&scratch, 0)?;
        repair::unseal_and_restore(replica, &report.damaged, &file, watch)?;
        copy_out(&file, replica.meta.length, from, hasher, out)
    })();
    files.remove(&scratch)?;
    written
}

fn read_range(replica: &Replica, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
    replica.sealed()?;
    let end = offset.checked_add(bytes.len() as u64).ok_or(Error::Range)?;
    if end > replica.meta.length {
        return Err(Error::Range);
    }
    let (sealed, size) = (
        Sealed::open(replica)?,
        replica.inner.header.params.unit_bytes(),
    );
    let mut at = offset;
    let mut rest = bytes;
    while !rest.is_empty() {
        let unit = unseal(replica, &sealed, at / size)?;
        let skip = (at % size) as usize;
        let take = unit.bytes.len().saturating_sub(skip).min(rest.len());
        let touched = at / CHUNK as u64..=(at + take as u64 - 1) / CHUNK as u64;
        let damaged = unit
            .damaged
            .iter()
            .filter(|chunk| touched.contains(chunk))
            .count();
        if damaged > 0 {
            return Err(Error::Damaged {
                chunks: damaged as u64,
            });
        }
        let (now, later) = rest.split_at_mut(take);
        now.copy_from_slice(unit.bytes.get(skip..skip + take).ok_or(Error::Range)?);
        rest = later;
        at += take as u64;
    }
    Ok(())
}
