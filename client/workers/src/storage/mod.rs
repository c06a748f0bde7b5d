// SPDX-License-Identifier: Apache-2.0

//! Storage: the provider's worker, the committee's, and what clients do with content they pay
//! others to keep (`docs/storage.md`).
//!
//! | module | what |
//! |---|---|
//! | `model`, `live` | the chain, as these workers see it |
//! | `prover` | the provider's disk and its proof key |
//! | `provider` | answers, submits, settles, and what follows here |
//! | `offers`, `staging`, `declined` | fetches what is offered, then accepts it |
//! | `setup`, `embedded` | set up for a chain, by `tos storage run` and inside a node |
//! | `sealing`, `jobs` | seals what was accepted; work while blocks are followed |
//! | `serve` | gives content and proofs to others over HTTP |
//! | `remote` | asks a provider for them, believing nothing |
//! | `tidy` | gives back the disk of what is over |
//! | `auditor` | the committee member: fetches, verifies, measures, attests |
//!
//! As the other workers, these decide from the best block and their journal only. The provider's
//! journal is the store itself: a replica is sealed when the store says so, and the root of a
//! group is on disk before its signature exists, so that no two are ever signed for one window. On
//! a view older than one they have seen they do nothing (`chain::identity`).

mod auditor;
mod blocking;
mod declined;
mod embedded;
#[cfg(test)]
mod fake;
mod jobs;
mod live;
mod model;
mod offers;
mod policy;
mod progress_bar;
mod prover;
mod provider;
mod remote;
mod sealing;
mod seeds;
mod serve;
mod setup;
mod staging;
#[cfg(test)]
mod supply_tests;
#[cfg(test)]
mod tests;
mod tidy;
#[cfg(test)]
mod tidy_tests;

pub use auditor::{Auditor, AuditorOptions};
pub use blocking::blocking;
pub use embedded::Embedded;
pub use live::{all_deals, all_replicas};
pub use policy::Policy;
pub use progress_bar::ProgressBar;
pub use prover::{ProofSigner, ReplicaProver, Scan};
pub use provider::{Provider, ProviderOptions};
pub use remote::{retrieve, Origin, Remote};
pub use sealing::seal;
pub use serve::ReplicaServer;
pub use setup::{Opened, Setup};
pub use tidy::age;
