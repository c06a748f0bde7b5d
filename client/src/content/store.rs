// SPDX-License-Identifier: Apache-2.0

//! Content in a folder, one file per piece, named by its BLAKE3 hash.

use crate::error::{Context, Error, Result};
use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};
use tos_primitives::{
    content::{content_hash, MAX_CONTENT},
    json, ContentHash,
};

/// Bytes read at a time from content of any size.
const PIECE: usize = 64 * 1024;

/// A folder of content.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// Opens the store in `folder`, making it where it is missing.
    pub fn open(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder).context(format_args!("creating {}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Keeps `bytes`; when this returns they survive a power cut.
    pub fn put(&self, bytes: &[u8]) -> Result<ContentHash> {
        let hash = content_hash(bytes);
        if self.get(&hash)?.is_none() {
            let mut incoming = self.incoming()?;
            incoming.write_all(bytes).context("storing content")?;
            self.adopt(incoming, &hash)?;
        }
        Ok(hash)
    }

    /// A file in the making, in the store's folder so that it can be moved into place.
    pub(super) fn incoming(&self) -> Result<tempfile::NamedTempFile> {
        tempfile::NamedTempFile::new_in(&self.folder).context("storing content")
    }

    /// Moves a finished file into place. The caller has verified that it has this hash.
    pub(super) fn adopt(&self, file: tempfile::NamedTempFile, hash: &ContentHash) -> Result<()> {
        file.as_file().sync_all().context("storing content")?;
        file.persist(self.path(hash))
            .map_err(|e| e.error)
            .context("storing content")?;
        fs::File::open(&self.folder)
            .and_then(|f| f.sync_all())
            .context("storing content")
    }

    /// The content with this hash, verified. A damaged file is removed and counts as missing.
    pub fn get(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>> {
        let path = self.path(hash);
        let file = match fs::File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.context(format_args!("reading {}", path.display()))?,
        };
        let mut bytes = Vec::new();
        file.take(u64::from(MAX_CONTENT) + 1)
            .read_to_end(&mut bytes)
            .context(format_args!("reading {}", path.display()))?;
        if content_hash(&bytes) == *hash {
            return Ok(Some(bytes));
        }
        tracing::warn!(path = %path.display(), "removing damaged content");
        fs::remove_file(&path).context(format_args!("removing {}", path.display()))?;
        Ok(None)
    }

    /// Keeps the content of a file of at most 64 MiB.
    pub fn put_file(&self, path: &Path) -> Result<(ContentHash, Vec<u8>)> {
        let bytes = read_file(path)?;
        Ok((self.put(&bytes)?, bytes))
    }

    /// Keeps the content of a file of any size, read piece by piece. Returns hash and length.
    pub fn put_large(&self, path: &Path) -> Result<(ContentHash, u64)> {
        let doing = format!("reading {}", path.display());
        let mut file = fs::File::open(path).map_err(|e| Error::Usage(format!("{doing}: {e}")))?;
        let mut incoming = self.incoming()?;
        let mut hasher = blake3::Hasher::new();
        let (mut piece, mut size) = (vec![0; PIECE], 0u64);
        loop {
            let read = file.read(&mut piece).context(&doing)?;
            let read = piece.get(..read).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            hasher.update(read);
            incoming.write_all(read).context("storing content")?;
            size = size.saturating_add(read.len() as u64);
        }
        let hash = *hasher.finalize().as_bytes();
        self.adopt(incoming, &hash)?;
        Ok((hash, size))
    }

    /// The file that holds the content with this hash, and its length. Whoever reads it checks
    /// the hash.
    pub fn file(&self, hash: &ContentHash) -> Result<Option<(fs::File, u64)>> {
        let path = self.path(hash);
        let doing = format!("reading {}", path.display());
        let file = match fs::File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.context(&doing)?,
        };
        let size = file.metadata().context(&doing)?.len();
        Ok(Some((file, size)))
    }

    fn path(&self, hash: &ContentHash) -> PathBuf {
        self.folder
            .join(json::to_hex(hash).trim_start_matches("0x"))
    }
}

/// Reads a file of at most 64 MiB; `-` is standard input.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let doing = format!("reading {}", path.display());
    let limit = u64::from(MAX_CONTENT) + 1;
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .context(&doing)?;
    } else {
        let file = fs::File::open(path).map_err(|e| Error::Usage(format!("{doing}: {e}")))?;
        file.take(limit).read_to_end(&mut bytes).context(&doing)?;
    }
    if bytes.len() as u64 >= limit {
        return Err(Error::Usage(format!(
            "{}: more than 64 MiB",
            path.display()
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_comes_back_under_its_hash() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        let hash = store.put(b"an honest answer").unwrap();
        assert_eq!(hash, content_hash(b"an honest answer"));
        assert_eq!(store.put(b"an honest answer").unwrap(), hash);
        assert_eq!(store.get(&hash).unwrap().unwrap(), b"an honest answer");
        assert_eq!(store.get(&[0; 32]).unwrap(), None);
    }

    #[test]
    fn damaged_content_is_never_given_and_can_be_stored_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        let hash = store.put(b"an honest answer").unwrap();
        fs::write(store.path(&hash), b"another answer").unwrap();
        assert_eq!(store.get(&hash).unwrap(), None);
        assert!(!store.path(&hash).exists());
        store.put(b"an honest answer").unwrap();
        assert!(store.get(&hash).unwrap().is_some());
    }

    #[test]
    fn large_content_is_kept_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        let bytes: Vec<u8> = (0..3 * PIECE + 5).map(|i| i as u8).collect();
        let path = folder.path().join("large");
        fs::write(&path, &bytes).unwrap();
        let (hash, size) = store.put_large(&path).unwrap();
        assert_eq!((hash, size), (content_hash(&bytes), bytes.len() as u64));
        assert_eq!(store.get(&hash).unwrap().unwrap(), bytes);
        let (mut file, length) = store.file(&hash).unwrap().unwrap();
        let mut read = Vec::new();
        file.read_to_end(&mut read).unwrap();
        assert_eq!((read, length), (bytes, size));
        assert!(store.file(&[0; 32]).unwrap().is_none());
    }

    #[test]
    fn an_interrupted_write_leaves_no_content() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        let mut incoming = store.incoming().unwrap();
        incoming.write_all(b"half of an ans").unwrap();
        drop(incoming);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
