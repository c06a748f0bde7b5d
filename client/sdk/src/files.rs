// SPDX-License-Identifier: Apache-2.0

//! Small files that are replaced as a whole, and processes that have a file open.

use std::{fs, io, io::Write, path::Path};

/// Puts `bytes` in place of a file, as a whole or not at all; when this returns they survive a
/// power cut. The folder is made where it is missing.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut draft = tempfile::Builder::new()
        .prefix(".new")
        .tempfile_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    fs::File::open(folder)?.sync_all()
}

/// A small file; `None` if it does not exist.
pub fn load(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Identifier of a process of this user that has the file open. `None` if none has, or where the
/// system does not tell.
pub fn holder(path: &Path) -> Option<u32> {
    let path = fs::canonicalize(path).ok()?;
    let has_it = |process: &Path| {
        let open = fs::read_dir(process.join("fd")).into_iter().flatten();
        let mut open = open
            .flatten()
            .filter_map(|file| fs::read_link(file.path()).ok());
        open.any(|open| open == path)
    };
    let mut processes = fs::read_dir("/proc").ok()?.flatten();
    processes.find_map(|process| {
        let id = process.file_name().to_str()?.parse().ok()?;
        has_it(&process.path()).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a").join("file");
        assert_eq!(load(&path).unwrap(), None);
        for bytes in [b"first".as_slice(), b"second"] {
            replace(&path, bytes).unwrap();
            assert_eq!(load(&path).unwrap().unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(folder.path().join("a")).unwrap().count(), 1);
    }

    #[test]
    fn the_process_that_has_a_file_open_is_named_as_long_as_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(holder(&path), None);
        let file = fs::File::create(&path).unwrap();
        assert_eq!(holder(&path), Some(std::process::id()));
        drop(file);
        assert_eq!(holder(&path), None);
    }
}
