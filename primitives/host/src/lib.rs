// SPDX-License-Identifier: Apache-2.0

//! What the runtime asks of the machine that runs it: checks that WASM could not make fast enough, and
//! answers that only a storage provider can give.
//!
//! | interface | what | from where |
//! |---|---|---|
//! | [`tos_verify`] | verification of the walk and of storage proofs | block execution and everywhere else |
//! | [`tos_prover`] | evaluation of slots, answers from stored data | off-chain workers, see below |
//!
//! Runtime code calls the typed functions of [`verify`] and [`prover`]; they are thin wrappers.
//!
//! # Verifying: the same everywhere
//!
//! A verifying function is a pure function of its arguments and total. It reads no state of the chain and
//! no extension, bounds every argument before it decodes it or loops over it, and does not panic. A
//! cache of datasets ([`cache`]) makes it faster and never different. A machine that has not
//! the memory for a dataset or a mask cannot check blocks as others do: its process ends, with a message. A
//! question that nobody's block depends on is answered `false` there.
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
//! `#[version(2, register_only)]` in a node release that everybody runs, and callable in a runtime after that;
//! a runtime does not instantiate on a node that misses a function it imports.
//!
//! # Proving: unreachable from block execution
//!
//! The proving functions live behind the externalities extension [`ProverExt`], which the node registers for
//! off-chain workers alone. Without it, and block execution is always without it, every one of them
//! answers `None`. They never panic and cannot make a block's result depend on the machine.
#![cfg_attr(substrate_runtime, no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

extern crate alloc;

#[cfg(not(substrate_runtime))]
pub mod cache;
mod interface;
#[cfg(not(substrate_runtime))]
mod memory;
#[cfg(not(substrate_runtime))]
mod native;
pub mod prover;
#[cfg(not(substrate_runtime))]
mod purpose;
#[cfg(not(substrate_runtime))]
mod sealing;
#[cfg(test)]
mod tests;
pub mod verify;

pub use interface::{tos_prover, tos_verify};
#[cfg(not(substrate_runtime))]
pub use prover::{Prover, ProverExt};
pub use prover::{SealStatus, WindowAnswer};
#[cfg(not(substrate_runtime))]
pub use purpose::Purpose;
pub use verify::*;

/// All host functions of this crate, for the executor of a node.
#[cfg(not(substrate_runtime))]
pub type HostFunctions = (tos_verify::HostFunctions, tos_prover::HostFunctions);
