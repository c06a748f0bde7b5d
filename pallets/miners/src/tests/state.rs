// SPDX-License-Identifier: Apache-2.0

//! `do_try_state` finds what must never be.

use crate::mock::*;
use crate::{
    Certificate, Certificates, Claim, Declarations, HoldReason, Miner, Miners as Register,
};
use frame_support::{assert_err, assert_ok, traits::fungible::UnbalancedHold};
use polkadot_sdk::*;
use tos_types::{rules::LEAST_REGISTRATION, task::Certification, TaskType, Tick};

/// Damages the state of a chain with one miner and returns what the check says.
fn complaint(damage: impl FnOnce()) -> sp_runtime::DispatchError {
    ExtBuilder::default().build().execute_with(|| {
        register(ALICE);
        assert_ok!(Miners::declare_relation(signed(ALICE), BOB));
        assert_ok!(Miners::do_try_state());
        damage();
        Miners::do_try_state().unwrap_err()
    })
}

fn damaged_miner(damage: impl FnOnce(&mut Miner)) -> sp_runtime::DispatchError {
    complaint(|| Register::<Test>::mutate(ALICE, |miner| damage(miner.as_mut().unwrap())))
}

#[test]
fn damaged_miners_are_found() {
    let stake = damaged_miner(|m| m.stake += 1);
    assert_eq!(stake, "miners: a recorded stake is not what is held".into());
    let least = damaged_miner(|m| {
        let reason = HoldReason::Registration.into();
        Balances::set_balance_on_hold(&reason, &ALICE, LEAST_REGISTRATION - 1).unwrap();
        m.stake = LEAST_REGISTRATION - 1;
    });
    assert_eq!(
        least,
        "miners: a stake is less than any rules could have asked for".into()
    );
    let order = "miners: specialisations are not ascending and distinct".into();
    assert_eq!(damaged_miner(|m| m.specialisations = types(&[])), order);
    let twice = types(&[TaskType::CodeAnalysis, TaskType::CodeAnalysis]);
    assert_eq!(damaged_miner(|m| m.specialisations = twice), order);
    assert_eq!(
        damaged_miner(|m| m.open_tasks = 4),
        "miners: too many open tasks".into()
    );
    let leaving = damaged_miner(|m| (m.open_tasks, m.leaving) = (1, Some(1)));
    assert_eq!(leaving, "miners: a leaving miner has open tasks".into());
}

#[test]
fn damaged_accounts_are_found() {
    let empty = Certificate {
        level: Certification::Unverified,
        expires: 9,
    };
    let level = complaint(|| Certificates::<Test>::insert(BOB, empty));
    assert_eq!(level, "miners: a certificate certifies nothing".into());
    let nothing = complaint(|| Declarations::<Test>::insert(BOB, crate::Declared::default()));
    assert_eq!(nothing, "miners: an account declares nothing".into());
    let claim = |(other, since, until)| Claim {
        other,
        since,
        until,
    };
    let owners = |bad: Vec<(u64, Tick, Option<Tick>)>| {
        complaint(|| {
            Declarations::<Test>::mutate(ALICE, |declared| {
                declared.owners = bad
                    .into_iter()
                    .map(claim)
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap();
            });
        })
    };
    let itself = owners(vec![(ALICE, 1, None)]);
    assert_eq!(itself, "miners: an account owns itself".into());
    for bad in [
        vec![(2, 1, None), (3, 5, None)],
        vec![(2, 1, Some(7)), (3, 5, None)],
    ] {
        assert_eq!(
            owners(bad),
            "miners: two owners of an account count at once".into()
        );
    }
    for bad in [
        vec![(3, 1, None), (2, 1, None)],
        vec![(2, 1, None), (2, 5, None)],
        vec![(2, 1, Some(7)), (2, 5, None)],
        vec![(1, 1, None)],
    ] {
        let relation = complaint(|| {
            Declarations::<Test>::mutate(ALICE, |declared| {
                let bad: Vec<_> = bad.into_iter().map(claim).collect();
                declared.relations = bad.try_into().unwrap();
            });
        });
        let expected = "miners: declared relations are not ascending, distinct and to others";
        assert_err!(Err::<(), _>(relation), expected);
    }
}
