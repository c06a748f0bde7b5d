// SPDX-License-Identifier: Apache-2.0

//! Words for a worker that finds its account's place taken by one that runs already.

use std::path::Path;
use tos_sdk::files;

/// Error text for a file that a worker of the same account and role has open: the file, the process
/// if the system tells it, and the ways out.
pub fn already(path: &Path) -> String {
    let process = files::holder(path).map(|id| format!(", process {id}"));
    format!(
        "a worker for this account runs already (it has {} open{}): leave the work to that one, or \
         stop it first; one account has one worker of each role",
        path.display(),
        process.unwrap_or_default()
    )
}
