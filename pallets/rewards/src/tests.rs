// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod claims;
mod conformance;
mod delivery;
mod escrow;
mod expiry;
mod flows;
mod governance;
mod settlement;
