// SPDX-License-Identifier: Apache-2.0

//! POSC-Walk-256: the memory-hard, sequential walk that paces the TOS beacon.
//!
//! One core walks through a read-only dataset, every read depending on the one before; a machine
//! that holds the same dataset re-executes 32 pieces of the walk at once, interleaved, and so
//! checks it exactly and many times faster than it was made. It is memory-hard, which makes a fast
//! evaluator expensive; it is not proof against special hardware.
//!
//! # The walk, for other languages
//!
//! All numbers are little-endian; `‖` joins bytes; text in quotes is its ASCII bytes.
//!
//! * **Dataset.** `2^log2_lines` lines of 64 bytes: the memory of Argon2d (RFC 9106, version 0x13)
//!   with the epoch seed (32 bytes) as the password, the salt `"POSC-VDF"`, one lane, `passes`
//!   passes, `2^log2_lines / 16` KiB, tag length 0, no secret, no associated data. The tag itself
//!   is not computed. Its root is the BLAKE3 hash of its bytes.
//! * **State.** 64 bytes: the lanes `s0`, `s1`, `s2`, `s3` of 16 bytes each.
//! * **Iteration** number `i` (a `u64` that runs through the life of the chain): `i` is XORed into
//!   the first 8 bytes of `s3`, then [`READS_PER_ITERATION`] times:
//!   `a` = the low `log2_lines` bits of `s0`; `u = P(s ⊕ D[a])`; `s ← u ⊕ s`.
//! * **P** is the permutation of Haraka-512 v2: five rounds, each of two AES rounds (AESENC) per
//!   lane and the word shuffle MIX4, with the published round constants.
//! * **Slot.** `iterations_per_slot` iterations. It is cut into [`COARSE`] coarse segments and into
//!   [`FINE`] fine ones; the state after each is its end state.
//! * **Fine root.** The Merkle root of the fine end states. Leaf: `BLAKE3("posc/vdf/leaf" ‖ state)`.
//!   Node: `BLAKE3("posc/vdf/node" ‖ left ‖ right)`. A level with an odd number of nodes hands its
//!   last one up unchanged.
//! * **Output** of slot `n`: `BLAKE3("posc/vdf/y" ‖ n (u64) ‖ end state)`.
//! * **Injection** of entropy `R` (32 bytes): the first 64 bytes of the XOF
//!   `BLAKE3("inject" ‖ state ‖ R)`.
//! * **First state** from a genesis seed: the first 64 bytes of the XOF
//!   `BLAKE3("posc/vdf/start" ‖ seed)`.
//! * **Spot opening** of fine segment `k`: its start (the slot's start when `k` is 0) and its end,
//!   with the siblings that prove the leaves `k − 1` and `k` together: level by level from the
//!   leaves, from left to right, each node that is needed and cannot be computed.
//!
//! `scripts/vectors/vdf.py` is a slow second version in Python; `testing/vectors/vdf.json` comes from it.
//!
//! # Speed
//!
//! ```text
//! cargo bench -p tos-vdf --bench walk               # a table; add -- --json or -- --quick
//! ```
//!
//! measures, on one core and with alternating order, the walk against a pointer chase over the same
//! memory and the verification against independent random reads.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]
// Instructions of the processor and memory in large pages; each block says why it is sound.
#![allow(unsafe_code)]

extern crate alloc;

mod backend;
mod dataset;
mod derive;
mod haraka;
mod memory;
mod merkle;
mod params;
mod segment;
mod slot;
mod walk;

pub use backend::Backend;
pub use dataset::{BuildError, Dataset};
pub use derive::{initial_state, inject, output};
pub use merkle::{fine_root, open_spot, verify_spot_opening, SpotOpening, MAX_SIBLINGS};
pub use params::{ParamsError, VdfParams, COARSE, FINE, READS_PER_ITERATION};
pub use segment::{spot_segment, verify_segments, Segment, MAX_SEGMENTS};
pub use slot::{evaluate_slot, evaluate_slots, verify_slot, SlotEvaluation, SlotProof, MAX_SLOTS};

/// The state of the walk: four lanes of 16 bytes.
pub type State = [u8; 64];
/// A 32-byte hash or seed.
pub type Hash = [u8; 32];
