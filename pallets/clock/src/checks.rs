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
        ensure!(
            Settings::<T>::get().is_sound(),
            "the phase lengths are unusable"
        );
        Ok(())
    }
}
