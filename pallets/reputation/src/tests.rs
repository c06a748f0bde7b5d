// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod decay;
mod gains;
mod penalties;
mod properties;
mod state;
