// SPDX-License-Identifier: Apache-2.0

//! The migrations that run once when a new runtime takes over.
//!
//! Short migrations go to [`Unreleased`] and are moved out of the code once every network has run
//! them. Work that does not fit into one block goes to `MultiBlock`, which `pallet-migrations`
//! steps through within its weight budget.

/// Migrations of the release in preparation. Emptied after the release.
pub type Unreleased = (crate::emission::migrations::StatesItsVersion<crate::Runtime>,);

/// Migrations that run at every upgrade, because what they mend can come back.
pub type Permanent = ();

/// Everything that runs in the first block of a new runtime.
pub type SingleBlock = (Unreleased, Permanent);

/// Migrations that take more than one block.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type MultiBlock = ();
