// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of every call and of every automatic step, each at its worst: the longest sequence there may be, real
//! sealing parameters, full groups and committees.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::*;
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{assert_ok, traits::EnsureOrigin, weights::WeightMeter};
use frame_system::RawOrigin;
use tos_interfaces::{Clock, Randomness};
use tos_pallet_support::agenda;
use tos_storage_proofs::{aggregate, compact};
use tos_types::{
    randomness::RandomnessRequest,
    storage::{ChallengeKind, ReplicaStatus, StorageConfig, MAX_COMMITTEE, MAX_SEAL_SAMPLES},
    ReplicaId, TOS,
};

mod setup;
use setup::*;

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_provider() {
        let who = rich::<T>("newcomer");
        #[extrinsic_call]
        _(
            RawOrigin::Signed(who.clone()),
            100_000 * TOS,
            [1; 32],
            locator(),
        );
        assert!(Providers::<T>::contains_key(who));
    }

    #[benchmark]
    fn set_provider() {
        let who = keeper::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), [1; 32], locator());
        assert_eq!(Providers::<T>::get(who).unwrap().key, [1; 32]);
    }

    #[benchmark]
    fn top_up() {
        let who = keeper::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who), TOS);
    }

    #[benchmark]
    fn withdraw() {
        let who = keeper::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who), TOS);
    }

    #[benchmark]
    fn exit() {
        let who = keeper::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who));
    }

    #[benchmark]
    fn leave() {
        let who = keeper::<T>();
        Providers::<T>::mutate(&who, |provider| {
            let provider = provider.as_mut().unwrap();
            provider.exiting = true;
            for id in 0..MAX_PROVIDER_GROUPS {
                provider
                    .groups
                    .try_push((id, aggregate::GROUP_SIZE))
                    .unwrap();
                Groups::<T>::insert(id, Group::empty(who.clone()));
            }
        });
        Folded::<T>::put(100 * LATE);
        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()));
        assert!(!Providers::<T>::contains_key(who));
    }

    #[benchmark]
    fn offer() {
        keeper::<T>();
        let client = client::<T>();
        #[extrinsic_call]
        _(
            RawOrigin::Signed(client),
            content(),
            Zeros::new().commitment,
            terms::<T>(),
        );
        assert_eq!(OpenDeals::<T>::count(), 1);
    }

    #[benchmark]
    fn cancel_offer() {
        keeper::<T>();
        let deal = offered::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(client::<T>()), deal);
        assert_eq!(OpenDeals::<T>::count(), 0);
    }

    #[benchmark]
    fn accept() {
        let who = keeper::<T>();
        let deal = offered::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who), deal);
        assert_eq!(Replicas::<T>::count(), 1);
    }

    #[benchmark]
    fn commit_seal() {
        let who = keeper::<T>();
        let id = accepted::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id, Zeros::new().commitment);
        assert!(Challenges::<T>::contains_key(id, ChallengeKind::Seal));
    }

    #[benchmark]
    fn pause() {
        let (who, id) = with_active::<T>();
        active::<T>(&who);
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id);
        assert_eq!(ActiveCount::<T>::get(), 1);
    }

    #[benchmark]
    fn resume() {
        let (who, id) = with_active::<T>();
        assert_ok!(Pallet::<T>::do_pause(&who, id));
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id);
        assert_eq!(ActiveCount::<T>::get(), 1);
    }

    #[benchmark]
    fn request_removal() {
        let (who, id) = with_active::<T>();
        #[extrinsic_call]
        _(RawOrigin::Signed(who), id);
    }

    #[benchmark]
    fn settle() {
        let (_, id) = with_active::<T>();
        Folded::<T>::put(LATE);
        #[extrinsic_call]
        _(RawOrigin::Signed(client::<T>()), id);
        assert!(Counters::<T>::get().paid > 0);
    }

    #[benchmark]
    fn challenge_seal() {
        let (_, id) = with_active::<T>();
        let watcher = rich::<T>("watcher");
        #[extrinsic_call]
        _(RawOrigin::Signed(watcher), id);
        assert!(Challenges::<T>::contains_key(id, ChallengeKind::Seal));
    }

    #[benchmark]
    fn challenge_window() {
        let (who, id) = with_active::<T>();
        let (window, _) = handed_in::<T>(&who, id, LATE - 1);
        let watcher = rich::<T>("watcher");
        #[extrinsic_call]
        _(RawOrigin::Signed(watcher), id, window);
        assert_eq!(Replicas::<T>::get(id).unwrap().challenges, 1);
    }

    #[benchmark]
    fn respond_audit() {
        let (who, id) = with_active::<T>();
        let seed = audited::<T>(id);
        let zeros = Zeros::new();
        let commitment = zeros.commitment;
        let proof = compact::prove_compact(&zeros, &commitment, &seed, id.0, 1, |payload| {
            sign::<T>(&who, payload)
        })
        .unwrap()
        .try_into()
        .unwrap();
        #[extrinsic_call]
        _(RawOrigin::Authorized, proof);
        assert!(!Audits::<T>::contains_key(id, 1));
    }

    #[benchmark]
    fn authorize_seal() {
        let who = keeper::<T>();
        let (id, seed) = checking::<T>(&who);
        let answer = seal_answer::<T>(&who, id, &seed);
        #[block]
        {
            assert_ok!(Pallet::<T>::check_seal(&answer));
        }
    }

    /// The answer is wrong: all masks are made, and the replica fails.
    #[benchmark]
    fn respond_seal(n: Linear<1, MAX_SEAL_SAMPLES>) {
        let (who, id) = with_active::<T>();
        Folded::<T>::put(LATE);
        Settings::<T>::mutate(|config| config.seal_samples = n);
        assert_ok!(Pallet::<T>::do_challenge_seal(rich::<T>("watcher"), id));
        let seed = opened::<T>(id);
        let answer = seal_answer::<T>(&who, id, &seed);
        #[extrinsic_call]
        _(RawOrigin::Authorized, answer);
        assert_status::<T>(id, ReplicaStatus::Failed);
    }

    #[benchmark]
    fn respond_window() {
        let (who, id) = with_active::<T>();
        let (window, answer) = handed_in::<T>(&who, id, LATE - 1);
        let watcher = rich::<T>("watcher");
        assert_ok!(Pallet::<T>::do_challenge_window(watcher, id, window));
        #[extrinsic_call]
        _(RawOrigin::Authorized, Box::new(answer));
        assert_eq!(Replicas::<T>::get(id).unwrap().challenges, 0);
    }

    #[benchmark]
    fn submit_group() {
        let who = keeper::<T>();
        active::<T>(&who);
        open_window::<T>(Vec::new());
        let signed = signed_root::<T>(&who, [1; 32]);
        #[extrinsic_call]
        _(RawOrigin::Authorized, LATE, 0, signed);
        assert!(GroupWindows::<T>::get(LATE, 0).root.is_some());
    }

    /// The older of two keys has signed.
    #[benchmark]
    fn report_equivocation() {
        let who = keeper::<T>();
        active::<T>(&who);
        Folded::<T>::put(LATE);
        let evidence = Box::new(Equivocation {
            window: LATE,
            group: 0,
            first: signed_root::<T>(&who, [1; 32]),
            second: signed_root::<T>(&who, [2; 32]),
        });
        assert_ok!(Pallet::<T>::do_set_provider(
            who.clone(),
            [5; 32],
            locator()
        ));
        let watcher = rich::<T>("watcher");
        #[extrinsic_call]
        _(RawOrigin::Signed(watcher), evidence);
        assert!(GroupWindows::<T>::get(LATE, 0).equivocated);
    }

    #[benchmark]
    fn attest() {
        let who = keeper::<T>();
        active::<T>(&who);
        let pool = validators::<T>();
        open_window::<T>(pool);
        let mut members = Pallet::<T>::committee(&[3; 32], 0);
        let last = members.pop().unwrap();
        for member in members {
            assert_ok!(Pallet::<T>::do_attest(member, LATE, 0, 100, 0));
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(last), LATE, 0, 100, 1);
        assert_eq!(Attested::<T>::get(0).len(), MAX_COMMITTEE as usize);
    }

    #[benchmark]
    fn set_config() -> Result<(), BenchmarkError> {
        let origin =
            T::GovernanceOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        Settings::<T>::put(StorageConfig::PRODUCTION);
        let next = StorageConfig {
            miss_cap: 2_000 * TOS,
            ..StorageConfig::PRODUCTION
        };
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, Box::new(next));
        assert_eq!(Settings::<T>::get(), next);
        Ok(())
    }

    #[benchmark]
    fn keep_time() {
        T::Clock::benchmark_set_now(1_000);
        #[block]
        {
            Pallet::<T>::keep_time();
        }
        assert_eq!(TimeLost::<T>::get().seen, T::Clock::now());
    }

    #[benchmark]
    fn draw_start() {
        let randomness = T::Randomness::request();
        T::Randomness::benchmark_ready(&randomness);
        let mut requests = vec![randomness; DRAWS_PER_BLOCK as usize];
        requests.extend(vec![
            RandomnessRequest {
                slot: u64::MAX,
                block: u32::MAX
            };
            (MAX_DRAWS - DRAWS_PER_BLOCK) as usize
        ]);
        Draws::<T>::put(frame_support::BoundedVec::truncate_from(requests));
        #[block]
        {
            Pallet::<T>::draw_audits(&mut WeightMeter::new());
        }
    }

    #[benchmark]
    fn open_audit() {
        let (_, id) = with_active::<T>();
        let randomness = T::Randomness::request();
        #[block]
        {
            Pallet::<T>::open_audits(&randomness, &[1; 32], 1, &mut WeightMeter::new());
        }
        assert!(Audits::<T>::contains_key(id, randomness.block));
    }

    #[benchmark]
    fn window_stage() {
        keeper::<T>();
        let randomness = T::Randomness::request();
        T::Randomness::benchmark_ready(&randomness);
        Folded::<T>::put(LATE);
        CommitteePool::<T>::put(frame_support::BoundedVec::truncate_from(validators::<T>()));
        let opened;
        #[block]
        {
            opened = Pallet::<T>::open_window(randomness, 0);
        }
        assert!(opened);
    }

    #[benchmark]
    fn fold_group() {
        let (who, id) = with_active::<T>();
        open_window::<T>(validators::<T>());
        for member in Pallet::<T>::committee(&[3; 32], 0) {
            assert_ok!(Pallet::<T>::do_attest(member, LATE, 0, 100, 1));
        }
        handed_in::<T>(&who, id, LATE);
        let ring = u64::from(Settings::<T>::get().ring);
        GroupWindows::<T>::insert(LATE - ring, 0, GroupWindow::default());
        let mut fold = Fold::default();
        let done;
        #[block]
        {
            done = Pallet::<T>::fold_group(LATE, &mut fold, &mut WeightMeter::new());
            // The work of a region, whose last group it may be.
            let _ = aggregate::region_root(&[[1; 32]; 10]);
        }
        assert!(done);
        assert_eq!(fold.handed_in, 1);
        assert!(!Attested::<T>::contains_key(0));
    }

    #[benchmark]
    fn fold_end() {
        keeper::<T>();
        open_window::<T>(Vec::new());
        NextGroup::<T>::put(aggregate::MAX_GROUPS);
        let regions = vec![[1; 32]; aggregate::MAX_REGIONS as usize];
        Folding::<T>::put(Fold {
            group: aggregate::MAX_GROUPS,
            regions: frame_support::BoundedVec::truncate_from(regions),
            ..Default::default()
        });
        let done;
        #[block]
        {
            done = Pallet::<T>::fold(&mut WeightMeter::new());
        }
        assert!(done);
        assert_eq!(Folded::<T>::get(), LATE + 1);
    }

    #[benchmark]
    fn agenda_start() {
        #[block]
        {
            let now = Pallet::<T>::now();
            let cursor = AgendaCursor::<T>::get();
            AgendaCursor::<T>::put(now.max(cursor));
        }
    }

    #[benchmark]
    fn agenda_tick() {
        for number in 0..8u32 {
            Pallet::<T>::enqueue(1, Item::Audit(ReplicaId([number as u8; 16]), number));
        }
        let found;
        #[block]
        {
            found = Agenda::<T>::iter_key_prefix(1).next();
            Agenda::<T>::remove(1, found.unwrap());
        }
    }

    #[benchmark]
    fn step_deal() {
        keeper::<T>();
        let deal = offered::<T>();
        Folded::<T>::put(100 * LATE);
        #[block]
        {
            assert_ok!(Pallet::<T>::step_deal(deal));
        }
        assert_eq!(OpenDeals::<T>::count(), 0);
    }

    #[benchmark]
    fn step_replica() {
        let (who, id) = with_active::<T>();
        active::<T>(&who);
        Folded::<T>::put(1_000 * LATE);
        #[block]
        {
            assert_ok!(Pallet::<T>::step_replica(id));
        }
        assert_status::<T>(id, ReplicaStatus::Ended);
    }

    /// Misses an audit, and fails by that with all challenges open.
    #[benchmark]
    fn step_miss() {
        let who = keeper::<T>();
        let id = burdened::<T>(&who);
        audited::<T>(id);
        Settings::<T>::mutate(|config| config.max_misses = 1);
        let reporter = rich::<T>("reporter");
        #[block]
        {
            assert_ok!(Pallet::<T>::step_audit(id, 1, Some(&reporter)));
        }
        assert_status::<T>(id, ReplicaStatus::Failed);
    }

    #[benchmark]
    fn step_challenge() {
        let who = keeper::<T>();
        let id = burdened::<T>(&who);
        #[block]
        {
            assert_ok!(Pallet::<T>::step_challenge(
                id,
                ChallengeKind::Window(LATE - 1)
            ));
        }
        assert_status::<T>(id, ReplicaStatus::Failed);
    }

    #[benchmark]
    fn step_failed() {
        let (_, id) = with_active::<T>();
        let due = Replicas::<T>::get(id).unwrap().due.unwrap();
        #[block]
        {
            <Pallet<T> as agenda::Agenda>::postpone(
                due,
                &Item::Replica(id),
                Error::<T>::Inconsistent.into(),
            );
        }
        assert_eq!(Replicas::<T>::get(id).unwrap().failures, 1);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_benchmark_ext(), crate::mock::Test);
}
