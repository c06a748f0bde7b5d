// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod accounts;
mod conformance;
mod declarations;
mod leaving;
mod levels;
mod properties;
mod registration;
mod state;
mod work;
