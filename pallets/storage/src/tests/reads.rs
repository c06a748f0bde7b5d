// SPDX-License-Identifier: Apache-2.0

//! What clients read.

use crate::mock::*;
use crate::*;
use tos_types::{
    storage::{DealStatus, ReplicaStatus, Retention},
    ReplicaId, TOS,
};
use tos_views::{ContinuityError, PositionView};

#[test]
fn deals_are_paged_and_open_ones_can_be_told_apart() {
    run(|_| {
        let ids: Vec<_> = (0..7)
            .map(|_| offer(CLIENT, &data(1, 100), Retention::Days30))
            .collect();
        Store::accept(by(ALICE), ids[0]).unwrap();
        for (open_only, expected) in [(true, 6), (false, 7)] {
            let (mut seen, mut after) = (vec![], None);
            loop {
                let page = Store::deals_page(after, 3, open_only);
                assert!(page.len() <= 3);
                let Some(last) = page.last() else { break };
                after = Some(last.id);
                seen.extend(page.into_iter().map(|deal| deal.id));
            }
            seen.sort();
            seen.dedup();
            assert_eq!(seen.len(), expected);
            assert_eq!(seen.contains(&ids[0]), !open_only);
        }
        let view = Store::deal_view(ids[1]).unwrap();
        assert_eq!(view.status, DealStatus::Open);
        assert_eq!(view.collateral, 11 * TOS);
        assert_eq!(view.windows, 120);
    });
}

#[test]
fn a_replica_shows_where_it_is() {
    with_replica(|world, id| {
        let view = Store::replica_view(id).unwrap();
        assert_eq!(view.status, ReplicaStatus::Active);
        assert_eq!(view.position, Some(PositionView { group: 0, place: 0 }));
        assert_eq!(view.collateral, 11 * TOS);
        assert_eq!((view.streak, view.earned), (0, 0));
        assert_eq!(view.ends_at.unwrap() - view.first_window.unwrap(), 40);
        world.windows(8);
        let view = Store::replica_view(id).unwrap();
        assert_eq!(u64::from(view.earned) + 5, view.streak);
        let listed = Store::replicas_page(&ALICE, None, 10);
        assert_eq!(listed, [view]);
        assert_eq!(Store::replicas_page(&ALICE, Some(id), 10), []);
        assert_eq!(Store::replicas_page(&BOB, None, 10), []);
    });
}

#[test]
fn continuity_is_refused_for_what_is_not_proven() {
    run(|world| {
        let unknown = ReplicaId([1; 16]);
        assert_eq!(Store::continuity_of(unknown), Err(ContinuityError::Unknown));
        let deal = offer(CLIENT, &data(1, 100), Retention::Days30);
        let id = world.seal(ALICE, deal, &data(1, 100));
        assert_eq!(Store::continuity_of(id), Err(ContinuityError::NotProving));
    });
}

#[test]
fn totals_add_up() {
    with_replica(|world, id| {
        world.windows(7);
        Store::settle(by(STRANGER), id).unwrap();
        let stats = Store::stats();
        assert_eq!(stats.total_chains, 1);
        assert_eq!((stats.providers, stats.deals, stats.replicas), (1, 1, 1));
        assert_eq!(stats.sealed_bytes, 16 * 1_024);
        assert_eq!(stats.groups, 1);
        assert!(stats.answered >= 1 && stats.audits >= stats.answered - 1);
        assert_eq!(stats.paid, deal_of(id).paid);
        assert_eq!((stats.missed, stats.failed, stats.slashed), (0, 0, 0));
    });
}

#[test]
fn a_group_shows_who_has_a_leaf_in_the_window() {
    run(|world| {
        let ids = [world.active(ALICE, 1), world.active(ALICE, 2)];
        world.windows(2);
        let late = world.active(ALICE, 3);
        let group = Store::group_view(0).unwrap();
        assert_eq!(group.provider, ALICE);
        let places: Vec<_> = group
            .members
            .iter()
            .map(|member| (member.place, member.replica))
            .collect();
        assert_eq!(places, [(0, ids[0]), (1, ids[1]), (2, late)]);
        let due: Vec<_> = group.members.iter().map(|member| member.due).collect();
        let joined = replica(late).from <= Folded::<Test>::get();
        assert_eq!(due, [true, true, joined]);
        assert_eq!(Store::group_view(1), None);
    });
}
