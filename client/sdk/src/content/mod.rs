// SPDX-License-Identifier: Apache-2.0

//! Content by hash: a local store, a server that gives it to others and a fetcher that believes
//! nothing it has not verified. See `docs/decisions/001-content-transfer.md`.

mod fetch;
mod pace;
mod pins;
mod places;
mod reach;
mod room;
mod server;
mod simhash;
mod store;
mod stream;
mod why;

pub use fetch::{locator, parse as parse_locator, Fetcher, Held, Lacking};
pub use pace::{Clock, Pace};
pub use pins::{Listed, Pin};
pub use reach::{warn_unless_reached, Probing, Reach};
pub use server::{serve, Answer, Source, BINARY};
pub use simhash::simhash_file;
pub use store::{read_file, Store};
pub use stream::{get, open, Reader};
pub use why::{ChainName, Part, Why};

/// Path under which a server gives content: `/blake3/HASH`.
pub const PREFIX: &str = "/blake3/";
