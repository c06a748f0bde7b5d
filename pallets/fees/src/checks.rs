// SPDX-License-Identifier: Apache-2.0

//! Invariants of the state.

use crate::*;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
    /// Checks every invariant of this pallet's storage.
    ///
    /// # Errors
    /// Names the first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(!Due::<T>::exists(), "fees were not paid out");
        ensure!(!Author::<T>::exists(), "an author outlived its block");
        Ok(())
    }
}
