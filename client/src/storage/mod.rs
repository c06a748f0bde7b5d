// SPDX-License-Identifier: Apache-2.0

//! Storage: the provider's worker, the committee's, and what clients do with content they pay
//! others to keep (`docs/storage.md`).
//!
//! | module | what |
//! |---|---|
//! | [`model`], [`live`] | the chain, as these workers see it |
//! | [`shelf`] | the provider's disk and its proof key |
//! | [`provider`] | accepts, seals, answers, submits, settles |
//! | [`serve`] | gives content and proofs to others over HTTP |
//! | [`remote`] | asks a provider for them, believing nothing |
//! | [`auditor`] | the committee member: fetches, verifies, measures, attests |
//!
//! As the other workers, these decide from the best block and their journal only. The provider's
//! journal is the store itself: a replica is sealed when the store says so, and the root of a
//! group is on disk before its signature exists, so that no two are ever signed for one window.

mod auditor;
mod bar;
#[cfg(test)]
mod fake;
mod live;
mod model;
mod provider;
mod remote;
mod serve;
mod shelf;
#[cfg(test)]
mod tests;

pub use auditor::{Auditor, AuditorOptions};
pub use bar::Bar;
pub(crate) use live::{all_deals, all_replicas};
pub(crate) use provider::{blocking, seal};
pub use provider::{Policy, Provider, ProviderOptions};
pub use remote::{retrieve, Origin, Remote};
pub use serve::{Gateway, Seeds};
pub use shelf::{Scan, Shelf};
