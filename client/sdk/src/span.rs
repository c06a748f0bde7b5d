// SPDX-License-Identifier: Apache-2.0

//! Log lines of work that goes on elsewhere. A new task or thread begins outside the span of the code
//! that started it; with these its lines carry that span all the same.

use std::future::Future;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

/// Starts a task in the current span.
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(work.in_current_span())
}

/// Work for another thread, in the current span.
pub fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let span = Span::current();
    move || span.in_scope(work)
}
