// SPDX-License-Identifier: Apache-2.0

//! Audits: in every block the beacon picks replicas that have to open two words.

use crate::*;
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{ensure, weights::WeightMeter};
use sp_io::hashing::blake2_256;
use sp_runtime::{DispatchError, DispatchResult};
use tos_interfaces::{Randomness, Seed};
use tos_storage_proofs::{challenges, replica_seed, CompactHeader};
use tos_types::{randomness::RandomnessRequest, storage::ReplicaStatus, ReplicaId};

/// The subject that the seed of a draw of audits is asked for.
const SUBJECT: &[u8] = b"tos/storage/audits/v1";

/// `count` different numbers below `n`, or all of them if there are fewer, by Floyd's algorithm. Each
/// draw is `tos_storage_proofs::challenges` of BLAKE2b-256 of the SCALE encoding of (seed, j), so every
/// subset is equally likely and nothing is drawn twice.
pub fn distinct(seed: &[u8; 32], count: u32, n: u32) -> Vec<u32> {
    let mut chosen = Vec::new();
    for j in n.saturating_sub(count)..n {
        let seed = (seed, j).using_encoded(blake2_256);
        let drawn = challenges(&seed, 1, u64::from(j).saturating_add(1));
        let drawn = drawn
            .first()
            .and_then(|drawn| u32::try_from(*drawn).ok())
            .unwrap_or(j);
        match chosen.contains(&drawn) {
            true => chosen.push(j),
            false => chosen.push(drawn),
        }
    }
    chosen
}

impl<T: Config> Pallet<T> {
    /// Takes this block's randomness request and opens the audits of earlier ones whose seeds are
    /// there.
    pub(crate) fn draw_audits(meter: &mut WeightMeter) {
        if meter.try_consume(T::WeightInfo::draw_start()).is_err() || T::Randomness::degraded() {
            return;
        }
        let mut requests = Draws::<T>::get();
        let count = Settings::<T>::get().audits_per_block;
        let each = T::WeightInfo::open_audit().saturating_mul(count.into());
        for _ in 0..DRAWS_PER_BLOCK {
            let Some(randomness) = requests.first().copied() else {
                break;
            };
            if !meter.can_consume(each) {
                break;
            }
            match T::Randomness::seed(&randomness, SUBJECT) {
                Seed::Ready { seed, .. } => {
                    Self::open_audits(&randomness, &seed, count, meter);
                }
                Seed::Pending => break,
                Seed::Expired => {}
            }
            requests.remove(0);
        }
        // Full while the head is so far behind that a seed takes more blocks than there are places: this
        // block draws nothing then.
        let _ = requests.try_push(T::Randomness::request());
        Draws::<T>::put(requests);
    }

    pub(crate) fn open_audits(
        randomness: &RandomnessRequest,
        seed: &[u8; 32],
        count: u32,
        meter: &mut WeightMeter,
    ) {
        let due = Self::now().saturating_add(Settings::<T>::get().audit_ticks);
        let mut opened = 0u64;
        for index in distinct(seed, count, ActiveCount::<T>::get()) {
            meter.consume(T::WeightInfo::open_audit());
            let Some(id) = ActiveByIndex::<T>::get(index) else {
                continue;
            };
            let Some((provider, Some(sealed))) =
                Replicas::<T>::get(id).map(|replica| (replica.provider, replica.sealed))
            else {
                continue;
            };
            let moment = randomness.block;
            let seed = replica_seed(seed, &id.0, &sealed.root);
            Audits::<T>::insert(id, moment, Audit { seed, due });
            AuditsOf::<T>::insert(provider, (id, moment), ());
            Self::enqueue(Self::after(due), Item::Audit(id, moment));
            opened = opened.saturating_add(1);
            Self::deposit_event(Event::AuditOpened {
                replica: id,
                moment,
                due,
            });
        }
        if opened > 0 {
            Counters::<T>::mutate(|totals| totals.audits = totals.audits.saturating_add(opened));
        }
    }

    /// Checks the answer to an audit; returns what it answers. Cheap checks come first.
    pub(crate) fn check_audit(proof: &[u8]) -> Result<(ReplicaId, u32, Audit), DispatchError> {
        let header = CompactHeader::peek(proof).map_err(|_| Error::<T>::BadProof)?;
        let id = ReplicaId(header.replica);
        let moment = u32::try_from(header.moment).map_err(|_| Error::<T>::NothingAsked)?;
        let audit = Audits::<T>::get(id, moment).ok_or(Error::<T>::NothingAsked)?;
        ensure!(Self::now() <= audit.due, Error::<T>::TooLate);
        let replica = Self::replica_of(&id)?;
        let sealed = replica.sealed.ok_or(Error::<T>::Inconsistent)?;
        let (payload, signature) =
            tos_storage_proofs::signing_payload(proof).ok_or(Error::<T>::BadProof)?;
        Self::check_signature(&replica.provider, &payload, &signature)?;
        tos_host_functions::verify_compact(&sealed, &audit.seed, proof)
            .map_err(|_| Error::<T>::BadProof)?;
        Ok((id, moment, audit))
    }

    pub(crate) fn do_respond_audit(proof: &[u8]) -> DispatchResult {
        let (id, moment, audit) = Self::check_audit(proof)?;
        Audits::<T>::remove(id, moment);
        Self::dequeue_audit(id, moment, &audit);
        let replica = Self::replica_of(&id)?;
        AuditsOf::<T>::remove(&replica.provider, (id, moment));
        Self::count_answer(&replica.provider);
        Self::deposit_event(Event::AuditPassed {
            replica: id,
            moment,
        });
        Ok(())
    }

    pub(crate) fn count_answer(provider: &T::AccountId) {
        Providers::<T>::mutate(provider, |provider| {
            if let Some(provider) = provider {
                provider.answered = provider.answered.saturating_add(1);
            }
        });
        Counters::<T>::mutate(|totals| totals.answered = totals.answered.saturating_add(1));
    }

    /// Closes an audit that was not answered in time.
    pub(crate) fn step_audit(
        id: ReplicaId,
        moment: u32,
        reporter: Option<&T::AccountId>,
    ) -> Result<bool, DispatchError> {
        let audit = Audits::<T>::take(id, moment).ok_or(Error::<T>::NothingAsked)?;
        Self::dequeue_audit(id, moment, &audit);
        let Some(replica) = Replicas::<T>::get(id) else {
            return Ok(true);
        };
        AuditsOf::<T>::remove(&replica.provider, (id, moment));
        // Pausing after an audit was opened is no way out of it.
        if !replica.status.is_proving() && replica.status != ReplicaStatus::Paused {
            return Ok(true);
        }
        Self::miss(id, replica, reporter, Fault::Audit)?;
        Ok(true)
    }
}
