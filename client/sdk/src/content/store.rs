// SPDX-License-Identifier: Apache-2.0

//! Content in a folder, one file per piece, named by its BLAKE3 hash.
//!
//! Whatever its size, content is hashed piece by piece. A file that does not have the hash it is
//! named by is never given to anyone and never deleted: it is moved to `quarantine/` in the same
//! folder, where its owner can look at it.

use super::Why;
use crate::error::{Context, Error, Result};
use std::{
    fs,
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
};
use tos_types::{
    content::{content_hash, MAX_CONTENT},
    json, ContentHash,
};

/// Bytes read at a time from content of any size.
const PIECE: usize = 64 * 1024;
/// Folder for files that do not have the hash they are named by.
const QUARANTINE: &str = "quarantine";

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
        if self.verified(&hash)?.is_none() {
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

    /// The content with this hash, verified and in memory. A damaged file is quarantined and counts
    /// as missing.
    ///
    /// # Errors
    /// It has more than 64 MiB, of which nothing is read then: take [`Self::verified`].
    pub fn get(&self, hash: &ContentHash) -> Result<Option<Vec<u8>>> {
        let limit = u64::from(MAX_CONTENT);
        let file = match self.file(hash)? {
            None => return Ok(None),
            Some((_, length)) if length > limit => return Err(too_large(hash, length)),
            Some((file, _)) => file,
        };
        let mut bytes = Vec::new();
        file.take(limit)
            .read_to_end(&mut bytes)
            .context(format_args!("reading {}", self.path(hash).display()))?;
        if content_hash(&bytes) == *hash {
            return Ok(Some(bytes));
        }
        self.quarantine(hash)?;
        Ok(None)
    }

    /// The file that holds the content with this hash, verified, and its length. A damaged file is
    /// quarantined and counts as missing. Takes no more memory for long content than for short.
    pub fn verified(&self, hash: &ContentHash) -> Result<Option<(fs::File, u64)>> {
        let Some((mut file, length)) = self.file(hash)? else {
            return Ok(None);
        };
        let doing = format!("reading {}", self.path(hash).display());
        let (found, _) = copy_and_hash(&mut file, &mut std::io::sink(), &doing)?;
        if found == *hash {
            file.rewind().context(&doing)?;
            return Ok(Some((file, length)));
        }
        self.quarantine(hash)?;
        Ok(None)
    }

    /// Sets a file aside that does not have the hash it is named by.
    fn quarantine(&self, hash: &ContentHash) -> Result<()> {
        let (path, folder) = (self.path(hash), self.folder.join(QUARANTINE));
        let doing = format!("quarantining {}", path.display());
        fs::create_dir_all(&folder).context(&doing)?;
        let name = json::to_hex(hash).trim_start_matches("0x").to_owned();
        // Never over another one: each may be the last copy of something.
        let aside = tempfile::Builder::new()
            .prefix(&format!("{name}."))
            .tempdir_in(&folder)
            .context(&doing)?;
        let to = aside.path().join(&name);
        fs::rename(&path, &to).context(&doing)?;
        let _kept = aside.keep();
        tracing::warn!(path = %path.display(), to = %to.display(),
            "damaged content: it does not have its hash, so it was moved aside and counts as missing");
        Ok(())
    }

    /// Keeps the content of a file of any size, read piece by piece, for this reason; `-` is standard
    /// input. Returns hash and length.
    pub fn put_large(&self, path: &Path, why: Why) -> Result<(ContentHash, u64)> {
        let doing = format!("reading {}", path.display());
        let mut incoming = self.incoming()?;
        let (hash, length) = if path == Path::new("-") {
            copy_and_hash(&mut std::io::stdin().lock(), &mut incoming, &doing)?
        } else {
            let file = fs::File::open(path);
            let mut file = file.map_err(|e| Error::Usage(format!("{doing}: {e}")))?;
            copy_and_hash(&mut file, &mut incoming, &doing)?
        };
        self.pin(&hash, why)?;
        self.adopt(incoming, &hash)?;
        Ok((hash, length))
    }

    /// The file that holds the content with this hash, and its length. The caller checks the
    /// hash.
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

    /// Folder of the content.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Path of the file with this content, whether it is there or not.
    pub(super) fn path(&self, hash: &ContentHash) -> PathBuf {
        self.folder
            .join(json::to_hex(hash).trim_start_matches("0x"))
    }
}

/// The error for content that is not taken into memory.
pub(super) fn too_large(hash: &ContentHash, length: u64) -> Error {
    Error::Failed(format!(
        "content {} has {length} bytes, more than the {MAX_CONTENT} that specifications and \
         answers may have",
        json::to_hex(hash)
    ))
}

/// Copies everything piece by piece. Returns its hash and length.
fn copy_and_hash(
    from: &mut impl Read,
    to: &mut impl Write,
    doing: &str,
) -> Result<(ContentHash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let (mut piece, mut length) = (vec![0; PIECE], 0u64);
    loop {
        let read = match from.read(&mut piece) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read.context(doing)?,
        };
        let read = piece.get(..read).unwrap_or_default();
        if read.is_empty() {
            return Ok((*hasher.finalize().as_bytes(), length));
        }
        hasher.update(read);
        to.write_all(read).context("storing content")?;
        length = length.saturating_add(read.len() as u64);
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
    use crate::testing::content_store;

    #[test]
    fn content_comes_back_under_its_hash() {
        let (_folder, store) = content_store();
        let hash = store.put(b"an honest answer").unwrap();
        assert_eq!(hash, content_hash(b"an honest answer"));
        assert_eq!(store.put(b"an honest answer").unwrap(), hash);
        assert_eq!(store.get(&hash).unwrap().unwrap(), b"an honest answer");
        assert_eq!(store.get(&[0; 32]).unwrap(), None);
    }

    /// Everything in quarantine.
    fn quarantined(store: &Store) -> Vec<Vec<u8>> {
        let Ok(found) = fs::read_dir(store.folder.join(QUARANTINE)) else {
            return Vec::new();
        };
        let files = found.flat_map(|entry| fs::read_dir(entry.unwrap().path()).unwrap());
        let mut all: Vec<_> = files
            .map(|file| fs::read(file.unwrap().path()).unwrap())
            .collect();
        all.sort();
        all
    }

    #[test]
    fn damaged_content_is_never_given_nor_deleted_and_can_be_stored_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().to_owned()).unwrap();
        let damaged: [&[u8]; 3] = [b"another answer", b"", b"one more answer"];
        for damage in damaged {
            let hash = store.put(b"an honest answer").unwrap();
            fs::write(store.path(&hash), damage).unwrap();
            assert_eq!(store.get(&hash).unwrap(), None);
            assert!(store.verified(&hash).unwrap().is_none());
            assert!(!store.path(&hash).exists());
        }
        assert_eq!(quarantined(&store), [damaged[1], damaged[0], damaged[2]]);
        let hash = store.put(b"an honest answer").unwrap();
        assert!(store.get(&hash).unwrap().is_some());
    }

    #[test]
    fn content_of_more_than_64_mib_is_refused_by_its_length_and_stays() {
        let (folder, store) = content_store();
        let path = folder.path().join("large");
        let length = u64::from(MAX_CONTENT) + 1;
        // A sparse file: it takes no room, and all of it is read.
        fs::File::create(&path).unwrap().set_len(length).unwrap();
        let (hash, size) = store.put_large(&path, Why::Put).unwrap();
        assert_eq!(size, length);
        let error = store.get(&hash).unwrap_err().to_string();
        assert!(error.contains(&length.to_string()), "{error}");
        assert!(store.path(&hash).exists());
        let (file, size) = store.verified(&hash).unwrap().unwrap();
        assert_eq!((size, file.metadata().unwrap().len()), (length, length));
        // Damage in it is found as well, and it stays too, elsewhere.
        let file = fs::OpenOptions::new().write(true).open(store.path(&hash));
        file.unwrap().write_all(b"x").unwrap();
        assert!(store.verified(&hash).unwrap().is_none());
        assert_eq!(quarantined(&store)[0].len() as u64, length);
    }

    #[test]
    fn large_content_is_kept_piece_by_piece() {
        let (folder, store) = content_store();
        let bytes: Vec<u8> = (0..3 * PIECE + 5).map(|i| i as u8).collect();
        let path = folder.path().join("large");
        fs::write(&path, &bytes).unwrap();
        let (hash, size) = store.put_large(&path, Why::Put).unwrap();
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
