// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod automatic;
mod conclude;
mod conformance;
mod control;
mod draw;
mod money;
mod reads;
mod registration;
mod robustness;
mod tally;
mod voting;
