// SPDX-License-Identifier: Apache-2.0

//! Invariants of constants and of the state.

use crate::{Config, Domain, Global, Pallet, MAX_DAILY_GAIN};
use frame_support::ensure;
use polkadot_sdk::*;
use sp_runtime::TryRuntimeError;
use tos_formulas::reputation::{MAX, MAX_CHANGE, START};
use tos_interfaces::Clock;

impl<T: Config> Pallet<T> {
    /// Checks relations among constants that the pallet relies on.
    pub(crate) fn check_constants() {
        const { assert!(START <= MAX, "accounts must start within bounds") };
        assert!(
            i16::try_from(MAX_DAILY_GAIN).is_ok_and(|daily| daily >= MAX_CHANGE),
            "a day must have room for the largest gain, and a gain must fit its type"
        );
    }

    /// Checks every invariant of this pallet's storage.
    ///
    /// # Errors
    /// Names the first invariant that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_records()?;
        Self::check_settled()
    }

    /// Scores and gains are within bounds, no record comes from the future, and none is blank.
    fn check_records() -> Result<(), TryRuntimeError> {
        let today = T::Clock::today();
        for record in Global::<T>::iter_values().chain(Domain::<T>::iter_values()) {
            ensure!(record.score <= MAX, "reputation: a score is out of bounds");
            ensure!(
                record.gained_today <= MAX_DAILY_GAIN,
                "reputation: more was gained in a day than allowed"
            );
            ensure!(
                record.last_active_day <= today && record.gain_day <= today,
                "reputation: a record comes from the future"
            );
            ensure!(
                !record.is_blank(record.gain_day),
                "reputation: a record says nothing"
            );
        }
        Ok(())
    }

    /// An account has settled no more tasks of a type than over all.
    fn check_settled() -> Result<(), TryRuntimeError> {
        for (who, _, record) in Domain::<T>::iter() {
            let all = Global::<T>::get(&who).map_or(0, |global| global.settled);
            ensure!(
                record.settled <= all,
                "reputation: more settled in a type than over all"
            );
        }
        Ok(())
    }
}
