// SPDX-License-Identifier: Apache-2.0

//! Levels and endorsements. What a level rests on and when it changes is in
//! [`tos_formulas::level`]; here are the records, and the entitlement to endorse.

use crate::{Config, Endorsements, Endorsing, Event, Miner, Miners, Pallet};
use frame_support::traits::Defensive;
use polkadot_sdk::*;
use tos_formulas::level::LevelChange;
use tos_types::task::{Certification, Level};

impl<T: Config> Pallet<T> {
    /// Takes a level from `who` for a suspension, if it is a miner.
    pub(crate) fn set_back(who: &T::AccountId) {
        let Some(mut miner) = Miners::<T>::get(who) else {
            return;
        };
        if let Some(change) = miner.level.set_back() {
            Self::tell(who, &miner, change);
            Miners::<T>::insert(who, miner);
        }
    }

    /// Removes the endorsements of a miner that is gone.
    pub(crate) fn forget_endorsements(who: &T::AccountId) {
        for endorser in Endorsements::<T>::take(who) {
            Self::one_less(&endorser);
        }
    }

    /// Emits the event of a change of level.
    pub(crate) fn tell(who: &T::AccountId, miner: &Miner, change: LevelChange) {
        Self::deposit_event(Event::LevelChanged {
            who: who.clone(),
            change,
            level: miner.level.level,
        });
    }

    /// The endorsements that count for the next level of `who`: those of accounts that could give
    /// them now.
    pub(crate) fn endorsements_for(who: &T::AccountId, level: Level) -> u32 {
        let Some(wanted) = level.next() else {
            return 0;
        };
        let counting = Endorsements::<T>::get(who)
            .into_iter()
            .filter(|endorser| Self::may_endorse(endorser, wanted))
            .count();
        u32::try_from(counting).unwrap_or(u32::MAX)
    }

    /// Returns `true` if an account may speak for a miner that wants to reach a level: it has
    /// reached that level itself, or is certified for its profession, since one must be the first.
    pub(crate) fn may_endorse(endorser: &T::AccountId, wanted: Level) -> bool {
        if Self::suspension(endorser).is_some() {
            return false;
        }
        let certified =
            Self::certificate(endorser).is_some_and(|c| c.level >= Certification::Professional);
        certified
            || Miners::<T>::get(endorser)
                .is_some_and(|miner| miner.leaving.is_none() && miner.level.level >= wanted)
    }

    /// Counts one endorsement less by this account.
    pub(crate) fn one_less(endorser: &T::AccountId) {
        Endorsing::<T>::mutate_exists(endorser, |slot| {
            let left = slot
                .and_then(|given| given.checked_sub(1))
                .defensive_unwrap_or(0);
            *slot = (left > 0).then_some(left);
        });
    }
}
