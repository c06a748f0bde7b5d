// SPDX-License-Identifier: Apache-2.0

//! Fetching and coding content, before anything is sealed.

use crate::{
    content,
    directory::Inner,
    format::{Meta, State},
    progress::Watch,
    Error, ReplicaId,
};
use std::{
    io::{self, Read},
    path::Path,
};

/// Fetches and codes content into a directory, and takes the space that sealing needs before
/// anything is fetched. What turns out to be the wrong content, or more than there is room for,
/// leaves nothing behind. `id` is what is busy meanwhile.
pub(crate) fn prepare(
    inner: &Inner,
    folder: &Path,
    mut meta: Meta,
    id: &ReplicaId,
    content: impl Read,
    watch: Watch<'_>,
) -> Result<Meta, Error> {
    let files = &inner.files;
    let made = (|| {
        inner.room_to_seal(meta.length, inner.kept_free(), folder)?;
        if let Some(prefix) = folder.parent() {
            files.create_dir(prefix)?;
        }
        files.create_dir(folder)?;
        inner.write_meta_in(folder, &meta)?;
        // From an earlier attempt, perhaps of other bytes.
        files.remove(&folder.join("journal"))?;
        let coded = files.fresh(&folder.join("coded.bin"), 0)?;
        let tree = files.fresh(&folder.join("coded.tree"), 0)?;
        let sealed = files.write(&folder.join("sealed.bin"))?;
        sealed.reserve(meta.layout()?.coded_bytes())?;
        drop(sealed);
        let content = Stoppable { inner, id, content };
        let (hash, commitment) = content::make(content, meta.length, &coded, &tree, watch)?;
        if hash != meta.content {
            return Err(Error::Content {
                expected: meta.content,
            });
        }
        if commitment != meta.coded {
            return Err(Error::Codeword);
        }
        coded.sync()?;
        tree.sync()?;
        files.sync_dir(folder)
    })();
    if let Err(error) = made {
        // A reader that was stopped fails, and says so less clearly.
        inner.go_on(id)?;
        if error.is_room() {
            // What could not be written whole is only in the way, of the windows of others above
            // all. That it may not be possible to remove it either changes nothing.
            let _ = inner.clear_folder(folder);
        } else if matches!(
            error,
            Error::Content { .. } | Error::Codeword | Error::Length { .. }
        ) {
            inner.clear_folder(folder)?;
        }
        return Err(error);
    }
    meta.state = State::Sealing;
    inner.write_meta_in(folder, &meta)?;
    Ok(meta)
}

/// Content whose reading fails when it is to stop.
struct Stoppable<'a, R> {
    inner: &'a Inner,
    id: &'a ReplicaId,
    content: R,
}

impl<R: Read> Read for Stoppable<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.inner.go_on(self.id).map_err(io::Error::other)?;
        self.content.read(into)
    }
}
