// SPDX-License-Identifier: Apache-2.0

//! A database file that outlives a full disk.
//!
//! After one failed write the database library refuses everything until the file is closed and
//! opened again, for it cannot know what reached the disk. So whatever fails closes the file here,
//! and the next use opens it: as soon as there is room again, work goes on.

use crate::running;
use redb::{DatabaseError, ReadTransaction, ReadableDatabase, WriteTransaction};
use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::Path,
    sync::{Mutex, PoisonError},
};
use tos_sdk::error::{Context, Error, Result};

/// Opens the file.
type Open = Box<dyn Fn() -> Result<redb::Database, DatabaseError> + Send + Sync>;

/// A database file, locked by this process; only between a failure and the next use it is not.
pub struct Database {
    open: Open,
    /// For errors.
    name: String,
    file: Mutex<Option<redb::Database>>,
}

impl Database {
    /// Opens or makes the file at `path`, and its folder, which is for its owner alone.
    ///
    /// # Errors
    /// [`Error::Usage`] if another process has it open; or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            let mut builder = DirBuilder::new();
            let made = builder.recursive(true).mode(0o700).create(folder);
            made.context(format!("opening {}", path.display()))?;
        }
        let file = path.to_owned();
        let open = move || redb::Database::create(&file);
        Self::open_by(path.display().to_string(), Box::new(open))
    }

    fn open_by(name: String, open: Open) -> Result<Self> {
        let database = Self {
            open,
            name,
            file: Mutex::default(),
        };
        database.with(|_| Ok(()))?;
        Ok(database)
    }

    /// Reads.
    pub fn read<T>(&self, work: impl FnOnce(&ReadTransaction) -> Result<T>) -> Result<T> {
        self.with(|file| {
            let transaction = file.begin_read().context(&self.name)?;
            work(&transaction)
        })
    }

    /// Changes what `work` changes, all of it or nothing. When this returns it is on disk. After an
    /// error it may be on disk or not.
    pub fn write<T>(&self, work: impl FnOnce(&WriteTransaction) -> Result<T>) -> Result<T> {
        self.with(|file| {
            let transaction = file.begin_write().context(&self.name)?;
            let done = work(&transaction)?;
            transaction.commit().context(&self.name)?;
            Ok(done)
        })
    }

    fn with<T>(&self, work: impl FnOnce(&redb::Database) -> Result<T>) -> Result<T> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = match slot.take() {
            Some(file) => file,
            None => (self.open)().map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => {
                    Error::Usage(running::already(Path::new(&self.name)))
                }
                error => Error::Failed(format!("opening {}: {error}", self.name)),
            })?,
        };
        let done = work(&file);
        if done.is_ok() {
            *slot = Some(file);
        }
        done
    }
}

#[cfg(test)]
pub mod faulty {
    //! A disk that is full now and then.

    use super::*;
    use redb::{backends::FileBackend, StorageBackend};
    use std::{
        fs::OpenOptions,
        io,
        sync::{
            atomic::{AtomicBool, Ordering},
            Arc,
        },
    };

    #[derive(Debug)]
    struct Faulty {
        file: FileBackend,
        full: Arc<AtomicBool>,
    }

    impl Faulty {
        fn room(&self) -> io::Result<()> {
            match self.full.load(Ordering::SeqCst) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => Ok(()),
            }
        }
    }

    impl StorageBackend for Faulty {
        fn len(&self) -> io::Result<u64> {
            self.file.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.file.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.room()?;
            self.file.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.room()?;
            self.file.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.room()?;
            self.file.write(offset, data)
        }
        fn close(&self) -> io::Result<()> {
            self.file.close()
        }
    }

    /// A database on a disk that takes nothing while `full`.
    pub fn open(path: &Path, full: Arc<AtomicBool>) -> Result<Database> {
        let file = path.to_owned();
        let open = move || -> Result<redb::Database, DatabaseError> {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = options.open(&file).map_err(redb::StorageError::from)?;
            let file = FileBackend::new(file)?;
            let full = full.clone();
            redb::Builder::new().create_with_backend(Faulty { file, full })
        };
        Database::open_by(path.display().to_string(), Box::new(open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::{ReadableTable, TableDefinition};
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    };

    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("table");

    fn put(database: &Database, key: u64) -> Result<()> {
        database.write(|write| {
            let mut table = write.open_table(TABLE).context("table")?;
            table.insert(key, key).context("table")?;
            Ok(())
        })
    }

    fn keys(database: &Database) -> Result<Vec<u64>> {
        database.read(|read| {
            let table = read.open_table(TABLE).context("table")?;
            let keys = table.iter().context("table")?;
            let keys: Result<Vec<_>> = keys
                .map(|entry| entry.map(|(key, _)| key.value()).context("table"))
                .collect();
            keys
        })
    }

    #[test]
    fn after_a_full_disk_it_goes_on_by_itself_and_has_lost_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let full = Arc::new(AtomicBool::new(false));
        let database = faulty::open(&path, full.clone()).unwrap();
        put(&database, 1).unwrap();
        for key in [2, 3, 4] {
            full.store(true, Ordering::SeqCst);
            assert!(put(&database, key).is_err());
            assert!(put(&database, key).is_err());
            full.store(false, Ordering::SeqCst);
            put(&database, key).unwrap();
        }
        assert_eq!(keys(&database).unwrap(), [1, 2, 3, 4]);
        drop(database);
        assert_eq!(keys(&Database::open(&path).unwrap()).unwrap(), [1, 2, 3, 4]);
    }

    #[test]
    fn work_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("journal.redb")).unwrap();
        put(&database, 1).unwrap();
        let failed = database.write(|write| {
            let mut table = write.open_table(TABLE).context("table")?;
            table.insert(2, 2).context("table")?;
            Err::<(), _>(Error::Failed("changed its mind".into()))
        });
        assert!(failed.is_err());
        assert_eq!(keys(&database).unwrap(), [1]);
    }
}
