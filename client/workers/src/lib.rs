// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![allow(
    async_fn_in_trait,
    reason = "programs here follow a chain on one thread; no future of these traits moves to another"
)]

pub mod commitments;
mod database;
#[cfg(test)]
mod identity_tests;
mod job_pool;
pub mod notify;
pub mod running;
pub mod storage;
pub mod tasks;
