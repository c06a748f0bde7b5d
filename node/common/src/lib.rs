// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! Types of this node's client, the executor of its runtime, and the functions that the runtime can call in it: shared by the
//! other crates of the node, of which it knows none.

#![warn(missing_docs)]

mod client;
mod executor;
mod host_functions;

pub use client::{Executor, FullBackend, FullClient, FullSelectChain};
pub use executor::unthrottled;
pub use host_functions::HostFunctions;
