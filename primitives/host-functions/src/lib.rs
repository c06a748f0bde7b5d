// SPDX-License-Identifier: Apache-2.0

//! Native host functions: verification of the walk and of storage proofs, which WASM could not make fast enough.
//!
//! Runtime code calls the typed functions of [`verify`]; they are thin wrappers of [`tos_verify`].
//! Proofs are made outside of the node's runtime: by the workers of providers (`client/workers`) and, for the walk, by the node's
//! timekeeper.
//!
//! # Verifying: the same everywhere
//!
//! A verifying function is a pure function of its arguments and total. It reads no state of the chain and
//! no extension, bounds every argument before it decodes it or loops over it, and does not panic. A
//! cache of datasets ([`cache`]) makes it faster and never different. A machine that has not
//! the memory for a dataset or a mask cannot check blocks as others do: its process ends, with a message. A
//! question that no block depends on is answered `false` there.
//!
//! The memory it takes depends on the [`Purpose`] of the call, which the node's executor sets: a block's execution has the cache, and
//! all questions together have one place for a dataset and one for a mask.
//!
//! Epoch seeds and parameters have to come from the runtime's own storage: an unknown pair costs the
//! building of a dataset, 0.4 s of one core.
//!
//! # Versions
//!
//! A function that any runtime has called never changes its name, its arguments or any answer: old blocks
//! must execute the same for ever. What has to change becomes `#[version(2)]` next to version 1, first as
//! `#[version(2, register_only)]` in a node release that all nodes run, and callable in a runtime
//! after that; a runtime does not instantiate on a node that misses a function it imports.

#![cfg_attr(substrate_runtime, no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(not(substrate_runtime))]
pub mod cache;
mod code;
mod interface;
#[cfg(not(substrate_runtime))]
mod memory;
#[cfg(not(substrate_runtime))]
mod native;
#[cfg(not(substrate_runtime))]
mod purpose;
#[cfg(not(substrate_runtime))]
mod sealing;
#[cfg(test)]
mod tests;
pub mod verify;

pub use interface::tos_verify;
#[cfg(not(substrate_runtime))]
pub use purpose::Purpose;
pub use verify::*;

/// All host functions of this crate, for the executor of a node.
#[cfg(not(substrate_runtime))]
pub type HostFunctions = tos_verify::HostFunctions;
