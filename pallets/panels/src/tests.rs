// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod attacks;
mod control;
mod count;
mod failed;
mod lifecycle;
mod properties;
mod queue;
mod seating;
mod settle;
mod tools;
mod voting;
