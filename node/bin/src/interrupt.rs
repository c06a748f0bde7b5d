// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! An interrupt while the node starts. The SDK heeds it when the start is over, and says nothing before: the genesis state of a new
//! database takes seconds, and on a busy machine a minute.

use sc_cli::Signals;
use sc_service::Configuration;

/// Words on an interrupt that comes before the node runs.
const WORDS: &str = "🛑 Interrupted: this stops as soon as its start is over, of which the genesis state of a new database takes longest";

/// Starts a node by `start`. An interrupt meanwhile is answered by a line of the log, and heeded by the SDK's runner after it.
/// To be called by a task of tokio.
///
/// # Errors
/// Those of `start`, and that signals cannot be listened to.
pub fn answered<T>(
    config: Configuration,
    start: impl FnOnce(Configuration) -> sc_cli::Result<T>,
) -> sc_cli::Result<T> {
    let signals = Signals::capture()?;
    let answer = config.tokio_handle.spawn(async move {
        signals.future().await;
        log::info!("{WORDS}");
    });
    let started = start(config);
    // From here on the runner listens.
    answer.abort();
    started
}
