// SPDX-License-Identifier: Apache-2.0

//! Work that waits for the disk.

use tos_sdk::{
    error::{Error, Result},
    span,
};

/// Runs what waits for the disk on a thread that may.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(span::carried(work))
        .await
        .map_err(|error| Error::Failed(format!("storage: {error}")))?
}
