// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

pub(crate) mod mock;

mod automatic;
mod conclude;
mod draw;
mod known;
mod money;
mod registration;
mod robustness;
mod tally;
mod views;
mod voting;
