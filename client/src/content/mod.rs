// SPDX-License-Identifier: Apache-2.0

//! Content by hash: a local store, a server that gives it to others and a fetcher that believes
//! nothing it has not verified. See `docs/decisions/001-content-transfer.md`.

mod fetch;
mod server;
mod store;

pub use fetch::{locator, Fetcher};
pub use server::serve;
pub use store::Store;

/// Path under which a server gives content: `/blake3/HASH`.
const PREFIX: &str = "/blake3/";
