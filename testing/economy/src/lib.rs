// SPDX-License-Identifier: Apache-2.0

#![doc = include_str!("../README.md")]

pub mod agents;
pub mod dice;
pub mod driver;
pub mod error;
pub mod ledger;
pub mod report;
pub mod scenarios;
pub mod watch;
pub mod world;
