// SPDX-License-Identifier: Apache-2.0

//! Files of a store, with errors that name them.

use crate::{
    disk::{Access, Blob, Disk},
    Error,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tos_storage_proofs::CHUNK;

/// A file system, and whether what is written must survive a power failure.
#[derive(Clone, Debug)]
pub struct Files {
    pub disk: Arc<dyn Disk>,
    pub durable: bool,
}

/// An open file that knows its name.
pub struct FileAt {
    blob: Box<dyn Blob>,
    path: PathBuf,
    durable: bool,
}

pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    |source| Error::Io {
        path: path.to_owned(),
        source,
    }
}

/// `None` for what is not there.
fn optional<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Files {
    pub fn read(&self, path: &Path) -> Result<FileAt, Error> {
        self.open(path, Access::Read)
    }

    pub fn write(&self, path: &Path) -> Result<FileAt, Error> {
        self.open(path, Access::Write)
    }

    fn open(&self, path: &Path, access: Access) -> Result<FileAt, Error> {
        let blob = self.disk.open(path, access).map_err(at(path))?;
        Ok(FileAt {
            blob,
            path: path.to_owned(),
            durable: self.durable,
        })
    }

    /// An empty file to write to, whatever was there before.
    pub fn fresh(&self, path: &Path, size: u64) -> Result<FileAt, Error> {
        let file = self.write(path)?;
        file.set_size(0)?;
        file.set_size(size)?;
        Ok(file)
    }

    /// A small file, at most `most` bytes of it; `None` if it does not exist.
    pub fn load(&self, path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(blob) = optional(self.disk.open(path, Access::Read)).map_err(at(path))? else {
            return Ok(None);
        };
        let size = blob.size().map_err(at(path))?.min(most);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        blob.read_at(&mut bytes, 0).map_err(at(path))?;
        Ok(Some(bytes))
    }

    /// Puts `bytes` in place of a file, as a whole or not at all.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let new = temporary(path);
        let file = self.fresh(&new, 0)?;
        file.write_at(bytes, 0)?;
        file.sync()?;
        drop(file);
        self.rename(&new, path)
    }

    /// Puts a synced file in place of another, for good.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.disk.rename(from, to).map_err(at(from))?;
        match to.parent() {
            Some(parent) => self.sync_dir(parent),
            None => Ok(()),
        }
    }

    pub fn sync_dir(&self, path: &Path) -> Result<(), Error> {
        match self.durable {
            true => self.disk.sync_dir(path).map_err(at(path)),
            false => Ok(()),
        }
    }

    /// Removes a file if it is there.
    pub fn remove(&self, path: &Path) -> Result<(), Error> {
        optional(self.disk.remove(path)).map_err(at(path)).map(drop)
    }

    /// Removes an empty directory if it is there.
    pub fn remove_dir(&self, path: &Path) -> Result<(), Error> {
        optional(self.disk.remove_dir(path))
            .map_err(at(path))
            .map(drop)
    }

    /// Makes a directory whose name survives.
    pub fn create_dir(&self, path: &Path) -> Result<(), Error> {
        self.disk.create_dir(path).map_err(at(path))?;
        match path.parent() {
            Some(parent) => self.sync_dir(parent),
            None => Ok(()),
        }
    }

    /// The bytes that can still be written where `path` is.
    pub fn free(&self, path: &Path) -> Result<u64, Error> {
        self.disk.free(path).map_err(at(path))
    }

    /// The bytes of the disk that a file takes, none if it does not exist.
    pub fn allocated(&self, path: &Path) -> Result<u64, Error> {
        match optional(self.disk.open(path, Access::Read)).map_err(at(path))? {
            Some(blob) => blob.allocated().map_err(at(path)),
            None => Ok(0),
        }
    }

    /// As [`Self::rename`]; whether the file was there.
    pub fn rename_if_there(&self, from: &Path, to: &Path) -> Result<bool, Error> {
        match self.rename(from, to) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(false),
            renamed => renamed.map(|()| true),
        }
    }

    /// The names in a directory, none if it does not exist.
    pub fn list(&self, path: &Path) -> Result<Vec<String>, Error> {
        let names = optional(self.disk.list(path)).map_err(at(path))?;
        Ok(names.unwrap_or_default())
    }
}

/// Path at which a file is prepared before it takes its place.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

impl FileAt {
    pub fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<(), Error> {
        self.blob.read_at(bytes, offset).map_err(at(&self.path))
    }

    pub fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), Error> {
        self.blob.write_at(bytes, offset).map_err(at(&self.path))
    }

    pub fn size(&self) -> Result<u64, Error> {
        self.blob.size().map_err(at(&self.path))
    }

    pub fn set_size(&self, bytes: u64) -> Result<(), Error> {
        self.blob.set_size(bytes).map_err(at(&self.path))
    }

    pub fn allocated(&self) -> Result<u64, Error> {
        self.blob.allocated().map_err(at(&self.path))
    }

    /// Sets the size and takes the space for it.
    pub fn reserve(&self, bytes: u64) -> Result<(), Error> {
        self.blob.reserve(bytes).map_err(at(&self.path))
    }

    pub fn sync(&self) -> Result<(), Error> {
        match self.durable {
            true => self.blob.sync().map_err(at(&self.path)),
            false => Ok(()),
        }
    }
}

/// Reads sealed bytes; parts that cannot be read are left zero.
pub(crate) fn read_what_is_there(file: &FileAt, bytes: &mut [u8], start: u64) {
    if file.read_at(bytes, start).is_ok() {
        return;
    }
    for (chunk, at) in bytes.chunks_mut(CHUNK).zip((start..).step_by(CHUNK)) {
        if file.read_at(chunk, at).is_err() {
            chunk.fill(0);
        }
    }
}
