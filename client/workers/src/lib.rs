// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]
#![warn(missing_docs)]

pub mod commitments;
mod database;
#[cfg(test)]
mod identity_tests;
mod job_pool;
pub mod notify;
pub mod storage;
pub mod tasks;
