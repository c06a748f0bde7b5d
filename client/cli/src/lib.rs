// SPDX-License-Identifier: Apache-2.0

//! The `tos` command: keys, tasks, rewards, content and storage for people and scripts, and the
//! workers of miners, judges, storage providers and committees.
//!
//! | module | what |
//! |---|---|
//! | `commands` | the command line |
//! | `config` | the configuration file |
//! | `output` | results, as text or JSON |
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod commands;
mod config;
mod output;

pub use commands::main;
