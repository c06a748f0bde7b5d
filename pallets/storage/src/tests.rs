// SPDX-License-Identifier: Apache-2.0

//! Tests of storage, by topic.

mod attacks;
mod audits;
mod challenges;
mod combined;
mod committee;
mod conformance;
mod illegal;
mod lifecycle;
mod money;
mod queue;
mod random;
mod reads;
mod windows;
pub mod world;
