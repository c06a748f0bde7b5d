// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![allow(
    async_fn_in_trait,
    reason = "programs here follow a chain on one thread; no future of these traits moves to another"
)]

pub mod amount;
pub mod any_chain;
pub mod canonical;
pub mod chain;
pub mod clean;
pub mod content;
pub mod duration;
pub mod error;
pub mod files;
pub mod hex;
pub mod http;
pub mod keys;
pub mod keystore;
pub mod pool_error;
pub mod rpc;
pub mod sent;
pub mod span;
pub mod task_type;
pub mod testing;
