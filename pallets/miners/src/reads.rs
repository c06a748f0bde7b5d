// SPDX-License-Identifier: Apache-2.0

//! Reads: a miner as clients see it, and what holds for an account now.

use crate::{Certificate, Certificates, Config, Endorsements, Miner, Miners, Pallet, Suspensions};
use tos_interfaces::Clock;
use tos_types::{rules::MemberRules, Tick};
use tos_views::{Activity, MinerView};

impl<T: Config> Pallet<T> {
    /// The miner, with everything that runs out as it is now; `None` for an account that is none.
    pub fn miner(who: T::AccountId) -> Option<MinerView> {
        let miner = Miners::<T>::get(&who)?;
        let suspended_until = Self::suspension(&who);
        let certificate = Self::certificate(&who);
        let rules = T::Rules::levels();
        Some(MinerView {
            idle_days: Self::idle_days(&miner),
            activity: Self::activity(&miner),
            withdrawable_at: miner
                .leaving
                .map(|until| until.max(suspended_until.unwrap_or(0))),
            suspended_until,
            certification: certificate.map(|c| c.level).unwrap_or_default(),
            certified_until: certificate.map(|c| c.expires),
            level: miner.level.level,
            success: miner.level.success(),
            endorsements: Endorsements::<T>::decode_len(&who)
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(0),
            probation_until: miner.level.probation_until(&rules),
            grace_until: miner.level.grace_until(&rules),
            specialisations: miner.specialisations.into_inner(),
            stake: miner.stake,
            open_tasks: miner.open_tasks,
            completed: miner.completed,
            failed: miner.failed,
            registered: miner.registered,
        })
    }

    /// The first tick after the suspension that `who` is under now.
    pub(crate) fn suspension(who: &T::AccountId) -> Option<Tick> {
        Suspensions::<T>::get(who).filter(|until| T::Clock::now() < *until)
    }

    /// The certificate of `who` that counts now.
    pub(crate) fn certificate(who: &T::AccountId) -> Option<Certificate> {
        Certificates::<T>::get(who).filter(|c| T::Clock::now() <= c.expires)
    }

    /// Days since its last work, registration or reactivation.
    fn idle_days(miner: &Miner) -> u32 {
        T::Clock::today().saturating_sub(miner.last_active_day)
    }

    /// Its activity now, by the days since its last work.
    pub(crate) fn activity(miner: &Miner) -> Activity {
        Activity::after(Self::idle_days(miner))
    }
}
