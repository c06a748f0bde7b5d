// SPDX-License-Identifier: Apache-2.0

//! The `tos` command: keys, tasks, rewards, content and storage for people and scripts, and the
//! workers of miners, validators, storage providers and committees.
//!
//! | module | what |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`config`] | the configuration file |
//! | [`chain`] | connection, runtime API, transactions, and the check that the runtime fits |
//! | [`worker`] | the miner and validator workers, and the programs they run |
//! | [`storage`] | the storage provider's and the committee's workers, and retrieval |
//! | [`journal`] | what a worker must not forget |
//! | [`notify`] | notices to the operator |
//! | [`content`] | content by hash: store, server, fetcher |
//! | [`keys`], [`keystore`] | key pairs and the files they are sealed in |
#![deny(unsafe_code)]
#![warn(missing_docs)]

mod amount;
mod canonical;
mod chain;
mod clean;
mod cli;
mod config;
mod content;
mod database;
mod error;
mod files;
mod http;
mod journal;
mod keys;
mod keystore;
mod notify;
mod output;
mod sent;
mod storage;
mod worker;

pub use cli::main;
