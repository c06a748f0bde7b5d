// SPDX-License-Identifier: Apache-2.0

//! Reads of clients.

use crate::mock::*;
use frame_support::assert_ok;
use polkadot_sdk::*;
use tos_interfaces::Roster;
use tos_types::TOS;
use tos_views::BondStatus;

#[test]
fn a_judge_reads_its_bonds() {
    let other = [(1, OTHER_TYPE, 70 * TOS)];
    ExtBuilder::judges(4).also(other).execute(|| {
        world(|w| w.certified.insert(1));
        assert_ok!(Judges::sync_certificate(origin(9), 1, TYPE));
        next_period();
        lock(1, 10 * TOS);
        fine(1, 2 * TOS);
        pay(1, TOS);
        assert_ok!(Judges::add_bond(origin(1), TYPE, 5 * TOS));
        let view = Judges::bond(TYPE, 1).unwrap();
        assert_eq!((view.bond, view.locked), (98 * TOS, 8 * TOS));
        assert_eq!((view.restoring, view.pending), (2 * TOS, 3 * TOS));
        assert_eq!((view.pending_until, view.earned), (Some(700), TOS));
        assert_eq!((view.weight, view.certified), (100, true));
        assert_eq!(
            (view.status, view.suspended_until),
            (BondStatus::Active, None)
        );
        world(|w| w.suspended.insert(1));
        assert_eq!(Judges::bond(TYPE, 1).unwrap().suspended_until, Some(1_000));
        let bonds = Judges::bonds(1);
        let types: Vec<_> = bonds.iter().map(|(task_type, _)| *task_type).collect();
        assert_eq!(types, [OTHER_TYPE, TYPE]);
        assert_eq!((bonds[0].1.bond, bonds[1].1.bond), (70 * TOS, 98 * TOS));
        assert_eq!(Judges::bond(TYPE, 50), None);
        assert!(Judges::bonds(50).is_empty());
    });
}

#[test]
fn a_case_reads_its_place() {
    ExtBuilder::judges(20).execute(|| {
        world(|w| w.prompt = false);
        assert_eq!(Judges::waiting(case(1)), None);
        for number in 1..=3 {
            enqueue_in(request(number), 2);
        }
        let place = |number| Judges::waiting(case(number)).unwrap();
        let third = place(3);
        assert_eq!((third.ahead, third.class, third.seats), (Some(2), 2, 5));
        assert_eq!((third.since, third.expires), (1, 1 + TIMES.wait));
        assert!(!third.fixed && third.tries == 0);
        assert_eq!((third.task_type, third.round), (TYPE, 0));
        block();
        assert_eq!((place(3).ahead, place(3).fixed), (None, true));
        world(|w| {
            w.suspended = (1..=20).collect();
            w.prompt = true;
        });
        block();
        assert_eq!((place(1).tries, place(1).ahead), (1, None));
    });
}

#[test]
fn a_roster_reads_its_stake_and_what_is_taken_of_it() {
    ExtBuilder::judges(20).bootstrap(4).execute(|| {
        assert_ok!(Judges::register(origin(21), TYPE, 50 * TOS));
        draw(request(1));
        enqueue(request(2));
        block();
        let view = Judges::roster(TYPE);
        assert_eq!((view.bonds, view.judges, view.certified), (21, 20, 4));
        assert_eq!((view.stake, view.locked), (2_000 * TOS, 5 * TOS));
        assert_eq!((view.reserved, view.bootstrap), (5 * TOS, true));
        let empty = Judges::roster(OTHER_TYPE);
        assert_eq!((empty.bonds, empty.stake, empty.bootstrap), (0, 0, false));
        assert!(!<Judges as Roster<u64>>::bootstraps(OTHER_TYPE));
    });
}
