// SPDX-License-Identifier: Apache-2.0

//! Committees: who sits, what they say, and that it never costs anybody money.

use crate::mock::*;
use crate::*;
use frame_support::{assert_noop, assert_ok};
use std::collections::BTreeSet;
use tos_types::{storage::Window, TOS};
use tos_views::SeedView;

fn members(group: u32) -> Vec<AccountId> {
    let SeedView(seed) = Store::window_view().seed.unwrap();
    Store::committee(&seed, group)
}

/// A test in an open window, with a replica of Alice's in group 0.
fn sitting(test: impl FnOnce(&mut World, Window)) {
    run(|world| {
        world.active(ALICE, 1);
        let window = world.until_open();
        test(world, window);
    });
}

#[test]
fn a_committee_is_as_many_different_validators_as_there_can_be() {
    run(|world| {
        world.active(ALICE, 1);
        world.until_open();
        let first = members(0);
        let set: BTreeSet<_> = first.iter().copied().collect();
        assert_eq!(set.len(), 26);
        assert!(set.iter().all(|who| Validators::get().contains(who)));
        assert_ne!(first, members(1));
        world.until_open();
        assert_ne!(first, members(0), "every window has its own");
        Validators::set(vec![VALIDATOR, VALIDATOR + 1]);
        world.until_open();
        assert_eq!(members(0).len(), 2);
    });
}

#[test]
fn the_median_of_a_quorum_becomes_the_score() {
    sitting(|world, window| {
        // 18 of 26 are two thirds.
        for (index, who) in members(0).into_iter().take(18).enumerate() {
            let info = Store::attest(by(who), window, 0, 100 + index as u32 * 10, 0).unwrap();
            assert_eq!(info.pays_fee, frame_support::dispatch::Pays::No);
        }
        world.windows(1);
        let view = Store::provider_view(&ALICE).unwrap();
        assert_eq!(view.latency_ms, Some(180));
        assert_eq!(view.score, Some(8_000));
        assert_eq!(Attested::<Test>::iter().count(), 0);
    });
}

#[test]
fn without_a_quorum_there_is_no_score() {
    sitting(|world, window| {
        for who in members(0).into_iter().take(17) {
            assert_ok!(Store::attest(by(who), window, 0, 50, 0));
        }
        world.windows(1);
        assert_eq!(provider(ALICE).latency_ms, None);
    });
}

#[test]
fn only_members_attest_once_and_in_time() {
    sitting(|_, window| {
        let member = members(0)[0];
        let outsider = Validators::get()
            .into_iter()
            .find(|who| !members(0).contains(who))
            .unwrap();
        for who in [ALICE, STRANGER, outsider] {
            assert_noop!(
                Store::attest(by(who), window, 0, 1, 0),
                Error::<Test>::NotOnCommittee
            );
        }
        assert_noop!(
            Store::attest(by(member), window + 1, 0, 1, 0),
            Error::<Test>::WrongWindow
        );
        assert_noop!(
            Store::attest(by(member), window, 5, 1, 0),
            Error::<Test>::UnknownGroup
        );
        assert_ok!(Store::attest(by(member), window, 0, 1, 0));
        assert_noop!(
            Store::attest(by(member), window, 0, 1, 0),
            Error::<Test>::AlreadyAttested
        );
    });
}

#[test]
fn doubts_are_told_and_nobody_is_slashed_for_them() {
    sitting(|world, window| {
        for who in members(0) {
            assert_ok!(Store::attest(by(who), window, 0, 5_000, 3));
        }
        System::reset_events();
        world.windows(1);
        let scored = events().into_iter().find_map(|event| match event {
            Event::Scored {
                doubts, latency_ms, ..
            } => Some((doubts, latency_ms)),
            _ => None,
        });
        assert_eq!(scored, Some((26, 5_000)));
        assert_eq!(Store::provider_view(&ALICE).unwrap().score, Some(0));
        assert_eq!(provider(ALICE).bond, 5_000 * TOS);
    });
}

#[test]
fn duties_are_shown_to_members_alone() {
    sitting(|_, window| {
        let sitting = members(0);
        for who in Validators::get() {
            let duties = Store::committee_duties_of(&who);
            assert_eq!(duties.len(), usize::from(sitting.contains(&who)));
            for duty in duties {
                assert_eq!((duty.window, duty.group, duty.provider), (window, 0, ALICE));
                assert!(!duty.done);
                assert_eq!(&duty.locator[..], b"http://provider");
            }
        }
        assert_ok!(Store::attest(by(sitting[0]), window, 0, 1, 0));
        assert!(Store::committee_duties_of(&sitting[0])[0].done);
        assert_eq!(Store::committee_duties_of(&STRANGER), []);
    });
}
