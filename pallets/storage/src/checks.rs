// SPDX-License-Identifier: Apache-2.0

//! The invariants between blocks, wherever money or membership depends on them.

use crate::*;
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;
use tos_pallet_support::holds::{add, are_exact};
use tos_types::{
    storage::{DealStatus, ReplicaStatus},
    Balance, ReplicaId,
};

type Sums<T> = BTreeMap<<T as frame_system::Config>::AccountId, Balance>;

impl<T: Config> Pallet<T> {
    /// Relations that the runtime's configuration must keep.
    pub(crate) fn check_constants() {
        let most = T::MaxWork::get();
        let shares = Self::shares(most);
        assert!(
            shares.all_lte(most),
            "the audits of a draw, a miss in a window and the heaviest step must fit into the work of \
             a block together, or one of them could hold up the others: {shares:?}"
        );
    }

    /// Checks every invariant of this pallet.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_deals()?;
        Self::check_replicas()?;
        Self::check_providers()?;
        Self::check_groups()?;
        Self::check_index()?;
        Self::check_queue()?;
        Self::check_challenges()?;
        Self::check_asked()?;
        Self::check_windows()
    }

    /// Every escrow is held, exactly; open deals are indexed; taken deals have living replicas.
    fn check_deals() -> Result<(), TryRuntimeError> {
        let mut held = Sums::<T>::new();
        let mut open = 0u32;
        for (id, deal) in Deals::<T>::iter() {
            ensure!(deal.paid <= deal.escrow, "paid more than the escrow");
            let running = matches!(deal.status, DealStatus::Open | DealStatus::Taken);
            let rest = deal.escrow.saturating_sub(deal.paid);
            add(&mut held, deal.client, if running { rest } else { 0 });
            let is_open = deal.status == DealStatus::Open;
            ensure!(
                OpenDeals::<T>::contains_key(id) == is_open,
                "the index of open deals is wrong"
            );
            open = open.saturating_add(is_open.into());
            if deal.status == DealStatus::Taken {
                let replica = deal.replica.and_then(Replicas::<T>::get);
                let alive = replica.is_some_and(|r| r.deal == id && !r.status.is_over());
                ensure!(alive, "a taken deal without a living replica");
            }
            let waits = !matches!(deal.status, DealStatus::Taken | DealStatus::Closed);
            ensure!(
                deal.due.is_some() == waits,
                "a deal is in the queue when it should not, or is not when it should"
            );
        }
        ensure!(
            open == OpenDeals::<T>::count(),
            "an open deal that does not exist"
        );
        Self::check_holds(HoldReason::DealEscrow, &held)
    }

    /// Replicas have what their state needs and nothing else.
    fn check_replicas() -> Result<(), TryRuntimeError> {
        let folded = Folded::<T>::get();
        let mut bytes = 0u128;
        for (id, replica) in Replicas::<T>::iter() {
            let proving = replica.status.is_proving();
            let seated = proving || replica.status == ReplicaStatus::Paused;
            ensure!(
                replica.position.is_some() == seated,
                "a replica without a place that needs one, or with one that it should not have"
            );
            ensure!(
                replica.index.is_some() == proving,
                "only who is proven is audited"
            );
            ensure!(
                replica.status.is_over() == (replica.collateral == 0),
                "collateral of what is over, or none of what is not"
            );
            ensure!(
                replica.due.is_some() == (replica.status != ReplicaStatus::Checking),
                "a replica is not in the queue"
            );
            ensure!(
                ReplicasOf::<T>::contains_key(&replica.provider, id),
                "a replica that its provider does not know"
            );
            if proving {
                ensure!(
                    replica.since >= replica.from && replica.from >= replica.first,
                    "a run began before its replica"
                );
                ensure!(
                    replica.since <= folded.saturating_add(1),
                    "a run begins in a window too late"
                );
                bytes = bytes.saturating_add(replica.sealed_bytes().into());
            }
            let open = Challenges::<T>::iter_key_prefix(id).count();
            ensure!(
                u32::try_from(open) == Ok(replica.challenges),
                "challenges are counted wrong"
            );
        }
        ensure!(
            bytes == Counters::<T>::get().sealed_bytes,
            "sealed bytes are counted wrong"
        );
        Ok(())
    }

    /// Bonds are held; collateral adds up; replicas are counted.
    fn check_providers() -> Result<(), TryRuntimeError> {
        let mut held = Sums::<T>::new();
        for (who, provider) in Providers::<T>::iter() {
            add(&mut held, who.clone(), provider.bond);
            let (mut tied, mut count) = (0u128, 0u32);
            for id in ReplicasOf::<T>::iter_key_prefix(&who) {
                let replica = Replicas::<T>::get(id).ok_or("a provider's replica is not there")?;
                tied = tied.saturating_add(replica.collateral);
                count = count.saturating_add((!replica.status.is_over()).into());
            }
            ensure!(provider.tied == tied, "collateral does not add up");
            ensure!(provider.replicas == count, "replicas are counted wrong");
            for (group, free) in &provider.groups {
                let members =
                    u32::try_from(Members::<T>::iter_key_prefix(group).count()).unwrap_or(u32::MAX);
                ensure!(
                    members.saturating_add(*free) == Settings::<T>::get().group_places,
                    "free places are counted wrong"
                );
                let owner = Groups::<T>::get(group).map(|group| group.provider);
                ensure!(
                    owner.as_ref() == Some(&who),
                    "a group belongs to somebody else"
                );
            }
        }
        Self::check_holds(HoldReason::ProviderBond, &held)
    }

    /// Groups count their members, and members sit where they say.
    fn check_groups() -> Result<(), TryRuntimeError> {
        let window = Folded::<T>::get();
        let next = NextGroup::<T>::get();
        for (id, group) in Groups::<T>::iter() {
            ensure!(id < next, "a group with a number to come");
            let (mut members, mut due, mut places) = (0u32, 0u32, 0u32);
            for (place, replica_id, replica) in Self::members_of(id) {
                ensure!(
                    replica.position == Some((id, place)) && group.places.is_taken(place),
                    "a member sits somewhere else"
                );
                ensure!(
                    Members::<T>::get(id, place) == Some(replica_id),
                    "two members on one place"
                );
                places = places.saturating_add(1);
                let proving = replica.status.is_proving();
                members = members.saturating_add(proving.into());
                due = due.saturating_add((proving && replica.from <= window).into());
            }
            ensure!(group.members == members, "members are counted wrong");
            ensure!(group.due(window) == due, "due members are counted wrong");
            let mut taken = 0u32;
            let mut start = 0u32;
            while let Some(place) = group.places.next(start) {
                taken = taken.saturating_add(1);
                start = place.saturating_add(1);
            }
            ensure!(taken == places, "a place is taken by nobody");
        }
        Ok(())
    }

    /// The index of audited replicas has no gaps and no strangers.
    fn check_index() -> Result<(), TryRuntimeError> {
        let count = ActiveCount::<T>::get();
        for index in 0..count {
            let id = ActiveByIndex::<T>::get(index).ok_or("a gap in the index")?;
            let known = Replicas::<T>::get(id).and_then(|replica| replica.index);
            ensure!(known == Some(index), "a replica is indexed elsewhere");
        }
        ensure!(
            u32::try_from(ActiveByIndex::<T>::iter_keys().count()) == Ok(count),
            "the index is longer than its count"
        );
        Ok(())
    }

    /// Whatever waits is in the queue where it says, nothing else is, and nothing is before the cursor.
    fn check_queue() -> Result<(), TryRuntimeError> {
        let mut expected = BTreeSet::new();
        for (id, deal) in Deals::<T>::iter() {
            expected.extend(deal.due.map(|due| (due, Item::Deal(id))));
        }
        for (id, replica) in Replicas::<T>::iter() {
            expected.extend(replica.due.map(|due| (due, Item::Replica(id))));
        }
        for (id, moment, audit) in Audits::<T>::iter() {
            expected.insert((Self::after(audit.due), Item::Audit(id, moment)));
        }
        for (id, kind, challenge) in Challenges::<T>::iter() {
            expected.insert((Self::after(challenge.due), Item::Challenge(id, kind)));
        }
        let queue: BTreeSet<_> = Agenda::<T>::iter_keys().collect();
        ensure!(queue == expected, "the queue is not what waits");
        let cursor = AgendaCursor::<T>::get();
        ensure!(
            queue.iter().all(|(due, _)| *due >= cursor),
            "the cursor has passed an entry of the queue"
        );
        Ok(())
    }

    /// Challenges are of living replicas, and their bonds are held.
    fn check_challenges() -> Result<(), TryRuntimeError> {
        let mut held = Sums::<T>::new();
        for (id, _, challenge) in Challenges::<T>::iter() {
            let alive = Replicas::<T>::get(id).is_some_and(|replica| !replica.status.is_over());
            ensure!(alive, "a challenge of what is over");
            if let Some((who, bond)) = challenge.challenger {
                add(&mut held, who, bond);
            }
        }
        Self::check_holds(HoldReason::ChallengeBond, &held)
    }

    /// Every provider is listed with exactly what is asked of its replicas.
    fn check_asked() -> Result<(), TryRuntimeError> {
        Self::check_listed(
            AuditsOf::<T>::iter_keys(),
            Audits::<T>::contains_key,
            Audits::<T>::iter_keys().count(),
            "the audits listed with providers are not the open ones of their replicas",
        )?;
        Self::check_listed(
            ChallengesOf::<T>::iter_keys(),
            Challenges::<T>::contains_key,
            Challenges::<T>::iter_keys().count(),
            "the challenges listed with providers are not the open ones of their replicas",
        )
    }

    /// Providers are listed with `count` things, each of a replica of its own and there.
    fn check_listed<K>(
        listed: impl Iterator<Item = (T::AccountId, (ReplicaId, K))>,
        is_there: impl Fn(ReplicaId, K) -> bool,
        count: usize,
        otherwise: &'static str,
    ) -> Result<(), TryRuntimeError> {
        let mut found = 0usize;
        for (who, (id, of)) in listed {
            let own = Replicas::<T>::get(id).is_some_and(|replica| replica.provider == who);
            ensure!(own && is_there(id, of), otherwise);
            found = found.saturating_add(1);
        }
        ensure!(found == count, otherwise);
        Ok(())
    }

    /// Every folded window is in the mountain range, and the ring has no strangers.
    fn check_windows() -> Result<(), TryRuntimeError> {
        let folded = Folded::<T>::get();
        ensure!(
            History::<T>::get().leaves() == folded,
            "a window is missing from the history"
        );
        let ring = u64::from(Settings::<T>::get().ring);
        for (window, record) in WindowRecords::<T>::iter() {
            ensure!(
                window <= folded && window.saturating_add(ring) >= folded,
                "a window outside the ring"
            );
            ensure!(
                record.global.is_some() == (window < folded),
                "a folded window without a root, or one that is not folded with one"
            );
        }
        Ok(())
    }

    fn check_holds(reason: HoldReason, expected: &Sums<T>) -> Result<(), TryRuntimeError> {
        let exact = are_exact::<T::Currency, _>(reason, expected);
        ensure!(exact, "what is held is not what the records need");
        Ok(())
    }
}
