//! Tests, by topic.

pub(crate) mod mock;

mod conclude;
mod draw;
mod money;
mod registration;
mod robustness;
mod tally;
mod views;
mod voting;
