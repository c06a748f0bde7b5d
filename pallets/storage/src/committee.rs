// SPDX-License-Identifier: Apache-2.0

//! Committees: validators who fetch a group's proofs and say what they saw.

use crate::*;
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{ensure, pallet_prelude::BoundedVec, traits::Get};
use sp_io::hashing::blake2_256;
use sp_runtime::DispatchResult;
use tos_types::storage::{GroupId, Window};

impl<T: Config> Pallet<T> {
    /// Takes the session's validators as the pool of the window's committees.
    pub(crate) fn refresh_pool() {
        let pool = BoundedVec::truncate_from(T::Validators::get());
        if CommitteePool::<T>::get() != pool {
            CommitteePool::<T>::put(pool);
        }
    }

    /// The committee of a group in a window with this seed: different validators of the pool.
    pub fn committee(seed: &[u8; 32], group: GroupId) -> Vec<T::AccountId> {
        Self::committee_from(&CommitteePool::<T>::get(), seed, group)
    }

    pub(crate) fn committee_from(
        pool: &[T::AccountId],
        seed: &[u8; 32],
        group: GroupId,
    ) -> Vec<T::AccountId> {
        let seed = (b"tos/storage/committee/v1", seed, group).using_encoded(blake2_256);
        let size = u32::try_from(pool.len()).unwrap_or(u32::MAX);
        audits::distinct(&seed, Settings::<T>::get().committee, size)
            .into_iter()
            .filter_map(|index| pool.get(usize::try_from(index).ok()?).cloned())
            .collect()
    }

    pub(crate) fn do_attest(
        who: T::AccountId,
        window: Window,
        group: GroupId,
        latency_ms: u32,
        bad: u32,
    ) -> DispatchResult {
        let Stage::Open { seed, .. } = CurrentStage::<T>::get() else {
            return Err(Error::<T>::WrongWindow.into());
        };
        ensure!(window == Folded::<T>::get(), Error::<T>::WrongWindow);
        let owner = Groups::<T>::get(group).ok_or(Error::<T>::UnknownGroup)?;
        ensure!(owner.due(window) > 0, Error::<T>::NotDueInWindow);
        ensure!(
            Self::committee(&seed, group).contains(&who),
            Error::<T>::NotOnCommittee
        );
        let mut seen = Attested::<T>::get(group);
        ensure!(
            !seen.iter().any(|one| one.validator == who),
            Error::<T>::AlreadyAttested
        );
        seen.try_push(Attestation {
            validator: who.clone(),
            latency_ms,
            bad,
        })
        .map_err(|_| Error::<T>::AlreadyAttested)?;
        Attested::<T>::insert(group, seen);
        Self::deposit_event(Event::Attested {
            window,
            group,
            validator: who,
            latency_ms,
            bad,
        });
        Ok(())
    }

    /// Takes the attestations of a group; those of a quorum become its provider's score. No member
    /// is ever punished for them.
    pub(crate) fn score(window: Window, group: GroupId, provider: &T::AccountId, handed_in: bool) {
        let seen = Attested::<T>::take(group);
        let pool = CommitteePool::<T>::decode_len().unwrap_or(0);
        let committee = usize::try_from(Settings::<T>::get().committee)
            .unwrap_or(usize::MAX)
            .min(pool);
        // A quorum is two thirds.
        let quorum = seen.len().saturating_mul(3) >= committee.saturating_mul(2);
        let mut latencies: Vec<u32> = seen.iter().map(|one| one.latency_ms).collect();
        latencies.sort_unstable();
        // The lower median: a member more or less cannot raise it alone.
        let middle = latencies.len().saturating_sub(1) >> 1;
        let Some(latency_ms) = latencies.get(middle).copied() else {
            return;
        };
        if !quorum || !handed_in {
            return;
        }
        Providers::<T>::mutate(provider, |provider| {
            if let Some(provider) = provider {
                provider.latency_ms = Some(latency_ms);
            }
        });
        let doubts = seen.iter().filter(|one| one.bad > 0).count();
        Self::deposit_event(Event::Scored {
            window,
            group,
            latency_ms,
            doubts: u32::try_from(doubts).unwrap_or(u32::MAX),
        });
    }
}
