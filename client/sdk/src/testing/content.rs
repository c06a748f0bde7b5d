// SPDX-License-Identifier: Apache-2.0

//! A store of content in a folder of its own.

use crate::content::Store;
use tempfile::TempDir;

/// An empty store, and its folder, which is deleted when it goes out of scope.
pub fn content_store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("content")).unwrap();
    (folder, store)
}
