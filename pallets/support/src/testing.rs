// SPDX-License-Identifier: Apache-2.0

//! Parts of the pallets' mocks, and conformance tests. In every native build, because a feature of
//! its own would have all pallets compiled twice.

#![allow(clippy::arithmetic_side_effects, reason = "test code")]

mod chain;
mod clock;
mod conformance;
mod flows;
mod runtime;

pub use chain::{checked, endowed, first_block, keeps_money};
pub use clock::{now, TestClock};
pub use conformance::held_money_conforms;
pub use flows::{Flow, Flows, Mock, Started};
