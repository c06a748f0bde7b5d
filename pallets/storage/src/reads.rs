// SPDX-License-Identifier: Apache-2.0

//! The reads of clients, providers and explorers.

use crate::*;
use alloc::vec::Vec;
use tos_interfaces::Randomness;
use tos_storage_proofs::aggregate;
use tos_types::{
    storage::{latency_score, ChallengeKind, GroupId, Window},
    DealId, ReplicaId,
};
use tos_views::{
    AuditView, CommitteeDutyView, ContinuityError, ContinuityView, DealView, GroupMemberView,
    GroupView, HistoryView, InclusionView, PositionView, ProviderView, ReplicaChallengeView,
    ReplicaView, SeedView, StorageStats, WindowRootView, WindowStage, WindowView, MAX_PAGE,
};

fn page(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_PAGE)).unwrap_or(usize::MAX)
}

/// All functions answer from the state of one block. The runtime API calls them.
impl<T: Config> Pallet<T> {
    /// A provider.
    pub fn provider_view(who: &T::AccountId) -> Option<ProviderView> {
        let provider = Providers::<T>::get(who)?;
        Some(ProviderView {
            leave_at: Self::leave_at(&provider),
            bond: provider.bond,
            tied: provider.tied,
            proof_key: provider.key,
            locator: provider.locator,
            replicas: provider.replicas,
            groups: provider.groups.iter().map(|(group, _)| *group).collect(),
            answered: provider.answered,
            missed: provider.missed,
            latency_ms: provider.latency_ms,
            score: provider.latency_ms.map(latency_score),
            exiting: provider.exiting,
        })
    }

    /// A deal.
    pub fn deal_view(id: DealId) -> Option<DealView<T::AccountId>> {
        Deals::<T>::get(id).map(|deal| Self::show_deal(id, deal))
    }

    fn show_deal(id: DealId, deal: Deal<T::AccountId>) -> DealView<T::AccountId> {
        let bytes = deal.coded.words.saturating_mul(64);
        DealView {
            id,
            client: deal.client,
            content: deal.content,
            coded: deal.coded,
            price: deal.price,
            windows: deal.windows,
            provider: deal.provider,
            escrow: deal.escrow,
            paid: deal.paid,
            collateral: Settings::<T>::get().collateral(bytes),
            status: deal.status,
            replica: deal.replica,
        }
    }

    /// Deals, open ones only or all, by identifier, after the given one.
    pub fn deals_page(
        after: Option<DealId>,
        limit: u32,
        open_only: bool,
    ) -> Vec<DealView<T::AccountId>> {
        let limit = page(limit);
        if open_only {
            let open = match after {
                Some(id) => OpenDeals::<T>::iter_from(OpenDeals::<T>::hashed_key_for(id)),
                None => OpenDeals::<T>::iter(),
            };
            return open
                .take(limit)
                .filter_map(|(id, ())| Self::deal_view(id))
                .collect();
        }
        let deals = match after {
            Some(id) => Deals::<T>::iter_from(Deals::<T>::hashed_key_for(id)),
            None => Deals::<T>::iter(),
        };
        deals
            .take(limit)
            .map(|(id, deal)| Self::show_deal(id, deal))
            .collect()
    }

    /// A replica.
    pub fn replica_view(id: ReplicaId) -> Option<ReplicaView<T::AccountId>> {
        let replica = Replicas::<T>::get(id)?;
        let config = Settings::<T>::get();
        let folded = Folded::<T>::get();
        let windows = Deals::<T>::get(replica.deal).map_or(u32::MAX, |deal| deal.windows);
        let began = replica.first > 0;
        Some(ReplicaView {
            id,
            streak: replica.run(folded),
            earned: replica.paid_windows(folded, config.proof_window, windows),
            position: replica
                .position
                .map(|(group, place)| PositionView { group, place }),
            first_window: began.then_some(replica.first),
            ends_at: began.then_some(replica.end),
            deal: replica.deal,
            provider: replica.provider,
            status: replica.status,
            coded: replica.coded,
            sealed: replica.sealed,
            collateral: replica.collateral,
            misses: replica.misses,
            due: replica.due,
        })
    }

    /// A provider's replicas, by identifier, after the given one.
    pub fn replicas_page(
        who: &T::AccountId,
        after: Option<ReplicaId>,
        limit: u32,
    ) -> Vec<ReplicaView<T::AccountId>> {
        let ids: Vec<ReplicaId> = match after {
            None => ReplicasOf::<T>::iter_key_prefix(who)
                .take(page(limit))
                .collect(),
            Some(after) => {
                let from = ReplicasOf::<T>::hashed_key_for(who, after);
                ReplicasOf::<T>::iter_key_prefix_from(who, from)
                    .take(page(limit))
                    .collect()
            }
        };
        ids.into_iter().filter_map(Self::replica_view).collect()
    }

    /// All audits of a provider that wait for answers. How many that can be is bounded by how many the
    /// chain draws in the time for an answer.
    pub fn open_audits_of(who: &T::AccountId) -> Vec<AuditView> {
        AuditsOf::<T>::iter_key_prefix(who)
            .filter_map(Self::show_audit)
            .collect()
    }

    /// The same by pages, in the order of replicas, after the given replica and number.
    pub fn open_audits_page(
        who: &T::AccountId,
        after: Option<(ReplicaId, u64)>,
        limit: u32,
    ) -> Vec<AuditView> {
        let open = match after {
            None => AuditsOf::<T>::iter_key_prefix(who),
            Some((id, moment)) => {
                let moment = u32::try_from(moment).unwrap_or(u32::MAX);
                let from = AuditsOf::<T>::hashed_key_for(who, (id, moment));
                AuditsOf::<T>::iter_key_prefix_from(who, from)
            }
        };
        open.take(page(limit))
            .filter_map(Self::show_audit)
            .collect()
    }

    fn show_audit((id, moment): (ReplicaId, u32)) -> Option<AuditView> {
        let audit = Audits::<T>::get(id, moment)?;
        Some(AuditView {
            replica: id,
            moment: moment.into(),
            seed: audit.seed,
            due: audit.due,
        })
    }

    /// All challenges of a provider's replicas. How many that can be is bounded by the bonds that who
    /// challenges puts down.
    pub fn challenges_of(who: &T::AccountId) -> Vec<ReplicaChallengeView<T::AccountId>> {
        ChallengesOf::<T>::iter_key_prefix(who)
            .filter_map(Self::show_challenge)
            .collect()
    }

    /// The same by pages, in the order of replicas, after the given replica and kind.
    pub fn challenges_page(
        who: &T::AccountId,
        after: Option<(ReplicaId, ChallengeKind)>,
        limit: u32,
    ) -> Vec<ReplicaChallengeView<T::AccountId>> {
        let open = match after {
            None => ChallengesOf::<T>::iter_key_prefix(who),
            Some(after) => {
                let from = ChallengesOf::<T>::hashed_key_for(who, after);
                ChallengesOf::<T>::iter_key_prefix_from(who, from)
            }
        };
        open.take(page(limit))
            .filter_map(Self::show_challenge)
            .collect()
    }

    fn show_challenge(
        (id, kind): (ReplicaId, ChallengeKind),
    ) -> Option<ReplicaChallengeView<T::AccountId>> {
        let challenge = Challenges::<T>::get(id, kind)?;
        Some(ReplicaChallengeView {
            replica: id,
            kind,
            challenger: challenge.challenger.map(|(who, _)| who),
            seed: challenge.seed.map(SeedView),
            words: challenge.words,
            due: challenge.due,
        })
    }

    /// The current window.
    pub fn window_view() -> WindowView {
        let number = Folded::<T>::get();
        let (stage, seed, ends) = match CurrentStage::<T>::get() {
            Stage::Waiting => (WindowStage::Waiting, None, None),
            Stage::Drawing { .. } => (WindowStage::Drawing, None, None),
            Stage::Open { seed, ends } => (WindowStage::Open, Some(SeedView(seed)), Some(ends)),
            Stage::Folding { seed } => (WindowStage::Folding, Some(SeedView(seed)), None),
        };
        let due = match stage {
            WindowStage::Open => (0..NextGroup::<T>::get())
                .filter(|id| {
                    Groups::<T>::get(id).is_some_and(|group| group.due(number) > 0)
                        && GroupWindows::<T>::get(number, id).root.is_none()
                })
                .take(page(MAX_PAGE))
                .collect(),
            _ => Vec::new(),
        };
        WindowView {
            number,
            stage,
            seed,
            ends,
            now: Self::now(),
            due,
            folded: number.checked_sub(1),
            degraded: T::Randomness::degraded(),
        }
    }

    /// Place, identifier and record of all replicas in a group, by place.
    pub(crate) fn members_of(group: GroupId) -> Vec<(u32, ReplicaId, Replica<T::AccountId>)> {
        let mut members: Vec<_> = Members::<T>::iter_prefix(group)
            .filter_map(|(place, id)| Some((place, id, Replicas::<T>::get(id)?)))
            .collect();
        members.sort_unstable_by_key(|(place, _, _)| *place);
        members
    }

    /// A group with its members.
    pub fn group_view(group: GroupId) -> Option<GroupView<T::AccountId>> {
        let window = Folded::<T>::get();
        let provider = Groups::<T>::get(group)?.provider;
        let members = Self::members_of(group)
            .into_iter()
            .filter_map(|(place, id, replica)| {
                let sealed = replica.sealed?;
                Some(GroupMemberView {
                    place,
                    replica: id,
                    sealed_root: sealed.root,
                    words: sealed.words,
                    from: replica.from,
                    due: replica.takes_part(window),
                })
            })
            .collect();
        Some(GroupView {
            group,
            provider,
            members,
            root: GroupWindows::<T>::get(window, group).root.map(SeedView),
        })
    }

    /// The groups that a validator should check in the current window, at most a page.
    pub fn committee_duties_of(who: &T::AccountId) -> Vec<CommitteeDutyView<T::AccountId>> {
        let Stage::Open { seed, .. } = CurrentStage::<T>::get() else {
            return Vec::new();
        };
        let window = Folded::<T>::get();
        let pool = CommitteePool::<T>::get();
        if !pool.contains(who) {
            return Vec::new();
        }
        (0..NextGroup::<T>::get())
            .filter_map(|id| {
                let group = Groups::<T>::get(id)?;
                let sits =
                    group.due(window) > 0 && Self::committee_from(&pool, &seed, id).contains(who);
                let provider = sits.then(|| Providers::<T>::get(&group.provider))??;
                Some(CommitteeDutyView {
                    window,
                    group: id,
                    provider: group.provider,
                    locator: provider.locator,
                    done: Attested::<T>::get(id)
                        .iter()
                        .any(|one| one.validator == *who),
                })
            })
            .take(page(MAX_PAGE))
            .collect()
    }

    /// Totals.
    pub fn stats() -> StorageStats {
        let totals = Counters::<T>::get();
        StorageStats {
            total_chains: ActiveCount::<T>::get(),
            providers: Providers::<T>::count(),
            deals: Deals::<T>::count(),
            replicas: Replicas::<T>::count(),
            sealed_bytes: totals.sealed_bytes,
            groups: NextGroup::<T>::get(),
            audits: totals.audits,
            answered: totals.answered,
            missed: totals.missed,
            failed: totals.failed,
            slashed: totals.slashed,
            paid: totals.paid,
            config: Settings::<T>::get(),
        }
    }

    /// The windows that a replica has been proven without a gap; refused below the proof window.
    pub fn continuity_of(id: ReplicaId) -> Result<ContinuityView, ContinuityError> {
        let replica = Replicas::<T>::get(id)
            .filter(|replica| !replica.status.is_over())
            .ok_or(ContinuityError::Unknown)?;
        if !replica.status.is_proving() {
            return Err(ContinuityError::NotProving);
        }
        let needed = Settings::<T>::get().proof_window;
        let streak = replica.run(Folded::<T>::get());
        if streak < needed.into() {
            return Err(ContinuityError::TooShort { streak, needed });
        }
        Ok(ContinuityView {
            from: replica.since,
            to: replica.since.saturating_add(streak).saturating_sub(1),
            streak,
        })
    }

    /// The roots of the last windows, newest first.
    pub fn window_roots_page(limit: u32) -> Vec<WindowRootView> {
        let newest = Folded::<T>::get();
        let ring = u64::from(Settings::<T>::get().ring);
        let oldest = newest.saturating_sub(ring);
        (oldest..=newest)
            .rev()
            .filter_map(|window| {
                let record = WindowRecords::<T>::get(window)?;
                Some(WindowRootView {
                    window,
                    seed: record.seed,
                    global: record.global.map(SeedView),
                    groups: record.handed_in,
                })
            })
            .take(page(limit))
            .collect()
    }

    /// The mountain range over the global roots of all windows.
    pub fn window_history_view() -> HistoryView {
        let history = History::<T>::get();
        HistoryView {
            windows: history.leaves(),
            root: history.root(),
        }
    }

    /// The part on chain of the way from a replica's leaf to the global root of a window.
    pub fn inclusion_of(id: ReplicaId, window: Window) -> Option<InclusionView> {
        let record = WindowRecords::<T>::get(window)?;
        let global = record.global?;
        let (group, place) = Replicas::<T>::get(id)?.position?;
        let group_root = GroupWindows::<T>::get(window, group).root?;
        let roots: Vec<_> = (0..record.groups)
            .map(|group| {
                let root = GroupWindows::<T>::get(window, group).root;
                root.unwrap_or_else(aggregate::missing_group)
            })
            .collect();
        let upper_path = aggregate::upper_path(&roots, group).ok()?;
        Some(InclusionView {
            window,
            position: PositionView { group, place },
            group_root,
            upper_path: upper_path.into_iter().map(SeedView).collect(),
            global,
        })
    }
}
