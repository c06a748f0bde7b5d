// SPDX-License-Identifier: Apache-2.0

//! The file system, as little of it as the store needs.
//!
//! Behind a trait, so that tests can crash at every operation and lose what was not synced.

use std::{
    fmt::Debug,
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::Path,
};

/// An open file, read and written at positions; there is no cursor that threads could share.
pub trait Blob: Send + Sync {
    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// The file ends before, or the system fails.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`.
    ///
    /// # Errors
    /// The disk is full or fails; part of it may be written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// The length in bytes.
    ///
    /// # Errors
    /// The system fails.
    fn size(&self) -> io::Result<u64>;
    /// Cuts the file, or fills it up with zeros.
    ///
    /// # Errors
    /// The system fails.
    fn set_size(&self, bytes: u64) -> io::Result<()>;
    /// As [`Self::set_size`], and takes the space on the disk where the file system can, so that
    /// writing there does not fail for want of it.
    ///
    /// # Errors
    /// There is no room, or the system fails.
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.set_size(bytes)
    }
    /// The bytes of the disk that the file takes: fewer than its length where parts of it were
    /// never written or reserved.
    ///
    /// # Errors
    /// The system fails.
    fn allocated(&self) -> io::Result<u64> {
        self.size()
    }
    /// Returns when everything written so far survives a power failure.
    ///
    /// # Errors
    /// The system fails; what was written may be lost.
    fn sync(&self) -> io::Result<()>;
}

/// Purpose for which a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To read an existing file.
    Read,
    /// To read and write it; made if it is not there, never cut.
    Write,
}

/// A file system.
pub trait Disk: Send + Sync + Debug {
    /// Opens a file.
    ///
    /// # Errors
    /// It does not exist, or the system refuses.
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Blob>>;
    /// Puts a file in place of another, at once.
    ///
    /// # Errors
    /// The system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// It does not exist, or the system refuses.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    ///
    /// # Errors
    /// It does not exist or is not empty, or the system refuses.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory and those above it; it may exist already.
    ///
    /// # Errors
    /// The system refuses.
    fn create_dir(&self, path: &Path) -> io::Result<()>;
    /// Returns when the names in a directory survive a power failure.
    ///
    /// # Errors
    /// The system fails.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory; names that are no text are left out.
    ///
    /// # Errors
    /// It does not exist, or the system refuses.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// The bytes that can still be written where `path` is; all there could be where the system
    /// does not say.
    ///
    /// # Errors
    /// [`io::ErrorKind::ReadOnlyFilesystem`] if nothing can be written there, or the system fails.
    fn free(&self, path: &Path) -> io::Result<u64>;
    /// Locks a file, making it if it is not there, until the result is dropped; `None` if it is
    /// locked already.
    ///
    /// # Errors
    /// The system refuses.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>>;
}

/// The file system of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalDisk;

#[cfg(unix)]
impl Blob for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(self, bytes, offset)
    }
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|data| data.len())
    }
    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
    #[cfg(target_os = "linux")]
    fn reserve(&self, bytes: u64) -> io::Result<()> {
        use rustix::{
            fs::{fallocate, FallocateFlags},
            io::{retry_on_intr, Errno},
        };
        self.set_len(bytes)?;
        if bytes == 0 {
            return Ok(());
        }
        match retry_on_intr(|| fallocate(self, FallocateFlags::empty(), 0, bytes)) {
            // Not every file system can.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
    fn allocated(&self) -> io::Result<u64> {
        let blocks = std::os::unix::fs::MetadataExt::blocks(&self.metadata()?);
        // Of 512 bytes whatever the file system's own are.
        Ok(blocks.saturating_mul(512))
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(windows)]
impl Blob for File {
    fn read_at(&self, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let read = std::os::windows::fs::FileExt::seek_read(self, bytes, offset)?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes = &mut bytes[read..];
            offset += read as u64;
        }
        Ok(())
    }
    fn write_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = std::os::windows::fs::FileExt::seek_write(self, bytes, offset)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = &bytes[written..];
            offset += written as u64;
        }
        Ok(())
    }
    fn size(&self) -> io::Result<u64> {
        self.metadata().map(|data| data.len())
    }
    fn set_size(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)
    }
    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}

impl Disk for LocalDisk {
    fn open(&self, path: &Path, access: Access) -> io::Result<Box<dyn Blob>> {
        let write = access == Access::Write;
        let file = OpenOptions::new()
            .read(true)
            .write(write)
            .create(write)
            .truncate(false)
            .open(path)?;
        Ok(Box::new(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }

    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        // Only Unix lets a directory be opened and synced; elsewhere a rename is durable by itself.
        match cfg!(unix) {
            true => File::open(path)?.sync_all(),
            false => Ok(()),
        }
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    #[cfg(unix)]
    fn free(&self, path: &Path) -> io::Result<u64> {
        use rustix::fs::{statvfs, StatVfsMountFlags};
        let found = statvfs(path)?;
        if found.f_flag.contains(StatVfsMountFlags::RDONLY) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    #[cfg(not(unix))]
    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Send + Sync>>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Box::new(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}
